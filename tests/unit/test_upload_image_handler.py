import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, override

import boto3
import pytest
from aws_lambda_powertools import Logger, Metrics
from moto import mock_aws

from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_products import DynamoProducts
from domain.begun import Begun
from domain.claim import BegunPicture
from domain.errors import BytesRefusedError, ImageIdTakenError
from domain.image import ProductImage
from domain.upload_image import Upload
from handlers.http_function import HttpFunction
from handlers.idempotency import SafeRetries
from handlers.image_json import image_json
from handlers.problems import HttpResponse
from handlers.settings import SettingsError
from handlers.upload_image import UploadImageHandler
from tests.builders import (
    BASE_URL,
    NOW,
    PRODUCT_ID,
    REQUEST_ID,
    a_bucket,
    a_catalog_table,
    a_context,
    an_image,
    jpeg,
    upload_event,
)
from tests.catalog_fake import InMemoryImageCatalog
from tests.conftest import ColdStart
from tests.fakes import InMemoryImageStore
from tests.forms import form, part, upload_form
from tests.unit.conftest import Printed
from tests.use_cases import MAX_BYTES, once_per_key_with, upload_image_with

type BeginUpload = Callable[[Upload, BegunPicture | None], Begun[ProductImage]]

CONTENT = jpeg()
FILE_NAME = "confidential-prototype.jpg"


class RefusingImageStore(InMemoryImageStore):
    @override
    def put(self, image: ProductImage, content: bytes) -> None:
        raise BytesRefusedError("Bucket images did not accept the bytes.")


class TakenCatalog(InMemoryImageCatalog):
    @override
    def reserve(self, image: ProductImage) -> None:
        raise ImageIdTakenError("Image 1 is there already.")


@pytest.fixture
def catalog() -> InMemoryImageCatalog:
    return InMemoryImageCatalog(PRODUCT_ID)


def handler(catalog: InMemoryImageCatalog, store: InMemoryImageStore | None = None) -> HttpFunction:
    return around(upload_image_with(catalog, store))


def around(upload_image: BeginUpload, daily_quota: int = 0) -> HttpFunction:
    logger = Logger(service="upload_image")
    metrics = Metrics(namespace="ProductImages", service="upload_image")
    return HttpFunction(
        UploadImageHandler(
            upload_image,
            SafeRetries(once_per_key_with(daily_quota=daily_quota)),
            logger,
            metrics,
        ),
        allowed_origins="",
        rejections="UploadsRejected",
        logger=logger,
        metrics=metrics,
    )


def problem(response: HttpResponse) -> tuple[int, str]:
    body = json.loads(response["body"])
    assert response["headers"]["Content-Type"] == "application/problem+json"
    assert (body["status"], body["request_id"]) == (response["statusCode"], REQUEST_ID)
    return body["status"], body["code"]


def test_an_upload_is_answered_with_the_contracts_body(catalog: InMemoryImageCatalog) -> None:
    body = upload_form(CONTENT, alt_text="A red shoe", is_primary="True", order="1")
    response = handler(catalog)(upload_event(body), a_context())
    assert response["statusCode"] == 201
    image = an_image(size_bytes=len(CONTENT), order=1, primary_requested_at=NOW)
    assert json.loads(response["body"]) == image_json(image, base_url=BASE_URL, is_primary=True)


def test_the_answer_says_where_the_picture_is_and_is_not_cached(catalog: InMemoryImageCatalog) -> None:
    response = handler(catalog)(upload_event(upload_form(CONTENT)), a_context())
    assert response["headers"] == {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "Location": f"{BASE_URL}/api/products/{PRODUCT_ID}/images/1",
    }


@pytest.mark.parametrize("name", ["content-type", "Content-Type", "CONTENT-TYPE"])
def test_a_header_may_come_in_any_case(catalog: InMemoryImageCatalog, name: str) -> None:
    event = upload_event(upload_form(CONTENT))
    event["headers"] = {name: event["headers"]["Content-Type"]}
    assert handler(catalog)(event, a_context())["statusCode"] == 201


def test_a_picture_without_a_file_name_is_named_by_what_it_is(catalog: InMemoryImageCatalog) -> None:
    response = handler(catalog)(upload_event(form(part(CONTENT, name="image"))), a_context())
    assert (response["statusCode"], json.loads(response["body"])["name"]) == (201, "image.jpg")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(
            upload_event(upload_form(CONTENT), headers={"Content-Encoding": "gzip"}),
            (415, "unsupported_encoding"),
            id="compressed",
        ),
        pytest.param(upload_event(b"{}", "application/json"), (400, "not_multipart"), id="no form"),
        pytest.param(
            upload_event(b"") | {"headers": None, "body": None},
            (400, "not_multipart"),
            id="no headers and no body",
        ),
        pytest.param(upload_event(b""), (400, "malformed_body"), id="an empty body"),
        pytest.param(upload_event(upload_form(b"%PDF-1.7")), (400, "unsupported_format"), id="no picture"),
        pytest.param(upload_event(upload_form(b"")), (400, "invalid_fields"), id="an empty file"),
        pytest.param(upload_event(form(part(b"1", name="order"))), (400, "invalid_fields"), id="no file"),
        pytest.param(
            upload_event(upload_form(CONTENT, order="last")), (400, "invalid_fields"), id="a bad field"
        ),
        pytest.param(
            upload_event(upload_form(CONTENT), product_id="abc"),
            (400, "invalid_fields"),
            id="a bad product id",
        ),
        pytest.param(
            upload_event(upload_form(CONTENT), product_id="43"),
            (404, "product_not_found"),
            id="an unknown product",
        ),
        pytest.param(
            upload_event(upload_form(CONTENT.ljust(MAX_BYTES + 1, b"\0"))),
            (413, "file_too_large"),
            id="too large",
        ),
    ],
)
def test_a_request_that_cannot_be_granted_is_answered_with_a_problem(
    catalog: InMemoryImageCatalog, printed: Printed, event: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert problem(handler(catalog)(event, a_context())) == expected
    assert catalog.images == {}
    metrics, log = printed()
    assert (metrics["UploadsRejected"], metrics["reason"]) == ([1.0], expected[1])
    assert (log["level"], log["message"], log["reason"]) == ("INFO", "request rejected", expected[1])


def test_a_store_that_refuses_for_now_is_answered_with_503_and_reported(
    catalog: InMemoryImageCatalog, printed: Printed
) -> None:
    response = handler(catalog, RefusingImageStore())(upload_event(upload_form(CONTENT)), a_context())
    assert problem(response) == (503, "temporarily_unavailable")
    assert response["headers"]["Retry-After"] == "5"
    assert "Bucket" not in response["body"]
    metrics, log = printed()
    assert metrics["reason"] == "temporarily_unavailable"
    assert (log["level"], log["exception_name"]) == ("ERROR", "UnavailableError")
    assert (log["image_id"], log["product_id"]) == (1, PRODUCT_ID)
    assert "Bucket images did not accept" in log["exception"]


def test_an_error_that_nobody_foresaw_is_answered_without_its_reason(printed: Printed) -> None:
    def broken(_upload: Upload, _earlier: BegunPicture | None) -> Begun[ProductImage]:
        raise RuntimeError("secret-table-name")

    response = around(broken)(upload_event(upload_form(CONTENT)), a_context())
    assert problem(response) == (500, "internal_error")
    assert "secret" not in response["body"]
    metrics, log = printed()
    assert metrics["reason"] == "internal_error"
    assert (log["level"], log["request_id"]) == ("ERROR", REQUEST_ID)
    assert "secret-table-name" in log["exception"]


def test_an_identifier_that_is_taken_is_a_fault_of_ours() -> None:
    response = handler(TakenCatalog(PRODUCT_ID))(upload_event(upload_form(CONTENT)), a_context())
    assert problem(response) == (500, "internal_error")


def test_an_upload_is_measured_and_logged_with_its_request(
    catalog: InMemoryImageCatalog, printed: Printed
) -> None:
    handler(catalog)(upload_event(upload_form(CONTENT)), a_context())
    metrics, log = printed()
    (namespace,) = metrics["_aws"]["CloudWatchMetrics"]
    assert (namespace["Namespace"], namespace["Dimensions"]) == ("ProductImages", [["service"]])
    assert {each["Name"]: each["Unit"] for each in namespace["Metrics"]} == {
        "Uploads": "Count",
        "UploadedBytes": "Bytes",
    }
    assert (metrics["Uploads"], metrics["UploadedBytes"]) == ([1.0], [len(CONTENT)])
    assert (log["message"], log["request_id"], log["image_id"], log["product_id"]) == (
        "image stored",
        REQUEST_ID,
        1,
        PRODUCT_ID,
    )
    assert (log["type"], log["size"]) == ("JPEG", len(CONTENT))


def test_the_reason_of_a_rejection_does_not_stick_to_the_next_upload(
    catalog: InMemoryImageCatalog, printed: Printed
) -> None:
    handle = handler(catalog)
    handle(upload_event(b""), a_context())
    printed()
    handle(upload_event(upload_form(CONTENT)), a_context())
    metrics, log = printed()
    assert metrics["Uploads"] == [1.0]
    assert "reason" not in metrics | log


@pytest.mark.parametrize("content", [CONTENT, b"%PDF-1.7"])
def test_what_a_client_names_its_file_is_never_logged(
    catalog: InMemoryImageCatalog, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    handler(catalog)(upload_event(upload_form(content, FILE_NAME, alt_text="top secret")), a_context())
    out = capsys.readouterr().out
    assert REQUEST_ID in out
    assert "confidential" not in out
    assert "top secret" not in out


def test_a_key_that_has_had_its_uploads_for_today_is_told_when_to_go_on(
    catalog: InMemoryImageCatalog,
) -> None:
    function = around(upload_image_with(catalog), daily_quota=2)
    event = upload_event(upload_form(CONTENT))
    assert [function(event, a_context())["statusCode"] for _ in range(2)] == [201, 201]
    response = function(event, a_context())
    assert problem(response) == (429, "quota_exceeded")
    # NOW is 09:26:53.589793 UTC.
    assert response["headers"]["Retry-After"] == str(14 * 3600 + 33 * 60 + 7)
    assert len(catalog.images) == 2


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.mark.usefixtures("aws")
def test_the_deployed_function_stores_the_record_and_the_bytes(
    cold_start: ColdStart, printed: Printed
) -> None:
    dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
    table, bucket = a_catalog_table(dynamodb), a_bucket(s3)
    DynamoProducts(dynamodb, table).add(PRODUCT_ID)
    module = cold_start(
        "upload_image",
        TABLE=table,
        BUCKET=bucket,
        STACK="shop",
        IDEMPOTENCY_TABLE="idempotency",
        ALLOWED_ORIGINS="",
        MAX_DIRECT_UPLOAD_BYTES=str(MAX_BYTES),
        DAILY_UPLOAD_QUOTA="0",
    )
    response = module.lambda_handler(upload_event(upload_form(CONTENT)), a_context())
    assert response["statusCode"] == 201
    image = DynamoImageCatalog(dynamodb, table).get(PRODUCT_ID, json.loads(response["body"])["id"])
    assert image is not None
    assert image == an_image(
        ref=image.ref,
        alt_text="",
        size_bytes=len(CONTENT),
        created_at=image.created_at,
        updated_at=image.created_at,
    )
    assert s3.get_object(Bucket=bucket, Key=image.ref.incoming_key)["Body"].read() == CONTENT
    assert module.lambda_handler is module.lambda_handler
    metrics, log = printed()
    assert (metrics["stack"], metrics["service"]) == ("shop", "upload_image")
    # Lambda filters records by level only if their time is written so (its guide, "Log-level filtering").
    assert datetime.fromisoformat(log["timestamp"]).tzinfo
    assert "T" in log["timestamp"]


def test_importing_the_module_needs_no_variables_but_asking_for_the_function_does(
    cold_start: ColdStart,
) -> None:
    module = cold_start("upload_image")
    with pytest.raises(SettingsError):
        module.lambda_handler  # noqa: B018 - the access is what fails
    assert not hasattr(module, "anything_else")
