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
    # The page holds all it needs, and may ask this API and nobody else.
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}


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
        self._script = (swagger_ui / "swagger-ui-bundle.min.js").read_text()
        self._style = (swagger_ui / "swagger-ui.min.css").read_text()
        self._allowed_origins = allowed_origins
        self._logger = logger

    def __call__(self, event: dict[str, Any], _context: "LambdaContext") -> HttpResponse:
        """Answer one request that API Gateway let through without a key."""
        response = self._answer(event)
        self._logger.info(
            "answered",
            request_id=event["requestContext"]["extendedRequestId"],
            method=event["httpMethod"],
            resource=event["resource"],
            status=response["statusCode"],
        )
        return response

    def _answer(self, event: dict[str, Any]) -> HttpResponse:
        method, path = event["httpMethod"], event["resource"]
        match method, path:
            case "GET", "/api/openapi.json":
                headers = {**_KEPT, **allow_any(self._allowed_origins)}
                return json_response(HTTPStatus.OK, self._describe(event), headers)
            case "GET", "/api/docs":
                page = _page(self._describe(event), self._script, self._style)
                headers = {**_KEPT, **_PAGE_HEADERS, **allow_any(self._allowed_origins)}
                return {"statusCode": HTTPStatus.OK, "headers": headers, "body": page}
            case _:
                return self._say_methods(event)

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
        known = self._document["paths"].get(path, {})
        return [method.upper() for method in ("get", "put", "post", "delete", "patch") if method in known]


def _page(document: dict[str, object], script: str, style: str) -> str:
    # In a script, "</" could end it (HTML, "Restrictions on the contents of script elements").
    inline = json.dumps(document).replace("</", "<\\/")
    return f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Product images API</title><style>{style}</style></head>
<body>
<div id="api"></div>
<script>{script}</script>
<script>SwaggerUIBundle({{dom_id: "#api", deepLinking: true, validatorUrl: null, spec: {inline}}});</script>
</body>
</html>
"""


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
