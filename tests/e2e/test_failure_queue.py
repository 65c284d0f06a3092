"""An event that fails all its tries waits in the failure queue, with what is needed to send it again."""

import json
from typing import Any

from domain.image import ImageFormat, ImageRef
from local.sample import sample_jpeg
from local.system import wait_until
from tests.e2e.shop import Shop


def test_bytes_without_a_record_end_in_the_failure_queue_and_disturb_nobody(shop: Shop) -> None:
    resources = shop.state.resources
    orphan = ImageRef(129, 1_000_000_007, ImageFormat.JPEG)
    content = sample_jpeg(50, 50)
    shop.state.endpoint.client("s3").put_object(Bucket=resources.bucket, Key=orphan.key, Body=content)
    assert shop.finished(shop.upload(content, product_id=129).json()).facts
    sqs = shop.state.endpoint.client("sqs")

    def receive() -> dict[str, Any] | None:
        messages = sqs.receive_message(QueueUrl=resources.failure_queue, WaitTimeSeconds=1).get(
            "Messages", []
        )
        return json.loads(messages[0]["Body"]) if messages else None

    failure = wait_until(receive, "message in the failure queue", seconds=60)
    assert failure["requestPayload"]["Records"][0]["s3"]["object"]["key"] == orphan.key
    assert failure["requestContext"]["approximateInvokeCount"] == 3
    assert "no record" in json.dumps(failure["responsePayload"])
