"""Answers with an ETag: a client that has one already gets a 304."""

from collections.abc import Mapping
from http import HTTPStatus

from handlers.etag import is_known
from handlers.problems import HttpResponse, json_response

FRESH: Mapping[str, str] = {"Cache-Control": "private, no-cache"}
"""Kept by the client alone, and asked for again each time, with the ETag it has."""


def known_or(
    if_none_match: str | None, etag: str, body: dict[str, object], kept: Mapping[str, str] = FRESH
) -> HttpResponse:
    """Return the body, or a 304 if the client has it: one of the tags that it names is this one.

    `kept` says who may keep it, and for how long.
    """
    headers = {"ETag": etag, **kept}
    if is_known(etag, if_none_match):
        return {"statusCode": HTTPStatus.NOT_MODIFIED, "headers": headers, "body": ""}
    return json_response(HTTPStatus.OK, body, headers)
