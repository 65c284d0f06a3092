"""Follows the shop's catalogue: its latest event about a product counts, in whatever order events come."""

import contextlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from domain.contention import until_undisturbed
from domain.errors import FieldFault, InvalidFieldsError, UnavailableError
from domain.ports import Clock
from domain.product_ports import Products, Removals
from domain.product_record import Stage
from domain.product_title import clean_title

AHEAD = timedelta(days=1)
"""How far a shop's clock may be ahead. An event of the far future would make all events before it void."""


class CatalogueEventKind(StrEnum):
    """What the catalogue tells; the values are EventBridge's detail types."""

    CREATED = "ProductCreated"
    CHANGED = "ProductChanged"
    DELETED = "ProductDeleted"


class CatalogueEvent(NamedTuple):
    """What the catalogue says about a product; without a title the product has none."""

    kind: CatalogueEventKind
    product_id: int
    title: str | None
    occurred_at: datetime


class Followed(StrEnum):
    """What came of an event."""

    PUT = "put"
    PUT_AFTER_REMOVAL = "put_after_removal"
    REMOVED = "removed"
    OUTDATED = "outdated"


class FollowCatalogue:
    """Takes events once, twice, late and in any order: the latest `occurred_at` wins."""

    def __init__(self, products: Products, removals: Removals, clock: Clock) -> None:
        self._products = products
        self._removals = removals
        self._clock = clock

    def __call__(self, event: CatalogueEvent) -> Followed:
        """Do what the event says, unless a later one came before.

        Raises:
            InvalidFieldsError: the title is too long, or the event comes from the future.
            UnavailableError: the catalogue failed, or others were faster every time; try again.

        """
        if event.occurred_at > self._clock() + AHEAD:
            raise InvalidFieldsError((FieldFault("occurred_at", "Must not be more than a day ahead."),))
        is_deletion = event.kind is CatalogueEventKind.DELETED
        event = event._replace(title=None if is_deletion else clean_title(event.title))
        return until_undisturbed(lambda: self._follow(event))

    def _follow(self, event: CatalogueEvent) -> Followed | None:
        seen = self._products.look(event.product_id)
        is_deletion = event.kind is CatalogueEventKind.DELETED
        if seen.has_heard(event.occurred_at, event.title, is_deletion=is_deletion):
            # The one who heard this before may not have come to ask.
            self._request_if_due(event.product_id, seen.stage)
            return Followed.OUTDATED
        changed = seen.removed(event.occurred_at) if is_deletion else seen.put(event.title, event.occurred_at)
        if not self._products.write(seen, changed):
            return None
        if is_deletion:
            self._request_if_due(event.product_id, changed.stage)
            return Followed.REMOVED
        return Followed.PUT_AFTER_REMOVAL if changed.is_wanted else Followed.PUT

    def _request_if_due(self, product_id: int, stage: Stage) -> None:
        if stage is Stage.BEING_REMOVED:
            # If that cannot be asked for now, the reconciler does.
            with contextlib.suppress(UnavailableError):
                self._removals.request(product_id)
