"""The public copy of a picture: the same compressed pixels, in a container with nothing private in it."""

from importlib import import_module
from types import ModuleType

# Nearly all pictures are JPEGs. The other formats would take 2 % of each cold start (callgrind); the first
# that comes takes some milliseconds more.
import domain.public_copy.jpeg  # noqa: F401 - loaded before the first picture comes
from domain.image import ImageFormat

MAX_PROFILE_BYTES = 4_000_000
"""The colour profile of a PNG, unpacked. Firefox gives a chunk as much (nsPNGDecoder.cpp,
png_set_chunk_malloc_max)."""


def public_copy(content: bytes, image_format: ImageFormat) -> bytes:
    """Return the copy; the very same object where there is nothing to clean.

    Raises:
        NotAPictureError: no browser shows it, or a part of it is missing; its failure says what to do.

    """
    copy: bytes = load(image_format).copy(content)
    return copy


def load(image_format: ImageFormat) -> ModuleType:
    """Return what reads pictures of a format; a child that is shut in loads nothing any more."""
    return import_module(f"domain.public_copy.{image_format.name.lower()}")
