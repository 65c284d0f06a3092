from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from adapters.aws import dynamodb_client
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_products import DynamoProducts
from domain.errors import ImageIdTakenError
from domain.image import ImageFacts, ImageStatus
from tests.builders import NOW, a_catalog_table, a_ready_image, a_ref, an_image
from tests.integration.faults import lose_first_reply

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


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
    assert catalog.mark_ready(a_ref(), ImageFacts(48, 32, "RGB"), NOW) == a_ready_image()


@pytest.mark.usefixtures("without_backoff")
def test_a_removal_whose_replies_were_lost_is_done(client: "DynamoDBClient", table: str) -> None:
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(an_image())
    lose_first_reply(client)
    assert catalog.begin_removal(a_ref()) == an_image(status=ImageStatus.DELETING)
    lose_first_reply(client)
    catalog.finish_removal(a_ref())
    assert catalog.get(42, 1) is None


@pytest.mark.usefixtures("without_backoff")
def test_a_primary_whose_reply_was_lost_has_moved(client: "DynamoDBClient", table: str) -> None:
    DynamoProducts(client, table).add(42)
    lose_first_reply(client)
    assert DynamoImageCatalog(client, table).move_primary(an_image())


def test_a_picture_that_was_completed_in_the_meantime_keeps_its_identifier(
    client: "DynamoDBClient", table: str
) -> None:
    catalog = DynamoImageCatalog(client, table)
    catalog.reserve(an_image())
    catalog.mark_ready(a_ref(), ImageFacts(48, 32, "RGB"), NOW)
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
