"""Where the files that are made of a picture lie."""

import pytest

from domain.image import ImageFormat, ImageRef
from domain.rendition import Look, Placeholder, Rendition

REF = ImageRef(7, 42, "0123456789abcdef")


@pytest.mark.parametrize(
    ("rendition", "name"),
    [
        (Rendition(640, 480, ImageFormat.AVIF, 1), "640.avif"),
        (Rendition(640, 480, ImageFormat.JPEG, 1), "640.jpg"),
        (Rendition(640, 480, ImageFormat.AVIF, 1, is_animated=True), "640-animated.avif"),
    ],
)
def test_each_file_lies_in_the_folder_of_its_recipe_beside_the_picture(
    rendition: Rendition, name: str
) -> None:
    look = Look("r1", (rendition,), Placeholder(b"\0", "#ffffff"), has_alpha=False, frames=1)
    assert look.path(REF, rendition) == f"7/42-0123456789abcdef/r1/{name}"
