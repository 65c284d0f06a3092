"""Tells a picture's format by its first bytes, never by its name or declared type."""

from domain.errors import UnsupportedFormatError
from domain.image import ImageFormat

_MAX_BRANDS_BYTES = 256
"""How far brands are looked for; encoders write half a dozen, 40 bytes."""


def detect_format(content: bytes) -> ImageFormat:
    """Return the format whose signature `content` begins with.

    Signatures: JPEG (ITU T.81, B.1.1.3), PNG (W3C PNG, 5.2), GIF (GIF89a, 17), WebP (RFC 9649, 2.4),
    AVIF (AV1 Image File Format 1.1, 6: `avif` or `avis` among the brands of the ISO `ftyp` box).

    Raises:
        UnsupportedFormatError: no supported format begins like this.

    """
    if content.startswith(b"\xff\xd8\xff"):
        return ImageFormat.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return ImageFormat.PNG
    if content.startswith((b"GIF87a", b"GIF89a")):
        return ImageFormat.GIF
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return ImageFormat.WEBP
    if content[4:8] == b"ftyp" and _has_avif_brand(content):
        return ImageFormat.AVIF
    supported = ", ".join(image_format.name for image_format in ImageFormat)
    raise UnsupportedFormatError(f"The file is not a picture in a supported format ({supported}).")


def _has_avif_brand(content: bytes) -> bool:
    """Look for an AVIF brand in an ISO base media `ftyp` box: major brand, version, further brands."""
    end = min(int.from_bytes(content[:4]), _MAX_BRANDS_BYTES)
    brands = [content[8:12], *(content[at : at + 4] for at in range(16, end - 3, 4))]
    return any(brand in (b"avif", b"avis") for brand in brands)
