"""Opens public copies with Pillow: five plugins, every byte decoded, at bounded cost."""

import io
import logging
import struct
import warnings

# Importing a plugin registers it; Pillow's own `init()` would load all of its fifty.
from PIL import (
    AvifImagePlugin,
    ExifTags,
    GifImagePlugin,  # noqa: F401 - registers GIF
    Image,
    JpegImagePlugin,  # noqa: F401 - registers JPEG
    MpoImagePlugin,  # noqa: F401 - what phones make of JPEG; JPEG's plugin opens it
    PngImagePlugin,
    WebPImagePlugin,  # noqa: F401 - registers WEBP
)

from adapters.picture_faults import claims_more_pixels, why_it_does_not_decode
from domain.errors import NotAPictureError
from domain.failure import Failure
from domain.image import ImageFacts, ImageFormat
from domain.public_copy.avif import shown_size
from domain.public_copy.png_ancillary import MAX_PROFILE_BYTES

# Pillow would do it at the first picture, in each child anew: it loads two plugins more, which are not asked.
Image.preinit()
# Pillow's own limit is a quarter of it. Nothing else is left to unpack in a public copy.
PngImagePlugin.MAX_TEXT_CHUNK = MAX_PROFILE_BYTES
# One thread of work for one picture: the process that decodes may start no second one.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1

# At level DEBUG Pillow logs chunks and EXIF values, where the picture was taken among them.
logging.getLogger("PIL").setLevel(logging.INFO)

_MAX_FRAMES = 500
"""Frames of an animation that are decoded; the rest is trusted, so that work stays bounded."""
_SIDEWAYS = frozenset({5, 6, 7, 8})
"""Orientations that swap width and height (Exif 2.32, 4.6.4, tag 0x0112)."""
_DRAFT_SCALE = 8
"""libjpeg can decode at 1/8: it still reads the whole stream, at a fraction of time and memory."""
_BROKEN = (
    *(ArithmeticError, EOFError, LookupError, OSError, RuntimeError, SyntaxError, TypeError, ValueError),
    struct.error,
)
"""What Pillow raises on damaged files (measured: 225,000 mutations of its five formats)."""


class PillowImageInspector:
    """Decodes pictures of at most `max_pixels`; a second inspector in a process shares its limit."""

    def __init__(self, max_pixels: int) -> None:
        self._max_pixels = max_pixels
        # Pillow reads its limit from here: above it warns, above twice the value it raises.
        Image.MAX_IMAGE_PIXELS = max_pixels

    def inspect(self, content: bytes, image_format: ImageFormat) -> ImageFacts:
        """Decode all frames (at most 500, and `max_pixels` in sum) and return the facts of the first."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            try:
                with Image.open(io.BytesIO(content), formats=(image_format.name,)) as picture:
                    facts = self._decode(picture)
            except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
                raise NotAPictureError(self._too_large()) from error
            except _BROKEN as error:
                if claims_more_pixels(content, image_format, self._max_pixels):
                    raise NotAPictureError(self._too_large()) from error
                raise NotAPictureError(why_it_does_not_decode(image_format, str(error))) from error
        shown = shown_size(content) if image_format is ImageFormat.AVIF else None
        return ImageFacts(*shown, facts.mode) if shown else facts

    def _too_large(self) -> Failure:
        limit = f"{self._max_pixels / 1_000_000:g}"
        return Failure("too_many_pixels", f"The picture has more than {limit} megapixels. Scale it down.")

    def _decode(self, picture: Image.Image) -> ImageFacts:
        (width, height), mode = picture.size, picture.mode
        picture.draft(None, (max(1, width // _DRAFT_SCALE), max(1, height // _DRAFT_SCALE)))
        picture.load()
        if _orientation(picture) in _SIDEWAYS:
            width, height = height, width
        # The further frames of an MPO are previews and gain maps, not the picture.
        if picture.format != "MPO":
            self._decode_further_frames(picture, self._max_pixels - width * height)
        return ImageFacts(width, height, mode)

    @staticmethod
    def _decode_further_frames(picture: Image.Image, affordable_pixels: int) -> None:
        for index in range(1, min(_MAX_FRAMES, getattr(picture, "n_frames", 1))):
            # A frame of a GIF may be larger than those before it.
            picture.seek(index)
            affordable_pixels -= picture.width * picture.height
            if affordable_pixels < 0:
                return
            picture.load()


def _orientation(picture: Image.Image) -> int:
    """Read the EXIF orientation; 1, upright, if there is none or it is not readable."""
    exif = Image.Exif()
    try:
        exif.load(picture.info.get("exif", b""))
        return int(exif.get(ExifTags.Base.Orientation, 1))
    except _BROKEN:
        return 1
