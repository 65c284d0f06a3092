"""What is kept of a picture's Exif: who made it, who has the rights, and which way up it is.

An Exif block is a TIFF file without pixels (CIPA DC-008, 4.5): a header, directories of entries, and the
values that do not fit into an entry. Where the standard leaves a doubt it is read as Chromium does.
"""

import codecs
import struct
from collections.abc import Iterator
from typing import Literal, NamedTuple

from domain.graphemes import cut
from domain.text import clean_text

MAX_TEXT_BYTES = 1_000
"""What is kept of a text, in UTF-8. IPTC, where such texts come from, gives a copyright notice 128 bytes and
a name 32 (IIM 4.2, 2:116 and 2:80); a long notice with an address has some 400."""

_ORIENTATION, _ARTIST, _COPYRIGHT, _EXIF_DIRECTORY = 0x0112, 0x013B, 0x8298, 0x8769
_ASCII, _SHORT, _LONG, _UTF_8 = 2, 3, 4, 129
_BYTE_ORDERS: dict[bytes, Literal["little", "big"]] = {b"II*\0": "little", b"MM\0*": "big"}
_HEADER_BYTES, _COUNT_BYTES, _ENTRY_BYTES, _INLINE_BYTES = 8, 2, 12, 4
_UPRIGHT, _LAST_ORIENTATION = 1, 8
_MAX_READ_BYTES = 4 * MAX_TEXT_BYTES
_TEXTS_OF_A_COPYRIGHT = 2
"""The photographer's, and behind a zero the editor's (CIPA DC-008, 4.6.5.4)."""


class _Entry(NamedTuple):
    tag: int
    kind: int
    number: int
    value: bytes


def kept_exif(tiff: bytes | memoryview, *, orientation: bool) -> bytes:
    """Return a TIFF block of what may be public of `tiff`, or nothing if there is nothing.

    Kept are `Artist` and `Copyright`, and with `orientation` that one, where browsers turn the picture by it:
    a SHORT, one of it, from 2 to 8. Of several the first that is one counts, in the first directory or in
    that of Exif, as in Chromium; the next directory is the thumbnail's. Whatever else `tiff` may be, it is
    taken as far as it goes and never an error. What this returns is returned the same again.
    """
    view = memoryview(tiff)
    order = _BYTE_ORDERS.get(bytes(view[:4]))
    if order is None or len(view) < _HEADER_BYTES:
        return b""
    first = int.from_bytes(view[4:8], order)
    kept: dict[int, bytes] = {}
    if orientation:
        turned = _orientation(view, first, order)
        if turned > _UPRIGHT:
            kept[_ORIENTATION] = turned.to_bytes(2)
    for tag in (_ARTIST, _COPYRIGHT):
        entry = next((each for each in _entries(view, first, order) if each.tag == tag), None)
        text = _text(view, entry, order) if entry else b""
        if text:
            kept[tag] = text
    return _block(kept) if kept else b""


def _entries(view: memoryview, at: int, order: Literal["little", "big"]) -> Iterator[_Entry]:
    """Yield the entries of the directory at `at`, as far as the block goes."""
    count = int.from_bytes(view[at : at + _COUNT_BYTES], order)
    entries = view[at + _COUNT_BYTES :][: count * _ENTRY_BYTES]
    whole = entries[: len(entries) // _ENTRY_BYTES * _ENTRY_BYTES]
    sign = "<" if order == "little" else ">"
    return map(_Entry._make, struct.iter_unpack(f"{sign}HHI4s", whole))


def _orientation(view: memoryview, first: int, order: Literal["little", "big"]) -> int:
    """Return the first orientation there is, 0 if none.

    Chromium follows each pointer to a directory of Exif. Here it is the first alone: a block may have
    thousands, each to a directory of thousands.
    """
    has_followed = False
    for entry in _entries(view, first, order):
        found = _as_orientation(entry, order)
        is_pointer = (entry.tag, entry.kind, entry.number) == (_EXIF_DIRECTORY, _LONG, 1)
        if is_pointer and not has_followed:
            has_followed = True
            inner = _entries(view, int.from_bytes(entry.value, order), order)
            found = next(filter(None, (_as_orientation(each, order) for each in inner)), 0)
        if found:
            return found
    return 0


def _as_orientation(entry: _Entry, order: Literal["little", "big"]) -> int:
    if (entry.tag, entry.kind, entry.number) != (_ORIENTATION, _SHORT, 1):
        return 0
    value = int.from_bytes(entry.value[:2], order)
    return value if value <= _LAST_ORIENTATION else 0


def _text(view: memoryview, entry: _Entry, order: Literal["little", "big"]) -> bytes:
    if entry.kind not in {_ASCII, _UTF_8}:
        return b""
    at = int.from_bytes(entry.value, order)
    value = entry.value if entry.number <= _INLINE_BYTES else view[at:]
    if entry.number > len(value):
        return b""
    raw = bytes(value[: min(entry.number, _MAX_READ_BYTES)])
    texts = raw.split(b"\0")[: _TEXTS_OF_A_COPYRIGHT if entry.tag == _COPYRIGHT else 1]
    # Where there is none before a second one, a space stands for it.
    return b"\0".join(_clean(text) or b" " for text in texts).rstrip(b"\0 ")


def _clean(text: bytes) -> bytes:
    """Return one line of UTF-8, which is what programs write where the standard says ASCII."""
    try:
        # Where the reading of it ended there may be a part of a letter.
        line, _ = codecs.utf_8_decode(text, "strict", len(text) < _MAX_READ_BYTES)
    except UnicodeDecodeError:
        line = text.decode("latin-1")
    return cut(clean_text(line[:MAX_TEXT_BYTES]), MAX_TEXT_BYTES).rstrip().encode()


def _block(kept: dict[int, bytes]) -> bytes:
    """Write a block of these values, the most significant byte first and sorted by tag (TIFF 6.0, 2)."""
    entries, values = len(kept).to_bytes(2), b""
    end = _HEADER_BYTES + _COUNT_BYTES + len(kept) * _ENTRY_BYTES + 4
    for tag in sorted(kept):
        value = kept[tag] if tag == _ORIENTATION else kept[tag] + b"\0"
        kind, count = (_SHORT, 1) if tag == _ORIENTATION else (_ASCII, len(value))
        inline = value.ljust(_INLINE_BYTES, b"\0")
        if len(value) > _INLINE_BYTES:
            inline = (end + len(values)).to_bytes(4)
            # A value begins at an even place.
            values += value + b"\0" * (len(value) % 2)
        entries += struct.pack(">HHI4s", tag, kind, count, inline)
    return b"MM\0*" + _HEADER_BYTES.to_bytes(4) + entries + bytes(4) + values
