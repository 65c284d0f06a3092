"""The public copy of a picture: the same compressed pixels, in a container with nothing private in it."""

from domain.image import ImageFormat
from domain.public_copy import avif, gif, jpeg, png, webp

_COPY = {
    ImageFormat.JPEG: jpeg.copy,
    ImageFormat.PNG: png.copy,
    ImageFormat.WEBP: webp.copy,
    ImageFormat.GIF: gif.copy,
    ImageFormat.AVIF: avif.copy,
}


def public_copy(content: bytes, image_format: ImageFormat) -> bytes:
    """Return the copy; the very same object where there is nothing to clean.

    Raises:
        NotAPictureError: no browser shows it, or a part of it is missing; its failure says what to do.

    """
    return _COPY[image_format](content)
