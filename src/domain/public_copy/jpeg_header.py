"""What is kept of a JPEG's segments that are no pixels: what decoding, colour and orientation need.

Which of several segments counts is as in libjpeg-turbo and Chromium; the others go.
"""

from domain.public_copy.exif import kept_exif

type Piece = bytes | memoryview

APP0, APP1, APP2, APP14 = 0xE0, 0xE1, 0xE2, 0xEE
SIGNATURES = {APP0: b"JFIF\0", APP1: b"Exif\0", APP2: b"ICC_PROFILE\0", APP14: b"Adobe"}
"""What the segments of use begin with; those of other kinds have the same markers (gain maps, XMP)."""

_LENGTH_BYTES = 2
_JFIF_BYTES, _THUMBNAIL_SIZE_BYTES = 14, 2
"""A JFIF segment without its thumbnail, and the size of that at its end (JFIF 1.02, page 5)."""
_ADOBE_BYTES = 12
"""An Adobe segment (Adobe technical note 5116, 18): its last byte says how colours are coded."""
_EXIF_HEADER_BYTES = 6
_PROFILE_HEADER_BYTES = 14
"""Signature, number of the part, and how many there are (ICC.1:2022, B.4)."""


class Header:
    """The pieces of a JPEG up to its first scan, in their order."""

    def __init__(self, start: Piece) -> None:
        self.pieces = [start]
        self._seen = set[int]()
        self._adobe: int | None = None
        self._profile = dict[int, int]()
        self._parts = 0
        self._is_profile_damaged = False

    def add(self, marker: int, payload: memoryview) -> None:
        """Add what is kept of a segment that begins with the signature for its marker."""
        match marker:
            case 0xE0:
                self._add_jfif(payload)
            case 0xE1:
                self._add_exif(payload)
            case 0xE2:
                self._add_profile(payload)
            case _:
                self._add_adobe(payload)

    def end(self) -> None:
        """Drop a profile that is not whole: no browser uses it."""
        if self._is_profile_damaged or len(self._profile) != self._parts:
            for index in self._profile.values():
                self.pieces[index] = b""

    def _add_jfif(self, payload: memoryview) -> None:
        if len(payload) >= _JFIF_BYTES and APP0 not in self._seen:
            self._seen.add(APP0)
            kept = payload[: _JFIF_BYTES - _THUMBNAIL_SIZE_BYTES]
            self._append(APP0, b"".join((kept, bytes(_THUMBNAIL_SIZE_BYTES))))

    def _add_exif(self, payload: memoryview) -> None:
        # An empty one is passed over; of others only the first is read, whatever it holds.
        if len(payload) > _EXIF_HEADER_BYTES and APP1 not in self._seen:
            self._seen.add(APP1)
            kept = kept_exif(payload[_EXIF_HEADER_BYTES:], orientation=True)
            if kept:
                self._append(APP1, b"Exif\0\0" + kept)

    def _add_profile(self, payload: memoryview) -> None:
        """Add a part of the colour profile; parts behind a whole one do not count."""
        is_whole = 0 < len(self._profile) == self._parts
        if len(payload) <= _PROFILE_HEADER_BYTES or self._is_profile_damaged or is_whole:
            return
        number, parts = payload[_PROFILE_HEADER_BYTES - 2 : _PROFILE_HEADER_BYTES]
        self._parts = self._parts or parts
        if not 0 < number <= parts == self._parts or number in self._profile:
            self._is_profile_damaged = True
            return
        self._profile[number] = len(self.pieces)
        self._append(APP2, payload)

    def _add_adobe(self, payload: memoryview) -> None:
        if len(payload) < _ADOBE_BYTES:
            return
        if self._adobe is not None:
            # The last one counts.
            self.pieces[self._adobe] = b""
        self._adobe = len(self.pieces)
        self._append(APP14, payload[:_ADOBE_BYTES])

    def _append(self, marker: int, payload: Piece) -> None:
        length = (_LENGTH_BYTES + len(payload)).to_bytes(_LENGTH_BYTES)
        self.pieces.append(b"".join((bytes((0xFF, marker)), length, payload)))
