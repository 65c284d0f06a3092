"""The local system's front door, in the place of the CDN: its paths, and two limits of API Gateway.

`/api/...` and `/staff/...` go to the emulator's stage (the gateway's own answers: `local.gateway`),
`/media/...` to the bucket (`local.media`). The emulator takes bodies of any size; AWS does not, and this
front answers as the gateway would: above 10 MB in plain text, above the event of Lambda as it is
configured to.
"""

import json
import re
import sys
import time
import uuid
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local.compression import compress
from local.emulator_process import Endpoint
from local.gateway import ERROR_TYPE, REQUEST_ID, Gateway
from local.guard import FRONT_SECRET, Guard, refusal_of_front
from local.media import Media

REQUEST_LIMIT_BYTES = 10 * 1024 * 1024
"""Largest body of a request (API Gateway quotas, REST API, "Payload size")."""
EVENT_LIMIT_BYTES = 6 * 1024 * 1024
"""Largest event of a synchronous invocation (Lambda quotas, "Invocation payload")."""
_ENVELOPE_BYTES = 2_000
"""What an event holds beside body and headers: request context, paths; ours have about 1,700 bytes."""
_TIMEOUT_SECONDS = 29
"""After which API Gateway gives an integration up (its quotas, "Integration timeout")."""
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"})
"""All that API Gateway knows."""
_LINE_FEED = re.compile("%0a", re.IGNORECASE)
"""In the emulator the `*` of an authorizer's policy ends at a line feed, so that the answer would be a 403.
Encoded once more it reaches the function as part of an identifier, which is as malformed with it."""
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "upgrade", "content-length", "host"}
)
_OF_THE_SERVER = _HOP_BY_HOP | {"date", "server"}
"""Headers of an answer that are the front's own to send."""
_IDENTIFIERS = frozenset({REQUEST_ID, "x-amz-request-id"})


class FrontSettings(BaseModel):
    """Where things are behind the front; written to `front.json`, which it reads when it starts."""

    model_config = ConfigDict(frozen=True)

    port: int
    hosts: list[str]
    allowed_origins: list[str]
    front_secret: str
    emulator_url: str
    gateway_url: str
    api_id: str
    bucket: str
    media_headers: dict[str, str]
    compressed_paths: list[str]
    gateway_log: Path


class Front:
    """An ASGI application that passes requests on, within the limits of what it stands for."""

    def __init__(self, settings: FrontSettings) -> None:
        endpoint = Endpoint(settings.emulator_url)
        self._settings = settings
        self._http = httpx.AsyncClient(timeout=_TIMEOUT_SECONDS)
        # Only what the client sent goes on, nothing that this library would add.
        self._http.headers.clear()
        configured = endpoint.client("apigateway").get_gateway_responses(restApiId=settings.api_id, limit=500)
        responses: dict[str, Any] = {item["responseType"]: item for item in configured["items"]}
        self._gateway = Gateway(responses, settings.gateway_log)
        self._media = Media(endpoint.client("s3"), self._http, settings.bucket, settings.media_headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        # By the path as it was sent: a router would decode it, and stumble over a line feed in it.
        path = scope["raw_path"].decode("latin-1")
        request = Request(scope, receive)
        request.state.began = time.monotonic()
        if path.startswith("/media/"):
            response = await self._media.show(request, path.removeprefix("/media/"))
        elif path == "/staff":
            response = Response(status_code=308, headers={"Location": "/staff/"})
        elif path.startswith("/staff/"):
            # As the template's function `CdnPagePath` leads there.
            response = await self._api(request, "/staff/index.html" if path == "/staff/" else path)
        elif path.startswith("/api/") and request.method in _METHODS:
            response = await self._api(request, path)
        elif path.startswith("/api/"):
            response = await self._method_not_allowed(request, path)
        else:
            response = self._gateway.answer(request, "MISSING_AUTHENTICATION_TOKEN")
        compress(request, response, self._settings.compressed_paths)
        await response(scope, receive, send)

    async def _api(self, request: Request, path: str) -> Response:
        """Pass a request on to the API's stage."""
        body = await _read_within(request, REQUEST_LIMIT_BYTES)
        if body is None:
            return self._gateway.content_length_exceeded(request, REQUEST_LIMIT_BYTES)
        if _event_size(request, body) > EVENT_LIMIT_BYTES:
            return self._gateway.answer(request, "REQUEST_TOO_LARGE")
        query = f"?{request.url.query}" if request.url.query else ""
        headers = [(name, value) for name, value in request.headers.raw if name.decode() not in _HOP_BY_HOP]
        try:
            answer = await self._http.request(
                request.method,
                f"{self._settings.gateway_url}{_LINE_FEED.sub('%250A', path)}{query}",
                headers=[
                    *headers,
                    (b"x-forwarded-for", b"127.0.0.1"),
                    (b"x-forwarded-proto", b"http"),
                    (FRONT_SECRET.encode(), self._settings.front_secret.encode()),
                ],
                content=body,
            )
        except httpx.TimeoutException:
            return self._gateway.answer(request, "INTEGRATION_TIMEOUT")
        except httpx.HTTPError as error:
            return self._gateway.answer(request, "DEFAULT_5XX", f"The emulator does not answer: {error!r}")
        return self._pass_on(request, answer)

    def _pass_on(self, request: Request, answer: httpx.Response) -> Response:
        """Return what the stage answered: a function's word, or one of the gateway's own."""
        is_gateways = ERROR_TYPE in answer.headers
        if answer.is_server_error and not is_gateways and not _is_problem(answer):
            # A function did not start, or what it returned is no answer: the emulator says so in its own way.
            return self._gateway.answer(request, "DEFAULT_5XX", _reason(answer))
        # The emulator names a function's answer by another identifier than the function was told.
        left_out = _OF_THE_SERVER if is_gateways else _OF_THE_SERVER | _IDENTIFIERS
        response = Response(answer.content, answer.status_code)
        response.raw_headers.extend(
            (name.lower(), value)
            for name, value in answer.headers.raw
            if name.decode("latin-1").lower() not in left_out
        )
        if is_gateways:
            self._gateway.note(request, response)
        return response

    async def _method_not_allowed(self, request: Request, path: str) -> Response:
        """Answer a method that the gateway does not know, such as TRACE, and say which the path has."""
        options = await self._http.options(f"{self._settings.gateway_url}{path}")
        headers = {"Allow": options.headers["Allow"]} if "Allow" in options.headers else {}
        response = Response(status_code=405, headers={REQUEST_ID: str(uuid.uuid4()), **headers})
        self._gateway.note(request, response)
        return response


async def _read_within(request: Request, limit_bytes: int) -> bytes | None:
    """Read the body, or None if it is larger; it is read to its end, so that the client hears the answer."""
    body, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= limit_bytes:
            body += chunk
    return bytes(body) if size <= limit_bytes else None


def _event_size(request: Request, body: bytes) -> int:
    """Estimate the size of the Lambda event in bytes; headers stand in it twice."""
    headers = sum(len(name) + len(value) + 12 for name, value in request.headers.raw)
    return (len(body) + 2) // 3 * 4 + 2 * headers + _ENVELOPE_BYTES


def _reason(answer: httpx.Response) -> str:
    """Return what the emulator says of a function that gave no answer, out of the JSON in its JSON."""
    try:
        message = answer.json()["message"]
        return str(json.loads(message)["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return answer.text


def _is_problem(answer: httpx.Response) -> bool:
    return "application/problem+json" in answer.headers.get("content-type", "")


def main() -> None:
    """Serve on 127.0.0.1 until ended."""
    settings = FrontSettings.model_validate_json(Path(sys.argv[1]).read_text())
    refusal = partial(refusal_of_front, hosts=settings.hosts, allowed_origins=settings.allowed_origins)
    uvicorn.run(
        Guard(Front(settings), refusal),
        host="127.0.0.1",
        port=settings.port,
        log_level="warning",
        lifespan="off",
        server_header=False,
    )


if __name__ == "__main__":
    main()
