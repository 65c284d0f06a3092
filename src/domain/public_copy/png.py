"""Makes the public copy of a PNG: the same compressed pixels in a clean container (W3C PNG, third edition).

Kept are the header, palette and transparency, the pixels, what tells of colours and size, and the animation;
of Exif the orientation, if it stands before the pixels, `Artist` and `Copyright`; and texts with the keywords
`Author` and `Copyright`, the names that PNG itself has for these two. Everything else goes, and all that
stands behind the end. The chunks stay in their order, except that texts and Exif behind the picture's own
pixels come behind those of an animation: Pillow reads no further than to what stands between them.

What is damaged is left out where browsers show the picture without it, and the end is added where it alone
is missing. `png_pixels` has the rule for pixel data whose checksum is wrong.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

from domain.errors import NotAPictureError
from domain.failure import Failure
from domain.public_copy.faults import corrupt, truncated, unsupported
from domain.public_copy.png_ancillary import (
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGB_ALPHA,
    AncillaryChunks,
)
from domain.public_copy.png_animation import NUMBER_BYTES, Animation, read_animation
from domain.public_copy.png_chunks import SIGNATURE, Chunk, Chunks, Piece, read_chunks, written
from domain.public_copy.png_pixels import MAX_UNPACKED_BYTES, MAX_UNPACKED_PIXELS, sound_pixels

_CRITICAL_CHUNKS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_HEADER_BYTES, _MAX_SIDE_PX = 13, 2**31 - 1
_DEPTHS = {
    GREY: {1, 2, 4, 8, 16},
    RGB: {8, 16},
    PALETTE: {1, 2, 4, 8},
    GREY_ALPHA: {8, 16},
    RGB_ALPHA: {8, 16},
}
"""Bits of a sample, by colour type (table 11.1)."""


class _Header(NamedTuple):
    width_px: int
    height_px: int
    colour_type: int


class _Parts(NamedTuple):
    """The chunks before the pixels, those of the pixels, which are one run (5.6), and those behind them."""

    head: Sequence[Chunk]
    pixels: Sequence[Chunk]
    tail: Sequence[Chunk]


def copy(content: bytes) -> bytes:
    """Return what the public gets of this PNG; `content` itself if there is nothing to leave out or mend.

    Raises:
        NotAPictureError: it is cut or damaged, or needs what browsers do not have; its failure says why.

    """
    if not content.startswith(SIGNATURE):
        raise NotAPictureError(Failure("not_a_picture", "The file is not a PNG picture. Convert it to one."))
    file = read_chunks(content)
    _refuse_unknown(file.chunks)
    header = _header(file)
    parts = _parts(file)
    animation = read_animation(parts.head, parts.tail, header.width_px, header.height_px)
    ancillary = AncillaryChunks(header.colour_type)
    pieces: list[Piece] = [SIGNATURE, *file.chunks[0].pieces()]
    pieces += _head(parts.head, ancillary, animation)
    if header.colour_type == PALETTE and not ancillary.has_palette:
        raise NotAPictureError(_no_palette(parts.head))
    # What is larger is refused by the decoder, which looks at the header first.
    affordable_bytes = MAX_UNPACKED_BYTES if header.width_px * header.height_px <= MAX_UNPACKED_PIXELS else 0
    pieces += _frames(parts.pixels, animation, file, affordable_bytes)
    for chunk in parts.tail:
        pieces += ancillary.pieces(chunk, before_pixels=False)
    copied = b"".join([*pieces, *written(b"IEND")])
    return content if copied == content else copied


def _refuse_unknown(chunks: Iterable[Chunk]) -> None:
    """Refuse what must be understood and is not; what is damaged behind the pixels is no matter."""
    has_pixels = False
    for chunk in chunks:
        has_pixels = has_pixels or chunk.name == b"IDAT"
        if chunk.name[:1].islower() or chunk.name in _CRITICAL_CHUNKS:
            continue
        name = chunk.name.decode()
        if chunk.is_sound():
            raise NotAPictureError(unsupported(f"a PNG with a chunk {name}"))
        if not has_pixels and not chunk.is_cut:
            raise NotAPictureError(corrupt(f"its chunk {name} cannot be read"))


def _header(file: Chunks) -> _Header:
    first = file.chunks[0] if file.chunks else None
    if first is None or first.is_cut or (len(file.chunks) == 1 and not first.is_sound()):
        raise NotAPictureError(_not_all_there(file))
    if first.name != b"IHDR" or first.data_bytes != _HEADER_BYTES or not first.is_sound():
        raise NotAPictureError(corrupt("it does not begin with the header of a PNG, chunk IHDR"))
    width_px, height_px, depth, colour_type, *ways, interlacing = struct.unpack(">IIBBBBB", first.data)
    is_known = depth in _DEPTHS.get(colour_type, ()) and not any(ways) and interlacing <= 1
    if not is_known or not (0 < width_px <= _MAX_SIDE_PX and 0 < height_px <= _MAX_SIDE_PX):
        raise NotAPictureError(corrupt("its header, chunk IHDR, says what no PNG can be"))
    return _Header(width_px, height_px, colour_type)


def _parts(file: Chunks) -> _Parts:
    first = next((at for at, chunk in enumerate(file.chunks) if chunk.name == b"IDAT"), None)
    if first is None:
        raise NotAPictureError(corrupt("it has no pixels") if file.has_end else _not_all_there(file))
    pixels = list(takewhile(lambda chunk: chunk.name == b"IDAT", file.chunks[first:]))
    return _Parts(file.chunks[1:first], pixels, file.chunks[first + len(pixels) :])


def _not_all_there(file: Chunks) -> Failure:
    return corrupt("what should be a chunk of the PNG is none") if file.has_junk else truncated()


def _no_palette(head: Iterable[Chunk]) -> Failure:
    if any(chunk.name == b"PLTE" for chunk in head):
        return corrupt("its palette, chunk PLTE, cannot be read")
    return unsupported("a PNG with colours of a palette, and without the palette")


def _head(head: Iterable[Chunk], ancillary: AncillaryChunks, animation: Animation) -> Iterator[Piece]:
    """Yield what stands before the pixels; of an animation as many frames are announced as there are."""
    for chunk in head:
        if chunk.name not in {b"acTL", b"fcTL"}:
            yield from ancillary.pieces(chunk, before_pixels=True)
        elif animation.length and chunk.name == b"fcTL":
            yield chunk.lies
        elif animation.length and chunk is animation.control:
            yield from written(b"acTL", animation.length.to_bytes(4), chunk.data[4:])


def _frames(
    pixels: Sequence[Chunk], animation: Animation, file: Chunks, affordable_bytes: int
) -> Iterator[Piece]:
    """Yield the pixels of the picture and of its further frames, none of which may be cut.

    Whether a file that has its end has all pixels, too, the decoder tells.
    """
    runs = [(pixels, 0), *((frame[1:], NUMBER_BYTES) for frame in animation.frames)]
    is_cut = animation.length < animation.announced
    for (chunks, numbers_bytes), controls in zip(runs, [[], *animation.frames], strict=True):
        data = sound_pixels(chunks, numbers_bytes, affordable_bytes)
        if chunks[-1].is_cut or (not file.has_end and data.is_cut):
            raise NotAPictureError(_not_all_there(file))
        affordable_bytes -= data.unpacked_bytes
        yield from (control.lies for control in controls[:1])
        yield from data.pieces
    if is_cut and not file.has_end:
        raise NotAPictureError(_not_all_there(file))
