"""The promise of `mark_rendered`: what was made of a picture is kept as long as the picture is ready."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.image import ImageSnapshot
from tests.builders import A_LOOK, DAMAGED, NOW, PRODUCT_ID, SHA256, a_file, a_ref, an_image
from tests.integration.conftest import Catalog, Shop

LATER = NOW + timedelta(seconds=1)
MUCH_LATER = NOW + timedelta(days=1)


@pytest.fixture
def catalog(shop: Shop) -> Catalog:
    shop.products.add(PRODUCT_ID)
    return shop.catalog


def test_what_was_made_of_a_ready_picture_is_written_once_and_for_all(catalog: Catalog) -> None:
    catalog.reserve(an_image())
    ready = catalog.mark_ready(a_ref(), a_file(), LATER)
    assert catalog.mark_rendered(a_ref(), A_LOOK, MUCH_LATER)
    rendered = replace(ready, look=A_LOOK, updated_at=MUCH_LATER)
    assert catalog.get(PRODUCT_ID, 1) == rendered
    # As a repeated event does.
    assert catalog.mark_rendered(a_ref(), A_LOOK, MUCH_LATER + timedelta(days=1))
    assert catalog.get(PRODUCT_ID, 1) == rendered
    assert catalog.page(PRODUCT_ID, 1, 0).snapshots == [ImageSnapshot(rendered, None)]


@pytest.mark.parametrize(
    "changes",
    [
        {"recipe": "r2"},
        {"renditions": A_LOOK.renditions[:1]},
        {"placeholder": A_LOOK.placeholder._replace(color="#000000")},
        {"has_alpha": True},
        {"frames": 1},
    ],
    ids=["recipe", "renditions", "placeholder", "has_alpha", "frames"],
)
def test_another_recipe_writes_over_what_an_earlier_one_made(
    catalog: Catalog, changes: dict[str, Any]
) -> None:
    catalog.reserve(an_image())
    catalog.mark_ready(a_ref(), a_file(), LATER)
    catalog.mark_rendered(a_ref(), A_LOOK, LATER)
    look = A_LOOK._replace(**changes)
    assert catalog.mark_rendered(a_ref(), look, MUCH_LATER)
    is_only = look.recipe == A_LOOK.recipe
    assert catalog.look_up(PRODUCT_ID, 1).image.look == look._replace(is_only=is_only)
    # That there are files of an earlier recipe is never forgotten.
    assert catalog.mark_rendered(a_ref(), look._replace(frames=99), MUCH_LATER + timedelta(days=1))
    assert catalog.look_up(PRODUCT_ID, 1).image.look == look._replace(frames=99, is_only=is_only)


def test_a_recipe_that_may_have_made_files_is_noted_once_beside_the_one_of_the_look(catalog: Catalog) -> None:
    catalog.reserve(an_image())
    ready = catalog.mark_ready(a_ref(), a_file(), LATER)
    catalog.mark_rendered(a_ref(), A_LOOK, LATER)
    seen = catalog.look_up(PRODUCT_ID, 1)
    assert catalog.note_recipe(a_ref(), "r9", A_LOOK.recipe, MUCH_LATER)
    noted = replace(ready, look=A_LOOK._replace(is_only=False), updated_at=MUCH_LATER)
    assert catalog.get(PRODUCT_ID, 1) == noted
    # A deletion that saw it before sees it again.
    assert not catalog.begin_removal(seen, MUCH_LATER)
    assert catalog.note_recipe(a_ref(), "r9", A_LOOK.recipe, MUCH_LATER + timedelta(days=1))
    assert catalog.get(PRODUCT_ID, 1) == noted
    # Nor is it forgotten where that recipe ends as the picture's look.
    assert catalog.mark_rendered(a_ref(), A_LOOK._replace(recipe="r9"), MUCH_LATER)
    assert catalog.look_up(PRODUCT_ID, 1).image.look == A_LOOK._replace(recipe="r9", is_only=False)


def test_nothing_is_written_of_a_picture_that_is_not_ready_or_gone(catalog: Catalog) -> None:
    refs = [a_ref(image_id) for image_id in range(1, 5)]
    pending, failed, deleted = refs[:3]
    for ref in (pending, failed, deleted):
        catalog.reserve(an_image(ref=ref))
    catalog.mark_failed(failed, DAMAGED, SHA256, LATER)
    catalog.mark_ready(deleted, a_file(), LATER)
    assert catalog.begin_removal(catalog.look_up(PRODUCT_ID, 3), LATER)
    assert [catalog.mark_rendered(ref, A_LOOK, LATER) for ref in refs] == [False] * 4
    assert [catalog.note_recipe(ref, "r9", A_LOOK.recipe, LATER) for ref in refs] == [False] * 4
    assert catalog.get(PRODUCT_ID, 4) is None
    seen = [catalog.look_up(PRODUCT_ID, ref.image_id).image for ref in (pending, failed, deleted)]
    assert [image.look for image in seen] == [None] * 3
