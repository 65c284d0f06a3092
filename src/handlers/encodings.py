"""Decodes the bytes of a text by its byte order mark, by what the client declared, or as UTF-8."""

import codecs

from domain.text import clean_short_text

_CODECS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    # Its bytes mean the same in UTF-8.
    "us-ascii": "utf-8",
    # Whoever says ISO-8859-1 means what Windows makes of it (WHATWG Encoding Standard, 4.2).
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "windows-1252": "cp1252",
    "iso-8859-15": "iso8859-15",
    "utf-16": "utf-16-le",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}
"""What is decoded: the encodings that clients were seen to declare, by names of the IANA registry."""
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class EncodingError(ValueError):
    """The bytes are no text in their encoding; the message goes on behind the name of what they are."""


def decode(content: bytes, declared: str | None) -> str:
    """Return the text, without its byte order mark; where there is one, it tells the encoding.

    `declared` is the charset of a Content-Type, if there was one.

    Raises:
        EncodingError: the declared encoding is none of those above, or the bytes are not in it.

    """
    name = (declared or "utf-8").strip().lower()
    codec = _CODECS.get(name)
    for mark, marked in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            name, codec, content = marked, marked, content.removeprefix(mark)
            break
    if codec is None:
        raise EncodingError(
            f"is declared as {clean_short_text(name)}, which is not read here. Send it in UTF-8."
        )
    try:
        return content.decode(codec)
    except UnicodeDecodeError as error:
        wrong = content[error.start : error.end].hex(" ").upper()
        raise EncodingError(
            f"is not in {name.upper()}: it has the bytes {wrong} at position {error.start}. "
            "Send it in UTF-8, or name its encoding in its Content-Type, like charset=iso-8859-1."
        ) from None
