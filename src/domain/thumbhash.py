"""ThumbHash: a picture in 25 bytes at most, for what is shown while it loads.

The algorithm is Evan Wallace's (https://evanw.github.io/thumbhash, MIT licence), and the bytes are those of
its JavaScript reference. Only the bits of waves that have no strength, as in a picture of one colour, hang on
the last digit of a sum, in which engines differ too; they are not seen.
"""

from collections.abc import Iterator, Sequence
from itertools import batched
from math import cos, floor, pi, sumprod
from typing import NamedTuple

MAX_SIDE_PX = 100
"""The reference takes no larger picture; one of 32 px looks no worse."""


class _Channel(NamedTuple):
    """What a channel is made of: its mean, the further cosine terms as 0 to 1, and how strong these are."""

    mean: float
    terms: list[float]
    scale: float


def thumbhash(width_px: int, height_px: int, rgba: bytes) -> bytes:
    """Return the hash of a picture of at most `MAX_SIDE_PX` a side, row by row, alpha not multiplied in."""
    pixels = list(batched(rgba, 4, strict=True))
    has_alpha = any(pixel[3] < 255 for pixel in pixels)  # noqa: PLR2004 - opaque
    is_landscape = width_px > height_px
    terms, longest = (5 if has_alpha else 7), max(width_px, height_px)
    across = max(1, _round(terms * width_px / longest))
    down = max(1, _round(terms * height_px / longest))
    sizes = [(max(3, across), max(3, down)), (3, 3), (3, 3), *([(5, 5)] if has_alpha else [])]
    light, yellow, red, *opacity = (
        _encode(values, width_px, height_px, *size)
        for values, size in zip(_separated(pixels), sizes, strict=False)
    )
    head = [
        (_round(63 * light.mean), 6),
        (_round(31.5 + 31.5 * yellow.mean), 6),
        (_round(31.5 + 31.5 * red.mean), 6),
        (_round(31 * light.scale), 5),
        (int(has_alpha), 1),
        (down if is_landscape else across, 3),
        (_round(63 * yellow.scale), 6),
        (_round(63 * red.scale), 6),
        (int(is_landscape), 1),
    ]
    for channel in opacity:
        head += [(_round(15 * channel.mean), 4), (_round(15 * channel.scale), 4)]
    varying = [(_round(15 * term), 4) for each in (light, yellow, red, *opacity) for term in each.terms]
    return _packed(head + varying)


def _separated(pixels: Sequence[tuple[int, ...]]) -> tuple[list[float], ...]:
    """Return lightness, yellow against blue, red against green, and opacity, of the picture on its mean."""
    total = [0.0, 0.0, 0.0]
    opacity = 0.0
    for *color, alpha in pixels:
        opaque = alpha / 255
        total = [have + opaque / 255 * value for have, value in zip(total, color, strict=True)]
        opacity += opaque
    mean = [value / opacity for value in total] if opacity else total
    light, yellow, red = list[float](), list[float](), list[float]()
    for *color, alpha in pixels:
        opaque = alpha / 255
        r, g, b = (own * (1 - opaque) + opaque / 255 * value for own, value in zip(mean, color, strict=True))
        light.append((r + g + b) / 3)
        yellow.append((r + g) / 2 - b)
        red.append(r - g)
    return light, yellow, red, [alpha / 255 for *_, alpha in pixels]


def _encode(values: list[float], width: int, height: int, across: int, down: int) -> _Channel:
    """Return the terms below the diagonal of a cosine transform of `across` times `down`."""
    rows = list(batched(values, width, strict=True))
    columns = [[cos(pi / width * x * (at + 0.5)) for at in range(width)] for x in range(across)]
    mean, *terms = _terms(rows, columns, width * height, down)
    scale = max(map(abs, terms))
    return _Channel(mean, [0.5 + 0.5 / scale * term for term in terms] if scale else terms, scale)


def _terms(
    rows: Sequence[Sequence[float]], columns: Sequence[Sequence[float]], pixels: int, down: int
) -> Iterator[float]:
    across, height = len(columns), len(rows)
    for y in range(down):
        waves = [cos(pi / height * y * (at + 0.5)) for at in range(height)]
        for x in range(across):
            if x * down >= across * (down - y):
                break
            yield sumprod([sumprod(row, columns[x]) for row in rows], waves) / pixels


def _round(value: float) -> int:
    """Round as JavaScript does: a half up."""
    return floor(value + 0.5)


def _packed(values: Sequence[tuple[int, int]]) -> bytes:
    """Pack numbers of so many bits each, the first of them lowest."""
    whole = shift = 0
    for value, bits in values:
        whole |= value << shift
        shift += bits
    return whole.to_bytes((shift + 7) // 8, "little")
