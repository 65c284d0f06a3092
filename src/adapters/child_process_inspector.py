"""Opens each picture in a process of its own, so that no picture can take the function with it."""

import json
import logging
import os
import resource
import select
import signal
from pathlib import Path
from typing import Any, NoReturn

from domain.errors import NotAPictureError
from domain.failure import Failure, read_failure_code
from domain.image import ImageFacts, ImageFormat
from domain.ports import ImageInspector
from domain.text import clean_short_text

_SAVE_ANEW = "Save it anew, smaller or with simpler settings."
_BROKEN = Failure("too_complex", f"The picture breaks the decoder, or needs too much memory. {_SAVE_ANEW}")
_log = logging.getLogger(__name__)

_MAX_ANSWER_BYTES = 4096
"""What a pipe takes and gives in one piece (pipe(7), PIPE_BUF)."""
_MODES = frozenset(
    "1 L P RGB RGBA CMYK YCbCr LAB HSV I F LA PA RGBX RGBa La I;16 I;16L I;16B I;16N".split()  # noqa: SIM905 - one line
)
"""All that Pillow knows (its handbook, "Concepts", "Modes")."""
_TAKEN_AWAY = (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC, resource.RLIMIT_CORE)
"""To open a file or a socket, to write to a file, to start a process or a thread (of which root is free), to
leave a core (setrlimit(2))."""


class ChildProcessInspector:
    """Gives an inspector limits of time, memory and reach; whatever breaks in it, breaks there.

    The inspector runs with no file, socket or environment, and can have none: what it needs must be loaded.
    """

    def __init__(
        self, inspector: ImageInspector, *, max_pixels: int, max_seconds: float, max_memory_bytes: int
    ) -> None:
        """Believe in pictures of at most `max_pixels`, the limit of `inspector`."""
        self._inspector = inspector
        self._max_pixels = max_pixels
        self._max_seconds = max_seconds
        self._max_memory_bytes = max_memory_bytes

    def inspect(self, content: bytes, image_format: ImageFormat) -> ImageFacts:
        """Return what the inspector says; a picture beyond the limits is none."""
        receiver, sender = os.pipe()
        try:
            child = self._start(sender, content, image_format)
            try:
                answer = self._receive(receiver)
            finally:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
        finally:
            os.close(receiver)
        return self._read(answer)

    def _start(self, sender: int, content: bytes, image_format: ImageFormat) -> int:
        """Start the child, which alone keeps `sender`, and return its number."""
        try:
            # A fork shares what is loaded and the picture's bytes; nothing is copied or imported again.
            child = os.fork()
            if not child:
                self._answer_and_exit(sender, content, image_format)
            return child
        finally:
            os.close(sender)

    def _receive(self, receiver: int) -> bytes:
        """Wait for the child's answer; it is empty if the child ends without one."""
        arrival = select.poll()
        arrival.register(receiver, select.POLLIN)
        if not arrival.poll(self._max_seconds * 1000):
            reason = f"The picture takes more than {self._max_seconds:g} s to decode. {_SAVE_ANEW}"
            raise NotAPictureError(Failure("too_complex", reason))
        return os.read(receiver, _MAX_ANSWER_BYTES)

    def _answer_and_exit(self, sender: int, content: bytes, image_format: ImageFormat) -> NoReturn:
        """Do the child's work, and end it before it could go on as a second parent."""
        try:
            try:
                self._limit_memory()
                _shut_in(sender)
                answer = self.answer(content, image_format)
            except BaseException as error:  # noqa: BLE001 - whatever it is, its kind is told and no more
                # A message may hold something of the picture.
                answer = {"broke": type(error).__name__}
            os.write(sender, json.dumps(answer).encode())
        finally:
            os._exit(0)

    def _limit_memory(self) -> None:
        # Private memory: heap, stacks and anonymous mappings, but not the libraries' files (setrlimit(2)).
        # What is inherited is shared with the parent until it is written to, and comes on top.
        limit = _private_memory_bytes() + self._max_memory_bytes
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    def answer(self, content: bytes, image_format: ImageFormat) -> dict[str, Any]:
        """Inspect and return the facts, or why there are none (in the child)."""
        try:
            return self._inspector.inspect(content, image_format)._asdict()
        except NotAPictureError as error:
            return error.failure._asdict()
        except MemoryError:
            reason = f"The picture needs too much memory to decode. {_SAVE_ANEW}"
            return Failure("too_complex", reason)._asdict()

    def _read(self, answer: bytes) -> ImageFacts:
        """Read what the child said, and trust nothing in it: a picture may have taken the decoder over."""
        # Not pickled, so that nothing in it is run here.
        try:
            match json.loads(answer):
                case {"code": str(code), "reason": str(said)} if reason := clean_short_text(said):
                    failure = Failure(read_failure_code(code), reason)
                case {"width_px": int(width), "height_px": int(height), "mode": str(mode)} if self._may_be(
                    width, height, mode
                ):
                    return ImageFacts(width, height, mode)
                case {"broke": str(kind)}:
                    _log.error("the decoder broke: %s", clean_short_text(kind))
                    failure = _BROKEN
                case _:
                    failure = _BROKEN
        except (ValueError, RecursionError):
            failure = _BROKEN
        raise NotAPictureError(failure)

    def _may_be(self, width: int, height: int, mode: str) -> bool:
        # To Python, truth values are integers.
        are_numbers = not isinstance(width, bool) and not isinstance(height, bool)
        if not are_numbers or min(width, height) < 1:
            return False
        return width * height <= self._max_pixels and mode in _MODES


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
