"""Reads the boxes that an AVIF consists of (ISO/IEC 14496-12, 4.2), and blanks what is not kept of them."""

import io
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from domain.errors import NotAPictureError
from domain.public_copy.faults import corrupt, too_complex

MAX_PARTS = 50_000
"""Boxes, items, references and frames of one picture.

A picture of 5,000 tiles has as many, and so has an animation of half an hour; each costs some microseconds.
"""
_SIZE_BYTES, _LARGE_SIZE_BYTES, _FULL_BYTES = 8, 16, 4
_FREE = b"free"
"""The name of a box that every reader passes over (ISO/IEC 14496-12, 8.1.2)."""
_ZEROS = bytes(65_536)


class Span(NamedTuple):
    """Bytes of the file, the first and the one behind the last."""

    start: int
    end: int


class Box(NamedTuple):
    """A box: its name, where it starts, where its data start, and where it ends."""

    kind: bytes
    start: int
    data: int
    end: int

    @property
    def content(self) -> Span:
        """Where its data lie."""
        return Span(self.data, self.end)

    @property
    def full(self) -> int:
        """Where its data start if version and flags are before them."""
        return self.data + _FULL_BYTES


def damaged(what: str = "its boxes do not fit into each other") -> NotAPictureError:
    """Return that something in the file is not as it was written."""
    return NotAPictureError(corrupt(what))


class Source:
    """The bytes of a file, read as numbers, texts and boxes; in all at most `MAX_PARTS` parts of them."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._parts = MAX_PARTS

    def count(self, parts: int = 1) -> None:
        """Count what is read in a loop, so that the file cannot say how long it takes.

        Raises:
            NotAPictureError: there are too many.

        """
        self._parts -= parts
        if self._parts < 0:
            raise NotAPictureError(too_complex(f"more than {MAX_PARTS:,} parts"))

    def box(self, at: int, end: int) -> Box | None:
        """Return the box at `at`, which may be said to end behind `end`; None if there is none."""
        self.count()
        if at + _SIZE_BYTES > end:
            return None
        size, kind, data = int.from_bytes(self.content[at : at + 4]), self.content[at + 4 : at + 8], at + 8
        if size == 1:
            size, data = int.from_bytes(self.content[data : data + 8]), at + _LARGE_SIZE_BYTES
        elif size == 0:
            # Up to the end of what it is in.
            size = end - at
        return Box(kind, at, data, at + size) if size >= data - at else None

    def boxes(self, at: int, end: int) -> Iterator[Box]:
        """Yield the boxes that lie between.

        Raises:
            NotAPictureError: they do not fill the place.

        """
        while at < end:
            box = self.box(at, end)
            if box is None or box.end > end:
                raise damaged()
            yield box
            at = box.end

    def reader(self, box: Box, at: int) -> "Reader":
        """Return a reader of what is in the box from `at` on."""
        return Reader(self.content, at, box.end)


class Reader:
    """Reads one number after the other."""

    def __init__(self, content: bytes, at: int, end: int) -> None:
        self._content = content
        self.at = at
        self._end = end

    def number(self, size_bytes: int) -> int:
        """Return the next number; 0, if it has no bytes.

        Raises:
            NotAPictureError: the box ends before it.

        """
        start, self.at = self.at, self.at + size_bytes
        if self.at > self._end:
            raise damaged()
        return int.from_bytes(self._content[start : self.at])


class Blanked:
    """A copy of a file, of which parts are overwritten; nothing in it moves."""

    def __init__(self, content: bytes) -> None:
        self._original = content
        # Shares the bytes until the first of them is overwritten.
        self._out = io.BytesIO(content)
        self._buffer = self._out.getbuffer()

    def write(self, at: int, data: bytes) -> None:
        """Overwrite what is at `at`."""
        self._buffer[at : at + len(data)] = data

    def blank(self, start: int, end: int) -> None:
        """Write zeros from `start` up to `end`."""
        for at in range(start, end, len(_ZEROS)):
            self.write(at, _ZEROS[: end - at])

    def free(self, box: Box) -> None:
        """Make of the box one that is empty, whatever its size."""
        self.rename(box)
        self.blank(box.data, box.end)

    def rename(self, box: Box) -> None:
        """Have readers pass over the box, and leave what it holds."""
        self.write(box.start + 4, _FREE)

    def keep_text(self, start: int, end: int, known: frozenset[bytes]) -> None:
        """Blank a text, unless it is one of those that programs write."""
        if self._original[start:end].rstrip(b"\0") not in known:
            self.blank(start, end)

    def result(self, end: int) -> bytes:
        """Return the first `end` bytes of the copy; the original, if they are the same."""
        self._buffer.release()
        self._out.truncate(end)
        copy = self._out.getvalue()
        return self._original if copy == self._original else copy


class Spans:
    """Where what is kept lies, sorted and without overlaps."""

    def __init__(self, spans: list[Span]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(spans):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(end, self._ends[-1])
            elif start < end:
                self._starts.append(start)
                self._ends.append(end)

    @property
    def end(self) -> int:
        """Where the last one ends, 0 if there is none."""
        return self._ends[-1] if self._ends else 0

    def all(self) -> Iterator[Span]:
        """Yield them in their order."""
        return map(Span, self._starts, self._ends)

    def overlap(self, span: Span) -> bool:
        """Tell whether one of them has a byte of `span`."""
        before = bisect_right(self._starts, span.end - 1) - 1
        return span.start < span.end and before >= 0 and self._ends[before] > span.start

    def cover(self, span: Span) -> bool:
        """Tell whether one of them has every byte of `span`."""
        before = bisect_right(self._starts, span.start) - 1
        return before >= 0 and self._ends[before] >= span.end

    def gaps(self, span: Span) -> Iterator[Span]:
        """Yield what of `span` lies between them."""
        first = max(0, bisect_right(self._starts, span.start) - 1)
        last = bisect_right(self._starts, span.end)
        at = span.start
        for start, end in zip(self._starts[first:last], self._ends[first:last], strict=True):
            if at < min(start, span.end):
                yield Span(at, min(start, span.end))
            at = max(at, end)
        if at < span.end:
            yield Span(at, span.end)
