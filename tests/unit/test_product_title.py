import pytest

from domain.errors import InvalidFieldsError
from domain.product_title import TITLE_LIMIT, clean_title, search_text, search_words


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Red shoe", "Red shoe"),
        ("  Red\n\tshoe\u200b ", "Red shoe"),
        ("", None),
        (" \u200b", None),
        (None, None),
    ],
)
def test_a_title_is_kept_on_one_line_and_is_none_if_it_is_empty(text: str | None, title: str | None) -> None:
    assert clean_title(text) == title


def test_a_title_has_a_limit_of_characters_as_they_are_kept() -> None:
    assert clean_title("e\u0301" * TITLE_LIMIT) == "\u00e9" * TITLE_LIMIT
    with pytest.raises(InvalidFieldsError) as refused:
        clean_title("t" * (TITLE_LIMIT + 1))
    assert refused.value.faults[0].field == "title"


@pytest.mark.parametrize(
    "query",
    ["straße 40", "STRASSE", "\uff33trasse", "7 Straße", "stra\u200bsse"],
)
def test_case_width_and_what_is_not_seen_do_not_count_in_a_search(query: str) -> None:
    text = search_text(7, "Größe Straße 40")
    assert all(word in text for word in search_words(query))


def test_a_product_without_a_title_is_found_by_its_number() -> None:
    assert search_text(7, None) == "7"


def test_a_word_that_is_said_twice_is_looked_for_once() -> None:
    assert search_words("Red red  SHOE") == ("red", "shoe")
