"""Brings to an end what was begun and left: uploads whose bytes or event got lost, deletions cut short."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from domain.errors import DomainError, ImageRecordDamagedError
from domain.image import ImageStatus, ProductImage
from domain.image_events import ImageEventKind, ImageSummary
from domain.ports import Clock, ImageCatalog, ImageEvents, ImageStore, Inspections

PATIENCE = timedelta(hours=1)
"""How long a record may stay open: longer than a form is good for, and than Lambda's first retries take."""


class Outcome(StrEnum):
    """What was done about an open record."""

    SENT_TO_INSPECTION = "sent_to_inspection"
    ABANDONED_REMOVED = "abandoned_removed"
    DELETION_FINISHED = "deletion_finished"
    CLOSED_MEANWHILE = "closed_meanwhile"
    LEFT_FOR_LATER = "left_for_later"


@dataclass(slots=True)
class Reconciliation:
    """What a run did; `oldest_pending` is how long the oldest pending picture had been waiting.

    `damaged` records cannot be read and were left; so was the one of `fault`, the last fault that nobody
    foresaw.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    oldest_pending: timedelta = timedelta(0)
    is_complete: bool = True
    damaged: list[ImageRecordDamagedError] = field(default_factory=list)
    fault: Exception | None = None


class Reconcile:
    """Goes through open records, oldest first. Safe to repeat, and beside anything else.

    What was dealt with is no longer open, or open since now: the next run goes on behind it.
    """

    def __init__(
        self,
        *,
        catalog: ImageCatalog,
        store: ImageStore,
        inspections: Inspections,
        events: ImageEvents,
        clock: Clock,
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._inspections = inspections
        self._events = events
        self._clock = clock

    def __call__(self, has_time: Callable[[], bool]) -> Reconciliation:
        """Deal with records that have been open for an hour, as long as `has_time` says so.

        Raises:
            UnavailableError: the records cannot be listed.

        """
        now = self._clock()
        done = Reconciliation()
        for product_id, image_id in self._catalog.open_images(now - PATIENCE):
            if not has_time():
                done.is_complete = False
                break
            done.outcomes[self._deal_with(product_id, image_id, now, done)] += 1
        return done

    def _deal_with(self, product_id: int, image_id: int, now: datetime, done: Reconciliation) -> Outcome:
        try:
            return self._close(product_id, image_id, now, done)
        except ImageRecordDamagedError as error:
            done.damaged.append(error)
        except DomainError:
            # A store refuses for now.
            return Outcome.LEFT_FOR_LATER
        except Exception as error:  # noqa: BLE001 - one fault must not keep the others waiting
            done.fault = error
        return Outcome.LEFT_FOR_LATER

    def _close(self, product_id: int, image_id: int, now: datetime, done: Reconciliation) -> Outcome:
        # The list may lag behind.
        image = self._catalog.get(product_id, image_id)
        if image and image.status is ImageStatus.PENDING:
            done.oldest_pending = max(done.oldest_pending, now - image.created_at)
            return self._close_upload(image, now)
        if image and image.status is ImageStatus.DELETING:
            if image.may_be_written(now):
                return Outcome.LEFT_FOR_LATER
            self._finish_deletion(image)
            return Outcome.DELETION_FINISHED
        return Outcome.CLOSED_MEANWHILE

    def _close_upload(self, image: ProductImage, now: datetime) -> Outcome:
        if self._store.exists(image.ref):
            if not self._catalog.postpone(image.ref, now):
                return Outcome.CLOSED_MEANWHILE
            self._inspections.request(image.ref)
            return Outcome.SENT_TO_INSPECTION
        if image.may_be_written(now):
            return Outcome.LEFT_FOR_LATER
        if self._catalog.withdraw(image.ref, now) is not None:
            return Outcome.CLOSED_MEANWHILE
        self._finish_deletion(image)
        return Outcome.ABANDONED_REMOVED

    def _finish_deletion(self, image: ProductImage) -> None:
        self._store.delete(image.ref)
        self._events.send(ImageEventKind.DELETED, ImageSummary.of(image))
        self._catalog.finish_removal(image.ref)
