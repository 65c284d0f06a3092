"""The public copy of an AVIF: what it shows stays where it lies, and the rest is blanked.

An AVIF is a tree of boxes that say at which place of the file each part of the picture lies
(ISO/IEC 14496-12, ISO/IEC 23008-12, AVIF 1.2). So nothing may move.
"""

from itertools import chain
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
    exif = [(item, spans) for item, spans in metadata if item.kind == b"Exif"]
    for item, spans in exif:
        write_exif(source, result, item, spans)
    return result.result(_end(file, pixels, [span for _, spans in exif for span in spans]))


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


def _end(file: _File, pixels: Spans, metadata: list[Span]) -> int:
    """Return where the last box ends that holds something."""
    boxes = [*file.structure.values(), *file.holders]
    needed = max(pixels.end, *(box.end for box in file.structure.values()), *(span.end for span in metadata))
    return min(box.end for box in boxes if box.end >= needed)
