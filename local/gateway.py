"""API Gateway's own answers, as the template configures them, and a log of each."""

import json
import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from domain.api_key import hash_key, is_well_formed, key_id
from local.logs.records import write_record

REQUEST_ID = "x-amzn-requestid"
ERROR_TYPE = "x-amzn-errortype"
"""Which the gateway sends with its own answers, and with no function's."""


class Gateway:
    """Answers in the gateway's place, and notes down what was refused without a function's word."""

    def __init__(self, responses: Mapping[str, Any], log: Path) -> None:
        """Take the gateway responses of the deployed API by type; write to `log`, a JSON object a line."""
        self._responses = responses
        self._log = log

    def answer(self, request: Request, response_type: str, error: str = "") -> Response:
        """Answer what the API is configured to answer for `response_type`; `error` is for the log alone."""
        configured = self._responses[response_type]
        template = configured["responseTemplates"]["application/json"]
        headers = {
            name.removeprefix("gatewayresponse.header."): value.strip("'")
            for name, value in configured["responseParameters"].items()
        }
        request_id = str(uuid.uuid4())
        body = template.replace("$context.requestId", request_id)
        response = Response(body, int(configured["statusCode"]), {REQUEST_ID: request_id, **headers})
        self.note(request, response, error)
        return response

    def content_length_exceeded(self, request: Request, limit_bytes: int) -> Response:
        """Answer above the gateway's own limit: no response that is configured, and nothing for pages."""
        headers = {REQUEST_ID: str(uuid.uuid4())}
        response = PlainTextResponse(f"HTTP content length exceeded {limit_bytes} bytes.", 413, headers)
        self.note(request, response)
        return response

    def note(self, request: Request, response: Response, error: str = "") -> None:
        """Write down a refusal that has the identifier of its request in its headers."""
        now = datetime.now(UTC)
        fields = {
            "method": request.method,
            "path": request.scope["raw_path"].decode("latin-1"),
            "status": response.status_code,
            "reason": _code(response),
            "duration_ms": round((time.monotonic() - request.state.began) * 1000),
            "request_id": response.headers[REQUEST_ID],
            **_caller(request),
        }
        is_fault = response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        if error:
            fields["error"] = error
        line = write_record(now, "ERROR" if is_fault else "INFO", "refused by the gateway", fields)
        with self._log.open("a") as file:
            file.write(f"{line}\n")


def _code(response: Response) -> str:
    """Return the problem's own name; an answer that is no problem has that of its status."""
    if response.body and response.media_type != PlainTextResponse.media_type:
        code: str = json.loads(bytes(response.body))["code"]
        return code
    return HTTPStatus(response.status_code).phrase.lower().replace(" ", "_")


def _caller(request: Request) -> dict[str, str]:
    """Return the name of the key that was sent, as the functions log it; never the key."""
    _, _, key = request.headers.get("authorization", "").partition(" ")
    key = key.strip()
    return {"key_id": key_id(hash_key(key))} if is_well_formed(key) else {}
