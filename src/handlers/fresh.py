"""Answers that a client keeps for itself, and asks for again each time with the ETag that it has."""

from http import HTTPStatus

from handlers.etag import is_known
from handlers.problems import HttpResponse, json_response

FRESH = {"Cache-Control": "private, no-cache"}


def known_or(if_none_match: str | None, etag: str, body: dict[str, object]) -> HttpResponse:
    """Return the body, or a 304 if the client has it: one of the tags that it names is this one."""
    headers = {"ETag": etag, **FRESH}
    if is_known(etag, if_none_match):
        return {"statusCode": HTTPStatus.NOT_MODIFIED, "headers": headers, "body": ""}
    return json_response(HTTPStatus.OK, body, headers)
