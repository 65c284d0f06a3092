import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.text import MAX_SHORT_BYTES, clean_file_name, clean_short_text, clean_text

INVISIBLE = "\u200d\u200c\ufe0f\u200f\u200b\U000e0067\U000e007f"
ANY_TEXT = st.lists(
    st.text(st.characters(codec=None), max_size=4)
    | st.sampled_from(INVISIBLE + "\U0001f3f4\U0001f525\u2764\u0645\u0915 e\u0301")
).map("".join)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("A red shoe", "A red shoe"),
        ("  A \t red\r\nshoe ", "A red shoe"),
        ("A\x00red\x1bshoe\x7f", "A red shoe"),
        ("one\u2028two\u2029three\x85four", "one two three four"),
        ("cafe\u0301", "caf\u00e9"),
        ("cafe\u200b\u0301", "caf\u00e9"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("no \ufffe\uffff\ufdd0\U0001fffe\U0010ffff character", "no character"),
        ("", ""),
    ],
)
def test_a_text_is_kept_on_one_line_without_controls(sent: str, kept: str) -> None:
    assert clean_text(sent) == kept


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\U0001fae9 and \U0001facd", id="emoji of later Unicodes"),
        pytest.param("\U000323b0", id="an ideograph of a later Unicode"),
        pytest.param("\ue000 \uf8ff \U000f0000", id="private use"),
        pytest.param("\U0001f468\u200d\U0001f469\u200d\U0001f467", id="a family"),
        pytest.param("\u2764\ufe0f\u200d\U0001f525", id="a heart on fire"),
        pytest.param("\U0001f469\U0001f3fd\u200d\U0001f680", id="an astronaut with a tone of skin"),
        pytest.param("1\ufe0f\u20e3", id="a keycap"),
        pytest.param("\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", id="Scotland"),
        pytest.param("\u845b\U000e0100\u57ce", id="a variant of an ideograph"),
        pytest.param("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", id="Persian"),
        pytest.param("\u0915\u094d\u200d\u0937", id="Hindi"),
        pytest.param("\u0dc1\u0dca\u200d\u0dbb\u0dd3", id="Sinhala"),
        pytest.param("\u05e0\u05e2\u05dc C++\u200e!", id="a mark of direction in Hebrew"),
        pytest.param("\u0646\u0639\u0644 (XL)\u200f.", id="a mark of direction in Arabic"),
        pytest.param("\u1820\u180b", id="a variant of a Mongolian letter"),
    ],
)
def test_what_a_script_or_an_emoji_needs_is_kept(text: str) -> None:
    assert clean_text(text) == text


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
        ("\u2066isolated\u2069 \u200emark\u061c", "isolated mark"),
        ("\u202b\u05e0\u05e2\u05dc\u202c", "\u05e0\u05e2\u05dc"),
        ("ze\u200bro\ufeff w\u2060id\u00adth\u3164", "zero width"),
        ("jo\u200din\u200cer", "joiner"),
        ("\u0645\u200c\u200c\u200d\u0645", "\u0645\u200c\u0645"),
        ("\U0001f525\u200d and \u200d\U0001f525", "\U0001f525 and \U0001f525"),
        ("a\U000e0068\U000e0069b", "ab"),
        ("\U0001f3f4\U000e0068\U000e0069", "\U0001f3f4"),
        ("\U0001f3f4" + "\U000e0068" * 7 + "\U000e007f", "\U0001f3f4"),
        ("a\ufe01\ufe02\U000e0101b", "a\ufe01b"),
        (" \ufe0f a", "a"),
        ("\U000e0001\U000e01f0", ""),
    ],
)
def test_what_is_never_seen_is_dropped(sent: str, kept: str) -> None:
    assert clean_text(sent) == kept


@given(ANY_TEXT)
def test_a_cleaned_text_is_always_safe(text: str) -> None:
    cleaned = clean_text(text)
    assert unicodedata.is_normalized("NFC", cleaned)
    assert not {unicodedata.category(character) for character in cleaned} & {"Cc", "Cs", "Zl", "Zp"}
    assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069") & set(cleaned)
    assert cleaned == " ".join(cleaned.split())


@given(ANY_TEXT.filter(lambda text: not any(map(unicodedata.combining, text))))
def test_a_cleaned_text_is_clean(text: str) -> None:
    # Marks aside: NFC may put them into another order, and another one in front of a joiner.
    assert clean_text(clean_text(text)) == clean_text(text)


# --- Short ones -----------------------------------------------------------------------------------------


def test_a_short_text_is_cut_between_characters() -> None:
    assert clean_short_text("a" + "\u00e9" * 200) == "a" + "\u00e9" * 127
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert clean_short_text(family * 20) == family * (255 // len(family.encode()))


def test_marks_far_behind_what_is_kept_are_not_even_sorted() -> None:
    # 16,384 marks on one letter took 130 ms.
    begun = "a" + "\u0301" * 1_100
    assert clean_short_text(begun + "\u0316" * 1_100) == clean_short_text(begun)


def test_a_text_of_the_longest_compositions_is_kept_as_long_as_any() -> None:
    composed = [chr(code) for code in range(0x110000) if unicodedata.is_normalized("NFC", chr(code))]
    longest = max(composed, key=lambda character: len(unicodedata.normalize("NFD", character)))
    sent = unicodedata.normalize("NFD", longest)
    assert len(sent) == 4
    assert clean_short_text(sent * 255) == longest * (255 // len(longest.encode()))


def test_a_cut_leaves_no_space_at_the_end() -> None:
    assert clean_short_text("a" * (MAX_SHORT_BYTES - 1) + " b") == "a" * (MAX_SHORT_BYTES - 1)


@given(ANY_TEXT)
def test_a_short_text_is_a_beginning_of_the_whole_one(text: str) -> None:
    assert clean_text(text).startswith(clean_short_text(text))
    assert len(clean_short_text(text).encode()) <= MAX_SHORT_BYTES


# --- File names -----------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a" * 300 + ".jpg", "a" * 251 + ".jpg"),
        ("a" * 300 + ".JPEG. ", "a" * 250 + ".JPEG"),
        ("\u00e9" * 300 + ".webp", "\u00e9" * 125 + ".webp"),
        ("e\u0301" * 1_000 + ".webp", "\u00e9" * 125 + ".webp"),
        ("\U0001f1e9\U0001f1ea" * 40 + ".png", "\U0001f1e9\U0001f1ea" * 31 + ".png"),
        ("a" * 250 + " " * 2 + "b.jpg", "a" * 250 + ".jpg"),
        ("a" * 300 + ".longestextension", "a" * 255),
        ("a" * 300 + ".j\u00e9g", "a" * 255),
        ("a." + "b" * 300, "a." + "b" * 253),
        ("a" * 254 + "." + "\u00e9", "a" * 254),
        ("a" * 300, "a" * 255),
    ],
)
def test_a_long_file_name_keeps_its_extension(sent: str, kept: str) -> None:
    assert clean_file_name(sent) == kept


@given(ANY_TEXT)
def test_a_cleaned_file_name_is_never_a_path(name: str) -> None:
    cleaned = clean_file_name(name)
    assert not {"/", "\\"} & set(cleaned)
    assert cleaned == cleaned.strip(". ")
    assert len(cleaned.encode()) <= MAX_SHORT_BYTES
