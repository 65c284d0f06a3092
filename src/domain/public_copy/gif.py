"""The public copy of a GIF: colours, images with what controls them, and how often they are repeated.

Blocks and extensions: GIF89a, 15 to 26. Browsers use nothing of other extensions, a colour profile neither.
"""

import functools
import re
from typing import NamedTuple

from domain.errors import NotAPictureError
from domain.failure import Failure
from domain.public_copy.faults import corrupt, too_complex, truncated

_SIGNATURES = (b"GIF87a", b"GIF89a")
_HEADER_BYTES, _FLAGS_AT = 13, 10
_HAS_COLOURS, _SIZE_OF_COLOURS = 0x80, 0x07
_EXTENSION, _IMAGE, _TRAILER = b"!", b",", b";"
_REPETITION = b"!\xff\x0bNETSCAPE2.0"
_NUMBER = b"\3\1"
"""What begins the block with the number of repetitions: its size, and that it is this."""
_CONTROL_BYTES = 8
_END_OF_DATA = b"\0"
_STEP = 16
MAX_NOTES = 1_000_000
"""Notes of a file, give or take two runs, in runs as long as one may be; each takes some 0.6 microseconds."""
_NOTES_IN_A_RUN = 50
"""More than stand between two images of any GIF that was not made to hurt."""
_MAX_RUNS = MAX_NOTES // _NOTES_IN_A_RUN
"""How often images and runs of notes may take turns; the longest GIFs have some thousand frames."""

type _Piece = bytes | memoryview


class _Patterns(NamedTuple):
    """What is looked for at one place.

    A file may consist of millions of blocks, too many for a loop. Each repetition is possessive, so that all
    take time in proportion to the bytes.
    """

    images: re.Pattern[bytes]
    """Images, each directly behind what controls it, if anything does."""
    notes: re.Pattern[bytes]
    """Extensions that show nothing."""
    controls: re.Pattern[bytes]
    """What controls the next image, of which the last one counts."""
    repetition: re.Pattern[bytes]
    """How often the images are repeated, as Netscape and others say it."""
    cut_image: re.Pattern[bytes]
    """An image up to the end of the file, without the byte that ends its data."""


def copy(content: bytes) -> bytes:
    """Return the GIF without what shows nothing; the same object if there is nothing to drop.

    It takes time in proportion to the bytes, and no more memory than for the copy, whatever is in the file.

    Raises:
        NotAPictureError: it is no GIF, is cut, or has no image.

    """
    if not content.startswith(_SIGNATURES):
        raise NotAPictureError(Failure("not_a_picture", "The file is not a GIF picture. Convert it to one."))
    copied = b"".join(_pieces(content))
    return content if copied == content else copied


def _pieces(content: bytes) -> list[_Piece]:
    view, patterns = memoryview(content), _patterns()
    at = _end_of_header(content)
    pieces: list[_Piece] = [view[:at]]
    control: _Piece = b""
    has_image = has_repetition = False
    for _ in range(_MAX_RUNS):
        start = at
        at = _behind(patterns.images, content, start)
        if at > start:
            has_image = True
            # One that has a control of its own needs no earlier one.
            pieces += [control if content.startswith(_IMAGE, start) else b"", view[start:at]]
            control = b""
        notes = _behind(patterns.notes, content, at)
        at = _behind(patterns.controls, content, notes)
        control = view[at - _CONTROL_BYTES : at] if at > notes else control
        repetition = at
        at = _behind(patterns.repetition, content, repetition)
        number = content[repetition + len(_REPETITION) : at][: len(_NUMBER) + 2]
        if number.startswith(_NUMBER) and not has_repetition:
            has_repetition = True
            pieces.append(_REPETITION + number + _END_OF_DATA)
        if at == start:
            return pieces + _end(content, at, control, has_image=has_image)
    raise NotAPictureError(too_complex(f"notes between its images more than {_MAX_RUNS:,} times"))


def _behind(pattern: re.Pattern[bytes], content: bytes, at: int) -> int:
    found = pattern.match(content, at)
    return found.end() if found else at


def _end_of_header(content: bytes) -> int:
    """Return where the first block begins, behind the screen and the colours of all images (18 and 19)."""
    flags = content[_FLAGS_AT] if len(content) >= _HEADER_BYTES else 0
    colours = 3 << (flags & _SIZE_OF_COLOURS) + 1 if flags & _HAS_COLOURS else 0
    at = _HEADER_BYTES + colours
    if at >= len(content):
        raise NotAPictureError(truncated())
    return at


def _end(content: bytes, at: int, control: _Piece, *, has_image: bool) -> list[_Piece]:
    """Return what ends the file: a trailer, and what an image lacks that has all its data.

    Whether that is all of it, a decoder finds out. Behind an image, browsers take anything else that is no
    block for the end.
    """
    introducer = content[at : at + 1]
    if introducer == _IMAGE:
        cut = _patterns().cut_image.match(content, at)
        if cut:
            return [control, cut[0], _END_OF_DATA, _TRAILER]
        raise NotAPictureError(truncated())
    if introducer == _EXTENSION or (not introducer and (control or not has_image)):
        raise NotAPictureError(truncated())
    if not has_image:
        raise NotAPictureError(corrupt("it has no frame"))
    return [_TRAILER]


@functools.cache
def _patterns() -> _Patterns:
    blocks = rb"(?:\xff.{255}|(?:\x01.)++|%b)*+" % b"|".join(map(_blocks, range(1, 0xFF, _STEP)))
    colours = b"|".join(
        b"[%b].{%d}"
        % (re.escape(bytes(flags for flags in range(0x80, 0x100) if flags & 7 == size)), 6 << size)
        for size in range(8)
    )
    # Most notes that come by the million have no block or one.
    short = b"|".join(rb"%b.{%d}\x00" % (re.escape(bytes([size])), size) for size in range(1, _STEP))
    control = rb"!\xf9\x04.{4}\x00"
    image = rb",.{8}(?:[\x00-\x7f]|%b).%b" % (colours, blocks)
    repetition = rb"!\xff\x0b(?:NETSCAPE2\.0|ANIMEXTS1\.0)"
    patterns = (
        rb"(?:(?:%b)?%b\x00)++" % (control, image),
        rb"(?:!(?!%b|%b).(?:\x00|%b|%b\x00)){1,%d}+"
        % (control[1:], repetition[1:], short, blocks, _NOTES_IN_A_RUN),
        rb"(?:%b)++" % control,
        rb"%b%b\x00" % (repetition, blocks),
        rb"%b\Z" % image,
    )
    return _Patterns(*(re.compile(pattern, re.DOTALL) for pattern in patterns))


def _blocks(first: int) -> bytes:
    """Return a pattern of blocks of some sizes from `first` on, which it tells at once from others."""
    sizes = range(first, min(first + _STEP, 0xFF))
    each = b"|".join(re.escape(bytes([size])) + b".{%d}" % size for size in sizes)
    return b"(?=[%b])(?:%b)" % (re.escape(bytes(sizes)), each)
