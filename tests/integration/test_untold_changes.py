"""What a catalogue promises of changes that others were not told of yet: they are open until they were."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.image import GALLERY_ORDER, ImageSnapshot, ProductImage
from tests.builders import A_LOOK, NOW, PRODUCT_ID, a_file, a_ref, an_image, with_changes
from tests.integration.conftest import Catalog, Shop

LATER = NOW + timedelta(seconds=1)
MUCH_LATER = NOW + timedelta(days=1)


@pytest.fixture
def catalog(shop: Shop) -> Catalog:
    shop.products.add(PRODUCT_ID)
    for image_id in (1, 2):
        shop.catalog.reserve(an_image(ref=a_ref(image_id)))
        shop.catalog.mark_ready(a_ref(image_id), a_file(), NOW)
        assert shop.catalog.mark_rendered(a_ref(image_id), A_LOOK, NOW)
    return shop.catalog


def changed(catalog: Catalog, *untold: str) -> ProductImage:
    """Change a picture and leave that to be told; return its record."""
    seen = catalog.look_up(PRODUCT_ID, 1)
    image = with_changes(seen.image, order=3, updated_at=LATER, untold=frozenset(untold))
    assert catalog.change(seen, seen._replace(image=image))
    return image


def open_images(catalog: Catalog) -> list[tuple[int, int]]:
    return list(catalog.open_images(MUCH_LATER))


def test_a_change_that_is_to_be_told_is_read_back_and_open(catalog: Catalog) -> None:
    image = changed(catalog, "order", "is_primary")
    assert catalog.get(PRODUCT_ID, 1) == image
    assert open_images(catalog) == [(PRODUCT_ID, 1)]
    assert list(catalog.open_images(LATER)) == []


def test_a_change_of_which_nothing_is_to_be_told_is_not_open(catalog: Catalog) -> None:
    changed(catalog)
    assert open_images(catalog) == []


def test_a_change_that_was_told_is_no_longer_open(catalog: Catalog) -> None:
    image = changed(catalog, "order")
    catalog.mark_told(image)
    assert catalog.get(PRODUCT_ID, 1) == replace(image, untold=frozenset())
    assert open_images(catalog) == []


def test_a_record_that_was_changed_since_it_was_told_stays_open(catalog: Catalog) -> None:
    told = changed(catalog, "order")
    seen = catalog.look_up(PRODUCT_ID, 1)
    image = replace(seen.image, updated_at=MUCH_LATER, untold=frozenset({"order", "alt_text"}))
    assert catalog.change(seen, seen._replace(image=image))
    catalog.mark_told(told)
    assert catalog.get(PRODUCT_ID, 1) == image


def test_a_picture_that_is_being_deleted_stays_open_and_keeps_what_is_untold(catalog: Catalog) -> None:
    image = changed(catalog, GALLERY_ORDER)
    assert catalog.begin_removal(ImageSnapshot(image, None), LATER)
    catalog.mark_told(image)
    present = catalog.get(PRODUCT_ID, 1)
    assert present is not None
    assert present.untold == {GALLERY_ORDER}
    assert open_images(catalog) == [(PRODUCT_ID, 1)]


def test_what_was_told_of_a_record_that_is_gone_changes_nothing(catalog: Catalog) -> None:
    image = changed(catalog, "order")
    assert catalog.begin_removal(ImageSnapshot(image, None), LATER)
    catalog.finish_removal(a_ref())
    catalog.mark_told(image)
    assert catalog.get(PRODUCT_ID, 1) is None


def test_a_new_order_is_open_in_the_record_that_has_it_to_tell(catalog: Catalog) -> None:
    seen = catalog.gallery(PRODUCT_ID, 100).images
    moved = [with_changes(image, order=9, updated_at=LATER) for image in seen]
    moved[1] = replace(moved[1], untold=frozenset({GALLERY_ORDER}))
    assert catalog.reorder(seen, moved)
    assert open_images(catalog) == [(PRODUCT_ID, moved[1].ref.image_id)]
    assert catalog.get(PRODUCT_ID, moved[1].ref.image_id) == moved[1]
