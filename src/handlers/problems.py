"""Answers that say what went wrong: problem details (RFC 9457), one table from codes to statuses."""

import json
from http import HTTPStatus
from typing import NotRequired, TypedDict

from domain import errors

_RETRY_AFTER_SECONDS = "5"
"""Longer than DynamoDB and S3 usually throttle for, and short enough for a script to wait."""

_STATUS_BY_ERROR: dict[type[errors.DomainError], HTTPStatus] = {
    errors.InvalidRequestError: HTTPStatus.BAD_REQUEST,
    errors.InvalidFieldsError: HTTPStatus.BAD_REQUEST,
    errors.UnsupportedFormatError: HTTPStatus.BAD_REQUEST,
    errors.ProductNotFoundError: HTTPStatus.NOT_FOUND,
    errors.FileTooLargeError: HTTPStatus.CONTENT_TOO_LARGE,
    errors.UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}


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
    headers = {}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = _RETRY_AFTER_SECONDS
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
    return {
        "statusCode": status.value,
        "headers": {"Content-Type": "application/problem+json", "Cache-Control": "no-store", **headers},
        "body": json.dumps(body),
    }
