"""Cuts texts between what a reader takes for characters: extended grapheme clusters (Unicode UAX 29, 3).

Categories and a few ranges tell enough to find one place for a cut. Where they leave a doubt, no cut is made.
"""

import unicodedata

_MARKS = frozenset({"Mn", "Mc", "Me"})
_VIRAMA = 9
"""Combining class of the sign that binds a consonant to the next one."""
_JOINER = "\u200d"
_CONTINUING = (
    ("\u0e33", "\u0e33"),
    ("\u0eb3", "\u0eb3"),
    ("\u200c", "\u200d"),
    ("\uff9e", "\uff9f"),
    ("\U0001f3fb", "\U0001f3ff"),
    ("\U000e0020", "\U000e007f"),
)
"""What goes on with any character and is no mark: vowels of Thai and Lao, joiners, sound marks of halfwidth
katakana, tones of skin, tags of flags."""
_LEADING = (
    ("\u0600", "\u0605"),
    ("\u06dd", "\u06dd"),
    ("\u070f", "\u070f"),
    ("\u0890", "\u0891"),
    ("\u08e2", "\u08e2"),
    ("\u0d4e", "\u0d4e"),
)
"""What belongs to the character that follows: signs of numbers and verses, a dot of Malayalam (historic
scripts left out)."""
_HANGUL = (("\u1100", "\u11ff"), ("\ua960", "\ua97f"), ("\uac00", "\ud7ff"))
_HANGUL_BEGINNINGS = (("\u1100", "\u115f"), ("\ua960", "\ua97f"))
_HANGUL_REST = (("\u1160", "\u11ff"), ("\ud7b0", "\ud7ff"))
_HANGUL_ENDS = (("\u11a8", "\u11ff"), ("\ud7cb", "\ud7ff"))
_JOINED = frozenset({"So", "Sm", "Cn"})
"""Categories of emoji, some of which this Python may not know yet."""
_REGIONS = (("\U0001f1e6", "\U0001f1ff"),)
"""Letters two of which make a flag."""


def cut(text: str, max_bytes: int) -> str:
    """Return as many whole characters from the beginning of `text` as fit into `max_bytes` of UTF-8.

    If the first one alone is larger, it is cut between its code points, before a mark only if there are none
    but marks.
    """
    encoded = text.encode()
    if len(encoded) <= max_bytes:
        return text
    fitting = encoded[:max_bytes].decode(errors="ignore")
    end = len(fitting)
    while end and not may_be_cut(text, end):
        end -= 1
    return text[:end] or text[: _before_marks(text, len(fitting))] or fitting


def _before_marks(text: str, at: int) -> int:
    while at and _goes_on(text[at]):
        at -= 1
    return at


def may_be_cut(text: str, at: int) -> bool:
    """Tell whether a character certainly ends at this place, from 1 to the last one in `text`."""
    before, after = text[at - 1], text[at]
    if _goes_on(after) or _is_in(before, _LEADING):
        return False
    if _is_in(before, _HANGUL) and _is_in(after, _HANGUL):
        if _is_in(before, _HANGUL_BEGINNINGS):
            return _is_in(after, _HANGUL_ENDS)
        return not _is_in(after, _HANGUL_REST)
    if _is_in(after, _REGIONS):
        return _count_regions_before(text, at) % 2 == 0
    if unicodedata.category(after) in _JOINED:
        return before != _JOINER
    return unicodedata.category(after) != "Lo" or not _is_bound(text, at)


def _goes_on(character: str) -> bool:
    return _is_mark(character) or _is_in(character, _CONTINUING)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in _MARKS


def _is_in(character: str, ranges: tuple[tuple[str, str], ...]) -> bool:
    return any(first <= character <= last for first, last in ranges)


def _count_regions_before(text: str, at: int) -> int:
    start = at
    while start and _is_in(text[start - 1], _REGIONS):
        start -= 1
    return at - start


def _is_bound(text: str, at: int) -> bool:
    """Tell whether a virama stands in front of a letter, or among what goes on with the one before."""
    while at and _goes_on(text[at - 1]):
        at -= 1
        if unicodedata.combining(text[at]) == _VIRAMA:
            return True
    return False
