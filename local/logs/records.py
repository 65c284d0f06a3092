"""Reads records out of what the runtime keeps of an invocation, without the runtime's own lines."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from domain.moments import iso_utc

LAST_LINE = "REPORT RequestId: "
"""With which the runtime ends what it keeps of an invocation."""

_PLATFORM = re.compile(r"(START|END|REPORT|INIT_START) ")
_STARTED = re.compile(r"START RequestId: (?P<request_id>\S+)")
_CRASH = re.compile(r"Traceback \(most recent call last\)|Task timed out after ")
_REFUSAL = "Exception: Unauthorized"
"""How an authorizer tells API Gateway to answer 401, which is no crash (`handlers.authorize`)."""
_FAILED_START = re.compile(
    r"(?P<at>[-\d]+ [:\d]+) ERROR \[lambda\] Warm worker execution error for "
    r".+-(?P<logical_id>\w+)-\w+: (?P<reason>.*)"
)
_METRICS = "_aws"
"""The key that makes a line metrics, not a record (CloudWatch, "Embedded metric format")."""
_NOT_SHOWN = frozenset(
    {
        *("level", "message", "timestamp", "service", "location", "xray_trace_id"),
        *("exception", "exception_name", "stack_trace"),
    }
)


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that was logged, in UTC; `level` is empty for text that came without one."""

    at: datetime
    function: str
    level: str
    message: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    traceback: str = ""

    @property
    def request_id(self) -> str | None:
        """The API's request, or the invocation of a function that no request called."""
        return self.fields.get("request_id")

    @property
    def is_failure(self) -> bool:
        """Tell whether somebody should look at it."""
        return self.level in {"ERROR", "CRITICAL"}


def read_invocation(function: str, lines: Iterable[tuple[datetime, str]]) -> Iterator[Record]:
    """Yield the records of one invocation; `lines` are what the runtime kept of it, with its times."""
    request_id, text = "", list[str]()
    at = datetime.min.replace(tzinfo=UTC)
    for at, line in lines:
        record = read_record(function, line)
        if record is None and not _PLATFORM.match(line) and not _is_metrics(line):
            text.append(line)
            continue
        yield from _read_text(function, at, request_id, text)
        text.clear()
        if record:
            yield record
        elif started := _STARTED.match(line):
            request_id = started["request_id"]
    yield from _read_text(function, at, request_id, text)


def read_record(function: str, line: str) -> Record | None:
    """Read a line that the logger wrote; None for any other."""
    content = _read_object(line)
    if not content.keys() >= {"level", "message", "timestamp"}:
        return None
    return Record(
        at=datetime.fromisoformat(content["timestamp"]).astimezone(UTC),
        function=function,
        level=content["level"],
        message=str(content["message"]),
        fields={name: value for name, value in content.items() if name not in _NOT_SHOWN},
        traceback=content.get("exception", ""),
    )


def read_failed_start(line: str) -> Record | None:
    """Read a line of the emulator's own log that says why a function did not start; None for any other.

    Nothing of that stands in the function's log group.
    """
    said = _FAILED_START.fullmatch(line)
    if said is None:
        return None
    # The emulator writes the time of this machine's clock on the wall, without a zone.
    at = datetime.fromisoformat(said["at"]).astimezone(UTC)
    words = re.findall(r"[A-Z][a-z0-9]*", said["logical_id"].removesuffix("Function"))
    return Record(at, "-".join(words).lower(), "ERROR", said["reason"])


def write_record(at: datetime, level: str, message: str, fields: Mapping[str, Any]) -> str:
    """Return the line that `read_record` reads."""
    return json.dumps({"level": level, "message": message, "timestamp": iso_utc(at), **fields})


def _read_object(line: str) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _is_metrics(line: str) -> bool:
    return _METRICS in _read_object(line)


def _read_text(function: str, at: datetime, request_id: str, lines: list[str]) -> Iterator[Record]:
    """Read lines that no logger wrote: what was printed, and at the end the traceback of a crash."""
    crash = next((number for number, line in enumerate(lines) if _CRASH.match(line)), len(lines))
    fields = {"request_id": request_id} if request_id else {}
    for line in lines[:crash]:
        if line.strip():
            yield Record(at, function, "", line, fields)
    traceback = lines[crash:]
    if traceback and traceback[-1] != _REFUSAL:
        yield Record(at, function, "ERROR", traceback[-1], fields, "\n".join(traceback))
