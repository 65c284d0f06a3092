"""An upload whose bytes cannot be stored, or that hears nothing of them, ends in one truth for all."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.sample import sample_jpeg
from local.system import State
from tests.e2e.lossy_proxy import ALL, losing_replies
from tests.e2e.problems import check_problem
from tests.e2e.runtime_emulator import RuntimeEmulator
from tests.e2e.shop import Shop
from tests.recorded_events import recorded

PRODUCT_ID = 128


def test_a_put_that_fails_takes_the_record_back_and_answers_503(shop: Shop) -> None:
    with shop.bucket_policy(shop.no_puts()):
        answer = shop.upload(sample_jpeg(50, 50), product_id=PRODUCT_ID)
    check_problem(answer, 503, "temporarily_unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert _records(shop.state) == {}
    assert shop.object_keys(PRODUCT_ID) == set()


@pytest.fixture
def deaf_upload(system: State, tmp_path: Path) -> Iterator[RuntimeEmulator]:
    """The upload function, built, hearing no reply to its puts."""
    with (
        losing_replies(system.aws.endpoint_url, {"PUT": ALL, "HEAD": ALL}) as url,
        RuntimeEmulator("upload_image", system, tmp_path, AWS_ENDPOINT_URL_S3=url) as runtime,
    ):
        yield runtime


def test_a_put_whose_reply_is_lost_is_there_for_everybody_or_for_nobody(
    shop: Shop, deaf_upload: RuntimeEmulator
) -> None:
    event = recorded("upload_image", "curl")
    event["pathParameters"]["product_id"] = str(PRODUCT_ID)
    for _ in range(5):
        answer = deaf_upload.invoke(event)
        # The S3 event may be handled before the put is given up: then the picture did arrive.
        assert answer["statusCode"] in {201, 503}, answer
        if answer["statusCode"] == 201:
            assert json.loads(answer["body"])["status"] == "ready"
        records = _records(shop.state)
        assert set(records.values()) <= {"ready"}
        assert records.keys() == shop.object_keys(PRODUCT_ID)


def _records(state: State) -> dict[str, str]:
    """Return the status of each picture of the product that is shown, by its object key."""
    items = state.endpoint.client("dynamodb").query(
        TableName=state.resources.table,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :image)",
        ExpressionAttributeValues={":pk": {"S": f"PRODUCT#{PRODUCT_ID}"}, ":image": {"S": "IMAGE#"}},
    )["Items"]
    statuses = {f"originals/{PRODUCT_ID}/{item['image_id']['N']}.jpg": item["status"]["S"] for item in items}
    # What was taken back stays for an hour, for bytes that come late.
    return {key: status for key, status in statuses.items() if status != "deleting"}
