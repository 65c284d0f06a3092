from datetime import timedelta

import boto3
import pytest
from aws_lambda_powertools import Logger, Metrics
from moto import mock_aws

from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_products import DynamoProducts
from domain.errors import ImageRecordDamagedError
from domain.reconcile import Outcome, Reconciliation
from handlers.reconcile import ReconcileHandler
from tests.builders import NOW, PRODUCT_ID, REQUEST_ID, a_bucket, a_catalog_table, a_context, an_image
from tests.conftest import ColdStart
from tests.unit.conftest import Printed


def test_a_run_is_reported_in_full(printed: Printed) -> None:
    done = Reconciliation(oldest_pending=timedelta(hours=3), is_complete=False)
    done.outcomes[Outcome.ABANDONED_REMOVED] = 2
    metrics = Metrics(namespace="ProductImages", service="reconcile")
    handler = ReconcileHandler(lambda _has_time: done, Logger(service="reconcile"), metrics)
    report = handler({}, a_context())
    assert report == {
        "sent_to_inspection": 0,
        "sent_to_rendering": 0,
        "sent_to_be_fetched": 0,
        "abandoned_removed": 2,
        "deletion_finished": 0,
        "change_told": 0,
        "sent_to_removal": 0,
        "closed_meanwhile": 0,
        "left_for_later": 0,
        "oldest_pending_seconds": 10_800.0,
        "is_complete": False,
    }
    emitted, log = printed()
    assert (emitted["AbandonedRemoved"], emitted["OldestPendingAge"]) == ([2.0], [10_800.0])
    assert (log["message"], log["request_id"], log["is_complete"]) == ("reconciled", REQUEST_ID, False)


def test_a_fault_that_nobody_foresaw_rises_once_all_is_reported(printed: Printed) -> None:
    done = Reconciliation(fault=KeyError("status"))
    metrics = Metrics(namespace="ProductImages", service="reconcile")
    handler = ReconcileHandler(lambda _has_time: done, Logger(service="reconcile"), metrics)
    with pytest.raises(KeyError):
        handler({}, a_context())
    _, log = printed()
    assert log["message"] == "reconciled"


def test_damage_is_counted_and_named_and_rises_once_all_is_reported(printed: Printed) -> None:
    done = Reconciliation(
        damaged=[ImageRecordDamagedError(PRODUCT_ID, image_id, "size") for image_id in (1, 2)]
    )
    metrics = Metrics(namespace="ProductImages", service="reconcile")
    handler = ReconcileHandler(lambda _has_time: done, Logger(service="reconcile"), metrics)
    with pytest.raises(ImageRecordDamagedError, match="image 1 of product 42"):
        handler({}, a_context())
    _, log, *named, counted = printed()
    assert log["message"] == "reconciled"
    assert [(each["message"], each["product_id"], each["image_id"], each["attribute"]) for each in named] == [
        ("damaged record", PRODUCT_ID, image_id, "size") for image_id in (1, 2)
    ]
    assert counted["DamagedRecords"] == [2.0]


@pytest.mark.parametrize(("remaining", "has_time"), [(20_001, True), (20_000, False)])
def test_a_run_ends_while_there_is_time_to_end_it(
    monkeypatch: pytest.MonkeyPatch, remaining: int, has_time: bool
) -> None:
    context = a_context()
    monkeypatch.setattr(context, "get_remaining_time_in_millis", lambda: remaining)
    seen: list[bool] = []

    def reconcile(has_time: object) -> Reconciliation:
        assert callable(has_time)
        seen.append(has_time())
        return Reconciliation()

    metrics = Metrics(namespace="ProductImages", service="reconcile")
    ReconcileHandler(reconcile, Logger(service="reconcile"), metrics)({}, context)
    assert seen == [has_time]


def test_the_deployed_function_removes_what_was_abandoned(
    cold_start: ColdStart, monkeypatch: pytest.MonkeyPatch
) -> None:
    # moto takes seconds to look through all 256.
    monkeypatch.setattr("adapters.dynamo_items.OPEN_SHARDS", 4)
    with mock_aws():
        dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
        table, bucket = a_catalog_table(dynamodb), a_bucket(s3)
        long_ago = NOW - timedelta(days=1_000)
        DynamoProducts(dynamodb, table).add(PRODUCT_ID)
        DynamoImageCatalog(dynamodb, table).reserve(an_image(created_at=long_ago, updated_at=long_ago))
        module = cold_start(
            "reconcile",
            TABLE=table,
            BUCKET=bucket,
            STACK="shop",
            EXTRACT_METADATA_FUNCTION="extract",
            RENDER_IMAGE_FUNCTION="render",
            FETCH_QUEUE="https://sqs.example/fetch",
        )
        report = module.lambda_handler({}, a_context())
        left = DynamoImageCatalog(dynamodb, table).get(PRODUCT_ID, 1)
    assert (report["abandoned_removed"], left) == (1, None)
    assert module.lambda_handler is module.lambda_handler
    assert not hasattr(module, "anything_else")
