from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.errors import (
    DomainError,
    FileTooLargeError,
    InvalidFieldsError,
    ProductNotFoundError,
    UnsupportedFormatError,
)
from domain.image import Announcement, ImageFormat
from domain.leased_ids import LeasedIds
from domain.reserve_upload import FORM_LIFETIME, AnnouncedUpload, Reservation, ReserveUpload
from tests.builders import NOW, PRODUCT_ID, USER, a_ref, an_image
from tests.fakes import InMemoryImageCatalog, InMemoryUploadForms

MAX_BYTES = 50_000_000
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
    reserve_upload = ReserveUpload(
        catalog=catalog,
        forms=InMemoryUploadForms(lambda: NOW),
        ids=LeasedIds(catalog),
        clock=lambda: NOW,
        max_bytes=MAX_BYTES,
    )
    return reserve_upload(replace(UPLOAD, **changes))


def test_a_pending_record_is_there_with_what_was_announced(catalog: InMemoryImageCatalog) -> None:
    details = {"alt_text": "A red  shoe", "order": 3}
    reservation = reserve(catalog, sha256="0" * 64, is_primary=True, details=details)
    assert reservation.image == an_image(
        size_bytes=20_000_000,
        primary_requested_at=NOW,
        order=3,
        announcement=Announcement("0" * 64, NOW + FORM_LIFETIME),
    )
    assert catalog.get(PRODUCT_ID, 1) == reservation.image


def test_a_picture_that_is_not_announced_as_the_primary_is_no_wish(catalog: InMemoryImageCatalog) -> None:
    reservation = reserve(catalog)
    assert reservation.image.primary_requested_at is None
    assert reservation.image.announcement == Announcement(None, NOW + FORM_LIFETIME)


def test_the_form_is_for_this_picture_and_the_size_that_was_announced(catalog: InMemoryImageCatalog) -> None:
    form = reserve(catalog).form
    assert form.fields == {"key": a_ref().key, "size": "20000000"}
    assert form.expires_at == NOW + timedelta(minutes=15)


def test_name_and_media_type_tell_the_format(catalog: InMemoryImageCatalog) -> None:
    reservation = reserve(catalog, name="shoe.webp", media_type="application/octet-stream")
    assert reservation.image.ref.image_format is ImageFormat.WEBP


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
