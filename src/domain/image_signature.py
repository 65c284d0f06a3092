"""Tells a picture's format by its first bytes, never by its name or declared type."""

from typing import TYPE_CHECKING

from domain.errors import UnsupportedFormatError
from domain.image import ImageFormat

if TYPE_CHECKING:
    from domain.foreign_formats import ForeignFormat

_MAX_BRANDS_BYTES = 256
"""How far brands are looked for; encoders write half a dozen, 40 bytes."""
_MAX_PROLOG_BYTES = 8_192
"""How far a drawing's root element is looked for; Illustrator writes 2 KB before it."""
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
)


def detect_format(content: bytes) -> ImageFormat:
    """Return the format whose signature `content` begins with.

    Signatures: JPEG (ITU T.81, B.1.1.3), PNG (W3C PNG, 5.2), GIF (GIF89a, 17), WebP (RFC 9649, 2.4),
    AVIF (AV1 Image File Format 1.1, 6: `avif` or `avis` among the brands of the ISO `ftyp` box).

    Raises:
        UnsupportedFormatError: no supported format begins like this; another one that people send is named.

    """
    if content.startswith(b"\xff\xd8\xff"):
        return ImageFormat.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return ImageFormat.PNG
    if content.startswith((b"GIF87a", b"GIF89a")):
        return ImageFormat.GIF
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return ImageFormat.WEBP
    if _has_brand(content, _AVIF_BRANDS):
        return ImageFormat.AVIF
    foreign = _detect_foreign(content)
    if foreign:
        raise UnsupportedFormatError(foreign.advice)
    supported = ", ".join(image_format.name for image_format in ImageFormat)
    raise UnsupportedFormatError(
        f"The file is not an image in a supported format ({supported}). Export it as one of these."
    )


def _detect_foreign(content: bytes) -> "ForeignFormat | None":
    """Tell which of the foreign formats it is.

    Signatures: HEIC (ISO/IEC 23008-12, annex B), TIFF (TIFF 6.0, 2, and BigTIFF), BMP (Windows'
    BITMAPFILEHEADER), JPEG XL (ISO/IEC 18181-2, 4 and 9), PDF (ISO 32000-1, 7.5.2).
    """
    # Only where a file is refused.
    from domain.foreign_formats import BMP, HEIC, JPEG_XL, PDF, SVG, TIFF  # noqa: PLC0415

    if _has_brand(content, _HEIF_BRANDS):
        return HEIC
    if content.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return TIFF
    if content.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")):
        return JPEG_XL
    if content.startswith(b"BM"):
        return BMP
    text = _beginning_as_text(content)
    if text.startswith("%PDF"):
        return PDF
    return SVG if _is_svg(text) else None


def _has_brand(content: bytes, sought: frozenset[bytes]) -> bool:
    """Look for a brand in an ISO base media `ftyp` box: major brand, version, further brands."""
    if content[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(content[:4]), _MAX_BRANDS_BYTES)
    brands = {content[8:12], *(content[at : at + 4] for at in range(16, end - 3, 4))}
    return not sought.isdisjoint(brands)


def _beginning_as_text(content: bytes) -> str:
    beginning = content[:_MAX_PROLOG_BYTES]
    # A byte order mark, if there is one, is no character of the text.
    is_utf_16 = beginning.startswith((b"\xff\xfe", b"\xfe\xff"))
    return beginning.decode("utf-16" if is_utf_16 else "utf-8-sig", "replace").lstrip()


def _is_svg(text: str) -> bool:
    """Look for the root element, behind declarations, instructions and comments (XML 1.0, 2.8)."""
    while text.startswith(("<?", "<!")):
        _, _, text = text.partition("-->" if text.startswith("<!--") else ">")
        # What ends a document type with declarations of its own is left then.
        text = text.lstrip(" \t\r\n]>")
    return text.startswith(("<svg", "<SVG"))
