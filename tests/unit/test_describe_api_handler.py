"""What is answered without a key: the description, its page, preflight requests, wrong methods."""

import json
import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_lambda_powertools
import pytest
from aws_lambda_powertools import Logger

from handlers.describe_api import DescribeApiHandler
from handlers.problems import HttpResponse
from openapi.document import PATH
from tests.builders import REQUEST_ID, a_context
from tests.conftest import ColdStart
from tests.infrastructure.api import STOREFRONT
from tests.unit.conftest import Printed

PAGE_FILE = "/api/docs/{file}"
IMAGES = "/api/products/{product_id}/images"
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "</script>"},
    "servers": [{"url": "/"}],
    "paths": {
        IMAGES: {"parameters": [], "get": {}, "post": {}},
        f"{IMAGES}/order": {"put": {}},
        "/api/docs": {"get": {}},
        **{path: {"get": {}} for path in STOREFRONT},
    },
}
SWAGGER_UI = Path(aws_lambda_powertools.__file__).parent / "event_handler/openapi/swagger_ui"


@pytest.fixture
def swagger_ui(tmp_path: Path) -> Path:
    (tmp_path / "swagger-ui-bundle.min.js").write_text("var script;")
    (tmp_path / "swagger-ui.min.css").write_text(".style {}")
    return tmp_path


def answer(
    swagger_ui: Path,
    method: str,
    path: str,
    *,
    file: str | None = None,
    origin: str | None = None,
    allowed_origins: str = "",
) -> HttpResponse:
    handler = DescribeApiHandler(DOCUMENT, swagger_ui, allowed_origins, Logger(service="test"))
    event = {
        "httpMethod": method,
        "resource": path,
        "pathParameters": {"file": file} if file else None,
        "headers": {"Origin": origin} if origin else None,
        "stageVariables": {"base_url": "https://shop.example"},
        "requestContext": {"extendedRequestId": REQUEST_ID},
    }
    return handler(event, a_context())


def test_the_document_names_the_server_that_it_was_read_from(swagger_ui: Path) -> None:
    response = answer(swagger_ui, "GET", "/api/openapi.json")
    assert response["statusCode"] == 200
    assert response["headers"]["Content-Type"] == "application/json"
    assert json.loads(response["body"]) == {**DOCUMENT, "servers": [{"url": "https://shop.example"}]}


def test_the_page_runs_no_script_but_files_of_its_own(swagger_ui: Path) -> None:
    response = answer(swagger_ui, "GET", "/api/docs")
    assert response["statusCode"] == 200
    assert response["headers"]["Content-Type"].startswith("text/html")
    loaded = re.findall(r'(?:src|href)="(.+?)"', response["body"])
    assert loaded == ["docs/swagger-ui.css", "docs/swagger-ui.js", "docs/start.js"]
    assert re.findall(r"<script[^>]*>([^<]+)", response["body"]) == []
    files = [answer(swagger_ui, "GET", PAGE_FILE, file=name.removeprefix("docs/")) for name in loaded]
    assert [each["statusCode"] for each in files] == [200, 200, 200]
    assert [each["headers"]["Content-Type"].split(";")[0] for each in files] == [
        "text/css",
        "text/javascript",
        "text/javascript",
    ]
    assert (files[0]["body"], files[1]["body"]) == (".style {}", "var script;")
    assert 'url: "openapi.json"' in files[2]["body"]


def test_there_is_no_other_file(swagger_ui: Path) -> None:
    response = answer(swagger_ui, "GET", PAGE_FILE, file="swagger-ui.js.map")
    assert (response["statusCode"], json.loads(response["body"])["code"]) == (404, "route_not_found")


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        (IMAGES, "GET, POST, OPTIONS"),
        (f"{IMAGES}/order", "PUT, OPTIONS"),
        ("/api/docs", "GET, OPTIONS"),
        (PAGE_FILE, "GET, OPTIONS"),
    ],
)
def test_options_says_which_methods_a_path_has(swagger_ui: Path, path: str, allow: str) -> None:
    response = answer(swagger_ui, "OPTIONS", path)
    assert (response["statusCode"], response["body"]) == (204, "")
    assert response["headers"] == {"Allow": allow}


@pytest.mark.parametrize("method", ["PUT", "HEAD", "DELETE"])
def test_a_method_that_a_path_does_not_have_is_405_and_named_what_it_has(
    swagger_ui: Path, method: str
) -> None:
    response = answer(swagger_ui, method, IMAGES)
    problem = json.loads(response["body"])
    assert (response["statusCode"], problem["code"]) == (405, "method_not_allowed")
    assert problem["request_id"] == REQUEST_ID
    assert response["headers"]["Allow"] == "GET, POST, OPTIONS"


def test_a_preflight_request_of_an_allowed_origin_gets_what_it_asks_for(swagger_ui: Path) -> None:
    origin = "https://admin.example"
    headers = answer(swagger_ui, "OPTIONS", IMAGES, origin=origin, allowed_origins=origin)["headers"]
    assert headers["Access-Control-Allow-Origin"] == origin
    assert headers["Access-Control-Allow-Methods"] == "GET, POST, OPTIONS"
    assert "Idempotency-Key" in headers["Access-Control-Allow-Headers"]
    assert int(headers["Access-Control-Max-Age"]) > 0


@pytest.mark.parametrize("path", ["/api/openapi.json", "/api/docs"])
@pytest.mark.parametrize("origin", [None, "https://admin.example", "https://evil.example"])
def test_the_description_does_not_depend_on_who_asks_so_that_a_cache_may_keep_it(
    swagger_ui: Path, path: str, origin: str | None
) -> None:
    headers = answer(swagger_ui, "GET", path, origin=origin, allowed_origins="https://admin.example")[
        "headers"
    ]
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Vary" not in headers
    assert headers["Cache-Control"] == "public, max-age=300"


@pytest.mark.parametrize("allowed_origins", ["", "https://admin.example"])
def test_any_page_may_ask_the_storefront_whichever_origins_are_allowed_elsewhere(
    swagger_ui: Path, allowed_origins: str
) -> None:
    for path in STOREFRONT:
        for method, status in (("OPTIONS", 204), ("PUT", 405)):
            response = answer(
                swagger_ui, method, path, origin="https://shop.example", allowed_origins=allowed_origins
            )
            assert response["statusCode"] == status
            assert response["headers"]["Access-Control-Allow-Origin"] == "*"
            assert response["headers"]["Allow"] == "GET, OPTIONS"


def test_a_preflight_request_of_another_origin_is_not_allowed(swagger_ui: Path) -> None:
    response = answer(
        swagger_ui, "OPTIONS", IMAGES, origin="https://evil.example", allowed_origins="https://a.example"
    )
    assert "Access-Control-Allow-Origin" not in response["headers"]


def test_the_deployed_function_reads_the_description_and_swagger_ui_from_its_package(
    cold_start: ColdStart,
) -> None:
    module = cold_start("describe_api", ALLOWED_ORIGINS="")
    # The build puts it beside the modules.
    module._DOCUMENT = PATH  # noqa: SLF001 - where it is before that
    event = {
        "httpMethod": "GET",
        "resource": PAGE_FILE,
        "pathParameters": {"file": "swagger-ui.js"},
        "headers": None,
        "stageVariables": {"base_url": "https://shop.example"},
        "requestContext": {"extendedRequestId": REQUEST_ID},
    }
    assert "SwaggerUIBundle" in module.lambda_handler(event, a_context())["body"]
    described = module.lambda_handler({**event, "resource": "/api/openapi.json"}, a_context())["body"]
    assert "reserveUpload" in described
    assert module.lambda_handler is module.lambda_handler
    assert not hasattr(module, "anything_else")


def test_what_the_page_loads_fits_into_an_answer_of_lambda() -> None:
    for file in ("swagger-ui.js", "swagger-ui.css"):
        assert len(json.dumps(answer(SWAGGER_UI, "GET", PAGE_FILE, file=file))) < 6_000_000


def test_the_page_may_ask_this_api_and_nobody_else(swagger_ui: Path) -> None:
    headers = answer(swagger_ui, "GET", "/api/docs")["headers"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


def test_a_page_of_another_origin_may_send_what_the_api_reads_and_libraries_add(swagger_ui: Path) -> None:
    origin = "https://admin.example"
    headers = answer(swagger_ui, "OPTIONS", IMAGES, origin=origin, allowed_origins=origin)["headers"]
    described = {
        parameter["name"]
        for item in json.loads(PATH.read_text())["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict)
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "header"
    }
    allowed = set(headers["Access-Control-Allow-Headers"].split(", "))
    of_libraries = {"Cache-Control", "X-Requested-With"}
    assert allowed == {"Authorization", "Content-Type", *of_libraries, *described}


def test_every_answer_is_logged_once(
    swagger_ui: Path, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Powertools binds a service's logger to one stream for good.
    monkeypatch.delitem(logging.Logger.manager.loggerDict, "test", raising=False)
    answer(swagger_ui, "DELETE", IMAGES)
    [line] = printed()
    logged = {name: line[name] for name in ("message", "request_id", "method", "resource", "status")}
    assert logged == {
        "message": "answered",
        "request_id": REQUEST_ID,
        "method": "DELETE",
        "resource": IMAGES,
        "status": 405,
    }


@pytest.mark.parametrize("unwanted", ["boto3", "pydantic", "aws_lambda_powertools.event_handler"])
def test_the_function_imports_nothing_that_it_does_not_need(unwanted: str) -> None:
    code = f"import sys, handlers.describe_api; sys.exit({unwanted!r} in sys.modules)"
    subprocess.run([sys.executable, "-c", code], env={}, check=True)
