"""How much is tried, in `make test` and in `make torture`, and the table of what came of it.

A test that belongs to a row of the table bears the mark `torture("row")`, and tells the fixture `tried` how
many points it tries; one, if it does not tell. A test that fails has lost all of them. The workers of
pytest-xdist report to its controller, which counts and writes. Rows that were not tried this time stay as
they are: each says when, and from which commit, it was tried.
"""

import os
import re
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.origin import origin

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

FULL = "TORTURE" in os.environ
"""Whether the full numbers are asked for."""
_WRITES = os.environ.get("TORTURE") == "all"
"""Whether the rows are whole, and so are written into the table."""
_CHOSEN = [part for part in os.environ.get("ROWS", "").split(";") if part]
"""Parts of the names of the rows that are asked for; none are all."""

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
_BEGIN = "<!-- Results: written by `make torture` -->\n"
_END = "<!-- End of the results -->"

_POINTS = pytest.StashKey[int]()
_SIZES: dict[str, tuple[float, float]] = {}
"""What is counted, and how much of it is tried in full and in `make test`."""
_NAMES: set[str] = set()
"""All rows that there are."""
_ROW = re.compile(
    r"^\| (?P<name>.+) \| (?P<tried>[\d,]+) \| [\d,]+ \| (?P<lost>[\d,]+) \| (?P<when>.+) \|$", re.MULTILINE
)


@dataclass(slots=True)
class Row:
    """What was tried of one kind of fault, on which day and from which commit."""

    tried: int = 0
    lost: int = 0
    when: str = ""

    def add(self, points: int, *, survived: bool) -> None:
        """Count the points of one test."""
        self.tried += points
        self.lost += 0 if survived else points


class Results:
    """Counts what the tests report, in whichever process they ran, and writes it down at the end."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.is_whole = True
        self._when = f"{datetime.now(UTC):%Y-%m-%d}, {origin()}"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count the points of one test."""
        for name, value in report.user_properties:
            match name, value:
                case "torture", [str(row), int(points)]:
                    known = self.rows.setdefault(str(row), Row(when=self._when))
                    known.add(points, survived=report.passed)

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self) -> None:
        """Know that a worker ended amid a test, which therefore reports no points."""
        self.is_whole = False

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Write the table, but not of a run that was interrupted."""
        is_over = exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}
        if self.rows and self.is_whole and is_over:
            DOCUMENT.write_text(with_results(DOCUMENT.read_text(), self.rows, _NAMES))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say why there is no table."""
        if not self.is_whole:
            terminalreporter.write_line(f"{DOCUMENT.name} is left as it was: a process ended amid a test.")


def size[T: float | Sequence[object]](full: T, bounded: T, of: str) -> T:
    """Return how much is tried in `make torture`, or in `make test`; `of` says what is counted."""
    known_full, known_bounded = _SIZES.get(of, (0, 0))
    _SIZES[of] = (known_full + _count(full), known_bounded + _count(bounded))
    return full if FULL else bounded


def _count(amount: float | Sequence[object]) -> float:
    return len(amount) if isinstance(amount, Sequence) else amount


@pytest.fixture
def tried(request: pytest.FixtureRequest) -> Callable[[int], None]:
    """Take the number of points that the test tries."""

    def take(points: int) -> None:
        request.node.stash[_POINTS] = points

    return take


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "torture(row): belongs to this row of the table of results")
    if _WRITES and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Results())


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out rows that are not asked for."""
    names = {item: mark.args[0] for item in items if (mark := item.get_closest_marker("torture"))}
    _NAMES.update(names.values())
    if _CHOSEN:
        left_out = [item for item in items if not any(part in names.get(item, "") for part in _CHOSEN)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput |= {"sizes": _SIZES, "names": sorted(_NAMES)}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: "WorkerController") -> None:
    """Take over what is tried from a worker: each has read every test, the controller none."""
    # One that crashed tells nothing.
    told = getattr(node, "workeroutput", {})
    _SIZES.update(told.get("sizes", {}))
    _NAMES.update(told.get("names", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if FULL:
        terminalreporter.write_line(tried_more(_SIZES))


def tried_more(sizes: Mapping[str, tuple[float, float]]) -> str:
    """Return the line that says of each thing how many are tried in full, and in `make test`."""
    each = (f"{full:,} {of} ({bounded:,})" for of, (full, bounded) in sorted(sizes.items()))
    return f"Tried in full, and in `make test` as many as the brackets say: {', '.join(each)}."


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    mark = item.get_closest_marker("torture")
    if mark and (call.when == "call" or (call.when == "setup" and report.failed)):
        report.user_properties.append(("torture", [mark.args[0], item.stash.get(_POINTS, 1)]))
    return report


def with_results(document: str, rows: Mapping[str, Row], names: Collection[str]) -> str:
    """Return the document with these rows in its table of results, and of the others those in `names`.

    Raises:
        ValueError: the document has no place for them.

    """
    before, begin, rest = document.partition(_BEGIN)
    old, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError(f"There is no {_BEGIN.strip()!r} with {_END!r} after it.")
    kept = {name: row for name, row in _rows_in(old) if name in names}
    return f"{before}{_BEGIN}\n{_table({**kept, **rows})}\n{_END}{after}"


def _rows_in(table: str) -> Iterator[tuple[str, Row]]:
    for found in _ROW.finditer(table):
        tried, lost = (int(found[which].replace(",", "")) for which in ("tried", "lost"))
        yield found["name"], Row(tried, lost, found["when"])


def _table(rows: Mapping[str, Row]) -> str:
    lines = ["| what | points tried | survived | lost | when |", "|---|---|---|---|---|"]
    total = Row(sum(row.tried for row in rows.values()), sum(row.lost for row in rows.values()), "")
    for name, row in [*sorted(rows.items()), ("all", total)]:
        lines.append(f"| {name} | {row.tried:,} | {row.tried - row.lost:,} | {row.lost:,} | {row.when} |")
    return "\n".join(lines) + "\n"
