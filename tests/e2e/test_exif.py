"""What a camera wrote into a picture, where it was taken above all, is told to nobody by the service."""

import json

import pytest

from domain.image import ImageStatus
from local.system import wait_until
from tests.builders import PRIVATE, jpeg, picture, private_exif
from tests.e2e.shop import Shop
from tests.integration.test_public_copy_avif import everything as avif_with_everything
from tests.integration.test_public_copy_png import parts, private_chunks
from tests.jpeg_files import SECRETS, phone_picture
from tests.png_files import chunk as png_chunk
from tests.webp_files import EXIF, XMP, canvas, image, webp
from tests.webp_files import chunk as webp_chunk

CAMERA = [text for text in PRIVATE if text != "WHO-MADE-IT" and not text.isdigit()]
"""What a camera writes as text, without who made the picture."""


def log_lines(shop: Shop) -> list[str]:
    """Return what all functions have logged."""
    logs = shop.state.endpoint.client("logs")
    pages = [
        page
        for group in logs.describe_log_groups()["logGroups"]
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
    ]
    return [event["message"] for page in pages for event in page["events"]]


@pytest.mark.parametrize("status", ["ready", "failed"])
def test_exif_data_is_neither_returned_nor_told_nor_logged(
    shop: Shop, product_id: int, told: str, status: str
) -> None:
    content = jpeg(exif=private_exif())
    if status == "failed":
        content = content[:-500]
    created = shop.upload(content, product_id=product_id)
    assert created.status_code == 201
    image_id = created.json()["id"]
    assert shop.finished(created.json()).status.value == status
    sqs = shop.state.endpoint.client("sqs")

    def event() -> str | None:
        for message in sqs.receive_message(QueueUrl=told, MaxNumberOfMessages=10).get("Messages", []):
            if json.loads(message["Body"])["detail"]["id"] == image_id:
                return message["Body"]
        return None

    def logs() -> str | None:
        # The line that tells the outcome is the last one of a picture.
        lines = log_lines(shop)
        is_told = any("image inspected" in line and f'"image_id":{image_id},' in line for line in lines)
        return "\n".join(lines) if is_told else None

    texts = {
        "201": created.text + str(created.headers),
        "picture": shop.show(product_id, image_id).text,
        "gallery": shop.page(product_id).text,
        "event": wait_until(event, f"event of image {image_id}"),
        "logs": wait_until(logs, f"log of image {image_id}"),
    }
    assert [(name, what) for name, text in texts.items() for what in PRIVATE if what in text] == []
    if status == "ready":
        # Kept is which way up it is, and who made it: what `Artist` says is there to be read.
        shown = shop.shown(product_id, image_id)
        assert (shown.width, shown.height) == (32, 48)
        served = shop.fetch(shown.f).content
        assert shown.size == len(served) < len(content)
        assert [what for what in PRIVATE if what.encode() in served] == ["WHO-MADE-IT"]
        numbers = [int(what).to_bytes(4) for what in PRIVATE if what.isdigit()]
        assert [number for number in numbers if number in served] == []


HIDDEN = b"N 48.137 E 11.575"


def png_with_everything() -> bytes:
    head, pixels, end = parts(picture("PNG"))
    return head + private_chunks() + png_chunk("IDAT", pixels) + end + HIDDEN


def webp_with_everything() -> bytes:
    tags = webp_chunk(b"EXIF", private_exif().removeprefix(b"Exif\0\0"))
    more = [tags, webp_chunk(b"XMP ", HIDDEN), webp_chunk(b"junk", HIDDEN)]
    return webp(canvas(EXIF | XMP), webp_chunk(b"junk", HIDDEN), image(), *more) + HIDDEN


def gif_with_everything() -> bytes:
    content = picture("GIF", comment=HIDDEN, frames=2)
    said = bytes([len(HIDDEN)]) + HIDDEN + b"\0"
    return content[:-1] + b"!\xff\x0bXMP DataXMP" + said + b"!\xfe" + said + b";" + HIDDEN


WITH_EVERYTHING = {
    "JPEG": (phone_picture(), SECRETS),
    "PNG": (png_with_everything(), (HIDDEN,)),
    "WEBP": (webp_with_everything(), (HIDDEN, *map(str.encode, CAMERA))),
    "GIF": (gif_with_everything(), (HIDDEN,)),
    "AVIF": (avif_with_everything().written(), (HIDDEN, *map(str.encode, CAMERA))),
}
"""Of each format a picture with all that cameras and programs write into one, and what of that is private."""


@pytest.mark.parametrize("name", WITH_EVERYTHING)
def test_of_a_picture_with_everything_the_public_sees_nothing_private(
    shop: Shop, product_id: int, name: str
) -> None:
    content, private = WITH_EVERYTHING[name]
    assert [what for what in private if what not in content] == []
    created = shop.upload(content, product_id=product_id)
    assert shop.finished(created.json()).status is ImageStatus.READY
    shown = shop.shown(product_id, created.json()["id"])
    served = shop.fetch(shown.f).content
    assert (shown.type, shown.size) == (name, len(served))
    assert [what for what in private if what in served] == []


def test_the_pictures_of_these_tests_do_tell_something() -> None:
    written = private_exif()
    assert [text for text in PRIVATE if not text.isdigit() and text.encode() not in written] == []
    assert [text for text in PRIVATE if text.isdigit() and int(text).to_bytes(4) not in written] == []
