from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from adapters.aws import dynamodb_client
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_items import recency
from adapters.dynamo_products import DynamoProducts
from domain.errors import ImageIdTakenError, UnavailableError
from domain.image import MAX_ID, ImageFacts, ImageSnapshot, ImageStatus
from tests.builders import NOW, a_catalog_table, a_ready_image, a_ref, an_image
from tests.integration.faults import hook, lose_first_reply

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOMENTS = st.tuples(st.datetimes(timezones=st.just(UTC)), st.integers(1, MAX_ID))


@pytest.fixture
def client() -> Iterator["DynamoDBClient"]:
    with mock_aws():
        yield dynamodb_client()


@pytest.fixture
def table(client: "DynamoDBClient") -> str:
    return a_catalog_table(client)


@pytest.mark.usefixtures("without_backoff")
def test_a_record_whose_reply_was_lost_is_reserved_when_the_sdk_tries_again(
    client: "DynamoDBClient", table: str
) -> None:
    lose_first_reply(client)
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(an_image())
    assert catalog.get(42, 1) == an_image()


@pytest.mark.usefixtures("without_backoff")
def test_a_completion_whose_reply_was_lost_is_told_as_it_was_written(
    client: "DynamoDBClient", table: str
) -> None:
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(an_image())
    lose_first_reply(client)
    assert catalog.mark_ready(a_ref(), ImageFacts(48, 32, "RGB"), None, NOW) == a_ready_image()


@pytest.mark.usefixtures("without_backoff")
def test_a_removal_whose_replies_were_lost_is_done(client: "DynamoDBClient", table: str) -> None:
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(an_image())
    lose_first_reply(client)
    assert catalog.withdraw(a_ref(), NOW) == an_image(status=ImageStatus.DELETING)
    lose_first_reply(client)
    catalog.finish_removal(a_ref())
    assert catalog.get(42, 1) is None


@pytest.mark.usefixtures("without_backoff")
def test_a_primary_whose_reply_was_lost_has_moved(client: "DynamoDBClient", table: str) -> None:
    DynamoProducts(client, table).add(42)
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(an_image(primary_requested_at=NOW))
    image = catalog.mark_ready(a_ref(), ImageFacts(48, 32, "RGB"), None, NOW)
    lose_first_reply(client)
    assert catalog.move_primary(image)


def test_a_picture_that_was_completed_in_the_meantime_keeps_its_identifier(
    client: "DynamoDBClient", table: str
) -> None:
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(an_image())
    catalog.mark_ready(a_ref(), ImageFacts(48, 32, "RGB"), None, NOW)
    with pytest.raises(ImageIdTakenError):
        catalog.reserve(an_image())


def test_one_query_lists_a_gallery_by_identifier(client: "DynamoDBClient", table: str) -> None:
    catalog = DynamoImageCatalog(client, table)
    image_ids = [2, 10, 1, 2**53 - 1, 100]
    for image_id in image_ids:
        catalog.reserve(an_image(ref=a_ref(image_id)))
    items = client.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "PRODUCT#42"}},
    )["Items"]
    assert [int(item["image_id"]["N"]) for item in items] == sorted(image_ids)


def test_a_gallery_of_more_than_a_megabyte_comes_whole(client: "DynamoDBClient", table: str) -> None:
    DynamoProducts(client, table).add(42)
    catalog = DynamoImageCatalog(client, table)
    for image_id in range(1, 61):
        # Longer than the service lets a text be, so that few records make a megabyte.
        catalog.reserve(an_image(ref=a_ref(image_id), alt_text="x" * 20_000))
    made: list[str] = []
    hook(client, "before-call", lambda model, **_: made.append(model.name))
    assert len(catalog.gallery(42).images) == 60
    assert made == ["Query", "Query"]


@pytest.mark.parametrize(
    "read",
    [
        lambda catalog: catalog.product_exists(42),
        lambda catalog: catalog.get(42, 1),
        lambda catalog: catalog.look_up(42, 1),
        lambda catalog: catalog.gallery(42),
    ],
    ids=["product_exists", "get", "look_up", "gallery"],
)
def test_a_read_sees_every_write_before_it(
    client: "DynamoDBClient", table: str, read: Callable[[DynamoImageCatalog], object]
) -> None:
    DynamoProducts(client, table).add(42)
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(an_image())
    # moto is always consistent; DynamoDB is only where it is asked to be.
    asked: list[object] = []
    hook(
        client,
        "provide-client-params",
        lambda params, **_: asked.append(params.get("RequestItems", {}).get(table, params)["ConsistentRead"]),
    )
    read(catalog)
    assert asked == [True]


def test_a_look_that_dynamodb_leaves_half_undone_is_a_passing_fault() -> None:
    client = dynamodb_client()
    unprocessed: dict[str, object] = {"Responses": {}, "UnprocessedKeys": {"t": {"Keys": []}}}
    response = AWSResponse("", 200, HTTPHeaders(), None)
    hook(client, "before-call", lambda **_: (response, unprocessed))
    with pytest.raises(UnavailableError):
        DynamoImageCatalog(client, "t").look_up(42, 1)


# --- Collisions, which moto and the emulator do not have -------------------------------------------------


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let collisions be tried again at once; return how long they would have waited at most."""
    longest: list[float] = []

    def note(_low: float, high: float) -> float:
        longest.append(high)
        return 0

    monkeypatch.setattr("adapters.aws.random.uniform", note)
    return longest


def collide(client: "DynamoDBClient", times: int, error: Mapping[str, object]) -> None:
    """Let so many calls collide with somebody's transaction, and the others go through."""
    turns = iter([True] * times)
    response = AWSResponse("", 400, HTTPHeaders(), None)
    answer = {"ResponseMetadata": {"HTTPStatusCode": 400}, **error}
    hook(client, "before-call", lambda **_: (response, answer) if next(turns, False) else None)


COLLISIONS: list[dict[str, object]] = [
    {"Error": {"Code": "TransactionConflictException", "Message": "by a test"}},
    {
        "Error": {"Code": "TransactionCanceledException", "Message": "by a test"},
        "CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}],
    },
]
every_collision = pytest.mark.parametrize("collision", COLLISIONS, ids=["single write", "transaction"])


@every_collision
@pytest.mark.parametrize("times", [1, 9])
def test_a_write_that_collides_is_tried_again_until_it_goes_through(
    client: "DynamoDBClient", table: str, waits: list[float], collision: dict[str, object], times: int
) -> None:
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(an_image())
    collide(client, times, collision)
    assert catalog.mark_ready(a_ref(), ImageFacts(48, 32, "RGB"), None, NOW) == a_ready_image()
    assert len(waits) == times
    assert waits == sorted(waits)
    assert max(waits) <= 0.5


@every_collision
def test_a_write_that_collides_every_time_is_a_passing_fault(
    client: "DynamoDBClient", table: str, waits: list[float], collision: dict[str, object]
) -> None:
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(an_image())
    seen = ImageSnapshot(an_image(), None)
    collide(client, 10, collision)
    with pytest.raises(UnavailableError):
        catalog.change(seen, ImageSnapshot(an_image(order=1), None))
    assert len(waits) == 9
    assert catalog.get(42, 1) == an_image()


def test_a_transaction_that_collides_where_a_condition_fails_is_not_tried_again(
    client: "DynamoDBClient", table: str, waits: list[float]
) -> None:
    error = {
        "Error": {"Code": "TransactionCanceledException", "Message": "by a test"},
        "CancellationReasons": [{"Code": "ConditionalCheckFailed"}, {"Code": "TransactionConflict"}],
    }
    collide(client, 1, error)
    seen = ImageSnapshot(an_image(), None)
    assert not DynamoImageCatalog(client, table).change(seen, ImageSnapshot(an_image(order=1), None))
    assert waits == []


@pytest.mark.parametrize("reason", ["ProvisionedThroughputExceeded", "ThrottlingError"])
def test_a_transaction_that_is_throttled_is_a_passing_fault(
    client: "DynamoDBClient", table: str, reason: str
) -> None:
    error = {
        "Error": {"Code": "TransactionCanceledException", "Message": "by a test"},
        "CancellationReasons": [{"Code": "None"}, {"Code": reason}],
    }
    collide(client, 1, error)
    with pytest.raises(UnavailableError):
        DynamoImageCatalog(client, table).begin_removal(ImageSnapshot(an_image(), None), NOW)


def test_a_transaction_that_is_refused_for_another_reason_rises_as_it_is(
    client: "DynamoDBClient", table: str
) -> None:
    error = {
        "Error": {"Code": "TransactionCanceledException", "Message": "by a test"},
        "CancellationReasons": [{"Code": "ValidationError"}],
    }
    collide(client, 1, error)
    with pytest.raises(ClientError):
        DynamoImageCatalog(client, table).begin_removal(ImageSnapshot(an_image(), None), NOW)


@given(MOMENTS, MOMENTS)
def test_recency_sorts_by_time_and_then_by_identifier(
    one: tuple[datetime, int], other: tuple[datetime, int]
) -> None:
    assert (recency(*one)["S"] < recency(*other)["S"]) == (one < other)
