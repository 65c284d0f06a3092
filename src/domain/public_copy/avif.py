"""The public copy of an AVIF: what it shows stays where it lies, and the rest is blanked.

An AVIF is a tree of boxes that say at which place of the file each part of the picture lies
(ISO/IEC 14496-12, ISO/IEC 23008-12, AVIF 1.2). So nothing may move.
"""

from itertools import batched, chain
from typing import NamedTuple

from domain.errors import NotAPictureError
from domain.public_copy.avif_items import Items, write_exif
from domain.public_copy.avif_sequence import Sequence
from domain.public_copy.boxes import Blanked, Box, Source, Span, Spans, damaged
from domain.public_copy.faults import truncated

_STRUCTURE = frozenset({b"ftyp", b"meta", b"moov"})
_KNOWN = _STRUCTURE | {b"mdat"}
_MAX_BRANDS_BYTES = 1_024
"""What the first box may have; encoders write half a dozen brands, 40 bytes."""
_SEQUENCE_BRAND = b"avis"


class _File(NamedTuple):
    """The boxes at the top of the file: those that say what it is, by name, and those that hold it."""

    structure: dict[bytes, Box]
    holders: list[Box]


def copy(content: bytes) -> bytes:
    """Return the AVIF with what decoding needs, and of the rest `Artist` and `Copyright`.

    Kept are the primary item, what it is made of and its transparency, and in an animation the tracks of
    pictures. Thumbnails, gain maps, depth, Exif, XMP, moments, names, unknown boxes and all bytes to which
    nothing refers are overwritten with zeros; what is behind the last box that is needed is cut off. What
    has nothing to be cleaned is returned itself.

    Raises:
        NotAPictureError: parts of the picture are missing, lie where they cannot, or cannot be found.

    """
    source = Source(content)
    file = _read(source)
    items = Items(source, file.structure[b"meta"]) if b"meta" in file.structure else None
    movie = file.structure.get(b"moov")
    sequence = Sequence(source, movie) if movie else None
    pixels = Spans([*(items.pixels() if items else ()), *(sequence.pixels() if sequence else ())])
    metadata = list(items.metadata()) if items else []
    holders = Spans([*(box.content for box in file.holders), *([items.data] if items and items.data else [])])
    _check(content, pixels, holders, [span for _, spans in metadata for span in spans])

    result = Blanked(content)
    for box in file.holders:
        if box.kind != b"mdat":
            result.rename(box)
    for span in chain(*(pixels.gaps(each) for each in holders.all())):
        result.blank(*span)
    if sequence:
        sequence.clean(result)
    if items:
        items.clean(result)
    exif = (each for each in metadata if each[0].kind == b"Exif")
    written = [
        span
        for number, (item, spans) in enumerate(exif)
        for span in write_exif(source, result, item, spans, is_first=number == 0)
    ]
    return result.result(_end(file, pixels, written))


def _read(source: Source) -> _File:
    """Return the boxes at the top of the file.

    What is no box any more belongs to nothing. A second box of a kind that is there once is none either, and
    a movie without the brand of animations is one that somebody hung on.
    """
    length = len(source.content)
    file = _File({}, [])
    kept = _STRUCTURE
    at = 0
    while (box := source.box(at, length)) is not None:
        if box.end > length:
            if box.kind in _KNOWN:
                raise NotAPictureError(truncated())
            break
        if box.kind == b"ftyp" and not file.structure:
            kept = _STRUCTURE if _has_sequence_brand(source.content, box) else _STRUCTURE - {b"moov"}
        if box.kind in kept and box.kind not in file.structure:
            file.structure[box.kind] = box
        else:
            file.holders.append(box)
        at = box.end
    if not file.structure.keys() & {b"meta", b"moov"}:
        raise NotAPictureError(truncated())
    return file


def _has_sequence_brand(content: bytes, box: Box) -> bool:
    if box.end - box.data > _MAX_BRANDS_BYTES:
        raise damaged("it has more brands than there are")
    return any(content[at : at + 4] == _SEQUENCE_BRAND for at in range(box.data, box.end, 4))


def _check(content: bytes, pixels: Spans, holders: Spans, metadata: list[Span]) -> None:
    """See that what is kept, and what is overwritten, lies where it may, and nothing is both."""
    if not pixels.end:
        raise damaged("it has no pixels")
    if not all(holders.cover(span) for span in chain(pixels.all(), metadata)):
        raise damaged("a part of it lies where none can be")
    if any(pixels.overlap(span) for span in metadata):
        raise damaged("its metadata lie among its pixels")
    if sum(span.end - span.start for span in metadata) > len(content):
        raise damaged("its metadata lie over each other")


def _end(file: _File, pixels: Spans, exif: list[Span]) -> int:
    """Return where the last box ends that holds something."""
    boxes = [*file.structure.values(), *file.holders]
    needed = max(pixels.end, *(box.end for box in file.structure.values()), *(span.end for span in exif))
    return min(box.end for box in boxes if box.end >= needed)


def shown_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels of the part that browsers show; None if they show all of it.

    Chromium cuts a picture to its clean aperture only if that begins at the upper left corner (measured with
    Chromium 156), as AVIF 1.2, 4.3.3 advises; Pillow never does. Where a decoder turns the picture, it is
    turned after that (MIAF, 7.3.6.7).

    Raises:
        NotAPictureError: the boxes cannot be read.

    """
    source = Source(content)
    file = _read(source)
    if b"moov" in file.structure or b"meta" not in file.structure:
        return None
    items = Items(source, file.structure[b"meta"])
    aperture, extent = (items.property_of(items.primary, kind) for kind in (b"clap", b"ispe"))
    if aperture is None or extent is None:
        return None
    reader = source.reader(extent, extent.full)
    size = _cut(source, aperture, reader.number(4), reader.number(4))
    turn = items.property_of(items.primary, b"irot")
    is_sideways = turn is not None and source.reader(turn, turn.data).number(1) & 1
    return size[::-1] if size and is_sideways else size


def _cut(source: Source, aperture: Box, width: int, height: int) -> tuple[int, int] | None:
    """Return the size of a clean aperture, if it begins at the corner (ISO/IEC 14496-12, 12.1.4)."""
    reader = source.reader(aperture, aperture.data)
    numbers = [reader.number(4) for _ in range(8)]
    (wide, wide_by), (high, high_by), (right, right_by), (down, down_by) = batched(numbers, 2, strict=True)
    if not all((wide_by, high_by, right_by, down_by)) or wide % wide_by or high % high_by:
        return None
    cut_width, cut_height = wide // wide_by, high // high_by
    # Its middle lies that far from the picture's, in both directions.
    is_at_corner = 2 * _signed(right) == (cut_width - width) * right_by
    is_at_top = 2 * _signed(down) == (cut_height - height) * down_by
    is_inside = 0 < cut_width <= width and 0 < cut_height <= height
    return (cut_width, cut_height) if is_at_corner and is_at_top and is_inside else None


def _signed(number: int) -> int:
    return number - (number >> 31 << 32)
