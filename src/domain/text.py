"""Makes texts that clients send safe to keep, show and log."""

import unicodedata

MAX_TEXT_BYTES = 255
"""What is kept of a name or a text, in bytes of UTF-8: the limit of common file systems (NAME_MAX)."""

_LONGEST_COMPOSITION = 4
"""Characters that NFC makes one of, at most."""
_UNSAFE_CATEGORIES = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that reorder what is displayed around them (Unicode UAX 9); they can disguise a name."""


def clean_text(text: str) -> str:
    """Return `text` in NFC on one line, without controls, cut to 255 bytes at a character."""
    safe = "".join(_safe_character(character) for character in text)
    # NFC sorts the marks on a letter in the square of their number: it gets no more than can be kept.
    beginning = " ".join(safe.split())[: MAX_TEXT_BYTES * _LONGEST_COMPOSITION]
    return _cut(unicodedata.normalize("NFC", beginning))


def clean_file_name(name: str) -> str:
    """Return the last component of a client's file name, cleaned; it may be empty."""
    return clean_text(name.replace("\\", "/").rpartition("/")[2]).strip(". ")


def _safe_character(character: str) -> str:
    if character in _BIDI_CONTROLS:
        return ""
    return " " if unicodedata.category(character) in _UNSAFE_CATEGORIES else character


def _cut(text: str) -> str:
    return text.encode()[:MAX_TEXT_BYTES].decode(errors="ignore").rstrip()
