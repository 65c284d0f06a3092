"""What the public sees of a catalogue: one suite for the adapter and the fake."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.errors import ProductNotFoundError
from domain.image import ImageSnapshot, Primary, ProductImage
from domain.storefront import ShowGallery
from tests.builders import A_LOOK, DAMAGED, NOW, PRODUCT_ID, SHA256, a_file, a_ref, an_image
from tests.integration.conftest import Shop

OTHER_ID = PRODUCT_ID + 1
LATER = NOW + timedelta(seconds=1)


@pytest.fixture(autouse=True)
def products(shop: Shop) -> None:
    shop.products.add(PRODUCT_ID)
    shop.products.add(OTHER_ID)


def add_pending(shop: Shop, image_id: int, product_id: int = PRODUCT_ID, order: int = 0) -> None:
    shop.catalog.reserve(an_image(ref=a_ref(image_id, product_id), order=order))


def add_ready(shop: Shop, *image_ids: int, product_id: int = PRODUCT_ID, order: int = 0) -> None:
    for image_id in image_ids:
        add_pending(shop, image_id, product_id, order)
        shop.catalog.mark_ready(a_ref(image_id, product_id), a_file(), LATER)


def add_failed(shop: Shop, image_id: int, order: int = 0) -> None:
    add_pending(shop, image_id, order=order)
    shop.catalog.mark_failed(a_ref(image_id), DAMAGED, SHA256, LATER)


def point(shop: Shop, image_id: int, product_id: int = PRODUCT_ID) -> None:
    seen = shop.catalog.look_up(product_id, image_id)
    image = replace(seen.image, primary_requested_at=LATER, updated_at=LATER + timedelta(seconds=1))
    assert shop.catalog.change(seen, ImageSnapshot(image, Primary(image_id, LATER)))


def clear(shop: Shop, image_id: int) -> None:
    seen = shop.catalog.look_up(PRODUCT_ID, image_id)
    image = replace(seen.image, primary_requested_at=None, updated_at=LATER + timedelta(seconds=2))
    assert shop.catalog.change(seen, ImageSnapshot(image, Primary(None, LATER)))


def move(shop: Shop, image_id: int, order: int) -> None:
    seen = shop.catalog.look_up(PRODUCT_ID, image_id)
    assert shop.catalog.change(seen, ImageSnapshot(_moved(seen.image, order), seen.primary))


def reorder(shop: Shop, orders: Mapping[int, int]) -> None:
    seen = [shop.catalog.look_up(PRODUCT_ID, image_id).image for image_id in orders]
    assert shop.catalog.reorder(seen, [_moved(image, orders[image.ref.image_id]) for image in seen])


def _moved(image: ProductImage, order: int) -> ProductImage:
    details = image.details._replace(order=order)
    return replace(image, details=details, updated_at=image.updated_at + timedelta(seconds=1))


def delete(shop: Shop, image_id: int) -> None:
    assert shop.catalog.begin_removal(shop.catalog.look_up(PRODUCT_ID, image_id), LATER)


def shown(shop: Shop, limit: int = 10, offset: int = 0) -> tuple[int, list[int]]:
    page = shop.storefront.page(PRODUCT_ID, limit, offset)
    return page.count, [seen.image.ref.image_id for seen in page.snapshots]


def primary(shop: Shop) -> int | None:
    images = shop.storefront.primaries([PRODUCT_ID]).images
    return images[PRODUCT_ID].ref.image_id if images else None


def test_a_gallery_shows_and_counts_ready_pictures_alone(shop: Shop) -> None:
    add_ready(shop, 1, 4, 5, 6)
    add_pending(shop, 2)
    add_failed(shop, 3)
    delete(shop, 5)
    assert shown(shop) == (3, [1, 4, 6])
    assert shown(shop, limit=1, offset=1) == (3, [4])
    assert shown(shop, offset=3) == (3, [])


def test_the_gallery_of_a_product_that_is_not_there_is_missing(shop: Shop) -> None:
    with pytest.raises(ProductNotFoundError):
        shop.storefront.page(99, 10, 0)


def test_a_picture_is_shown_with_what_was_made_of_it(shop: Shop) -> None:
    add_ready(shop, 1)
    shop.catalog.mark_rendered(a_ref(), A_LOOK, LATER)
    [seen] = shop.storefront.page(PRODUCT_ID, 1, 0).snapshots
    primaries = shop.storefront.primaries([PRODUCT_ID]).images
    assert (seen.image.look, primaries[PRODUCT_ID].look) == (A_LOOK, A_LOOK)


def test_of_many_products_each_has_its_own_and_what_has_none_is_left_out(shop: Shop) -> None:
    add_ready(shop, 1, 2)
    add_ready(shop, 3, 4, product_id=OTHER_ID)
    point(shop, 4, OTHER_ID)
    shop.products.add(OTHER_ID + 1)
    primaries = shop.storefront.primaries([OTHER_ID + 1, OTHER_ID, 99, PRODUCT_ID])
    assert {each: image.ref.image_id for each, image in primaries.images.items()} == {
        PRODUCT_ID: 1,
        OTHER_ID: 4,
    }


def test_without_a_pointer_the_first_ready_picture_stands_for_its_product(shop: Shop) -> None:
    assert primary(shop) is None
    add_pending(shop, 1)
    assert primary(shop) is None
    add_ready(shop, 2)
    assert primary(shop) == 2
    shop.catalog.mark_ready(a_ref(1), a_file(), LATER)
    assert primary(shop) == 1
    add_ready(shop, 3, order=-1)
    assert primary(shop) == 3
    add_failed(shop, 4, order=-2)
    assert primary(shop) == 3


def test_the_pointer_comes_before_the_order_until_it_is_cleared(shop: Shop) -> None:
    add_ready(shop, 1, 2)
    point(shop, 2)
    assert primary(shop) == 2
    clear(shop, 2)
    assert primary(shop) == 1


def test_what_is_moved_to_the_front_or_from_there_is_followed(shop: Shop) -> None:
    add_ready(shop, 1, 2, 3)
    move(shop, 3, order=-1)
    assert primary(shop) == 3
    move(shop, 3, order=1)
    assert primary(shop) == 1
    reorder(shop, {1: 2, 2: 0, 3: 1})
    assert primary(shop) == 2


def test_a_picture_that_is_deleted_stands_for_nothing_any_more(shop: Shop) -> None:
    add_ready(shop, 1, 2, 3)
    point(shop, 2)
    delete(shop, 2)
    assert primary(shop) == 1
    delete(shop, 1)
    assert primary(shop) == 3
    delete(shop, 3)
    assert primary(shop) is None
    add_ready(shop, 4, order=9)
    assert primary(shop) == 4


def test_an_upload_that_came_to_nothing_is_forgotten(shop: Shop) -> None:
    add_pending(shop, 1)
    assert shop.catalog.withdraw(a_ref(1), LATER) is None
    add_ready(shop, 2)
    assert primary(shop) == 2


@pytest.mark.parametrize("is_pointed_at", [False, True])
def test_a_damaged_record_is_named_and_another_picture_stands_for_the_product(
    shop: Shop, *, is_pointed_at: bool
) -> None:
    add_ready(shop, 1, 2, 3)
    if is_pointed_at:
        point(shop, 1)
    shop.damage(a_ref(1))
    primaries = shop.storefront.primaries([PRODUCT_ID])
    assert primaries.images[PRODUCT_ID].ref.image_id == 2
    assert [error.image_id for error in primaries.damaged] == [1]
    page = shop.storefront.page(PRODUCT_ID, 10, 0)
    assert (page.count, [error.image_id for error in page.damaged]) == (3, [1])
    shown = ShowGallery(shop.storefront)(PRODUCT_ID, 10, 0).images
    assert [(each.image.ref.image_id, each.is_primary) for each in shown] == [(2, True), (3, False)]
