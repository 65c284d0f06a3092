"""Runs what opens strangers' files in a process of its own, so that no file can crash the function."""

import json
import logging
import os
import resource
import select
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from domain.text import clean_short_text

_log = logging.getLogger(__name__)

_PIPE_BYTES = 65_536
"""What a pipe holds, and gives in one piece (pipe(7))."""
_TAKEN_AWAY = (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC, resource.RLIMIT_CORE)
"""What the child may not do: open a file or a socket, write to a file, start a process or a thread, leave a
core (setrlimit(2)). Root may start processes all the same."""


class Answer(NamedTuple):
    """What a child answers: words, which are written as JSON, and bytes behind them.

    Nothing in it is to be trusted: a picture may have taken the decoder over. It is not pickled, so that
    nothing in it is run.
    """

    said: Any
    content: bytes | memoryview = b""


class TookTooLongError(Exception):
    """The child did not answer in time."""


class ChildProcess:
    """Limits the time, the memory and the reach of work; if the work crashes, the function goes on.

    The work has no file, socket or environment, and cannot get one. So load what it needs beforehand.
    """

    def __init__(self, *, max_seconds: float, max_memory_bytes: int, max_answer_bytes: int) -> None:
        self.max_seconds = max_seconds
        self._max_memory_bytes = max_memory_bytes
        self._max_answer_bytes = max_answer_bytes

    def run(self, work: Callable[[], Answer]) -> Answer | None:
        """Return what `work` answers in its process; None if it breaks, or what it says is no answer.

        Raises:
            TookTooLongError: it did not end in time.

        """
        receiver, sender = os.pipe()
        try:
            child = self._start(sender, work)
            try:
                received = self._receive(receiver)
            finally:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
        finally:
            os.close(receiver)
        return _read(received)

    def _start(self, sender: int, work: Callable[[], Answer]) -> int:
        """Start the child, which alone keeps `sender`, and return its number."""
        try:
            # A fork shares what is loaded and the picture's bytes; nothing is copied or imported again.
            child = os.fork()
            if not child:
                self._answer_and_exit(sender, work)
            return child
        finally:
            os.close(sender)

    def _receive(self, receiver: int) -> bytes | bytearray:
        """Read what the child writes to its end; it is empty if that is more than it may be."""
        ends_at = time.monotonic() + self.max_seconds
        arrival = select.poll()
        arrival.register(receiver, select.POLLIN)
        received = bytearray()
        while len(received) <= self._max_answer_bytes:
            if not arrival.poll(max(0.0, ends_at - time.monotonic()) * 1000):
                raise TookTooLongError
            piece = os.read(receiver, _PIPE_BYTES)
            if not piece:
                return received
            received += piece
        return b""

    def _answer_and_exit(self, sender: int, work: Callable[[], Answer]) -> NoReturn:
        """Do the child's work, and end it before it could go on as a second parent."""
        try:
            try:
                self._limit_memory()
                _shut_in(sender)
                answer = work()
            except BaseException as error:  # noqa: BLE001 - whatever it is, its kind is told and no more
                # A message may hold something of the picture.
                answer = Answer({"broke": type(error).__name__})
            _write(sender, (json.dumps(answer.said).encode(), b"\n", answer.content))
        finally:
            os._exit(0)

    def _limit_memory(self) -> None:
        # Private memory: heap, stacks and anonymous mappings, but not the libraries' files (setrlimit(2)).
        # What is inherited is shared with the parent until it is written to, and comes on top.
        limit = _private_memory_bytes() + self._max_memory_bytes
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _read(received: bytes | bytearray) -> Answer | None:
    # JSON is written without line breaks; of the megabytes behind it no copy is made.
    end = received.find(b"\n")
    content = memoryview(received)[end + 1 :] if end >= 0 else b""
    try:
        match json.loads(received[: end if end >= 0 else None]):
            case {"broke": str(kind)}:
                _log.error("the decoder broke: %s", clean_short_text(kind))
            case said:
                return Answer(said, content)
    except (ValueError, RecursionError):
        pass
    return None


def _write(pipe: int, parts: Iterable[bytes | memoryview]) -> None:
    for part in parts:
        rest = memoryview(part)
        while rest:
            rest = rest[os.write(pipe, rest) :]


def _shut_in(pipe: int) -> None:
    """Leave this process nothing of its parent's but `pipe` and the memory, and no way to get more."""
    os.environ.clear()
    end, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    os.closerange(0, pipe)
    os.closerange(pipe + 1, end)
    for limit in _TAKEN_AWAY:
        resource.setrlimit(limit, (0, 0))


def _private_memory_bytes() -> int:
    """Return how much of it this process has by now (proc_pid_statm(5), data)."""
    pages = int(Path("/proc/self/statm").read_text().split()[5])
    return pages * resource.getpagesize()
