"""Removal of a product with all that belongs to it, on DynamoDB, S3 and EventBridge as moto plays them."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from adapters.aws import dynamodb_client, eventbridge_client, s3_client
from adapters.dynamo_belongings import DynamoBelongings
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_items import image_to_item, product_key
from adapters.dynamo_products import DynamoProducts
from adapters.eventbridge_image_events import EventBridgeImageEvents
from adapters.pillow_image_inspector import PillowImageInspector
from adapters.pillow_image_renderer import PillowImageRenderer
from adapters.s3_image_store import S3ImageStore
from adapters.s3_product_bytes import S3ProductBytes
from bench.calls import REMOVAL_NOTED, REMOVAL_STEP, REMOVED_AT_ONCE
from domain.errors import ProductBeingRemovedError, ProductNotFoundError, UnavailableError
from domain.extract_metadata import ExtractMetadata
from domain.image import ImageFormat, ImageStatus
from domain.image_store import PublicCopy
from domain.recipe import Recipe
from domain.remove_product import RemoveProduct
from domain.render_image import RenderImage, Rendering
from tests.builders import NOW, PRODUCT_ID, SHA256, a_catalog_table, a_file, a_ref, an_image, jpeg
from tests.integration.faults import hook
from tests.torture.results import size

if TYPE_CHECKING:
    from botocore.client import BaseClient

OTHER = PRODUCT_ID + 1
BUCKET = "pictures"
RENDITIONS = 2
MAX_PIXELS = 10_000


class KilledError(Exception):
    """The function's environment went away."""


class Shop:
    """A product with pictures, their bytes, and what removes them."""

    def __init__(self) -> None:
        self.dynamodb, self.s3, self.events = dynamodb_client(), s3_client(), eventbridge_client()
        self.table = a_catalog_table(self.dynamodb)
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        self.products = DynamoProducts(self.dynamodb, self.table, lambda: NOW)
        self.catalog = DynamoImageCatalog(self.dynamodb, self.table)
        self.told: list[tuple[str, dict[str, Any]]] = []
        hook(self.events, "before-call.events.PutEvents", self._note)
        for product_id in (PRODUCT_ID, OTHER):
            self.products.add(product_id, "Shoe")
        self.remove = RemoveProduct(
            products=self.products,
            belongings=DynamoBelongings(self.dynamodb, self.table),
            product_bytes=S3ProductBytes(self.s3, BUCKET),
            events=EventBridgeImageEvents(self.events, "shop"),
            clock=lambda: NOW,
        )

    def _note(self, params: dict[str, Any], **_: object) -> None:
        for entry in json.loads(params["body"])["Entries"]:
            self.told.append((entry["DetailType"], json.loads(entry["Detail"])))

    def fill(self, count: int, product_id: int = PRODUCT_ID) -> None:
        """Let the product have pictures that are ready, each with renditions, and one that only came in."""
        for image_id in range(1, count + 1):
            image = an_image(ref=a_ref(image_id, product_id=product_id))
            item = image_to_item(replace(image, status=ImageStatus.READY))
            self.dynamodb.put_item(TableName=self.table, Item=item)
            key = image.ref.media_key(ImageFormat.JPEG)
            for name in (key, *(f"{image.ref.media_prefix}/r1/{n}.avif" for n in range(RENDITIONS))):
                self.s3.put_object(Bucket=BUCKET, Key=name, Body=b"picture")
        pending = an_image(ref=a_ref(count + 1, product_id=product_id))
        self.catalog.reserve(pending)
        S3ImageStore(self.s3, BUCKET).put(pending, b"picture")

    def begin(self) -> None:
        seen = self.products.look(PRODUCT_ID)
        assert self.products.write(seen, seen.removed(NOW))

    def keys(self, product_id: int = PRODUCT_ID) -> list[str]:
        client = boto3.client("s3")
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        found = [stored["Key"] for page in pages for stored in page.get("Contents", [])]
        return [key for key in found if f"/{product_id}/" in key]

    def items(self, product_id: int = PRODUCT_ID) -> list[dict[str, Any]]:
        pk = product_key(product_id)["pk"]
        client = boto3.client("dynamodb")
        found = client.get_paginator("scan").paginate(TableName=self.table)
        return [item for page in found for item in page["Items"] if item["pk"] == pk]

    def assert_nothing_is_left(self) -> None:
        [gone] = self.items()
        assert gone["sk"] == {"S": "GONE"}
        # It is in no index, and goes by itself.
        assert gone.keys() == {"pk", "sk", "occurred_at", "expires_at"}
        assert self.keys() == []


@pytest.fixture
def shop() -> Iterator[Shop]:
    with mock_aws():
        yield Shop()


def kill_at(every: int, *clients: "BaseClient") -> list[str]:
    """Let each so many calls end in the death of whoever makes them; return the calls made."""
    calls: list[str] = []

    def die(model: Any, **_: object) -> None:  # noqa: ANN401 - the SDK's
        calls.append(model.name)
        if len(calls) % every == 0:
            raise KilledError

    for client in clients:
        hook(client, "before-call", die)
    return calls


def test_all_that_belongs_to_a_product_goes_with_it_and_nothing_else(shop: Shop) -> None:
    shop.fill(3)
    shop.fill(2, OTHER)
    shop.begin()
    steps: list[int] = []
    assert shop.remove(PRODUCT_ID, lambda: True, steps.append)
    shop.assert_nothing_is_left()
    assert (len(shop.items(OTHER)), len(shop.keys(OTHER)), sum(steps)) == (4, 2 * (1 + RENDITIONS) + 1, 4)


def test_each_picture_is_told_of_with_a_mark_and_the_product_at_last(shop: Shop) -> None:
    shop.fill(12)
    shop.begin()
    shop.remove(PRODUCT_ID, lambda: True)
    *deleted, (kind, removed) = shop.told
    assert {name for name, _ in deleted} == {"ImageDeleted"}
    assert sorted(detail["id"] for _, detail in deleted) == list(range(1, 14))
    assert all(detail["product_removed"] is True for _, detail in deleted)
    assert (kind, removed["product_id"], removed["path"]) == ("ProductRemoved", PRODUCT_ID, "/media/42/")


def test_a_step_makes_the_calls_that_its_price_is_made_of(shop: Shop) -> None:
    shop.fill(REMOVED_AT_ONCE - 1)
    shop.begin()
    calls: list[str] = []
    for client in (shop.dynamodb, shop.events):
        hook(client, "before-call", lambda model, **_: calls.append(model.name))
    shop.remove(PRODUCT_ID, lambda: True)
    step = [call.operation for call in REMOVAL_STEP]
    noted = REMOVAL_NOTED.operation
    # Then nothing more is found, that is told, and the removal ends.
    ends = ["Query", noted, "PutEvents", "TransactWriteItems"]
    # First the removal is read. Before the records the files go: what the public sees, and what came in.
    assert calls == ["BatchGetItem", noted, noted, *step, *ends]


def test_a_damaged_record_goes_too(shop: Shop) -> None:
    shop.fill(1)
    shop.dynamodb.put_item(
        TableName=shop.table,
        Item={"pk": product_key(PRODUCT_ID)["pk"], "sk": {"S": "IMAGE#0000000000000009"}},
    )
    shop.begin()
    assert shop.remove(PRODUCT_ID, lambda: True)
    shop.assert_nothing_is_left()


def test_from_the_first_moment_on_nothing_can_be_done_to_the_product(shop: Shop) -> None:
    shop.fill(2)
    shop.begin()
    assert not shop.products.exists(PRODUCT_ID)
    with pytest.raises(ProductNotFoundError):
        shop.catalog.reserve(an_image(ref=a_ref(9)))
    with pytest.raises(ProductNotFoundError):
        shop.catalog.page(PRODUCT_ID, 10, 0)
    with pytest.raises(ProductNotFoundError):
        shop.catalog.gallery(PRODUCT_ID, 10)
    with pytest.raises(ProductNotFoundError):
        shop.catalog.look_up(PRODUCT_ID, 1)
    with pytest.raises(ProductBeingRemovedError):
        shop.products.add(PRODUCT_ID)


@pytest.mark.torture("pictures of a product whose removal is killed at every tenth call")
def test_a_removal_that_is_killed_at_every_tenth_call_leaves_nothing(
    shop: Shop, tried: Callable[[int], None]
) -> None:
    pictures = size(10_000, 130, "pictures of a product whose removal is killed at every tenth call")
    tried(pictures)
    shop.fill(pictures - 1)
    shop.begin()
    calls = kill_at(10, shop.dynamodb, shop.s3, shop.events)
    is_done = False
    while not is_done:
        with contextlib.suppress(KilledError):
            is_done = shop.remove(PRODUCT_ID, lambda: True)
    assert len(calls) > 10
    shop.assert_nothing_is_left()


def test_a_removal_that_runs_out_of_time_goes_on_where_it_was(shop: Shop) -> None:
    shop.fill(120)
    shop.begin()
    runs, is_done = 0, False
    while not is_done:
        turns = iter([True, True])
        is_done = shop.remove(PRODUCT_ID, lambda: next(turns, False))  # noqa: B023 - called at once
        runs += 1
    assert runs > 2
    shop.assert_nothing_is_left()


def test_two_removals_at_once_leave_nothing_and_tell_the_same(shop: Shop) -> None:
    shop.fill(30)
    shop.begin()

    def run_another(**_: object) -> None:
        if not ran:
            ran.append(True)
            shop.remove(PRODUCT_ID, lambda: True)

    ran: list[bool] = []
    hook(shop.dynamodb, "before-call.dynamodb.BatchWriteItem", run_another)
    assert shop.remove(PRODUCT_ID, lambda: True)
    shop.assert_nothing_is_left()
    assert ran == [True]
    assert {detail["id"] for name, detail in shop.told if name == "ImageDeleted"} == set(range(1, 32))


@pytest.mark.parametrize("call", ["s3.DeleteObjects", "dynamodb.BatchWriteItem", "events.PutEvents"])
def test_a_removal_that_another_run_has_ended_leaves_the_product_that_is_put_again(
    shop: Shop, call: str
) -> None:
    shop.fill(30)
    shop.begin()

    def run_another(**_: object) -> None:
        if not ran:
            ran.append(True)
            assert shop.remove(PRODUCT_ID, lambda: True)
            assert shop.products.add(PRODUCT_ID)
            image = an_image(ref=a_ref(99))
            shop.catalog.reserve(image)
            S3ImageStore(shop.s3, BUCKET).put(image, b"picture")
            shop.s3.put_object(Bucket=BUCKET, Key=image.ref.media_key(ImageFormat.JPEG), Body=b"picture")

    ran: list[bool] = []
    service = call.partition(".")[0]
    client = {"s3": shop.s3, "dynamodb": shop.dynamodb, "events": shop.events}[service]
    hook(client, f"before-call.{call}", run_another)
    assert shop.remove(PRODUCT_ID, lambda: True)
    assert ran == [True]
    assert shop.catalog.gallery(PRODUCT_ID, 10).images[0].ref == a_ref(99)
    assert shop.keys() == [a_ref(99).incoming_key, a_ref(99).media_key(ImageFormat.JPEG)]
    assert [name for name, _ in shop.told].count("ProductRemoved") == 1


def test_a_picture_that_becomes_ready_between_two_steps_is_removed_again(shop: Shop) -> None:
    shop.fill(0)
    ref = a_ref(1)
    extract = ExtractMetadata(
        catalog=DynamoImageCatalog(dynamodb_client(), shop.table),
        store=S3ImageStore(s3_client(), BUCKET),
        inspector=PillowImageInspector(MAX_PIXELS),
        events=EventBridgeImageEvents(eventbridge_client(), "shop"),
        clock=lambda: NOW,
    )
    shop.begin()

    def arrive(**_: object) -> None:
        # The bytes are gone, the record is there still: the picture comes anew, as by a form.
        if not arrived:
            arrived.append(True)
            boto3.client("s3").put_object(Bucket=BUCKET, Key=ref.incoming_key, Body=jpeg(8, 8))
            extract(ref)

    arrived: list[bool] = []
    hook(shop.dynamodb, "before-call.dynamodb.Query", arrive)
    assert shop.remove(PRODUCT_ID, lambda: True)
    assert arrived == [True]
    shop.assert_nothing_is_left()


def test_renditions_that_are_made_while_the_product_goes_are_taken_back(shop: Shop) -> None:
    shop.fill(0)
    image = an_image()
    shop.catalog.reserve(image)
    store = S3ImageStore(shop.s3, BUCKET)
    store.publish(image.ref, PublicCopy(jpeg(400, 300), ImageFormat.JPEG, SHA256))
    shop.catalog.mark_ready(image.ref, a_file(), NOW)
    put: list[str] = []

    def remove_all(params: dict[str, Any], **_: object) -> None:
        if not put:
            shop.begin()
            assert shop.remove(PRODUCT_ID, lambda: True)
            shop.assert_nothing_is_left()
        put.append(params["url_path"])

    # The first of them is on its way when all is removed, and comes after.
    hook(shop.s3, "before-call.s3.PutObject", remove_all)
    render = RenderImage(
        catalog=shop.catalog,
        store=store,
        renderer=PillowImageRenderer(MAX_PIXELS * 100),
        events=EventBridgeImageEvents(shop.events, "shop"),
        clock=lambda: NOW,
        recipe=Recipe(),
    )
    assert render(image.ref) is Rendering.GONE
    assert len(put) > 1
    shop.assert_nothing_is_left()


def test_bytes_that_come_after_the_removal_find_no_record_and_go(shop: Shop) -> None:
    shop.fill(1)
    shop.begin()
    shop.remove(PRODUCT_ID, lambda: True)
    ref = a_ref(1)
    shop.s3.put_object(Bucket=BUCKET, Key=ref.incoming_key, Body=jpeg(8, 8))
    extract = ExtractMetadata(
        catalog=shop.catalog,
        store=S3ImageStore(shop.s3, BUCKET),
        inspector=PillowImageInspector(MAX_PIXELS),
        events=EventBridgeImageEvents(shop.events, "shop"),
        clock=lambda: NOW,
    )
    assert extract(ref) is None
    shop.assert_nothing_is_left()


def test_a_product_that_is_put_again_after_its_removal_is_a_new_one(shop: Shop) -> None:
    shop.fill(2)
    shop.begin()
    shop.remove(PRODUCT_ID, lambda: True)
    assert shop.products.add(PRODUCT_ID)
    [item] = shop.items()
    assert (item["sk"], item["image_count"], "title" in item) == ({"S": "PRODUCT"}, {"N": "0"}, False)
    shop.catalog.reserve(an_image(ref=a_ref(7)))
    assert shop.catalog.gallery(PRODUCT_ID, 10).images[0].ref == a_ref(7)


def test_a_removal_is_found_until_somebody_is_at_it_and_when_it_is_left(shop: Shop) -> None:
    shop.begin()
    hour = timedelta(hours=1)
    assert list(shop.products.open_removals(NOW)) == []
    assert list(shop.products.open_removals(NOW + hour)) == [PRODUCT_ID]
    assert shop.products.postpone_removal(PRODUCT_ID, NOW + hour)
    assert list(shop.products.open_removals(NOW + hour)) == []
    assert list(shop.products.open_removals(NOW + 2 * hour)) == [PRODUCT_ID]
    shop.remove(PRODUCT_ID, lambda: True)
    assert list(shop.products.open_removals(NOW + 2 * hour)) == []
    # Nothing is made of a removal that is done.
    assert not shop.products.postpone_removal(PRODUCT_ID, NOW)
    assert not shop.products.postpone_removal(OTHER, NOW)
    shop.assert_nothing_is_left()


def test_the_open_removal_is_no_picture_to_the_reconciler(shop: Shop) -> None:
    shop.begin()
    assert list(shop.catalog.open_images(NOW + timedelta(days=1))) == []


def test_a_store_that_refuses_for_now_ends_the_run_which_can_be_repeated(shop: Shop) -> None:
    shop.fill(1)
    shop.begin()
    refuse = {"UnprocessedItems": {shop.table: [{"DeleteRequest": {"Key": product_key(1)}}]}}
    hook(shop.dynamodb, "after-call.dynamodb.BatchWriteItem", lambda parsed, **_: parsed.update(refuse))
    with pytest.raises(UnavailableError):
        shop.remove(PRODUCT_ID, lambda: True)
