import pytest

from domain.errors import InvalidFieldsError
from domain.identifiers import parse_identifiers
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
