"""The examples of the endpoint's documentation, of the README and of its pages, as printed there."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from domain.image import ImageStatus
from local.sample import sample_jpeg
from local.template import ROOT
from tests.builders import A_LOOK, NOW
from tests.e2e.contract import ImageBody
from tests.e2e.shop import Shop

EXAMPLES = Path(__file__).parent / "examples"
LEFT = {
    ("README.md", "sh"): {"sample.jpg"},
    ("docs/use-the-api.md", "sh"): {"product_image.jpg"},
    ("docs/use-the-api.md", "python"): {"product_image.jpg", "big.jpg"},
}
"""Pages whose examples are pasted, and the names of the pictures that they leave: one deletes its first."""
_RUN = {"sh": ["bash", "-ec"], "python": [sys.executable, "-c"]}
_STARTS = re.compile(r"^(make|sam|python3 -m http.server) ", re.MULTILINE)
"""Examples that start or deploy something; tests of their own run them."""


@pytest.fixture
def example_folder(shop: Shop, tmp_path: Path) -> Path:
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local/sample.jpg").write_bytes(sample_jpeg())
    (tmp_path / ".local/api-key").write_text(shop.state.keys["staff"])
    (tmp_path / "big.jpg").write_bytes(sample_jpeg(640, 480))
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


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(("page", "language"), LEFT)
def test_the_examples_of_a_page_run_one_after_the_other_as_they_are_pasted(
    shop: Shop, product_id: int, example_folder: Path, page: str, language: str
) -> None:
    script = _pasted(page, language, shop, product_id)
    run = _run(script, language, shop, example_folder)
    assert run.returncode == 0, run.stderr
    assert '"status": 4' not in run.stdout
    names = {shop.settled(image).name for image in shop.gallery(product_id)}
    assert names == LEFT[page, language]


def test_the_readmes_lines_of_python_upload_an_image_and_print_the_picture_that_the_readme_shows(
    shop: Shop, product_id: int, example_folder: Path
) -> None:
    upload, show = _examples("README.md", "python", shop, product_id)
    assert _run(upload, "python", shop, example_folder).returncode == 0
    [image] = shop.gallery(product_id)
    shop.settled(image)
    printed = _run(show, "python", shop, example_folder)
    [shown] = re.findall(r"^```html\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert (_without_addresses(printed.stdout), printed.stderr) == (_without_addresses(shown), "")


@pytest.mark.parametrize("language", ["sh", "python"])
def test_the_storefronts_examples_run_as_they_are_pasted(
    shop: Shop, product_id: int, example_folder: Path, language: str
) -> None:
    image_id = shop.add(sample_jpeg(640, 480), product_id=product_id).id
    ref = shop.state.finished(product_id, image_id).ref
    assert shop.state.catalog.mark_rendered(ref, A_LOOK, NOW)
    script = _pasted("docs/storefront.md", language, shop, product_id)
    run = _run(script, language, shop, example_folder)
    assert run.returncode == 0, run.stderr
    assert '"status": 4' not in run.stdout
    rendition = f"/media/{A_LOOK.path(ref, A_LOOK.renditions[0])}"
    assert run.stdout.count(rendition) == {"sh": 2, "python": 1}[language]


def _run(script: str, language: str, shop: Shop, folder: Path) -> subprocess.CompletedProcess[str]:
    # The variables that the page's own lines do not set, as its first lines set them.
    environment = {**os.environ, "BASE_URL": shop.state.api_url, "API_KEY": shop.state.keys["staff"]}
    return subprocess.run(
        [*_RUN[language], script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _pasted(page: str, language: str, shop: Shop, product_id: int) -> str:
    """Return a page's examples in one language as one script, for the system and the product of the test."""
    return "\n".join(_examples(page, language, shop, product_id))


def _examples(page: str, language: str, shop: Shop, product_id: int) -> list[str]:
    text = (ROOT / page).read_text()
    assert "/products/123/" in text
    for printed, meant in (
        ("http://localhost:8000", shop.state.api_url),
        ("/products/123/", f"/products/{product_id}/"),
        ("https://cdn.example.com/", "http://cdn.test/picture/"),
        ("product_ids=123,124", f"product_ids={product_id},124"),
    ):
        text = text.replace(printed, meant)
    blocks = re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [block for block in blocks if not _STARTS.search(block)]


def _without_addresses(html: str) -> str:
    """Return a page's HTML with the end of each address alone: `…/320.avif`, `….jpg`."""
    return re.sub(r"(?:https?://|…/)[^\s\"]*?(/\d+\.avif|\.jpg)", r"…\1", html)


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
