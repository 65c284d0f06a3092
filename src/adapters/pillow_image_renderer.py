"""Makes the files that a storefront shows of a picture, with Pillow."""

from collections.abc import Iterator
from itertools import groupby

from adapters.pillow_animation import moving
from adapters.pillow_colors import usual_cmyk
from adapters.pillow_encoding import encoded
from adapters.pillow_frames import Frames
from adapters.pillow_pictures import BROKEN, TOO_LARGE, limit_pixels, opened
from adapters.pillow_placeholder import placeholder
from adapters.pillow_sizes import Sizes
from domain.errors import NotAPictureError, NotRenderableError
from domain.image import ImageFormat
from domain.ports import Rendered
from domain.recipe import Recipe, Still
from domain.rendition import Rendition

_OPAQUE = (255, 255)


class PillowImageRenderer:
    """Renders pictures of at most `max_pixels`; the limit holds for the whole process."""

    def __init__(self, max_pixels: int) -> None:
        self._max_pixels = max_pixels
        limit_pixels(max_pixels)
        self._cmyk = usual_cmyk()

    def render(self, content: bytes, image_format: ImageFormat, recipe: Recipe) -> Rendered:
        """Decode the picture once to the largest size that is wanted, and make all stills from that."""
        try:
            with opened(content, image_format, is_to_be_shown=True) as picture:
                return self._render(Frames(picture, content, self._cmyk), recipe)
        except (*TOO_LARGE, *BROKEN, NotAPictureError) as error:
            # What Pillow says may hold something of the picture.
            raise NotRenderableError(f"decoding it ended with {type(error).__name__}") from error

    def _render(self, frames: Frames, recipe: Recipe) -> Rendered:
        width, height = frames.size
        base = frames.frame(0, recipe.base(width, height))
        has_alpha = base.mode == "RGBA" and base.getchannel("A").getextrema() != _OPAQUE
        if base.mode == "RGBA" and not has_alpha:
            base = base.convert("RGB")
        sizes = Sizes(base)
        stills = list(recipe.stills(width, height, has_alpha=has_alpha))
        files = dict(_made(sizes, stills, recipe))
        made = [
            (Rendition(still.width_px, still.height_px, still.image_format, len(files[still])), files[still])
            for still in stills
        ]
        return Rendered(
            (*made, *moving(frames, recipe, self._max_pixels)), placeholder(sizes), has_alpha, frames.count
        )


def _made(sizes: Sizes, stills: list[Still], recipe: Recipe) -> Iterator[tuple[Still, bytes]]:
    """Yield each still, from wide to narrow, scaled once for all formats of a size."""
    for size, of_size in groupby(sorted(stills, key=_size, reverse=True), key=_size):
        pixels = sizes.at(size)
        for still in of_size:
            yield still, encoded(pixels, still.image_format, recipe)


def _size(still: Still) -> tuple[int, int]:
    return still.width_px, still.height_px
