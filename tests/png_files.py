"""Writes and reads PNG files chunk by chunk, with nothing of the service's own code."""

import struct
import zlib
from typing import NamedTuple

SIGNATURE = b"\x89PNG\r\n\x1a\n"
WIDTH_PX, HEIGHT_PX = 6, 4
GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
_SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}


class ReadChunk(NamedTuple):
    name: str
    data: bytes
    is_sound: bool


def chunk(name: str, data: bytes = b"", *, checksum: int | None = None) -> bytes:
    """Return a chunk, its checksum right unless another is given."""
    right = zlib.crc32(name.encode("latin-1") + data)
    return (
        struct.pack(">I", len(data))
        + name.encode("latin-1")
        + data
        + struct.pack(">I", right if checksum is None else checksum)
    )


def header(colour_type: int = RGB, *, depth: int = 8, ways: tuple[int, int, int] = (0, 0, 0)) -> bytes:
    """Return the header of a picture of 6 x 4; `ways` are those of packing, filtering and interlacing."""
    return chunk("IHDR", struct.pack(">IIBBBBB", WIDTH_PX, HEIGHT_PX, depth, colour_type, *ways))


def pixels(colour_type: int = RGB, seed: int = 0) -> bytes:
    """Return packed pixels of eight bits a sample for it."""
    samples = WIDTH_PX * _SAMPLES[colour_type]
    rows = (bytes([0, *((seed + 7 * x + 31 * y) % 2 for x in range(samples))]) for y in range(HEIGHT_PX))
    return zlib.compress(b"".join(rows))


IHDR, IDAT, IEND = header(), chunk("IDAT", pixels()), chunk("IEND")


def png(*before: bytes, behind: tuple[bytes, ...] = (), idat: bytes = IDAT, end: bytes = IEND) -> bytes:
    """Return an RGB picture with chunks before and behind its pixels."""
    return b"".join([SIGNATURE, IHDR, *before, idat, *behind, end])


def read(content: bytes) -> list[ReadChunk]:
    """Return the chunks of a file, which must be nothing but chunks."""
    assert content.startswith(SIGNATURE)
    at, chunks = len(SIGNATURE), list[ReadChunk]()
    while at < len(content):
        length, name = struct.unpack_from(">I4s", content, at)
        data = content[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", content, at + 8 + length)
        chunks.append(ReadChunk(name.decode("latin-1"), data, zlib.crc32(name + data) == checksum))
        at += 12 + length
    return chunks


def names(content: bytes) -> list[str]:
    return [each.name for each in read(content)]


def data_of(content: bytes, name: str) -> bytes:
    """Return what the chunks of this name hold together."""
    return b"".join(each.data for each in read(content) if each.name == name)


def profile(colour_space: bytes = b"RGB ", size_bytes: int = 132) -> bytes:
    """Return what begins like a colour profile (ICC.1:2022, 7.2), filled up with zeros."""
    beginning = struct.pack(
        ">I4sI4s4s4s12x4s", size_bytes, b"test", 0x04400000, b"mntr", colour_space, b"XYZ ", b"acsp"
    )
    return beginning.ljust(size_bytes, b"\0")


def iccp(unpacked: bytes, *, method: bytes = b"\0", behind: bytes = b"") -> bytes:
    return chunk("iCCP", b"a profile\0" + method + zlib.compress(unpacked) + behind)


def actl(frames: int, plays: int = 0) -> bytes:
    return chunk("acTL", struct.pack(">II", frames, plays))


def fctl(
    number: int,
    *,
    size: tuple[int, int] = (WIDTH_PX, HEIGHT_PX),
    at: tuple[int, int] = (0, 0),
    ways: tuple[int, int] = (0, 0),
) -> bytes:
    """Return the control of a frame; `ways` are those of disposal and blending."""
    return chunk("fcTL", struct.pack(">IIIIIHHBB", number, *size, *at, 1, 10, *ways))


def fdat(number: int, data: bytes | None = None, *, checksum: int | None = None) -> bytes:
    held = pixels(seed=number) if data is None else data
    return chunk("fdAT", number.to_bytes(4) + held, checksum=checksum)
