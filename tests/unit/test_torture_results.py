"""The table of results counts what it is told."""

import pytest

from tests.torture.results import Row, with_results

PLACE = "<!-- Results: written by `make torture` -->\nold\n<!-- End of the results -->"


def test_points_of_a_failed_test_are_lost() -> None:
    row = Row()
    row.add(3, survived=True)
    row.add(4, survived=False)
    assert row == Row(tried=7, lost=4)


def test_the_table_takes_the_place_of_the_old_one() -> None:
    document = with_results(
        f"before\n{PLACE}\nafter", {"faults": Row(1_200, 3), "races": Row(5)}, "commit 1a2b3c4"
    )
    assert document.startswith("before\n")
    assert document.endswith("\nafter")
    assert "old" not in document
    assert ", from commit 1a2b3c4, Python 3." in document
    assert "| faults | 1,200 | 1,197 | 3 |" in document
    assert "| all | 1,205 | 1,202 | 3 |" in document


def test_a_document_without_a_place_for_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="There is no"):
        with_results("no place", {}, "commit 1a2b3c4")
