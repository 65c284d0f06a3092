from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, override

import pytest

from domain.change_image import ChangeImage, ImageChange
from domain.contention import MAX_TRIES
from domain.errors import (
    ImageNotFoundError,
    ImageNotReadyError,
    ProductNotFoundError,
    StaleImageError,
    UnavailableError,
)
from domain.image import ImageSnapshot, ImageStatus, Primary, ProductImage
from domain.image_details import ImageDetails
from tests.builders import DAMAGED, NOW, PRODUCT_ID, a_file, a_ready_image, a_ref, an_image, with_changes
from tests.catalog_fake import InMemoryImageCatalog
from tests.fakes import InMemoryImageEvents

LATER = NOW + timedelta(minutes=1)
TICK = timedelta(microseconds=1)


def a_catalog(*images: ProductImage, primary: Primary | None = None) -> InMemoryImageCatalog:
    catalog = InMemoryImageCatalog(PRODUCT_ID)
    for image in images:
        catalog.images[PRODUCT_ID, image.ref.image_id] = image
    catalog.primaries[PRODUCT_ID] = primary
    return catalog


def change(catalog: InMemoryImageCatalog, now: datetime = LATER, **fields: Any) -> ImageSnapshot:  # noqa: ANN401
    is_primary = fields.pop("is_primary", None)
    wanted = ImageChange(fields, is_primary)
    return ChangeImage(catalog, InMemoryImageEvents(), lambda: now)(PRODUCT_ID, 1, wanted)


class BusyCatalog(InMemoryImageCatalog):
    """Is overtaken so many times."""

    def __init__(self, times: int) -> None:
        super().__init__(PRODUCT_ID)
        self.images[PRODUCT_ID, 1] = a_ready_image()
        self._times = times

    @override
    def change(self, seen: ImageSnapshot, changed: ImageSnapshot) -> bool:
        if self._times:
            self._times -= 1
            self.images[PRODUCT_ID, 1] = replace(seen.image, updated_at=seen.image.updated_at + TICK)
        return super().change(seen, changed)


@pytest.mark.parametrize("image", [an_image(), a_ready_image()], ids=["pending", "ready"])
def test_what_is_named_changes_and_nothing_else(image: ProductImage) -> None:
    catalog = a_catalog(image)
    changed = with_changes(image, alt_text="A blue shoe", order=3, updated_at=LATER)
    assert change(catalog, alt_text="A blue shoe", order=3) == ImageSnapshot(changed, None)
    assert catalog.images[PRODUCT_ID, 1] == changed


@pytest.mark.parametrize("fields", [{"alt_text": "A blue shoe"}, {"order": 3}])
@pytest.mark.parametrize("primary", [None, Primary(1, NOW), Primary(2, NOW)])
def test_text_and_order_change_each_on_its_own_and_leave_the_primary_alone(
    fields: dict[str, Any], primary: Primary | None
) -> None:
    image = a_ready_image(primary_requested_at=NOW, order=7)
    catalog = a_catalog(image, primary=primary)
    changed = ImageSnapshot(with_changes(image, **fields, updated_at=LATER), primary)
    assert change(catalog, **fields) == changed
    assert catalog.look_up(PRODUCT_ID, 1) == changed


def test_a_text_can_be_emptied_and_an_order_set_to_nought() -> None:
    catalog = a_catalog(a_ready_image(order=3))
    assert change(catalog, alt_text="", order=0).image.details == ImageDetails()


def test_a_change_of_nothing_writes_nothing() -> None:
    catalog = a_catalog(a_ready_image())
    assert change(catalog) == ImageSnapshot(a_ready_image(), None)
    assert catalog.images[PRODUCT_ID, 1] == a_ready_image()


@pytest.mark.parametrize("now", [NOW, NOW - timedelta(hours=1)])
def test_the_time_of_the_change_moves_forward_though_the_clock_is_behind(now: datetime) -> None:
    assert change(a_catalog(a_ready_image()), now, order=1).image.updated_at == NOW + TICK


# --- The primary -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("primary", [None, Primary(2, NOW), Primary(None, NOW), Primary(1, NOW)])
def test_a_ready_picture_becomes_the_primary_at_once(primary: Primary | None) -> None:
    catalog = a_catalog(a_ready_image(), primary=primary)
    snapshot = change(catalog, is_primary=True)
    assert snapshot.is_primary
    assert snapshot.image.primary_requested_at == LATER
    assert catalog.primaries[PRODUCT_ID] == Primary(1, LATER)


def test_a_wish_is_later_than_the_last_one_though_the_clock_is_behind() -> None:
    catalog = a_catalog(a_ready_image(), primary=Primary(2, LATER))
    assert change(catalog, NOW, is_primary=True).primary == Primary(1, LATER + TICK)


def test_a_pending_picture_is_noted_to_become_the_primary() -> None:
    catalog = a_catalog(an_image(), primary=Primary(2, NOW))
    snapshot = change(catalog, is_primary=True)
    assert (snapshot.is_primary, snapshot.image.primary_requested_at) == (False, LATER)
    assert catalog.primaries[PRODUCT_ID] == Primary(2, NOW)


def test_a_failed_picture_cannot_become_the_primary() -> None:
    catalog = a_catalog(an_image(status=ImageStatus.FAILED, failure=DAMAGED))
    with pytest.raises(ImageNotReadyError, match="Image 1 has failed"):
        change(catalog, is_primary=True)
    assert catalog.images[PRODUCT_ID, 1].updated_at == NOW


def test_the_primary_that_is_to_be_none_is_cleared_and_the_time_of_its_wish_kept() -> None:
    catalog = a_catalog(a_ready_image(primary_requested_at=NOW), primary=Primary(1, NOW))
    snapshot = change(catalog, is_primary=False)
    assert (snapshot.is_primary, snapshot.image.primary_requested_at) == (False, None)
    assert catalog.primaries[PRODUCT_ID] == Primary(None, NOW)


@pytest.mark.parametrize("primary", [None, Primary(2, NOW)])
def test_a_picture_that_is_not_the_primary_leaves_it_alone_when_it_is_to_be_none(
    primary: Primary | None,
) -> None:
    catalog = a_catalog(an_image(primary_requested_at=NOW), primary=primary)
    assert change(catalog, is_primary=False).image.primary_requested_at is None
    assert catalog.primaries[PRODUCT_ID] == primary


@pytest.mark.parametrize("is_ready", [True, False], ids=["ready, not pointed at yet", "pending"])
def test_a_wish_is_taken_back_though_its_event_moves_the_pointer_between_read_and_write(
    is_ready: bool,
) -> None:
    class EventfulCatalog(InMemoryImageCatalog):
        """Handles the event of a picture right before the first write of a change."""

        events = iter([True])

        @override
        def change(self, seen: ImageSnapshot, changed: ImageSnapshot) -> bool:
            if next(self.events, False):
                self.move_primary(self.mark_ready(a_ref(), a_file(), NOW))
            return super().change(seen, changed)

    catalog = EventfulCatalog(PRODUCT_ID)
    catalog.reserve(an_image(primary_requested_at=NOW))
    if is_ready:
        catalog.mark_ready(a_ref(), a_file(), NOW)
    answered = change(catalog, is_primary=False)
    assert answered == catalog.look_up(PRODUCT_ID, 1)
    assert (answered.is_primary, answered.is_wished) == (False, False)
    assert catalog.primaries[PRODUCT_ID] == Primary(None, NOW)


# --- What is not there, what is stale, who was faster ------------------------------------------------------


def test_what_is_not_there_cannot_be_changed() -> None:
    catalog = a_catalog(a_ready_image())
    with pytest.raises(ImageNotFoundError):
        ChangeImage(catalog, InMemoryImageEvents(), lambda: NOW)(PRODUCT_ID, 2, ImageChange({"order": 1}))
    with pytest.raises(ProductNotFoundError):
        ChangeImage(catalog, InMemoryImageEvents(), lambda: NOW)(43, 1, ImageChange({"order": 1}))


def test_a_picture_that_is_being_deleted_cannot_be_changed() -> None:
    catalog = a_catalog(an_image())
    catalog.withdraw(a_ref(), NOW)
    with pytest.raises(ImageNotFoundError):
        change(catalog, order=1)


def test_a_picture_that_is_not_as_expected_is_not_changed() -> None:
    catalog = a_catalog(a_ready_image())
    with pytest.raises(StaleImageError):
        ChangeImage(catalog, InMemoryImageEvents(), lambda: LATER)(
            PRODUCT_ID, 1, ImageChange({"order": 1}), lambda _: False
        )
    assert catalog.images[PRODUCT_ID, 1] == a_ready_image()


def test_a_change_that_is_overtaken_is_made_on_what_is_there_then() -> None:
    snapshot = change(BusyCatalog(2), order=1)
    assert snapshot.image == a_ready_image(order=1, updated_at=LATER)


def test_a_change_that_was_expected_to_be_first_is_stale_when_it_is_overtaken() -> None:
    first = a_ready_image().updated_at
    change_image = ChangeImage(BusyCatalog(1), InMemoryImageEvents(), lambda: LATER)
    with pytest.raises(StaleImageError):
        change_image(PRODUCT_ID, 1, ImageChange({"order": 1}), lambda seen: seen.image.updated_at == first)


def test_a_change_that_is_overtaken_every_time_is_given_up() -> None:
    assert change(BusyCatalog(MAX_TRIES - 1), order=1).image.details.order == 1
    with pytest.raises(UnavailableError):
        change(BusyCatalog(MAX_TRIES), order=1)
