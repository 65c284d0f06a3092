import pytest

from domain.errors import InvalidFieldsError
from domain.image_details import ImageDetails
from domain.upload_fields import UploadFields, parse_upload_fields

SPELLINGS = (str.lower, str.upper, str.title)


@pytest.mark.parametrize(
    "word", [spell(word) for word in ("true", "1", "yes", "on", "t") for spell in SPELLINGS]
)
def test_a_word_for_true_is_true_in_any_case(word: str) -> None:
    assert parse_upload_fields({"is_primary": word}).is_primary is True


@pytest.mark.parametrize(
    "word", [spell(word) for word in ("false", "0", "no", "off", "f") for spell in SPELLINGS]
)
def test_a_word_for_false_is_false_in_any_case(word: str) -> None:
    assert parse_upload_fields({"is_primary": word}).is_primary is False


@pytest.mark.parametrize(
    "word", ["2", "-1", "maybe", "y", "none", "null", "truee", "true,false", "\uff54rue"]
)
def test_any_other_word_is_no_boolean(word: str) -> None:
    assert faulty_fields(is_primary=word) == ["is_primary"]


@pytest.mark.parametrize(
    "fields", [{}, {"alt_text": "", "is_primary": "", "order": ""}, {"is_primary": " ", "order": " "}]
)
def test_an_empty_field_counts_as_not_sent(fields: dict[str, str]) -> None:
    assert parse_upload_fields(fields) == UploadFields(ImageDetails(), is_primary=False)


def test_space_around_a_value_is_ignored() -> None:
    fields = {"alt_text": " A red shoe\r\n", "is_primary": " true ", "order": "\t3\n"}
    assert parse_upload_fields(fields) == UploadFields(ImageDetails("A red shoe", 3), is_primary=True)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("0", 0),
        ("7", 7),
        ("+7", 7),
        ("-7", -7),
        ("-0", 0),
        ("007", 7),
        ("2147483647", 2**31 - 1),
        ("-2147483648", -(2**31)),
    ],
)
def test_an_order_is_a_signed_32_bit_integer(text: str, order: int) -> None:
    assert parse_upload_fields({"order": text}).details.order == order


@pytest.mark.parametrize(
    "text",
    ["2147483648", "-2147483649", "9" * 5000, "1.0", "1e3", "0x10", "1_000", "1 000", "+", "one", "\u0663"],
)
def test_any_other_order_is_refused(text: str) -> None:
    assert faulty_fields(order=text) == ["order"]


def test_an_alternative_text_has_at_most_1_000_characters() -> None:
    longest = "\U0001f45f" * 1_000
    assert parse_upload_fields({"alt_text": longest}).details.alt_text == longest
    assert faulty_fields(alt_text=longest + "x") == ["alt_text"]


def test_a_line_break_of_a_form_counts_as_one_character() -> None:
    assert parse_upload_fields({"alt_text": "a\r\n" * 500}).details.alt_text == "a " * 499 + "a"


def test_every_field_that_breaks_a_rule_is_named() -> None:
    faults = faulty_fields(alt_text="x" * 1_001, is_primary="perhaps", order="last")
    assert faults == ["alt_text", "is_primary", "order"]


def test_an_unknown_field_is_ignored() -> None:
    assert parse_upload_fields({"colour": "red"}) == parse_upload_fields({})


def faulty_fields(**fields: str) -> list[str]:
    with pytest.raises(InvalidFieldsError) as caught:
        parse_upload_fields(fields)
    return [fault.field for fault in caught.value.faults]
