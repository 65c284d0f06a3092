"""The examples of the endpoint's documentation and of the README, as printed there, host and key aside."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from domain.image import ImageStatus
from local.sample import sample_jpeg
from local.template import ROOT
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


def test_the_readmes_curl_sends_a_large_file(shop: Shop, product_id: int, tmp_path: Path) -> None:
    if not shutil.which("jq"):
        pytest.skip("jq is not on this machine, and the README's curl reads JSON with it")
    (tmp_path / "big.jpg").write_bytes(sample_jpeg(640, 480))
    environment = {**os.environ, "BASE_URL": shop.state.api_url, "API_KEY": shop.state.keys["staff"]}
    script = _large_file_example("sh", product_id)
    subprocess.run(["bash", "-ec", script], cwd=tmp_path, env=environment, check=True)
    _check_large_file(shop, product_id)


def test_the_readmes_python_sends_a_large_file(shop: Shop, product_id: int, tmp_path: Path) -> None:
    (tmp_path / "big.jpg").write_bytes(sample_jpeg(640, 480))
    given = f"import os, requests\nbase_url, api_key = {(shop.state.api_url, shop.state.keys['staff'])}\n"
    script = given + _large_file_example("python", product_id)
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    _check_large_file(shop, product_id)


def _large_file_example(language: str, product_id: int) -> str:
    section = (ROOT / "README.md").read_text().partition("### Larger files\n")[2]
    example = section.partition(f"```{language}\n")[2].partition("```")[0]
    assert "/api/products/123/" in example
    return example.replace("/api/products/123/", f"/api/products/{product_id}/")


def _check_large_file(shop: Shop, product_id: int) -> None:
    (image,) = shop.gallery(product_id)
    assert shop.settled(image).name == "big.jpg"
    assert shop.shown(product_id, image.id).width == 640


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
