import base64
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from adapters.aws import s3_client
from adapters.s3_image_store import S3ImageStore
from domain.errors import BytesRefusedError, UnavailableError
from domain.image import ImageFormat
from domain.image_store import PublicCopy
from domain.rendition import Rendition
from tests.builders import A_LOOK, PRODUCT_ID, SHA256, a_bucket, a_ready_image, a_ref, an_image
from tests.integration.conftest import s3_client_on_moto
from tests.integration.faults import LOST_CONNECTIONS, answer_with, hook, lose_every_request, lose_first_reply

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

COPY = PublicCopy(b"\xff\xd8\xff a copy", ImageFormat.JPEG, SHA256)


@pytest.fixture
def client() -> Iterator["S3Client"]:
    with mock_aws():
        yield s3_client_on_moto()


@pytest.fixture
def store(client: "S3Client") -> S3ImageStore:
    return S3ImageStore(client, a_bucket(client))


@pytest.mark.parametrize("image_format", ImageFormat)
def test_a_copy_lies_where_the_public_looks_with_the_headers_that_are_ours(
    client: "S3Client", store: S3ImageStore, image_format: ImageFormat
) -> None:
    store.publish(a_ref(7), COPY._replace(image_format=image_format))
    head = client.head_object(Bucket="images", Key=a_ref(7).media_key(image_format))
    assert head["ContentType"] == image_format.media_type
    assert head["ContentDisposition"] == f'inline; filename="{PRODUCT_ID}-7.{image_format.extension}"'
    assert head["CacheControl"] == "public, max-age=31536000, immutable"
    assert head["Metadata"] == {"sha256": SHA256}


def test_what_comes_in_lies_in_the_drop_box_alone_and_says_nothing_of_the_client(
    client: "S3Client", store: S3ImageStore
) -> None:
    store.put(an_image(), b"picture")
    [stored] = client.list_objects_v2(Bucket="images")["Contents"]
    assert stored["Key"] == a_ref().incoming_key
    head = client.head_object(Bucket="images", Key=stored["Key"])
    assert head["Metadata"] == {"created-at": "2026-03-14T09:26:53.589793Z"}


@pytest.mark.parametrize("write", ["put", "publish"])
def test_bytes_travel_with_the_checksum_that_s3_is_to_check(
    client: "S3Client", store: S3ImageStore, write: str
) -> None:
    key = a_ref().incoming_key if write == "put" else an_image().media_key
    if write == "put":
        store.put(an_image(), COPY.content)
    else:
        store.publish(a_ref(), COPY)
    head = client.head_object(Bucket="images", Key=key, ChecksumMode="ENABLED")
    assert base64.b64decode(head["ChecksumCRC32"]) == zlib.crc32(COPY.content).to_bytes(4)


@pytest.mark.usefixtures("without_backoff")
def test_bytes_whose_reply_was_lost_are_accepted_when_the_sdk_tries_again(
    client: "S3Client", store: S3ImageStore
) -> None:
    lose_first_reply(client)
    store.put(an_image(), b"picture")
    received = store.received(a_ref())
    assert received is not None
    assert received.content == b"picture"


@pytest.mark.usefixtures("without_backoff")
def test_a_copy_whose_reply_was_lost_is_ones_own_when_the_sdk_tries_again(
    client: "S3Client", store: S3ImageStore
) -> None:
    lose_first_reply(client)
    assert store.publish(a_ref(), COPY) == COPY


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


@pytest.mark.parametrize("code", ["ConditionalRequestConflict", "SlowDown"])
def test_a_copy_that_cannot_be_written_just_now_is_a_passing_fault(client: "S3Client", code: str) -> None:
    store = S3ImageStore(client, a_bucket(client))
    answer_with(client, code, 409 if code == "ConditionalRequestConflict" else 503)
    with pytest.raises(UnavailableError):
        store.publish(a_ref(), COPY)


def test_a_copy_that_is_deleted_while_it_is_looked_at_is_a_passing_fault(
    client: "S3Client", store: S3ImageStore
) -> None:
    store.publish(a_ref(), COPY)

    def delete(**_: object) -> None:
        client.delete_object(Bucket="images", Key=an_image().media_key)

    hook(client, "before-call.s3.GetObject", delete)
    with pytest.raises(UnavailableError):
        store.publish(a_ref(), COPY)


def test_a_copy_that_s3_refuses_for_another_reason_is_no_passing_fault() -> None:
    client = s3_client()
    answer_with(client, "AccessDenied", 403)
    with pytest.raises(ClientError, match="AccessDenied"):
        S3ImageStore(client, "images").publish(a_ref(), COPY)


def test_a_bucket_that_is_not_there_is_not_taken_for_missing_bytes(client: "S3Client") -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        S3ImageStore(client, "no-such-bucket").received(a_ref())


def test_what_was_made_of_a_copy_goes_and_stays_with_it(client: "S3Client", store: S3ImageStore) -> None:
    store.publish(a_ref(), COPY)
    made = f"{a_ref().media_prefix}/r1/640.avif"
    client.put_object(Bucket="images", Key=made, Body=b"a rendition")
    assert store.public_copy(a_ref()) == COPY
    store.unpublish(a_ref(), keep=ImageFormat.JPEG)
    assert [each["Key"] for each in client.list_objects_v2(Bucket="images")["Contents"]] == [
        an_image().media_key,
        made,
    ]
    store.unpublish(a_ref())
    assert client.list_objects_v2(Bucket="images")["KeyCount"] == 0


@pytest.mark.parametrize("fault", ["refused", "lost"])
def test_what_came_in_and_cannot_be_removed_is_left_to_the_buckets_rules(
    caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    client = s3_client()
    if fault == "refused":
        answer_with(client, "AccessDenied", 403, event="before-call.s3.DeleteObject")
    else:
        lose_every_request(client, LOST_CONNECTIONS[0])
    S3ImageStore(client, "images").discard_received(a_ref())
    [record] = caplog.records
    assert (record.levelname, "stays until it expires" in record.getMessage()) == ("WARNING", True)
    assert a_ref().token not in record.getMessage()


@pytest.mark.parametrize(
    ("code", "error"), [("InternalError", UnavailableError), ("AccessDenied", ClientError)]
)
def test_a_deletion_that_s3_does_in_part_is_no_success(
    client: "S3Client", store: S3ImageStore, code: str, error: type[Exception]
) -> None:
    def refuse_one(parsed: dict[str, object], **_: object) -> None:
        parsed["Errors"] = [{"Key": an_image().media_key, "Code": code, "Message": "by a test"}]

    hook(client, "after-call.s3.DeleteObjects", refuse_one)
    with pytest.raises(error):
        store.delete(an_image())


def test_all_of_a_picture_is_deleted_in_one_call_and_listed_if_its_record_may_not_name_it(
    client: "S3Client", store: S3ImageStore
) -> None:
    asked: list[list[str]] = []
    made: list[str] = []
    hook(client, "before-call", lambda model, **_: made.append(model.name))

    def note(params: dict[str, dict[str, list[dict[str, str]]]], **_: object) -> None:
        asked.append([each["Key"] for each in params["Delete"]["Objects"]])

    hook(client, "provide-client-params.s3.DeleteObjects", note)
    store.delete(an_image())
    store.delete(a_ready_image())
    file = Rendition(640, 480, ImageFormat.AVIF, 4)
    store.add_rendition(a_ref(), "r1", file, b"file")
    store.delete(a_ready_image())
    look = A_LOOK._replace(recipe="r1", renditions=(file,))
    store.delete(replace(a_ready_image(), look=look))
    store.delete(replace(a_ready_image(), look=look._replace(recipe="r2", is_only=False)))
    everything = [a_ref().media_key(image_format) for image_format in ImageFormat]
    copy = [a_ref().incoming_key, a_ready_image().media_key]
    with_rendition = sorted([*copy, f"media/{file.path(a_ref(), 'r1')}"])
    nothing_listed = [a_ref().incoming_key, *sorted(everything)]
    assert asked == [nothing_listed, copy, with_rendition, with_rendition, copy]
    listed = [each for each in made if each != "PutObject"]
    assert listed == [
        *["DeleteObjects"],
        *["ListObjectsV2", "DeleteObjects"] * 2,
        *["DeleteObjects"],
        *["ListObjectsV2", "DeleteObjects"],
    ]


def test_a_file_that_was_made_is_kept_by_browsers_and_says_what_it_is(
    client: "S3Client", store: S3ImageStore
) -> None:
    file = Rendition(640, 480, ImageFormat.AVIF, 4)
    store.add_rendition(a_ref(), "r1", file, b"file")
    stored = client.head_object(Bucket="images", Key=f"media/{file.path(a_ref(), 'r1')}")
    assert (stored["ContentType"], stored["CacheControl"]) == (
        "image/avif",
        "public, max-age=31536000, immutable",
    )
    assert stored["Metadata"] == {}


@pytest.mark.parametrize("code", ["ConditionalRequestConflict", "PreconditionFailed"])
def test_a_file_that_somebody_else_writes_or_removes_just_now_is_tried_again(
    client: "S3Client", store: S3ImageStore, code: str
) -> None:
    answer_with(client, code, 409, event="before-call.s3.PutObject")
    with pytest.raises(UnavailableError):
        store.add_rendition(a_ref(), "r1", Rendition(640, 480, ImageFormat.AVIF, 4), b"file")


@pytest.mark.parametrize("operation", ["PutObject", "HeadObject"])
def test_a_fault_of_s3_that_nobody_foresaw_rises(
    client: "S3Client", store: S3ImageStore, operation: str
) -> None:
    file = Rendition(640, 480, ImageFormat.AVIF, 4)
    store.add_rendition(a_ref(), "r1", file, b"file")
    answer_with(client, "AccessDenied", 403, event=f"before-call.s3.{operation}")
    with pytest.raises(ClientError, match="AccessDenied"):
        store.add_rendition(a_ref(), "r1", file, b"file")
