"""The local system's front door, in the place of the CDN: its paths, and two limits of API Gateway.

`/api/...` goes to the emulator's stage, `/media/...` to the bucket. The emulator takes bodies of
any size; AWS does not, and this front answers as the gateway would.
"""

import json
import os
import re
import uuid
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import httpx
import uvicorn
from botocore.exceptions import ClientError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from adapters.s3_image_store import PUBLISHED, STATUS_TAG
from local.emulator_process import Endpoint

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

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
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "upgrade", "content-length", "host"}
)


@dataclass(frozen=True, slots=True)
class FrontSettings:
    """Where things are behind the front."""

    port: int
    emulator_url: str
    gateway_url: str
    api_id: str
    bucket: str
    media_headers: dict[str, str]


class Front:
    """An ASGI application that passes requests on, within the limits of what it stands for."""

    def __init__(self, settings: FrontSettings) -> None:
        endpoint = Endpoint(settings.emulator_url)
        self._settings = settings
        self._s3: S3Client = endpoint.client("s3")
        self._http = httpx.AsyncClient(timeout=_TIMEOUT_SECONDS)
        # Only what the client sent goes on, nothing that this library would add.
        self._http.headers.clear()
        configured = endpoint.client("apigateway").get_gateway_responses(restApiId=settings.api_id, limit=500)
        self._gateway_responses: dict[str, Any] = {item["responseType"]: item for item in configured["items"]}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        # By the path as it was sent: a router would decode it, and stumble over a line feed in it.
        path = scope["raw_path"].decode("latin-1")
        request = Request(scope, receive)
        if path.startswith("/media/") and request.method in {"GET", "HEAD"}:
            response = await self._media(path.removeprefix("/media/"))
        elif path.startswith("/api/") and request.method in _METHODS:
            response = await self._api(request, path)
        elif path.startswith("/api/"):
            response = await self._method_not_allowed(path)
        else:
            response = self._gateway_response("MISSING_AUTHENTICATION_TOKEN")
        await response(scope, receive, send)

    async def _api(self, request: Request, path: str) -> Response:
        """Pass a request on to the API's stage."""
        body = await _read_within(request, REQUEST_LIMIT_BYTES)
        if body is None or _event_size(request, body) > EVENT_LIMIT_BYTES:
            return self._gateway_response("REQUEST_TOO_LARGE")
        query = f"?{request.url.query}" if request.url.query else ""
        # The emulator decodes a path before it looks into policies, and no `*` of theirs goes across a line
        # feed: it would answer 403. Encoded twice it stays in its escape, and is no identifier either.
        path = _LINE_FEED.sub("%250A", path)
        headers = [(name, value) for name, value in request.headers.raw if name.decode() not in _HOP_BY_HOP]
        try:
            answer = await self._http.request(
                request.method,
                f"{self._settings.gateway_url}{path}{query}",
                headers=[*headers, (b"x-forwarded-for", b"127.0.0.1"), (b"x-forwarded-proto", b"http")],
                content=body,
            )
        except httpx.TimeoutException:
            return self._gateway_response("INTEGRATION_TIMEOUT")
        except httpx.HTTPError:
            return self._gateway_response("DEFAULT_5XX")
        response = Response(answer.content, answer.status_code)
        response.raw_headers.extend(
            (name.lower(), value)
            for name, value in answer.headers.raw
            if name.decode("latin-1").lower() not in _HOP_BY_HOP
        )
        return response

    async def _method_not_allowed(self, path: str) -> Response:
        """Answer a method that the gateway does not know, such as TRACE, and say which the path has."""
        options = await self._http.options(f"{self._settings.gateway_url}{path}")
        headers = {"Allow": options.headers["Allow"]} if "Allow" in options.headers else {}
        return Response(status_code=405, headers=headers)

    async def _media(self, path: str) -> Response:
        """Show a picture as the CDN does: one that is tagged ready, with the template's headers."""
        key = f"originals/{unquote(path)}"
        bucket = self._settings.bucket
        try:
            tagging = await run_in_threadpool(self._s3.get_object_tagging, Bucket=bucket, Key=key)
            if {"Key": STATUS_TAG, "Value": PUBLISHED} not in tagging["TagSet"]:
                return _access_denied()
            stored = await run_in_threadpool(self._s3.get_object, Bucket=bucket, Key=key)
        except ClientError:
            return _access_denied()
        body = await run_in_threadpool(stored["Body"].read)
        headers = {
            "ETag": stored["ETag"],
            "Cache-Control": stored["CacheControl"],
            "Content-Disposition": f'inline; filename="{"-".join(path.split("/")[-2:])}"',
            **self._settings.media_headers,
        }
        return Response(body, media_type=stored["ContentType"], headers=headers)

    def _gateway_response(self, response_type: str) -> Response:
        """Answer what the deployed API is configured to answer for `response_type`."""
        configured = self._gateway_responses[response_type]
        template = configured["responseTemplates"]["application/json"]
        headers = {
            name.removeprefix("gatewayresponse.header."): value.strip("'")
            for name, value in configured["responseParameters"].items()
        }
        body = template.replace("$context.requestId", str(uuid.uuid4()))
        return Response(body, int(configured["statusCode"]), headers)


def _access_denied() -> Response:
    """Answer what S3 says to the CDN, and that to the client, of a picture that it may not read."""
    body = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>'
    return Response(body, 403, media_type="application/xml")


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


def serialize(settings: FrontSettings) -> dict[str, str]:
    """Return the environment that `main` reads `settings` from."""
    return {"FRONT_SETTINGS": json.dumps(asdict(settings))}


def main() -> None:
    """Serve on 127.0.0.1 until ended."""
    settings = FrontSettings(**json.loads(os.environ["FRONT_SETTINGS"]))
    uvicorn.run(Front(settings), host="127.0.0.1", port=settings.port, log_level="warning", lifespan="off")


if __name__ == "__main__":
    main()
