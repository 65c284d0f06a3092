"""What API Gateway itself answers, and which pages may read it."""

import json
import re
from http import HTTPStatus
from typing import Any

import pytest

from domain.errors import FileTooLargeForDirectUploadError
from handlers.problems import internal_problem
from local.template import Template
from tests.infrastructure.api import IMAGES, ROUTES, gateway_responses, routes_of
from tests.infrastructure.stack import as_sub, evaluate, functions, images_bucket

ALLOW_ORIGIN = "gatewayresponse.header.Access-Control-Allow-Origin"

ANY_REFUSAL = "DEFAULT_4XX"
"""What is answered where there is no response for the refusal; it may be any 4xx."""

GATEWAY_RESPONSES = {
    "INTEGRATION_TIMEOUT",
    "INVALID_SIGNATURE",
    "RESOURCE_NOT_FOUND",
    "UNAUTHORIZED",
    "ACCESS_DENIED",
    "MISSING_AUTHENTICATION_TOKEN",
    "REQUEST_TOO_LARGE",
    "BAD_REQUEST_BODY",
    "THROTTLED",
    "DEFAULT_4XX",
    "DEFAULT_5XX",
}


def test_any_page_may_read_the_errors_of_the_gateway(template: Template) -> None:
    told = {
        name: each["responseParameters"].get(ALLOW_ORIGIN)
        for name, each in gateway_responses(template).items()
    }
    assert told == dict.fromkeys(told, "'*'")


@pytest.mark.parametrize("origins", ["", "https://admin.example.com", "https://a.example,https://b.example"])
def test_the_functions_are_told_whose_pages_may_use_the_api(template: Template, origins: str) -> None:
    assert set(_allowed_origins(template, origins)) == {origins}


def test_a_page_of_any_origin_that_has_a_form_may_send_it_to_the_bucket_and_do_nothing_else(
    template: Template,
) -> None:
    [rule] = images_bucket(template)["CorsConfiguration"]["CorsRules"]
    assert (rule["AllowedOrigins"], rule["AllowedMethods"]) == (["*"], ["POST"])
    assert rule["AllowedHeaders"] == ["*"]


def test_the_gateway_answers_every_error_that_it_can_meet(template: Template) -> None:
    assert gateway_responses(template).keys() >= GATEWAY_RESPONSES


def test_every_error_of_the_gateway_looks_like_one_of_the_functions(template: Template) -> None:
    members = json.loads(internal_problem("id")["body"]).keys()
    for name, response in gateway_responses(template).items():
        problem = _problem(template, name)
        if name == ANY_REFUSAL:
            problem |= {"status": 400, "title": "Bad Request"}
        else:
            assert str(problem["status"]) == response["statusCode"], name
        assert problem.keys() == members, name
        assert problem["type"] == "about:blank", name
        assert problem["title"] == HTTPStatus(problem["status"]).phrase, name
        assert re.fullmatch(r"[A-Z].+\.", problem["detail"]), name
        assert re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", problem["code"]), name
        assert problem["request_id"] == "id", name
        headers = response["responseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'", name


def test_a_refusal_that_nobody_thought_of_keeps_its_status(template: Template) -> None:
    # A status here would be that of every refusal without a response of its own, such as a firewall's 403.
    assert "statusCode" not in gateway_responses(template)[ANY_REFUSAL]
    assert "status" not in _problem(template, ANY_REFUSAL)


def test_a_refusal_for_its_size_names_the_way_for_large_files_whichever_it_meets(template: Template) -> None:
    details = [_problem(template, name)["detail"] for name in ("REQUEST_TOO_LARGE", ANY_REFUSAL)]
    assert [f"POST to {IMAGES}/uploads" in detail for detail in details] == [True, True]


@pytest.mark.parametrize("fault", ["AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR"])
def test_a_fault_of_the_authorizer_is_a_server_error(template: Template, fault: str) -> None:
    # So that the alarm on server errors sees it, since the one on functions leaves the authorizer out.
    responses = gateway_responses(template)
    assert responses.get(fault, responses["DEFAULT_5XX"])["statusCode"] == "500"


def test_the_gateway_and_the_functions_tell_the_same_error_alike(template: Template) -> None:
    assert _problem(template, "DEFAULT_5XX") == json.loads(internal_problem("id")["body"])
    too_large = FileTooLargeForDirectUploadError(1, 1)
    problem = _problem(template, "REQUEST_TOO_LARGE")
    assert problem["code"] == too_large.code
    # Both name the way for large files, and it exists.
    way = f"Ask for an upload form with POST to {IMAGES}/uploads, and send the image with it."
    assert str(too_large).endswith(f" {way}")
    assert problem["detail"].endswith(f" {way}")
    assert routes_of(template)[(f"POST {IMAGES}/uploads", "ApiKey")] == "ReserveUploadFunction"


def test_an_unknown_route_is_told_in_one_way_that_names_the_documentation(template: Template) -> None:
    # Which of them it meets depends on the headers that a client happens to send.
    responses = ["MISSING_AUTHENTICATION_TOKEN", "INVALID_SIGNATURE", "RESOURCE_NOT_FOUND"]
    first, *others = [_problem(template, response) for response in responses]
    assert others == [first, first]
    assert (first["status"], first["code"]) == (404, "route_not_found")
    assert "/api/docs" in first["detail"]
    assert ("GET /api/docs", "NONE") in routes_of(template)


@pytest.mark.parametrize(
    ("response", "status"),
    [
        ("UNAUTHORIZED", 401),
        ("ACCESS_DENIED", 403),
        ("MISSING_AUTHENTICATION_TOKEN", 404),
        ("REQUEST_TOO_LARGE", 413),
        ("BAD_REQUEST_BODY", 400),
        ("THROTTLED", 429),
        ("INVALID_SIGNATURE", 404),
        ("RESOURCE_NOT_FOUND", 404),
        ("INTEGRATION_TIMEOUT", 504),
        ("DEFAULT_5XX", 500),
    ],
)
def test_the_gateway_answers_with_the_status_of_the_contract(
    template: Template, response: str, status: int
) -> None:
    assert _problem(template, response)["status"] == status


def test_429_says_how_long_to_wait(template: Template) -> None:
    headers = gateway_responses(template)["THROTTLED"]["responseParameters"]
    assert int(headers["gatewayresponse.header.Retry-After"].strip("'")) > 0


def test_401_names_the_scheme_to_use(template: Template) -> None:
    headers = {
        name: response["responseParameters"].get("gatewayresponse.header.WWW-Authenticate")
        for name, response in gateway_responses(template).items()
        if response.get("statusCode") == "401"
    }
    assert headers == {"UNAUTHORIZED": "'Token'"}


def _allowed_origins(template: Template, origins: str = "") -> list[str]:
    """Return what each function that answers browsers is told of allowed origins.

    But the storefront's, which answers any.
    """
    told = [
        function["Environment"]["Variables"]["ALLOWED_ORIGINS"]
        for name, function in functions(template).items()
        # Every page may read the storefront, and the staff's page is no answer for pages.
        if name in {*ROUTES.values()} - {"StorefrontFunction", "StaffPageFunction"}
    ]
    return [evaluate(template, each, AllowedOrigins=origins) for each in told]


def _problem(template: Template, response: str) -> dict[str, Any]:
    """Return the body of a gateway response as a client reads it, with the parameters' defaults."""
    body = as_sub(gateway_responses(template)[response]["responseTemplates"]["application/json"])
    for name, parameter in template["Parameters"].items():
        body = body.replace(f"${{{name}}}", str(parameter["Default"]))
    problem: dict[str, Any] = json.loads(body.replace("$context.extendedRequestId", "id"))
    return problem
