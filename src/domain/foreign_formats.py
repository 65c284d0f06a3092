"""Formats that people send and this service does not take: the name of each, and what to do instead."""

from typing import NamedTuple


class ForeignFormat(NamedTuple):
    """A format, how files of it are named and declared, and what its sender is told."""

    advice: str
    extensions: tuple[str, ...]
    media_types: tuple[str, ...]


HEIC = ForeignFormat(
    "HEIC images are not accepted, as few browsers show them: export it as JPEG, "
    "or set the iPhone's camera to Most Compatible.",
    ("heic", "heics", "heif", "heifs", "hif"),
    ("image/heic", "image/heic-sequence", "image/heif", "image/heif-sequence"),
)
TIFF = ForeignFormat(
    "TIFF images are not accepted, as few browsers show them: export it as JPEG, or as PNG to lose nothing.",
    ("tif", "tiff"),
    ("image/tiff", "image/tif", "image/x-tif", "image/x-tiff"),
)
BMP = ForeignFormat(
    "BMP images are not accepted, as they are needlessly large: save it as PNG, which loses nothing.",
    ("bmp", "dib"),
    ("image/bmp", "image/x-bmp", "image/x-ms-bmp", "image/x-windows-bmp"),
)
JPEG_XL = ForeignFormat(
    "JPEG XL images are not accepted, as few browsers show them: export it as JPEG, PNG or AVIF.",
    ("jxl",),
    ("image/jxl", "image/x-jxl"),
)
PDF = ForeignFormat(
    "PDF documents are not accepted, as they are no images: export the page as PNG or JPEG.",
    ("pdf",),
    ("application/pdf", "application/x-pdf"),
)
SVG = ForeignFormat(
    "SVG drawings are not accepted, as they can carry scripts: export it as PNG.",
    ("svg", "svgz"),
    ("image/svg+xml", "image/svg"),
)
FOREIGN_FORMATS = (HEIC, TIFF, BMP, JPEG_XL, PDF, SVG)
