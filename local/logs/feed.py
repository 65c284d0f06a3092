"""Fetches what was logged: by the functions from the emulator, by the gateway from the front's file."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from local.logs.records import LAST_LINE, Record, read_failed_start, read_invocation, read_record
from local.logs.request import GATEWAY

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import FilteredLogEventTypeDef


class LogFeed:
    """Hands out each record once."""

    def __init__(self, client: "CloudWatchLogsClient", gateway_log: Path, emulator_log: Path) -> None:
        """Read the log groups that `client` sees and two files, which need not exist yet."""
        self._client = client
        self._gateway_log = gateway_log
        self._emulator_log = emulator_log
        self._read_bytes: dict[Path, int] = defaultdict(int)
        self._seen: set[str] = set()
        self._since: dict[str, int] = {}

    def read(self) -> list[Record]:
        """Return what is new, in the order of time."""
        gateway = (read_record(GATEWAY, line) for line in self._new_lines(self._gateway_log))
        failed_starts = (read_failed_start(line) for line in self._new_lines(self._emulator_log))
        from_files = [record for record in (*gateway, *failed_starts) if record]
        return sorted([*self._of_functions(), *from_files], key=lambda record: record.at)

    def _of_functions(self) -> Iterator[Record]:
        for page in self._client.get_paginator("describe_log_groups").paginate():
            for group in page["logGroups"]:
                yield from self._of_function(group["logGroupName"])

    def _of_function(self, group: str) -> Iterator[Record]:
        # One answer holds so many events at most.
        while invocations := self._new_invocations(group):
            for lines in invocations:
                yield from read_invocation(group.rpartition("/")[2], lines)

    def _new_invocations(self, group: str) -> list[list[tuple[datetime, str]]]:
        """Return what was logged by each invocation; the emulator keeps each in a stream of its own."""
        since = self._since.get(group, 0)
        events = self._client.filter_log_events(logGroupName=group, startTime=since)["events"]
        streams = defaultdict[str, list["FilteredLogEventTypeDef"]](list)
        for event in events:
            streams[event["logStreamName"]].append(event)
        # One that the answer cut short comes whole with the next.
        new = {
            name: stream
            for name, stream in streams.items()
            if name not in self._seen and stream[-1]["message"].startswith(LAST_LINE)
        }
        self._seen |= new.keys()
        self._since[group] = max([since, *(stream[-1]["timestamp"] for stream in new.values())])
        return [[(_moment(event["timestamp"]), event["message"]) for event in one] for one in new.values()]

    def _new_lines(self, path: Path) -> Iterator[str]:
        if not path.is_file():
            return
        with path.open("rb") as file:
            file.seek(self._read_bytes[path])
            for line in file:
                # One that is being written comes with the next reading.
                if not line.endswith(b"\n"):
                    break
                self._read_bytes[path] += len(line)
                yield line.decode(errors="replace").rstrip()


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
