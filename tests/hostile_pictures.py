"""Pictures that are made to hurt whoever opens them: small files that want much time, memory or trust."""

import io
import struct
import zipfile
import zlib
from concurrent.futures import ProcessPoolExecutor
from functools import cache

from PIL import Image

from domain.image import ImageFormat
from tests.builders import jpeg, picture

GIGABYTE = 1_000_000_000
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GIF_HEADER_BYTES = 13
_GIF_IMAGE = b"\x2c"
_GIF_TRAILER = b";"
_JPEG_SCAN = b"\xff\xda"
_JPEG_END = b"\xff\xd9"


# --- PNG -----------------------------------------------------------------------------------------------


def png(width_px: int, height_px: int, *chunks: bytes) -> bytes:
    """Return a black grey-scale PNG with `chunks` before its pixels."""
    pixels = png_chunk(b"IDAT", _zeros_deflated((1 + width_px) * height_px))
    return _png(width_px, height_px, *chunks, pixels)


def png_that_claims(width_px: int, height_px: int) -> bytes:
    """Return a PNG with a correct header, and hardly a pixel."""
    return _png(width_px, height_px, png_chunk(b"IDAT", zlib.compress(b"\0")))


def metadata_bomb(kind: str, inflated_bytes: int = GIGABYTE) -> bytes:
    """Return a chunk that inflates to hundreds of times its size: zTXt, iTXt or iCCP."""
    # Keyword, end of keyword, and how it is compressed (W3C PNG, 11.3.2.3, 11.3.3.3, 11.3.3.4).
    beginning = {"zTXt": b"Comment\0\0", "iTXt": b"Comment\0\1\0\0\0", "iCCP": b"profile\0\0"}[kind]
    return png_chunk(kind.encode(), beginning + _zeros_deflated(inflated_bytes))


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width_px: int, height_px: int, *chunks: bytes) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width_px, height_px, 8, 0, 0, 0, 0))
    return b"".join([_PNG_SIGNATURE, header, *chunks, png_chunk(b"IEND", b"")])


@cache
def _zeros_deflated(size_bytes: int) -> bytes:
    deflate = zlib.compressobj(level=1)
    block = bytes(1_000_000)
    blocks, rest = divmod(size_bytes, len(block))
    return b"".join(
        [*(deflate.compress(block) for _ in range(blocks)), deflate.compress(block[:rest]), deflate.flush()]
    )


# --- The other formats ---------------------------------------------------------------------------------


def that_claims(image_format: ImageFormat, width_px: int, height_px: int) -> bytes:
    """Return a small picture whose header tells another size."""
    if image_format is ImageFormat.PNG:
        return png_that_claims(width_px, height_px)
    # Only the header of an animation has room for more than 16,384 pixels (RFC 9649, 2.7).
    frames = 2 if image_format is ImageFormat.WEBP else 1
    content = bytearray(
        picture(image_format.name, mode="P" if image_format.name == "GIF" else "RGB", frames=frames)
    )
    match image_format:
        case ImageFormat.JPEG:
            at = content.index(b"\xff\xc0") + 5
            content[at : at + 4] = struct.pack(">HH", height_px, width_px)
        case ImageFormat.WEBP:
            at = content.index(b"VP8X") + 12
            content[at : at + 6] = (width_px - 1).to_bytes(3, "little") + (height_px - 1).to_bytes(
                3, "little"
            )
        case ImageFormat.GIF:
            size = struct.pack("<HH", width_px, height_px)
            content[6:10] = size
            at = content.index(_GIF_IMAGE + bytes(4) + struct.pack("<HH", 48, 32)) + 5
            content[at : at + 4] = size
        case ImageFormat.AVIF:
            at = content.index(b"ispe") + 8
            content[at : at + 8] = struct.pack(">II", width_px, height_px)
    return bytes(content)


@cache
def blank(image_format: ImageFormat, side_px: int) -> bytes:
    """Return a square black picture: few bytes for many pixels, encoded in a process of its own."""
    # Encoders take gigabytes, which would count as memory of whatever this process starts.
    with ProcessPoolExecutor(1) as pool:
        return pool.submit(_encode_blank, image_format, side_px).result()


def _encode_blank(image_format: ImageFormat, side_px: int) -> bytes:
    content = io.BytesIO()
    mode = "P" if image_format is ImageFormat.GIF else "RGB"
    options = {ImageFormat.WEBP: {"lossless": True, "method": 0}, ImageFormat.AVIF: {"speed": 10}}
    Image.new(mode, (side_px, side_px)).save(content, image_format.name, **options.get(image_format, {}))
    return content.getvalue()


def gif_of(frames: int) -> bytes:
    """Return a GIF whose further frames have one pixel each, 15 bytes."""
    # Left, top, width, height, no colours of its own; codes of 2 bits: clear, colour 0, end.
    pixel = _GIF_IMAGE + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return picture("GIF", mode="P")[:-1] + pixel * (frames - 1) + _GIF_TRAILER


def gif_that_grows(width_px: int, height_px: int, frames: int) -> bytes:
    """Return a GIF of one pixel, whose further frames are larger than the whole picture."""
    content = io.BytesIO()
    Image.new("P", (width_px, height_px)).save(content, "GIF")
    large = content.getvalue()
    frame = large[large.index(_GIF_IMAGE + bytes(4) + struct.pack("<HH", width_px, height_px)) : -1]
    return picture("GIF", 1, 1, "P")[:-1] + frame * frames + _GIF_TRAILER


def jpeg_of(scans: int, side_px: int) -> bytes:
    """Return a square progressive JPEG, whose last scan comes again and again."""
    content = io.BytesIO()
    Image.new("L", (side_px, side_px)).save(content, "JPEG", progressive=True)
    whole = content.getvalue().removesuffix(_JPEG_END)
    return whole + whole[whole.rindex(_JPEG_SCAN) :] * (scans - whole.count(_JPEG_SCAN)) + _JPEG_END


# --- Two things in one file ----------------------------------------------------------------------------

SCRIPT = b"<html><script>alert(document.cookie)</script></html>"


def _zip() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("page.html", SCRIPT)
    return content.getvalue()


POLYGLOTS = {
    "GIF and JavaScript": picture("GIF", mode="P", comment=b"*/=1;alert(1)/*") + b"*/;alert(1)//",
    "GIF and HTML": picture("GIF", mode="P") + SCRIPT,
    "JPEG and ZIP": jpeg() + _zip(),
    "JPEG and PHP": jpeg(comment=b"<?php system($_GET['c']); ?>"),
    "PNG and HTML": png(48, 32, png_chunk(b"tEXt", b"Comment\0" + SCRIPT)),
    "WEBP and PDF": picture("WEBP") + b"%PDF-1.7\n",
}
"""A whole picture each, of 48 x 32 pixels, and something else to whom believes that."""


# --- No picture of ours --------------------------------------------------------------------------------


def _psd() -> bytes:
    # Version 1, RGB, 8 bits, 48 x 32; no colour data, resources or layers; not compressed.
    header = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 32, 48, 8, 3)
    return header + struct.pack(">IIIH", 0, 0, 0, 0) + bytes(48 * 32 * 3)


def _heic() -> bytes:
    brands = b"heic" + bytes(4) + b"mif1heicmiafMiHB"
    return (8 + len(brands)).to_bytes(4) + b"ftyp" + brands + (100).to_bytes(4) + b"meta" + bytes(92)


PRETENDERS = {
    "SVG": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
    "SVG, no declaration": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "PDF": picture("PDF"),
    "PDF with a JPEG in it": b"%PDF-1.7\n" + jpeg(),
    "TIFF": picture("TIFF"),
    "TIFF, big-endian": picture("TIFF", mode="I;16B"),
    "PSD": _psd(),
    "HEIC": _heic(),
    "BMP": picture("BMP"),
    "ICO": picture("ICO"),
    "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 \0\0\0\0jp2 ",
    "HTML": SCRIPT,
}
"""What else is called a picture, in files that are named `.jpg`."""
