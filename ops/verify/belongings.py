"""What a run makes and takes away again, whatever happens."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from botocore.exceptions import BotoCoreError, ClientError

from domain.errors import DomainError
from ops.failures import explain
from ops.terminal import note
from ops.verify.check import Interruption


class Belongings:
    """A list of what to remove, the last one first."""

    def __init__(self) -> None:
        self._removals: list[tuple[str, Callable[[], object]]] = []

    def add(self, what: str, remove: Callable[[], object]) -> None:
        """Note how to remove something, before it is made: a call that fails may have made it."""
        self._removals.append((what, remove))

    def remove_all(self) -> list[str]:
        """Remove everything; return what could not be removed, and why."""
        left = []
        while self._removals:
            what, remove = self._removals.pop()
            try:
                remove()
            except (BotoCoreError, ClientError, DomainError) as error:
                left.append(f"{what}: {explain(error)}")
        return left


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Turn Ctrl-C and an order to end into a wish, so that nothing half made is forgotten."""
    interruption = Interruption()

    def want(_signal: int, _frame: FrameType | None) -> None:
        interruption.is_wanted = True
        note("Ends after the request under way, and removes what was made ...")

    kept = {number: signal.signal(number, want) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interruption
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
