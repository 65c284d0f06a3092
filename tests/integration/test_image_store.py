from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from moto import mock_aws

from adapters.s3_image_store import S3ImageStore
from domain.errors import BytesRefusedError
from domain.image import ImageFormat, ImageRef
from domain.ports import ImageStore
from tests.builders import a_bucket, a_ref
from tests.fakes import InMemoryImageStore
from tests.integration.conftest import s3_client_on_moto


@contextmanager
def store_in_memory() -> Iterator[ImageStore]:
    yield InMemoryImageStore()


@contextmanager
def store_on_s3() -> Iterator[ImageStore]:
    with mock_aws():
        client = s3_client_on_moto()
        yield S3ImageStore(client, a_bucket(client))


@pytest.fixture(params=[store_in_memory, store_on_s3], ids=["in memory", "on S3"])
def store(request: pytest.FixtureRequest) -> Iterator[ImageStore]:
    with request.param() as store:
        yield store


@pytest.mark.parametrize("content", [b"\xff\xd8\xff picture", bytes(range(256)) * 1000, b"\r\n", b""])
def test_bytes_come_back_as_they_were_written(store: ImageStore, content: bytes) -> None:
    store.put(a_ref(), content)
    assert store.get(a_ref()) == content


def test_bytes_that_were_never_written_are_none(store: ImageStore) -> None:
    store.put(a_ref(1), b"picture")
    assert store.get(a_ref(2)) is None
    assert store.get(ImageRef(a_ref().product_id, 1, ImageFormat.PNG)) is None


def test_writing_the_very_same_bytes_again_changes_nothing(store: ImageStore) -> None:
    store.put(a_ref(), b"picture")
    store.put(a_ref(), b"picture")
    assert store.get(a_ref()) == b"picture"


def test_other_bytes_are_refused_and_those_that_lie_there_untouched(store: ImageStore) -> None:
    store.put(a_ref(), b"picture")
    with pytest.raises(BytesRefusedError):
        store.put(a_ref(), b"another")
    assert store.get(a_ref()) == b"picture"


def test_deleted_bytes_are_gone(store: ImageStore) -> None:
    store.put(a_ref(1), b"picture")
    store.put(a_ref(2), b"another")
    store.delete(a_ref(1))
    assert (store.get(a_ref(1)), store.get(a_ref(2))) == (None, b"another")


def test_deleting_what_is_not_there_is_no_error(store: ImageStore) -> None:
    store.delete(a_ref())
    assert store.get(a_ref()) is None


def test_a_key_is_free_again_after_its_bytes_were_deleted(store: ImageStore) -> None:
    store.put(a_ref(), b"picture")
    store.delete(a_ref())
    store.put(a_ref(), b"another")
    assert store.get(a_ref()) == b"another"
