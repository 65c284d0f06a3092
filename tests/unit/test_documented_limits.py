"""The figures that docs/use-the-api.md copies are those of the code, the template and docs/growth.md."""

import re
from datetime import timedelta

import pytest

from adapters.pillow_pictures import MAX_FRAMES
from domain.image import FETCH_TIME
from domain.image_details import ALT_TEXT_LIMIT
from domain.list_images import MAX_PAGE_SIZE, MAX_REACH
from domain.reorder_images import MAX_IMAGES
from domain.text import MAX_SHORT_BYTES
from handlers.extract_metadata import DECODER_MEMORY_BYTES, DECODER_SECONDS
from handlers.form import MAX_PARTS, MAX_TEXT_BYTES
from handlers.json_request import MAX_BODY_BYTES
from local.template import ROOT, read_template

PAGE = (ROOT / "docs/use-the-api.md").read_text()
GROWTH = " ".join((ROOT / "docs/growth.md").read_text().split())
PARAMETERS = read_template()["Parameters"]


def row(what: str) -> str:
    [limit] = re.findall(rf"^\| {re.escape(what)} \| (.*?) \|", PAGE, re.MULTILINE)
    return str(limit)


@pytest.mark.parametrize(
    ("what", "figures"),
    [
        ("direct upload", f"{PARAMETERS['MaxDirectUploadBytes']['Default']:,} bytes"),
        ("upload form", f"{PARAMETERS['MaxUploadBytes']['Default']:,} bytes"),
        ("JSON body", f"{MAX_BODY_BYTES:,} bytes"),
        (
            "images of one host in a day",
            f"{PARAMETERS['FetchPerHostPerSecond']['Default'] * FETCH_TIME // timedelta(seconds=1):,}, ",
        ),
        ("pixels of an image", f"{PARAMETERS['MaxImagePixels']['Default'] // 10**6} million"),
        ("frames of an animation", f"{MAX_FRAMES}, "),
        ("time and memory to decode an image", f"{DECODER_SECONDS} s, {DECODER_MEMORY_BYTES / 1e9:g} GB"),
        ("parts of a form", f"{MAX_PARTS}"),
        ("bytes of a text field", f"{MAX_TEXT_BYTES:,}"),
        ("alternative text", f"{ALT_TEXT_LIMIT:,} characters"),
        ("file name", f"{MAX_SHORT_BYTES} bytes"),
        ("images on one page", f"{MAX_PAGE_SIZE}"),
        ("images in one new order", f"{MAX_IMAGES}"),
        ("images before a page (`offset`)", f"{MAX_REACH:,}"),
        ("images of a product that is listed by `status` or `sha256`", f"{MAX_REACH:,}"),
    ],
)
def test_a_limit_is_the_one_that_the_code_or_the_template_sets(what: str, figures: str) -> None:
    assert row(what).startswith(figures)


def test_what_grows_is_said_as_it_was_measured() -> None:
    [per_call] = re.findall(r"pages up to the ([\d,]+)th image are one call", GROWTH)
    [images] = re.findall(r"enough for some (\d+) million images", GROWTH)
    assert row("a page that is one call to DynamoDB").startswith(
        f"the first {int(per_call.replace(',', '')):,} images"
    )
    assert row("images of a product").startswith(f"some {images} million")
