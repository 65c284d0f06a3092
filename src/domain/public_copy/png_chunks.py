"""Reads and writes the chunks that a PNG is made of (W3C PNG, third edition, 5)."""

import zlib
from typing import NamedTuple

from domain.errors import NotAPictureError
from domain.public_copy.faults import too_complex

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 50_000
"""Chunks of a file that are read. The encoder that most programs share, libpng, makes one for 8 KB of pixel
data, which is 6,400 for the largest file there may be; this is one for each 1,000 bytes of that."""

_LENGTH_BYTES, _NAME_BYTES, _CHECKSUM_BYTES = 4, 4, 4
_BEFORE_DATA_BYTES = _LENGTH_BYTES + _NAME_BYTES

type Piece = bytes | memoryview


class Chunk(NamedTuple):
    """One chunk as it lies in the file, shorter than it says if the file ends within it."""

    name: bytes
    lies: memoryview
    data_bytes: int

    @property
    def data(self) -> memoryview:
        """Return its data, as far as they are there."""
        return self.lies[_BEFORE_DATA_BYTES : _BEFORE_DATA_BYTES + self.data_bytes]

    @property
    def is_cut(self) -> bool:
        """Tell whether the file ends within its data."""
        return len(self.lies) < _BEFORE_DATA_BYTES + self.data_bytes

    def is_sound(self) -> bool:
        """Tell whether the checksum is there, and right."""
        checksum = self.lies[_BEFORE_DATA_BYTES + self.data_bytes :]
        if len(checksum) < _CHECKSUM_BYTES:
            return False
        return zlib.crc32(self.lies[_LENGTH_BYTES:-_CHECKSUM_BYTES]) == int.from_bytes(checksum)

    def pieces(self) -> tuple[Piece, ...]:
        """Return what is written for it: itself, or with a right checksum if it has a wrong one or none."""
        return (self.lies,) if self.is_sound() else written(self.name, self.data)


class Chunks(NamedTuple):
    """The chunks of a file as far as they go, and whether the last one is that which ends a PNG."""

    chunks: list[Chunk]
    has_end: bool
    has_junk: bool
    """Whether they end before the file does, at something that cannot be a chunk."""


def written(name: bytes, *data: Piece) -> tuple[Piece, ...]:
    """Return a chunk in pieces, so that its data need not be copied."""
    length, checksum = 0, zlib.crc32(name)
    for each in data:
        length += len(each)
        checksum = zlib.crc32(each, checksum)
    return length.to_bytes(_LENGTH_BYTES) + name, *data, checksum.to_bytes(_CHECKSUM_BYTES)


def read_chunks(content: bytes) -> Chunks:
    """Read the chunks behind the signature, up to that which ends the picture.

    Raises:
        NotAPictureError: there are more of them than any picture needs.

    """
    view, at, chunks = memoryview(content), len(SIGNATURE), list[Chunk]()
    while at + _BEFORE_DATA_BYTES <= len(content):
        name = content[at + _LENGTH_BYTES : at + _BEFORE_DATA_BYTES]
        if not name.isalpha():
            return Chunks(chunks, has_end=False, has_junk=True)
        if len(chunks) == MAX_CHUNKS:
            raise NotAPictureError(too_complex(f"more than {MAX_CHUNKS:,} chunks, which no image needs"))
        data_bytes = int.from_bytes(view[at : at + _LENGTH_BYTES])
        end = at + _BEFORE_DATA_BYTES + data_bytes + _CHECKSUM_BYTES
        chunks.append(Chunk(name, view[at:end], data_bytes))
        if name == b"IEND":
            return Chunks(chunks, has_end=True, has_junk=False)
        at = end
    return Chunks(chunks, has_end=False, has_junk=False)
