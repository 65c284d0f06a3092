"""Measures what it costs to read a hostile body of an upload, beside an honest one of the same size.

CPU time of this process, in rounds that go through all kinds, so that a busy machine disturbs all alike.
A kind fails if it costs more than two honest bodies. Where the boundary was chosen against the search for it,
the measure is two decodings by the standard library: `re`, whose search no boundary slows down as much, would
double what honest bodies cost.
"""

import base64
import statistics
import sys
import time
from collections.abc import Callable

from tests.hostile_bodies import an_honest_body, bodies_against_the_search, hostile_bodies, read

_ROUNDS = 21
_SIZE_BYTES = 4_500_000
_HONEST, _STANDARD = "an honest body", "base64.b64decode of an honest body"


def cpu_milliseconds(work: Callable[[], object]) -> float:
    """Return the CPU time that `work` takes."""
    start = time.process_time_ns()
    work()
    return (time.process_time_ns() - start) / 1e6


def main() -> None:
    """Measure all kinds, print a table, and fail if one costs too much."""
    honest = an_honest_body(_SIZE_BYTES)
    hostile, against_the_search = hostile_bodies(_SIZE_BYTES), bodies_against_the_search(_SIZE_BYTES)
    bodies = {_HONEST: honest} | hostile | against_the_search
    works: dict[str, Callable[[], object]] = {
        name: lambda body=body: read(body)  # type: ignore[misc] # mypy knows no default of a lambda
        for name, body in bodies.items()
    }
    works[_STANDARD] = lambda: base64.b64decode(honest.text)
    rounds = [{name: cpu_milliseconds(work) for name, work in works.items()} for _ in range(_ROUNDS)]
    medians = {name: statistics.median(each[name] for each in rounds) for name in works}
    print(f"{_ROUNDS} rounds, {_SIZE_BYTES:,} bytes; CPU time in ms\n")
    print("| body | median | from | to | of 2 honest | of 2 b64decode |\n|---|---|---|---|---|---|")
    failed = []
    for name, median in medians.items():
        of_honest, of_standard = (median / (2 * medians[measure]) for measure in (_HONEST, _STANDARD))
        times = [each[name] for each in rounds]
        print(
            f"| {name} | {median:.2f} | {min(times):.2f} | {max(times):.2f} "
            f"| {of_honest:.2f} | {of_standard:.2f} |"
        )
        if (name in hostile and of_honest > 1) or (name in against_the_search and of_standard > 1):
            failed.append(name)
    if failed:
        sys.exit(f"\nSlower than it may be: {', '.join(failed)}")


if __name__ == "__main__":
    main()
