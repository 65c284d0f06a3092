"""Which files are made of a picture, and how: sizes, formats, settings."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from math import sqrt
from typing import NamedTuple

from domain.image import ImageFormat

_VERSION = 2
"""Grows with the defaults, and with each change in how a file is made: its address lasts for a year."""
MAX_HEIGHT_PX = 16_383
"""Of a file: what WebP holds (RFC 9649, 2.4, 14 bits)."""
MAX_PIXELS = 2048 * 6144
"""Of a file: a page three times as high as wide at 2,048 px. Of what is higher, narrower ones are made."""
_ANIMATED_PX = 640
_MAX_ANIMATED_PIXELS = 40_000_000
"""Of all frames of an animation: what a function makes in a minute and holds in its memory."""
_WIDTHS = re.compile(r"[1-9][0-9]{1,3}(,[1-9][0-9]{1,3}){0,15}")
"""As the template has it. The files of a picture must fit into one event of 256 KB, and those of a hundred
pictures into one answer of 6 MB."""
_NARROW_PX = 320
"""Up to here a picture is shown at every size that its pixels have, so that it is worth more quality."""


class Still(NamedTuple):
    """One file to be made."""

    width_px: int
    height_px: int
    image_format: ImageFormat
    quality: int


class Recipe(NamedTuple):
    """Settings of all files of a picture; other settings are another recipe, at other addresses.

    `widths` are those of AVIF, `fallback_widths` those of what browsers without it show, in pixels, from
    narrow to wide. `avif_quality` is 0 to 100, `avif_speed` 0, slowest and smallest, to 10.
    """

    widths: tuple[int, ...] = (160, 320, 640, 1024, 1600, 2048)
    fallback_widths: tuple[int, ...] = (320, 640, 1600)
    avif_quality: int = 60
    avif_speed: int = 8

    @property
    def name(self) -> str:
        """Name of the folder in which its files lie: `r2` for the defaults, for others with their digest."""
        if self == Recipe():
            return f"r{_VERSION}"
        digest = hashlib.sha256(json.dumps(self).encode()).hexdigest()
        return f"r{_VERSION}-{digest[:8]}"

    @property
    def widest_px(self) -> int:
        """Width in pixels that no file has more than, one that moves among them."""
        return max(*self.widths, *self.fallback_widths, _ANIMATED_PX)

    def stills(self, width_px: int, height_px: int, *, has_alpha: bool) -> Iterator[Still]:
        """Yield what is made of a picture of this size, by format and then from narrow to wide."""
        fallback = ImageFormat.WEBP if has_alpha else ImageFormat.JPEG
        for image_format, widths in ((ImageFormat.AVIF, self.widths), (fallback, self.fallback_widths)):
            for width, height in ladder(width_px, height_px, widths):
                yield Still(width, height, image_format, self.quality(image_format, width))

    def base(self, width_px: int, height_px: int) -> tuple[int, int]:
        """Return the size of the largest file of a picture of this size."""
        return max(
            size
            for widths in (self.widths, self.fallback_widths)
            for size in ladder(width_px, height_px, widths)
        )

    def quality(self, image_format: ImageFormat, width_px: int) -> int:
        """Return the quality of a file of this format, 0 to 100 as its encoder counts."""
        usual, more = {
            ImageFormat.AVIF: (self.avif_quality, 10),
            ImageFormat.JPEG: (78, 7),
            ImageFormat.WEBP: (80, 5),
        }[image_format]
        return min(100, usual + more if width_px <= _NARROW_PX else usual)


def ladder(width_px: int, height_px: int, widths: Sequence[int]) -> list[tuple[int, int]]:
    """Return the sizes at which a picture is shown, from narrow to wide, its own at most.

    Its own width stands among them where that is below the last step, and more than a tenth above the one
    before. What would be too high or too large for a file is left out; where nothing remains, there is one
    of the largest size that a file may have.
    """
    steps = [width for width in widths if width <= width_px]
    if width_px < widths[-1] and (not steps or width_px * 10 > steps[-1] * 11):
        steps.append(width_px)
    sizes = [(width, _height(width, width_px, height_px)) for width in steps]
    fitting = [size for size in sizes if _fits(*size)]
    return fitting or [_scaled(width_px, height_px, widths[-1], MAX_PIXELS)]


def animation(width_px: int, height_px: int, frames: int) -> tuple[int, int]:
    """Return the size at which a picture that moves is shown moving."""
    return _scaled(width_px, height_px, _ANIMATED_PX, _MAX_ANIMATED_PIXELS / frames)


def _height(width: int, width_px: int, height_px: int) -> int:
    return max(1, round(height_px * width / width_px))


def _fits(width: int, height: int) -> bool:
    return height <= MAX_HEIGHT_PX and width * height <= MAX_PIXELS


def _scaled(width_px: int, height_px: int, max_width: int, max_pixels: float) -> tuple[int, int]:
    """Return the largest size of these proportions within the limits, its own at most."""
    scale = min(1, max_width / width_px, MAX_HEIGHT_PX / height_px, sqrt(max_pixels / (width_px * height_px)))
    return max(1, int(width_px * scale)), max(1, int(height_px * scale))


def read_widths(text: str) -> tuple[int, ...]:
    """Read widths in pixels, separated by commas; they are put in order, and each is kept once.

    Raises:
        ValueError: they are none, or too many; the message says how to write them.

    """
    if _WIDTHS.fullmatch(text) is None:
        raise ValueError(
            "Write RenditionWidths and FallbackWidths as at most 16 widths of 10 to 9999 pixels, separated "
            f"by commas without blanks, such as 320,640,1280; not: {text!r}."
        )
    return tuple(sorted({int(width) for width in text.split(",")}))
