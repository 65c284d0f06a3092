from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from adapters.s3_image_store import PUBLISHED, STATUS_TAG, S3ImageStore
from domain.errors import BytesRefusedError
from domain.image import ImageFormat, ImageRef, UploadStamp
from domain.ports import ImageStore, StoredBytes
from tests.builders import NOW, a_bucket, a_ref, an_image
from tests.fakes import InMemoryImageStore
from tests.integration.conftest import s3_client_on_moto
from tests.integration.faults import hook

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


LISTED_AT_A_TIME = 3


@contextmanager
def store_in_memory() -> Iterator[ImageStore]:
    yield InMemoryImageStore()


@contextmanager
def store_on_s3() -> Iterator[ImageStore]:
    with mock_aws():
        client = s3_client_on_moto()
        # S3 lists at most 1,000 versions at a time.
        hook(
            client,
            "provide-client-params.s3.ListObjectVersions",
            lambda params, **_: {**params, "MaxKeys": LISTED_AT_A_TIME},
        )
        yield S3ImageStore(client, a_bucket(client))


@pytest.fixture(
    params=[
        pytest.param(store_in_memory, id="in memory", marks=pytest.mark.fast),
        pytest.param(store_on_s3, id="on S3"),
    ]
)
def store(request: pytest.FixtureRequest) -> Iterator[ImageStore]:
    with request.param() as store:
        yield store


def content_of(store: ImageStore, ref: ImageRef, version: str | None = None) -> bytes | None:
    stored = store.get(ref, version)
    return stored.content if stored else None


@pytest.mark.parametrize("content", [b"\xff\xd8\xff picture", bytes(range(256)) * 1000, b"\r\n", b""])
def test_bytes_come_back_as_they_were_written(store: ImageStore, content: bytes) -> None:
    store.put(an_image(), content)
    assert content_of(store, a_ref()) == content


def test_bytes_that_were_never_written_are_none(store: ImageStore) -> None:
    store.put(an_image(ref=a_ref(1)), b"picture")
    assert content_of(store, a_ref(2)) is None
    assert content_of(store, ImageRef(a_ref().product_id, 1, ImageFormat.PNG)) is None


def test_writing_the_very_same_bytes_again_changes_nothing(store: ImageStore) -> None:
    store.put(an_image(), b"picture")
    store.put(an_image(), b"picture")
    assert content_of(store, a_ref()) == b"picture"


def test_other_bytes_are_refused_and_those_that_lie_there_untouched(store: ImageStore) -> None:
    store.put(an_image(), b"picture")
    with pytest.raises(BytesRefusedError):
        store.put(an_image(), b"another")
    assert content_of(store, a_ref()) == b"picture"


def test_deleted_bytes_are_gone(store: ImageStore) -> None:
    store.put(an_image(ref=a_ref(1)), b"picture")
    store.put(an_image(ref=a_ref(2)), b"another")
    store.delete(a_ref(1))
    assert (content_of(store, a_ref(1)), content_of(store, a_ref(2))) == (None, b"another")


def test_deleting_what_is_not_there_is_no_error(store: ImageStore) -> None:
    store.delete(a_ref())
    assert content_of(store, a_ref()) is None


def test_a_key_is_free_again_after_its_bytes_were_deleted(store: ImageStore) -> None:
    store.put(an_image(), b"picture")
    store.delete(a_ref())
    store.put(an_image(), b"another")
    assert content_of(store, a_ref()) == b"another"


# --- Versions, as clients with an upload form make them ----------------------------------------------------


class Versions(Protocol):
    """Writes bytes as a client with an upload form does, and looks at what there is."""

    def overwrite(self, ref: ImageRef, content: bytes) -> str:
        """Write a version, and return its name."""
        ...

    def public(self, ref: ImageRef) -> bytes | None:
        """Return what the public sees."""
        ...


class S3Versions:
    def __init__(self, client: "S3Client") -> None:
        self._client = client

    def overwrite(self, ref: ImageRef, content: bytes) -> str:
        return self._client.put_object(Bucket="images", Key=ref.key, Body=content)["VersionId"]

    def public(self, ref: ImageRef) -> bytes | None:
        try:
            tags = self._client.get_object_tagging(Bucket="images", Key=ref.key)["TagSet"]
        except ClientError:
            # There is a delete marker in its place.
            return None
        if {"Key": STATUS_TAG, "Value": PUBLISHED} not in tags:
            return None
        return self._client.get_object(Bucket="images", Key=ref.key)["Body"].read()


@pytest.fixture
def versions(store: ImageStore) -> Versions:
    return store if isinstance(store, InMemoryImageStore) else S3Versions(s3_client_on_moto())


def test_each_write_is_a_version_of_its_own(store: ImageStore, versions: Versions) -> None:
    first, second = versions.overwrite(a_ref(), b"first"), versions.overwrite(a_ref(), b"second")
    assert content_of(store, a_ref()) == b"second"
    assert (content_of(store, a_ref(), first), content_of(store, a_ref(), second)) == (b"first", b"second")


def test_a_version_that_is_discarded_gives_way_to_the_one_before_it(
    store: ImageStore, versions: Versions
) -> None:
    first, second = versions.overwrite(a_ref(), b"first"), versions.overwrite(a_ref(), b"second")
    store.publish(a_ref(), first)
    store.discard(a_ref(), second)
    assert (content_of(store, a_ref()), versions.public(a_ref())) == (b"first", b"first")
    assert content_of(store, a_ref(), second) is None


def test_discarding_an_earlier_version_leaves_the_current_one(store: ImageStore, versions: Versions) -> None:
    first, _ = versions.overwrite(a_ref(), b"first"), versions.overwrite(a_ref(), b"second")
    store.discard(a_ref(), first)
    assert content_of(store, a_ref()) == b"second"


def test_nothing_is_public_until_it_is_published(store: ImageStore, versions: Versions) -> None:
    store.put(an_image(), b"picture")
    assert versions.public(a_ref()) is None
    store.publish(a_ref())
    assert versions.public(a_ref()) == b"picture"


def test_a_version_written_over_a_published_one_is_not_public(store: ImageStore, versions: Versions) -> None:
    store.publish(a_ref(), versions.overwrite(a_ref(), b"first"))
    versions.overwrite(a_ref(), b"second")
    assert versions.public(a_ref()) is None


def test_deleted_bytes_are_kept_as_a_version_and_are_not_public(
    store: ImageStore, versions: Versions
) -> None:
    version = versions.overwrite(a_ref(), b"picture")
    store.publish(a_ref(), version)
    store.delete(a_ref())
    store.publish(a_ref(), version)
    assert (content_of(store, a_ref()), content_of(store, a_ref(), version)) == (None, b"picture")
    assert versions.public(a_ref()) is None


def test_discarding_what_was_discarded_is_no_error(store: ImageStore, versions: Versions) -> None:
    versions.overwrite(a_ref(), b"first")
    version = versions.overwrite(a_ref(), b"second")
    store.discard(a_ref(), version)
    store.discard(a_ref(), version)
    assert content_of(store, a_ref()) == b"first"


def test_publishing_what_is_gone_is_no_error(store: ImageStore, versions: Versions) -> None:
    version = versions.overwrite(a_ref(1), b"picture")
    store.discard(a_ref(1), version)
    store.publish(a_ref(1), version)
    store.publish(a_ref(2))
    assert (content_of(store, a_ref(1)), content_of(store, a_ref(2))) == (None, None)


def test_bytes_come_with_the_version_that_they_are(store: ImageStore, versions: Versions) -> None:
    first, second = versions.overwrite(a_ref(), b"first"), versions.overwrite(a_ref(), b"second")
    assert store.get(a_ref()) == StoredBytes(b"second", second, stamp=None)
    assert store.get(a_ref(), first) == StoredBytes(b"first", first, stamp=None)


@pytest.mark.parametrize("primary_requested_at", [None, NOW + timedelta(microseconds=1)])
def test_bytes_that_were_put_come_with_the_stamp_of_their_record(
    store: ImageStore, primary_requested_at: datetime | None
) -> None:
    store.put(an_image(primary_requested_at=primary_requested_at), b"picture")
    stored = store.get(a_ref())
    assert stored
    assert (stored.content, stored.stamp) == (b"picture", UploadStamp(NOW, primary_requested_at))


def test_bytes_exist_until_they_are_deleted(store: ImageStore) -> None:
    assert not store.exists(a_ref())
    store.put(an_image(), b"picture")
    assert store.exists(a_ref())
    store.delete(a_ref())
    assert not store.exists(a_ref())


def test_there_are_no_versions_while_the_bytes_are_deleted_and_all_once_they_are_written_again(
    store: ImageStore, versions: Versions
) -> None:
    assert store.versions(a_ref()) == []
    first = versions.overwrite(a_ref(), b"first")
    store.delete(a_ref())
    assert store.versions(a_ref()) == []
    second = versions.overwrite(a_ref(), b"second")
    assert store.versions(a_ref()) == [first, second]


def test_the_versions_of_a_longer_key_are_not_those_of_the_picture() -> None:
    with mock_aws():
        client = s3_client_on_moto()
        bucket, key = a_bucket(client), a_ref().key
        client.put_object(Bucket=bucket, Key=f"{key}.old", Body=b"older")
        written = client.put_object(Bucket=bucket, Key=key, Body=b"picture")["VersionId"]
        client.delete_object(Bucket=bucket, Key=f"{key}.old")
        assert S3ImageStore(client, bucket).versions(a_ref()) == [written]


def test_a_version_that_was_discarded_is_one_no_longer(store: ImageStore, versions: Versions) -> None:
    first, second = versions.overwrite(a_ref(), b"first"), versions.overwrite(a_ref(), b"second")
    store.discard(a_ref(), first)
    assert store.versions(a_ref()) == [second]


def test_many_versions_are_listed_in_the_order_in_which_they_were_written(
    store: ImageStore, versions: Versions
) -> None:
    written = [versions.overwrite(a_ref(), b"picture") for _ in range(2 * LISTED_AT_A_TIME + 1)]
    assert store.versions(a_ref()) == written
