"""Opens pictures with Pillow: five plugins, and the rules that everybody who opens a picture shares."""

import io
import logging
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import override

# Importing a plugin registers it; Pillow's own `init()` would load all of its fifty.
from PIL import (
    AvifImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,  # noqa: F401 - registers JPEG
    MpoImagePlugin,  # noqa: F401 - what phones make of JPEG; JPEG's plugin opens it
    PngImagePlugin,
    WebPImagePlugin,  # noqa: F401 - registers WEBP
)

from domain.image import ImageFormat
from domain.public_copy import MAX_PROFILE_BYTES

# Pillow would do it at the first picture, again in each child. It loads two more plugins, which are not used.
Image.preinit()
# Pillow's own limit is a quarter of it. Nothing else is left to unpack in a public copy.
PngImagePlugin.MAX_TEXT_CHUNK = MAX_PROFILE_BYTES
# One thread of work for one picture: the process that decodes may start no second one.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1

# At level DEBUG Pillow logs chunks and EXIF values, where the picture was taken among them.
logging.getLogger("PIL").setLevel(logging.INFO)

MAX_FRAMES = 500
"""Frames of an animation that are decoded, so that work stays bounded."""
SIDEWAYS = frozenset({5, 6, 7, 8})
"""Orientations that swap width and height (Exif 2.32, 4.6.4, tag 0x0112)."""
_TO_BACKGROUND = 2
"""How a frame of a GIF goes (GIF89a, 23.c.iv)."""
BROKEN = (
    *(ArithmeticError, EOFError, LookupError, OSError, RuntimeError, SyntaxError, TypeError, ValueError),
    struct.error,
)
"""What Pillow raises on damaged files (measured: 225,000 mutations of its five formats)."""
TOO_LARGE = (Image.DecompressionBombWarning, Image.DecompressionBombError)


def limit_pixels(max_pixels: int) -> None:
    """Let Pillow open no larger picture in this process."""
    # Above it Pillow warns, above twice the value it raises.
    Image.MAX_IMAGE_PIXELS = max_pixels


class _GifInColor(GifImagePlugin.GifImageFile):
    """A GIF as browsers show it."""

    @override
    def _is_palette_needed(self, p: bytes) -> bool:
        # Pillow takes a palette of all grays for none, and the colours of later frames' palettes for grays.
        return True

    @override
    def load_end(self) -> None:
        super().load_end()
        # Where a frame gives way to the background, Pillow fills in a colour if none is transparent.
        if self.disposal_method == _TO_BACKGROUND and self.dispose and "transparency" not in self.info:
            self.im = self.im.convert("RGBA")
            self._mode = "RGBA"
            self.dispose = Image.new("RGBA", self.dispose.size).im


_GIF_IN_COLOR = "GIF IN COLOR"
Image.register_open(_GIF_IN_COLOR, _GifInColor)


@contextmanager
def opened(
    content: bytes, image_format: ImageFormat, *, is_to_be_shown: bool = False
) -> Iterator[ImageFile.ImageFile]:
    """Open a picture of this format, and no other; none of it is decoded yet.

    With `is_to_be_shown` a GIF has colours as browsers show them; without it, Pillow's own mode.

    Raises one of `TOO_LARGE` for a picture above the limit, and one of `BROKEN` for what is no picture.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        name = _GIF_IN_COLOR if is_to_be_shown and image_format is ImageFormat.GIF else image_format.name
        with Image.open(io.BytesIO(content), formats=(name,)) as picture:
            yield picture


def orientation(picture: Image.Image) -> int:
    """Read the EXIF orientation, which a public copy has as one number or not at all; 1 is upright."""
    exif = Image.Exif()
    exif.load(picture.info.get("exif", b""))
    return int(exif.get(ExifTags.Base.Orientation, 1))


def upright_size(picture: Image.Image) -> tuple[int, int]:
    """Return width and height in pixels as a person sees them."""
    width, height = picture.size
    return (height, width) if orientation(picture) in SIDEWAYS else (width, height)


def frame_count(picture: Image.Image) -> int:
    """Return of how many frames it is; the further ones of an MPO are previews and gain maps, no frames."""
    return 1 if picture.format == "MPO" else getattr(picture, "n_frames", 1)
