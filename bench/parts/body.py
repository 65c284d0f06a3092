"""Undoing base64 and reading the form: of an ordinary upload, and of bodies made to be dear."""

import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.bodies import hostile_request, upload_request
from bench.environments import package
from bench.results import Findings, Row, compare
from bench.worker import Worker, interleave
from tests.hostile_bodies import Body, bodies_against_the_search, hostile_bodies

PART = "body"

_ORDINARY_BYTES = 4_000_000
_HOSTILE_BYTES = 4_500_000
_ROUNDS = 25
_FIRST_ROUNDS = 5
_TIMES = 5
_DEAREST = 3
_STEPS = ("read_form", "base64", "search", "copy", "crc32")
_NANOSECONDS = 1_000_000_000


def measure(report: Callable[[str], None]) -> Findings:
    """Compare reading a form with decoding its base64 once, by the standard library."""
    report("decoding and parsing 4 MB")
    ordinary = _row(
        "decoding and parsing an event of 4 MB, against the standard library's b64decode",
        *(upload_request(_ORDINARY_BYTES), _ROUNDS, 0.10),
    )
    ratios = {}
    hostile = hostile_bodies(_HOSTILE_BYTES) | bodies_against_the_search(_HOSTILE_BYTES)
    for number, (name, body) in enumerate(hostile.items(), start=1):
        report(f"hostile body {number} of {len(hostile)}: {name}")
        ratios[name] = _hostile_row(name, body, _FIRST_ROUNDS).ratio or 0
    report("the dearest of them again")
    # So that none is called the worst for a moment in which the machine was busy.
    dearest = sorted(ratios, key=lambda name: -ratios[name])[:_DEAREST]
    again = {name: _hostile_row(name, hostile[name], _ROUNDS) for name in dearest}
    worst = max(again.values(), key=lambda row: row.ratio or 0)
    ratios |= {name: row.ratio or 0 for name, row in again.items()}
    report("step by step")
    series = {
        "hostile_bodies": ratios,
        "form_milliseconds": _steps(),
        "hostile_search_nanoseconds": max(
            _search_nanoseconds(body) for body in bodies_against_the_search(_HOSTILE_BYTES).values()
        ),
    }
    return Findings([ordinary, worst], series)


def _steps() -> dict[str, float]:
    """Return the milliseconds of reading an ordinary form, and of each step of it alone."""
    spent = _in_turns(_STEPS, upload_request(_ORDINARY_BYTES), _ROUNDS)
    return {step: 1000 * statistics.median(seconds) for step, seconds in spent.items()}


def _search_nanoseconds(body: Body) -> float:
    """Return what each byte takes of the search for the boundary."""
    request = hostile_request(body.text, body.content_type)
    seconds = statistics.median(_in_turns(("search",), request, _FIRST_ROUNDS)["search"])
    return _NANOSECONDS * seconds / _HOSTILE_BYTES


def _hostile_row(name: str, body: Body, rounds: int) -> Row:
    what = f"the worst hostile body of 4.5 MB ({name}), against b64decode of it"
    # docs/performance.md says why it has no goal any more.
    return _row(what, hostile_request(body.text, body.content_type), rounds, None)


def _row(what: str, request: Path, rounds: int, goal: float | None) -> Row:
    spent = _in_turns(("read_form", "b64decode"), request, rounds)
    ours, reference = ([1000 * one for one in seconds] for seconds in spent.values())
    return compare(PART, what, "ms of CPU", ours=ours, reference=reference, goal=goal)


def _in_turns(calls: Sequence[str], request: Path, rounds: int) -> dict[str, list[float]]:
    # In processes of their own for each body: what an earlier one did to the heap decides whether the
    # allocator returns the memory of the next one to the system and fetches it again, which doubles its cost.
    upload = package("UploadImageFunction")
    with ExitStack() as stack:
        workers = {
            call: stack.enter_context(Worker(upload, call, module="bench.form_reading")) for call in calls
        }
        return interleave(workers, request, rounds=rounds, times=_TIMES)
