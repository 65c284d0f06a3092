"""Safe retries, on fakes: what of a request counts, through both ways to upload."""

import json
from datetime import timedelta
from typing import Any, override

import pytest
from aws_lambda_powertools import Logger, Metrics

from domain.errors import UnavailableError
from domain.image import ProductImage
from domain.user import User
from handlers.http_function import HttpFunction
from handlers.idempotency import SafeRetries
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
    jpeg,
    json_event,
    upload_event,
)
from tests.catalog_fake import InMemoryImageCatalog
from tests.fakes import InMemoryIdempotencyKeys, InMemoryImageStore
from tests.forms import BOUNDARY, upload_form
from tests.use_cases import once_per_key_with, reserve_upload_with, upload_image_with

CONTENT = jpeg()
OTHER_USER = User(8, "otto", "Otto Other")
ANNOUNCED = {"name": "shoe.jpg", "size": 20_000_000}


class MoodyImageStore(InMemoryImageStore):
    """Runs `moods` before it writes, one for each try."""

    def __init__(self) -> None:
        super().__init__()
        self.moods: list[Any] = []

    @override
    def put(self, image: ProductImage, content: bytes) -> None:
        if self.moods:
            self.moods.pop()()
        super().put(image, content)


class Shop:
    """Both functions on one catalogue and one keeper of keys."""

    def __init__(self) -> None:
        self.catalog = InMemoryImageCatalog(PRODUCT_ID)
        self.store = MoodyImageStore()
        self.keys = InMemoryIdempotencyKeys()
        self.passed = timedelta(0)
        self._upload_image = upload_image_with(self.catalog, self.store, lambda: NOW + self.passed)
        self._retries = SafeRetries(once_per_key_with(self.keys, clock=lambda: NOW + self.passed))

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
        handler = UploadImageHandler(self._upload_image, self._retries, logger, metrics)
        return _function(handler, logger, metrics)(event, a_context())

    def reserve(self, key: str, announced: object = None) -> HttpResponse:
        logger, metrics = _observers()
        reserve_upload = reserve_upload_with(self.catalog, lambda: NOW + self.passed)
        handler = ReserveUploadHandler(reserve_upload, self._retries, logger, metrics)
        headers = {"Idempotency-Key": key}
        event = json_event("POST", f"{IMAGES_PATH}/uploads", announced or ANNOUNCED, headers=headers)
        return _function(handler, logger, metrics)(event, a_context())

    def pictures(self) -> list[int]:
        """Return the identifiers of all records, each with its bytes, and of bytes without a record."""
        stored = {image_id for image_id in range(1, 10) if self.store.received(a_ref(image_id))}
        assert stored == {image.ref.image_id for image in self.catalog.images.values()}
        return sorted(stored)


def _observers() -> tuple[Logger, Metrics]:
    return Logger(service="upload_image"), Metrics(namespace="ProductImages", service="upload_image")


def _function(handler: Any, logger: Logger, metrics: Metrics) -> HttpFunction:  # noqa: ANN401 - either handler
    return HttpFunction(
        handler, allowed_origins="", rejections="UploadsRejected", logger=logger, metrics=metrics
    )


@pytest.fixture
def shop() -> Shop:
    return Shop()


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
    assert (len(shop.catalog.images), shop.keys.claims) == (2, {})


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
    inner: list[HttpResponse] = []
    shop.store.moods = [lambda: inner.append(shop.upload("a"))]
    assert shop.upload("a")["statusCode"] == 201
    assert code(inner[0]) == (409, "request_in_progress")
    assert int(inner[0]["headers"]["Retry-After"]) > 0
    assert shop.pictures() == [1]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"content": b"no picture"}, (400, "unsupported_format")),
        ({"product_id": "43"}, (404, "product_not_found")),
    ],
)
def test_a_failure_is_not_kept(shop: Shop, changes: dict[str, Any], expected: tuple[int, str]) -> None:
    assert code(shop.upload("a", **changes)) == expected
    assert shop.keys.claims == {}
    assert shop.upload("a")["statusCode"] == 201


def test_an_announcement_that_is_refused_is_not_kept(shop: Shop) -> None:
    assert code(shop.reserve("a", {**ANNOUNCED, "size": 50_000_001})) == (413, "file_too_large")
    assert shop.keys.claims == {}
    assert shop.reserve("a")["statusCode"] == 201


def test_a_picture_whose_function_was_killed_is_the_one_that_a_retry_answers_with(shop: Shop) -> None:
    def kill() -> None:
        raise KeyboardInterrupt

    shop.store.moods = [kill]
    with pytest.raises(KeyboardInterrupt):
        shop.upload("a")
    assert code(shop.upload("a")) == (409, "request_in_progress")
    shop.passed = timedelta(milliseconds=REMAINING_MILLISECONDS)
    response = shop.upload("a")
    assert (response["statusCode"], replayed(response)) == (201, False)
    assert (json.loads(response["body"])["id"], shop.pictures()) == (1, [1])


def test_a_fault_of_a_store_is_not_kept(shop: Shop) -> None:
    def fail() -> None:
        raise UnavailableError

    shop.store.moods = [fail]
    assert code(shop.upload("a")) == (503, "temporarily_unavailable")
    response = shop.upload("a")
    assert (response["statusCode"], replayed(response)) == (201, False)
    assert replayed(shop.upload("a"))


def test_a_fault_that_nobody_foresaw_is_not_kept(shop: Shop) -> None:
    def break_down() -> None:
        raise RuntimeError

    shop.store.moods = [break_down]
    assert code(shop.upload("a")) == (500, "internal_error")
    assert shop.upload("a")["statusCode"] == 201
    assert shop.pictures() == [1]
