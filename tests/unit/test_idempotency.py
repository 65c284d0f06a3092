"""Safe retries, on moto: both ways to upload, with the real utility and table."""

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from botocore.exceptions import ClientError
from moto import mock_aws

from adapters.aws import dynamodb_client, s3_client
from adapters.s3_upload_forms import S3UploadForms
from domain.daily_quota import DailyQuota
from domain.errors import OutcomeUnknownError, UnavailableError
from domain.image import ProductImage
from domain.leased_ids import LeasedIds
from domain.reserve_upload import ReserveUpload
from domain.upload_image import Upload
from domain.user import User
from handlers.http_function import HttpFunction
from handlers.idempotency import OncePerKey
from handlers.problems import HttpResponse
from handlers.reserve_upload import ReserveUploadHandler
from handlers.upload_image import UploadImageHandler
from tests.builders import (
    IMAGES_PATH,
    NOW,
    PRODUCT_ID,
    REMAINING_MILLISECONDS,
    a_context,
    a_ref,
    an_idempotency_table,
    jpeg,
    json_event,
    upload_event,
)
from tests.fakes import InMemoryImageCatalog, InMemoryImageStore, InMemoryQuotas, upload_image_with
from tests.forms import BOUNDARY, upload_form
from tests.integration.faults import answer_with

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CONTENT = jpeg()
OTHER_USER = User(8, "otto", "Otto Other")
ANNOUNCED = {"name": "shoe.jpg", "size": 20_000_000}


@pytest.fixture
def client() -> Iterator["DynamoDBClient"]:
    with mock_aws():
        yield dynamodb_client()


class Shop:
    """Both functions on one catalogue and one table of keys."""

    def __init__(self, client: "DynamoDBClient") -> None:
        self.catalog = InMemoryImageCatalog(PRODUCT_ID)
        self.store = InMemoryImageStore()
        self.client = client
        self.table = an_idempotency_table(client)
        self.upload_image: Callable[[Upload], ProductImage] = upload_image_with(self.catalog, self.store)

    def upload(self, key: str | None, user: User | None = None, **changes: Any) -> HttpResponse:  # noqa: ANN401
        content, file_name = changes.get("content", CONTENT), changes.get("file_name", "shoe.jpg")
        body = upload_form(content, file_name, **changes.get("fields", {}))
        boundary = changes.get("boundary", BOUNDARY)
        event = upload_event(
            body.replace(BOUNDARY.encode(), boundary.encode()),
            f"multipart/form-data; boundary={boundary}",
            changes.get("product_id", str(PRODUCT_ID)),
            {"idempotency-key": key} if key is not None else {},
            **({"user": user} if user else {}),
        )
        logger, metrics = _observers()
        handler = UploadImageHandler(self._run_upload, self._once(), _no_quota(), logger, metrics)
        return _function(handler, logger, metrics)(event, a_context())

    def reserve(self, key: str, announced: object = None) -> HttpResponse:
        reserve_upload = ReserveUpload(
            catalog=self.catalog,
            forms=S3UploadForms(s3_client(), "images", lambda: NOW),
            ids=LeasedIds(self.catalog),
            clock=lambda: NOW,
            max_bytes=50_000_000,
        )
        logger, metrics = _observers()
        handler = ReserveUploadHandler(reserve_upload, self._once(), _no_quota(), logger, metrics)
        headers = {"Idempotency-Key": key}
        event = json_event("POST", f"{IMAGES_PATH}/uploads", announced or ANNOUNCED, headers=headers)
        return _function(handler, logger, metrics)(event, a_context())

    def pictures(self) -> list[int]:
        """Return the identifiers of all records, each with its bytes, and of bytes without a record."""
        stored = {ref.image_id for image_id in range(1, 10) if self.store.get(ref := a_ref(image_id))}
        assert stored == {image.ref.image_id for image in self.catalog.images.values()}
        return sorted(stored)

    def claims(self) -> list[dict[str, Any]]:
        return self.client.scan(TableName=self.table)["Items"]

    def _run_upload(self, upload: Upload) -> ProductImage:
        return self.upload_image(upload)

    def _once(self) -> OncePerKey:
        return OncePerKey(self.client, self.table)


def _no_quota() -> DailyQuota:
    return DailyQuota(InMemoryQuotas(), 0, lambda: NOW)


def _observers() -> tuple[Logger, Metrics]:
    return Logger(service="upload_image"), Metrics(namespace="ProductImages", service="upload_image")


def _function(handler: Any, logger: Logger, metrics: Metrics) -> HttpFunction:  # noqa: ANN401 - either handler
    return HttpFunction(
        handler, allowed_origins="", rejections="UploadsRejected", logger=logger, metrics=metrics
    )


@pytest.fixture
def shop(client: "DynamoDBClient") -> Shop:
    return Shop(client)


def code(response: HttpResponse) -> tuple[int, str]:
    return response["statusCode"], json.loads(response["body"])["code"]


def replayed(response: HttpResponse) -> bool:
    return response["headers"].get("Idempotency-Replayed") == "true"


def test_the_same_upload_again_is_the_same_picture_and_says_so(shop: Shop) -> None:
    first, second = shop.upload("a"), shop.upload("a", boundary="another-boundary")
    assert (first["statusCode"], second["statusCode"]) == (201, 201)
    assert json.loads(second["body"]) == json.loads(first["body"])
    assert second["headers"]["Location"] == first["headers"]["Location"]
    assert (replayed(first), replayed(second)) == (False, True)
    assert shop.pictures() == [1]


def test_what_is_ignored_of_a_form_makes_no_other_request_of_it(shop: Shop) -> None:
    first = shop.upload("a", fields={"authenticity_token": "x"})
    assert json.loads(shop.upload("a", fields={"_": "1764529200000"})["body"]) == json.loads(first["body"])
    assert shop.pictures() == [1]


def test_the_same_announcement_again_is_the_same_form(shop: Shop) -> None:
    first = shop.reserve("a")
    second = shop.reserve("a", dict(reversed(ANNOUNCED.items())))
    assert (first["statusCode"], json.loads(second["body"])) == (201, json.loads(first["body"]))
    assert (replayed(first), replayed(second)) == (False, True)
    assert len(shop.catalog.images) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"content": jpeg(5, 5)},
        {"fields": {"order": "1"}},
        {"file_name": "boot.jpg"},
        {"product_id": "43"},
    ],
)
def test_another_request_with_the_same_key_is_refused(shop: Shop, changes: dict[str, Any]) -> None:
    first = shop.upload("a")
    assert code(shop.upload("a", **changes)) == (422, "idempotency_key_reused")
    assert shop.pictures() == [1]
    assert json.loads(shop.upload("a")["body"]) == json.loads(first["body"])


def test_another_announcement_with_the_same_key_is_refused(shop: Shop) -> None:
    shop.reserve("a")
    assert code(shop.reserve("a", {**ANNOUNCED, "size": 1})) == (422, "idempotency_key_reused")


def test_a_key_belongs_to_one_request_whichever_way_it_goes(shop: Shop) -> None:
    shop.upload("a")
    assert code(shop.reserve("a")) == (422, "idempotency_key_reused")


def test_each_user_has_keys_of_their_own(shop: Shop) -> None:
    first, second = shop.upload("a"), shop.upload("a", OTHER_USER)
    assert not replayed(second)
    assert json.loads(first["body"])["id"] != json.loads(second["body"])["id"]
    assert shop.pictures() == [1, 2]


def test_without_a_key_every_upload_is_a_picture(shop: Shop) -> None:
    shop.upload(None)
    shop.upload(None)
    assert (len(shop.catalog.images), shop.claims()) == (2, [])


@pytest.mark.parametrize("key", ["", " ", "a b", "\u00e9", "x" * 256, "a\n"])
def test_a_key_that_is_no_visible_ascii_is_refused(shop: Shop, key: str) -> None:
    response = shop.upload(key)
    assert code(response) == (400, "invalid_fields")
    assert json.loads(response["body"])["errors"][0]["field"] == "Idempotency-Key"
    assert shop.catalog.images == {}


@pytest.mark.parametrize("key", ["!", "~" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"'])
def test_a_key_of_visible_ascii_is_taken(shop: Shop, key: str) -> None:
    assert shop.upload(key)["statusCode"] == 201


def test_while_the_first_is_running_the_second_is_told_to_wait(shop: Shop) -> None:
    upload_image, inner = shop.upload_image, []

    def slow(upload: Upload) -> ProductImage:
        shop.upload_image = upload_image
        inner.append(shop.upload("a"))
        return upload_image(upload)

    shop.upload_image = slow
    assert shop.upload("a")["statusCode"] == 201
    assert code(inner[0]) == (409, "request_in_progress")
    assert int(inner[0]["headers"]["Retry-After"]) > 0
    assert shop.pictures() == [1]


def test_a_claim_ends_with_the_function_that_made_it(shop: Shop) -> None:
    claims = []

    def look(upload: Upload) -> ProductImage:
        claims.extend(shop.claims())
        return upload_image_with(shop.catalog, shop.store)(upload)

    shop.upload_image = look
    shop.upload("a")
    [claim] = claims
    kept = int(claim["expiration"]["N"]) - int(claim["in_progress_expiration"]["N"]) / 1000
    # Both are counted from the moment of the claim, which Powertools reads twice.
    assert kept == pytest.approx(24 * 60 * 60 - REMAINING_MILLISECONDS / 1000, abs=10)


def test_a_claim_whose_function_died_is_taken_over_when_its_time_is_up(shop: Shop) -> None:
    upload_image = shop.upload_image

    def killed(_upload: Upload) -> ProductImage:
        shop.upload_image = upload_image
        raise KeyboardInterrupt

    shop.upload_image = killed
    with pytest.raises(KeyboardInterrupt):
        shop.upload("a")
    assert code(shop.upload("a")) == (409, "request_in_progress")
    [claim] = shop.claims()
    shop.client.put_item(TableName=shop.table, Item=claim | {"in_progress_expiration": {"N": "1"}})
    response = shop.upload("a")
    assert (response["statusCode"], replayed(response), shop.pictures()) == (201, False, [1])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"content": b"no picture"}, (400, "unsupported_format")),
        ({"product_id": "43"}, (404, "product_not_found")),
    ],
)
def test_a_failure_is_not_kept(shop: Shop, changes: dict[str, Any], expected: tuple[int, str]) -> None:
    assert code(shop.upload("a", **changes)) == expected
    assert shop.claims() == []
    assert shop.upload("a")["statusCode"] == 201


def test_an_announcement_that_is_refused_is_not_kept(shop: Shop) -> None:
    assert code(shop.reserve("a", {**ANNOUNCED, "size": 50_000_001})) == (413, "file_too_large")
    assert shop.claims() == []
    assert shop.reserve("a")["statusCode"] == 201


def test_a_fault_that_nobody_foresaw_is_not_kept(shop: Shop) -> None:
    upload_image = shop.upload_image

    def broken(_upload: Upload) -> ProductImage:
        shop.upload_image = upload_image
        raise RuntimeError

    shop.upload_image = broken
    assert code(shop.upload("a")) == (500, "internal_error")
    assert shop.claims() == []
    assert shop.upload("a")["statusCode"] == 201


def test_a_fault_of_a_store_is_not_kept(shop: Shop) -> None:
    upload_image = shop.upload_image

    def unavailable(_upload: Upload) -> ProductImage:
        shop.upload_image = upload_image
        raise UnavailableError

    shop.upload_image = unavailable
    assert code(shop.upload("a")) == (503, "temporarily_unavailable")
    response = shop.upload("a")
    assert (response["statusCode"], replayed(response)) == (201, False)


def test_when_no_key_can_be_claimed_nothing_is_done(shop: Shop) -> None:
    answer_with(shop.client, "ThrottlingException", event="before-call.dynamodb.PutItem")
    assert code(shop.upload("a")) == (503, "temporarily_unavailable")
    assert shop.catalog.images == {}


def test_when_an_answer_cannot_be_kept_the_client_is_told_to_look(shop: Shop) -> None:
    answer_with(shop.client, "ThrottlingException", event="before-call.dynamodb.UpdateItem")
    assert code(shop.upload("a")) == (503, "outcome_unknown")
    assert len(shop.catalog.images) == 1


def test_when_a_failed_claim_cannot_be_given_up_the_client_hears_of_the_failure(shop: Shop) -> None:
    def unknown(_upload: Upload) -> ProductImage:
        raise OutcomeUnknownError

    shop.upload_image = unknown
    answer_with(shop.client, "ThrottlingException", event="before-call.dynamodb.DeleteItem")
    assert code(shop.upload("a")) == (503, "outcome_unknown")


def test_a_claim_that_vanishes_and_comes_back_is_a_passing_fault(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def there(*_arguments: object, **_options: object) -> None:
        raise IdempotencyItemAlreadyExistsError

    def gone(*_arguments: object, **_options: object) -> None:
        raise IdempotencyItemNotFoundError

    monkeypatch.setattr(DynamoDBPersistenceLayer, "save_inprogress", there)
    monkeypatch.setattr(DynamoDBPersistenceLayer, "get_record", gone)
    assert code(shop.upload("a")) == (503, "temporarily_unavailable")
    assert shop.catalog.images == {}


def test_a_table_of_keys_that_is_not_there_is_a_fault_of_ours(shop: Shop) -> None:
    shop.client.delete_table(TableName=shop.table)
    with pytest.raises(ClientError):
        shop.claims()
    assert code(shop.upload("a")) == (500, "internal_error")
    assert shop.catalog.images == {}
