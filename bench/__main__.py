"""`make bench`: measures part by part, says how far it is, and writes results and report.

Only a run of all parts writes: so all that stands in the results was measured on the day, on the machine and
with the versions that stand beside it.
"""

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from bench.environments import ROOT, BenchmarkError, about
from bench.origin import origin
from bench.parts import body, init, metadata, packages, renditions, upload
from bench.report import write_report
from bench.results import Findings, Row, write

RESULTS = ROOT / "bench/results.json"

PARTS: dict[str, Callable[[Callable[[str], None]], Findings]] = {
    init.PART: init.measure,
    upload.PART: upload.measure,
    body.PART: body.measure,
    metadata.PART: metadata.measure,
    renditions.PART: renditions.measure,
    packages.PART: packages.measure,
}


def main() -> None:
    """Run the parts that the command line names, or all of them."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"one of {', '.join(PARTS)}")
    names = set(parser.parse_args().parts or PARTS)
    if unknown := names - PARTS.keys():
        sys.exit(f"There is no part {', '.join(unknown)}; choose from {', '.join(PARTS)}.")
    measured_from = origin()
    try:
        found = [_run(name) for name in PARTS if name in names]
        if names == PARTS.keys():
            measured_at = datetime.now(UTC).isoformat(timespec="seconds")
            write(RESULTS, found, {"origin": measured_from, **about(measured_at)})
            write_report(RESULTS, ROOT / "docs")
        else:
            print("bench/results.json and docs/performance.md stay as they are: only make bench writes them.")
    except BenchmarkError as error:
        sys.exit(f"\n{error}")


def _run(name: str) -> Findings:
    started = time.monotonic()

    def report(doing: str) -> None:
        line = f"{name}: {doing} ({time.monotonic() - started:.0f} s)"
        # On a terminal each line takes the place of the one before.
        print(*(("\r", f"{line:<78}") if sys.stdout.isatty() else (line, "\n")), sep="", end="", flush=True)

    report("begins")
    found = PARTS[name](report)
    report("done")
    print()
    for row in found.rows:
        print(_line(row))
    return found


def _line(row: Row) -> str:
    if row.ratio is None:
        return f"  {row.name}: {row.ours:,.0f} {row.unit}"
    spread = "" if row.spread is None else f" [{row.spread[0]:.3f} to {row.spread[1]:.3f}]"
    goal = "" if row.goal is None else f", goal {row.goal:g}: {'holds' if row.holds else 'MISSED'}"
    return f"  {row.name}: {row.ratio:.3f}{spread}{goal}"


if __name__ == "__main__":
    main()
