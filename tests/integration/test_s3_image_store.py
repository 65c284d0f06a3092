import base64
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from adapters.aws import s3_client
from adapters.s3_image_store import S3ImageStore
from domain.errors import BytesRefusedError, UnavailableError
from domain.image import ImageFormat, ImageRef
from tests.builders import a_bucket, a_ref, an_image
from tests.integration.conftest import s3_client_on_moto
from tests.integration.faults import answer_with, lose_first_reply

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def client() -> Iterator["S3Client"]:
    with mock_aws():
        yield s3_client_on_moto()


@pytest.fixture
def store(client: "S3Client") -> S3ImageStore:
    return S3ImageStore(client, a_bucket(client))


@pytest.mark.parametrize("image_format", ImageFormat)
def test_bytes_are_stored_with_the_media_type_that_was_detected_to_be_kept_for_a_year(
    client: "S3Client", store: S3ImageStore, image_format: ImageFormat
) -> None:
    ref = ImageRef(42, 1, image_format)
    store.put(an_image(ref=ref), b"picture")
    head = client.head_object(Bucket="images", Key=ref.key)
    assert head["ContentType"] == image_format.media_type
    assert head["CacheControl"] == "public, max-age=31536000, immutable"


def test_what_is_published_bears_the_tag_that_the_buckets_policy_asks_for(
    client: "S3Client", store: S3ImageStore
) -> None:
    store.put(an_image(), b"picture")
    store.publish(a_ref())
    tags = client.get_object_tagging(Bucket="images", Key=a_ref().key)["TagSet"]
    assert tags == [{"Key": "status", "Value": "ready"}]


def test_bytes_travel_with_the_checksum_that_s3_is_to_check(client: "S3Client", store: S3ImageStore) -> None:
    store.put(an_image(), b"picture")
    head = client.head_object(Bucket="images", Key=a_ref().key, ChecksumMode="ENABLED")
    assert base64.b64decode(head["ChecksumCRC32"]) == zlib.crc32(b"picture").to_bytes(4)


@pytest.mark.usefixtures("without_backoff")
def test_bytes_whose_reply_was_lost_are_accepted_when_the_sdk_tries_again(
    client: "S3Client", store: S3ImageStore
) -> None:
    lose_first_reply(client)
    store.put(an_image(), b"picture")
    stored = store.get(a_ref())
    assert stored is not None
    assert stored.content == b"picture"


def test_bytes_that_lost_their_stamp_to_a_hand_are_looked_at_like_those_of_a_form(
    client: "S3Client", store: S3ImageStore
) -> None:
    key = a_ref().key
    client.put_object(Bucket="images", Key=key, Body=b"picture", Metadata={"written-once": key})
    stored = store.get(a_ref())
    assert stored is not None
    assert stored.stamp is None


def test_bytes_that_were_copied_from_another_picture_do_not_bear_its_stamp(
    client: "S3Client", store: S3ImageStore
) -> None:
    store.put(an_image(), b"picture")
    client.copy_object(Bucket="images", Key=a_ref(2).key, CopySource=f"images/{a_ref().key}")
    stored = store.get(a_ref(2))
    assert stored is not None
    assert (stored.content, stored.stamp) == (b"picture", None)


@pytest.mark.parametrize(
    "code", ["AccessDenied", "BadDigest", "ConditionalRequestConflict", "EntityTooLarge"]
)
def test_bytes_that_s3_turns_down_at_once_were_certainly_not_written(code: str) -> None:
    client = s3_client()
    answer_with(client, code)
    with pytest.raises(BytesRefusedError):
        S3ImageStore(client, "images").put(an_image(), b"picture")


@pytest.mark.parametrize(("status", "retries"), [(400, 1), (403, 2), (500, 0), (501, 0)])
def test_an_error_that_leaves_the_outcome_open_says_so(status: int, retries: int) -> None:
    client = s3_client()
    answer_with(client, "Surprise", status, retries)
    with pytest.raises(UnavailableError):
        S3ImageStore(client, "images").put(an_image(), b"picture")


def test_a_bucket_that_is_not_there_is_not_taken_for_missing_bytes(client: "S3Client") -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        S3ImageStore(client, "no-such-bucket").get(a_ref())


def test_a_comparison_that_s3_throttles_is_a_passing_fault(client: "S3Client", store: S3ImageStore) -> None:
    store.put(an_image(), b"picture")
    answer_with(client, "503", 503, event="before-call.s3.HeadObject")
    with pytest.raises(UnavailableError):
        store.put(an_image(), b"picture")


@pytest.mark.parametrize(
    ("code", "status"), [("NoSuchKey", 404), ("NoSuchVersion", 404), ("MethodNotAllowed", 405)]
)
def test_every_way_of_s3_to_say_that_bytes_are_gone_is_understood(code: str, status: int) -> None:
    client = s3_client()
    answer_with(client, code, status)
    store = S3ImageStore(client, "images")
    store.publish(a_ref(), "a version")
    assert store.get(a_ref(), "a version") is None
