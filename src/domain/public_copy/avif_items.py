"""The items of an AVIF: which of them are the picture, and where they lie (ISO/IEC 14496-12, 8.11)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from domain.errors import NotAPictureError
from domain.public_copy.boxes import Blanked, Box, Source, Span, damaged
from domain.public_copy.exif import kept_exif
from domain.public_copy.faults import truncated, unsupported

_KEPT_BOXES = frozenset({b"hdlr", b"pitm", b"iloc", b"iinf", b"iref", b"iprp", b"idat"})
"""What decoding needs; of groups of entities browsers know that of a picture and its gain map alone."""
_KEPT_PROPERTIES = frozenset(
    {b"ispe", b"pixi", b"av1C", b"colr", b"irot", b"imir", b"clap", b"pasp", b"auxC", b"a1op", b"lsel"}
    | {b"a1lx", b"clli", b"mdcv", b"cclv", b"amve"}
)
"""Properties of how a picture is decoded and shown (ISO/IEC 23008-12, 6.5, and AVIF 1.2, 2.3)."""
_ALPHA = frozenset({b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1"})
_MAX_ALPHA_BYTES = 1 + max(map(len, _ALPHA))
_NAMES = frozenset({b"", b"Color", b"Alpha", b"Exif", b"XMP", b"libavif", b"PictureHandler"})
"""Names that encoders give to items and handlers; others may be anybody's."""
_METADATA = frozenset({b"Exif", b"mime", b"uri "})
_NOTHING = b"free"
"""Type of an item that no reader knows."""
_EMPTY_TIFF = b"MM\0*" + (8).to_bytes(4) + bytes(6)
_OFFSET_BYTES = 4
_MAX_EXIF_BYTES = 1_000_000
"""How far an item of Exif is read; in a JPEG it has at most 64 KB."""
_IN_FILE, _IN_DATA = 0, 1
_HANDLER_NAME = 24


class Item(NamedTuple):
    """What the file says of an item, and where."""

    kind: bytes
    kind_at: int
    end: int


class Location(NamedTuple):
    """Where an item's bytes lie; `method` 0 counts in the file, 1 in the box idat."""

    method: int
    is_elsewhere: bool
    extents: list[Span]


class Items:
    """The box `meta` of an AVIF."""

    def __init__(self, source: Source, meta: Box) -> None:
        self._source = source
        self._boxes: dict[bytes, Box] = {}
        self._others: list[Box] = []
        for box in source.boxes(meta.full, meta.end):
            if box.kind not in _KEPT_BOXES:
                self._others.append(box)
            elif self._boxes.setdefault(box.kind, box) is not box:
                raise damaged(f"it has more than one box {box.kind.decode()}")
        self._items = dict(self._read_items())
        self._locations = dict(self._read_locations())
        self._properties = list(self._read_properties())
        self._associations = self._read_associations()
        self.primary = self._read_primary()
        self._kept = self._find_kept()
        self.data = self._boxes[b"idat"].content if b"idat" in self._boxes else None
        """Where items may lie within the box itself."""

    def pixels(self) -> list[Span]:
        """Return where the picture lies: its primary item, what that is made of, and its transparency.

        Raises:
            NotAPictureError: a part of it is not there, or elsewhere.

        """
        return [span for item_id in sorted(self._kept) for span in self._spans(item_id)]

    def metadata(self) -> Iterator[tuple[Item, list[Span]]]:
        """Yield the items that are no picture, and where they lie, if they lie in the file."""
        for item_id, item in self._items.items():
            if item.kind in _METADATA and item_id not in self._kept:
                try:
                    yield item, self._spans(item_id)
                except NotAPictureError:
                    yield item, []

    def clean(self, copy: Blanked) -> None:
        """Blank in the copy's box `meta` whatever is not needed."""
        for box in self._others:
            copy.free(box)
        if b"hdlr" in self._boxes:
            clean_handler(copy, self._boxes[b"hdlr"])
        for each in self._properties:
            if each.kind not in _KEPT_PROPERTIES:
                copy.free(each)
        for item_id, item in self._items.items():
            if item_id in self._kept or item.kind == b"Exif":
                copy.keep_text(item.kind_at + 4, item.end, _NAMES)
            else:
                forget(copy, item)

    def property_of(self, item_id: int, kind: bytes) -> Box | None:
        """Return the item's first property of that name."""
        mine = (self._properties[number - 1] for number in self._associations[item_id] if number)
        return next((each for each in mine if each.kind == kind), None)

    def _read_primary(self) -> int:
        box = self._box(b"pitm")
        return self._source.reader(box, box.full).number(4 if self._version(box) else 2)

    def _read_items(self) -> Iterator[tuple[int, Item]]:
        box = self._box(b"iinf")
        seen = set[int]()
        for entry in self._source.boxes(box.full + (4 if self._version(box) else 2), box.end):
            version = self._version(entry)
            if entry.kind != b"infe" or version not in {2, 3}:
                raise damaged("what should be an item of it is none")
            reader = self._source.reader(entry, entry.full)
            item_id = reader.number(2 if version == 2 else 4)  # noqa: PLR2004 - as its version says
            reader.number(2)
            kind_at = reader.at
            reader.number(4)
            if item_id in seen:
                raise damaged("it has two items of one number")
            seen.add(item_id)
            yield item_id, Item(self._source.content[kind_at : reader.at], kind_at, entry.end)

    def _read_locations(self) -> Iterator[tuple[int, Location]]:
        """Yield where each item lies (ISO/IEC 14496-12, 8.11.3)."""
        box = self._box(b"iloc")
        reader, version = self._source.reader(box, box.full), self._version(box)
        if version > 2:  # noqa: PLR2004 - the last there is
            raise damaged("it says in an unknown way where its parts lie")
        sizes = reader.number(2)
        offset_bytes, length_bytes, base_bytes = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
        index_bytes = sizes & 15 if version else 0
        seen = set[int]()
        for _ in range(reader.number(4 if version == 2 else 2)):  # noqa: PLR2004 - as its version says
            item_id = reader.number(4 if version == 2 else 2)  # noqa: PLR2004 - as its version says
            method = reader.number(2) & 15 if version else _IN_FILE
            is_elsewhere = reader.number(2) != 0
            base, extents = reader.number(base_bytes), list[Span]()
            number = reader.number(2)
            self._source.count(1 + number)
            for _ in range(number):
                reader.number(index_bytes)
                start = base + reader.number(offset_bytes)
                extents.append(Span(start, start + reader.number(length_bytes)))
            if item_id in seen:
                raise damaged("it says twice where an item lies")
            seen.add(item_id)
            yield item_id, Location(method, is_elsewhere, extents)

    def _read_properties(self) -> Iterator[Box]:
        box = self._boxes.get(b"iprp")
        containers = self._source.boxes(box.data, box.end) if box else iter(())
        first = next(containers, None)
        if first is None or first.kind != b"ipco":
            raise damaged("it does not say how it is decoded")
        self._association_boxes = list(containers)
        yield from self._source.boxes(first.data, first.end)

    def _read_associations(self) -> dict[int, list[int]]:
        """Return the numbers of each item's properties, from 1 on (ISO/IEC 14496-12, 8.11.14)."""
        found = defaultdict[int, list[int]](list)
        for box in self._association_boxes:
            if box.kind != b"ipma":
                raise damaged("it does not say how it is decoded")
            reader, version = self._source.reader(box, box.full), self._version(box)
            is_wide = self._source.content[box.full - 1] & 1
            for _ in range(reader.number(4)):
                item_id, number = reader.number(4 if version else 2), reader.number(1)
                self._source.count(1 + number)
                for _ in range(number):
                    index = reader.number(2) & 0x7FFF if is_wide else reader.number(1) & 0x7F
                    if index > len(self._properties):
                        raise damaged("a property that it names is not there")
                    found[item_id].append(index)
        return found

    def _read_references(self) -> Iterator[tuple[bytes, int, list[int]]]:
        """Yield kind, origin and aims of each reference (ISO/IEC 14496-12, 8.11.12)."""
        box = self._boxes.get(b"iref")
        if box is None:
            return
        id_bytes = 4 if self._version(box) else 2
        for each in self._source.boxes(box.full, box.end):
            reader = self._source.reader(each, each.data)
            origin, number = reader.number(id_bytes), reader.number(2)
            self._source.count(number)
            yield each.kind, origin, [reader.number(id_bytes) for _ in range(number)]

    def _find_kept(self) -> set[int]:
        made_of, transparency = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
        alphas = self._read_alphas()
        for kind, origin, aims in self._read_references():
            if kind == b"dimg":
                made_of[origin] += aims
            elif kind == b"auxl" and origin in alphas:
                for aim in aims:
                    transparency[aim].append(origin)
        kept, waiting = set[int](), [self.primary]
        while waiting:
            item_id = waiting.pop()
            if item_id not in kept:
                kept.add(item_id)
                waiting += made_of[item_id] + transparency[item_id]
        return kept

    def _read_alphas(self) -> set[int]:
        """Return the items that say what of another is transparent (ISO/IEC 23008-12, 6.5.8)."""
        auxiliary = enumerate(self._properties, 1)
        texts = {
            number: self._source.content[box.full : min(box.end, box.full + _MAX_ALPHA_BYTES)]
            for number, box in auxiliary
            if box.kind == b"auxC"
        }
        alphas = {number for number, text in texts.items() if text.partition(b"\0")[0] in _ALPHA}
        return {item_id for item_id, numbers in self._associations.items() if not alphas.isdisjoint(numbers)}

    def _spans(self, item_id: int) -> list[Span]:
        location = self._locations.get(item_id)
        if location is None or item_id not in self._items:
            raise damaged("a part that it names is not there")
        if location.is_elsewhere or location.method not in {_IN_FILE, _IN_DATA}:
            raise NotAPictureError(unsupported("an AVIF that refers to what is not in it"))
        base = 0
        if location.method == _IN_DATA:
            base = self._box(b"idat").data
        spans = [Span(base + start, base + end) for start, end in location.extents]
        if any(start == end for start, end in spans):
            raise damaged("it does not say how long a part of it is")
        if any(end > len(self._source.content) for _, end in spans):
            raise NotAPictureError(truncated())
        return spans

    def _box(self, kind: bytes) -> Box:
        if kind not in self._boxes:
            raise damaged(f"it has no box {kind.decode()}")
        return self._boxes[kind]

    def _version(self, box: Box) -> int:
        return self._source.reader(box, box.data).number(4) >> 24


def clean_handler(copy: Blanked, box: Box) -> None:
    """Blank the name in a handler box, which a program or a person gave it."""
    copy.keep_text(box.data + _HANDLER_NAME, box.end, _NAMES)


def forget(copy: Blanked, item: Item) -> None:
    """Make of an item one that no reader looks at, without a name."""
    copy.write(item.kind_at, _NOTHING)
    copy.blank(item.kind_at + 4, item.end)


def write_exif(source: Source, copy: Blanked, item: Item, spans: list[Span], *, is_first: bool) -> list[Span]:
    """Write what is kept of an item of Exif to where it lay, which is blank; return where that is.

    Of several the first counts.

    Decoders refuse an AVIF with an item of Exif that holds no TIFF (ISO/IEC 23008-12, A.2.1), so an empty one
    takes the place of what is not kept or does not fit; where even that does not, the item is none.
    """
    length = sum(end - start for start, end in spans)
    choices = (_kept(source, spans) if is_first else b"", _EMPTY_TIFF)
    tiff = next((each for each in choices if each and _OFFSET_BYTES + len(each) <= length), None)
    if tiff is None:
        forget(copy, item)
        return []
    left = bytes(_OFFSET_BYTES) + tiff
    for start, end in spans:
        copy.write(start, left[: end - start])
        left = left[end - start :]
    return spans


def _kept(source: Source, spans: list[Span]) -> bytes:
    data = b"".join(_first(source, spans, _MAX_EXIF_BYTES))
    tiff_at = _OFFSET_BYTES + int.from_bytes(data[:_OFFSET_BYTES])
    return kept_exif(data[tiff_at:], orientation=False)


def _first(source: Source, spans: Iterable[Span], length: int) -> Iterator[bytes]:
    """Yield the first bytes of what lies there."""
    for start, end in spans:
        yield source.content[start : min(end, start + length)]
        length -= min(end - start, length)
