"""The public copy of a JPEG: its tables and its compressed pixels, and of the rest what `jpeg_header` keeps.

Markers, segments and scans: ITU T.81, annex B. What is read is what libjpeg-turbo reads, with which browsers
show JPEGs: bytes that belong to no segment are passed over, and behind the end of the image nothing counts.
"""

import functools
import re
from typing import NamedTuple

from domain.errors import NotAPictureError
from domain.failure import Failure
from domain.public_copy.faults import corrupt, too_complex, truncated, unsupported
from domain.public_copy.jpeg_header import SIGNATURES, Header, Piece

_START_OF_IMAGE, _END_OF_IMAGE = b"\xff\xd8", b"\xff\xd9"
_SOI, _EOI, _SOS, _DNL = 0xD8, 0xD9, 0xDA, 0xDC
_DHT, _DQT, _DRI = 0xC4, 0xDB, 0xDD
_FILL = 0xFF
_TABLES = frozenset({_DHT, _DQT, _DRI})
_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended sequential, progressive."""
_DROPPED = frozenset({0xCC, 0xFE, *range(0xE0, 0xF0)})
"""Conditions of arithmetic coding, comments, and what belongs to applications."""
_KNOWN = _FRAMES | _TABLES | _DROPPED | {_SOS, _DNL}
_FEATURES = {
    **dict.fromkeys((0xC9, 0xCA), "arithmetic coding"),
    **dict.fromkeys((0xC3, 0xCB, 0xF7), "lossless compression"),
    **dict.fromkeys((0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF, 0xDE, 0xDF), "hierarchical compression"),
}
"""What markers of other frames mean (table B.1; F7 is that of JPEG-LS, ITU T.87). Firefox has no arithmetic
coding, Chromium has; of the others neither shows anything."""
_USUAL_BITS = 8
_FRAME_BYTES, _COLOUR_BYTES = 6, 3
"""A frame's header, and what it says of each colour (B.2.2)."""
_SCAN_BYTES, _SCAN_COLOUR_BYTES = 4, 2
"""A scan's header, and what it says of each colour (B.2.3)."""
_NUMBER_BYTES = 2
"""What a segment of DRI or DNL holds."""
_MAX_SEGMENTS = 10_000
"""Segments of use in one file. A picture has some dozen tables and scans, a profile at most 255 parts."""
_SHORT_SEGMENT_BYTES, _SHORTEST_SIGNED = 80, 9
"""Up to which length segments are passed over in one go, and from which on one may be of use."""


class _Segment(NamedTuple):
    marker: int
    payload: memoryview
    whole: memoryview
    """That of a scan with its data."""
    has_stray: bool
    """Whether a scan has what none has."""


class _Patterns(NamedTuple):
    """What is looked for.

    A file may consist of millions of markers and small segments, too many for a loop. Each repetition is
    possessive or bounded, so that all take time in proportion to the bytes.
    """

    useless: re.Pattern[bytes]
    """All that is of no use up to a segment that is, or that is long."""
    end_of_scan: re.Pattern[bytes]
    """A marker that may end a scan: none of restart, and none that nothing has."""
    stray: re.Pattern[bytes]
    """What no scan has: it may be of something that was put behind a picture without an end marker."""
    end_or_stray: re.Pattern[bytes]
    """Either, so that the pixels of most pictures are looked through once."""


def copy(content: bytes) -> bytes:
    """Return the JPEG without what only its maker needs; the same object if there is nothing to drop.

    It takes time in proportion to the bytes, and no more memory than for the copy, whatever is in the file.

    Raises:
        NotAPictureError: it is no JPEG, is cut, or needs what browsers do not have.

    """
    if not content.startswith(_START_OF_IMAGE):
        raise NotAPictureError(Failure("not_a_picture", "The file is not a JPEG picture. Convert it to one."))
    copied = b"".join(_pieces(content))
    return content if copied == content else copied


def _pieces(content: bytes) -> list[Piece]:
    segments, failure = _segments(content)
    header = Header(_START_OF_IMAGE)
    pieces = header.pieces
    behind_scan, has_stray = 0, False
    for marker, payload, segment, is_with_stray in segments:
        if not _is_signed(marker, payload):
            pieces.append(segment)
        elif not behind_scan:
            header.add(marker, payload)
        if marker == _SOS:
            header.end()
            behind_scan, has_stray = len(pieces), is_with_stray
    is_ended = failure is None and behind_scan > 0
    if is_ended and not has_stray:
        return [*pieces, _END_OF_IMAGE]
    end = _end_of_pixels(pieces[:behind_scan]) if behind_scan else None
    if end is None and not is_ended:
        raise NotAPictureError(failure or truncated())
    return [*pieces[: behind_scan - 1], pieces[behind_scan - 1][:end], _END_OF_IMAGE]


def _end_of_pixels(pieces: list[Piece]) -> int | None:
    # Only where there is something to look for: it would be a quarter of what starting this module takes.
    from domain.public_copy.jpeg_entropy import end_of_pixels  # noqa: PLC0415

    return end_of_pixels(pieces)


def _segments(content: bytes) -> tuple[list[_Segment], Failure | None]:
    """Return the segments of use up to the end of the image, or up to what keeps decoders from reaching it.

    Raises:
        NotAPictureError: there are too many.

    """
    view, found = memoryview(content), list[_Segment]()
    at = len(_START_OF_IMAGE)
    while len(found) <= _MAX_SEGMENTS:
        at = _end_of_what_says_nothing(content, at)
        marker = content[at + 1] if at + 1 < len(content) else None
        if marker == _EOI:
            return found, None
        failure = _marker_failure(marker)
        end = at + 2 + max(2, int.from_bytes(view[at + 2 : at + 4]))
        if marker is None or failure or end > len(content):
            return found, failure or truncated()
        payload = view[at + 4 : end]
        failure = _payload_failure(marker, payload)
        if failure:
            return found, failure
        has_stray = False
        if marker == _SOS:
            end, has_stray = _end_of_scan(content, end)
            has_stray = has_stray or _patterns().stray.search(payload) is not None
        if _is_of_use(marker, payload):
            found.append(_Segment(marker, payload, view[at:end], has_stray))
        at = end
    raise NotAPictureError(too_complex(f"more than {_MAX_SEGMENTS:,} segments"))


def _is_of_use(marker: int, payload: memoryview) -> bool:
    if marker == _DNL:
        return len(payload) == _NUMBER_BYTES
    return marker not in _DROPPED or _is_signed(marker, payload)


def _is_signed(marker: int, payload: memoryview) -> bool:
    signature = SIGNATURES.get(marker)
    return signature is not None and payload[: len(signature)] == signature


def _marker_failure(marker: int | None) -> Failure | None:
    """Tell what keeps every browser from going on at this marker, None if nothing does."""
    if marker in _FEATURES:
        return unsupported(f"a JPEG with {_FEATURES[marker]}")
    if marker == _SOI:
        return corrupt("another image begins before its end")
    if marker is None or marker in _KNOWN:
        return None
    return corrupt(f"it has a marker FF{marker:02X}, which means nothing")


def _payload_failure(marker: int, payload: memoryview) -> Failure | None:
    """Tell what keeps every browser from going on at this segment, None if nothing does."""
    if marker in _FRAMES:
        return _frame_failure(payload)
    if marker == _SOS:
        is_whole = len(payload) > 0 and len(payload) == _SCAN_BYTES + _SCAN_COLOUR_BYTES * payload[0]
        return None if is_whole else corrupt("a scan of it has a header of a wrong length")
    if marker in _TABLES and not _is_whole(marker, payload):
        return corrupt("a table of it has a wrong length")
    return None


def _frame_failure(payload: memoryview) -> Failure | None:
    if len(payload) < _FRAME_BYTES or len(payload) != _FRAME_BYTES + _COLOUR_BYTES * payload[5]:
        return corrupt("its frame has a header of a wrong length")
    if payload[0] != _USUAL_BITS:
        return unsupported(f"a JPEG with {payload[0]} bits a colour")
    if not any(payload[1:3]):
        return unsupported("a JPEG that tells its height behind its pixels")
    return None


def _is_whole(marker: int, payload: memoryview) -> bool:
    """Tell whether tables end where their segment does."""
    if marker == _DRI:
        return len(payload) == _NUMBER_BYTES
    at = 0
    while at < len(payload):
        if marker == _DQT:
            at += 129 if payload[at] >> 4 else 65
        else:
            at += 17 + sum(payload[at + 1 : at + 17])
    return at == len(payload)


def _end_of_scan(content: bytes, at: int) -> tuple[int, bool]:
    """Return where the entropy-coded data ends, at a marker that is none of restart, or what fills up.

    And tell whether it has what no scan has.
    """
    patterns = _patterns()
    found = patterns.end_or_stray.search(content, at)
    has_stray = found is not None and patterns.stray.match(found[0]) is not None
    if found and has_stray:
        found = patterns.end_of_scan.search(content, found.end())
    end = found.start() if found else len(content)
    return at + len(content[at:end].rstrip(b"\xff")) if content[end - 1] == _FILL else end, has_stray


def _end_of_what_says_nothing(content: bytes, at: int) -> int:
    """Return where the next segment begins that is of use or long."""
    found = _patterns().useless.match(content, at)
    return found.end() if found else at


@functools.cache
def _patterns() -> _Patterns:
    signatures = b"|".join(map(re.escape, SIGNATURES.values()))
    begins = rb"\xff++"
    segment = (
        rb"[\xcc\xe0-\xef\xfe]\x00"
        rb"(?:[\x00-\x02]|%b|(?!.(?:%b))(?:%b))"
        % (_lengths(3, _SHORTEST_SIGNED), signatures, _lengths(_SHORTEST_SIGNED, _SHORT_SEGMENT_BYTES))
    )
    bare = rb"[\x00\x01\xd0-\xd7]"
    fill = rb"\xff+(?=\xff)"
    skipped = rb"(?:(?:[^\xff]++|%b(?:%b|%b))++|%b)*+" % (begins, segment, bare, fill)
    return _Patterns(
        re.compile(skipped, re.DOTALL),
        re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]"),
        re.compile(rb"\xff[\x01-\xbf]"),
        re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]"),
    )


def _lengths(first: int, end: int) -> bytes:
    return b"|".join(re.escape(bytes([length])) + b".{%d}" % (length - 2) for length in range(first, end))
