"""How often a change is tried again when somebody else was faster."""

from collections.abc import Callable

from domain.errors import UnavailableError

MAX_TRIES = 10
"""More than a shop's staff and the metadata function will ever be in each other's way."""


def until_undisturbed[T](attempt: Callable[[], T | None]) -> T:
    """Repeat a read, decide and conditional write until it is not overtaken; None says that it was.

    Raises:
        UnavailableError: it was overtaken every time.

    """
    for _ in range(MAX_TRIES):
        done = attempt()
        if done is not None:
            return done
    raise UnavailableError
