from dataclasses import replace
from datetime import datetime, timedelta
from typing import override

import pytest

from domain.delete_image import DeleteImage
from domain.errors import ImageNotFoundError, ProductNotFoundError, UnavailableError
from domain.image import (
    Announcement,
    ImageFormat,
    ImageSnapshot,
    ImageStatus,
    Primary,
    ProductImage,
)
from domain.image_events import ImageEventKind, ImageSummary
from domain.image_store import PublicCopy
from tests.builders import DAMAGED, NOW, PRODUCT_ID, SHA256, a_file, a_ref, an_image
from tests.catalog_fake import InMemoryImageCatalog
from tests.fakes import InMemoryImageEvents, InMemoryImageStore

CONTENT = b"picture"


def deletion(
    catalog: InMemoryImageCatalog, store: InMemoryImageStore, events: InMemoryImageEvents | None = None
) -> DeleteImage:
    return DeleteImage(catalog, store, events or InMemoryImageEvents(), lambda: NOW)


class FailingImageStore(InMemoryImageStore):
    """Cannot be reached so many times."""

    failures = 1

    @override
    def delete(self, image: ProductImage) -> None:
        if self.failures:
            self.failures -= 1
            raise UnavailableError
        super().delete(image)


@pytest.fixture
def catalog() -> InMemoryImageCatalog:
    catalog = InMemoryImageCatalog(PRODUCT_ID)
    catalog.reserve(an_image(primary_requested_at=NOW))
    return catalog


def a_store(store: InMemoryImageStore | None = None) -> InMemoryImageStore:
    store = store or InMemoryImageStore()
    store.put(an_image(), CONTENT)
    return store


def make_ready(catalog: InMemoryImageCatalog) -> None:
    catalog.move_primary(catalog.mark_ready(a_ref(), a_file(), NOW))


def test_record_bytes_and_pointer_go(catalog: InMemoryImageCatalog) -> None:
    make_ready(catalog)
    store = a_store()
    deleted = deletion(catalog, store)(PRODUCT_ID, 1)
    assert deleted.ref == a_ref()
    assert (catalog.images, store.content(a_ref())) == ({}, None)
    assert catalog.primaries == {PRODUCT_ID: Primary(None, NOW)}


def test_a_failed_picture_goes_as_well(catalog: InMemoryImageCatalog) -> None:
    catalog.mark_failed(a_ref(), DAMAGED, SHA256, NOW)
    deletion(catalog, InMemoryImageStore())(PRODUCT_ID, 1)
    assert catalog.images == {}


def test_the_picture_is_hidden_before_its_bytes_go_and_its_record_goes_last(
    catalog: InMemoryImageCatalog,
) -> None:
    make_ready(catalog)
    seen: list[ImageStatus] = []

    class WatchingImageStore(InMemoryImageStore):
        @override
        def delete(self, image: ProductImage) -> None:
            seen.append(catalog.images[PRODUCT_ID, 1].status)
            super().delete(image)

    deletion(catalog, a_store(WatchingImageStore()))(PRODUCT_ID, 1)
    assert seen == [ImageStatus.DELETING]


def test_deleting_twice_is_an_error(catalog: InMemoryImageCatalog) -> None:
    make_ready(catalog)
    delete_image = deletion(catalog, a_store())
    delete_image(PRODUCT_ID, 1)
    with pytest.raises(ImageNotFoundError):
        delete_image(PRODUCT_ID, 1)


def test_what_was_never_there_cannot_be_deleted(catalog: InMemoryImageCatalog) -> None:
    delete_image = deletion(catalog, a_store())
    with pytest.raises(ImageNotFoundError):
        delete_image(PRODUCT_ID, 2)
    with pytest.raises(ProductNotFoundError):
        delete_image(43, 1)


def test_a_deletion_that_was_cut_short_hides_the_picture_and_is_finished_by_the_next(
    catalog: InMemoryImageCatalog,
) -> None:
    make_ready(catalog)
    store = a_store(FailingImageStore())
    delete_image = deletion(catalog, store)
    with pytest.raises(UnavailableError):
        delete_image(PRODUCT_ID, 1)
    assert (catalog.gallery(PRODUCT_ID, 100).images, store.content(a_ref())) == ((), CONTENT)
    with pytest.raises(ImageNotFoundError):
        delete_image(PRODUCT_ID, 1)
    assert (catalog.images, store.content(a_ref())) == ({}, None)


def test_a_deletion_that_is_overtaken_is_begun_anew(catalog: InMemoryImageCatalog) -> None:
    class BusyCatalog(InMemoryImageCatalog):
        turns = iter([True])

        @override
        def begin_removal(self, seen: ImageSnapshot, at: datetime) -> bool:
            if next(self.turns, False):
                later = seen.image.updated_at + timedelta(seconds=1)
                self.images[PRODUCT_ID, 1] = replace(seen.image, updated_at=later)
                self.primaries[PRODUCT_ID] = Primary(1, NOW)
            return super().begin_removal(seen, at)

    busy = BusyCatalog(PRODUCT_ID)
    busy.images = dict(catalog.images)
    make_ready(busy)
    deletion(busy, a_store())(PRODUCT_ID, 1)
    assert (busy.images, busy.primaries) == ({}, {PRODUCT_ID: Primary(None, NOW)})


def test_others_are_told_when_the_bytes_are_gone_and_before_the_record_is(
    catalog: InMemoryImageCatalog,
) -> None:
    make_ready(catalog)
    store = a_store()

    class WatchingEvents(InMemoryImageEvents):
        @override
        def send(self, kind: ImageEventKind, image: ImageSummary) -> None:
            assert store.content(image.ref) is None
            assert catalog.images[PRODUCT_ID, 1].status is ImageStatus.DELETING
            super().send(kind, image)

    events = WatchingEvents()
    deletion(catalog, store, events)(PRODUCT_ID, 1)
    assert events.sent == [("ImageDeleted", 1)]


def test_a_deletion_that_others_could_not_be_told_of_is_told_by_the_next_try(
    catalog: InMemoryImageCatalog,
) -> None:
    class FailingEvents(InMemoryImageEvents):
        failures = 1

        @override
        def send(self, kind: ImageEventKind, image: ImageSummary) -> None:
            if self.failures:
                self.failures -= 1
                raise UnavailableError
            super().send(kind, image)

    make_ready(catalog)
    events = FailingEvents()
    delete_image = deletion(catalog, a_store(), events)
    with pytest.raises(UnavailableError):
        delete_image(PRODUCT_ID, 1)
    with pytest.raises(ImageNotFoundError):
        delete_image(PRODUCT_ID, 1)
    assert (events.sent, catalog.images) == ([("ImageDeleted", 1)], {})


def test_nothing_is_kept_of_a_picture_whose_form_may_be_used_again() -> None:
    catalog, store = InMemoryImageCatalog(PRODUCT_ID), a_store()
    catalog.reserve(an_image(announcement=Announcement(None, NOW + timedelta(minutes=15))))
    store.publish(a_ref(), PublicCopy(CONTENT, ImageFormat.PNG, SHA256))
    deletion(catalog, store)(PRODUCT_ID, 1)
    assert (catalog.images, store.is_there(a_ref())) == ({}, False)
