"""Builds WebPs chunk by chunk, and reads them again, for tests of what is in them."""

import io
import struct
from collections.abc import Iterator

from PIL import Image

from tests.builders import picture

PROFILE, ALPHA, EXIF, XMP, ANIMATION = 0x20, 0x10, 0x08, 0x04, 0x02
WIDTH, HEIGHT = 48, 32


def chunk(kind: bytes, data: bytes, *, padding: bytes = b"\0") -> bytes:
    """Return a chunk, with `padding` if it needs some."""
    return kind + struct.pack("<I", len(data)) + data + padding[: len(data) % 2]


def webp(*chunks: bytes, said: int = 0) -> bytes:
    """Return a file of these chunks, in the header of which a size stands that is wrong by `said`."""
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) + said) + body


def canvas(flags: int, *, reserved: int = 0, more: bytes = b"") -> bytes:
    """Return the chunk that says what else there is."""
    size = (WIDTH - 1).to_bytes(3, "little") + (HEIGHT - 1).to_bytes(3, "little")
    return chunk(b"VP8X", bytes([flags]) + reserved.to_bytes(3) + size + more)


def frame(*chunks: bytes, reserved: int = 0) -> bytes:
    """Return a frame that fills the canvas for a tenth of a second."""
    size = (WIDTH - 1).to_bytes(3, "little") + (HEIGHT - 1).to_bytes(3, "little")
    head = bytes(6) + size + (100).to_bytes(3, "little") + bytes([reserved << 2])
    return chunk(b"ANMF", head + b"".join(chunks))


def loop(*, more: bytes = b"") -> bytes:
    """Return the chunk that says how often an animation runs: for ever."""
    return chunk(b"ANIM", bytes(6) + more)


def chunks(content: bytes, at: int = 12) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and data of each chunk, and of those in a frame."""
    while at < len(content):
        kind, size = struct.unpack_from("<4sI", content, at)
        data = content[at + 8 : at + 8 + size]
        yield kind, data
        if kind == b"ANMF":
            yield from chunks(data, 16)
        at += 8 + size + size % 2


def names(content: bytes) -> list[bytes]:
    """Return the names of the chunks."""
    return [kind for kind, _ in chunks(content)]


def image(*, lossless: bool = False) -> bytes:
    """Return the chunk of a picture's pixels."""
    return picture("WEBP", WIDTH, HEIGHT, lossless=lossless)[12:]


def decoded(content: bytes) -> list[tuple[str, tuple[int, int], bytes]]:
    """Return mode, size and samples of each frame."""
    with Image.open(io.BytesIO(content), formats=("WEBP",)) as opened:
        frames = []
        for index in range(getattr(opened, "n_frames", 1)):
            opened.seek(index)
            frames.append((opened.mode, opened.size, opened.tobytes()))
        return frames
