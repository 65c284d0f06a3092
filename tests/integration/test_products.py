from datetime import timedelta

import pytest

from domain.errors import ProductHasImagesError
from domain.follow_catalogue import CatalogueEvent, CatalogueEventKind, FollowCatalogue, Followed
from domain.image import Primary
from domain.put_product import PutProduct
from tests.builders import DAMAGED, NOW, SHA256, a_file, a_ref, an_image, remove_product
from tests.integration.conftest import Shop
from tests.product_fakes import InMemoryRemovals


def test_a_product_is_new_once(shop: Shop) -> None:
    assert shop.products.add(42)
    assert not shop.products.add(42)
    assert shop.products.exists(42)


def move_primary(shop: Shop) -> None:
    shop.catalog.reserve(an_image(primary_requested_at=NOW))
    assert shop.catalog.move_primary(shop.catalog.mark_ready(a_ref(), a_file(), NOW))


def test_adding_a_product_again_leaves_its_primary(shop: Shop) -> None:
    shop.products.add(42)
    move_primary(shop)
    shop.products.add(42)
    assert shop.catalog.gallery(42, 100).primary == Primary(1, NOW)


def test_a_product_without_pictures_can_be_removed(shop: Shop) -> None:
    shop.products.add(42)
    shop.products.add(43)
    assert remove_product(shop.products, 42)
    assert not shop.products.exists(42)
    assert shop.products.exists(43)


def test_removing_what_is_not_there_says_so(shop: Shop) -> None:
    assert not remove_product(shop.products, 42)


def test_a_product_that_comes_back_has_no_primary(shop: Shop) -> None:
    shop.products.add(42)
    move_primary(shop)
    shop.catalog.begin_removal(shop.catalog.look_up(42, 1), NOW)
    shop.catalog.finish_removal(a_ref())
    remove_product(shop.products, 42)
    assert shop.products.add(42)
    assert shop.catalog.gallery(42, 100).primary is None


@pytest.mark.parametrize("outcome", ["pending", "ready", "failed"])
def test_a_product_with_a_picture_stays(shop: Shop, outcome: str) -> None:
    shop.products.add(42)
    shop.catalog.reserve(an_image())
    if outcome == "ready":
        shop.catalog.mark_ready(a_ref(), a_file(), NOW)
    elif outcome == "failed":
        shop.catalog.mark_failed(a_ref(), DAMAGED, SHA256, NOW)
    with pytest.raises(ProductHasImagesError, match="Product 42 still has images"):
        remove_product(shop.products, 42)
    assert shop.products.exists(42)


def test_pictures_of_another_product_are_no_obstacle(shop: Shop) -> None:
    for product_id in (4, 42):
        shop.products.add(product_id)
    shop.catalog.reserve(an_image(ref=a_ref(product_id=42)))
    assert remove_product(shop.products, 4)


@pytest.mark.parametrize("by_hand", ["add", "put"])
@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(hours=1)])
def test_a_product_that_is_added_by_hand_after_its_deletion_outlives_a_repeat_of_that(
    shop: Shop, by_hand: str, ahead: timedelta
) -> None:
    deletion = CatalogueEvent(CatalogueEventKind.DELETED, 42, None, NOW + ahead)
    follow = FollowCatalogue(shop.products, InMemoryRemovals(), lambda: NOW)
    follow(deletion)
    if by_hand == "add":
        assert shop.products.add(42)
    else:
        assert PutProduct(shop.products, lambda: NOW)(42, None)
    assert follow(deletion) is Followed.OUTDATED
    assert shop.products.exists(42)
