from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from adapters.aws import dynamodb_client
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_items import details_to_attributes, product_key, product_to_item, recency
from adapters.dynamo_products import DynamoProducts
from domain.errors import (
    ImageIdTakenError,
    ImageRecordMissingError,
    ProductHasImagesError,
    UnavailableError,
)
from domain.gallery import Page
from domain.image import MAX_ID, ImageSnapshot, Primary
from domain.image_details import ORDER_LIMIT
from tests.builders import (
    NOW,
    PRODUCT_ID,
    a_catalog_table,
    a_file,
    a_ready_image,
    a_ref,
    an_image,
    remove_product,
    with_changes,
)
from tests.integration.conftest import remove_attribute
from tests.integration.faults import answer_with, hook, lose_first_reply

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOMENTS = st.tuples(st.datetimes(timezones=st.just(UTC)), st.integers(1, MAX_ID))
PLACES = st.tuples(st.integers(-ORDER_LIMIT, ORDER_LIMIT - 1), MOMENTS)


@pytest.fixture
def client() -> Iterator["DynamoDBClient"]:
    with mock_aws():
        yield dynamodb_client()


@pytest.fixture
def table(client: "DynamoDBClient") -> str:
    """The catalogue with one product in it."""
    table = a_catalog_table(client)
    DynamoProducts(client, table).add(PRODUCT_ID)
    return table


@pytest.mark.usefixtures("without_backoff")
def test_a_record_whose_reply_was_lost_is_reserved_when_the_sdk_tries_again(
    client: "DynamoDBClient", table: str
) -> None:
    lose_first_reply(client)
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(an_image())
    assert catalog.page(42, 10, 0) == Page(1, [ImageSnapshot(an_image(), None)])


@pytest.mark.usefixtures("without_backoff")
def test_a_completion_whose_reply_was_lost_is_told_as_it_was_written(
    client: "DynamoDBClient", table: str
) -> None:
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(an_image())
    lose_first_reply(client)
    assert catalog.mark_ready(a_ref(), a_file(), NOW) == a_ready_image()


@pytest.mark.usefixtures("without_backoff")
def test_a_removal_whose_replies_were_lost_is_done(client: "DynamoDBClient", table: str) -> None:
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(an_image())
    lose_first_reply(client)
    assert catalog.withdraw(a_ref(), NOW) is None
    lose_first_reply(client)
    catalog.finish_removal(a_ref())
    assert catalog.get(42, 1) is None
    assert catalog.page(42, 10, 0) == Page(0, [])


@pytest.mark.usefixtures("without_backoff")
def test_a_primary_whose_reply_was_lost_has_moved(client: "DynamoDBClient", table: str) -> None:
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(an_image(primary_requested_at=NOW))
    image = catalog.mark_ready(a_ref(), a_file(), NOW)
    lose_first_reply(client)
    assert catalog.move_primary(image)


@pytest.mark.usefixtures("without_backoff")
def test_a_completion_with_the_primary_whose_reply_was_lost_is_done(
    client: "DynamoDBClient", table: str
) -> None:
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(an_image(primary_requested_at=NOW))
    lose_first_reply(client)
    # DynamoDB knows the second try by its token and says so; the simulation of it finds the record ready.
    catalog.mark_primary_ready(a_ref(), a_file(), NOW, requested_at=NOW)
    ready = a_ready_image(primary_requested_at=NOW)
    assert catalog.look_up(42, 1) == ImageSnapshot(ready, Primary(1, NOW))


def test_a_picture_that_was_completed_in_the_meantime_keeps_its_identifier(
    client: "DynamoDBClient", table: str
) -> None:
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(an_image())
    catalog.mark_ready(a_ref(), a_file(), NOW)
    with pytest.raises(ImageIdTakenError):
        catalog.reserve(an_image())


def test_a_page_reads_the_product_and_its_pictures_up_to_the_end_of_the_page(
    client: "DynamoDBClient", table: str
) -> None:
    catalog = DynamoImageCatalog(client, table)
    for image_id in range(1, 6):
        catalog.reserve(an_image(ref=a_ref(image_id)))
    read: list[tuple[str, int]] = []
    hook(client, "after-call", lambda model, parsed, **_: read.append((model.name, parsed["ScannedCount"])))
    page = catalog.page(42, 2, 1)
    assert (page.count, [each.image.ref.image_id for each in page.snapshots]) == (5, [2, 3])
    assert read == [("Query", 4)]


@pytest.mark.parametrize(
    ("read", "expected", "calls"),
    [
        (lambda catalog: catalog.gallery(42, 100).snapshots(), range(1, 13), 2),
        (lambda catalog: catalog.page(42, 12, 0).snapshots, range(1, 13), 2),
        (lambda catalog: catalog.page(42, 2, 10).snapshots, range(11, 13), 2),
        (lambda catalog: catalog.page(42, 2, 6).snapshots, range(7, 9), 1),
    ],
    ids=["gallery", "page of all", "last page", "page in the first megabyte"],
)
def test_what_is_more_than_a_megabyte_comes_whole_in_one_more_call(
    client: "DynamoDBClient",
    table: str,
    read: Callable[[DynamoImageCatalog], Sequence[ImageSnapshot]],
    expected: Sequence[int],
    calls: int,
) -> None:
    catalog = DynamoImageCatalog(client, table)
    for image_id in range(1, 13):
        # Longer than the service lets a text be, so that few records make a megabyte.
        catalog.reserve(an_image(ref=a_ref(image_id), alt_text="x" * 100_000))
    made: list[str] = []
    hook(client, "before-call", lambda model, **_: made.append(model.name))
    assert [seen.image.ref.image_id for seen in read(catalog)] == list(expected)
    assert made == ["Query"] * calls


WISHED = an_image(primary_requested_at=NOW)
CHANGES: dict[str, Callable[[DynamoImageCatalog], object]] = {
    "change that takes a wish back": lambda catalog: catalog.change(
        ImageSnapshot(WISHED, None), ImageSnapshot(an_image(order=1), None)
    ),
    "begin_removal": lambda catalog: catalog.begin_removal(ImageSnapshot(WISHED, None), NOW),
    "begin_removal of a primary": lambda catalog: catalog.begin_removal(
        ImageSnapshot(WISHED, Primary(1, NOW)), NOW
    ),
    "change": lambda catalog: catalog.change(
        ImageSnapshot(WISHED, None), ImageSnapshot(with_changes(WISHED, order=1), Primary(1, NOW))
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_does_not_bring_back_a_product_that_is_gone(
    client: "DynamoDBClient", table: str, change: Callable[[DynamoImageCatalog], object]
) -> None:
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(WISHED)
    client.delete_item(TableName=table, Key=product_key(42))
    assert not change(catalog)
    assert (catalog.get(42, 1), DynamoProducts(client, table).exists(42)) == (WISHED, False)


def test_a_primary_does_not_bring_back_a_product_that_is_gone(client: "DynamoDBClient", table: str) -> None:
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(WISHED)
    image = catalog.mark_ready(a_ref(), a_file(), NOW)
    client.delete_item(TableName=table, Key=product_key(42))
    assert not catalog.move_primary(image)
    assert not DynamoProducts(client, table).exists(42)


def test_a_completion_with_the_primary_does_not_bring_back_a_product_that_is_gone(
    client: "DynamoDBClient", table: str
) -> None:
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(WISHED)
    client.delete_item(TableName=table, Key=product_key(42))
    assert not catalog.mark_primary_ready(a_ref(), a_file(), NOW, requested_at=NOW)
    assert (catalog.get(42, 1), DynamoProducts(client, table).exists(42)) == (WISHED, False)


def test_a_picture_whose_product_is_gone_is_not_withdrawn(client: "DynamoDBClient", table: str) -> None:
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(an_image())
    client.delete_item(TableName=table, Key=product_key(42))
    with pytest.raises(ImageRecordMissingError):
        catalog.withdraw(a_ref(), NOW)
    assert catalog.get(42, 1) == an_image()
    assert not DynamoProducts(client, table).exists(42)


def test_a_product_that_gets_a_picture_while_it_is_removed_stays(
    client: "DynamoDBClient", table: str
) -> None:
    other = dynamodb_client()
    hook(
        client,
        "before-call.dynamodb.TransactWriteItems",
        lambda **_: DynamoImageCatalog(other, table).reserve(an_image()),
    )
    with pytest.raises(ProductHasImagesError):
        remove_product(DynamoProducts(client, table), 42)
    assert DynamoImageCatalog(client, table).page(42, 10, 0).count == 1


def test_a_removal_of_a_product_that_is_refused_for_another_reason_rises_as_it_is(
    client: "DynamoDBClient", table: str
) -> None:
    answer_with(client, "AccessDeniedException", event="before-call.dynamodb.TransactWriteItems")
    with pytest.raises(ClientError, match="AccessDeniedException"):
        remove_product(DynamoProducts(client, table), 42)


@pytest.mark.parametrize(
    "read",
    [
        lambda catalog: catalog.get(42, 1),
        lambda catalog: catalog.look_up(42, 1),
        lambda catalog: catalog.page(42, 10, 0),
        lambda catalog: catalog.gallery(42, 100),
    ],
    ids=["get", "look_up", "page", "gallery"],
)
def test_a_read_sees_every_write_before_it(
    client: "DynamoDBClient", table: str, read: Callable[[DynamoImageCatalog], object]
) -> None:
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


# --- Records and products that lack what came later --------------------------------------------------------


@pytest.fixture
def catalog_without_status(client: "DynamoDBClient", table: str) -> DynamoImageCatalog:
    """Return a catalogue with one record, which says nothing of its status."""
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(an_image())
    remove_attribute(client, table, a_ref(), "status")
    return catalog


def test_a_record_without_a_status_is_completed_as_a_pending_one(
    catalog_without_status: DynamoImageCatalog,
) -> None:
    ready = catalog_without_status.mark_ready(a_ref(), a_file(), NOW)
    assert ready == a_ready_image()


def test_a_record_without_a_status_is_withdrawn_as_a_pending_one(
    catalog_without_status: DynamoImageCatalog,
) -> None:
    assert catalog_without_status.postpone(a_ref(), NOW)
    assert catalog_without_status.withdraw(a_ref(), NOW) is None
    assert catalog_without_status.page(42, 10, 0) == Page(0, [])


def test_a_record_without_a_status_is_changed_and_deleted(catalog_without_status: DynamoImageCatalog) -> None:
    seen = catalog_without_status.look_up(42, 1)
    changed = ImageSnapshot(an_image(order=1, updated_at=NOW + timedelta(seconds=1)), None)
    assert catalog_without_status.change(seen, changed)
    assert catalog_without_status.begin_removal(changed, NOW)
    assert catalog_without_status.page(42, 10, 0) == Page(0, [])


def test_a_product_that_counts_nothing_yet_has_no_pictures_and_can_be_removed(
    client: "DynamoDBClient", table: str
) -> None:
    client.update_item(TableName=table, Key=product_key(42), UpdateExpression="REMOVE image_count")
    assert DynamoImageCatalog(client, table).page(42, 10, 0) == Page(0, [])
    assert remove_product(DynamoProducts(client, table), 42)


def test_a_product_that_counts_nothing_yet_counts_its_next_picture(
    client: "DynamoDBClient", table: str
) -> None:
    client.update_item(TableName=table, Key=product_key(42), UpdateExpression="REMOVE image_count")
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(an_image())
    assert catalog.page(42, 10, 0).count == 1


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


def leave_out(client: "DynamoDBClient", times: int) -> None:
    """Let so many reads by keys leave the last of them out, as DynamoDB does when it is throttled."""
    left = iter(range(times))
    kept: list[dict[str, Any]] = []

    def shorten(params: dict[str, Any], **_: object) -> dict[str, Any]:
        [(table, asked)] = params["RequestItems"].items()
        kept.clear()
        if next(left, None) is None:
            return params
        *keys, last = asked["Keys"]
        kept.append({table: {"Keys": [last]}})
        return {"RequestItems": {table: {**asked, "Keys": keys or [{"pk": {"S": "-"}, "sk": {"S": "-"}}]}}}

    def tell(parsed: dict[str, Any], **_: object) -> None:
        parsed["UnprocessedKeys"] = kept[0] if kept else {}

    hook(client, "provide-client-params.dynamodb.BatchGetItem", shorten)
    hook(client, "after-call.dynamodb.BatchGetItem", tell)


@pytest.mark.parametrize("times", [1, 2])
def test_what_dynamodb_leaves_out_of_a_look_is_asked_for_again(
    client: "DynamoDBClient", table: str, waits: list[float], times: int
) -> None:
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(an_image())
    leave_out(client, times)
    assert catalog.look_up(PRODUCT_ID, 1) == ImageSnapshot(an_image(), None)
    assert waits == [0.1, 0.2][:times]


def test_a_look_that_dynamodb_leaves_half_undone_three_times_is_a_passing_fault(
    client: "DynamoDBClient", table: str, waits: list[float]
) -> None:
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(an_image())
    leave_out(client, 3)
    with pytest.raises(UnavailableError):
        catalog.look_up(PRODUCT_ID, 1)
    assert len(waits) == 2


def collide(
    client: "DynamoDBClient", times: int, error: Mapping[str, object], event: str = "before-call"
) -> None:
    """Let so many calls collide with somebody's transaction, and the others go through."""
    turns = iter([True] * times)
    response = AWSResponse("", 400, HTTPHeaders(), None)
    answer = {"ResponseMetadata": {"HTTPStatusCode": 400}, **error}
    hook(client, event, lambda **_: (response, answer) if next(turns, False) else None)


def cancelled(*reasons: str) -> dict[str, object]:
    """Return what DynamoDB answers to a transaction that it cancelled, with the reason for each item."""
    return {
        "Error": {"Code": "TransactionCanceledException", "Message": "by a test"},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }


COLLISIONS: dict[str, dict[str, object]] = {
    "single write": {"Error": {"Code": "TransactionConflictException", "Message": "by a test"}},
    "transaction": cancelled("None", "TransactionConflict"),
    # No collision, but as much as told by a transaction alone, and as passing.
    "throttled transaction": cancelled("None", "ThrottlingError"),
    "throttled partition": cancelled("ProvisionedThroughputExceeded", "None"),
}
every_collision = pytest.mark.parametrize("collision", COLLISIONS.values(), ids=COLLISIONS)


@every_collision
@pytest.mark.parametrize("times", [1, 9])
def test_a_write_that_collides_is_tried_again_until_it_goes_through(
    client: "DynamoDBClient", table: str, waits: list[float], collision: dict[str, object], times: int
) -> None:
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(an_image())
    collide(client, times, collision)
    assert catalog.mark_ready(a_ref(), a_file(), NOW) == a_ready_image()
    assert len(waits) == times
    assert waits == sorted(waits)
    assert max(waits) <= 0.5


@every_collision
@pytest.mark.parametrize("times", [1, 9])
def test_uploads_to_one_product_that_collide_are_tried_again(
    client: "DynamoDBClient", table: str, waits: list[float], collision: dict[str, object], times: int
) -> None:
    catalog = DynamoImageCatalog(client, table)
    collide(client, times, collision)
    catalog.reserve(an_image())
    collide(client, times, collision)
    assert catalog.withdraw(a_ref(), NOW) is None
    assert (catalog.page(42, 10, 0), len(waits)) == (Page(0, []), 2 * times)


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
    collide(client, 1, cancelled("ConditionalCheckFailed", "TransactionConflict"))
    seen = ImageSnapshot(an_image(), None)
    assert not DynamoImageCatalog(client, table).change(seen, ImageSnapshot(an_image(order=1), None))
    assert waits == []


@every_collision
def test_a_product_that_collides_with_uploads_is_added_and_removed_all_the_same(
    client: "DynamoDBClient", table: str, waits: list[float], collision: dict[str, object]
) -> None:
    products = DynamoProducts(client, table)
    collide(client, 1, collision, "before-call.dynamodb.TransactWriteItems")
    assert products.add(43)
    collide(client, 1, collision, "before-call.dynamodb.TransactWriteItems")
    assert remove_product(products, 43)
    assert (products.exists(43), len(waits)) == (False, 2)


def test_a_transaction_that_is_refused_for_another_reason_rises_as_it_is(
    client: "DynamoDBClient", table: str
) -> None:
    collide(client, 1, cancelled("ValidationError"))
    with pytest.raises(ClientError):
        DynamoImageCatalog(client, table).begin_removal(ImageSnapshot(an_image(), None), NOW)


@given(PLACES, PLACES)
def test_places_sort_by_order_then_by_time_of_upload_then_by_identifier(
    one: tuple[int, tuple[datetime, int]], other: tuple[int, tuple[datetime, int]]
) -> None:
    places = [
        details_to_attributes(an_image(ref=a_ref(image_id), order=order, created_at=created_at))["place"]["S"]
        for order, (created_at, image_id) in (one, other)
    ]
    assert (places[0] < places[1]) == (one < other)
    assert product_to_item(42)["place"]["S"] < min(places)


@given(MOMENTS, MOMENTS)
def test_recency_sorts_by_time_and_then_by_identifier(
    one: tuple[datetime, int], other: tuple[datetime, int]
) -> None:
    assert (recency(*one)["S"] < recency(*other)["S"]) == (one < other)
