import json
from collections.abc import Callable
from datetime import timedelta
from unittest.mock import patch
from urllib.parse import quote

import boto3
import pytest
from aws_lambda_powertools import Logger, Metrics
from botocore.session import get_session
from moto import mock_aws

from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_products import DynamoProducts
from adapters.eventbridge_image_events import detail_of
from adapters.pillow_image_inspector import PillowImageInspector
from adapters.s3_image_store import S3ImageStore
from domain.errors import UnavailableError
from domain.extract_metadata import Completion, ExtractMetadata
from domain.image import ImageFacts, ImageFormat, ImageRef
from domain.image_events import ImageSummary
from handlers.extract_metadata import ExtractMetadataHandler
from tests.builders import (
    NOW,
    PRIVATE,
    PRODUCT_ID,
    REQUEST_ID,
    a_bucket,
    a_catalog_table,
    a_context,
    a_ref,
    an_image,
    jpeg,
    object_created,
    picture,
    private_exif,
)
from tests.catalog_fake import InMemoryImageCatalog
from tests.conftest import ColdStart
from tests.fakes import InMemoryImageEvents, InMemoryImageStore, TickingClock
from tests.unit.conftest import Printed

KEY = a_ref().incoming_key


class Pipeline:
    """The function on fake stores and real pictures."""

    def __init__(self) -> None:
        self.catalog = InMemoryImageCatalog(PRODUCT_ID)
        self.store = InMemoryImageStore()
        self.handler = around(
            ExtractMetadata(
                catalog=self.catalog,
                store=self.store,
                inspector=PillowImageInspector(1_000_000),
                events=InMemoryImageEvents(),
                clock=TickingClock(NOW),
            )
        )

    def upload(self, content: bytes, ref: ImageRef | None = None) -> None:
        image = an_image(ref=ref or a_ref(), size_bytes=len(content))
        self.catalog.reserve(image)
        self.store.put(image, content)

    def tell(self, *keys: str) -> list[tuple[str, str]]:
        images = self.handler(object_created(*keys), a_context())["images"]
        return [(image["key"], image["outcome"]) for image in images]


def around(
    extract_metadata: Callable[[ImageRef], Completion | None],
) -> ExtractMetadataHandler:
    return ExtractMetadataHandler(
        extract_metadata,
        Logger(service="extract_metadata"),
        Metrics(namespace="ProductImages", service="extract_metadata"),
    )


def test_a_picture_becomes_ready_and_is_measured(printed: Printed) -> None:
    pipeline = Pipeline()
    pipeline.upload(jpeg())
    assert pipeline.tell(KEY) == [(KEY, "ready")]
    assert pipeline.catalog.images[PRODUCT_ID, 1].facts == ImageFacts(48, 32, "RGB")
    metrics, log = printed()
    (namespace,) = metrics["_aws"]["CloudWatchMetrics"]
    assert (namespace["Namespace"], namespace["Dimensions"]) == ("ProductImages", [["service"]])
    assert (metrics["ImagesReady"], metrics["TimeToReady"]) == ([1.0], [1000.0])
    assert (log["message"], log["status"]) == ("image inspected", "ready")
    assert (log["request_id"], log["image_id"], log["product_id"]) == (REQUEST_ID, 1, PRODUCT_ID)


@pytest.mark.parametrize(
    "image_format", [ImageFormat.JPEG, ImageFormat.PNG, ImageFormat.WEBP, ImageFormat.AVIF]
)
@pytest.mark.parametrize("is_cut", [False, True])
def test_nothing_of_a_pictures_exif_data_is_logged_even_at_level_debug(
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    image_format: ImageFormat,
    is_cut: bool,
) -> None:
    caplog.set_level("DEBUG")
    pipeline = Pipeline()
    content = picture(image_format.name, exif=private_exif())
    pipeline.upload(content[: len(content) // 4] if is_cut else content)
    assert pipeline.tell(KEY) == [(KEY, "failed" if is_cut else "ready")]
    printed, _ = capsys.readouterr()
    assert "image inspected" in printed
    assert [told for told in PRIVATE if told in printed + caplog.text] == []


def test_a_picture_cut_short_is_marked_failed(printed: Printed) -> None:
    pipeline = Pipeline()
    pipeline.upload(jpeg()[:-100])
    assert pipeline.tell(KEY) == [(KEY, "failed")]
    metrics, log = printed()
    assert metrics["ImagesFailed"] == [1.0]
    assert "ImagesReady" not in metrics
    failure = pipeline.catalog.images[PRODUCT_ID, 1].failure
    assert failure is not None
    assert (log["status"], log["error_code"], log["error"]) == ("failed", "truncated", failure.reason)


def test_a_second_event_is_answered_alike_and_not_measured_again(printed: Printed) -> None:
    pipeline = Pipeline()
    pipeline.upload(jpeg())
    pipeline.tell(KEY)
    printed()
    assert pipeline.tell(KEY) == [(KEY, "ready")]
    assert printed() == []


def test_bytes_that_never_came_are_nothing_to_do(printed: Printed) -> None:
    pipeline = Pipeline()
    assert pipeline.tell(KEY) == [(KEY, "gone")]
    (log,) = printed()
    assert (log["level"], log["image_id"]) == ("INFO", 1)


@pytest.mark.parametrize(
    "key", ["exports/list.csv", "incoming/42/a shoe+\u00e9.jpg", "incoming/42/1", an_image().media_key]
)
def test_a_key_that_is_none_of_ours_is_ignored(printed: Printed, key: str) -> None:
    pipeline = Pipeline()
    assert pipeline.tell(key) == [(key, "ignored")]
    (log,) = printed()
    assert log["level"] == "WARNING"


def test_a_key_is_read_as_s3_writes_it() -> None:
    pipeline = Pipeline()
    pipeline.upload(jpeg())
    event = {"Records": [{"s3": {"object": {"key": quote(KEY, safe="")}}}]}
    assert pipeline.handler(event, a_context()) == {"images": [{"key": KEY, "outcome": "ready"}]}


def test_each_record_of_an_event_has_its_outcome(printed: Printed) -> None:
    pipeline = Pipeline()
    pipeline.upload(jpeg(), a_ref(1))
    pipeline.upload(b"no picture", a_ref(2))
    keys = [a_ref(image_id).incoming_key for image_id in (1, 2, 3)]
    assert pipeline.tell(*keys) == list(zip(keys, ["ready", "failed", "gone"], strict=True))
    logs = [line for line in printed() if "message" in line]
    assert [(log["request_id"], log["image_id"]) for log in logs] == [
        (REQUEST_ID, each) for each in (1, 2, 3)
    ]


def test_the_event_that_s3_sends_to_try_a_notification_is_nothing_to_do() -> None:
    pipeline = Pipeline()
    event = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "images"}
    assert pipeline.handler(event, a_context()) == {"images": []}


def test_bytes_without_a_record_are_nothing_to_complete() -> None:
    pipeline = Pipeline()
    pipeline.store.put(an_image(), jpeg())
    assert pipeline.tell(KEY) == [(KEY, "gone")]
    assert not pipeline.store.is_there(a_ref())


def test_a_passing_fault_rises_so_that_lambda_tries_again() -> None:
    def unavailable(_ref: ImageRef) -> Completion:
        raise UnavailableError

    with pytest.raises(UnavailableError):
        around(unavailable)(object_created(KEY), a_context())


def test_the_deployed_function_completes_the_record_with_the_primary_and_tells_what_it_says(
    cold_start: ColdStart,
) -> None:
    session = get_session()
    writes: list[str] = []
    told: list[dict[str, object]] = []
    session.register("before-call.dynamodb", lambda **call: writes.append(call["model"].name))
    session.register("provide-client-params.events", lambda **call: told.extend(call["params"]["Entries"]))
    with mock_aws(), patch("adapters.aws.session", lambda: session):
        dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
        table, bucket = a_catalog_table(dynamodb), a_bucket(s3)
        DynamoProducts(dynamodb, table).add(PRODUCT_ID)
        catalog = DynamoImageCatalog(dynamodb, table)
        image = an_image(size_bytes=len(jpeg()), primary_requested_at=NOW)
        catalog.reserve(image)
        S3ImageStore(s3, bucket).put(image, jpeg())
        module = cold_start(
            "extract_metadata", TABLE=table, BUCKET=bucket, STACK="shop", MAX_IMAGE_PIXELS="1000000"
        )
        answer = module.lambda_handler(object_created(KEY), a_context())
        snapshot = catalog.look_up(PRODUCT_ID, 1)
        stored = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert answer == {"images": [{"key": KEY, "outcome": "ready"}]}
    assert writes == ["TransactWriteItems"]
    image = snapshot.image
    [detail] = [json.loads(str(entry["Detail"])) for entry in told]
    assert detail.items() >= detail_of(ImageSummary.of(image)).items()
    assert (image.facts, snapshot.is_primary) == (ImageFacts(48, 32, "RGB"), True)
    assert stored == [image.media_key]
    assert image.updated_at - image.created_at > timedelta(0)
    assert module.lambda_handler is module.lambda_handler
    assert not hasattr(module, "anything_else")
