"""Tells which chunks beside its pixels the public copy of a PNG has (W3C PNG, third edition, 11)."""

import zlib

from domain.public_copy import MAX_PROFILE_BYTES
from domain.public_copy.exif import MAX_TEXT_BYTES, kept_exif
from domain.public_copy.png_chunks import Chunk, Piece, written

GREY, RGB, PALETTE, GREY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
"""Colour types (11.2.1)."""

_HEADER_OF_PROFILE_BYTES = 132
"""With the number of its tags (ICC.1:2022, 7.2 and 7.3)."""
_SIGNATURE_OF_PROFILE = slice(36, 40)
_MAX_NAME_BYTES = 79
_ENTRY_BYTES, _MAX_ENTRIES = 3, 256
_COLOURS = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"cICP": 4, b"mDCV": 24, b"cLLI": 8, b"pHYs": 9}
_BY_COLOUR_TYPE = {
    b"sBIT": {GREY: 1, RGB: 3, PALETTE: 3, GREY_ALPHA: 2, RGB_ALPHA: 4},
    b"bKGD": {GREY: 2, RGB: 6, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 6},
    b"tRNS": {GREY: 2, RGB: 6},
}
"""How many bytes these chunks have; of another size, browsers pass over them and Pillow fails."""
_OF_PALETTE = frozenset({b"bKGD", b"tRNS"})
"""What refers to the palette's entries, and counts behind it alone."""
_KEYWORDS = frozenset({b"Author", b"Copyright"})
"""What Exif calls Artist and Copyright (11.3.3.1)."""
_TEXTS = frozenset({b"tEXt", b"iTXt"})
_UNPACKED_ITXT = b"\0\0"


class AncillaryChunks:
    """Takes the chunks of one file in their order, and gives what is written for each."""

    def __init__(self, colour_type: int) -> None:
        self._colour_type = colour_type
        self._seen = set[bytes]()
        self._entries = 0

    @property
    def has_palette(self) -> bool:
        """Tell whether there was a palette that can be used."""
        return self._entries > 0

    def pieces(self, chunk: Chunk, *, before_pixels: bool) -> tuple[Piece, ...]:
        """Return the chunk in pieces, or none if the public does not get it.

        Left out is what is damaged, and behind the pixels what describes them: browsers pass over both. Of
        chunks that there may be once the first counts, as in libpng, and no other is looked into.
        """
        is_text = chunk.name in _TEXTS
        single = _keyword(chunk) if is_text else chunk.name
        is_candidate = single in _KEYWORDS if is_text else before_pixels or single == b"eXIf"
        if not is_candidate or single in self._seen or not chunk.is_sound():
            return ()
        self._seen.add(single)
        kept = self._kept(chunk, before_pixels=before_pixels)
        if chunk.name == b"PLTE":
            self._entries = len(kept) // _ENTRY_BYTES
        if not kept:
            return ()
        return (chunk.lies,) if kept == chunk.data else written(chunk.name, kept)

    def _kept(self, chunk: Chunk, *, before_pixels: bool) -> Piece:
        """Return what stays of its data."""
        match chunk.name:
            case b"eXIf":
                # Browsers turn no picture by what comes behind its pixels.
                return kept_exif(chunk.data, orientation=before_pixels)
            case b"tEXt" | b"iTXt":
                return _text(chunk)
            case b"iCCP":
                return _profile(chunk.data)
        return chunk.data if self._is_sized(chunk) else b""

    def _is_sized(self, chunk: Chunk) -> bool:
        size_bytes = len(chunk.data)
        if self._colour_type == PALETTE and chunk.name in _OF_PALETTE and not self.has_palette:
            return False
        match chunk.name, self._colour_type:
            case b"PLTE", colour_type:
                entries, rest = divmod(size_bytes, _ENTRY_BYTES)
                return colour_type in {RGB, PALETTE, RGB_ALPHA} and not rest and entries <= _MAX_ENTRIES
            case b"tRNS", 3:
                return size_bytes <= self._entries
        expected = _BY_COLOUR_TYPE.get(chunk.name, {}).get(self._colour_type)
        return size_bytes == (expected or _COLOURS.get(chunk.name))


def _profile(data: memoryview) -> Piece:
    """Return the data of a profile without what is behind its end, if it unpacks to what begins like one."""
    name, _, method = bytes(data[: _MAX_NAME_BYTES + 2]).partition(b"\0")
    if not name or method[:1] != b"\0":
        return b""
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(data[len(name) + 2 :], MAX_PROFILE_BYTES)
    except zlib.error:
        return b""
    has_header = len(profile) >= _HEADER_OF_PROFILE_BYTES and profile[_SIGNATURE_OF_PROFILE] == b"acsp"
    is_whole = inflater.eof and has_header and int.from_bytes(profile[:4]) == len(profile)
    return data[: len(data) - len(inflater.unused_data)] if is_whole else b""


def _keyword(chunk: Chunk) -> bytes:
    return bytes(chunk.data[:_MAX_NAME_BYTES]).partition(b"\0")[0]


def _text(chunk: Chunk) -> bytes:
    """Return the data of a text that is short, not packed, and formed as it must be."""
    data = bytes(chunk.data[: MAX_TEXT_BYTES + 1])
    _, _, text = data.partition(b"\0")
    if len(data) > MAX_TEXT_BYTES:
        return b""
    if chunk.name == b"tEXt":
        return data if text and b"\0" not in text else b""
    # Language, keyword in that language, text (11.3.3.4).
    is_packed, parts = text[:2] != _UNPACKED_ITXT, text[2:].split(b"\0")
    try:
        text.decode()
    except UnicodeDecodeError:
        return b""
    return data if not is_packed and len(parts) == 3 and parts[2] else b""  # noqa: PLR2004 - as named above
