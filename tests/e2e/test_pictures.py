"""Each kind of picture that shops send: up, stored, inspected, with what a person sees in it."""

import hashlib
from dataclasses import dataclass

import pytest

from domain.image import ImageFacts, ImageStatus
from tests.builders import exif, jpeg, picture
from tests.e2e.shop import Shop

PRODUCT_ID = 130


@dataclass(frozen=True, slots=True)
class Case:
    content: bytes
    type: str
    width: int
    height: int
    mode: str


CASES = {
    "JPEG": Case(jpeg(640, 480), "JPEG", 640, 480, "RGB"),
    "JPEG CMYK": Case(jpeg(64, 48, "CMYK"), "JPEG", 64, 48, "CMYK"),
    "JPEG grey": Case(jpeg(64, 48, "L"), "JPEG", 64, 48, "L"),
    "JPEG progressive": Case(jpeg(640, 480, progressive=True), "JPEG", 640, 480, "RGB"),
    "JPEG rotated": Case(jpeg(64, 48, exif=exif(6)), "JPEG", 48, 64, "RGB"),
    "JPEG of one pixel": Case(jpeg(1, 1), "JPEG", 1, 1, "RGB"),
    "MPO": Case(picture("MPO", 64, 48, frames=2), "JPEG", 64, 48, "RGB"),
    "PNG palette": Case(picture("PNG", 64, 48, "P"), "PNG", 64, 48, "P"),
    "PNG RGBA": Case(picture("PNG", 64, 48, "RGBA"), "PNG", 64, 48, "RGBA"),
    "PNG 16 bit": Case(picture("PNG", 64, 48, "I;16"), "PNG", 64, 48, "I;16"),
    "WEBP lossy": Case(picture("WEBP", 64, 48), "WEBP", 64, 48, "RGB"),
    "WEBP lossless": Case(picture("WEBP", 64, 48, lossless=True), "WEBP", 64, 48, "RGB"),
    "WEBP animated": Case(picture("WEBP", 64, 48, frames=3), "WEBP", 64, 48, "RGBA"),
    "GIF": Case(picture("GIF", 64, 48, "P"), "GIF", 64, 48, "P"),
    "GIF animated": Case(picture("GIF", 64, 48, "P", frames=3), "GIF", 64, 48, "P"),
    "AVIF": Case(picture("AVIF", 64, 48), "AVIF", 64, 48, "RGB"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_picture_becomes_ready_with_its_facts(shop: Shop, name: str) -> None:
    case = CASES[name]
    # The name lies about the format, which must not matter.
    answer = shop.upload(case.content, name="picture.bin", product_id=PRODUCT_ID)
    assert answer.status_code == 201, answer.text
    assert answer.json()["type"] == case.type
    image = shop.finished(answer.json())
    assert (image.status, image.error) == (ImageStatus.READY, None)
    assert image.facts == ImageFacts(case.width, case.height, case.mode)
    assert shop.stored_sha256(answer.json()) == hashlib.sha256(case.content).hexdigest()


@pytest.mark.parametrize(
    "content",
    [jpeg(640, 480)[:-2000], b"\x89PNG\r\n\x1a\n and no more", b"GIF89a"],
    ids=["JPEG cut short", "PNG by its signature alone", "GIF by its signature alone"],
)
def test_a_file_that_does_not_decode_fails_and_says_why(shop: Shop, content: bytes) -> None:
    answer = shop.upload(content, product_id=PRODUCT_ID)
    assert answer.status_code == 201
    image = shop.finished(answer.json())
    assert (image.status, image.facts) == (ImageStatus.FAILED, None)
    assert image.error
    assert image.error.endswith(".")
