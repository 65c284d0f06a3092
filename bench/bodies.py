"""What is measured with: pictures like photographs of a wanted size, and requests that carry them."""

import base64
import io
import json
import secrets
from pathlib import Path
from typing import Any

from PIL import Image

from bench.environments import FILES

BOUNDARY = "------------------------d74496d66958873e"
"""As curl draws one."""
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
_PATH = "/api/products/42/images"
_BYTES_PER_PIXEL = 0.4
"""Of a phone's photographs: 4 to 5 MB for 12 megapixels."""
_ASPECT = 4 / 3


def photograph(size_bytes: int) -> Path:
    """Return a JPEG of about this size (within 3%), as many pixels as a phone would spend on it."""
    path = FILES / f"{size_bytes}.jpg"
    if not path.exists():
        height = round((size_bytes / _BYTES_PER_PIXEL / _ASPECT) ** 0.5)
        _write(path, _encode_to(size_bytes, _scene(round(height * _ASPECT), height)))
    return path


def _scene(width: int, height: int) -> Image.Image:
    """Return soft shapes in colour with grain at two scales, as a lens and a sensor make them."""
    shapes = [
        Image.effect_noise((width // 64, height // 64), 90).resize((width, height), Image.Resampling.BICUBIC)
        for _ in range(3)
    ]
    texture = Image.effect_noise((width // 4, height // 4), 60).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    grain = Image.effect_noise((width, height), 40)
    detail = Image.merge("RGB", [Image.blend(texture, grain, 0.4)] * 3)
    return Image.blend(Image.merge("RGB", shapes), detail, 0.3)


def _encode_to(size_bytes: int, scene: Image.Image) -> bytes:
    content = b""
    low, high = 1, 96
    while low <= high:
        quality = (low + high) // 2
        encoded = io.BytesIO()
        scene.save(encoded, "JPEG", quality=quality)
        if abs(encoded.tell() - size_bytes) < abs(len(content) - size_bytes):
            content = encoded.getvalue()
        low, high = (quality + 1, high) if encoded.tell() < size_bytes else (low, quality - 1)
    return content


def png(width: int, height: int, *, is_photograph: bool) -> Path:
    """Return a PNG: a photograph, or an empty picture, which is small however many pixels it has."""
    path = FILES / f"{width}x{height}.png"
    if not path.exists():
        picture = _scene(width, height) if is_photograph else Image.new("L", (width, height))
        encoded = io.BytesIO()
        picture.save(encoded, "PNG")
        _write(path, encoded.getvalue())
    return path


def upload_form(content: bytes) -> bytes:
    """Return the form that the documentation's curl sends."""
    fields = {"alt_text": "Product front view", "is_primary": "true", "order": "1"}
    parts = [
        _part('name="image"; filename="product_image.jpg"\r\nContent-Type: image/jpeg', content),
        *(_part(f'name="{name}"', value.encode()) for name, value in fields.items()),
    ]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def _part(head: str, content: bytes) -> bytes:
    return f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"


def upload_request(size_bytes: int) -> Path:
    """Return the body of an upload of a picture of this size; beside it lies the event made of it."""
    path = FILES / f"{size_bytes}.form"
    if not path.exists():
        # Random bytes behind a photograph's end make the size exact; nobody reads that far.
        content = photograph(min(size_bytes, 100_000)).read_bytes()[:size_bytes]
        content += secrets.token_bytes(size_bytes - len(content))
        body = upload_form(content)
        _write(event_of(path), json.dumps(upload_event(body)).encode())
        _write(path, body)
    return path


def hostile_request(text: str, content_type: str) -> Path:
    """Return where a body would lie whose event lies beside it; it takes the place of the one before."""
    path = FILES / "hostile.form"
    event = {"body": text, "headers": {"Content-Type": content_type}}
    _write(event_of(path), json.dumps(event).encode())
    return path


def event_of(request: Path) -> Path:
    """Return where the event of a request's body lies."""
    return request.with_suffix(".json")


def upload_event(body: bytes) -> dict[str, Any]:
    """Return what API Gateway makes of an upload, in the members that any of the contenders reads."""
    headers = {"Accept": "*/*", "Content-Type": CONTENT_TYPE, "Host": "api.shop.example"}
    user = {"user_id": "7", "username": "maria", "full_name": "Maria Lopez", "role": "staff"}
    return {
        "resource": "/api/products/{product_id}/images",
        "path": _PATH,
        "httpMethod": "POST",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"product_id": "42"},
        "stageVariables": {"base_url": "https://shop.example"},
        "requestContext": {
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "extendedRequestId": "JKJaXmPLvHcESHA=",
            "path": _PATH,
            "resourcePath": "/api/products/{product_id}/images",
            "httpMethod": "POST",
            "stage": "prod",
            "authorizer": {**user, "key_id": "0123456789abcdef"},
        },
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
