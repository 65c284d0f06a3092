"""Brings to an end what was begun and left: uploads, fetches, renderings, deletions, untold changes."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from domain.errors import DomainError, ImageRecordDamagedError
from domain.fetching import FetchQueue
from domain.image import ImageRef, ImageStatus, ProductImage
from domain.image_catalog import ImageCatalog
from domain.image_store import ImageStore
from domain.ports import Clock, ImageEvents, Inspections, Renderings
from domain.product_ports import Products, Removals
from domain.tell_changes import TellChanges, tell_deletion

PATIENCE = timedelta(hours=1)
"""How long a record may stay open: longer than a form is good for, and than Lambda's first retries take."""


class Outcome(StrEnum):
    """What was done about an open record."""

    SENT_TO_INSPECTION = "sent_to_inspection"
    SENT_TO_BE_FETCHED = "sent_to_be_fetched"
    SENT_TO_RENDERING = "sent_to_rendering"
    ABANDONED_REMOVED = "abandoned_removed"
    DELETION_FINISHED = "deletion_finished"
    CHANGE_TOLD = "change_told"
    SENT_TO_REMOVAL = "sent_to_removal"
    CLOSED_MEANWHILE = "closed_meanwhile"
    LEFT_FOR_LATER = "left_for_later"


_LEFT_OPEN = (Outcome.SENT_TO_INSPECTION, Outcome.SENT_TO_BE_FETCHED, Outcome.LEFT_FOR_LATER)
"""Outcomes after which a pending picture is still pending."""


@dataclass(slots=True)
class Reconciliation:
    """What a run did.

    `oldest_pending` is the longest time that one of the pictures left pending has been waiting, counted from
    the last moment at which its bytes could come. `damaged` are records that cannot be read, and were left.
    `fault` is the last fault that nobody foresaw; its record was left too.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    oldest_pending: timedelta = timedelta(0)
    is_complete: bool = True
    damaged: list[ImageRecordDamagedError] = field(default_factory=list)
    fault: Exception | None = None


class Reconcile:
    """Goes through open records. Safe to repeat, and beside anything else.

    A record that was dealt with is no longer open, or is listed behind all that are due. A run without time
    for all leaves the rest to the next one. Each run meets, and reports, what is still stuck.
    """

    def __init__(  # noqa: PLR0913 - a role for each thing that may have been left undone
        self,
        *,
        catalog: ImageCatalog,
        store: ImageStore,
        inspections: Inspections,
        renderings: Renderings,
        fetches: FetchQueue,
        events: ImageEvents,
        products: Products,
        removals: Removals,
        clock: Clock,
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._inspections = inspections
        self._renderings = renderings
        self._fetches = fetches
        self._events = events
        self._tell_changes = TellChanges(catalog, events)
        self._products = products
        self._removals = removals
        self._clock = clock

    def __call__(self, has_time: Callable[[], bool]) -> Reconciliation:
        """Deal with records that have been open for an hour, as long as `has_time` says so.

        Raises:
            UnavailableError: the records cannot be listed.

        """
        now = self._clock()
        done = Reconciliation()
        self._go_on_removing(now, done)
        for product_id, image_id in self._catalog.open_images(now - PATIENCE):
            if not has_time():
                done.is_complete = False
                break
            done.outcomes[self._deal_with(product_id, image_id, now, done)] += 1
        return done

    def _go_on_removing(self, now: datetime, done: Reconciliation) -> None:
        """Have products removed whose removal nobody is at; few are, and each takes one call."""
        for product_id in self._products.open_removals(now - PATIENCE):
            try:
                self._removals.request(product_id)
                done.outcomes[Outcome.SENT_TO_REMOVAL] += 1
            except DomainError:
                done.outcomes[Outcome.LEFT_FOR_LATER] += 1

    def _deal_with(self, product_id: int, image_id: int, now: datetime, done: Reconciliation) -> Outcome:
        image, outcome = None, Outcome.LEFT_FOR_LATER
        try:
            # The list may lag behind.
            image = self._catalog.get(product_id, image_id)
            outcome = self._close(image, now)
        except ImageRecordDamagedError as error:
            done.damaged.append(error)
        except DomainError:
            # A store refuses for now.
            pass
        except Exception as error:  # noqa: BLE001 - one fault must not keep the others waiting
            done.fault = error
        if image and image.status is ImageStatus.PENDING and outcome in _LEFT_OPEN:
            done.oldest_pending = max(done.oldest_pending, now - image.bytes_due_at)
        return outcome

    def _close(self, image: ProductImage | None, now: datetime) -> Outcome:
        if image and image.status is ImageStatus.PENDING:
            return self._close_upload(image, now)
        if image and image.status is ImageStatus.DELETING:
            self._finish_deletion(image)
            return Outcome.DELETION_FINISHED
        if image and image.untold:
            self._tell_changes(image)
            return Outcome.CHANGE_TOLD
        if image and image.status is ImageStatus.READY and image.look is None:
            return self._have_rendered(image, now)
        return Outcome.CLOSED_MEANWHILE

    def _close_upload(self, image: ProductImage, now: datetime) -> Outcome:
        if self._store.is_there(image.ref):
            # Behind all that is due, and before what is not: no run is too early to meet it again.
            if not self._catalog.postpone(image.ref, now - PATIENCE):
                return Outcome.CLOSED_MEANWHILE
            self._inspections.request(image.ref)
            return Outcome.SENT_TO_INSPECTION
        if image.fetch:
            return self._have_fetched(image.ref, now)
        if now < image.bytes_due_at:
            return Outcome.LEFT_FOR_LATER
        if self._catalog.withdraw(image.ref, now) is not None:
            return Outcome.CLOSED_MEANWHILE
        self._finish_deletion(image)
        return Outcome.ABANDONED_REMOVED

    def _have_rendered(self, image: ProductImage, now: datetime) -> Outcome:
        if not self._catalog.postpone(image.ref, now - PATIENCE, ImageStatus.READY):
            return Outcome.CLOSED_MEANWHILE
        self._renderings.request(image)
        return Outcome.SENT_TO_RENDERING

    def _have_fetched(self, ref: ImageRef, now: datetime) -> Outcome:
        """Make up for a message that got lost: what is put off is not open before it is due.

        After a day the fetch ends the picture, and says why.
        """
        if not self._catalog.postpone(ref, now - PATIENCE):
            return Outcome.CLOSED_MEANWHILE
        self._fetches.request(ref)
        return Outcome.SENT_TO_BE_FETCHED

    def _finish_deletion(self, image: ProductImage) -> None:
        self._store.delete(image)
        tell_deletion(image, self._events)
        self._catalog.finish_removal(image.ref)
