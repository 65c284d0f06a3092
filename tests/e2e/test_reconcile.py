"""What was begun and left is brought to an end by the deployed reconciler, and others are told."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.image import ImageFormat, ImageStatus
from domain.reconcile import PATIENCE
from local.sample import sample_jpeg
from local.system import wait_until
from tests.builders import a_ref, an_image
from tests.e2e.shop import Shop

LONG_AGO = datetime.now(UTC) - PATIENCE - timedelta(minutes=1)
CONTENT = sample_jpeg(60, 40)


def reconcile(shop: Shop) -> dict[str, Any]:
    answer = shop.state.endpoint.client("lambda").invoke(
        FunctionName=shop.state.resources.functions["reconcile"], Payload=b"{}"
    )
    report: dict[str, Any] = json.load(answer["Payload"])
    assert "FunctionError" not in answer, report
    return report


def test_open_records_are_brought_to_an_end(shop: Shop, product_id: int) -> None:
    lost, abandoned, deleted = (a_ref(image_id, product_id) for image_id in (1, 2, 3))
    for ref in (lost, abandoned, deleted):
        image = an_image(ref=ref, size_bytes=len(CONTENT), created_at=LONG_AGO, updated_at=LONG_AGO)
        shop.state.catalog.reserve(image)
    s3, bucket = shop.state.endpoint.client("s3"), shop.state.resources.bucket
    with shop.events_lost():
        for ref in (lost, deleted):
            s3.put_object(Bucket=bucket, Key=ref.incoming_key, Body=CONTENT)
    shop.state.catalog.withdraw(deleted, LONG_AGO)
    report = reconcile(shop)
    assert (report["is_complete"], report["left_for_later"]) == (True, 0)
    assert report["oldest_pending_seconds"] >= PATIENCE.total_seconds()
    assert shop.state.finished(product_id, lost.image_id).status is ImageStatus.READY
    assert shop.state.catalog.get(product_id, abandoned.image_id) is None
    assert shop.state.catalog.get(product_id, deleted.image_id) is None
    shop.until_dealt_with(product_id)
    assert shop.public_copies(product_id) == {lost.media_key(ImageFormat.JPEG)}


def test_others_are_told_what_becomes_of_pictures(shop: Shop, product_id: int, told: str) -> None:
    sqs = shop.state.endpoint.client("sqs")
    seen: list[tuple[str, int]] = []

    def receive(kind: str, image_id: int) -> bool | None:
        for message in sqs.receive_message(QueueUrl=told, MaxNumberOfMessages=10).get("Messages", []):
            event = json.loads(message["Body"])
            seen.append((event["detail-type"], event["detail"]["id"]))
            sqs.delete_message(QueueUrl=told, ReceiptHandle=message["ReceiptHandle"])
        return True if (kind, image_id) in seen else None

    ready = shop.add(CONTENT, product_id=product_id)
    failed = shop.upload(CONTENT[:-500], product_id=product_id).json()["id"]
    shop.delete(product_id, ready.id)
    for kind, image_id in (("ImageReady", ready.id), ("ImageFailed", failed), ("ImageDeleted", ready.id)):
        wait_until(lambda k=kind, i=image_id: receive(k, i), f"{kind} of image {image_id}")  # type: ignore[misc]
