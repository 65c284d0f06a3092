"""Builds AVIFs box by box, and reads them again, for tests of what is in them."""

import io
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from PIL import Image

from tests.builders import picture

ALPHA_URN = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"
_CONTAINERS = frozenset(
    {
        b"meta",
        b"moov",
        b"iprp",
        b"ipco",
        b"iinf",
        b"trak",
        b"mdia",
        b"minf",
        b"stbl",
        b"stsd",
        b"edts",
        b"tref",
    }
)
_SKIPPED = {b"meta": 4, b"iinf": 6, b"stsd": 8}


def box(kind: bytes, *data: bytes, large: bool = False) -> bytes:
    """Return a box; `large` writes its size as a number of 64 bits."""
    content = b"".join(data)
    if large:
        return struct.pack(">I4sQ", 1, kind, 16 + len(content)) + content
    return struct.pack(">I4s", 8 + len(content), kind) + content


def full(kind: bytes, *data: bytes, version: int = 0, flags: int = 0) -> bytes:
    """Return a box with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *data)


def boxes(content: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int, int]]:
    """Yield name, start, start of the data and end of each box, and of those within."""
    at, end = start, len(content) if end is None else end
    while at < end:
        size, kind, data = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8], at + 8
        if size == 1:
            size, data = int.from_bytes(content[data : data + 8]), at + 16
        size = size or end - at
        yield kind, at, data, at + size
        if kind in _CONTAINERS:
            yield from boxes(content, data + _SKIPPED.get(kind, 0), at + size)
        at += size


def data_of(content: bytes, kind: bytes) -> bytes:
    """Return the data of the first box of that name."""
    return next(content[data:end] for name, _, data, end in boxes(content) if name == kind)


@dataclass
class Item:
    """An item to be: what it is, what its bytes are, and how they are stored."""

    kind: bytes
    data: bytes
    name: bytes = b""
    properties: Sequence[tuple[int, bool]] = ()
    in_idat: bool = False
    pieces: int = 1
    more: bytes = b""
    """What an item of type mime says after its name."""


@dataclass
class Avif:
    """An AVIF to be, of a picture that an encoder made, and of what is added."""

    items: list[Item]
    properties: list[bytes]
    references: list[bytes] = field(default_factory=list)
    iloc_version: int = 1
    infe_version: int = 2
    offset_bytes: int = 4
    length_bytes: int = 4
    base_bytes: int = 0
    index_bytes: int = 0
    handler_name: bytes = b""
    in_meta: bytes = b""
    before: bytes = b""
    """Boxes between `ftyp` and `meta`."""
    between: bytes = b""
    """Boxes between `meta` and `mdat`."""
    behind: bytes = b""
    gap: bytes = b""
    """Bytes of `mdat` before each piece of an item, which belong to none."""
    large: bool = False
    open_end: bool = False
    """Whether `mdat` goes to the end of the file, whatever its size."""

    def written(self) -> bytes:
        """Return the file."""
        brands = b"avif\0\0\0\0avifmif1miaf"
        head = box(b"ftyp", brands) + self.before
        # Its length does not depend on where the items lie.
        offset = (
            len(head)
            + len(self._meta(0))
            + len(self.between)
            + (16 if self.large and not self.open_end else 8)
        )
        if self.open_end:
            mdat = struct.pack(">I4s", 0, b"mdat") + self._stored()[0]
        else:
            mdat = box(b"mdat", self._stored()[0], large=self.large) if self._stored()[0] else b""
        return head + self._meta(offset) + self.between + mdat + self.behind

    def _stored(self) -> tuple[bytes, bytes, list[list[tuple[int, int]]]]:
        """Return the data of mdat and idat, and where in it the pieces of each item lie."""
        stores = {False: bytearray(), True: bytearray()}
        places = []
        for item in self.items:
            step = -(-len(item.data) // item.pieces)
            pieces = [item.data[at : at + step] for at in range(0, len(item.data), step)]
            mine = []
            for piece in pieces:
                stores[item.in_idat] += self.gap
                mine.append((len(stores[item.in_idat]), len(piece)))
                stores[item.in_idat] += piece
            places.append(mine)
        in_mdat, in_idat = (bytes(store + self.gap) if store else b"" for store in stores.values())
        return in_mdat, in_idat, places

    def _meta(self, offset: int) -> bytes:
        id_bytes = 2 if self.infe_version == 2 else 4
        infe = [
            full(
                b"infe",
                number.to_bytes(id_bytes),
                bytes(2),
                item.kind,
                item.name + b"\0" + item.more,
                version=self.infe_version,
            )
            for number, item in enumerate(self.items, 1)
        ]
        associations = b"".join(
            struct.pack(">HB", number, len(item.properties))
            + bytes(index | is_essential << 7 for index, is_essential in item.properties)
            for number, item in enumerate(self.items, 1)
        )
        idat = self._stored()[1]
        return full(
            b"meta",
            full(b"hdlr", bytes(4), b"pict", bytes(12), self.handler_name + b"\0"),
            full(b"pitm", b"\0\1"),
            self._iloc(offset),
            full(b"iinf", struct.pack(">H", len(infe)), *infe),
            full(b"iref", *self.references) if self.references else b"",
            box(
                b"iprp",
                box(b"ipco", *self.properties),
                full(b"ipma", struct.pack(">I", len(self.items)), associations),
            ),
            box(b"idat", idat) if idat else b"",
            self.in_meta,
        )

    def _iloc(self, offset: int) -> bytes:
        id_bytes = 4 if self.iloc_version == 2 else 2
        sizes = self.offset_bytes << 12 | self.length_bytes << 8 | self.base_bytes << 4 | self.index_bytes
        entries = [struct.pack(">H", sizes), len(self.items).to_bytes(id_bytes)]
        for number, (item, places) in enumerate(zip(self.items, self._stored()[2], strict=True), 1):
            entries.append(number.to_bytes(id_bytes))
            if self.iloc_version:
                entries.append(struct.pack(">H", item.in_idat))
            base = 0 if item.in_idat else offset
            entries += [bytes(2), (base if self.base_bytes else 0).to_bytes(self.base_bytes)]
            entries.append(struct.pack(">H", len(places)))
            for start, length in places:
                entries.append(bytes(self.index_bytes if self.iloc_version else 0))
                entries.append((start + (0 if self.base_bytes else base)).to_bytes(self.offset_bytes))
                entries.append(length.to_bytes(self.length_bytes))
        return full(b"iloc", *entries, version=self.iloc_version)


def encoded(mode: str = "RGB", **options: bytes) -> Avif:
    """Return what an encoder makes of a picture, taken apart."""
    content = picture("AVIF", 48, 32, mode, 1, **options)
    meta = next(each for each in boxes(content) if each[0] == b"meta")
    inner = list(boxes(content, meta[2] + 4, meta[3]))
    ipco = next(each for each in inner if each[0] == b"ipco")
    properties = [content[start:end] for _, start, _, end in boxes(content, ipco[2], ipco[3])]
    return Avif(list(_items(content)), properties, [reference(b"auxl", 2, 1)] if mode == "RGBA" else [])


def _items(content: bytes) -> Iterator[Item]:
    ipma, iloc = data_of(content, b"ipma"), data_of(content, b"iloc")
    at = 8
    names = [content[data:end] for kind, _, data, end in boxes(content) if kind == b"infe"]
    for number, name in enumerate(names):
        count = ipma[at + 2]
        properties = [(each & 127, bool(each >> 7)) for each in ipma[at + 3 : at + 3 + count]]
        at += 3 + count
        start, length = struct.unpack_from(">II", iloc, 8 + number * 14 + 6)
        yield Item(name[8:12], content[start : start + length], name[12:].rstrip(b"\0"), properties)


def reference(kind: bytes, origin: int, *aims: int) -> bytes:
    """Return what says that an item refers to others."""
    return box(kind, struct.pack(f">HH{len(aims)}H", origin, len(aims), *aims))


def decoded(content: bytes) -> list[tuple[str, tuple[int, int], bytes]]:
    """Return mode, size and samples of each frame, as a decoder turns it."""
    with Image.open(io.BytesIO(content), formats=("AVIF",)) as opened:
        frames = []
        for index in range(getattr(opened, "n_frames", 1)):
            opened.seek(index)
            frames.append((opened.mode, opened.size, opened.tobytes()))
        return frames


def located(content: bytes) -> Mapping[int, bytes]:
    """Return the bytes of each item, by its number; of an `iloc` of versions 0 and 1."""
    iloc = data_of(content, b"iloc")
    idat = next((data for kind, _, data, _ in boxes(content) if kind == b"idat"), 0)
    offset_bytes, length_bytes, base_bytes = iloc[4] >> 4, iloc[4] & 15, iloc[5] >> 4
    read = io.BytesIO(iloc[6:])

    def number(size: int) -> int:
        return int.from_bytes(read.read(size))

    found = {}
    for _ in range(number(2)):
        item_id = number(2)
        method = number(2) if iloc[0] else 0
        number(2)
        base = number(base_bytes) + (idat if method else 0)
        places = [(number(offset_bytes), number(length_bytes)) for _ in range(number(2))]
        found[item_id] = b"".join(content[base + at : base + at + length] for at, length in places)
    return found
