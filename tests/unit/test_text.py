import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.text import MAX_TEXT_BYTES, clean_file_name, clean_text

ANY_TEXT = st.text(st.characters(codec=None))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("A red shoe", "A red shoe"),
        ("  A \t red\r\nshoe ", "A red shoe"),
        ("A\x00red\x1bshoe\x7f", "A red shoe"),
        ("one\u2028two\u2029three\x85four", "one two three four"),
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
        ("\u2066isolated\u2069 \u200emark\u061c", "isolated mark"),
        ("cafe\u0301", "caf\u00e9"),
        ("cafe\u200e\u0301", "caf\u00e9"),
        ("lone \ud800 surrogate", "lone surrogate"),
        (
            "family \U0001f468\u200d\U0001f469\u200d\U0001f467",
            "family \U0001f468\u200d\U0001f469\u200d\U0001f467",
        ),
        ("", ""),
    ],
)
def test_a_text_is_kept_on_one_line_without_controls(sent: str, kept: str) -> None:
    assert clean_text(sent) == kept


def test_a_long_text_is_cut_at_a_character() -> None:
    assert clean_text("a" + "\u00e9" * 200) == "a" + "\u00e9" * 127


def test_marks_far_behind_what_is_kept_are_not_even_sorted() -> None:
    # 16,384 marks on one letter took 130 ms.
    begun = "a" + "\u0301" * 1_100
    assert clean_text(begun + "\u0316" * 1_100) == clean_text(begun)


def test_a_text_of_the_longest_compositions_is_kept_as_long_as_any() -> None:
    composed = [chr(code) for code in range(0x110000) if unicodedata.is_normalized("NFC", chr(code))]
    longest = max(composed, key=lambda character: len(unicodedata.normalize("NFD", character)))
    sent = unicodedata.normalize("NFD", longest)
    assert len(sent) == 4
    assert clean_text(sent * 255) == longest * (255 // len(longest.encode()))


def test_a_cut_leaves_no_space_at_the_end() -> None:
    assert clean_text("a" * (MAX_TEXT_BYTES - 1) + " b") == "a" * (MAX_TEXT_BYTES - 1)


@given(ANY_TEXT)
def test_a_cleaned_text_is_always_safe(text: str) -> None:
    cleaned = clean_text(text)
    assert unicodedata.is_normalized("NFC", cleaned)
    assert len(cleaned.encode()) <= MAX_TEXT_BYTES
    assert not {unicodedata.category(character) for character in cleaned} & {"Cc", "Cs", "Zl", "Zp"}
    assert cleaned == " ".join(cleaned.split())


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("shoe.jpg", "shoe.jpg"),
        ("/etc/passwd", "passwd"),
        ("../../shoe.jpg", "shoe.jpg"),
        ("C:\\Users\\Maria\\shoe.jpg", "shoe.jpg"),
        ("mixed\\up/shoe.jpg", "shoe.jpg"),
        ("folder/", ""),
        ("..", ""),
        (".hidden", "hidden"),
        (" shoe.jpg. ", "shoe.jpg"),
        ("sh\noe.jpg", "sh oe.jpg"),
        ("", ""),
    ],
)
def test_a_file_name_is_kept_without_its_path(sent: str, kept: str) -> None:
    assert clean_file_name(sent) == kept


@given(ANY_TEXT)
def test_a_cleaned_file_name_is_never_a_path(name: str) -> None:
    cleaned = clean_file_name(name)
    assert not {"/", "\\"} & set(cleaned)
    assert cleaned == cleaned.strip(". ")
