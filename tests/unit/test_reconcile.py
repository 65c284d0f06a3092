from datetime import datetime, timedelta
from typing import override

import pytest

from domain.errors import UnavailableError
from domain.image import SENDING_TIME, Announcement, Fetch, ImageFormat, ImageRef, ImageStatus, ProductImage
from domain.image_store import PublicCopy
from domain.reconcile import PATIENCE, Outcome, Reconcile, Reconciliation
from tests.builders import A_LOOK, DAMAGED, NOW, PRODUCT_ID, SHA256, a_file, a_ref, an_image
from tests.catalog_fake import InMemoryImageCatalog
from tests.fakes import (
    InMemoryFetchQueue,
    InMemoryImageEvents,
    InMemoryImageStore,
    InMemoryInspections,
    InMemoryRenderings,
)
from tests.product_fakes import InMemoryProducts, InMemoryRemovals

LONG_AFTER = NOW + PATIENCE + timedelta(minutes=1)


class Shop:
    """A catalogue and a store with something left over, and the use case that clears it up."""

    def __init__(self, store: InMemoryImageStore | None = None) -> None:
        self.catalog = InMemoryImageCatalog(PRODUCT_ID)
        self.store = store or InMemoryImageStore()
        self.inspections = InMemoryInspections()
        self.renderings = InMemoryRenderings()
        self.fetches = InMemoryFetchQueue()
        self.products = InMemoryProducts(self.catalog)
        self.removals = InMemoryRemovals()
        self.events = InMemoryImageEvents()

    def add(self, image_id: int, content: bytes | None = None, created_at: datetime = NOW) -> ImageRef:
        image = an_image(ref=a_ref(image_id), created_at=created_at, updated_at=created_at)
        self.catalog.reserve(image)
        if content:
            self.store.put(image, content)
        return image.ref

    def reconcile(self, now: datetime = LONG_AFTER, records: int = 1_000) -> Reconciliation:
        turns = iter([True] * records)
        reconcile = Reconcile(
            catalog=self.catalog,
            store=self.store,
            inspections=self.inspections,
            renderings=self.renderings,
            fetches=self.fetches,
            events=self.events,
            products=self.products,
            removals=self.removals,
            clock=lambda: now,
        )
        return reconcile(lambda: next(turns, False))

    def status(self, image_id: int) -> ImageStatus | None:
        image = self.catalog.images.get((PRODUCT_ID, image_id))
        return image.status if image else None


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_a_pending_picture_whose_bytes_are_there_is_inspected_again(shop: Shop) -> None:
    ref = shop.add(1, b"picture")
    done = shop.reconcile()
    assert done.outcomes == {Outcome.SENT_TO_INSPECTION: 1}
    assert shop.inspections.requested == [ref]
    assert shop.status(1) is ImageStatus.PENDING


def test_a_pending_picture_without_bytes_is_removed(shop: Shop) -> None:
    shop.add(1)
    assert shop.reconcile().outcomes == {Outcome.ABANDONED_REMOVED: 1}
    assert shop.catalog.images == {}


def test_a_deletion_that_was_cut_short_is_finished_and_told(shop: Shop) -> None:
    ref = shop.add(1, b"picture")
    shop.catalog.withdraw(ref, NOW)
    assert shop.reconcile().outcomes == {Outcome.DELETION_FINISHED: 1}
    assert (shop.catalog.images, shop.store.content(ref)) == ({}, None)
    assert shop.events.sent == [("ImageDeleted", 1)]


def test_what_has_been_open_for_less_than_an_hour_is_left_alone(shop: Shop) -> None:
    shop.add(1)
    shop.add(2, b"picture", created_at=NOW + timedelta(minutes=2))
    done = shop.reconcile(NOW + PATIENCE)
    assert (done.outcomes, done.is_complete) == ({}, True)
    assert shop.reconcile(NOW + PATIENCE + timedelta(minutes=1)).outcomes.total() == 1
    assert shop.status(2) is ImageStatus.PENDING


def test_what_is_done_or_failed_is_left_alone(shop: Shop) -> None:
    shop.catalog.mark_ready(shop.add(1, b"picture"), a_file(), NOW)
    shop.catalog.mark_rendered(a_ref(1), A_LOOK, NOW)
    shop.catalog.mark_failed(shop.add(2), DAMAGED, SHA256, NOW)
    assert shop.reconcile().outcomes == {}
    assert (shop.status(1), shop.status(2)) == (ImageStatus.READY, ImageStatus.FAILED)


def test_a_run_meets_what_was_postponed_again_however_soon_it_comes(shop: Shop) -> None:
    ref = shop.add(1, b"picture")
    shop.add(2)
    shop.reconcile()
    assert shop.reconcile(LONG_AFTER + timedelta(microseconds=1)).outcomes == {Outcome.SENT_TO_INSPECTION: 1}
    assert shop.inspections.requested == [ref, ref]


def test_a_run_that_has_no_more_time_stops_and_the_next_goes_on_behind_it(shop: Shop) -> None:
    for image_id in range(1, 6):
        shop.add(image_id, b"picture", created_at=NOW + timedelta(seconds=image_id))
    first = shop.reconcile(records=3)
    assert (first.outcomes.total(), first.is_complete) == (3, False)
    second = shop.reconcile()
    assert (second.outcomes.total(), second.is_complete) == (2, True)
    assert [ref.image_id for ref in shop.inspections.requested] == [1, 2, 3, 4, 5]


def test_the_oldest_pending_picture_is_reported(shop: Shop) -> None:
    shop.add(1, b"picture", created_at=NOW - timedelta(days=1))
    shop.add(2, b"picture")
    assert shop.reconcile().oldest_pending == LONG_AFTER - NOW + timedelta(days=1)
    assert Shop().reconcile().oldest_pending == timedelta(0)


@pytest.mark.parametrize("content", [b"picture", None], ids=["sent", "unused"])
def test_a_picture_by_a_form_waits_from_when_its_bytes_could_last_have_come(
    shop: Shop, content: bytes | None
) -> None:
    expires_at = NOW + timedelta(minutes=15)
    image = an_image(announcement=Announcement(None, expires_at))
    shop.catalog.reserve(image)
    if content:
        shop.store.put(image, content)
    assert shop.reconcile(expires_at + SENDING_TIME).oldest_pending == timedelta(0)
    later = shop.reconcile(expires_at + SENDING_TIME + timedelta(hours=3))
    assert later.oldest_pending == timedelta(hours=3 if content else 0)


def test_what_is_removed_or_closed_no_longer_waits(shop: Shop) -> None:
    shop.add(1)
    shop.catalog.withdraw(shop.add(2), NOW)
    done = shop.reconcile()
    assert (done.outcomes.total(), done.oldest_pending) == (2, timedelta(0))


def test_a_record_that_cannot_be_dealt_with_now_does_not_keep_the_others_waiting() -> None:
    class MoodyImageStore(InMemoryImageStore):
        @override
        def is_there(self, ref: ImageRef) -> bool:
            if ref.image_id == 1:
                raise UnavailableError
            return super().is_there(ref)

    shop = Shop(MoodyImageStore())
    shop.add(1, b"picture")
    shop.add(2, b"picture")
    done = shop.reconcile()
    assert done.outcomes == {Outcome.LEFT_FOR_LATER: 1, Outcome.SENT_TO_INSPECTION: 1}
    assert [ref.image_id for ref in shop.inspections.requested] == [2]
    assert done.oldest_pending == LONG_AFTER - NOW


@pytest.mark.parametrize("content", [b"picture", None])
def test_a_picture_whose_event_is_quicker_is_left_alone(content: bytes | None) -> None:
    class QuickImageStore(InMemoryImageStore):
        """While somebody looks for the bytes, their event is handled."""

        @override
        def is_there(self, ref: ImageRef) -> bool:
            quick.catalog.mark_ready(ref, a_file(), NOW)
            return super().is_there(ref)

    quick = Shop(QuickImageStore())
    quick.add(1, content)
    assert quick.reconcile().outcomes == {Outcome.CLOSED_MEANWHILE: 1}
    assert (quick.status(1), quick.inspections.requested) == (ImageStatus.READY, [])


def test_a_record_that_is_listed_though_it_was_closed_is_left_alone() -> None:
    class LaggingCatalog(InMemoryImageCatalog):
        @override
        def get(self, product_id: int, image_id: int) -> ProductImage | None:
            return None

    shop = Shop()
    shop.catalog = LaggingCatalog(PRODUCT_ID)
    shop.add(1)
    assert shop.reconcile().outcomes == {Outcome.CLOSED_MEANWHILE: 1}


def test_a_damaged_record_is_left_told_and_keeps_nobody_waiting(shop: Shop) -> None:
    shop.add(1)
    shop.add(2)
    shop.catalog.damaged.add((PRODUCT_ID, 1))
    done = shop.reconcile()
    assert done.outcomes == {Outcome.LEFT_FOR_LATER: 1, Outcome.ABANDONED_REMOVED: 1}
    assert [(error.product_id, error.image_id) for error in done.damaged] == [(PRODUCT_ID, 1)]
    assert done.fault is None


def test_a_fault_that_nobody_foresaw_is_told_and_keeps_nobody_waiting() -> None:
    class FaultyCatalog(InMemoryImageCatalog):
        @override
        def get(self, product_id: int, image_id: int) -> ProductImage | None:
            if image_id == 1:
                raise KeyError("status")
            return super().get(product_id, image_id)

    shop = Shop()
    shop.catalog = FaultyCatalog(PRODUCT_ID)
    shop.add(1)
    shop.add(2)
    done = shop.reconcile()
    assert done.outcomes == {Outcome.LEFT_FOR_LATER: 1, Outcome.ABANDONED_REMOVED: 1}
    assert isinstance(done.fault, KeyError)


def test_a_record_stays_as_long_as_its_form_may_be_in_use(shop: Shop) -> None:
    expires_at = NOW + timedelta(minutes=15)
    shop.catalog.reserve(an_image(announcement=Announcement(None, expires_at)))
    before, after = expires_at + SENDING_TIME - timedelta(seconds=1), expires_at + SENDING_TIME
    assert shop.reconcile(before).outcomes == {Outcome.LEFT_FOR_LATER: 1}
    assert shop.reconcile(after).outcomes == {Outcome.ABANDONED_REMOVED: 1}
    assert shop.catalog.images == {}


def test_a_deletion_is_finished_though_its_form_may_be_in_use(shop: Shop) -> None:
    image = an_image(announcement=Announcement(None, LONG_AFTER))
    shop.catalog.reserve(image)
    shop.catalog.withdraw(image.ref, NOW)
    assert shop.reconcile().outcomes == {Outcome.DELETION_FINISHED: 1}
    assert shop.catalog.images == {}


def test_a_pending_picture_whose_file_is_gone_is_inspected_again_if_its_copy_is_there(shop: Shop) -> None:
    ref = shop.add(1)
    shop.store.publish(ref, PublicCopy(b"picture", ImageFormat.PNG, SHA256))
    assert shop.reconcile().outcomes == {Outcome.SENT_TO_INSPECTION: 1}
    assert shop.inspections.requested == [ref]


def test_a_ready_picture_of_which_no_files_were_made_is_rendered(shop: Shop) -> None:
    ref = shop.add(1)
    shop.catalog.mark_ready(ref, a_file(), NOW)
    done = shop.reconcile()
    assert done.outcomes == {Outcome.SENT_TO_RENDERING: 1}
    assert (shop.renderings.requested, shop.inspections.requested) == ([ref], [])
    # And again an hour later, should that get lost too.
    assert shop.reconcile(LONG_AFTER + PATIENCE).outcomes == {Outcome.SENT_TO_RENDERING: 1}
    assert done.oldest_pending == timedelta(0)


def test_a_picture_that_was_rendered_or_cannot_be_is_left_alone(shop: Shop) -> None:
    rendered, given_up = shop.add(1), shop.add(2)
    for ref in (rendered, given_up):
        shop.catalog.mark_ready(ref, a_file(), NOW)
    shop.catalog.mark_rendered(rendered, A_LOOK, NOW)
    shop.catalog.leave_unrendered(given_up)
    assert shop.reconcile().outcomes == {}
    assert shop.renderings.requested == []


def test_a_picture_that_is_rendered_while_it_is_looked_at_is_not_sent_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = shop.add(1)
    shop.catalog.mark_ready(ref, a_file(), NOW)
    monkeypatch.setattr(shop.catalog, "postpone", lambda *_: False)
    assert shop.reconcile().outcomes == {Outcome.CLOSED_MEANWHILE: 1}
    assert shop.renderings.requested == []


# --- Pictures by address -------------------------------------------------------------------------------


def to_be_fetched(shop: Shop, next_at: datetime | None = None) -> ImageRef:
    """Reserve a picture that is to be fetched, and lose its message."""
    image = an_image(fetch=Fetch("https://shop.example/a.jpg"))
    shop.catalog.reserve(image)
    if next_at and image.fetch:
        shop.catalog.put_off(image.ref, image.fetch._replace(tries=1, next_at=next_at), next_at)
    return image.ref


def test_a_picture_whose_message_was_lost_is_sent_to_be_fetched_by_each_run(shop: Shop) -> None:
    ref = to_be_fetched(shop)
    for now in (LONG_AFTER, LONG_AFTER + timedelta(seconds=1)):
        assert shop.reconcile(now).outcomes == {Outcome.SENT_TO_BE_FETCHED: 1}
    assert shop.fetches.requested == [ref, ref]
    assert shop.status(1) is ImageStatus.PENDING


def test_a_picture_whose_fetch_is_put_off_is_left_alone_until_an_hour_after_it_was_due(shop: Shop) -> None:
    due = NOW + timedelta(hours=5)
    to_be_fetched(shop, due)
    assert shop.reconcile(due + PATIENCE).outcomes == {}
    assert shop.reconcile(due + PATIENCE + timedelta(seconds=1)).outcomes == {Outcome.SENT_TO_BE_FETCHED: 1}


def test_a_picture_that_was_fetched_is_sent_to_inspection_like_any_other(shop: Shop) -> None:
    ref = to_be_fetched(shop)
    shop.store.put(shop.catalog.images[PRODUCT_ID, 1], b"picture")
    assert shop.reconcile().outcomes == {Outcome.SENT_TO_INSPECTION: 1}
    assert (shop.inspections.requested, shop.fetches.requested) == ([ref], [])


@pytest.mark.parametrize(
    ("after", "reported"), [(timedelta(hours=23), timedelta(0)), (timedelta(hours=26), timedelta(hours=2))]
)
def test_a_fetch_is_late_only_once_its_day_is_over_and_is_never_removed(
    shop: Shop, after: timedelta, reported: timedelta
) -> None:
    ref = to_be_fetched(shop)
    done = shop.reconcile(NOW + after)
    assert (done.outcomes, done.oldest_pending) == ({Outcome.SENT_TO_BE_FETCHED: 1}, reported)
    assert shop.fetches.requested == [ref]


def test_a_fetch_that_ended_meanwhile_is_not_asked_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    to_be_fetched(shop)
    monkeypatch.setattr(shop.catalog, "postpone", lambda _ref, _at: False)
    assert shop.reconcile().outcomes == {Outcome.CLOSED_MEANWHILE: 1}
    assert shop.fetches.requested == []


def test_a_removal_that_nobody_is_at_is_asked_for_again(shop: Shop) -> None:
    seen = shop.products.look(PRODUCT_ID)
    shop.products.write(seen, seen.removed(NOW))
    assert shop.reconcile().outcomes == {Outcome.SENT_TO_REMOVAL: 1}
    assert shop.removals.requested == [PRODUCT_ID]
    shop.removals.is_down = True
    assert shop.reconcile().outcomes == {Outcome.LEFT_FOR_LATER: 1}
