"""The tracks of an animated AVIF: where its frames lie, and what of them is needed (ISO/IEC 14496-12, 8)."""

from collections.abc import Iterator
from typing import NamedTuple

from domain.errors import NotAPictureError
from domain.public_copy.avif_items import clean_handler
from domain.public_copy.boxes import Blanked, Box, Source, Span, damaged
from domain.public_copy.faults import truncated

_CONTAINERS = frozenset({b"edts", b"mdia", b"minf", b"stbl"})
_KEPT_BOXES = _CONTAINERS | frozenset(
    {b"tkhd", b"tref", b"elst", b"mdhd", b"hdlr", b"vmhd", b"nmhd", b"dinf", b"stsd"}
    | {b"stts", b"ctts", b"stsc", b"stsz", b"stco", b"co64", b"stss", b"sgpd", b"sbgp"}
)
_PICTURES = frozenset({b"pict", b"auxv", b"vide"})
"""Handlers of tracks of pictures (AVIF 1.2, 3; ISO/IEC 23008-12, 7.5.3)."""
_SAMPLE_BOXES = frozenset({b"av1C", b"colr", b"pasp", b"clap", b"ccst", b"auxi", b"clli", b"mdcv", b"amve"})
_DATED = frozenset({b"mvhd", b"tkhd", b"mdhd"})
"""Boxes that begin with two moments, which take 8 bytes each from version 1 on."""
_THIS_FILE = bytes.fromhex("0000001c6472656600000000000000010000000c75726c2000000001")
"""What dinf holds where the frames are in the file itself (ISO/IEC 14496-12, 8.7.2)."""
_COMPRESSORS = frozenset({b"", b"\x0aAOM Coding"})
_ENTRY_BYTES, _COMPRESSOR_AT, _COMPRESSOR_BYTES = 78, 42, 32
"""A visual sample entry, and the name of a program in it (ISO/IEC 14496-12, 12.1.3)."""


class _Track(NamedTuple):
    box: Box
    boxes: list[Box]
    others: list[Box]

    def find(self, kind: bytes) -> Box | None:
        """Return the track's box of that name."""
        return next((box for box in self.boxes if box.kind == kind), None)


class Sequence:
    """The box `moov` of an AVIF."""

    def __init__(self, source: Source, movie: Box) -> None:
        self._source = source
        self._boxes = list(source.boxes(movie.data, movie.end))
        tracks = [self._read_track(box) for box in self._boxes_of(b"trak")]
        self._tracks = [track for track in tracks if self._is_picture(track)]
        self._kept = {track.box for track in self._tracks} | {
            box for box in self._boxes if box.kind == b"mvhd"
        }

    def pixels(self) -> list[Span]:
        """Return where the frames lie.

        Raises:
            NotAPictureError: not all of them are there.

        """
        spans = [span for track in self._tracks for span in self._chunks(track)]
        if any(span.end > len(self._source.content) for span in spans):
            raise NotAPictureError(truncated())
        return spans

    def clean(self, copy: Blanked) -> None:
        """Blank in the copy's box `moov` whatever is not needed, moments among it."""
        for box in self._boxes:
            if box not in self._kept:
                copy.free(box)
            elif box.kind in _DATED:
                self._undate(copy, box)
        for track in self._tracks:
            for box in track.others:
                copy.free(box)
            for box in track.boxes:
                self._clean(copy, box)

    def _boxes_of(self, kind: bytes) -> list[Box]:
        return [box for box in self._boxes if box.kind == kind]

    def _read_track(self, box: Box) -> _Track:
        """Return the boxes of the track and of those in it; of each kind the first counts."""
        track = _Track(box, [], [])
        waiting, missing = [box], set(_KEPT_BOXES)
        while waiting:
            parent = waiting.pop()
            for child in self._source.boxes(parent.data, parent.end):
                (track.boxes if child.kind in missing else track.others).append(child)
                waiting += [child] if child.kind in missing & _CONTAINERS else []
                missing.discard(child.kind)
        return track

    def _is_picture(self, track: _Track) -> bool:
        handler, entries = track.find(b"hdlr"), track.find(b"stsd")
        if handler is None or entries is None:
            return False
        entry = next(self._entries(entries), None)
        kind = self._source.content[handler.full + 4 : handler.full + 8]
        return kind in _PICTURES and entry is not None and entry.kind == b"av01"

    def _entries(self, box: Box) -> Iterator[Box]:
        return self._source.boxes(box.full + 4, box.end)

    def _clean(self, copy: Blanked, box: Box) -> None:
        if box.kind in _DATED:
            self._undate(copy, box)
        elif box.kind == b"hdlr":
            clean_handler(copy, box)
        elif box.kind == b"dinf" and self._source.content[box.data : box.end] != _THIS_FILE:
            copy.free(box)
        elif box.kind == b"stsd":
            for entry in self._entries(box):
                self._clean_entry(copy, entry)

    def _clean_entry(self, copy: Blanked, entry: Box) -> None:
        if entry.kind != b"av01":
            copy.free(entry)
            return
        name = entry.data + _COMPRESSOR_AT
        copy.keep_text(name, name + _COMPRESSOR_BYTES, _COMPRESSORS)
        for box in self._source.boxes(entry.data + _ENTRY_BYTES, entry.end):
            if box.kind not in _SAMPLE_BOXES:
                copy.free(box)

    def _undate(self, copy: Blanked, box: Box) -> None:
        version = self._source.reader(box, box.data).number(4) >> 24
        copy.blank(box.full, min(box.full + (16 if version else 8), box.end))

    def _chunks(self, track: _Track) -> Iterator[Span]:
        """Yield where each chunk of frames lies (ISO/IEC 14496-12, 8.7)."""
        sizes, at = self._sizes(track), 0
        runs, offsets = self._runs(track), self._offsets(track)
        for (first, frames), (after, _) in zip(runs, [*runs[1:], (len(offsets) + 1, 0)], strict=True):
            for offset in offsets[first - 1 : after - 1]:
                yield Span(offset, offset + sum(sizes[at : at + frames]))
                at += frames
        if at < len(sizes):
            raise damaged("it does not say where all of its frames lie")

    def _sizes(self, track: _Track) -> list[int]:
        box = self._needed(track, b"stsz")
        reader = self._source.reader(box, box.full)
        size, number = reader.number(4), reader.number(4)
        self._source.count(number)
        return [size or reader.number(4) for _ in range(number)]

    def _runs(self, track: _Track) -> list[tuple[int, int]]:
        """Return from which chunk on a chunk has how many frames."""
        box = self._needed(track, b"stsc")
        reader = self._source.reader(box, box.full)
        number, runs = reader.number(4), list[tuple[int, int]]()
        self._source.count(number)
        for _ in range(number):
            runs.append((reader.number(4), reader.number(4)))
            reader.number(4)
        firsts = [first for first, _ in runs]
        if firsts[:1] != [1] or firsts != sorted(set(firsts)):
            raise damaged("it does not say where all of its frames lie")
        return runs

    def _offsets(self, track: _Track) -> list[int]:
        small = track.find(b"stco")
        box, size = (small, 4) if small else (self._needed(track, b"co64"), 8)
        reader = self._source.reader(box, box.full)
        number = reader.number(4)
        self._source.count(number)
        return [reader.number(size) for _ in range(number)]

    def _needed(self, track: _Track, kind: bytes) -> Box:
        box = track.find(kind)
        if box is None:
            raise damaged("it does not say where its frames lie")
        return box
