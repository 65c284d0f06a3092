from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import override

import pytest

from domain.errors import BytesRefusedError, UnavailableError
from domain.fetch_image import Fetched, FetchImage, FetchOutcome
from domain.fetching import PictureNotNowError, PictureRefusedError, Turn, wait_after
from domain.image import Fetch, ImageFormat, ImageRef, ImageStatus, ProductImage, UploadStamp
from domain.image_store import ReceivedFile
from tests.builders import NOW, PRODUCT_ID, a_file, a_ref, an_image, jpeg
from tests.catalog_fake import InMemoryImageCatalog
from tests.fakes import InMemoryHostTurns, InMemoryImageEvents, InMemoryImageStore, InMemoryPictureSource

PICTURE = jpeg()
A_DAY = timedelta(days=1)


class Service:
    """A picture that is to be fetched from an address, and the use case that does."""

    def __init__(self, page: bytes | str | Exception, fetch: Fetch | None = None) -> None:
        self.catalog = InMemoryImageCatalog(PRODUCT_ID)
        self.store = InMemoryImageStore()
        self.events = InMemoryImageEvents()
        self.source = InMemoryPictureSource(page=page)
        self.now = NOW
        self.turns = InMemoryHostTurns(clock=lambda: self.now)
        fetch = fetch or Fetch("https://shop.example/page")
        self.catalog.reserve(an_image(size_bytes=0, fetch=fetch, primary_requested_at=NOW))

    def run(self, ref: ImageRef | None = None) -> Fetched:
        fetch_image = FetchImage(
            catalog=self.catalog,
            store=self.store,
            source=self.source,
            turns=self.turns,
            events=self.events,
            clock=lambda: self.now,
        )
        return fetch_image(ref or a_ref())

    @property
    def image(self) -> ProductImage:
        return self.catalog.images[PRODUCT_ID, 1]

    def open_since(self, moment: datetime) -> bool:
        """Tell whether the reconciler would find the record at this moment."""
        return bool(list(self.catalog.open_images(moment)))


def test_the_bytes_lie_where_those_of_an_upload_do_with_its_stamp() -> None:
    service = Service(PICTURE)
    assert service.run() == Fetched(FetchOutcome.FETCHED)
    assert service.store.received(a_ref()) == ReceivedFile(PICTURE, UploadStamp(NOW, NOW))
    assert (service.image.status, service.events.sent) == (ImageStatus.PENDING, [])


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        (PictureRefusedError("The server answered 404 (Not Found)."), "The server answered 404 (Not Found)."),
        ("http://127.0.0.1/", "The address is not public."),
        (b"<html>", "The server sent no image that the service takes."),
        (b"%PDF-1.7", "The server sent no image that the service takes."),
    ],
)
def test_what_fails_for_good_is_told_in_the_record_and_to_others(
    page: bytes | str | Exception, sentence: str
) -> None:
    service = Service(page)
    fetched = service.run()
    failure = service.image.failure
    assert failure is not None
    assert (fetched.outcome, fetched.reason, fetched.again_at) == (FetchOutcome.FAILED, failure.reason, None)
    assert (service.image.status, failure.code) == (ImageStatus.FAILED, "fetch_failed")
    assert failure.reason.startswith(sentence)
    assert service.events.sent == [("ImageFailed", 1)]
    # The address, which may open a door, is kept no longer.
    assert (service.image.fetch, service.image.sha256) == (None, None)


def test_what_may_pass_is_put_off_and_the_reconciler_leaves_it_alone_until_it_is_due() -> None:
    service = Service(PictureNotNowError("The server answered 503."))
    again_at = NOW + timedelta(seconds=30)
    assert service.run() == Fetched(FetchOutcome.PUT_OFF, again_at, "The server answered 503.")
    assert service.image.fetch == Fetch("https://shop.example/page", 1, again_at)
    assert not service.open_since(again_at)
    assert service.open_since(again_at + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("tries", "asked_for", "seconds"),
    [
        *((number, None, 30 * 2 ** (number - 1)) for number in range(1, 9)),
        (9, None, 7_200),
        (1_000, None, 7_200),
        (1, 5, 30),
        (1, 3_600, 3_600),
        (20, 10_000, 10_000),
    ],
)
def test_waits_grow_up_to_two_hours_and_are_never_shorter_than_the_server_asks(
    tries: int, asked_for: int | None, seconds: int
) -> None:
    asked = None if asked_for is None else timedelta(seconds=asked_for)
    assert wait_after(tries, asked) == timedelta(seconds=seconds)


def test_a_server_that_stays_so_is_asked_some_eighteen_times_in_a_day_and_then_it_is_told() -> None:
    service = Service(PictureNotNowError("The server answered 503."))
    while (fetched := service.run()).again_at:
        service.now = fetched.again_at
    assert 15 <= len(service.source.asked) <= 20
    assert service.now - NOW < A_DAY
    assert service.image.failure is not None
    assert service.image.failure.reason.startswith("The server answered 503.")


def test_a_server_that_asks_for_more_than_the_day_is_not_waited_for() -> None:
    service = Service(PictureNotNowError("The server answered 429.", retry_after=A_DAY))
    assert service.run().outcome is FetchOutcome.FAILED


def test_a_server_that_is_too_slow_three_times_is_given_up() -> None:
    service = Service(PictureNotNowError("The server took longer than 30 s.", is_too_slow=True))
    outcomes = []
    while True:
        fetched = service.run()
        outcomes.append(fetched.outcome)
        if fetched.again_at is None:
            break
        service.now = fetched.again_at
    assert outcomes == [FetchOutcome.PUT_OFF, FetchOutcome.PUT_OFF, FetchOutcome.FAILED]
    assert fetched.reason == "The server took longer than 30 s. That happened 3 times."


def test_tries_that_failed_for_other_reasons_do_not_count_as_slow_ones() -> None:
    fetch = Fetch("https://shop.example/page", tries=2, slow_tries=1)
    for page, slow_tries in (
        (PictureNotNowError("The server took longer than 30 s.", is_too_slow=True), 2),
        (PictureNotNowError("The server answered 503."), 1),
    ):
        service = Service(page, fetch)
        assert service.run().outcome is FetchOutcome.PUT_OFF
        assert service.image.fetch is not None
        assert (service.image.fetch.tries, service.image.fetch.slow_tries) == (3, slow_tries)


def test_what_is_put_off_is_not_fetched_before_it_is_due() -> None:
    again_at = NOW + timedelta(hours=1)
    service = Service(PICTURE, Fetch("https://shop.example/page", 1, again_at))
    assert service.run() == Fetched(FetchOutcome.PUT_OFF, again_at)
    assert service.source.asked == []
    service.now = again_at
    assert service.run().outcome is FetchOutcome.FETCHED


def test_a_message_that_comes_after_the_day_ends_its_picture() -> None:
    service = Service(PICTURE)
    service.now = NOW + A_DAY
    assert service.run().outcome is FetchOutcome.FAILED
    assert service.source.asked == []
    assert service.image.failure is not None
    assert "within a day" in service.image.failure.reason


def test_a_busy_host_is_not_asked_and_it_counts_as_no_try() -> None:
    service = Service(PICTURE)
    turn = service.turns.enter("shop.example", 0)
    place = NOW + timedelta(seconds=1)
    assert service.run() == Fetched(FetchOutcome.PUT_OFF, place)
    assert (service.source.asked, service.image.fetch) == ([], Fetch("https://shop.example/page", 0, place))
    service.turns.leave(turn, 1)
    service.now = place
    assert service.run().outcome is FetchOutcome.FETCHED


def test_a_turn_is_given_back_whatever_comes_of_the_fetch() -> None:
    for page in (PICTURE, PictureNotNowError("Not now."), PictureRefusedError("No."), ValueError()):
        service = Service(page)
        with suppress(ValueError):
            service.run()
        service.now += timedelta(seconds=1)
        service.turns.enter("shop.example", 0)


def test_a_redirect_on_the_same_host_is_one_request_more_of_the_same_turn() -> None:
    service = Service("https://shop.example/other")
    service.source.pages["https://shop.example/other"] = PICTURE
    assert service.run().outcome is FetchOutcome.FETCHED
    service.now += timedelta(seconds=2)
    service.turns.enter("shop.example", 0)


def test_that_a_turn_cannot_be_given_back_harms_no_picture() -> None:
    class Unreachable(InMemoryHostTurns):
        @override
        def leave(self, turn: Turn, requests: int) -> None:
            raise UnavailableError

    service = Service(PICTURE)
    service.turns = Unreachable()
    assert service.run().outcome is FetchOutcome.FETCHED


@pytest.mark.parametrize("ref", [a_ref(2), a_ref()._replace(token="0" * 16)])
def test_a_message_without_its_record_is_done(ref: ImageRef) -> None:
    service = Service(PICTURE)
    assert service.run(ref) == Fetched(FetchOutcome.CLOSED)
    assert service.source.asked == []


def test_a_picture_that_is_there_or_was_uploaded_or_is_being_deleted_is_not_fetched() -> None:
    ready, uploaded, deleted = Service(PICTURE), Service(PICTURE), Service(PICTURE)
    ready.catalog.mark_ready(a_ref(), a_file(), NOW)
    uploaded.catalog.images[PRODUCT_ID, 1] = an_image()
    deleted.catalog.withdraw(a_ref(), NOW)
    for service in (ready, uploaded, deleted):
        assert service.run() == Fetched(FetchOutcome.CLOSED)
        assert service.source.asked == []


class Interrupting(InMemoryPictureSource):
    """Lets something happen while it fetches."""

    def __init__(self, page: bytes | Exception, meanwhile: Callable[[], object]) -> None:
        super().__init__(page=page)
        self._meanwhile = meanwhile

    @override
    def fetch(self, address: object, enter: object) -> bytes:
        self._meanwhile()
        return super().fetch(address, enter)  # type: ignore[arg-type]


@pytest.mark.parametrize("error", [PictureRefusedError("No."), PictureNotNowError("Not now.")])
def test_a_picture_that_became_ready_meanwhile_stays_so(error: Exception) -> None:
    service = Service(PICTURE)
    file = a_file(image_format=ImageFormat.PNG)
    service.source = Interrupting(error, lambda: service.catalog.mark_ready(a_ref(), file, NOW))
    assert service.run() == Fetched(FetchOutcome.CLOSED)
    assert (service.image.status, service.events.sent) == (ImageStatus.READY, [])


@pytest.mark.parametrize("error", [PictureRefusedError("No."), PictureNotNowError("Not now.")])
def test_a_picture_that_was_deleted_meanwhile_is_done(error: Exception) -> None:
    service = Service(PICTURE)

    def delete() -> None:
        service.catalog.withdraw(a_ref(), NOW)
        service.catalog.finish_removal(a_ref())

    service.source = Interrupting(error, delete)
    assert service.run() == Fetched(FetchOutcome.CLOSED)
    assert (service.catalog.images, service.events.sent) == ({}, [])


def test_bytes_that_the_store_refuses_are_fetched_again() -> None:
    class Refusing(InMemoryImageStore):
        @override
        def put(self, image: ProductImage, content: bytes) -> None:
            raise BytesRefusedError

    service = Service(PICTURE)
    service.store = Refusing()
    with pytest.raises(UnavailableError):
        service.run()
    assert service.image.status is ImageStatus.PENDING
