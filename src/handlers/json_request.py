"""Reads JSON bodies and query strings into models, and says of each field what is wrong with it."""

import base64
import hashlib
import json
import re

from pydantic import BaseModel, ValidationError

from domain.errors import (
    MAX_NAMED_FAULTS,
    BodyTooLargeError,
    FieldFault,
    InvalidFieldsError,
    InvalidRequestError,
)
from domain.text import clean_short_text
from handlers.encodings import EncodingError, decode
from handlers.http_function import Request
from handlers.http_headers import read_content_type

MAX_BODY_BYTES = 65_536
"""Twice what a picture takes with the longest texts, each character escaped, and sent back whole."""
NO_SUCH_FIELD = "There is no such field."
_LONE_SURROGATE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)
"""An escape for one half of a character that takes two (RFC 8259, 7)."""
_CACHE_BUSTER = "_"
"""What browsers' libraries put into a query to get past caches, jQuery's `cache: false` for example."""


class NotJsonError(InvalidRequestError):
    """The request's body is not declared as JSON."""

    code = "not_json"


class MalformedJsonError(InvalidRequestError):
    """The body is no JSON."""

    code = "malformed_body"


def read_json[M: BaseModel](request: Request, model: type[M]) -> M:
    """Read the body into `model`.

    Raises:
        NotJsonError, MalformedJsonError: the body is not JSON.
        BodyTooLargeError: it has more than 65,536 bytes, and was not looked into.
        InvalidFieldsError: with every field that breaks a rule, unknown ones among them.

    """
    media_type, parameters = read_content_type(request.headers.get("content-type", ""))
    if media_type != "application/json":
        raise NotJsonError("Send the body as JSON, with the header Content-Type: application/json.")
    size_bytes = _size(request)
    if size_bytes > MAX_BODY_BYTES:
        raise BodyTooLargeError(size_bytes, MAX_BODY_BYTES)
    text = _text(request, parameters.get("charset"))
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        for fault in error.errors():
            if fault["type"] == "json_invalid":
                raise MalformedJsonError(_explain(text, fault["ctx"]["error"])) from None
        raise _invalid_fields(error) from None


def fingerprint(product_id: int, body: BaseModel) -> str:
    """Return what tells whether two requests ask for the same of a product."""
    described = json.dumps([product_id, body.model_dump()], sort_keys=True)
    return hashlib.sha256(described.encode()).hexdigest()


def _size(request: Request) -> int:
    """Return how many bytes the client sent."""
    if request.is_base64:
        # Three bytes in four characters (RFC 4648, 4).
        return len(request.body.rstrip("=")) * 3 // 4
    return len(request.body.encode(errors="surrogatepass"))


def _text(request: Request, charset: str | None) -> str:
    if not request.is_base64:
        # A gateway that passes on text has decoded it.
        return request.body
    try:
        return decode(base64.b64decode(request.body, validate=True), charset)
    except EncodingError as error:
        raise MalformedJsonError(f"The body {error}") from None
    except ValueError:
        raise MalformedJsonError("The body did not arrive as valid base64.") from None


def _explain(text: str, reason: str) -> str:
    if "hex escape" in reason and (lone := _LONE_SURROGATE.search(text)):
        return (
            f"The body has half a character: a surrogate without its other half, at position {lone.start()}. "
            "Cut texts between characters, not in them."
        )
    return f"The body is no JSON: {reason}. Let a JSON library write it."


def read_query[M: BaseModel](request: Request, model: type[M]) -> M:
    """Read the query string into `model`; a parameter that is there for caches alone is ignored.

    Raises:
        InvalidFieldsError: with every parameter that breaks a rule, unknown ones among them.

    """
    try:
        return model.model_validate(
            {name: value for name, value in request.query.items() if name != _CACHE_BUSTER}
        )
    except ValidationError as error:
        raise _invalid_fields(error) from None


def _invalid_fields(error: ValidationError) -> InvalidFieldsError:
    # What the client sent is left out; of unknown fields only the name is told.
    found = error.errors(include_url=False, include_context=False, include_input=False)
    named = found[:MAX_NAMED_FAULTS]
    faults = [
        FieldFault(
            clean_short_text(".".join(map(str, fault["loc"]))) or "body",
            NO_SUCH_FIELD if fault["type"] == "extra_forbidden" else f"{fault['msg']}.",
        )
        for fault in named
    ]
    return InvalidFieldsError(faults, others=len(found) - len(named))
