"""Undoing base64 and reading the form: of an ordinary upload, and of bodies made to be dear."""

from collections.abc import Callable
from pathlib import Path

from bench.bodies import BOUNDARY, hostile_request, upload_request
from bench.environments import package
from bench.results import Findings, Row, compare
from bench.worker import Worker, interleave

PART = "body"

_HOSTILE_BYTES = 4_500_000
_ROUNDS = 25
_FIRST_ROUNDS = 5
_TIMES = 5
_DEAREST = 3
_DELIMITER = f"--{BOUNDARY}".encode()
_FILE_HEAD = _DELIMITER + b'\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'
_TEXT_HEAD = _DELIMITER + b'\r\nContent-Disposition: form-data; name="%d"\r\n\r\n'


def _filled(head: bytes, filling: bytes, end: bytes = b"") -> bytes:
    room = _HOSTILE_BYTES - len(head) - len(end)
    return head + (filling * (room // len(filling) + 1))[:room] + end


_END = b"\r\n" + _DELIMITER + b"--\r\n"
_HOSTILE: dict[str, Callable[[], bytes]] = {
    "line ends before the first part": lambda: _filled(b"", b"\r\n", b"\r\n" + _FILE_HEAD + b"x" + _END),
    "line ends in the file": lambda: _filled(_FILE_HEAD, b"\r\n", _END),
    "dashes in the file": lambda: _filled(_FILE_HEAD, b"-", _END),
    "carriage returns in the file": lambda: _filled(_FILE_HEAD, b"\r", _END),
    "almost delimiters in the file": lambda: _filled(_FILE_HEAD, b"\r\n" + _DELIMITER[:-1], _END),
    "delimiters that go on": lambda: _filled(_FILE_HEAD, b"\r\n" + _DELIMITER + b"x", _END),
    "delimiters without line ends": lambda: _filled(_FILE_HEAD, _DELIMITER, _END),
    "a file without an end": lambda: _filled(_FILE_HEAD, b"x"),
    "nothing but line ends": lambda: _filled(b"", b"\r\n"),
    "nothing but delimiters": lambda: _filled(b"", _DELIMITER + b"\r\n"),
    "parts without headers": lambda: _filled(b"", _DELIMITER + b"\r\n\r\n\r\n"),
    "one endless header": lambda: _filled(_DELIMITER + b"\r\nContent-Disposition: form-data; name=", b"a"),
    "very many headers": lambda: _filled(_DELIMITER + b"\r\n", b"a: b\r\n"),
    "headers of quotes": lambda: _filled(_DELIMITER + b"\r\nContent-Disposition: form-data; name=", b'"\\'),
    "31 large fields": lambda: (
        b"\r\n".join(_TEXT_HEAD % number + b"\r\n" * (_HOSTILE_BYTES // 62 - 60) for number in range(31))
        + _END
    ),
    "the same field again and again": lambda: _filled(b"", _TEXT_HEAD % 1 + b"x\r\n"),
}
"""Bodies in which each byte makes a parser look twice; all of about 4.5 MB."""


def measure(report: Callable[[str], None]) -> Findings:
    """Compare reading a form with decoding its base64 once, by the standard library."""
    report("decoding and parsing 4 MB")
    ordinary = _row(
        "decoding and parsing an event of 4 MB, against the standard library's b64decode",
        *(upload_request(4_000_000), _ROUNDS, 0.10),
    )
    ratios = {}
    for number, name in enumerate(_HOSTILE, start=1):
        report(f"hostile body {number} of {len(_HOSTILE)}: {name}")
        ratios[name] = _hostile_row(name, _FIRST_ROUNDS).ratio or 0
    report("the dearest of them again")
    # So that none is called the worst for a moment in which the machine was busy.
    dearest = sorted(ratios, key=lambda name: -ratios[name])[:_DEAREST]
    again = {name: _hostile_row(name, _ROUNDS) for name in dearest}
    worst = max(again.values(), key=lambda row: row.ratio or 0)
    ratios |= {name: row.ratio or 0 for name, row in again.items()}
    return Findings([ordinary, worst], {"hostile_bodies": ratios})


def _hostile_row(name: str, rounds: int) -> Row:
    what = f"the worst hostile body of 4.5 MB ({name}), against b64decode of it"
    return _row(what, hostile_request(name, _HOSTILE[name]), rounds, 1)


def _row(what: str, request: Path, rounds: int, goal: float) -> Row:
    # In processes of their own for each body: what an earlier one did to the heap decides whether the
    # allocator returns the memory of the next one to the system and fetches it again, which doubles its cost.
    upload, module = package("UploadImageFunction"), "bench.form_reading"
    with Worker(upload, "read_form", module) as ours, Worker(upload, "b64decode", module) as reference:
        spent = interleave({"ours": ours, "reference": reference}, request, rounds=rounds, times=_TIMES)
    milliseconds = {name: [1000 * one for one in seconds] for name, seconds in spent.items()}
    return compare(PART, what, "ms of CPU", **milliseconds, goal=goal)
