"""How a product's pictures are read: in which calls, and how much of them is in memory at once."""

import tracemalloc
from collections.abc import Callable, Iterator
from itertools import batched
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto import mock_aws

from adapters.aws import dynamodb_client
from adapters.dynamo_gallery import read_gallery, read_page
from adapters.dynamo_items import image_to_item, product_to_item
from domain.image import ImageStatus
from tests.builders import PRODUCT_ID, a_catalog_table, a_ref, an_image
from tests.integration.conftest import remove_attribute
from tests.integration.faults import hook

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

IN_A_CALL = 500
"""Records that the stub answers at a time; DynamoDB, a megabyte at a time, some 2,600."""
type Read = Callable[["DynamoDBClient"], object]
READS: dict[str, Read] = {
    "one status": lambda client: read_page(client, "t", PRODUCT_ID, 100, 0, ImageStatus.PENDING),
    "one status, far behind": lambda client: read_page(
        client, "t", PRODUCT_ID, 100, 9_000, ImageStatus.PENDING
    ),
    "far behind": lambda client: read_page(client, "t", PRODUCT_ID, 100, 9_000, None),
    "gallery": lambda client: read_gallery(client, "t", PRODUCT_ID, 101),
}


def answer_in_pages(client: "DynamoDBClient", calls: int) -> None:
    """Let a gallery of so many calls be answered, each time anew, as if all of it matched."""

    def answer(params: dict[str, Any], **_: object) -> tuple[AWSResponse, dict[str, Any]]:
        body = params["body"] if isinstance(params["body"], str) else params["body"].decode()
        number = int(body.partition('"start": {"N": "')[2].partition('"')[0] or 0)
        first = number * IN_A_CALL
        images = [image_to_item(an_image(ref=a_ref(first + each + 1))) for each in range(IN_A_CALL)]
        items = images if number else [product_to_item(PRODUCT_ID), *images]
        parsed: dict[str, Any] = {"Count": len(items)}
        if '"Select": "COUNT"' not in body:
            parsed["Items"] = items
        if number + 1 < calls:
            parsed["LastEvaluatedKey"] = {"start": {"N": str(number + 1)}}
        return AWSResponse("", 200, HTTPHeaders(), None), parsed

    hook(client, "before-call", answer)


def peak_bytes(read: Read, calls: int) -> int:
    client = dynamodb_client()
    answer_in_pages(client, calls)
    read(client)
    tracemalloc.start()
    try:
        read(client)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_what_is_in_memory_does_not_grow_with_the_gallery(read: Read) -> None:
    # One call is kept while the next is made, and another one as it is written and read.
    assert peak_bytes(read, 8) < 3 * peak_bytes(READS["one status"], 1)


@pytest.fixture
def client() -> Iterator["DynamoDBClient"]:
    with mock_aws():
        yield dynamodb_client()


@pytest.fixture
def table(client: "DynamoDBClient") -> str:
    table = a_catalog_table(client)
    client.put_item(TableName=table, Item=product_to_item(PRODUCT_ID))
    return table


@pytest.fixture
def asked(client: "DynamoDBClient") -> list[str]:
    """What was selected in each query."""
    selected: list[str] = []
    hook(
        client, "provide-client-params.dynamodb.Query", lambda params, **_: selected.append(params["Select"])
    )
    return selected


def put(client: "DynamoDBClient", table: str, count: int, alt_text: str = "") -> None:
    for image_ids in batched(range(1, count + 1), 25, strict=False):
        puts: Any = [
            {"PutRequest": {"Item": image_to_item(an_image(ref=a_ref(image_id), alt_text=alt_text))}}
            for image_id in image_ids
        ]
        client.batch_write_item(RequestItems={table: puts})


@pytest.mark.parametrize(
    ("status", "offset", "selected", "shown"),
    [
        (None, 0, ["ALL_ATTRIBUTES"], [1, 2]),
        (None, 25, ["ALL_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES"], [26, 27]),
        (ImageStatus.PENDING, 0, ["ALL_ATTRIBUTES", "COUNT", "COUNT"], [1, 2]),
        (ImageStatus.PENDING, 25, ["ALL_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES"], [26, 27]),
        (ImageStatus.READY, 0, ["ALL_ATTRIBUTES"] * 3, []),
    ],
)
def test_what_is_surely_not_on_the_page_is_counted_where_it_lies(
    client: "DynamoDBClient",
    table: str,
    asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
    status: ImageStatus | None,
    offset: int,
    selected: list[str],
    shown: list[int],
) -> None:
    # Longer than the service lets a text be, so that ten records make a megabyte.
    monkeypatch.setattr("adapters.dynamo_gallery._MOST_IN_A_CALL", 11)
    put(client, table, 27, alt_text="x" * 100_000)
    page = read_page(client, table, PRODUCT_ID, 2, offset, status)
    assert [each.image.ref.image_id for each in page.snapshots] == shown
    assert asked == selected
    if status:
        assert page.count == (27 if status is ImageStatus.PENDING else 0)


def test_a_record_without_a_status_is_among_the_pending_ones_alone(
    client: "DynamoDBClient", table: str
) -> None:
    put(client, table, 1)
    remove_attribute(client, table, a_ref(), "status")
    counts = {
        status.value: read_page(client, table, PRODUCT_ID, 1, 0, status).count
        for status in (ImageStatus.PENDING, ImageStatus.READY, ImageStatus.FAILED)
    }
    assert counts == {"pending": 1, "ready": 0, "failed": 0}
