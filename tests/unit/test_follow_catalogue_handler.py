import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_lambda_powertools import Logger
from moto import mock_aws

from adapters.dynamo_product_list import DynamoProductList
from domain.errors import InvalidFieldsError
from domain.follow_catalogue import CatalogueEvent, CatalogueEventKind, FollowCatalogue
from handlers.follow_catalogue import FollowCatalogueHandler, read_event
from tests.builders import a_catalog_table, a_context
from tests.catalog_fake import InMemoryImageCatalog
from tests.conftest import ColdStart
from tests.product_fakes import InMemoryProducts, InMemoryRemovals
from tests.unit.conftest import Printed

DETAIL = {"product_id": 42, "title": "Shoe", "occurred_at": "2026-11-30T12:00:00.000Z"}
SCHEMA = json.loads((Path(__file__).parents[2] / "docs/catalogue.schema.json").read_bytes())
MOMENT = datetime(2026, 11, 30, 12, tzinfo=UTC)
WRONG = {
    "product_id": (None, "42", True, 0, -1, 2**53, 10**30, 1.5, [42]),
    "occurred_at": (
        *(None, "", "yesterday", "2026-11-30T12:00:00", 5, ["2026-11-30T12:00:00Z"]),
        *("0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "10000-01-01T00:00:00Z"),
    ),
    "title": (5, ["Shoe"], False, "half \ud83d"),
    "schema_version": ("2", 1),
}


def an_event(kind: str = "ProductCreated", /, **changes: object) -> dict[str, Any]:
    return {"detail-type": kind, "detail": {**DETAIL, **changes}}


def test_an_event_is_read_as_it_is_described() -> None:
    assert read_event(an_event()) == CatalogueEvent(CatalogueEventKind.CREATED, 42, "Shoe", MOMENT)
    assert read_event(an_event("ProductDeleted", title=None, color="red")).title is None
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=2))).isoformat()
    assert read_event(an_event(occurred_at=elsewhere)).occurred_at == MOMENT


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in WRONG for value in WRONG[name]])
def test_what_cannot_be_read_is_named(name: str, value: object) -> None:
    with pytest.raises(InvalidFieldsError) as raised:
        read_event(an_event(**{name: value}))
    assert [fault.field for fault in raised.value.faults] == [name]


def test_the_description_names_what_is_read_and_demands_what_is_needed() -> None:
    assert SCHEMA["properties"].keys() == WRONG.keys()
    assert set(SCHEMA["required"]) == {"product_id", "occurred_at"}


def test_an_event_is_followed_and_named_in_the_log(printed: Printed) -> None:
    products = InMemoryProducts(InMemoryImageCatalog())
    handler = FollowCatalogueHandler(
        FollowCatalogue(products, InMemoryRemovals(), lambda: MOMENT), Logger(service="follow_catalogue")
    )
    assert handler(an_event(), a_context()) == {"product_id": 42, "outcome": "put"}
    assert products.find(42).title == "Shoe"
    [line] = printed()
    assert (line["message"], line["product_id"], line["outcome"]) == ("catalogue followed", 42, "put")


def test_the_deployed_function_writes_to_the_table(cold_start: ColdStart) -> None:
    with mock_aws():
        client = boto3.client("dynamodb")
        table = a_catalog_table(client)
        module = cold_start("follow_catalogue", TABLE=table, STACK="shop")
        module.lambda_handler(an_event(), a_context())
        assert DynamoProductList(client, table).find(42).title == "Shoe"
    assert module.lambda_handler is module.lambda_handler
    assert not hasattr(module, "anything_else")
