from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import override

import pytest

from domain.errors import GalleryTooLargeError, InvalidFieldsError, ProductNotFoundError, StaleOrderError
from domain.gallery import Gallery, Page
from domain.image import ImageStatus, Primary, ProductImage
from domain.reorder_images import MAX_IMAGES, ReorderImages
from tests.builders import DAMAGED, NOW, PRODUCT_ID, SHA256, a_ref, an_image, with_changes
from tests.catalog_fake import InMemoryImageCatalog
from tests.fakes import InMemoryImageEvents
from tests.product_fakes import InMemoryProducts

LATER = NOW + timedelta(minutes=1)


def a_catalog(count: int = 3) -> InMemoryImageCatalog:
    catalog = InMemoryImageCatalog(PRODUCT_ID)
    for image_id in range(1, count + 1):
        catalog.reserve(an_image(ref=a_ref(image_id)))
    return catalog


def reordering(catalog: InMemoryImageCatalog, events: InMemoryImageEvents | None = None) -> ReorderImages:
    return ReorderImages(catalog, events or InMemoryImageEvents(), lambda: LATER)


def faults(catalog: InMemoryImageCatalog, *image_ids: int) -> list[str]:
    with pytest.raises(InvalidFieldsError) as caught:
        reordering(catalog)(PRODUCT_ID, image_ids)
    assert {fault.field for fault in caught.value.faults} == {"image_ids"}
    assert {image.details.order for image in catalog.images.values()} == {0}
    return [fault.message for fault in caught.value.faults]


def test_each_picture_gets_its_position_counted_from_nought() -> None:
    catalog = a_catalog()
    catalog.primaries[PRODUCT_ID] = Primary(2, NOW)
    snapshots = reordering(catalog)(PRODUCT_ID, [3, 1, 2]).snapshots
    images = [snapshot.image for snapshot in snapshots]
    assert [(image.ref.image_id, image.details.order) for image in images] == [(3, 0), (1, 1), (2, 2)]
    assert {image.updated_at for image in images} == {LATER}
    assert snapshots == catalog.gallery(PRODUCT_ID, 100).snapshots()


def test_an_empty_gallery_has_an_empty_order() -> None:
    assert reordering(a_catalog(0))(PRODUCT_ID, []) == Page(0, [])


def test_pictures_that_are_left_out_are_named() -> None:
    assert faults(a_catalog(), 2) == ["Name every image of the product; missing: 1, 3."]


def test_pictures_that_are_named_twice_are_named() -> None:
    assert faults(a_catalog(), 1, 2, 3, 2, 2) == ["Name each image once; doubled: 2."]


def test_pictures_of_another_product_are_named() -> None:
    catalog = a_catalog()
    InMemoryProducts(catalog).add(43)
    catalog.reserve(an_image(ref=a_ref(9, product_id=43)))
    assert faults(catalog, 1, 2, 3, 9, 8) == ["Name only images of this product; foreign: 8, 9."]


def test_every_kind_of_fault_is_told_at_once() -> None:
    assert len(faults(a_catalog(), 1, 1, 9)) == 3


@pytest.mark.parametrize(("count", "others"), [(10, ""), (11, " and 1 more"), (12, " and 2 more")])
def test_many_identifiers_are_not_all_named(count: int, others: str) -> None:
    [fault] = faults(a_catalog(count))
    assert fault.endswith(f"missing: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10{others}.")


def test_failed_pictures_need_not_be_named_and_stay_behind_in_their_order() -> None:
    catalog = a_catalog(5)
    for image_id in (2, 1):
        catalog.mark_failed(a_ref(image_id), DAMAGED, SHA256, NOW)
    snapshots = reordering(catalog)(PRODUCT_ID, [5, 3, 4]).snapshots
    assert [seen.image.ref.image_id for seen in snapshots] == [5, 3, 4, 1, 2]
    assert snapshots == catalog.gallery(PRODUCT_ID, 100).snapshots()


def test_a_failed_picture_may_be_named_like_any_other() -> None:
    catalog = a_catalog(3)
    catalog.mark_failed(a_ref(2), DAMAGED, SHA256, NOW)
    snapshots = reordering(catalog)(PRODUCT_ID, [2, 3, 1]).snapshots
    assert [seen.image.ref.image_id for seen in snapshots] == [2, 3, 1]


def test_an_order_that_the_client_did_not_expect_stays() -> None:
    catalog, asked = a_catalog(3), list[Sequence[int]]()

    def is_expected(image_ids: Sequence[int]) -> bool:
        asked.append(image_ids)
        return False

    with pytest.raises(StaleOrderError):
        reordering(catalog)(PRODUCT_ID, [3, 2, 1], is_expected)
    assert asked == [[1, 2, 3]]
    assert {image.details.order for image in catalog.images.values()} == {0}


def test_a_picture_that_is_being_deleted_is_foreign() -> None:
    catalog = a_catalog()
    catalog.withdraw(a_ref(2), NOW)
    assert faults(catalog, 1, 2, 3) == ["Name only images of this product; foreign: 2."]


def test_a_gallery_of_more_than_a_transaction_takes_is_refused() -> None:
    catalog = a_catalog(MAX_IMAGES + 1)
    with pytest.raises(GalleryTooLargeError, match="more than 99 images"):
        reordering(catalog)(PRODUCT_ID, list(range(1, MAX_IMAGES + 2)))


def test_the_largest_gallery_that_is_allowed_is_reordered() -> None:
    order = list(range(MAX_IMAGES, 0, -1))
    snapshots = reordering(a_catalog(MAX_IMAGES))(PRODUCT_ID, order).snapshots
    assert [snapshot.image.ref.image_id for snapshot in snapshots] == order


def test_an_unknown_product_has_no_order() -> None:
    with pytest.raises(ProductNotFoundError):
        reordering(a_catalog())(43, [])


def test_an_order_that_is_overtaken_is_checked_and_written_anew() -> None:
    class BusyCatalog(InMemoryImageCatalog):
        turns = iter([True])

        @override
        def reorder(self, seen: Sequence[ProductImage], changed: Sequence[ProductImage]) -> bool:
            if next(self.turns, False):
                self.images[PRODUCT_ID, 1] = with_changes(self.images[PRODUCT_ID, 1], alt_text="Quicker")
            return super().reorder(seen, changed)

    catalog = BusyCatalog(PRODUCT_ID)
    for image_id in (1, 2):
        catalog.reserve(an_image(ref=a_ref(image_id)))
    snapshots = reordering(catalog)(PRODUCT_ID, [2, 1]).snapshots
    assert [(snapshot.image.ref.image_id, snapshot.image.details.alt_text) for snapshot in snapshots] == [
        (2, "A red shoe"),
        (1, "Quicker"),
    ]


class TornCatalog(InMemoryImageCatalog):
    """Shows some pictures twice or not at all on its pages: an index is read item by item."""

    shown: Sequence[int] = ()

    @override
    def page(
        self,
        product_id: int,
        limit: int,
        offset: int,
        status: ImageStatus | None = None,
        sha256s: Collection[str] = (),
    ) -> Page:
        page = super().page(product_id, limit, offset, status, sha256s)
        by_id = {seen.image.ref.image_id: seen for seen in page.snapshots}
        return Page(page.count, [by_id[image_id] for image_id in self.shown])


@pytest.mark.parametrize("shown", [[1, 2], [1, 2, 2], []], ids=["one missing", "one twice", "none"])
def test_a_page_that_was_read_while_another_order_was_written_is_not_relied_on(shown: list[int]) -> None:
    catalog = TornCatalog(PRODUCT_ID)
    for image_id in range(1, 4):
        catalog.reserve(an_image(ref=a_ref(image_id)))
    catalog.shown = shown
    snapshots = reordering(catalog)(PRODUCT_ID, [3, 1, 2]).snapshots
    assert [seen.image.ref.image_id for seen in snapshots] == [3, 1, 2]
    assert snapshots == catalog.gallery(PRODUCT_ID, 100).snapshots()


def test_a_damaged_record_keeps_its_order_and_is_no_reason_to_read_the_gallery_again() -> None:
    class OncePagedCatalog(InMemoryImageCatalog):
        @override
        def gallery(self, product_id: int, limit: int) -> Gallery:
            raise AssertionError("It is read already.")

    catalog = OncePagedCatalog(PRODUCT_ID)
    for image_id in (1, 2, 3):
        catalog.reserve(an_image(ref=a_ref(image_id), order=7))
    catalog.damaged.add((PRODUCT_ID, 2))
    page = reordering(catalog)(PRODUCT_ID, [3, 1])
    assert [error.image_id for error in page.damaged] == [2]
    assert [image.details.order for image in catalog.images.values()] == [1, 7, 0]


@pytest.mark.parametrize("damaged", [[], [1, 2]], ids=["none damaged", "two damaged"])
def test_a_gallery_that_its_count_makes_smaller_than_it_is_is_refused_all_the_same(
    damaged: list[int],
) -> None:
    class MiscountingCatalog(InMemoryImageCatalog):
        @override
        def page(
            self,
            product_id: int,
            limit: int,
            offset: int,
            status: ImageStatus | None = None,
            sha256s: Collection[str] = (),
        ) -> Page:
            return replace(super().page(product_id, limit, offset, status, sha256s), count=MAX_IMAGES)

    catalog = MiscountingCatalog(PRODUCT_ID)
    for image_id in range(1, MAX_IMAGES + 2):
        catalog.reserve(an_image(ref=a_ref(image_id)))
    catalog.damaged |= {(PRODUCT_ID, image_id) for image_id in damaged}
    with pytest.raises(GalleryTooLargeError, match="more than 99 images"):
        reordering(catalog)(PRODUCT_ID, list(range(1, MAX_IMAGES + 2)))
