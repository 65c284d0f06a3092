"""Reads JSON bodies and query strings into models, and says of each field what is wrong with it."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from domain.errors import (
    MAX_NAMED_FAULTS,
    BodyTooLargeError,
    FieldFault,
    InvalidFieldsError,
    InvalidRequestError,
)
from domain.image import MAX_ID
from domain.image_details import ALT_TEXT_LIMIT, ORDER_LIMIT
from domain.list_images import MAX_PAGE_SIZE, MAX_REACH, MAX_SHA256S
from domain.list_products import MAX_LISTED, MAX_QUERY
from domain.product_title import TITLE_LIMIT
from domain.public_address import MAX_ADDRESS
from domain.storefront import MAX_PRODUCTS
from domain.text import MAX_SHORT_BYTES, clean_short_text
from handlers.encodings import EncodingError, decode
from handlers.http_function import Request
from handlers.http_headers import read_content_type

MAX_BODY_BYTES = 65_536
"""Twice what a picture takes with the longest texts, each character escaped, and sent back whole."""
_MAX_NAME = 16_384
"""Characters of a file name: far more than the 255 bytes that are kept of one."""
_MAX_IMAGE_IDS = 1_000
"""Identifiers in a list: far more than can be reordered at once, so that the error can name that limit."""
_NO_FIELD = "There is no such field."
_UNCHANGEABLE = "Cannot be changed. Leave it out, or send it as it is."
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


def _whole(value: object) -> object:
    # JSON has numbers, not integers: 1.0 is 1 (JSON Schema, "integer").
    return int(value) if isinstance(value, float) and value.is_integer() else value


_WHOLE = BeforeValidator(_whole)
AltText = Annotated[str, StringConstraints(max_length=ALT_TEXT_LIMIT)]
Order = Annotated[int, Field(ge=-ORDER_LIMIT, le=ORDER_LIMIT - 1), _WHOLE]


Identifier = Annotated[int, Field(ge=1, le=MAX_ID), _WHOLE]


class _Body(BaseModel):
    """JSON has types: a number is no text, and an unknown field is a mistake."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class DetailsBody(_Body):
    """What staff may say of a picture in any request: `ImageDetails`, not cleaned yet."""

    alt_text: AltText = Field(default="", description="Alternative text; it is kept on one line.")
    order: Order = Field(default=0, description="Display order.")

    def details(self) -> dict[str, Any]:
        """Return what was sent of them, by name."""
        return self.model_dump(include=self.model_fields_set & DetailsBody.model_fields.keys())


class ChangeBody(DetailsBody):
    """What is to be changed of a picture; fields that are not sent stay as they are."""

    # A picture may come back whole: what else there is of it is compared with what is shown. A client has no
    # reason to send it, so the description goes on without.
    model_config = ConfigDict(extra="allow", json_schema_extra={"additionalProperties": False})

    is_primary: bool = Field(default=False, description="Whether it is the product's primary image.")

    def fields(self) -> list[str]:
        """Return the names of what is to be changed."""
        return sorted(self.model_fields_set & ChangeBody.model_fields.keys())

    def has_no_more_than(self, shown: Mapping[str, object]) -> bool:
        """Tell whether every field that was sent is one that is shown."""
        return (self.model_extra or {}).keys() <= shown.keys()

    def require_rest_of(self, shown: Mapping[str, object]) -> None:
        """Hold what was sent beside the fields to be as it is shown.

        Raises:
            InvalidFieldsError: with every field that is not there, or that differs and cannot be changed.

        """
        wrong = [
            name
            for name, value in (self.model_extra or {}).items()
            if name not in shown or value != shown[name]
        ]
        if wrong:
            named = wrong[:MAX_NAMED_FAULTS]
            faults = [
                FieldFault(clean_short_text(name), _UNCHANGEABLE if name in shown else _NO_FIELD)
                for name in named
            ]
            raise InvalidFieldsError(faults, others=len(wrong) - len(named))


class PutProductBody(_Body):
    """What a product is, whole."""

    title: str | None = Field(
        default=None,
        description=f"What staff find it by, up to {TITLE_LIMIT} characters; it is kept on one line. "
        "Without one the product has none from now on.",
    )


class OrderBody(_Body):
    """The whole new order of a product's gallery."""

    image_ids: Annotated[list[Identifier], Field(max_length=_MAX_IMAGE_IDS)] = Field(
        description="Every image of the product that has not failed, once, in its new order."
    )


class AnnounceBody(DetailsBody):
    """What a client says of a picture that it will send with an upload form."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=_MAX_NAME)] = Field(
        description=f"File name; {MAX_SHORT_BYTES} bytes of it are kept, and its extension."
    )
    size: Annotated[int, Field(ge=1, le=MAX_ID), _WHOLE] = Field(description="Size of the file in bytes.")
    content_type: str | None = Field(
        default=None,
        description="Media type of the file; needed if the file name has no known extension. One that says "
        "nothing, such as application/octet-stream, or that is misspelt counts as none.",
    )
    is_primary: bool = Field(default=False, description="Make it the product's primary image.")
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{64}$")] | None = Field(
        default=None, description="SHA-256 of the file in hexadecimal; other bytes will not be accepted."
    )


class FetchBody(DetailsBody):
    """What a client says of a picture that the service fetches."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=MAX_ADDRESS)] = Field(
        description="Address of the picture: http or https, on the port of its scheme, of a host that "
        "everybody can reach, without user and password.",
        # Said, and not checked here: the sentences of what reads it tell more.
        json_schema_extra={"pattern": "^ *[hH][tT][tT][pP][sS]?://"},
    )
    name: Annotated[str, StringConstraints(min_length=1, max_length=_MAX_NAME)] | None = Field(
        default=None, description="File name; if it is left out, the address tells it."
    )
    is_primary: bool = Field(default=False, description="Make it the product's primary image.")


class _Query(BaseModel):
    """Parameters are texts that say numbers, and an unknown one is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ShownPageQuery(_Query):
    """Which part is wanted of what the public sees of a gallery."""

    limit: Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE)] = Field(
        default=10, description="Images on the page."
    )
    offset: Annotated[int, Field(ge=0)] = Field(default=0, description="Images before the page.")


class PrimariesQuery(_Query):
    """Of which products a picture is wanted."""

    product_ids: str = Field(
        description=f"Identifiers of up to {MAX_PRODUCTS} products, with commas between them.",
        examples=["123,124"],
    )


class PageQuery(ShownPageQuery):
    """Which part of a gallery is wanted."""

    # The use case says what to do beyond it.
    offset: Annotated[int, Field(ge=0, json_schema_extra={"maximum": MAX_REACH})] = Field(
        default=0, description="Images before the page."
    )
    status: Literal["pending", "ready", "failed"] | None = Field(
        default=None,
        description="Count and show only images in this status; of a product with at most "
        f"{MAX_REACH:,} images.",
    )
    sha256: (
        Annotated[
            str,
            StringConstraints(
                pattern=rf"^[0-9A-Fa-f]{{64}}(,[0-9A-Fa-f]{{64}}){{0,{MAX_SHA256S - 1}}}$",
            ),
        ]
        | None
    ) = Field(
        default=None,
        description="Count and show only images whose file, as sent, had this SHA-256, in hexadecimal, "
        f"or one of up to {MAX_SHA256S} with commas between; of a product with at most {MAX_REACH:,} "
        "images. An image that is still pending has none.",
    )


class ProductsQuery(BaseModel):
    """Which products are wanted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=MAX_LISTED)] = Field(default=50, description="Products on the page.")
    after: Annotated[int, Field(ge=0, le=MAX_ID)] = Field(
        default=0, description="The last number of the page before."
    )
    q: Annotated[str, StringConstraints(max_length=MAX_QUERY)] = Field(
        default="",
        description="Words that must all stand in number or title, in any case and order. A page of what is "
        "found may have fewer products than asked for, even none, and still a next one.",
    )


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
            _NO_FIELD if fault["type"] == "extra_forbidden" else f"{fault['msg']}.",
        )
        for fault in named
    ]
    return InvalidFieldsError(faults, others=len(found) - len(named))
