import pytest

from handlers.encodings import EncodingError, decode

WORD = "Gr\u00fc\u00dfe \u20ac"


@pytest.mark.parametrize(
    ("content", "declared"),
    [
        (WORD.encode(), None),
        (WORD.encode(), "utf-8"),
        (WORD.encode(), " UTF-8 "),
        (WORD.encode(), "utf8"),
        (WORD.encode("cp1252"), "windows-1252"),
        # With the euro sign, which ISO-8859-1 has not: what clients mean by the name.
        (WORD.encode("cp1252"), "ISO-8859-1"),
        (WORD.encode("cp1252"), "latin1"),
        (WORD.encode("iso8859-15"), "iso-8859-15"),
        (WORD.encode("utf-16-le"), "utf-16"),
        (WORD.encode("utf-16-le"), "utf-16le"),
        (WORD.encode("utf-16-be"), "UTF-16BE"),
    ],
)
def test_a_text_is_read_in_the_encoding_that_is_declared(content: bytes, declared: str | None) -> None:
    assert decode(content, declared) == WORD


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("declared", [None, "utf-8", "iso-8859-1", "ebcdic"])
def test_a_byte_order_mark_tells_the_encoding_and_is_no_text(codec: str, declared: str | None) -> None:
    assert decode(WORD.encode(codec), declared) == WORD


def test_the_mark_of_the_other_byte_order_is_known_too() -> None:
    assert decode(("\ufeff" + WORD).encode("utf-16-be"), None) == WORD


@pytest.mark.parametrize(
    ("content", "declared", "reason"),
    [
        (b"Gr\xfc\xdfe", None, "is not in UTF-8: it has the bytes FC at position 2."),
        (b"\xe2\x82", "utf-8", "is not in UTF-8: it has the bytes E2 82 at position 0."),
        (b"\xed\xa0\x80", None, "is not in UTF-8: it has the bytes ED at position 0."),
        (b"a\x81", "iso-8859-1", "is not in ISO-8859-1: it has the bytes 81 at position 1."),
        (b"\xff\xfea\x00b", None, "is not in UTF-16-LE: it has the bytes 62 at position 2."),
        (b"a", "ebcdic", "is declared as ebcdic, which is not read here."),
        (b"a", "\u202ex\n", "is declared as x, which is not read here."),
    ],
)
def test_bytes_of_another_encoding_are_named(content: bytes, declared: str | None, reason: str) -> None:
    with pytest.raises(EncodingError) as refused:
        decode(content, declared)
    assert str(refused.value).startswith(reason)
    assert "UTF-8" in str(refused.value).removeprefix(reason)
