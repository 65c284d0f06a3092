"""What fetching a picture by its address needs: its ports, its errors, and how long to wait between tries."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from domain.errors import DomainError
from domain.image import ImageRef
from domain.public_address import WebAddress

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=2)
"""Each further try waits twice as long as the one before, up to this: some eighteen tries in a day."""
SLOW_TRIES = 3
"""How often a server may take too long: each time holds a function for half a minute."""


def wait_after(tries: int, asked_for: timedelta | None) -> timedelta:
    """Return how long to wait after so many tries, and at least as long as the server has asked for."""
    # Beyond eight doublings it is the longest, however often it was tried.
    doublings: int = 2 ** min(tries - 1, 8)
    return max(min(FIRST_WAIT * doublings, LONGEST_WAIT), asked_for or timedelta(0))


class PictureRefusedError(DomainError):
    """The address leads to no picture, and never will; the message is for a person."""

    code = "picture_refused"


class PictureNotNowError(DomainError):
    """The picture cannot be fetched now; `retry_after` is how long the server asks to wait, if it does.

    The message says why. A person reads it if the last try ends so.
    """

    code = "picture_not_now"

    def __init__(
        self, reason: str, *, retry_after: timedelta | None = None, is_too_slow: bool = False
    ) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.is_too_slow = is_too_slow


class HostBusyError(DomainError):
    """Others are fetching from the host; `free_at` is when this one's turn probably comes."""

    code = "host_busy"

    def __init__(self, free_at: datetime) -> None:
        super().__init__("Other pictures are fetched from this host.")
        self.free_at = free_at


class Turn(NamedTuple):
    """The right to ask a host, for a while; `lane` is one of those that lead to it."""

    host: str
    lane: int
    entered_at: datetime
    until: datetime


class HostTurns(Protocol):
    """Limits how often a host is asked."""

    def enter(self, host: str, number: int) -> Turn:
        """Take a turn at a host; pictures with the same `number` never find different lanes.

        A turn that is not given back ends by itself.

        Raises:
            HostBusyError: with a place in the queue.

        """
        ...

    def leave(self, turn: Turn, requests: int) -> None:
        """Give a turn back in which so many requests were made; the next one waits a second for each."""
        ...


class FetchQueue(Protocol):
    """Has pictures fetched."""

    def request(self, ref: ImageRef) -> None:
        """Have the picture fetched soon."""
        ...


class PictureSource(Protocol):
    """Opens addresses of the public web."""

    def fetch(self, address: WebAddress, enter: Callable[[str], None]) -> bytes:
        """Return what lies at an address, or where it leads to; `enter` is told each host that is asked.

        Raises:
            PictureRefusedError: there is nothing, or nothing that may be had.
            PictureNotNowError: it may be had later.
            HostBusyError: `enter` raised it.

        """
        ...
