"""How often a change is tried again when somebody else was faster."""

from collections.abc import Callable

from domain.errors import UnavailableError

MAX_TRIES = 10
"""More often than a shop's staff and the metadata function will ever collide on one picture."""


def until_undisturbed[T](attempt: Callable[[], T | None]) -> T:
    """Repeat `attempt` (read, decide, write on a condition) until it returns something.

    It returns None if somebody else was faster.

    Raises:
        UnavailableError: it was overtaken every time.

    """
    for _ in range(MAX_TRIES):
        done = attempt()
        if done is not None:
            return done
    raise UnavailableError
