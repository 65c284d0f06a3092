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
    assert results.rows == {"races": Row(5, 0 if outcome == "passed" else 5)}


def test_one_line_tells_what_is_tried_in_full_and_as_what_part_of_it_in_make_test() -> None:
    line = tried_more({"orders": (1_200, 8), "faults": (40, 6)})
    assert line.endswith(": 40 faults (6), 1,200 orders (8).")


def test_the_table_takes_the_place_of_the_old_one() -> None:
    document = with_results(
        f"before\n{PLACE}\nafter", {"faults": Row(1_200, 3), "races": Row(5)}, "commit 1a2b3c4", 31.4
    )
    assert document.startswith("before\n")
    assert document.endswith("\nafter")
    assert "old" not in document
    assert ", from commit 1a2b3c4, Python 3." in document
    assert " cores, 31 minutes.\n" in document
    assert "| faults | 1,200 | 1,197 | 3 |" in document
    assert "| all | 1,205 | 1,202 | 3 |" in document


def test_a_document_without_a_place_for_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="There is no"):
        with_results("no place", {}, "commit 1a2b3c4", 31.4)
