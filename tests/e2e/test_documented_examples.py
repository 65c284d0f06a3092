"""The two examples of the endpoint's documentation, as printed there, host and key aside."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from domain.image import ImageStatus
from local.sample import sample_jpeg
from tests.e2e.contract import ImageBody
from tests.e2e.shop import Shop

EXAMPLES = Path(__file__).parent / "examples"


@pytest.fixture
def example_folder(tmp_path: Path) -> Path:
    (tmp_path / "product_image.jpg").write_bytes(sample_jpeg(640, 480))
    (tmp_path / "product_side.jpg").write_bytes(sample_jpeg(480, 640))
    return tmp_path


def test_the_python_example_uploads_both_pictures(shop: Shop, example_folder: Path) -> None:
    output = subprocess.check_output(
        [sys.executable, "-c", _example("python.txt", shop)], cwd=example_folder, text=True
    )
    _check(shop, [ast.literal_eval(line) for line in output.splitlines()])


def test_the_curl_example_uploads_both_pictures(shop: Shop, example_folder: Path) -> None:
    output = subprocess.check_output(
        ["bash", "-ec", _example("curl.txt", shop)], cwd=example_folder, text=True, stderr=subprocess.DEVNULL
    )
    bodies, rest = [], output
    while rest:
        body, end = json.JSONDecoder().raw_decode(rest)
        bodies.append(body)
        rest = rest[end:].lstrip()
    _check(shop, bodies)


def _example(name: str, shop: Shop) -> str:
    text = (EXAMPLES / name).read_text()
    for printed in ("http://www.example.com", "<your_api_key>"):
        assert printed in text
    text = text.replace("http://www.example.com", shop.state.api_url)
    return text.replace("<your_api_key>", shop.state.keys["staff"])


def _check(shop: Shop, bodies: list[dict[str, Any]]) -> None:
    front, side = (ImageBody.model_validate_json(json.dumps(body)) for body in bodies)
    assert (front.alt_text, front.is_primary, front.order) == ("Product front view", True, 1)
    assert (side.alt_text, side.is_primary, side.order) == ("Product side view", False, 2)
    assert (front.name, side.name) == ("product_image.jpg", "product_side.jpg")
    sizes = []
    for body in bodies:
        image = shop.finished(body)
        assert image.status is ImageStatus.READY
        assert image.facts
        sizes.append((image.facts.width_px, image.facts.height_px, image.facts.mode))
    assert sizes == [(640, 480, "RGB"), (480, 640, "RGB")]
