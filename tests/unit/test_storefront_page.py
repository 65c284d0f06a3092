"""docs/storefront.md and the page beside it say the same."""

import re

from local.template import ROOT
from openapi.bodies import PrimaryBody, ShownGalleryBody

DOCUMENT = (ROOT / "docs/storefront.md").read_text()
PAGE = (ROOT / "examples/storefront/index.html").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)


def test_the_page_has_the_lines_of_the_document_as_they_stand_there() -> None:
    [lines] = [block for block in blocks("js") if "function pictureOf" in block]
    assert lines in PAGE


def test_the_answer_that_is_printed_is_one_that_the_api_gives() -> None:
    printed, _ = blocks("json")
    assert ShownGalleryBody.model_validate_json(printed).count == 1


def test_every_key_of_a_picture_is_explained() -> None:
    explained = set(re.findall(r"`(\w+)`", DOCUMENT))
    image = PrimaryBody.model_json_schema()["$defs"]["ShownImageBody"]["properties"]
    assert image.keys() - explained == {"id", "product_id", "type"}
