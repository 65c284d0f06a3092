import json
from pathlib import Path

import pytest

from bench import callgrind
from bench.environments import BenchmarkError
from bench.results import Findings, Row, compare, merge, state


def _row(part: str, ours: float = 1, goal: float | None = 0.5) -> Row:
    return compare(part, f"{part} row", "ms of CPU", ours=[ours], reference=[4], goal=goal)


def test_a_comparison_is_the_median_of_the_pairs_ratios_not_the_ratio_of_the_medians() -> None:
    row = compare("upload", "a row", "ms of CPU", ours=[1, 2, 9], reference=[2, 8, 10], goal=0.5)
    assert (row.ours, row.reference, row.ratio, row.spread) == (2, 8, 0.5, (0.25, 0.9))


def test_the_spread_of_many_rounds_is_the_middle_half_of_their_ratios() -> None:
    row = compare("upload", "a row", "ms of CPU", ours=[1, 2, 3, 4, 100], reference=[1] * 5, goal=None)
    assert row.spread == (2, 4)


@pytest.mark.parametrize(("goal", "holds"), [(0.25, True), (0.24, False), (None, None)])
def test_a_goal_holds_up_to_itself(goal: float | None, holds: bool | None) -> None:
    assert _row("upload", goal=goal).holds is holds


@pytest.mark.parametrize(("limit", "holds"), [(10, True), (9, False), (None, None)])
def test_a_statement_holds_up_to_its_limit(limit: float | None, holds: bool | None) -> None:
    assert state("packages", "size", "bytes", ours=10, limit=limit).holds is holds


def test_a_part_that_is_measured_again_takes_the_place_of_what_it_found(tmp_path: Path) -> None:
    path, order = tmp_path / "results.json", ["init", "upload"]
    for part, ours in (("upload", 1), ("init", 1), ("upload", 2)):
        merge(path, Findings([_row(part, ours)], {part: ours}), {"machine": "m"}, part=part, order=order)
    results = json.loads(path.read_text())
    assert [(row["part"], row["ours"]) for row in results["rows"]] == [("init", 1), ("upload", 2)]
    assert (results["series"], results["machine"]) == ({"upload": 2, "init": 1}, "m")


def test_without_valgrind_the_benchmark_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BenchmarkError, match=r"valgrind.* apt-get install valgrind.* BENCH=upload"):
        callgrind.require_valgrind()
