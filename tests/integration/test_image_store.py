from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import pytest
from moto import mock_aws

from adapters.s3_image_store import S3ImageStore
from domain.image import ImageFormat, ImageRef, UploadStamp
from domain.image_store import ImageStore, PublicCopy, ReceivedFile
from tests.builders import NOW, SHA256, a_bucket, a_ready_image, a_ref, an_image
from tests.fakes import InMemoryImageStore
from tests.integration.conftest import s3_client_on_moto

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

COPY = PublicCopy(b"\xff\xd8\xff a copy", ImageFormat.JPEG, SHA256)
OTHER = PublicCopy(b"another copy", ImageFormat.JPEG, "0" * 64)
PNG = PublicCopy(b"a copy as PNG", ImageFormat.PNG, SHA256)


class Store(ImageStore, Protocol):
    """A store, and what a client with an upload form does to it."""

    def send(self, ref: ImageRef, content: bytes) -> None:
        """Write bytes as S3 does when a form is posted to it."""
        ...


class StoreOnS3(S3ImageStore):
    def __init__(self, client: "S3Client", bucket: str) -> None:
        super().__init__(client, bucket)
        self._place = client, bucket

    def send(self, ref: ImageRef, content: bytes) -> None:
        client, bucket = self._place
        client.put_object(Bucket=bucket, Key=ref.incoming_key, Body=content)


@contextmanager
def store_in_memory() -> Iterator[Store]:
    yield InMemoryImageStore()


@contextmanager
def store_on_s3() -> Iterator[Store]:
    with mock_aws():
        client = s3_client_on_moto()
        yield StoreOnS3(client, a_bucket(client))


@pytest.fixture(
    params=[
        pytest.param(store_in_memory, id="in memory", marks=pytest.mark.fast),
        pytest.param(store_on_s3, id="on S3"),
    ]
)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    with request.param() as store:
        yield store


def content_of(store: Store, ref: ImageRef) -> bytes | None:
    received = store.received(ref)
    return received.content if received else None


# --- What came in ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"\xff\xd8\xff picture", bytes(range(256)) * 1000, b"\r\n", b""])
def test_bytes_come_back_as_they_were_written(store: Store, content: bytes) -> None:
    store.put(an_image(), content)
    assert content_of(store, a_ref()) == content


def test_bytes_that_never_came_are_none(store: Store) -> None:
    store.put(an_image(ref=a_ref(1)), b"picture")
    assert store.received(a_ref(2)) is None


@pytest.mark.parametrize("primary_requested_at", [None, NOW + timedelta(microseconds=1)])
def test_bytes_that_were_put_come_with_the_stamp_of_their_record(
    store: Store, primary_requested_at: datetime | None
) -> None:
    store.put(an_image(primary_requested_at=primary_requested_at), b"picture")
    assert store.received(a_ref()) == ReceivedFile(b"picture", UploadStamp(NOW, primary_requested_at))


def test_bytes_that_a_client_sent_have_no_stamp_not_even_over_those_that_were_put(store: Store) -> None:
    store.put(an_image(), b"picture")
    store.send(a_ref(), b"another")
    assert store.received(a_ref()) == ReceivedFile(b"another", stamp=None)


def test_writing_the_bytes_again_changes_nothing(store: Store) -> None:
    store.put(an_image(), b"picture")
    store.put(an_image(), b"picture")
    assert store.received(a_ref()) == ReceivedFile(b"picture", UploadStamp(NOW, None))


def test_what_came_in_is_seen_by_nobody(store: Store) -> None:
    store.put(an_image(), b"picture")
    assert store.public_copy(a_ref()) is None
    assert not store.is_public(a_ref())


def test_what_came_in_is_discarded_and_no_other_pictures(store: Store) -> None:
    store.put(an_image(ref=a_ref(1)), b"picture")
    store.put(an_image(ref=a_ref(2)), b"another")
    store.discard_received(a_ref(1))
    store.discard_received(a_ref(1))
    assert (content_of(store, a_ref(1)), content_of(store, a_ref(2))) == (None, b"another")


def test_bytes_may_come_again_after_they_were_discarded(store: Store) -> None:
    store.put(an_image(), b"picture")
    store.discard_received(a_ref())
    store.put(an_image(), b"picture")
    assert content_of(store, a_ref()) == b"picture"


# --- What the public sees --------------------------------------------------------------------------------


def test_a_copy_that_is_published_is_found_whatever_its_format(store: Store) -> None:
    assert store.publish(a_ref(1), COPY) == COPY
    assert store.publish(a_ref(2), PNG) == PNG
    assert (store.public_copy(a_ref(1)), store.public_copy(a_ref(2))) == (COPY, PNG)
    assert store.public_copy(a_ref(3)) is None


def test_of_two_copies_the_first_stays_and_is_told_to_whoever_comes_second(store: Store) -> None:
    store.publish(a_ref(), COPY)
    assert store.publish(a_ref(), OTHER) == COPY
    assert store.public_copy(a_ref()) == COPY


def test_nothing_is_public_that_was_unpublished(store: Store) -> None:
    store.publish(a_ref(1), COPY)
    store.publish(a_ref(1), PNG)
    store.publish(a_ref(2), COPY)
    store.unpublish(a_ref(1))
    store.unpublish(a_ref(1))
    assert (store.public_copy(a_ref(1)), store.public_copy(a_ref(2))) == (None, COPY)
    assert (store.is_public(a_ref(1)), store.is_public(a_ref(2))) == (False, True)
    assert store.publish(a_ref(1), OTHER) == OTHER


@pytest.mark.parametrize("kept", [COPY, PNG])
def test_the_copy_in_one_format_is_kept_and_any_other_unpublished(store: Store, kept: PublicCopy) -> None:
    store.publish(a_ref(), COPY)
    store.publish(a_ref(), PNG)
    store.unpublish(a_ref(), keep=kept.image_format)
    store.unpublish(a_ref(), keep=kept.image_format)
    assert store.public_copy(a_ref()) == kept


# --- Both ------------------------------------------------------------------------------------------------


def test_a_picture_is_there_as_long_as_anything_of_it_is(store: Store) -> None:
    assert not store.is_there(a_ref())
    store.put(an_image(), b"picture")
    assert store.is_there(a_ref())
    store.publish(a_ref(), PNG)
    store.discard_received(a_ref())
    assert store.is_there(a_ref())
    store.unpublish(a_ref())
    assert not store.is_there(a_ref())


@pytest.mark.parametrize("copy", [COPY, PNG])
def test_nothing_is_left_of_a_pending_picture_that_is_deleted(store: Store, copy: PublicCopy) -> None:
    store.put(an_image(), b"picture")
    store.publish(a_ref(), copy)
    store.publish(a_ref(2), copy)
    store.delete(an_image())
    assert not store.is_there(a_ref())
    assert store.public_copy(a_ref(2)) == copy


def test_nothing_is_left_of_a_ready_picture_that_is_deleted(store: Store) -> None:
    store.send(a_ref(), b"sent again")
    store.publish(a_ref(), PNG)
    store.delete(a_ready_image(image_format=ImageFormat.PNG))
    assert not store.is_there(a_ref())


def test_deleting_what_is_not_there_is_no_error(store: Store) -> None:
    store.delete(an_image())
    store.delete(a_ready_image())
    assert not store.is_there(a_ref())
