"""What the service answers, status by status, through the gateway."""

from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
import pytest

from adapters.dynamo_api_keys import DynamoApiKeys
from domain.api_key import Role
from domain.image import human_readable_size
from domain.issue_key import IssueKey
from domain.user import User
from local.sample import sample_jpeg
from local.system import State
from tests.builders import OPERATOR
from tests.e2e.contract import ImageBody, parse_time
from tests.e2e.problems import check_problem
from tests.e2e.shop import Shop

PICTURE = sample_jpeg(60, 40)
WAY_FOR_LARGE_FILES = "POST to /api/products/{product_id}/images/uploads"


def test_the_201_has_every_key_of_the_contract_and_its_type(shop: Shop) -> None:
    before = datetime.now(UTC) - timedelta(seconds=5)
    answer = shop.upload(PICTURE, name="front.jpg", alt_text="Front", is_primary="yes", order="7")
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    body = ImageBody.model_validate_json(answer.content)
    assert answer.headers["location"] == shop.image_url(body.product_id, body.id)
    assert body.user.model_dump() == {"id": 2, "username": "sam", "full_name": "Sam Staff"}
    assert (body.type, body.name, body.size) == ("JPEG", "front.jpg", len(PICTURE))
    assert (body.description, body.alt_text, body.is_primary, body.order) == ("Front", "Front", True, 7)
    assert (body.width, body.height, body.mode, body.status, body.error) == (
        None,
        None,
        None,
        "pending",
        None,
    )
    assert body.human_readable_size == human_readable_size(len(PICTURE))
    assert body.product_id == 123
    assert before < parse_time(answer.json()["created_at"]) <= datetime.now(UTC)
    assert body.updated_at == body.created_at


@pytest.mark.parametrize("authorization", [None, "", "Token nonsense", "Bearer {staff}", "Token {inactive}"])
def test_a_missing_or_invalid_key_is_a_401(shop: Shop, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization.format(**shop.state.keys)}
    answer = httpx.post(shop.url(), headers=headers, files={"image": PICTURE}, timeout=30)
    assert answer.headers["www-authenticate"] == "Token"
    check_problem(answer, 401, "unauthorized")


def test_an_admin_with_a_name_in_any_script_may_upload(shop: Shop, issue_key: IssueKey) -> None:
    key, _ = issue_key(User(8, "zoë", "Zoë Ωmega 李"), Role.ADMIN)
    body = ImageBody.model_validate_json(shop.upload(PICTURE, key=key).content)
    assert (body.user.username, body.user.full_name) == ("zoë", "Zoë Ωmega 李")


def test_a_text_file_named_jpg_is_a_400(shop: Shop) -> None:
    answer = shop.upload(b"This is no picture.", name="picture.jpg")
    check_problem(answer, 400, "unsupported_format")


@pytest.mark.parametrize(
    ("content_type", "body", "code"),
    [
        ("multipart/form-data; boundary=b", b"--b\r\n", "malformed_body"),
        # Binary and text, as the gateway sees it.
        ("application/json", b'{"image": "?"}', "not_multipart"),
        (None, PICTURE, "not_multipart"),
        (None, b"", "not_multipart"),
    ],
)
def test_a_body_that_is_no_upload_is_a_400(
    shop: Shop, content_type: str | None, body: bytes, code: str
) -> None:
    headers = {"Authorization": f"Token {shop.state.keys['staff']}"}
    if content_type is not None:
        headers["Content-Type"] = content_type
    check_problem(httpx.post(shop.url(), headers=headers, content=body, timeout=30), 400, code)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/nothing"), ("POST", "/api/products/123/nothing"), ("GET", "/")]
)
def test_an_unknown_route_is_a_404(shop: Shop, method: str, path: str) -> None:
    answer = shop.request(method, f"{shop.state.api_url}{path}")
    check_problem(answer, 404, "route_not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "", {"GET", "POST", "OPTIONS"}),
        ("POST", "/1", {"GET", "PATCH", "DELETE", "OPTIONS"}),
        ("GET", "/order", {"PUT", "OPTIONS"}),
        ("DELETE", "/uploads", {"POST", "OPTIONS"}),
    ],
)
def test_a_method_that_a_route_does_not_have_is_a_405_that_names_those_it_has(
    shop: Shop, method: str, path: str, allowed: set[str]
) -> None:
    answer = shop.request(method, f"{shop.url()}{path}")
    check_problem(answer, 405, "method_not_allowed")
    assert set(answer.headers["allow"].split(", ")) == allowed


def test_a_picture_at_the_limit_passes_and_one_byte_more_is_our_413(shop: Shop) -> None:
    limit = 4_500_000
    at_limit = PICTURE + b"\0" * (limit - len(PICTURE))
    answer = shop.upload(at_limit)
    assert answer.status_code == 201
    assert answer.json()["size"] == limit
    assert shop.finished(answer.json()).facts
    problem = check_problem(shop.upload(at_limit + b"\0"), 413, "file_too_large")
    assert "4,500,001" in problem.detail
    assert WAY_FOR_LARGE_FILES in problem.detail


def test_a_request_that_is_too_large_for_an_event_is_a_413_of_the_gateway(shop: Shop) -> None:
    problem = check_problem(shop.upload(b"\xff\xd8\xff" + b"\0" * 5_000_000), 413, "file_too_large")
    assert WAY_FOR_LARGE_FILES in problem.detail


def test_a_request_that_is_too_large_for_the_gateway_is_a_413_in_plain_text_as_on_aws(shop: Shop) -> None:
    answer = shop.upload(b"\xff\xd8\xff" + b"\0" * 12_000_000)
    assert (answer.status_code, answer.text) == (413, "HTTP content length exceeded 10485760 bytes.")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.fixture
def issue_key(system: State) -> IssueKey:
    table = DynamoApiKeys(system.endpoint.client("dynamodb"), system.resources.keys_table)
    return IssueKey(table, partial(datetime.now, UTC), OPERATOR)
