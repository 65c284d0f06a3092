from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, override

import pytest

from domain.claim import BegunPicture
from domain.errors import InvalidFieldsError, OutcomeUnknownError, ProductNotFoundError, UnavailableError
from domain.image import Fetch, ImageFormat, ImageRef, ImageStatus, ProductImage
from domain.request_fetch import WishedPicture
from tests.builders import NOW, PRODUCT_ID, USER, a_file, a_ref, an_image
from tests.catalog_fake import InMemoryImageCatalog
from tests.fakes import InMemoryFetchQueue
from tests.use_cases import request_fetch_with

URL = "https://cdn.example/shoe.jpg"
WISHED = WishedPicture(
    product_id=PRODUCT_ID,
    user=USER,
    url=URL,
    name=None,
    details={"alt_text": "A red  shoe"},
    is_primary=False,
)


class BrokenQueue(InMemoryFetchQueue):
    """Does not say whether it has taken a message."""

    @override
    def request(self, ref: ImageRef) -> None:
        super().request(ref)
        raise UnavailableError


@pytest.fixture
def catalog() -> InMemoryImageCatalog:
    return InMemoryImageCatalog(PRODUCT_ID)


@pytest.fixture
def queue() -> InMemoryFetchQueue:
    return InMemoryFetchQueue()


def request(
    catalog: InMemoryImageCatalog,
    queue: InMemoryFetchQueue | None = None,
    **changes: Any,  # noqa: ANN401 - any field
) -> ProductImage:
    return request_fetch_with(catalog, queue)(replace(WISHED, **changes)).finish()


def test_a_pending_record_says_where_the_picture_is_and_a_message_has_it_fetched(
    catalog: InMemoryImageCatalog, queue: InMemoryFetchQueue
) -> None:
    image = request(catalog, queue, is_primary=True, details={"alt_text": "A red  shoe", "order": 3})
    assert image == an_image(size_bytes=0, order=3, primary_requested_at=NOW, fetch=Fetch(URL))
    assert (catalog.images[PRODUCT_ID, 1], queue.requested) == (image, [a_ref()])


def test_it_is_no_wish_to_be_the_primary_unless_it_is_said(catalog: InMemoryImageCatalog) -> None:
    assert request(catalog).primary_requested_at is None


@pytest.mark.parametrize(
    ("url", "name", "expected"),
    [
        (URL, "left.png", ("left.png", ImageFormat.JPEG)),
        ("https://cdn.example/a/r%C3%BCck.WebP?size=2048", None, ("rück.WebP", ImageFormat.WEBP)),
        ("https://cdn.example/", None, ("image.jpg", ImageFormat.JPEG)),
        ("https://cdn.example/picture.php?id=7", None, ("picture.php", ImageFormat.JPEG)),
        ("https://cdn.example/%2e%2e%2f%2e%2e", "..", ("image.jpg", ImageFormat.JPEG)),
    ],
)
def test_the_address_tells_the_name_and_a_guess_of_the_format(
    catalog: InMemoryImageCatalog, url: str, name: str | None, expected: tuple[str, ImageFormat]
) -> None:
    image = request(catalog, url=url, name=name)
    assert (image.name, image.image_format) == expected


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://127.0.0.1/a.jpg", "is not public"),
        ("https://user:password@cdn.example/a.jpg", "holds a user or a password"),
        ("ftp://cdn.example/a.jpg", "must begin with"),
        ("https://other.example/a.jpg", "not fetched from this host"),
    ],
)
def test_an_address_that_is_not_opened_is_refused_at_once(
    catalog: InMemoryImageCatalog, url: str, sentence: str
) -> None:
    wished = replace(WISHED, url=url)
    with pytest.raises(InvalidFieldsError) as caught:
        request_fetch_with(catalog, allowed_hosts=("cdn.example",))(wished)
    [fault] = caught.value.faults
    assert fault.field == "url"
    assert sentence in fault.message
    assert catalog.images == {}


def test_nothing_is_fetched_for_an_unknown_product(
    catalog: InMemoryImageCatalog, queue: InMemoryFetchQueue
) -> None:
    with pytest.raises(ProductNotFoundError):
        request(catalog, queue, product_id=43)
    assert (catalog.images, queue.requested) == ({}, [])


def test_a_request_whose_message_may_be_lost_is_taken_back(catalog: InMemoryImageCatalog) -> None:
    with pytest.raises(UnavailableError) as caught:
        request(catalog, BrokenQueue())
    assert caught.value.ref == a_ref()
    assert catalog.images[PRODUCT_ID, 1].status is ImageStatus.DELETING


def test_a_request_that_fails_while_its_product_goes_can_be_sent_again_and_is_told(
    catalog: InMemoryImageCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    withdraw = catalog.withdraw

    def vanish(ref: ImageRef, at: datetime) -> ProductImage | None:
        catalog.primaries.clear()
        catalog.images.clear()
        return withdraw(ref, at)

    monkeypatch.setattr(catalog, "withdraw", vanish)
    with pytest.raises(UnavailableError) as caught:
        request(catalog, BrokenQueue())
    assert type(caught.value) is UnavailableError
    with pytest.raises(ProductNotFoundError):
        request(catalog, BrokenQueue())


def test_a_request_that_cannot_be_taken_back_may_yet_appear(
    catalog: InMemoryImageCatalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise UnavailableError

    monkeypatch.setattr(catalog, "withdraw", fail)
    with pytest.raises(OutcomeUnknownError):
        request(catalog, BrokenQueue())


def test_a_picture_that_was_quicker_than_the_answer_of_the_queue_is_there(
    catalog: InMemoryImageCatalog,
) -> None:
    class QuickQueue(BrokenQueue):
        @override
        def request(self, ref: ImageRef) -> None:
            catalog.mark_ready(ref, a_file(), NOW)
            super().request(ref)

    assert request(catalog, QuickQueue()).status is ImageStatus.READY


def begin(catalog: InMemoryImageCatalog) -> BegunPicture:
    begun = request_fetch_with(catalog)(WISHED)
    begun.finish()
    return begun.picture


@pytest.mark.parametrize("after", [timedelta(0), timedelta(hours=5)])
def test_a_request_that_was_cut_short_goes_on_with_its_picture_however_late(
    catalog: InMemoryImageCatalog, queue: InMemoryFetchQueue, after: timedelta
) -> None:
    earlier = begin(catalog)
    again = request_fetch_with(catalog, queue, lambda: NOW + after)(WISHED, earlier)
    assert again.picture == earlier
    assert (again.finish(), queue.requested) == (catalog.images[PRODUCT_ID, 1], [a_ref()])
    assert len(catalog.images) == 1


def test_a_picture_that_has_come_meanwhile_is_not_fetched_again(
    catalog: InMemoryImageCatalog, queue: InMemoryFetchQueue
) -> None:
    earlier = begin(catalog)
    ready = catalog.mark_ready(a_ref(), a_file(), NOW)
    assert request_fetch_with(catalog, queue)(WISHED, earlier).finish() == ready
    assert queue.requested == []


def test_a_request_that_was_cut_short_before_its_record_is_begun_anew(catalog: InMemoryImageCatalog) -> None:
    earlier = request_fetch_with(catalog)(WISHED).picture
    again = request_fetch_with(catalog)(WISHED, earlier)
    assert again.picture != earlier
    assert again.finish() == catalog.images[PRODUCT_ID, 101]
