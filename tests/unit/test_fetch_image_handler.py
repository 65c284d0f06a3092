import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest
from aws_lambda_powertools import Logger, Metrics
from moto import mock_aws

from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_products import DynamoProducts
from adapters.urllib3_picture_source import Endpoint
from domain.errors import ImageRecordDamagedError, UnavailableError
from domain.fetch_image import Fetched, FetchOutcome
from domain.image import Fetch, ImageRef
from handlers.fetch_image import FetchImageHandler
from tests.builders import (
    NOW,
    PRODUCT_ID,
    REQUEST_ID,
    a_bucket,
    a_catalog_table,
    a_context,
    a_ref,
    an_idempotency_table,
    an_image,
)
from tests.conftest import ColdStart
from tests.picture_server import PICTURE, serving
from tests.unit.conftest import Printed


def messages(*bodies: str) -> dict[str, Any]:
    """Return what Lambda makes of messages of a queue."""
    return {
        "Records": [
            {"messageId": str(number), "receiptHandle": f"receipt {number}", "body": body}
            for number, body in enumerate(bodies)
        ]
    }


def order(ref: ImageRef) -> str:
    return json.dumps({"fetch": ref.path})


class Queue:
    """Knows which messages were kept back, and for how long."""

    def __init__(self) -> None:
        self.kept_back: list[tuple[str, int]] = []

    def keep_back(self, receipt: str, seconds: int) -> None:
        self.kept_back.append((receipt, seconds))


@pytest.fixture
def queue() -> Queue:
    return Queue()


def handle(fetch_image: Callable[[ImageRef], Fetched], queue: Queue, *bodies: str) -> list[str]:
    """Return which messages stay in the queue."""
    metrics = Metrics(namespace="ProductImages", service="fetch_image")
    handler = FetchImageHandler(
        fetch_image, queue.keep_back, lambda: NOW, Logger(service="fetch_image"), metrics
    )
    answer = handler(messages(*bodies), a_context())
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


@pytest.mark.parametrize(
    ("outcome", "metric"),
    [
        (FetchOutcome.FETCHED, "FetchSucceeded"),
        (FetchOutcome.FAILED, "FetchFailed"),
        (FetchOutcome.CLOSED, "FetchClosed"),
    ],
)
def test_a_message_that_is_done_leaves_the_queue_and_is_counted(
    queue: Queue, printed: Printed, outcome: FetchOutcome, metric: str
) -> None:
    assert handle(lambda _ref: Fetched(outcome, reason="Why."), queue, order(a_ref())) == []
    counted, log = printed()
    assert (queue.kept_back, counted[metric]) == ([], [1.0])
    assert (log["message"], log["outcome"], log["reason"]) == ("fetch tried", outcome.value, "Why.")
    assert (log["image_id"], log["product_id"], log["request_id"]) == (1, PRODUCT_ID, REQUEST_ID)


@pytest.mark.parametrize(
    ("wait", "seconds"),
    [
        (timedelta(seconds=30), 30),
        (timedelta(seconds=1, microseconds=1), 2),
        (timedelta(seconds=-5), 0),
        (timedelta(days=1), 86_400),
    ],
)
def test_a_message_that_is_put_off_stays_and_is_kept_back_until_it_is_due(
    queue: Queue, printed: Printed, wait: timedelta, seconds: int
) -> None:
    fetched = Fetched(FetchOutcome.PUT_OFF, NOW + wait, "The server answered 503.")
    assert handle(lambda _ref: fetched, queue, order(a_ref())) == ["0"]
    assert queue.kept_back == [("receipt 0", seconds)]
    counted, _ = printed()
    assert counted["FetchPutOff"] == [1.0]


def test_a_message_whose_store_fails_stays_and_the_others_go_on(queue: Queue) -> None:
    def fetch_image(ref: ImageRef) -> Fetched:
        if ref == a_ref(2):
            raise UnavailableError
        return Fetched(FetchOutcome.FETCHED)

    bodies = [order(a_ref(number)) for number in (1, 2, 3)]
    assert handle(fetch_image, queue, *bodies) == ["1"]
    assert queue.kept_back == [("receipt 1", 30)]


def test_a_damaged_record_is_named_and_its_message_does_not_come_again(
    queue: Queue, printed: Printed
) -> None:
    def fetch_image(_ref: ImageRef) -> Fetched:
        raise ImageRecordDamagedError(PRODUCT_ID, 1, "token")

    assert handle(fetch_image, queue, order(a_ref())) == []
    log, counted = printed()
    assert (log["message"], log["attribute"], counted["DamagedRecords"]) == ("damaged record", "token", [1.0])
    assert queue.kept_back == []


def test_a_message_of_somebody_else_is_ignored(queue: Queue, printed: Printed) -> None:
    assert handle(lambda _ref: pytest.fail("It was fetched."), queue, "{}") == []
    [log] = printed()
    assert log["message"] == "not a message of ours, ignored"


def test_a_fault_that_nobody_foresaw_rises(queue: Queue) -> None:
    def fetch_image(_ref: ImageRef) -> Fetched:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - the very one
        handle(fetch_image, queue, order(a_ref()))


def test_the_deployed_function_brings_a_picture_to_where_uploads_lie(
    cold_start: ColdStart, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mock_aws(), serving() as server:
        dynamodb, s3, sqs = boto3.client("dynamodb"), boto3.client("s3"), boto3.client("sqs")
        table, bucket = a_catalog_table(dynamodb), a_bucket(s3)
        DynamoProducts(dynamodb, table).add(PRODUCT_ID)
        catalog = DynamoImageCatalog(dynamodb, table)
        module = cold_start(
            "fetch_image",
            TABLE=table,
            IDEMPOTENCY_TABLE=an_idempotency_table(dynamodb),
            BUCKET=bucket,
            STACK="shop",
            FETCH_QUEUE=sqs.create_queue(QueueName="fetch")["QueueUrl"],
            FETCH_ALLOWED_HOSTS="shop.test",
            FETCH_PER_HOST_PER_SECOND="2",
            MAX_UPLOAD_BYTES="1000000",
        )
        now = module.datetime.now(module.UTC)
        for number, host in ((1, "shop.test"), (2, "other.test")):
            fetch = Fetch(f"http://{host}/picture")
            catalog.reserve(an_image(ref=a_ref(number), fetch=fetch, created_at=now, updated_at=now))
        monkeypatch.setattr(
            module, "look_up_of", lambda _environment: lambda _h, _p: [Endpoint("127.0.0.1", server.port)]
        )
        answer = module.lambda_handler(messages(order(a_ref(1)), order(a_ref(2))), a_context())
        content = s3.get_object(Bucket=bucket, Key=a_ref(1).incoming_key)["Body"].read()
        refused = catalog.get(PRODUCT_ID, 2)
    assert answer == {"batchItemFailures": []}
    assert (content, server.log.hosts()) == (PICTURE, {"shop.test"})
    assert refused is not None
    assert refused.failure is not None
    assert refused.failure.reason == "Pictures are not fetched from the host other.test."
    assert module.lambda_handler is module.lambda_handler
    assert not hasattr(module, "anything_else")
