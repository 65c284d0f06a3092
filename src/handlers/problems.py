"""Answers that say what went wrong: problem details (RFC 9457), one table from codes to statuses."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import NotRequired, TypedDict

from domain import errors

_STATUS_BY_ERROR: dict[type[errors.DomainError], HTTPStatus] = {
    errors.InvalidRequestError: HTTPStatus.BAD_REQUEST,
    errors.InvalidFieldsError: HTTPStatus.BAD_REQUEST,
    errors.UnsupportedFormatError: HTTPStatus.BAD_REQUEST,
    errors.ProductNotFoundError: HTTPStatus.NOT_FOUND,
    errors.ImageNotFoundError: HTTPStatus.NOT_FOUND,
    errors.AccessDeniedError: HTTPStatus.FORBIDDEN,
    errors.ProductBeingRemovedError: HTTPStatus.CONFLICT,
    errors.ImageNotReadyError: HTTPStatus.CONFLICT,
    errors.GalleryTooLargeError: HTTPStatus.CONFLICT,
    errors.KeyInUseError: HTTPStatus.CONFLICT,
    errors.StaleImageError: HTTPStatus.PRECONDITION_FAILED,
    errors.StaleOrderError: HTTPStatus.PRECONDITION_FAILED,
    errors.KeyReusedError: HTTPStatus.UNPROCESSABLE_CONTENT,
    errors.QuotaExceededError: HTTPStatus.TOO_MANY_REQUESTS,
    errors.FileTooLargeError: HTTPStatus.CONTENT_TOO_LARGE,
    errors.BodyTooLargeError: HTTPStatus.CONTENT_TOO_LARGE,
    errors.UnsupportedEncodingError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.ImageRecordDamagedError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}


_MAX_ESCAPED = 400_000
"""Characters of an answer in ASCII, where a character may take twelve of them."""


class HttpResponse(TypedDict):
    """What an API Gateway proxy integration returns."""

    statusCode: int
    headers: dict[str, str]
    body: str
    isBase64Encoded: NotRequired[bool]


def problem_response(error: errors.DomainError, request_id: str) -> HttpResponse:
    """Return the answer to a request that ended in `error`; one without a status is a fault of ours."""
    status = next((status for kind, status in _STATUS_BY_ERROR.items() if isinstance(error, kind)), None)
    if status is None:
        return internal_problem(request_id)
    headers = {} if error.retry_after_seconds is None else {"Retry-After": str(error.retry_after_seconds)}
    if isinstance(error, errors.UnsupportedEncodingError):
        # What would be read (RFC 9110, 12.5.3).
        headers["Accept-Encoding"] = "identity"
    members: dict[str, object] = {}
    if isinstance(error, errors.InvalidFieldsError):
        members["errors"] = [{"field": f.field, "message": f.message} for f in error.faults]
    return _problem(status, error.code, str(error), request_id, headers, members)


def internal_problem(request_id: str) -> HttpResponse:
    """Return the answer to a request that ended in an error nobody foresaw."""
    detail = (
        "Something went wrong on our side. Look whether the image is there before you send it again; "
        "if it stays so, quote the request_id."
    )
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", detail, request_id, {}, {})


def method_not_allowed(allow: str, request_id: str) -> HttpResponse:
    """Return the answer to a method that a path does not have; `allow` names those that it has."""
    detail = f"This path takes {allow}. Compare the request with the documentation at /api/docs."
    status = HTTPStatus.METHOD_NOT_ALLOWED
    return _problem(status, "method_not_allowed", detail, request_id, {"Allow": allow}, {})


def json_response(status: HTTPStatus, body: dict[str, object], headers: Mapping[str, str]) -> HttpResponse:
    """Return an answer with a JSON body; one that is long has each character in as few bytes as it takes."""
    text = json.dumps(body)
    if len(text) > _MAX_ESCAPED:
        # Clients that take no thought of encodings read escapes right, but these can make three bytes of one.
        text = json.dumps(body, ensure_ascii=False)
    return {
        "statusCode": status.value,
        "headers": {"Content-Type": "application/json", **headers},
        "body": text,
    }


def _problem(
    status: HTTPStatus,
    code: str,
    detail: str,
    request_id: str,
    headers: dict[str, str],
    members: dict[str, object],
) -> HttpResponse:
    body = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "code": code,
        "request_id": request_id,
        **members,
    }
    # The later Content-Type is the one that counts.
    return json_response(
        status, body, {"Content-Type": "application/problem+json", "Cache-Control": "no-store", **headers}
    )
