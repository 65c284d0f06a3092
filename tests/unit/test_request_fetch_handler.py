import json
from typing import Any

import boto3
import pytest
from aws_lambda_powertools import Logger, Metrics
from moto import mock_aws

from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_products import DynamoProducts
from adapters.sqs_fetch_queue import ref_in
from domain.image import Fetch
from handlers.http_function import HttpFunction
from handlers.idempotency import SafeRetries
from handlers.image_json import image_json
from handlers.problems import HttpResponse
from handlers.request_fetch import RequestFetchHandler
from tests.builders import (
    BASE_URL,
    IMAGES_PATH,
    NOW,
    PRODUCT_ID,
    REQUEST_ID,
    a_catalog_table,
    a_context,
    an_idempotency_table,
    an_image,
    json_event,
)
from tests.catalog_fake import InMemoryImageCatalog
from tests.conftest import ColdStart
from tests.unit.conftest import Printed
from tests.use_cases import once_per_key_with, request_fetch_with

FETCH_PATH = f"{IMAGES_PATH}/fetch"
URL = "https://cdn.example/shoe.jpg?signature=secret"


@pytest.fixture
def catalog() -> InMemoryImageCatalog:
    return InMemoryImageCatalog(PRODUCT_ID)


def request(catalog: InMemoryImageCatalog, body: object, product_id: int | str = PRODUCT_ID) -> HttpResponse:
    logger = Logger(service="request_fetch")
    metrics = Metrics(namespace="ProductImages", service="request_fetch")
    function = HttpFunction(
        RequestFetchHandler(request_fetch_with(catalog), SafeRetries(once_per_key_with()), logger, metrics),
        allowed_origins="",
        rejections="UploadsRejected",
        logger=logger,
        metrics=metrics,
    )
    return function(json_event("POST", FETCH_PATH, body, product_id=product_id), a_context())


def test_an_address_is_answered_with_the_pending_picture_and_not_with_the_address(
    catalog: InMemoryImageCatalog,
) -> None:
    said = {"alt_text": "A red shoe", "is_primary": True, "order": 1, "name": "shoe.jpg"}
    response = request(catalog, {"url": URL, **said})
    image = an_image(size_bytes=0, order=1, primary_requested_at=NOW, fetch=Fetch(URL))
    assert response["statusCode"] == 201
    assert json.loads(response["body"]) == image_json(image, base_url=BASE_URL, is_primary=True)
    assert response["headers"]["Location"] == f"{BASE_URL}/api/products/{PRODUCT_ID}/images/1"
    assert "secret" not in response["body"]


def test_what_is_not_said_takes_its_default(catalog: InMemoryImageCatalog) -> None:
    body = json.loads(request(catalog, {"url": URL})["body"])
    assert (body["alt_text"], body["is_primary"], body["order"], body["name"]) == ("", False, 0, "shoe.jpg")


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"url": ""}, ["url"]),
        ({"url": None}, ["url"]),
        ({"url": "a" * 2_049}, ["url"]),
        ({"url": "http://169.254.169.254/"}, ["url"]),
        ({"name": ""}, ["name"]),
        ({"is_primary": "true"}, ["is_primary"]),
        ({"order": 2**31}, ["order"]),
        ({"size": 1}, ["size"]),
        ({"alt_text": "x" * 1_001}, ["alt_text"]),
    ],
)
def test_a_field_that_breaks_a_rule_or_is_unknown_is_named(
    catalog: InMemoryImageCatalog, changes: dict[str, Any], fields: list[str]
) -> None:
    response = request(catalog, {"url": URL, **changes})
    body = json.loads(response["body"])
    assert (response["statusCode"], body["code"]) == (400, "invalid_fields")
    assert [error["field"] for error in body["errors"]] == fields
    assert catalog.images == {}


def test_a_product_that_is_not_there_is_a_404_and_counted(
    catalog: InMemoryImageCatalog, printed: Printed
) -> None:
    assert request(catalog, {"url": URL}, 43)["statusCode"] == 404
    metrics, _ = printed()
    assert (metrics["UploadsRejected"], metrics["reason"]) == ([1.0], "product_not_found")


def test_a_request_is_counted_and_logged_without_what_the_client_wrote(
    catalog: InMemoryImageCatalog, printed: Printed
) -> None:
    request(catalog, {"url": URL, "name": "confidential.jpg", "alt_text": "top secret"})
    metrics, log = printed()
    assert metrics["FetchesRequested"] == [1.0]
    assert (log["message"], log["request_id"], log["image_id"]) == ("fetch requested", REQUEST_ID, 1)
    for written in ("secret", "confidential", "cdn.example"):
        assert written not in json.dumps(log)


def test_the_deployed_function_reserves_a_record_and_sends_a_message_once_for_each_key(
    cold_start: ColdStart, printed: Printed
) -> None:
    with mock_aws():
        dynamodb, sqs = boto3.client("dynamodb"), boto3.client("sqs")
        table, queue = a_catalog_table(dynamodb), sqs.create_queue(QueueName="fetch")["QueueUrl"]
        DynamoProducts(dynamodb, table).add(PRODUCT_ID)
        module = cold_start(
            "request_fetch",
            TABLE=table,
            IDEMPOTENCY_TABLE=an_idempotency_table(dynamodb),
            FETCH_QUEUE=queue,
            FETCH_ALLOWED_HOSTS="*.example, CDN.example",
            STACK="shop",
            ALLOWED_ORIGINS="",
            DAILY_UPLOAD_QUOTA="0",
        )
        event = json_event("POST", FETCH_PATH, {"url": URL}, headers={"Idempotency-Key": "a"})
        response, again = (module.lambda_handler(event, a_context()) for _ in range(2))
        refused = module.lambda_handler(
            json_event("POST", FETCH_PATH, {"url": "https://example.org/a.jpg"}), a_context()
        )
        body = json.loads(response["body"])
        image = DynamoImageCatalog(dynamodb, table).get(PRODUCT_ID, body["id"])
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert (response["statusCode"], refused["statusCode"]) == (201, 400)
    assert (again["headers"]["Idempotency-Replayed"], json.loads(again["body"])) == ("true", body)
    assert image is not None
    assert image.fetch == Fetch(URL)
    assert [ref_in(message["Body"]) for message in messages] == [image.ref]
    assert module.lambda_handler is module.lambda_handler
    metrics, *_ = printed()
    assert (metrics["stack"], metrics["service"]) == ("shop", "request_fetch")
    assert not hasattr(module, "anything_else")
