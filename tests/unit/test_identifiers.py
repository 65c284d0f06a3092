import pytest

from domain.errors import InvalidFieldsError
from domain.identifiers import name_some, parse_identifiers, parse_list
from domain.image import MAX_ID


@pytest.mark.parametrize("product_id", [1, 42, MAX_ID])
def test_an_identifier_is_an_integer_from_1_to_the_largest_that_json_clients_read(product_id: int) -> None:
    assert parse_identifiers({"product_id": str(product_id)}) == {"product_id": product_id}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "-1",
        "+1",
        "01",
        " 1",
        "1 ",
        "1\n",
        "1.0",
        "abc",
        "\u0661",
        str(MAX_ID + 1),
        "9" * 16,
        "1" * 5000,
    ],
)
def test_any_other_identifier_is_refused(text: str) -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        parse_identifiers({"product_id": text})
    assert [fault.field for fault in caught.value.faults] == ["product_id"]


def test_every_bad_identifier_of_a_path_is_named() -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        parse_identifiers({"product_id": "shoe", "image_id": "0"})
    assert [fault.field for fault in caught.value.faults] == ["product_id", "image_id"]


@pytest.mark.parametrize("text", ["1,2,30", " 1, 2 ,30"])
def test_a_list_of_identifiers_has_commas_between_them_and_perhaps_blanks(text: str) -> None:
    assert parse_list("product_ids", text) == [1, 2, 30]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "(nothing)"),
        ("1,,2", "(nothing)"),
        ("1,shoe,0", "shoe, 0"),
        (f"1,{MAX_ID + 1}", str(MAX_ID + 1)),
        (",".join("abcdefghijklm"), "a, b, c, d, e, f, g, h, i, j and 3 more"),
    ],
)
def test_what_is_no_identifier_in_a_list_is_named(text: str, named: str) -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        parse_list("product_ids", text)
    [fault] = caught.value.faults
    assert fault.field == "product_ids"
    assert fault.message.endswith(f"not: {named}.")


def test_ten_of_many_are_named() -> None:
    assert name_some([1, 2]) == "1, 2"
    assert name_some(range(1, 13)) == "1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more"
