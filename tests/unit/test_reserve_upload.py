from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.claim import BegunPicture
from domain.errors import (
    DomainError,
    FileTooLargeError,
    InvalidFieldsError,
    ProductNotFoundError,
    UnsupportedFormatError,
)
from domain.image import Announcement, ImageFormat, ImageStatus
from domain.reserve_upload import AnnouncedUpload, Reservation
from tests.builders import NOW, PRODUCT_ID, USER, a_file, a_ref, an_image
from tests.catalog_fake import InMemoryImageCatalog
from tests.use_cases import reserve_upload_with

MAX_BYTES = 50_000_000
FORM_EXPIRES_AT = NOW.replace(microsecond=0) + timedelta(minutes=15)
UPLOAD = AnnouncedUpload(
    product_id=PRODUCT_ID,
    user=USER,
    name="shoe.jpg",
    size_bytes=20_000_000,
    media_type=None,
    details={"alt_text": "A red  shoe"},
    is_primary=False,
    sha256=None,
)


@pytest.fixture
def catalog() -> InMemoryImageCatalog:
    return InMemoryImageCatalog(PRODUCT_ID)


def reserve(catalog: InMemoryImageCatalog, **changes: Any) -> Reservation:  # noqa: ANN401 - any field
    return reserve_upload_with(catalog)(replace(UPLOAD, **changes)).finish()


def test_a_pending_record_is_there_with_what_was_announced(catalog: InMemoryImageCatalog) -> None:
    details = {"alt_text": "A red  shoe", "order": 3}
    reservation = reserve(catalog, sha256="0" * 64, is_primary=True, details=details)
    assert reservation.image == an_image(
        size_bytes=20_000_000,
        primary_requested_at=NOW,
        order=3,
        announcement=Announcement("0" * 64, FORM_EXPIRES_AT),
    )
    assert catalog.get(PRODUCT_ID, 1) == reservation.image


def test_a_picture_that_is_not_announced_as_the_primary_is_no_wish(catalog: InMemoryImageCatalog) -> None:
    reservation = reserve(catalog)
    assert reservation.image.primary_requested_at is None
    assert reservation.image.announcement == Announcement(None, FORM_EXPIRES_AT)


def test_the_form_is_for_this_picture_and_the_size_that_was_announced(catalog: InMemoryImageCatalog) -> None:
    form = reserve(catalog).form
    assert form.fields == {"key": a_ref().incoming_key, "size": "20000000"}
    assert form.expires_at == FORM_EXPIRES_AT


def test_name_and_media_type_tell_the_format(catalog: InMemoryImageCatalog) -> None:
    reservation = reserve(catalog, name="shoe.webp", media_type="application/octet-stream")
    assert reservation.image.image_format is ImageFormat.WEBP


@pytest.mark.parametrize(
    ("changes", "error"),
    [({"name": "shoe"}, InvalidFieldsError), ({"name": "shoe.heic"}, UnsupportedFormatError)],
)
def test_nothing_is_reserved_for_a_format_that_is_not_told_or_not_taken(
    catalog: InMemoryImageCatalog, changes: dict[str, str], error: type[DomainError]
) -> None:
    with pytest.raises(error):
        reserve(catalog, **changes)
    assert catalog.images == {}


def test_a_name_that_is_no_name_is_replaced(catalog: InMemoryImageCatalog) -> None:
    assert reserve(catalog, name="../..", media_type="image/gif").image.name == "image.gif"


def test_a_picture_may_be_as_large_as_is_allowed_and_no_larger(catalog: InMemoryImageCatalog) -> None:
    assert reserve(catalog, size_bytes=MAX_BYTES).image.size_bytes == MAX_BYTES
    with pytest.raises(FileTooLargeError, match=r"has 50,000,001 bytes; an upload takes at most 50,000,000"):
        reserve(catalog, size_bytes=MAX_BYTES + 1)


def test_nothing_is_reserved_for_an_unknown_product(catalog: InMemoryImageCatalog) -> None:
    with pytest.raises(ProductNotFoundError):
        reserve(catalog, product_id=43)
    assert catalog.images == {}


# --- Another try of a reservation -------------------------------------------------------------------------


ANEW = a_ref(101)
"""Of what a second process begins, which leases identifiers of its own."""


def try_again(
    catalog: InMemoryImageCatalog, earlier: BegunPicture, after: timedelta = timedelta(0)
) -> Reservation:
    begun = reserve_upload_with(catalog, lambda: NOW + after)(UPLOAD, earlier)
    reservation = begun.finish()
    assert begun.picture == (reservation.image.ref.image_id, reservation.image.created_at)
    return reservation


def begin(catalog: InMemoryImageCatalog) -> BegunPicture:
    """Reserve a picture, and forget what was answered."""
    begun = reserve_upload_with(catalog)(UPLOAD)
    begun.finish()
    return begun.picture


def test_a_reservation_names_its_picture_before_anything_is_written(catalog: InMemoryImageCatalog) -> None:
    assert reserve_upload_with(catalog)(UPLOAD).picture == BegunPicture(1, NOW)
    assert catalog.images == {}


def test_a_reservation_that_was_cut_short_gets_the_form_for_the_same_picture(
    catalog: InMemoryImageCatalog,
) -> None:
    earlier = begin(catalog)
    again = try_again(catalog, earlier, after=timedelta(minutes=14))
    assert (again.image, again.form.fields["key"]) == (catalog.images[PRODUCT_ID, 1], a_ref().incoming_key)
    assert again.form.expires_at == FORM_EXPIRES_AT
    assert len(catalog.images) == 1


def test_a_reservation_that_was_cut_short_before_its_record_is_begun_anew(
    catalog: InMemoryImageCatalog,
) -> None:
    earlier = reserve_upload_with(catalog)(UPLOAD).picture
    assert try_again(catalog, earlier).image == catalog.images[PRODUCT_ID, ANEW.image_id]
    assert len(catalog.images) == 1


def test_a_reservation_whose_form_has_expired_is_taken_back_and_begun_anew(
    catalog: InMemoryImageCatalog,
) -> None:
    earlier = begin(catalog)
    again = try_again(catalog, earlier, after=timedelta(minutes=15))
    assert again.image.ref == ANEW
    assert again.form.expires_at == FORM_EXPIRES_AT + timedelta(minutes=15)
    assert catalog.images[PRODUCT_ID, 1].status is ImageStatus.DELETING


@pytest.mark.parametrize("after", [timedelta(0), timedelta(hours=1)])
def test_a_picture_that_came_by_the_form_is_the_answer_whenever_it_is_asked_for(
    catalog: InMemoryImageCatalog, after: timedelta
) -> None:
    earlier = begin(catalog)
    ready = catalog.mark_ready(a_ref(), a_file(), NOW)
    again = try_again(catalog, earlier, after)
    assert (again.image, again.form.expires_at) == (ready, FORM_EXPIRES_AT)
    assert len(catalog.images) == 1
