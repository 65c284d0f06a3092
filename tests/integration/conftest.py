from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pytest
from moto import mock_aws

from adapters.aws import dynamodb_client, s3_client
from adapters.dynamo_belongings import DynamoBelongings
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_items import image_key
from adapters.dynamo_product_list import DynamoProductList
from adapters.dynamo_products import DynamoProducts
from adapters.dynamo_storefront import DynamoStorefront
from domain.image import ImageRef
from domain.image_catalog import ImageCatalog
from domain.ports import IdBlocks
from domain.product_ports import Belongings, ProductList, Products
from domain.storefront import Storefront
from tests.builders import NOW, a_catalog_table
from tests.catalog_fake import InMemoryImageCatalog, InMemoryStorefront
from tests.integration.faults import hook
from tests.product_fakes import InMemoryProducts
from tests.sdk_models import models_read_once

__all__ = ["models_read_once"]

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


FEW_SHARDS = 4
"""Of open records, whose 256 partitions moto takes seconds to look through, and finds nothing in."""


class Catalog(ImageCatalog, IdBlocks, Protocol):
    """Both roles that the catalogue's table plays."""


@dataclass(frozen=True)
class Shop:
    """A catalogue, the products in it, and what the public sees of them."""

    catalog: Catalog
    products: Products
    storefront: Storefront
    product_list: ProductList
    belongings: Belongings
    damage: Callable[[ImageRef], None]
    """Make the record of a picture unreadable."""


@contextmanager
def shop_in_memory() -> Iterator[Shop]:
    catalog = InMemoryImageCatalog()
    products = InMemoryProducts(catalog)
    yield Shop(
        catalog,
        products,
        InMemoryStorefront(catalog),
        products,
        products,
        lambda ref: catalog.damaged.add((ref.product_id, ref.image_id)),
    )


@contextmanager
def shop_on_dynamodb() -> Iterator[Shop]:
    with mock_aws(), pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("adapters.dynamo_items.OPEN_SHARDS", FEW_SHARDS)
        client = dynamodb_client()
        table = a_catalog_table(client)

        def damage(ref: ImageRef) -> None:
            remove_attribute(client, table, ref, "name")

        yield Shop(
            DynamoImageCatalog(client, table),
            DynamoProducts(client, table, lambda: NOW),
            DynamoStorefront(client, table),
            DynamoProductList(client, table),
            DynamoBelongings(client, table),
            damage,
        )


def remove_attribute(client: "DynamoDBClient", table: str, ref: ImageRef, name: str) -> None:
    """Take an attribute from the record of a picture, as nothing but a hand does."""
    client.update_item(
        TableName=table,
        Key=image_key(ref.product_id, ref.image_id),
        UpdateExpression="REMOVE #name",
        ExpressionAttributeNames={"#name": name},
    )


@pytest.fixture(
    params=[
        pytest.param(shop_in_memory, id="in memory", marks=pytest.mark.fast),
        pytest.param(shop_on_dynamodb, id="on DynamoDB"),
    ]
)
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    with request.param() as shop:
        yield shop


def s3_client_on_moto() -> "S3Client":
    client = s3_client()
    # moto keeps a checksum only if its algorithm is named; S3 keeps every one that it has checked.
    hook(
        client,
        "provide-client-params.s3.PutObject",
        lambda params, **_: {**params, "ChecksumAlgorithm": "CRC32"},
    )
    return client


@pytest.fixture
def without_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the SDK try again at once."""
    monkeypatch.setattr(
        "botocore.retries.standard.ExponentialBackoff.delay_amount", lambda _self, _context: 0
    )
