"""What is made of a picture, as a browser shows it: another decoder than the one that wrote it."""

import base64
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page

from adapters.pillow_image_renderer import PillowImageRenderer
from domain.image import ImageFormat
from domain.recipe import Recipe
from tests.builders import exif
from tests.colored_pictures import OF_OUR_OWN, OF_THE_DESIGN, Colored

_PIXELS = """
async ([content, type, places]) => {
    const bytes = Uint8Array.from(atob(content), character => character.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], {type}));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    canvas.drawImage(bitmap, 0, 0);
    const colors = places.map(([x, y]) => [...canvas.getImageData(
        Math.floor(x * bitmap.width), Math.floor(y * bitmap.height), 1, 1).data]);
    return [[bitmap.width, bitmap.height], colors];
}
"""
_ALPHA_200 = Path(__file__).parents[1] / "data/alpha_200_by_sharp.avif"
"""64 x 48 pixels of (90, 90, 90, 200), written by sharp 0.35.5."""
_CENTRE, _CORNERS = [(0.5, 0.5)], [(0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9)]


def shown(
    page: Page, content: bytes, image_format: ImageFormat, places: list[tuple[float, float]]
) -> tuple[list[int], list[list[int]]]:
    """Return width and height that the browser shows, and the colours at some places."""
    text = base64.b64encode(content).decode()
    size, colors = page.evaluate(_PIXELS, [text, image_format.media_type, places])
    return size, colors


def stills(content: bytes, image_format: ImageFormat) -> dict[ImageFormat, bytes]:
    """Return what is made of a picture, of each format the widest."""
    rendered = PillowImageRenderer(10_000_000).render(content, image_format, Recipe())
    return {rendition.image_format: made for rendition, made in rendered.files}


@pytest.fixture
def read_alpha(page: Page) -> Callable[[ImageFormat, int], int]:
    """Return what the browser takes an alpha value for.

    Chromium 156 of Debian reads that of every AVIF as if 16 to 235 were all that there is, whoever wrote it.
    """
    _, [color] = shown(page, _ALPHA_200.read_bytes(), ImageFormat.AVIF, _CENTRE)
    is_misread = color[3] == 214

    def read(image_format: ImageFormat, alpha: int) -> int:
        if not is_misread or image_format is not ImageFormat.AVIF:
            return alpha
        return max(0, min(255, round((alpha - 16) * 255 / 219)))

    return read


@pytest.mark.parametrize("case", [*OF_THE_DESIGN, *OF_OUR_OWN], ids=lambda case: case.name)
def test_a_browser_shows_the_colour_that_was_meant(
    page: Page, case: Colored, read_alpha: Callable[[ImageFormat, int], int]
) -> None:
    made = stills(case.content, case.image_format)
    *color, alpha = case.expected
    assert set(made) == {ImageFormat.AVIF, ImageFormat.JPEG if alpha == 255 else ImageFormat.WEBP}
    for image_format, content in made.items():
        _, [[*seen, seen_alpha]] = shown(page, content, image_format, _CENTRE)
        assert seen_alpha == pytest.approx(read_alpha(image_format, alpha), abs=2), image_format
        # A canvas keeps colours multiplied by alpha, so that there are as many steps.
        on_black = [value * seen_alpha / 255 for value in seen]
        assert on_black == pytest.approx([value * seen_alpha / 255 for value in color], abs=2), image_format


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", [ImageFormat.JPEG, ImageFormat.PNG, ImageFormat.AVIF])
def test_a_browser_shows_it_upright_as_it_shows_the_picture_itself(
    page: Page, orientation: int, image_format: ImageFormat
) -> None:
    # WEBP's orientation is ignored by browsers, and is not in the public copy.
    corners = Image.new("RGB", (2, 2))
    corners.putdata([(200, 30, 30), (30, 180, 30), (30, 30, 200), (200, 200, 30)])
    content = io.BytesIO()
    large = corners.resize((80, 48), Image.Resampling.NEAREST)
    large.save(content, image_format.name, quality=100, exif=exif(orientation))
    expected_size, expected = shown(page, content.getvalue(), image_format, _CORNERS)
    assert expected_size == ([48, 80] if orientation > 4 else [80, 48])
    for made_format, made in stills(content.getvalue(), image_format).items():
        size, colors = shown(page, made, made_format, _CORNERS)
        assert size == expected_size
        for color, meant in zip(colors, expected, strict=True):
            assert color == pytest.approx(meant, abs=4)
