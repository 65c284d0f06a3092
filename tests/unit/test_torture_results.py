"""The table of results counts what it is told."""

from typing import Literal

import pytest

from tests.torture.results import Results, Row, tried_more, with_results

PLACE = "<!-- Results: written by `make torture` -->\nold\n<!-- End of the results -->"


def test_points_of_a_failed_test_are_lost() -> None:
    row = Row()
    row.add(3, survived=True)
    row.add(4, survived=False)
    assert row == Row(tried=7, lost=4)


@pytest.mark.parametrize("outcome", ["passed", "failed"])
def test_the_points_of_a_test_are_counted_in_its_row(outcome: Literal["passed", "failed"]) -> None:
    told: list[tuple[str, object]] = [("other", 1), ("torture", ["races", 5])]
    report = pytest.TestReport("test_x", ("", 0, ""), {}, outcome, None, "call", user_properties=told)
    results = Results()
    results.pytest_runtest_logreport(report)
    [(name, row)] = results.rows.items()
    assert (name, row.tried, row.lost) == ("races", 5, 0 if outcome == "passed" else 5)
    assert ", commit " in row.when


def test_one_line_tells_what_is_tried_in_full_and_as_what_part_of_it_in_make_test() -> None:
    line = tried_more({"orders": (1_200, 8), "faults": (40, 6)})
    assert line.endswith(": 40 faults (6), 1,200 orders (8).")


def test_the_table_takes_the_place_of_the_old_one() -> None:
    rows = {"faults": Row(1_200, 3, "2026-12-01, commit 1a2b3c4"), "races": Row(5)}
    document = with_results(f"before\n{PLACE}\nafter", rows, rows)
    assert document.startswith("before\n")
    assert document.endswith("\nafter")
    assert "old" not in document
    assert "| faults | 1,200 | 1,197 | 3 | 2026-12-01, commit 1a2b3c4 |" in document
    assert "| all | 1,205 | 1,202 | 3 |  |" in document


def test_rows_that_were_not_tried_stay_and_those_that_there_are_no_more_go() -> None:
    names = {"faults", "races"}
    first = {"faults": Row(1_200, 3, "first"), "races": Row(5, 0, "first"), "gone": Row(7, 0, "first")}
    document = with_results(PLACE, first, first)
    document = with_results(document, {"races": Row(6, 0, "later")}, names)
    assert "| faults | 1,200 | 1,197 | 3 | first |" in document
    assert "| races | 6 | 6 | 0 | later |" in document
    assert "gone" not in document
    assert "| all | 1,206 | 1,203 | 3 |  |" in document


def test_a_document_without_a_place_for_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="There is no"):
        with_results("no place", {}, [])
