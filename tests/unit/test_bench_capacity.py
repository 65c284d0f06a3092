import pytest

from bench.capacity import index_units, item_size, read_units, write_units

OPEN = {"pk": {"S": "a"}, "open_shard": {"S": "OPEN#01"}, "open_since": {"S": "2026"}}
CLOSED = {"pk": {"S": "a"}}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "Maße"}, 5),
        ({"N": "7"}, 2),
        ({"N": "-12.5"}, 4),
        ({"N": "1000"}, 2),
        ({"B": b"abc"}, 3),
        ({"BOOL": True}, 1),
        ({"L": [{"S": "ab"}]}, 6),
        ({"M": {"k": {"N": "12"}}}, 7),
    ],
)
def test_an_item_is_as_large_as_its_name_and_value(value: dict[str, object], size: int) -> None:
    assert item_size({"name": value}) == len("name") + size


def test_a_value_that_no_item_holds_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="SS"):
        item_size({"name": {"SS": ["a"]}})


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


def test_the_index_takes_a_unit_to_enter_one_to_leave_two_to_move_and_none_to_stay() -> None:
    moved = {**OPEN, "open_since": {"S": "2027"}}
    assert index_units({}, OPEN) == 1
    assert index_units(OPEN, CLOSED) == 1
    assert index_units(OPEN, moved) == 2
    assert index_units(OPEN, {**OPEN, "status": {"S": "ready"}}) == 0
    assert index_units(CLOSED, CLOSED) == 0
