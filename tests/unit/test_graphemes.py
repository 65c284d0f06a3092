import unicodedata
from itertools import accumulate

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from domain.graphemes import cut, may_be_cut
from domain.text import clean_text

WHOLE = [
    pytest.param("e\u0301\u0316", id="a letter with marks"),
    pytest.param("\u0e01\u0e33", id="Thai SARA AM"),
    pytest.param("\u0915\u094d\u0937\u093f", id="a conjunct of Devanagari"),
    pytest.param("\u0915\u094d\u200d\u0937", id="a conjunct with a joiner"),
    pytest.param("\u1100\u1161\u11a8", id="a Hangul syllable in letters"),
    pytest.param("\u1100\u1100\u1161", id="two beginnings of a Hangul syllable"),
    pytest.param("\u0600\u0661", id="a sign before a number"),
    pytest.param("\uff76\uff9e", id="halfwidth katakana with a sound mark"),
    pytest.param("\u2764\ufe0f\u200d\U0001f525", id="a heart on fire"),
    pytest.param("\U0001f468\U0001f3fd\u200d\U0001f469\U0001f3fb\u200d\U0001f467", id="a family"),
    pytest.param("\U0001f1e9\U0001f1ea", id="a flag"),
    pytest.param(
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", id="England's flag"
    ),
    pytest.param("1\ufe0f\u20e3", id="a keycap"),
]


@pytest.mark.parametrize("whole", WHOLE)
def test_what_a_reader_takes_for_one_character_is_kept_whole_or_not_at_all(whole: str) -> None:
    size = len(whole.encode())
    for max_bytes in range(1, size):
        assert cut(f"a{whole}b", max_bytes) == "a"
    assert cut(f"a{whole}b", size + 1) == f"a{whole}"


@pytest.mark.parametrize(
    ("text", "max_bytes", "kept"),
    [
        ("abc", 3, "abc"),
        ("abc", 2, "ab"),
        ("\u00e9\u00e9", 3, "\u00e9"),
        ("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", 12, "\U0001f1e9\U0001f1ea"),
        ("a\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", 13, "a\U0001f1e9\U0001f1ea"),
        ("\u0915\u0937", 3, "\u0915"),
        ("", 1, ""),
    ],
)
def test_as_many_characters_are_kept_as_fit(text: str, max_bytes: int, kept: str) -> None:
    assert cut(text, max_bytes) == kept


def test_a_single_character_that_does_not_fit_is_cut_between_its_code_points() -> None:
    assert cut("a" + "\u0301" * 200, 10) == "a" + "\u0301" * 4


def test_where_no_place_is_certain_the_cut_is_not_made_before_a_mark() -> None:
    assert cut("\u094d\u1100\ufe0f", 6) == "\u094d"


def test_where_no_place_is_certain_the_cut_is_not_made_before_a_joiner() -> None:
    joined = "\u094d\u200d" * 3
    assert cut(f"{joined}\U0001f468\u094d\u200d", 25) == joined


def test_a_virama_binds_the_next_letter_whatever_goes_on_between_them() -> None:
    assert cut("a0\u094d\U0001f3fd\u0915", 9) == "a"


SPECIAL = (
    "\u200d\u200c\ufe0f\u0301\u094d\u0915\u0937\u1100\u1161\u11a8\u0e33"
    "\U0001f1e9\U0001f468\U0001f3fd\U0001f525"
)
KNOWN = st.characters(codec="utf-8").filter(lambda character: unicodedata.category(character) != "Cn")


TEXTS = st.lists(st.sampled_from(SPECIAL) | KNOWN, max_size=30).map("".join).map(clean_text)


@given(TEXTS)
def test_no_place_is_certain_where_the_unicode_algorithm_makes_no_cut(text: str) -> None:
    # `regex` knows the whole algorithm.
    ends = set(accumulate(map(len, regex.findall(r"\X", text))))
    assert {at for at in range(1, len(text)) if may_be_cut(text, at)} <= ends


@given(TEXTS, st.integers(1, 60))
def test_a_text_is_cut_at_the_last_certain_place_that_fits(text: str, max_bytes: int) -> None:
    kept = cut(text, max_bytes)
    assert text.startswith(kept)
    assert len(kept.encode()) <= max_bytes
    certain = [at for at in range(1, len(text)) if may_be_cut(text, at)]
    fitting = [at for at in certain if len(text[:at].encode()) <= max_bytes]
    assert kept == text or not fitting or len(kept) == fitting[-1]
