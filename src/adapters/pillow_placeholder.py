"""What stands in a picture's place while it loads: a blur in 25 bytes, and its colour."""

from itertools import batched

from PIL import Image

from adapters.pillow_frames import scaled
from domain.rendition import Placeholder
from domain.thumbhash import thumbhash

_SIDE_PX = 32
_COLORS = 16
_NEAR_WHITE = 235
"""From here up in red, green and blue: the paper on which products are photographed."""
_HALF_OPAQUE = 128
_WHITE = (255, 255, 255)


def placeholder(pixels: Image.Image) -> Placeholder:
    """Return what stands for RGB or RGBA pixels."""
    longest = max(pixels.size)
    width, height = (max(1, round(side * _SIDE_PX / longest)) for side in pixels.size)
    small = scaled(pixels, (width, height)).convert("RGBA")
    rgba = small.tobytes()
    return Placeholder(thumbhash(width, height, rgba), "#{:02x}{:02x}{:02x}".format(*_color(rgba)))


def _color(rgba: bytes) -> tuple[int, ...]:
    """Return the colour of most of what is there, and is not the near-white around it."""
    seen = [color for *color, alpha in batched(rgba, 4, strict=True) if alpha >= _HALF_OPAQUE]
    colored = [color for color in seen if min(color) < _NEAR_WHITE] or seen
    if not colored:
        return _WHITE
    line = Image.frombytes("RGB", (len(colored), 1), bytes(value for color in colored for value in color))
    few = line.quantize(_COLORS, Image.Quantize.MEDIANCUT)
    counts, palette = few.histogram(), few.getpalette() or []
    most = counts.index(max(counts))
    return tuple(palette[3 * most : 3 * most + 3])
