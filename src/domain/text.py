"""Makes texts that clients send safe to keep, show and log."""

import re
import unicodedata

from domain.graphemes import cut

MAX_SHORT_BYTES = 255
"""What is kept of a name, in bytes of UTF-8: the limit of common file systems (NAME_MAX)."""

_LONGEST_COMPOSITION = 4
"""Characters that NFC makes one of, at most."""
_MAX_EXTENSION = 10
"""Characters of what is taken for a file name's extension."""

# Patterns below are compiled by the first text that needs them, and kept by `re`: at import they would take
# 3 ms of each cold start, and most names and texts are ASCII.
_NO_CHARACTERS = (
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef"
    f"{''.join(f'{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}' for plane in range(0, 0x110000, 0x10000))}]"
)
"""Controls, separators of lines and paragraphs, halves of characters, and what Unicode will never assign."""
_UNSEEN = (
    "[\u00ad\u034f\u17b4\u17b5\u200b\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0080-\U000e00ff\U000e01f0-\U000e0fff]"
)
"""What shows nothing of itself and may disguise what is beside it: spaces without width, fillers, controls of
notation, and those controls of direction that embed, override or isolate (Unicode UAX 9, 2)."""
_MARKS_OF_DIRECTION = "[\u061c\u200e\u200f]"
_RIGHT_TO_LEFT = (
    "[\u0590-\u061b\u061d-\u08ff\ufb1d-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc"
    "\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
"""Blocks that are read from the right (Unicode's DerivedBidiClass.txt)."""
_PICTOGRAPHS = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u2328\u232b-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff\U0001fc00-\U0001fffd"
)
"""Where emoji are and will be (Unicode UTS 51, Extended_Pictographic)."""
_JOINING_SCRIPTS = (
    "\u0600-\u109f\u1700-\u18af\u1900-\u1cff\ua800-\uabff\ufb50-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc"
    "\U00010a00-\U00010aff\U00010d00-\U00010d3f\U00010f30-\U00010fff\U00011000-\U00011fff\U0001e900-\U0001e95f"
)
"""Blocks of scripts whose letters join, those of Arabia, India and their kin: there a joiner is spelling."""
_SELECTORS = "\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
_SHAPING = f"\u200c\u200d{_SELECTORS}\U000e0000-\U000e007f"
_ATTACHED = (
    f"(?=[{_SHAPING}])"
    rf"((?<=\S)[{_SELECTORS}])?"
    f"((?<=[{_PICTOGRAPHS}\ufe0f])\u200d(?=[{_PICTOGRAPHS}])"
    f"|(?<=[{_JOINING_SCRIPTS}])[\u200c\u200d]"
    "|(?<=\U0001f3f4)[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f)?"
    f"[{_SHAPING}]*"
)
"""A run of what shapes the character before it. Of such a run a character may have one selector, then a
joiner in an emoji or in a script that needs it, or a flag's tags (UTS 51, ED-14a); the rest shows nothing."""


def clean_text(text: str) -> str:
    """Return `text` on one line, in NFC, without what is no character or is never seen.

    Kept are characters for private use, and those that this Python does not know yet. NFC sorts the marks on
    a letter in the square of their number: whoever calls bounds the length.
    """
    return unicodedata.normalize("NFC", _one_line(text))


def clean_short_text(text: str) -> str:
    """Return `text` cleaned, and cut to 255 bytes between what a reader takes for characters."""
    return _shorten(_one_line(text), MAX_SHORT_BYTES)


def clean_file_name(name: str) -> str:
    """Return the last component of a client's file name, cleaned; it may be empty.

    Of more than 255 bytes it keeps its extension and the beginning of what stands before that.
    """
    line = _one_line(name.replace("\\", "/").rpartition("/")[2]).strip(". ")
    stem, _, extension = line.rpartition(".")
    if not (stem and extension.isascii() and extension.isalnum() and len(extension) <= _MAX_EXTENSION):
        return _shorten(line, MAX_SHORT_BYTES).strip(". ")
    return f"{_shorten(stem, MAX_SHORT_BYTES - len(extension) - 1)}.{extension}"


def _one_line(text: str) -> str:
    if not (text.isascii() and text.isprintable()):
        text = _without_unseen(re.sub(_NO_CHARACTERS, " ", text))
    return " ".join(text.split())


def _without_unseen(text: str) -> str:
    seen = re.sub(_UNSEEN, "", text)
    if not re.search(_RIGHT_TO_LEFT, seen):
        seen = re.sub(_MARKS_OF_DIRECTION, "", seen)
    return re.sub(_ATTACHED, r"\1\2", seen)


def _shorten(line: str, max_bytes: int) -> str:
    # No more goes into NFC than can be kept, for what it costs.
    return cut(unicodedata.normalize("NFC", line[: max_bytes * _LONGEST_COMPOSITION]), max_bytes).rstrip()
