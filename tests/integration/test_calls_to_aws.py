"""How many calls to AWS a request costs: each is time that a client waits, and money.

First through the functions themselves, against the one table (`bench/calls.py`) that prices are made of too;
then of each use case, where the order of the calls is its promise.
"""

import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING
from unittest.mock import patch

import boto3
import pytest
from moto import mock_aws

from adapters.aws import dynamodb_client
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_products import DynamoProducts
from adapters.pillow_image_inspector import PillowImageInspector
from adapters.s3_image_store import S3ImageStore
from adapters.s3_upload_forms import S3UploadForms
from bench.calls import CALLS, Call
from bench.routes import Cost, Routes
from domain.change_image import ChangeImage, ImageChange
from domain.delete_image import DeleteImage
from domain.extract_metadata import ExtractMetadata
from domain.image import ImageFacts
from domain.leased_ids import LeasedIds
from domain.list_images import MAX_PAGE_SIZE, ListImages, PageRequest
from domain.reorder_images import ReorderImages
from domain.reserve_upload import AnnouncedUpload, ReserveUpload
from domain.show_image import ShowImage
from domain.upload_image import Upload, UploadImage
from tests.builders import NOW, PRODUCT_ID, USER, a_bucket, a_catalog_table, a_ref, an_image, jpeg
from tests.fakes import InMemoryImageEvents
from tests.integration.conftest import s3_client_on_moto
from tests.integration.faults import hook

if TYPE_CHECKING:
    from botocore.client import BaseClient

CONTENT = jpeg()
LATER = NOW + timedelta(minutes=1)


class Shop:
    """The adapters on moto, and the names of the calls that they have made since `watch`."""

    def __init__(self) -> None:
        dynamodb, s3 = dynamodb_client(), s3_client_on_moto()
        table, bucket = a_catalog_table(dynamodb), a_bucket(s3)
        DynamoProducts(dynamodb, table).add(PRODUCT_ID)
        self.catalog = DynamoImageCatalog(dynamodb, table)
        self.store = S3ImageStore(s3, bucket)
        self.forms = S3UploadForms(s3, bucket, lambda: NOW)
        # As in an execution environment that is not new, the identifiers are leased already.
        self.ids = LeasedIds(self.catalog)
        self.ids.next_id()
        self._clients: tuple[BaseClient, ...] = (dynamodb, s3)

    def add(self, *image_ids: int) -> None:
        for image_id in image_ids:
            self.catalog.reserve(
                an_image(ref=a_ref(image_id), size_bytes=len(CONTENT), primary_requested_at=NOW)
            )
            self.store.put(a_ref(image_id), CONTENT)

    def add_ready(self, image_id: int) -> None:
        self.add(image_id)
        self.catalog.mark_ready(a_ref(image_id), ImageFacts(48, 32, "RGB"), None, NOW)

    def watch(self) -> list[str]:
        made: list[str] = []
        for client in self._clients:
            hook(client, "before-call", lambda model, **_: made.append(model.name))
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


def calls_of(costs: Iterator[Cost]) -> dict[str, tuple[Call, ...]]:
    return {cost.route: tuple(report.call for report in cost.reports) for cost in costs}


def operations_of(costs: Iterator[Cost]) -> dict[str, list[str]]:
    return {route: [call.operation for call in calls] for route, calls in calls_of(costs).items()}


def test_each_route_takes_the_calls_and_the_units_that_the_table_says(routes: Routes) -> None:
    routes.add_products(PRODUCT_ID, 1)
    routes.add_pictures(PRODUCT_ID, 0, 1)
    assert calls_of(routes.costs(PRODUCT_ID, 1)) == CALLS


def test_an_idempotency_key_adds_two_calls_to_an_upload_and_a_replay_takes_one() -> None:
    assert [len(CALLS[f"upload{suffix}"]) for suffix in ("", " with a key", " replayed")] == [3, 5, 1]


@pytest.mark.parametrize(("pictures", "products"), [(1, 200), (100, 1), (1_000, 1), (1_000, 200)])
def test_no_route_takes_more_calls_with_a_larger_gallery_or_catalogue(
    routes: Routes, pictures: int, products: int
) -> None:
    routes.add_products(PRODUCT_ID, products)
    routes.add_pictures(PRODUCT_ID, 0, pictures)
    for other in range(1, products):
        routes.add_pictures(PRODUCT_ID + other, pictures * other, 1)
    expected = {route: [call.operation for call in calls] for route, calls in CALLS.items()}
    if pictures > MAX_PAGE_SIZE:
        # Too many for one transaction; the API refuses it.
        del expected["reorder"]
    assert operations_of(routes.costs(PRODUCT_ID, pictures)) == expected


def test_a_list_takes_one_more_call_for_each_megabyte_of_the_gallery(routes: Routes) -> None:
    routes.add_products(PRODUCT_ID, 1)
    routes.add_pictures(PRODUCT_ID, 0, 3_000)
    first_routes = islice(routes.costs(PRODUCT_ID, 3_000), 3)
    assert operations_of(first_routes) == {
        "authorize": ["GetItem"],
        "list": ["Query", "Query"],
        "show": ["BatchGetItem"],
    }


def test_an_upload_takes_three_calls(shop: Shop) -> None:
    made = shop.watch()
    upload_image = UploadImage(
        catalog=shop.catalog, store=shop.store, ids=shop.ids, clock=lambda: NOW, max_bytes=len(CONTENT)
    )
    upload_image(Upload(product_id=PRODUCT_ID, user=USER, content=CONTENT, file_name="shoe.jpg", fields={}))
    assert made == ["GetItem", "PutItem", "PutObject"]


def test_reserving_an_upload_takes_two_calls(shop: Shop) -> None:
    made = shop.watch()
    reserve_upload = ReserveUpload(
        catalog=shop.catalog, forms=shop.forms, ids=shop.ids, clock=lambda: NOW, max_bytes=1
    )
    reserve_upload(
        AnnouncedUpload(
            product_id=PRODUCT_ID,
            user=USER,
            name="shoe.jpg",
            size_bytes=1,
            media_type=None,
            alt_text="",
            is_primary=False,
            order=0,
            sha256=None,
        )
    )
    assert made == ["GetItem", "PutItem"]


def test_a_page_of_a_hundred_pictures_takes_one_call(shop: Shop) -> None:
    for image_id in range(1, 101):
        shop.catalog.reserve(an_image(ref=a_ref(image_id), alt_text="x" * 255, name="y" * 255))
    made = shop.watch()
    page = ListImages(shop.catalog)(PRODUCT_ID, PageRequest(100, 0, None))
    assert (page.count, len(page.snapshots), made) == (100, 100, ["Query"])


def test_showing_a_picture_takes_one_call(shop: Shop) -> None:
    shop.add_ready(1)
    made = shop.watch()
    ShowImage(shop.catalog)(PRODUCT_ID, 1)
    assert made == ["BatchGetItem"]


def test_a_change_takes_two_calls_and_one_of_nothing_one(shop: Shop) -> None:
    shop.add_ready(1)
    made = shop.watch()
    change_image = ChangeImage(shop.catalog, lambda: LATER)
    change_image(PRODUCT_ID, 1, ImageChange(is_primary=True, order=1))
    assert made == ["BatchGetItem", "TransactWriteItems"]
    made.clear()
    change_image(PRODUCT_ID, 1, ImageChange())
    assert made == ["BatchGetItem"]


def test_a_new_order_of_a_hundred_pictures_takes_two_calls(shop: Shop) -> None:
    for image_id in range(1, 101):
        shop.catalog.reserve(an_image(ref=a_ref(image_id)))
    made = shop.watch()
    ReorderImages(shop.catalog, lambda: LATER)(PRODUCT_ID, list(range(100, 0, -1)))
    assert made == ["Query", "TransactWriteItems"]


def test_a_deletion_takes_four_calls(shop: Shop) -> None:
    shop.add_ready(1)
    made = shop.watch()
    DeleteImage(shop.catalog, shop.store, InMemoryImageEvents(), lambda: LATER)(PRODUCT_ID, 1)
    assert made == ["BatchGetItem", "TransactWriteItems", "DeleteObject", "DeleteItem"]


@pytest.mark.parametrize(
    ("is_only_write", "looking"), [(True, []), (False, ["ListObjectVersions"])], ids=["upload", "form"]
)
def test_completing_a_record_takes_five_calls_and_one_more_for_a_form(
    shop: Shop, is_only_write: bool, looking: list[str]
) -> None:
    shop.add(1)
    made = shop.watch()
    extract_metadata = ExtractMetadata(
        catalog=shop.catalog,
        store=shop.store,
        inspector=PillowImageInspector(1_000_000),
        events=InMemoryImageEvents(),
        clock=lambda: LATER,
    )
    extract_metadata(a_ref(), None, is_only_write)
    assert made == [
        *looking,
        *("GetObject", "UpdateItem", "PutObjectTagging", "UpdateItem", "TransactWriteItems"),
    ]
