import json
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from aws_lambda_powertools import Logger, Metrics
from moto import mock_aws

from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_products import DynamoProducts
from domain.image import Announcement, ImageFormat, ImageRef
from handlers.http_function import HttpFunction
from handlers.idempotency import SafeRetries
from handlers.image_json import image_json
from handlers.problems import HttpResponse
from handlers.reserve_upload import ReserveUploadHandler
from tests.builders import (
    BASE_URL,
    IMAGES_PATH,
    NOW,
    PRODUCT_ID,
    REQUEST_ID,
    a_catalog_table,
    a_context,
    a_ref,
    an_idempotency_table,
    an_image,
    json_event,
)
from tests.catalog_fake import InMemoryImageCatalog
from tests.conftest import ColdStart
from tests.unit.conftest import Printed
from tests.use_cases import once_per_key_with, reserve_upload_with

UPLOADS_PATH = f"{IMAGES_PATH}/uploads"
MAX_BYTES = 50_000_000
ANNOUNCED = {"name": "shoe.jpg", "size": 20_000_000}


@pytest.fixture
def catalog() -> InMemoryImageCatalog:
    return InMemoryImageCatalog(PRODUCT_ID)


def reserve(
    catalog: InMemoryImageCatalog, announced: object, product_id: int | str = PRODUCT_ID
) -> HttpResponse:
    logger = Logger(service="reserve_upload")
    metrics = Metrics(namespace="ProductImages", service="reserve_upload")
    function = HttpFunction(
        ReserveUploadHandler(reserve_upload_with(catalog), SafeRetries(once_per_key_with()), logger, metrics),
        allowed_origins="",
        rejections="UploadsRejected",
        logger=logger,
        metrics=metrics,
    )
    return function(json_event("POST", UPLOADS_PATH, announced, product_id=product_id), a_context())


def test_a_reservation_is_answered_with_the_pending_picture_and_its_form(
    catalog: InMemoryImageCatalog,
) -> None:
    wished = {"alt_text": "A red shoe", "is_primary": True, "order": 1}
    response = reserve(catalog, {**ANNOUNCED, **wished})
    assert response["statusCode"] == 201
    body = json.loads(response["body"])
    assert body.pop("upload") == {
        "url": "https://bucket.example/",
        "fields": {"key": a_ref().incoming_key, "size": "20000000"},
        "expires_at": "2026-03-14T09:41:53.000000Z",
    }
    announcement = Announcement(None, NOW.replace(microsecond=0) + timedelta(minutes=15))
    image = an_image(size_bytes=20_000_000, order=1, primary_requested_at=NOW, announcement=announcement)
    assert body["upload_expires_at"] == "2026-03-14T09:41:53.000000Z"
    assert body == image_json(image, base_url=BASE_URL, is_primary=True)


def test_the_answer_says_where_the_picture_is_and_is_not_cached(catalog: InMemoryImageCatalog) -> None:
    assert reserve(catalog, ANNOUNCED)["headers"] == {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "Location": f"{BASE_URL}/api/products/{PRODUCT_ID}/images/1",
    }


def test_what_is_not_announced_takes_its_default(catalog: InMemoryImageCatalog) -> None:
    body = json.loads(reserve(catalog, ANNOUNCED)["body"])
    assert (body["alt_text"], body["is_primary"], body["order"]) == ("", False, 0)
    announcement = catalog.images[PRODUCT_ID, 1].announcement
    assert announcement is not None
    assert announcement.sha256 is None


@pytest.mark.parametrize("content_type", ["image/png", " IMAGE/PNG ", "image/png; charset=binary"])
def test_the_media_type_tells_the_format(catalog: InMemoryImageCatalog, content_type: str) -> None:
    response = reserve(catalog, {**ANNOUNCED, "content_type": content_type})
    assert json.loads(response["body"])["type"] == "PNG"


@pytest.mark.parametrize("content_type", [None, "", "application/octet-stream", "image/jpg"])
def test_the_name_tells_the_format_where_the_media_type_does_not(
    catalog: InMemoryImageCatalog, content_type: str | None
) -> None:
    response = reserve(catalog, {**ANNOUNCED, "name": "shoe.png", "content_type": content_type})
    assert json.loads(response["body"])["type"] == "PNG"


@pytest.mark.parametrize("sha256", ["A" * 64, "a" * 64])
def test_a_sha256_may_be_written_in_either_case(catalog: InMemoryImageCatalog, sha256: str) -> None:
    reserve(catalog, {**ANNOUNCED, "sha256": sha256})
    announcement = catalog.images[PRODUCT_ID, 1].announcement
    assert announcement is not None
    assert announcement.sha256 == "a" * 64


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"name": ""}, ["name"]),
        ({"name": None}, ["name"]),
        ({"name": "x" * 16_385}, ["name"]),
        ({"name": "shoe"}, ["content_type"]),
        ({"size": 0}, ["size"]),
        ({"size": -1}, ["size"]),
        ({"size": "20000000"}, ["size"]),
        ({"size": 2**53}, ["size"]),
        ({"content_type": "text/plain"}, ["content_type"]),
        ({"content_type": 1}, ["content_type"]),
        ({"sha256": "a" * 63}, ["sha256"]),
        ({"sha256": "a" * 65}, ["sha256"]),
        ({"sha256": "a" * 64 + "\n"}, ["sha256"]),
        ({"sha256": "g" * 64}, ["sha256"]),
        ({"is_primary": "true"}, ["is_primary"]),
        ({"order": 2**31}, ["order"]),
        ({"product_id": 42}, ["product_id"]),
        ({"size": 0, "colour": "red"}, ["colour", "size"]),
    ],
)
def test_a_field_that_breaks_a_rule_or_is_unknown_is_named(
    catalog: InMemoryImageCatalog, changes: dict[str, Any], fields: list[str]
) -> None:
    response = reserve(catalog, {**ANNOUNCED, **changes})
    body = json.loads(response["body"])
    assert (response["statusCode"], body["code"]) == (400, "invalid_fields")
    assert [error["field"] for error in body["errors"]] == fields
    assert catalog.images == {}


def test_name_and_size_must_be_announced(catalog: InMemoryImageCatalog) -> None:
    body = json.loads(reserve(catalog, {})["body"])
    assert [error["field"] for error in body["errors"]] == ["name", "size"]


@pytest.mark.parametrize(
    ("announced", "product_id", "expected"),
    [
        ({**ANNOUNCED, "size": MAX_BYTES + 1}, PRODUCT_ID, (413, "file_too_large")),
        ({**ANNOUNCED, "content_type": "image/heic"}, PRODUCT_ID, (400, "unsupported_format")),
        ({**ANNOUNCED, "name": "shoe.svg"}, PRODUCT_ID, (400, "unsupported_format")),
        (ANNOUNCED, 43, (404, "product_not_found")),
        (ANNOUNCED, "0", (400, "invalid_fields")),
    ],
)
def test_a_reservation_that_cannot_be_granted_is_answered_with_a_problem_and_counted(
    catalog: InMemoryImageCatalog,
    printed: Printed,
    announced: object,
    product_id: int | str,
    expected: tuple[int, str],
) -> None:
    response = reserve(catalog, announced, product_id)
    assert (response["statusCode"], json.loads(response["body"])["code"]) == expected
    metrics, _ = printed()
    assert (metrics["UploadsRejected"], metrics["reason"]) == ([1.0], expected[1])
    assert catalog.images == {}


def test_a_reservation_is_counted_and_logged_without_what_the_client_wrote(
    catalog: InMemoryImageCatalog, printed: Printed
) -> None:
    reserve(catalog, {**ANNOUNCED, "name": "confidential.jpg", "alt_text": "top secret"})
    metrics, log = printed()
    assert metrics["UploadsReserved"] == [1.0]
    assert (log["message"], log["request_id"]) == ("upload reserved", REQUEST_ID)
    assert (log["image_id"], log["product_id"], log["size"]) == (1, PRODUCT_ID, 20_000_000)
    assert "confidential" not in json.dumps(log)
    assert "secret" not in json.dumps(log)


def test_the_deployed_function_reserves_a_record_and_signs_a_form(
    cold_start: ColdStart, printed: Printed
) -> None:
    with mock_aws():
        dynamodb = boto3.client("dynamodb")
        table = a_catalog_table(dynamodb)
        DynamoProducts(dynamodb, table).add(PRODUCT_ID)
        module = cold_start(
            "reserve_upload",
            TABLE=table,
            IDEMPOTENCY_TABLE=an_idempotency_table(dynamodb),
            BUCKET="images",
            STACK="shop",
            ALLOWED_ORIGINS="https://admin.example",
            DAILY_UPLOAD_QUOTA="0",
            MAX_UPLOAD_BYTES=str(MAX_BYTES),
        )
        headers = {"Idempotency-Key": "a", "Origin": "https://admin.example"}
        event = json_event("POST", UPLOADS_PATH, ANNOUNCED, headers=headers)
        response, again = (module.lambda_handler(event, a_context()) for _ in range(2))
        body = json.loads(response["body"])
        image = DynamoImageCatalog(dynamodb, table).get(PRODUCT_ID, body["id"])
    assert response["statusCode"] == 201
    assert response["headers"]["Access-Control-Allow-Origin"] == "https://admin.example"
    assert (again["headers"]["Idempotency-Replayed"], json.loads(again["body"])) == ("true", body)
    key = ImageRef.from_incoming_key(body["upload"]["fields"]["key"])
    assert key is not None
    assert (key.product_id, key.image_id) == (42, body["id"])
    assert body["f"] == f"{BASE_URL}/{key.media_key(ImageFormat.JPEG)}"
    assert image is not None
    assert image.announcement is not None
    assert image.announcement.expires_at == datetime.fromisoformat(body["upload"]["expires_at"])
    assert module.lambda_handler is module.lambda_handler
    metrics, _ = printed()
    assert (metrics["stack"], metrics["service"]) == ("shop", "reserve_upload")
    assert not hasattr(module, "anything_else")
