import pytest

from bench.capacity import index_units, item_size, read_units, write_units

CLOSED = {"pk": {"S": "a"}, "sk": {"S": "b"}}
OPEN = {**CLOSED, "open_shard": {"S": "OPEN#01"}, "open_since": {"S": "2026"}}
SHOWN = {**CLOSED, "place": {"S": "1"}}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "Maße"}, 5),
        ({"N": "7"}, 2),
        ({"N": "-12.5"}, 4),
        ({"N": "1000"}, 2),
        ({"B": b"abc"}, 3),
        ({"SS": ["ab", "c"]}, 3),
        ({"BOOL": True}, 1),
        ({"L": [{"S": "ab"}]}, 6),
        ({"M": {"k": {"N": "12"}}}, 7),
    ],
)
def test_an_item_is_as_large_as_its_name_and_value(value: dict[str, object], size: int) -> None:
    assert item_size({"name": value}) == len("name") + size


def test_a_value_that_no_item_holds_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="NS"):
        item_size({"name": {"NS": ["1"]}})


@pytest.mark.parametrize(
    ("size", "consistent", "eventual"), [(0, 1, 0.5), (4096, 1, 0.5), (4097, 2, 1), (1_000_000, 245, 122.5)]
)
def test_reading_takes_a_unit_for_each_4_kb_and_half_of_it_if_not_consistent(
    size: int, consistent: float, eventual: float
) -> None:
    assert read_units(size, is_consistent=True) == consistent
    assert read_units(size, is_consistent=False) == eventual


@pytest.mark.parametrize(
    ("before", "after", "units"), [(0, 0, 1), (0, 1021, 1), (0, 1022, 2), (3000, 10, 3), (10, 3000, 3)]
)
def test_writing_takes_a_unit_for_each_kb_of_the_larger_of_both_items(
    before: int, after: int, units: int
) -> None:
    # The attribute's name is three bytes.
    items = [{"abc": {"S": "x" * size}} if size else {} for size in (before, after)]
    assert write_units(*items) == units


def test_the_index_of_open_records_takes_a_unit_to_enter_one_to_leave_two_to_move_and_none_to_stay() -> None:
    moved = {**OPEN, "open_since": {"S": "2027"}}
    assert index_units({}, OPEN) == 1
    assert index_units(OPEN, CLOSED) == 1
    assert index_units(OPEN, moved) == 2
    assert index_units(OPEN, {**OPEN, "status": {"S": "ready"}}) == 0
    assert index_units(CLOSED, CLOSED) == 0


def test_the_gallerys_index_takes_the_same_and_a_unit_for_whatever_else_changes() -> None:
    assert index_units({}, SHOWN) == 1
    assert index_units(SHOWN, CLOSED) == 1
    assert index_units(SHOWN, {**SHOWN, "place": {"S": "2"}}) == 2
    assert index_units(SHOWN, {**SHOWN, "status": {"S": "ready"}}) == 1
    assert index_units(SHOWN, SHOWN) == 0


def test_the_gallerys_index_takes_a_unit_for_each_kb_of_an_entry() -> None:
    large = {**SHOWN, "name": {"S": "x" * 1024}}
    assert [index_units(*items) for items in (({}, large), (large, SHOWN), (large, {}))] == [2, 2, 2]
    assert index_units(large, {**large, "place": {"S": "2"}}) == 4


def test_the_index_of_products_takes_a_unit_for_a_new_title_and_none_for_a_count() -> None:
    listed = {**CLOSED, "listing": {"S": "PRODUCT"}, "product_id": {"N": "1"}, "search": {"S": "1 shoe"}}
    assert index_units({}, listed) == 1
    assert index_units(listed, {**listed, "search": {"S": "1 boot"}}) == 1
    assert index_units(listed, {**listed, "image_count": {"N": "2"}}) == 0


def test_a_write_is_counted_in_each_index() -> None:
    assert index_units({}, {**OPEN, **SHOWN}) == 2
