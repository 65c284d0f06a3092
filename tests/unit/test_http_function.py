import json
from typing import Any

import pytest
from aws_lambda_powertools import Logger, Metrics

from domain.errors import ProductNotFoundError, UnavailableError
from handlers.http_function import HttpFunction, Request
from handlers.problems import HttpResponse
from tests.builders import (
    BASE_URL,
    IMAGE_PATH,
    KEY_ID,
    PRODUCT_ID,
    REQUEST_ID,
    USER,
    a_context,
    a_ref,
    api_event,
    json_event,
)
from tests.unit.conftest import Printed

ADMIN, BACK_OFFICE = "https://admin.example", "https://back-office.example"
PATH = {"product_id": PRODUCT_ID, "image_id": 1}


class Answer:
    """Answers 200, or fails as it was told, and keeps the request."""

    def __init__(self, error: Exception | None = None) -> None:
        self.requests: list[Request] = []
        self._error = error

    def __call__(self, request: Request) -> HttpResponse:
        self.requests.append(request)
        if self._error:
            raise self._error
        return {"statusCode": 200, "headers": {"ETag": '"a"'}, "body": ""}


def call(answer: Answer, event: dict[str, Any], allowed_origins: str = "") -> HttpResponse:
    function = HttpFunction(
        answer,
        allowed_origins=allowed_origins,
        rejections="RequestsRejected",
        logger=Logger(service="gallery"),
        metrics=Metrics(namespace="ProductImages", service="gallery"),
    )
    return function(event, a_context())


def test_an_event_is_read_into_a_request() -> None:
    answer, context = Answer(), a_context()
    event = json_event("PATCH", IMAGE_PATH, {"order": 1}, headers={"If-Match": "*"}, image_id=1)
    event["queryStringParameters"] = {"limit": "1"}
    call(answer, event)
    [request] = answer.requests
    assert request.route == ("PATCH", IMAGE_PATH)
    assert request.identifiers() == PATH
    assert request.query == {"limit": "1"}
    assert request.headers == {"content-type": "application/json", "if-match": "*"}
    assert (request.body, request.is_base64) == ("eyJvcmRlciI6IDF9", True)
    assert (request.user, request.base_url) == (USER, BASE_URL)
    assert request.context.aws_request_id == context.aws_request_id


def test_a_request_is_known_by_the_identifier_that_no_client_can_choose(printed: Printed) -> None:
    event = api_event("GET", IMAGE_PATH, path=PATH)
    event["requestContext"]["requestId"] = "chosen-by-the-client"
    answer = call(Answer(ProductNotFoundError(1)), event)
    assert json.loads(answer["body"])["request_id"] == REQUEST_ID
    [logged] = [log for log in printed() if log.get("message") == "request rejected"]
    assert logged["request_id"] == REQUEST_ID


@pytest.mark.parametrize(
    ("sent", "logged"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, 198.51.100.1", "203.0.113.7, 198.51.100.1"),
        # What stands further in front the client wrote.
        ("192.0.2.66, 203.0.113.7, 198.51.100.1", "203.0.113.7, 198.51.100.1"),
        (None, None),
    ],
)
def test_the_log_says_from_where_as_far_as_aws_vouches_for_it(
    printed: Printed, sent: str | None, logged: str | None
) -> None:
    headers = {"X-Forwarded-For": sent} if sent else {}
    call(Answer(ProductNotFoundError(1)), api_event("GET", IMAGE_PATH, path=PATH, headers=headers))
    [rejected] = [log for log in printed() if log.get("message") == "request rejected"]
    assert rejected.get("forwarded_for") == logged


def test_what_a_request_does_not_have_is_empty() -> None:
    answer = Answer()
    call(answer, api_event("GET", IMAGE_PATH, path=PATH) | {"headers": None})
    [request] = answer.requests
    assert (request.query, request.headers, request.body) == ({}, {}, "")


@pytest.mark.parametrize("coding", ["gzip", "br", "GZIP", "gzip, identity", "\u202ex\n"])
def test_a_body_that_was_encoded_is_refused_by_the_name_of_its_coding(coding: str) -> None:
    answer = Answer()
    event = json_event("PATCH", IMAGE_PATH, {"order": 1}, headers={"Content-Encoding": coding}, image_id=1)
    response = call(answer, event)
    problem = json.loads(response["body"])
    assert (response["statusCode"], problem["code"]) == (415, "unsupported_encoding")
    assert f"Content-Encoding: {coding.strip('\u202e\n')}. " in problem["detail"]
    assert response["headers"]["Accept-Encoding"] == "identity"
    assert answer.requests == []


@pytest.mark.parametrize("coding", ["identity", "Identity ", ""])
def test_a_body_may_say_that_it_was_not_encoded(coding: str) -> None:
    event = json_event("PATCH", IMAGE_PATH, {"order": 1}, headers={"Content-Encoding": coding}, image_id=1)
    assert call(Answer(), event)["statusCode"] == 200


def test_a_request_without_a_body_was_not_encoded() -> None:
    event = api_event("GET", IMAGE_PATH, path=PATH, headers={"Content-Encoding": "gzip"})
    assert call(Answer(), event)["statusCode"] == 200


@pytest.mark.parametrize(
    ("error", "status"),
    [(None, 200), (ProductNotFoundError(PRODUCT_ID), 404), (UnavailableError(), 503), (RuntimeError(), 500)],
)
@pytest.mark.parametrize("name", ["origin", "Origin", "ORIGIN"])
def test_a_page_of_an_allowed_origin_may_read_answers_and_errors_alike(
    error: Exception | None, status: int, name: str
) -> None:
    event = api_event("GET", IMAGE_PATH, path=PATH, headers={name: BACK_OFFICE})
    response = call(Answer(error), event, f"{ADMIN},{BACK_OFFICE}")
    assert response["statusCode"] == status
    assert response["headers"]["Access-Control-Allow-Origin"] == BACK_OFFICE
    assert response["headers"]["Vary"] == "Origin"


@pytest.mark.parametrize("error", [None, ProductNotFoundError(PRODUCT_ID), RuntimeError()])
@pytest.mark.parametrize("origin", [{}, {"Origin": "https://other.example"}])
def test_any_other_page_may_read_nothing(error: Exception | None, origin: dict[str, str]) -> None:
    event = api_event("GET", IMAGE_PATH, path=PATH, headers=origin)
    response = call(Answer(error), event, f"{ADMIN},{BACK_OFFICE}")
    assert "Access-Control-Allow-Origin" not in response["headers"]
    assert response["headers"]["Vary"] == "Origin"


@pytest.mark.parametrize("error", [None, ProductNotFoundError(PRODUCT_ID), RuntimeError()])
def test_no_page_may_read_anything_unless_the_operator_says_so(error: Exception | None) -> None:
    event = api_event("GET", IMAGE_PATH, path=PATH, headers={"Origin": ADMIN})
    headers = call(Answer(error), event)["headers"]
    assert not [name for name in headers if name.startswith("Access-Control") or name == "Vary"]


@pytest.mark.parametrize("error", [None, ProductNotFoundError(PRODUCT_ID), RuntimeError()])
def test_any_page_may_read_if_the_operator_says_so(error: Exception | None) -> None:
    event = api_event("GET", IMAGE_PATH, path=PATH, headers={"Origin": ADMIN})
    assert call(Answer(error), event, "*")["headers"]["Access-Control-Allow-Origin"] == "*"


def test_a_rejection_is_counted_by_its_reason_and_logged_with_its_request_and_key(printed: Printed) -> None:
    call(Answer(ProductNotFoundError(PRODUCT_ID)), api_event("GET", IMAGE_PATH, path=PATH))
    metrics, log = printed()
    assert (metrics["RequestsRejected"], metrics["reason"]) == ([1.0], "product_not_found")
    expected = {
        "level": "INFO",
        "message": "request rejected",
        "reason": "product_not_found",
        "request_id": REQUEST_ID,
        "key_id": KEY_ID,
    }
    assert {name: log[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("error", "reason", "ids"),
    [
        (UnavailableError(), "temporarily_unavailable", {}),
        (
            UnavailableError(a_ref(3)),
            "temporarily_unavailable",
            {"image_id": 3, "product_id": PRODUCT_ID},
        ),
        (RuntimeError("secret-table-name"), "internal_error", {}),
    ],
)
def test_a_fault_is_logged_with_its_cause_and_answered_without_it(
    printed: Printed, error: Exception, reason: str, ids: dict[str, int]
) -> None:
    response = call(Answer(error), api_event("GET", IMAGE_PATH, path=PATH))
    body = json.loads(response["body"])
    assert (body["code"], body["request_id"]) == (reason, REQUEST_ID)
    assert "secret" not in response["body"]
    metrics, log = printed()
    assert metrics["reason"] == reason
    assert (log["level"], log["message"], log["exception_name"]) == (
        "ERROR",
        "request failed",
        type(error).__name__,
    )
    assert {name: log[name] for name in ("image_id", "product_id") if name in log} == ids


def test_an_event_that_cannot_be_read_is_a_fault_of_ours() -> None:
    event = api_event("GET", IMAGE_PATH, path=PATH) | {"stageVariables": None}
    assert call(Answer(), event)["statusCode"] == 500
