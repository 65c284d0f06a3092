"""What others are told of changes, and that what could not be told stays to be told."""

from dataclasses import replace
from datetime import timedelta
from typing import override

import pytest

from domain.change_image import ChangeImage, ImageChange
from domain.delete_image import DeleteImage
from domain.image import GALLERY_ORDER, ImageSnapshot, ImageStatus, Primary, ProductImage
from domain.reconcile import PATIENCE, Outcome, Reconcile, Reconciliation
from domain.reorder_images import ReorderImages
from tests.builders import A_LOOK, DAMAGED, NOW, PRODUCT_ID, a_ready_image, a_ref, an_image
from tests.catalog_fake import InMemoryImageCatalog
from tests.fakes import (
    InMemoryFetchQueue,
    InMemoryImageEvents,
    InMemoryImageStore,
    InMemoryInspections,
    InMemoryRenderings,
    TickingClock,
)
from tests.product_fakes import InMemoryProducts, InMemoryRemovals


class Gallery:
    """Pictures that are ready, and what staff and the service itself do with them."""

    def __init__(self, *images: ProductImage) -> None:
        self.catalog = InMemoryImageCatalog(PRODUCT_ID)
        for image in images:
            self.catalog.images[PRODUCT_ID, image.ref.image_id] = image
        self.events = InMemoryImageEvents()
        self.clock = TickingClock(NOW)

    def change(self, image_id: int = 1, *, is_primary: bool | None = None, **details: object) -> None:
        change_image = ChangeImage(self.catalog, self.events, self.clock)
        change_image(PRODUCT_ID, image_id, ImageChange(details, is_primary))

    def reorder(self, *image_ids: int) -> None:
        ReorderImages(self.catalog, self.events, self.clock)(PRODUCT_ID, image_ids)

    def delete(self, image_id: int) -> None:
        DeleteImage(self.catalog, InMemoryImageStore(), self.events, self.clock)(PRODUCT_ID, image_id)

    def reconcile_later(self) -> Reconciliation:
        later = self.clock() + PATIENCE + timedelta(minutes=1)
        reconcile = Reconcile(
            catalog=self.catalog,
            store=InMemoryImageStore(),
            inspections=InMemoryInspections(),
            fetches=InMemoryFetchQueue(),
            renderings=InMemoryRenderings(),
            events=self.events,
            products=InMemoryProducts(self.catalog),
            removals=InMemoryRemovals(),
            clock=lambda: later,
        )
        return reconcile(lambda: True)

    def untold(self) -> set[str]:
        return set().union(*(image.untold for image in self.catalog.images.values()))


def ready(*image_ids: int) -> list[ProductImage]:
    return [a_ready_image(ref=a_ref(image_id), look=A_LOOK) for image_id in image_ids]


def test_a_change_is_told_with_the_fields_that_changed_and_no_others() -> None:
    gallery = Gallery(*ready(1))
    gallery.change(alt_text="A blue shoe", order=0)
    assert (gallery.events.sent, gallery.events.changed) == ([("ImageChanged", 1)], [["alt_text"]])
    gallery.change(order=3, is_primary=True)
    assert gallery.events.changed[1:] == [["is_primary", "order"]]


@pytest.mark.parametrize("change", [{}, {"order": 0}, {"order": 0, "is_primary": False}])
def test_a_change_that_changes_nothing_is_not_told(change: dict[str, bool]) -> None:
    gallery = Gallery(*ready(1))
    gallery.change(**change)
    assert gallery.events.sent == []


def test_a_picture_that_failed_is_known_to_others_and_its_change_is_told() -> None:
    gallery = Gallery(an_image(status=ImageStatus.FAILED, failure=DAMAGED))
    gallery.change(order=1)
    assert gallery.events.changed == [["order"]]


def test_nothing_is_told_of_a_pending_picture_which_others_hear_of_when_it_is_ready() -> None:
    gallery = Gallery(an_image())
    gallery.change(order=1, is_primary=True)
    gallery.reorder(1)
    assert (gallery.events.sent, gallery.untold()) == ([], set())


def test_a_primary_that_gives_way_to_another_is_told_by_the_change_of_that_one() -> None:
    gallery = Gallery(*ready(1, 2))
    gallery.catalog.primaries[PRODUCT_ID] = Primary(1, NOW)
    gallery.change(2, is_primary=True)
    assert (gallery.events.sent, gallery.events.changed) == ([("ImageChanged", 2)], [["is_primary"]])


def test_a_primary_that_is_no_longer_one_is_told() -> None:
    gallery = Gallery(*ready(1))
    gallery.catalog.primaries[PRODUCT_ID] = Primary(1, NOW)
    gallery.change(is_primary=False)
    assert gallery.events.changed == [["is_primary"]]


def test_a_new_order_is_told_once_for_the_whole_gallery() -> None:
    gallery = Gallery(*ready(1, 2, 3))
    gallery.reorder(3, 1, 2)
    assert (gallery.events.sent, gallery.untold()) == ([("GalleryReordered", PRODUCT_ID)], set())


def test_an_order_that_is_there_already_is_not_told_again() -> None:
    gallery = Gallery(*ready(1, 2))
    for _ in range(2):
        gallery.reorder(2, 1)
    assert len(gallery.events.sent) == 1


def test_a_new_order_behind_a_pending_picture_is_told_by_one_that_others_know() -> None:
    gallery = Gallery(*ready(1, 2), an_image(ref=a_ref(3)))
    gallery.events.is_down = True
    gallery.reorder(3, 2, 1)
    assert {each.ref.image_id for each in gallery.catalog.images.values() if each.untold} == {2}


def test_a_change_that_cannot_be_told_now_is_made_all_the_same_and_told_by_the_reconciler() -> None:
    gallery = Gallery(*ready(1))
    gallery.events.is_down = True
    gallery.change(order=3)
    assert gallery.untold() == {"order"}
    assert gallery.reconcile_later().outcomes == {Outcome.LEFT_FOR_LATER: 1}
    gallery.events.is_down = False
    assert gallery.reconcile_later().outcomes == {Outcome.CHANGE_TOLD: 1}
    assert (gallery.events.sent, gallery.events.changed) == ([("ImageChanged", 1)], [["order"]])
    assert gallery.reconcile_later().outcomes == {}


def test_an_order_that_cannot_be_told_now_is_told_by_the_reconciler() -> None:
    gallery = Gallery(*ready(1, 2))
    gallery.events.is_down = True
    gallery.reorder(2, 1)
    assert gallery.untold() == {GALLERY_ORDER}
    gallery.events.is_down = False
    assert gallery.reconcile_later().outcomes == {Outcome.CHANGE_TOLD: 1}
    assert gallery.events.sent == [("GalleryReordered", PRODUCT_ID)]


def test_the_next_change_tells_what_is_left_to_tell_of_the_ones_before() -> None:
    gallery = Gallery(*ready(1, 2))
    gallery.events.is_down = True
    gallery.change(order=3)
    gallery.reorder(1, 2)
    gallery.events.is_down = False
    gallery.change(alt_text="A blue shoe")
    assert set(gallery.events.sent) == {("ImageChanged", 1), ("GalleryReordered", PRODUCT_ID)}
    assert gallery.events.changed == [["alt_text", "order"]]
    assert gallery.untold() == set()


def test_the_same_change_sent_again_tells_what_could_not_be_told() -> None:
    gallery = Gallery(*ready(1))
    gallery.events.is_down = True
    gallery.change(order=3)
    gallery.events.is_down = False
    gallery.change(order=3)
    assert gallery.events.changed == [["order"]]


def test_an_order_that_is_left_to_tell_is_told_when_its_picture_is_deleted() -> None:
    gallery = Gallery(*ready(1, 2))
    gallery.events.is_down = True
    gallery.reorder(2, 1)
    gallery.events.is_down = False
    gallery.delete(2)
    assert gallery.events.sent == [("GalleryReordered", PRODUCT_ID), ("ImageDeleted", 2)]


def test_a_change_that_was_changed_again_before_it_was_told_stays_to_be_told() -> None:
    class BusyEvents(InMemoryImageEvents):
        @override
        def send_changed(self, image: object, fields: object) -> None:
            present = gallery.catalog.images[PRODUCT_ID, 1]
            newer = replace(present, updated_at=present.updated_at + timedelta(seconds=1))
            gallery.catalog.change(ImageSnapshot(present, None), ImageSnapshot(newer, None))

    gallery = Gallery(*ready(1))
    gallery.events = BusyEvents()
    gallery.change(order=3)
    assert gallery.untold() == {"order"}
