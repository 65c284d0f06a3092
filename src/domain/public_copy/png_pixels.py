"""The one rule for pixel data of a PNG whose checksum is wrong: what unpacks is shown, and is written right.

Pixel data has two checksums: the CRC of each chunk (IDAT, and fdAT of an animation), and Adler-32 at the end
of what the chunks hold together. Chromium and Firefox show a picture with either of them wrong. Most often a
program wrote it so: connections and stores have checksums of their own. The pixels of other formats have
none, and what decodes is the picture there. So it is here: no checksum decides, but the decoder, which must
get every pixel out of the data. The copy has right checksums, because other decoders than browsers' refuse
wrong ones (Pillow: Adler-32).

What it costs: pixels that were damaged and still unpack are shown, as browsers do. And each PNG is unpacked
once more: 0.31 s for 24 megapixels, which take 0.65 s to decode.

Of the packed data nothing is changed. What stands behind its end is no pixel, and is left out.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from domain.public_copy.png_chunks import Chunk, Piece, written

MAX_UNPACKED_PIXELS = 100_000_000
"""Of the first frame; a larger picture is left as it is. The decoder refuses it by its header alone."""
MAX_UNPACKED_BYTES = 8 * MAX_UNPACKED_PIXELS
"""What is unpacked of all frames; what is beyond is left as it is. The decoder trusts further frames, too."""

_HEADER_BYTES, _CHECKSUM_BYTES = 2, 4
"""Before and behind the packed data (RFC 1950, 2.2)."""
_STEP_BYTES = 65_536
"""What is packed or unpacked at a time: enough to be fast, and little to hold."""


class PixelData(NamedTuple):
    """The chunks of one frame as they are written; `is_cut` if they end before what they hold does."""

    pieces: list[Piece]
    is_cut: bool
    unpacked_bytes: int


class _Stream(NamedTuple):
    """How many bytes were unpacked; if that came to the end, where this is and what the checksum must be."""

    unpacked_bytes: int
    end: int | None = None
    checksum: bytes = b""
    is_cut: bool = False


def sound_pixels(chunks: Sequence[Chunk], numbers_bytes: int, max_bytes: int) -> PixelData:
    """Return chunks of pixel data with right checksums; the data of each begins with so many other bytes."""
    parts = [chunk.data[numbers_bytes:] for chunk in chunks]
    stream = _read(parts, max_bytes)
    ends_right = stream.end is None or _ending(parts, stream.end) == stream.checksum
    if ends_right:
        pieces = [piece for chunk in chunks for piece in chunk.pieces()]
    else:
        pieces = list(_mended(chunks, parts, stream))
    return PixelData(pieces, stream.is_cut, stream.unpacked_bytes)


def _read(parts: Iterable[memoryview], max_bytes: int) -> _Stream:
    # Raw: by itself, zlib gives up at a wrong checksum before it says which is right.
    inflater, checksum = zlib.decompressobj(-zlib.MAX_WBITS), zlib.adler32(b"")
    taken, unpacked_bytes = _HEADER_BYTES, 0
    try:
        for packed in _steps(parts):
            taken += len(packed)
            for piece in _unpacked(inflater, packed):
                checksum = zlib.adler32(piece, checksum)
                unpacked_bytes += len(piece)
                if unpacked_bytes > max_bytes:
                    return _Stream(unpacked_bytes)
            if inflater.eof:
                end = taken - len(inflater.unused_data)
                return _Stream(unpacked_bytes, end, checksum.to_bytes(_CHECKSUM_BYTES))
    except zlib.error:
        # Damaged, of which the decoder is the judge.
        return _Stream(unpacked_bytes)
    return _Stream(unpacked_bytes, is_cut=True)


def _steps(parts: Iterable[memoryview]) -> Iterator[memoryview]:
    """Yield the data behind its header in small slices: what is not used of one is copied each time."""
    to_skip = _HEADER_BYTES
    for part in parts:
        for at in range(min(to_skip, len(part)), len(part), _STEP_BYTES):
            yield part[at : at + _STEP_BYTES]
        to_skip -= min(to_skip, len(part))


def _unpacked(inflater: "zlib._Decompress", packed: Piece) -> Iterator[bytes]:
    while True:
        piece = inflater.decompress(packed, _STEP_BYTES)
        yield piece
        packed = inflater.unconsumed_tail
        if inflater.eof or (not packed and len(piece) < _STEP_BYTES):
            return


def _ending(parts: Iterable[memoryview], end: int) -> bytes:
    """Return what stands behind the end of the packed data."""
    behind = list[memoryview]()
    for part in parts:
        behind.append(part[min(end, len(part)) :])
        end -= min(end, len(part))
    return b"".join(behind)


def _mended(chunks: Sequence[Chunk], parts: Sequence[memoryview], stream: _Stream) -> Iterator[Piece]:
    """Yield as many chunks, so that their numbers stay in order, the last one with the right checksum."""
    left = stream.end or 0
    for index, (chunk, part) in enumerate(zip(chunks, parts, strict=True), 1):
        number = chunk.data[: len(chunk.data) - len(part)]
        checksum = stream.checksum if index == len(chunks) else b""
        yield from written(chunk.name, number, part[:left], checksum)
        left -= min(left, len(part))
