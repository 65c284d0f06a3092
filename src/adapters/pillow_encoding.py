"""Writes pixels as files that hold nothing but them."""

import io
from collections.abc import Sequence
from typing import Any

from PIL import Image

from domain.image import ImageFormat
from domain.recipe import Recipe

_OPTIONS: dict[ImageFormat, dict[str, Any]] = {
    # Colours as sharp as the rest: at one quality to the eye, fewer bytes than with half of them
    # (docs/decisions.md). One thread, since a child process may start no second one; so in one tile, as
    # each further one costs bytes. Without a search for the cheapest coefficients: at one quality to the
    # eye it costs a tenth of the time, and saves nothing (docs/performance.md).
    ImageFormat.AVIF: {
        "subsampling": "4:4:4",
        "max_threads": 1,
        "autotiling": False,
        "advanced": {"disable-trellis-quant": "1"},
    },
    ImageFormat.JPEG: {"subsampling": "4:4:4", "progressive": True, "optimize": True},
    # Of what only old browsers load: 7 % more bytes for two fifths less time than the usual method 4.
    ImageFormat.WEBP: {"method": 2},
}
_DATED = (b"mvhd", b"tkhd", b"mdhd")
_WEBP_FLAGS_AT, _WEBP_HAS_ALPHA = 20, 0x10
"""Of an animation, which always has them (RFC 9649, 2.7)."""


def encoded(pixels: Image.Image, image_format: ImageFormat, recipe: Recipe) -> bytes:
    """Return RGB or RGBA pixels as a file."""
    return _saved(pixels, image_format, recipe)


def encoded_moving(
    pictures: Sequence[Image.Image],
    durations_ms: Sequence[int],
    plays: int,
    image_format: ImageFormat,
    recipe: Recipe,
) -> bytes:
    """Return pixels of one size and mode as an animation; to play 0 times is to play for ever."""
    first, *others = pictures
    moving = {"save_all": True, "append_images": others, "duration": list(durations_ms), "loop": plays}
    content = bytearray(_saved(first, image_format, recipe, **moving))
    if image_format is ImageFormat.AVIF:
        _undate(content)
    elif first.mode == "RGBA":
        # libwebp says so only if a frame is stored with alpha, not if one gives way to nothing.
        content[_WEBP_FLAGS_AT] |= _WEBP_HAS_ALPHA
    return bytes(content)


def _saved(pixels: Image.Image, image_format: ImageFormat, recipe: Recipe, **more: object) -> bytes:
    options = dict(_OPTIONS[image_format])
    if image_format is ImageFormat.AVIF:
        options["speed"] = recipe.avif_speed
    file = io.BytesIO()
    quality = recipe.quality(image_format, pixels.width)
    pixels.save(file, image_format.name, quality=quality, **options, **more)
    return file.getvalue()


def _undate(content: bytearray) -> None:
    """Blank the moments at which an AVIF was made, so that the same pictures make the same file."""
    for name in _DATED:
        at = content.find(name, 0, content.find(b"mdat"))
        # Creation and modification in 8 bytes each, in version 0 in 4 (ISO/IEC 14496-12, 8.2.2).
        dates = 16 if content[at + 4] else 8
        content[at + 8 : at + 8 + dates] = bytes(dates)
