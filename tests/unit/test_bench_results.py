import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import callgrind
from bench.environments import ROOT, BenchmarkError
from bench.results import Findings, Row, compare, state, write


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


def test_the_results_of_a_run_take_the_place_of_all_before(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    write(path, [Findings([_row("old")], {"old": 1})], {"machine": "old"})
    found = [Findings([_row("init")], {"init": 1}), Findings([_row("upload", 2)], {"upload": 2})]
    write(path, found, {"machine": "m"})
    results = json.loads(path.read_text())
    assert [(row["part"], row["ours"]) for row in results["rows"]] == [("init", 1), ("upload", 2)]
    assert (results["series"], results["machine"]) == ({"init": 1, "upload": 2}, "m")


def test_without_valgrind_the_benchmark_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BenchmarkError, match=r"valgrind.* apt-get install valgrind.* BENCH=upload"):
        callgrind.require_valgrind()


@pytest.mark.parametrize(
    ("parts", "is_missing"), [((), True), (("init",), True), (("upload", "body"), False)]
)
def test_what_is_missing_is_said_before_anything_is_built(parts: tuple[str, ...], is_missing: bool) -> None:
    # Nothing is installed yet by then.
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from bench.needs import main; main()"
    command = [sys.executable, "-I", "-S", "-c", program, *parts]
    done = subprocess.run(command, cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True, check=False)
    assert (done.returncode, "apt-get install valgrind" in done.stderr) == (int(is_missing), is_missing)
