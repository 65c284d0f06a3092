import pytest

from bench.calls import CALLS, read_units, write_units
from bench.growth import CATALOGUES, GROWING, PAGE, limits_section


@pytest.mark.parametrize("route", CALLS)
def test_the_page_found_at_every_size_what_the_table_of_calls_says(route: str) -> None:
    (row,) = [line for line in PAGE.read_text().splitlines() if line.startswith(f"| {route} |")]
    _, cells = row.strip("| ").split(" | ", maxsplit=1)
    expected = f"{len(CALLS[route])} · {read_units(route):g} · {write_units(route):g}"
    found = cells.split(" | ")
    if route in GROWING:
        # Its largest galleries take more, as the page says.
        found = [found[0], *found[-len(CATALOGUES) :]]
    assert set(found) == {expected, *(["refused"] if route == "reorder" else [])}


def test_the_page_states_the_limits_of_the_present_block_size_and_shards() -> None:
    assert limits_section() in PAGE.read_text(), "Write it again: make growth"
