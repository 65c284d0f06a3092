"""The smallest picture to try the service with, made without a decoder."""

import struct
import zlib

WIDTH_PX, HEIGHT_PX = 32, 24


def sample_png(red: int, green: int, blue: int) -> bytes:
    """Return a PNG of one colour, of 32 by 24 pixels (PNG specification, 5 and 11)."""
    header = struct.pack(">IIBBBBB", WIDTH_PX, HEIGHT_PX, 8, 2, 0, 0, 0)
    # Each row begins with its filter: none.
    rows = (b"\0" + bytes((red, green, blue)) * WIDTH_PX) * HEIGHT_PX
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
