"""Ends work before Lambda ends the function: no call begins that could outlast the invocation."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from domain.errors import UnavailableError

_MARGIN_SECONDS = 3
"""What may follow a try: the SDK's wait before the next one, at most 2 s in three tries, and the answer."""

_remaining_milliseconds: ContextVar[Callable[[], int] | None] = ContextVar("remaining", default=None)


@contextmanager
def within(remaining_milliseconds: Callable[[], int]) -> Iterator[None]:
    """Let calls to AWS in this block know how much time the invocation has left."""
    token = _remaining_milliseconds.set(remaining_milliseconds)
    try:
        yield
    finally:
        _remaining_milliseconds.reset(token)


def keep_deadline[C: Any](client: C) -> C:
    """Have `client` raise `UnavailableError` instead of a try that might not end in time."""
    config = client.meta.config
    needed_seconds = config.connect_timeout + config.read_timeout + _MARGIN_SECONDS

    def check(**_event: object) -> None:
        remaining = _remaining_milliseconds.get()
        if remaining is not None and remaining() < needed_seconds * 1000:
            raise UnavailableError

    client.meta.events.register("before-send", check)
    return client
