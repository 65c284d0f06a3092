"""How many calls to AWS a request costs: each is time that a client waits, and money.

Through the functions themselves, against the one table (`bench/calls.py`) that prices are made of too, and
through use cases where the table does not tell.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from itertools import batched, islice
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import boto3
import pytest
from moto import mock_aws

import bench.routes
from adapters.aws import dynamodb_client, s3_client, sqs_client
from adapters.dynamo_host_turns import DynamoHostTurns
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_items import image_to_item, product_key
from adapters.dynamo_products import DynamoProducts
from adapters.s3_image_store import S3ImageStore
from adapters.sqs_fetch_queue import SqsFetchQueue
from bench.calls import CALLS, FETCH, OF_A_PRODUCT, Call
from bench.routes import Cost, Routes
from domain.change_image import ChangeImage, ImageChange
from domain.errors import GalleryTooLargeError
from domain.fetch_image import FetchImage, FetchOutcome
from domain.image import Fetch, ImageStatus, ProductImage
from domain.image_details import ALT_TEXT_LIMIT
from domain.list_images import MAX_PAGE_SIZE, ListImages, PageRequest
from domain.reorder_images import MAX_IMAGES, ReorderImages
from domain.text import MAX_SHORT_BYTES
from tests.builders import (
    NOW,
    PRODUCT_ID,
    a_bucket,
    a_catalog_table,
    a_ref,
    an_idempotency_table,
    an_image,
    jpeg,
)
from tests.fakes import InMemoryImageEvents, InMemoryPictureSource
from tests.integration.faults import hook

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Shop:
    """The catalogue on moto, and the names of the calls that it has made since `watch`."""

    def __init__(self) -> None:
        self._client = dynamodb_client()
        self._table = a_catalog_table(self._client)
        DynamoProducts(self._client, self._table).add(PRODUCT_ID)
        self.catalog = DynamoImageCatalog(self._client, self._table)

    @property
    def turns(self) -> DynamoHostTurns:
        return DynamoHostTurns(self._client, an_idempotency_table(boto3.client("dynamodb")), 1, lambda: NOW)

    def put(self, images: Sequence[ProductImage]) -> None:
        put(self._client, self._table, images)

    def watch(self) -> list[str]:
        made: list[str] = []
        hook(self._client, "before-call", lambda model, **_: made.append(model.name))
        return made


@pytest.fixture
def shop() -> Iterator[Shop]:
    with mock_aws():
        yield Shop()


@pytest.fixture
def routes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Routes]:
    """The functions with empty tables; what they set for the whole process is forgotten afterwards."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with patch.dict(os.environ), patch.dict(sys.modules), mock_aws():
        yield Routes()


def put(client: "DynamoDBClient", table: str, images: Sequence[ProductImage]) -> None:
    """Put records straight into the table, and count them on their product."""
    for batch in batched(images, 25, strict=False):
        puts: Any = [{"PutRequest": {"Item": image_to_item(image)}} for image in batch]
        client.batch_write_item(RequestItems={table: puts})
    client.update_item(
        TableName=table,
        Key=product_key(images[0].ref.product_id),
        UpdateExpression="ADD image_count :count",
        ExpressionAttributeValues={":count": {"N": str(len(images))}},
    )


def more_than_a_megabyte(product_id: int, order: int = 0) -> Sequence[ProductImage]:
    """Return records longer than the service lets a text be, so that few of them make a megabyte."""
    refs = [a_ref(image_id, product_id) for image_id in range(1, 13)]
    return [an_image(ref=ref, alt_text="x" * 100_000, order=order) for ref in refs]


def calls_of(costs: Iterator[Cost]) -> dict[str, tuple[Call, ...]]:
    return {cost.route: tuple(report.call for report in cost.reports) for cost in costs}


def operations_of(costs: Iterator[Cost]) -> dict[str, list[str]]:
    return {route: [call.operation for call in calls] for route, calls in calls_of(costs).items()}


def test_each_route_takes_the_calls_and_the_units_that_the_table_says(routes: Routes) -> None:
    routes.add_products(bench.routes.PRODUCT_ID, 1)
    routes.add_pictures(bench.routes.PRODUCT_ID, 0, 10)
    assert calls_of(routes.costs(bench.routes.PRODUCT_ID, 10)) == CALLS


def test_what_is_done_to_a_product_takes_the_calls_and_the_units_that_the_table_says(routes: Routes) -> None:
    assert calls_of(routes.costs_of_a_product(bench.routes.PRODUCT_ID)) == OF_A_PRODUCT


@pytest.mark.parametrize(
    ("route", "calls"),
    [
        ("upload", 2),
        ("upload with a key", 4),
        ("upload replayed", 1),
        ("reserve", 1),
        ("list", 1),
        ("show", 1),
        ("storefront gallery", 1),
        ("storefront primaries", 2),
        ("metadata", 5),
        ("metadata of a primary", 5),
    ],
)
def test_the_routes_that_are_used_most_take_few_calls(route: str, calls: int) -> None:
    assert len(CALLS[route]) == calls


def test_a_picture_by_its_address_takes_the_calls_that_the_table_says(shop: Shop) -> None:
    made = shop.watch()
    s3, sqs = s3_client(), sqs_client()
    for client in (s3, sqs):
        hook(client, "before-call", lambda model, **_: made.append(model.name))
    queue = SqsFetchQueue(sqs, boto3.client("sqs").create_queue(QueueName="fetches")["QueueUrl"])
    image = an_image(fetch=Fetch("https://shop.example/picture"))
    shop.catalog.reserve(image)
    queue.request(image.ref)
    fetch_image = FetchImage(
        catalog=shop.catalog,
        store=S3ImageStore(s3, a_bucket(boto3.client("s3"))),
        source=InMemoryPictureSource(picture=jpeg()),
        turns=shop.turns,
        events=InMemoryImageEvents(),
        clock=lambda: NOW,
    )
    assert fetch_image(image.ref).outcome is FetchOutcome.FETCHED
    assert made == [call.operation for call in FETCH]


# More than a page shows, and more than can be reordered; `make growth` measures with 10,000.
@pytest.mark.parametrize(("pictures", "products"), [(30, 20), (MAX_IMAGES + 50, 1)])
def test_no_route_takes_more_calls_with_a_larger_gallery_or_catalogue(
    routes: Routes, pictures: int, products: int
) -> None:
    routes.add_products(PRODUCT_ID, products)
    routes.add_pictures(PRODUCT_ID, 0, pictures)
    for other in range(1, products):
        routes.add_pictures(PRODUCT_ID + other, pictures * other, 1)
    expected = {route: [call.operation for call in calls] for route, calls in CALLS.items()}
    if pictures > MAX_IMAGES:
        # Too many for one transaction; the API refuses it.
        del expected["reorder"]
    assert operations_of(routes.costs(PRODUCT_ID, pictures)) == expected


def test_a_list_takes_one_call_and_the_same_units_in_a_gallery_of_more_than_a_megabyte(
    routes: Routes,
) -> None:
    product_id = bench.routes.PRODUCT_ID
    routes.add_products(product_id, 1)
    routes.add_pictures(product_id, 0, MAX_PAGE_SIZE)
    behind = more_than_a_megabyte(product_id, order=MAX_PAGE_SIZE)
    put(routes.dynamodb, routes.table, behind)
    first_routes = islice(routes.costs(product_id, MAX_PAGE_SIZE + len(behind)), 2)
    assert calls_of(first_routes) == {route: CALLS[route] for route in ("authorize", "list")}


def test_the_pictures_in_one_status_take_one_more_call_for_each_megabyte_of_the_gallery(shop: Shop) -> None:
    shop.put(more_than_a_megabyte(PRODUCT_ID))
    made = shop.watch()
    ListImages(shop.catalog)(PRODUCT_ID, PageRequest(10, 0, ImageStatus.PENDING))
    # The first one asks how large the gallery is.
    assert made == ["Query"] * 3


def test_a_page_of_a_hundred_pictures_takes_one_call(shop: Shop) -> None:
    longest = {"alt_text": "\U0001f45f" * ALT_TEXT_LIMIT, "name": "y" * MAX_SHORT_BYTES}
    shop.put([an_image(ref=a_ref(image_id), **longest) for image_id in range(1, 101)])
    made = shop.watch()
    page = ListImages(shop.catalog)(PRODUCT_ID, PageRequest(100, 0, None))
    assert (page.count, len(page.snapshots), made) == (100, 100, ["Query"])


def test_a_change_of_nothing_takes_one_call(shop: Shop) -> None:
    shop.catalog.reserve(an_image())
    made = shop.watch()
    ChangeImage(shop.catalog, InMemoryImageEvents(), lambda: NOW)(PRODUCT_ID, 1, ImageChange())
    assert made == ["BatchGetItem"]


def test_a_new_order_of_as_many_pictures_as_can_be_takes_two_calls(shop: Shop) -> None:
    shop.put([an_image(ref=a_ref(image_id)) for image_id in range(1, MAX_IMAGES + 1)])
    made = shop.watch()
    ReorderImages(shop.catalog, InMemoryImageEvents(), lambda: NOW)(
        PRODUCT_ID, list(range(MAX_IMAGES, 0, -1))
    )
    assert made == ["Query", "TransactWriteItems"]


def test_a_gallery_that_is_too_large_for_a_new_order_is_refused_by_one_call(shop: Shop) -> None:
    shop.put([an_image(ref=a_ref(image_id)) for image_id in range(1, MAX_IMAGES + 2)])
    made = shop.watch()
    with pytest.raises(GalleryTooLargeError):
        ReorderImages(shop.catalog, InMemoryImageEvents(), lambda: NOW)(PRODUCT_ID, [])
    assert made == ["Query"]
