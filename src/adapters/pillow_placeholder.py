"""What stands in a picture's place while it loads: a blur in 25 bytes, and its colour."""

from itertools import batched
from math import dist

from PIL import Image

from adapters.pillow_sizes import Sizes
from domain.rendition import Placeholder
from domain.thumbhash import thumbhash

_SIDE_PX = 32
_COLORS = 16
_NEAR_WHITE = 235
"""From here up in red, green and blue: the paper on which products are photographed."""
_ALIKE = 48
"""How far apart in the cube of red, green and blue shades of one colour lie."""
_HALF_OPAQUE = 128
_WHITE = (255, 255, 255)


def placeholder(sizes: Sizes) -> Placeholder:
    """Return what stands for a picture."""
    longest = max(sizes.largest)
    width, height = (max(1, round(side * _SIDE_PX / longest)) for side in sizes.largest)
    small = sizes.at((width, height)).convert("RGBA")
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
    palette = list(batched(few.getpalette() or [], 3, strict=True))
    counted = list(zip(palette, few.histogram(), strict=False))
    # Median cut gives what there is most of several entries, each with as many pixels as any other.
    alike = [[each for each in counted if dist(color, each[0]) < _ALIKE] for color in palette]
    most = max(alike, key=lambda near: sum(count for _, count in near))
    pixels = sum(count for _, count in most)
    return tuple(round(sum(color[channel] * count for color, count in most) / pixels) for channel in range(3))
