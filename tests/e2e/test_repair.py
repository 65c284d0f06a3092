"""The operators' tool on the deployed system: it reconciles, compares, and sends failed events again."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapters.dynamo_items import image_key
from domain.image import ImageRef, ImageStatus
from local.deployment import STACK
from local.sample import sample_jpeg
from local.system import State, wait_until
from ops.__main__ import app
from tests.builders import a_ref, an_image
from tests.e2e.shop import Shop

type Operator = Callable[..., Result]

CONTENT = sample_jpeg(50, 50)


@pytest.fixture
def operator(system: State, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """Run a command of the operators' tool."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", system.aws.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", system.aws.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", system.aws.secret_access_key)
    return lambda *command: CliRunner().invoke(app, ["--stack", STACK, *command])


@pytest.fixture
def orphan(shop: Shop, product_id: int) -> Iterator[ImageRef]:
    """Bytes without a record, which only a hand can have put there."""
    s3, bucket = shop.state.endpoint.client("s3"), shop.state.resources.bucket
    ref = a_ref(1_000_000_009, product_id)
    s3.put_object(Bucket=bucket, Key=ref.key, Body=CONTENT)
    yield ref
    s3.delete_object(Bucket=bucket, Key=ref.key)


def failure_of(shop: Shop, ref: ImageRef) -> dict[str, Any]:
    """Wait for the message about a picture in the failure queue, and leave it there."""
    sqs, queue = shop.state.endpoint.client("sqs"), shop.state.resources.failure_queue

    def look() -> dict[str, Any] | None:
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0).get(
            "Messages", []
        )
        failures = [json.loads(message["Body"]) for message in messages]
        return next((failure for failure in failures if key_of(failure) == ref.key), None)

    return wait_until(look, f"message about {ref.key} in the failure queue", seconds=60)


def key_of(failure: dict[str, Any]) -> str:
    return str(failure["requestPayload"]["Records"][0]["s3"]["object"]["key"])


def test_an_event_that_always_fails_holds_up_nobody_and_can_be_sent_again_once_its_cause_is_mended(
    shop: Shop, product_id: int, orphan: ImageRef, operator: Operator
) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: shop.upload(CONTENT, product_id=product_id), range(4)))
    assert {shop.finished(answer.json()).status for answer in answers} == {ImageStatus.READY}
    failure = failure_of(shop, orphan)
    assert failure["requestContext"]["approximateInvokeCount"] == 3
    assert "no record" in json.dumps(failure["responsePayload"])
    audit = operator("repair", "audit")
    assert audit.exit_code == 1
    assert f"object without a record: {orphan.key}" in audit.stderr
    shop.state.catalog.reserve(an_image(ref=orphan, size_bytes=len(CONTENT)))
    redriven = operator("repair", "redrive", "--yes")
    assert redriven.exit_code == 0, redriven.output
    assert "Events sent again: " in redriven.stdout
    assert shop.state.finished(product_id, orphan.image_id).status is ImageStatus.READY
    assert orphan.key not in operator("repair", "audit").stderr


def test_the_audit_finds_a_ready_record_whose_bytes_are_gone(
    shop: Shop, product_id: int, operator: Operator
) -> None:
    image = shop.add(CONTENT, product_id=product_id)
    key = a_ref(image.id, product_id).key
    shop.state.endpoint.client("s3").delete_object(Bucket=shop.state.resources.bucket, Key=key)
    assert f"ready record without bytes: {key}" in operator("repair", "audit").stderr
    assert shop.delete(product_id, image.id).status_code == 204


def test_the_audit_finds_a_product_whose_record_was_removed_by_hand_from_under_its_count(
    shop: Shop, product_id: int, operator: Operator
) -> None:
    image = shop.add(CONTENT, product_id=product_id)
    dynamodb, table = shop.state.endpoint.client("dynamodb"), shop.state.resources.table
    deleted = dynamodb.delete_item(
        TableName=table, Key=image_key(product_id, image.id), ReturnValues="ALL_OLD"
    )
    wrong = f"product whose count is wrong: {product_id} counts 1, has 0"
    assert wrong in operator("repair", "audit").stderr
    dynamodb.put_item(TableName=table, Item=deleted["Attributes"])
    assert wrong not in operator("repair", "audit").stderr


def test_the_reconciler_is_run_at_once_and_says_what_it_did(operator: Operator) -> None:
    ran = operator("repair", "reconcile")
    assert ran.exit_code == 0, ran.output
    assert "is_complete: True" in ran.stdout
