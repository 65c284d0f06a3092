import pytest

from tests.figures import differences, is_rounding


@pytest.mark.parametrize(
    ("stated", "now"),
    [
        ("0.30", "0.30"),
        ("0.30", "0.31"),
        ("0.31", "0.30"),
        ("0.672", "0.732"),
        ("1,500.5", "1,501.5"),
        ("7", "7"),
    ],
)
def test_a_figure_may_move_by_a_rounding(stated: str, now: str) -> None:
    assert is_rounding(stated, now)


@pytest.mark.parametrize(
    ("stated", "now"),
    [("0.30", "0.34"), ("0.672", "0.752"), ("1,500.5", "1,700.5"), ("14", "15"), ("14", "14.5")],
)
def test_a_figure_that_moved_further_is_another_one(stated: str, now: str) -> None:
    assert not is_rounding(stated, now)


def test_a_page_differs_by_the_figures_that_moved() -> None:
    assert differences("S3 0.30, in all 23.97", "S3 0.31, in all 23.98") == []
    assert differences("S3 0.30, in all 23.97", "S3 0.45, in all 24.12") == ["0.30, now 0.45"]
    assert differences("14 writes", "15 writes") == ["14, now 15"]


def test_a_page_differs_by_its_words_but_not_by_where_its_lines_end() -> None:
    assert differences("one line\nand another", "one line and\nanother") == []
    assert differences("S3 0.30\nSQS 0.10", "S3 0.30\nSNS 0.10") == ["- SQS 0.10", "+ SNS 0.10"]
    assert differences("S3 0.30", "S3 0.30\nS4 0.40") == ["+ S4 0.40"]
