"""Fetches a picture by its address, and brings its bytes to where those of an upload lie."""

from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from domain.errors import (
    BytesRefusedError,
    ImageRecordMissingError,
    UnavailableError,
    UnsupportedFormatError,
)
from domain.failure import Failure
from domain.fetching import (
    SLOW_TRIES,
    HostBusyError,
    HostTurns,
    PictureNotNowError,
    PictureRefusedError,
    PictureSource,
    Turn,
    wait_after,
)
from domain.image import FETCH_TIME, Fetch, ImageRef, ImageStatus, ProductImage
from domain.image_catalog import ImageCatalog
from domain.image_events import ImageEventKind, ImageSummary
from domain.image_signature import detect_format
from domain.image_store import ImageStore
from domain.ports import Clock, ImageEvents
from domain.public_address import AddressRefusedError, read_address

_LOST = "The image could not be fetched within a day. Send the address again."


class FetchOutcome(StrEnum):
    """What came of a try. After any but `PUT_OFF` nothing is left to do."""

    FETCHED = "fetched"
    FAILED = "failed"
    CLOSED = "closed"
    PUT_OFF = "put_off"


class Fetched(NamedTuple):
    """What came of a try; `again_at` is when the next one is due, `reason` why this one failed."""

    outcome: FetchOutcome
    again_at: datetime | None = None
    reason: str | None = None


class FetchImage:
    """Fetches what is pending. Safe to repeat, and beside anything else."""

    def __init__(
        self,
        *,
        catalog: ImageCatalog,
        store: ImageStore,
        source: PictureSource,
        turns: HostTurns,
        events: ImageEvents,
        clock: Clock,
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._source = source
        self._turns = turns
        self._events = events
        self._clock = clock

    def __call__(self, ref: ImageRef) -> Fetched:
        """Try once to fetch a picture; its record says where, and when.

        What fails for good, or would not come within a day of its request, ends failed. What may pass is put
        off, in the record too.

        Raises:
            ImageRecordDamagedError: its record cannot be read.
            UnavailableError: a store failed for now; try again.

        """
        image = self._catalog.get(ref.product_id, ref.image_id)
        if image is None or image.ref != ref or image.status is not ImageStatus.PENDING or not image.fetch:
            return Fetched(FetchOutcome.CLOSED)
        now = self._clock()
        if now >= image.created_at + FETCH_TIME:
            return self._fail(image, _LOST)
        if image.fetch.next_at and now < image.fetch.next_at:
            # A message that came twice, or was kept for as long as the queue keeps one back.
            return Fetched(FetchOutcome.PUT_OFF, image.fetch.next_at)
        return self._try(image, image.fetch)

    def _try(self, image: ProductImage, fetch: Fetch) -> Fetched:
        visit = _Visit(self._turns, image.ref.image_id)
        try:
            content = self._source.fetch(read_address(fetch.url), visit.enter)
            detect_format(content)
        except HostBusyError as error:
            return self._put_off(image, fetch._replace(next_at=error.free_at), error.free_at)
        except PictureNotNowError as error:
            return self._try_later(image, fetch, error)
        except (AddressRefusedError, PictureRefusedError) as error:
            return self._fail(image, str(error))
        except UnsupportedFormatError as error:
            return self._fail(image, f"The server sent no image that the service takes. {error}")
        finally:
            visit.leave()
        return self._store_bytes(image, content)

    def _try_later(self, image: ProductImage, fetch: Fetch, error: PictureNotNowError) -> Fetched:
        tries, slow_tries = fetch.tries + 1, fetch.slow_tries + error.is_too_slow
        again_at = self._clock() + wait_after(tries, error.retry_after)
        if error.is_too_slow and slow_tries >= SLOW_TRIES:
            return self._fail(image, f"{error} That happened {slow_tries} times.")
        if again_at >= image.created_at + FETCH_TIME:
            return self._fail(image, f"{error} It stayed so for a day, or was asked to.")
        return self._put_off(image, Fetch(fetch.url, tries, again_at, slow_tries), again_at, str(error))

    def _put_off(
        self, image: ProductImage, fetch: Fetch, again_at: datetime, reason: str | None = None
    ) -> Fetched:
        if not self._catalog.put_off(image.ref, fetch, again_at):
            return Fetched(FetchOutcome.CLOSED)
        return Fetched(FetchOutcome.PUT_OFF, again_at, reason)

    def _store_bytes(self, image: ProductImage, content: bytes) -> Fetched:
        try:
            self._store.put(image, content)
        except BytesRefusedError as error:
            raise UnavailableError(image.ref) from error
        return Fetched(FetchOutcome.FETCHED)

    def _fail(self, image: ProductImage, reason: str) -> Fetched:
        failure = Failure("fetch_failed", reason)
        try:
            failed = self._catalog.mark_failed(image.ref, failure, None, self._clock())
        except ImageRecordMissingError:
            # It was deleted while it was fetched.
            return Fetched(FetchOutcome.CLOSED)
        if failed.status is not ImageStatus.FAILED:
            return Fetched(FetchOutcome.CLOSED)
        self._events.send(ImageEventKind.FAILED, ImageSummary.of(failed))
        return Fetched(FetchOutcome.FAILED, reason=reason)


class _Visit:
    """The hosts that one fetch asks, and how often."""

    def __init__(self, turns: HostTurns, number: int) -> None:
        self._turns = turns
        self._number = number
        self._taken: dict[str, Turn] = {}
        self._requests: dict[str, int] = {}

    def enter(self, host: str) -> None:
        """Take a turn at a host, unless this fetch has one."""
        if host not in self._taken:
            self._taken[host] = self._turns.enter(host, self._number)
        self._requests[host] = self._requests.get(host, 0) + 1

    def leave(self) -> None:
        """Give all turns back."""
        for host, turn in self._taken.items():
            # It ends by itself, somewhat later.
            with suppress(UnavailableError):
                self._turns.leave(turn, self._requests[host])
