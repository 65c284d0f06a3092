"""Opens each picture in a process of its own, so that no picture can take the function with it."""

import multiprocessing
import resource
from multiprocessing.connection import Connection

from domain.errors import NotAPictureError
from domain.image import ImageFacts, ImageFormat
from domain.ports import ImageInspector

# A fork shares what is loaded already and the picture's bytes; nothing is copied or imported again.
_FORK = multiprocessing.get_context("fork")


class ChildProcessInspector:
    """Gives an inspector a time and a memory limit; whatever breaks in it, breaks there."""

    def __init__(self, inspector: ImageInspector, *, max_seconds: float, max_memory_bytes: int) -> None:
        self._inspector = inspector
        self._max_seconds = max_seconds
        self._max_memory_bytes = max_memory_bytes

    def inspect(self, content: bytes, image_format: ImageFormat) -> ImageFacts:
        """Return what the inspector says; a picture beyond the limits is none."""
        receiver, sender = _FORK.Pipe(duplex=False)
        child = _FORK.Process(target=self.report, args=(sender, content, image_format), daemon=True)
        child.start()
        sender.close()
        try:
            if not receiver.poll(self._max_seconds):
                raise NotAPictureError(f"The picture takes more than {self._max_seconds:g} s to decode.")
            outcome: ImageFacts | str = receiver.recv()
        except EOFError as error:
            raise NotAPictureError("The picture breaks the decoder, or needs too much memory.") from error
        finally:
            child.kill()
            child.join()
            receiver.close()
        if isinstance(outcome, str):
            raise NotAPictureError(outcome)
        return outcome

    def report(self, sender: Connection, content: bytes, image_format: ImageFormat) -> None:
        """Inspect under the memory limit and send the facts, or why there are none (in the child)."""
        # Private memory: heap, stacks and anonymous mappings, but not the libraries' files (setrlimit(2)).
        resource.setrlimit(resource.RLIMIT_DATA, (self._max_memory_bytes, self._max_memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        try:
            sender.send(self._inspector.inspect(content, image_format))
        except NotAPictureError as error:
            sender.send(str(error))
        except MemoryError:
            sender.send("The picture needs too much memory to decode.")
