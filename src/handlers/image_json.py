"""The JSON of a picture, as the endpoint's documentation names its keys."""

from http import HTTPStatus

from domain.image import ProductImage, human_readable_size
from domain.moments import iso_utc
from handlers.problems import HttpResponse, json_response


def image_json(image: ProductImage, *, base_url: str, is_primary: bool) -> dict[str, object]:
    """Return the contract's object: sizes in bytes and pixels, times in ISO 8601 UTC.

    `width`, `height` and `mode` are None until the picture is ready, `sha256` until it was inspected.
    """
    details, facts, failure = image.details, image.facts, image.failure
    return {
        "id": image.ref.image_id,
        "type": image.image_format.name,
        "user": {"id": image.user.id, "username": image.user.username, "full_name": image.user.full_name},
        "name": image.name,
        "f": f"{base_url}/{image.media_key}",
        "size": image.size_bytes,
        "description": details.alt_text,
        "width": facts.width_px if facts else None,
        "height": facts.height_px if facts else None,
        "human_readable_size": human_readable_size(image.size_bytes),
        "mode": facts.mode if facts else None,
        "created_at": iso_utc(image.created_at),
        "updated_at": iso_utc(image.updated_at),
        "product_id": image.ref.product_id,
        "alt_text": details.alt_text,
        "is_primary": is_primary,
        "order": details.order,
        "status": image.status.value,
        "sha256": image.sha256,
        "error": failure.reason if failure else None,
        "error_code": failure.code if failure else None,
        "upload_expires_at": iso_utc(image.upload_expires_at) if image.upload_expires_at else None,
    }


def created(body: dict[str, object], *, base_url: str) -> HttpResponse:
    """Return the 201 with a new picture's JSON; its `Location` opens wherever the request was sent to."""
    location = f"{base_url}/api/products/{body['product_id']}/images/{body['id']}"
    return json_response(HTTPStatus.CREATED, body, {"Cache-Control": "no-store", "Location": location})
