"""What needs no key: the API's description, its page, preflight requests, and which methods a path has."""

import json
import os
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_lambda_powertools
from aws_lambda_powertools import Logger

from handlers.answer_log import log_answer
from handlers.cors import allow_any, allow_origin, preflight
from handlers.http_headers import lower_case_names
from handlers.problems import HttpResponse, json_response, method_not_allowed
from handlers.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_DOCUMENT = Path(__file__).parent.parent / "openapi.json"
"""Put beside the packages' modules by their build."""
_SWAGGER_UI = Path(aws_lambda_powertools.__file__).parent / "event_handler/openapi/swagger_ui"
"""Swagger UI as Powertools ships it: its two files, without the code that makes pages of them."""

_STOREFRONT = "/api/storefront/"
"""Paths that pages of any origin may use, whichever the operator names."""
_KEPT = {"Cache-Control": "public, max-age=300"}
_PAGE_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "X-Content-Type-Options": "nosniff",
    # The staff's page, and the key in it, are of this origin: only scripts that are files of it run here. The
    # page may ask this API and nobody else. Swagger UI writes styles into its elements.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}
_START = 'SwaggerUIBundle({dom_id: "#api", deepLinking: true, validatorUrl: null, url: "openapi.json"});\n'
_SCRIPT, _STYLE = "text/javascript; charset=utf-8", "text/css; charset=utf-8"


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Product images API</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="api"></div>
<script src="docs/swagger-ui.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the function that describes the API needs to know."""

    allowed_origins: str


class DescribeApiHandler:
    """Answers from the document alone; it touches no store."""

    def __init__(
        self, document: dict[str, Any], swagger_ui: Path, allowed_origins: str, logger: Logger
    ) -> None:
        self._document = document
        self._files = {
            "swagger-ui.js": (_SCRIPT, (swagger_ui / "swagger-ui-bundle.min.js").read_text()),
            "swagger-ui.css": (_STYLE, (swagger_ui / "swagger-ui.min.css").read_text()),
            "start.js": (_SCRIPT, _START),
        }
        self._allowed_origins = allowed_origins
        self._logger = logger

    def __call__(self, event: dict[str, Any], _context: "LambdaContext") -> HttpResponse:
        """Answer one request that API Gateway let through without a key."""
        response = self._answer(event)
        log_answer(self._logger, event, response)
        return response

    def _answer(self, event: dict[str, Any]) -> HttpResponse:
        method, path = event["httpMethod"], event["resource"]
        match method, path:
            case "GET", "/api/openapi.json":
                headers = {**_KEPT, **allow_any(self._allowed_origins)}
                return json_response(HTTPStatus.OK, self._describe(event), headers)
            case "GET", "/api/docs":
                headers = {**_KEPT, **_PAGE_HEADERS, **allow_any(self._allowed_origins)}
                return {"statusCode": HTTPStatus.OK, "headers": headers, "body": _PAGE}
            case "GET", "/api/docs/{file}":
                return self._file(event)
            case _:
                return self._say_methods(event)

    def _file(self, event: dict[str, Any]) -> HttpResponse:
        found = self._files.get(event["pathParameters"]["file"])
        if found is None:
            return _no_such_file(event["requestContext"]["extendedRequestId"])
        media_type, text = found
        headers = {**_KEPT, "Content-Type": media_type, "X-Content-Type-Options": "nosniff"}
        return {"statusCode": HTTPStatus.OK, "headers": headers, "body": text}

    def _say_methods(self, event: dict[str, Any]) -> HttpResponse:
        allow = ", ".join([*self._methods(event["resource"]), "OPTIONS"])
        origins = "*" if event["resource"].startswith(_STOREFRONT) else self._allowed_origins
        if event["httpMethod"] == "OPTIONS":
            headers = {"Allow": allow, **preflight(allow, origins)}
            response: HttpResponse = {"statusCode": HTTPStatus.NO_CONTENT, "headers": headers, "body": ""}
        else:
            response = method_not_allowed(allow, event["requestContext"]["extendedRequestId"])
        origin = lower_case_names(event["headers"]).get("origin")
        response["headers"] |= allow_origin(origin, origins)
        return response

    def _describe(self, event: dict[str, Any]) -> dict[str, object]:
        return {**self._document, "servers": [{"url": event["stageVariables"]["base_url"]}]}

    def _methods(self, path: str) -> list[str]:
        if path == "/api/docs/{file}":
            return ["GET"]
        known = self._document["paths"].get(path, {})
        return [method.upper() for method in ("get", "put", "post", "delete", "patch") if method in known]


def _no_such_file(request_id: str) -> HttpResponse:
    """Answer as the gateway does of a path that it does not know."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus.NOT_FOUND.phrase,
        "status": HTTPStatus.NOT_FOUND.value,
        "detail": "There is no such route. Compare the path with the documentation at /api/docs.",
        "code": "route_not_found",
        "request_id": request_id,
    }
    headers = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
    return json_response(HTTPStatus.NOT_FOUND, body, headers)


@cache
def _handler() -> DescribeApiHandler:
    settings = read_settings(Settings, os.environ)
    document = json.loads(_DOCUMENT.read_text())
    logger = Logger(service="describe_api", use_rfc3339=True)
    return DescribeApiHandler(document, _SWAGGER_UI, settings.allowed_origins, logger)


def __getattr__(name: str) -> DescribeApiHandler:
    # Made when the runtime first asks, in the init phase; see `handlers.upload_image`.
    if name == "lambda_handler":
        return _handler()
    raise AttributeError(name)
