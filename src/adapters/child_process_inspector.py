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

_SAVE_ANEW = "Save it anew, smaller or with simpler settings."
_BROKEN = Failure("too_complex", f"The picture breaks the decoder, or needs too much memory. {_SAVE_ANEW}")
_log = logging.getLogger(__name__)

_MAX_ANSWER_BYTES = 4096
"""What a pipe takes and gives in one piece (pipe(7), PIPE_BUF)."""


class ChildProcessInspector:
    """Gives an inspector a time and a memory limit; whatever breaks in it, breaks there."""

    def __init__(self, inspector: ImageInspector, *, max_seconds: float, max_memory_bytes: int) -> None:
        self._inspector = inspector
        self._max_seconds = max_seconds
        self._max_memory_bytes = max_memory_bytes

    def inspect(self, content: bytes, image_format: ImageFormat) -> ImageFacts:
        """Return what the inspector says; a picture beyond the limits is none."""
        receiver, sender = os.pipe()
        # A fork shares what is loaded already and the picture's bytes; nothing is copied or imported again.
        child = os.fork()
        if not child:
            self._answer_and_exit(sender, content, image_format)
        os.close(sender)
        try:
            answer = self._receive(receiver)
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(receiver)
        return _read(answer)

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
            os.write(sender, json.dumps(self.answer(content, image_format)).encode())
        except BaseException as error:  # noqa: BLE001 - whatever it is, its kind goes to the log and no further
            # One line, without the message, in which there may be something of the picture.
            _log.error("the decoder broke: %s", type(error).__name__)
        finally:
            os._exit(0)

    def answer(self, content: bytes, image_format: ImageFormat) -> dict[str, Any]:
        """Inspect under the memory limit and return the facts, or why there are none (in the child)."""
        # Private memory: heap, stacks and anonymous mappings, but not the libraries' files (setrlimit(2)).
        # What is inherited is shared with the parent until it is written to, and comes on top.
        limit = _private_memory_bytes() + self._max_memory_bytes
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        try:
            return self._inspector.inspect(content, image_format)._asdict()
        except NotAPictureError as error:
            return error.failure._asdict()
        except MemoryError:
            reason = f"The picture needs too much memory to decode. {_SAVE_ANEW}"
            return Failure("too_complex", reason)._asdict()


def _read(answer: bytes) -> ImageFacts:
    """Read what the child said, and trust nothing in it: a picture may have taken the decoder over."""
    # Not pickled, so that nothing in it is run here.
    try:
        match json.loads(answer):
            case {"code": str(code), "reason": str(reason)}:
                failure = Failure(read_failure_code(code), reason)
            case {"width_px": int(width), "height_px": int(height), "mode": str(mode)}:
                return ImageFacts(width, height, mode)
            case _:
                failure = _BROKEN
    except ValueError:
        failure = _BROKEN
    raise NotAPictureError(failure)


def _private_memory_bytes() -> int:
    """Return how much of it this process has by now (proc_pid_statm(5), data)."""
    pages = int(Path("/proc/self/statm").read_text().split()[5])
    return pages * resource.getpagesize()
