"""Reads JSON bodies and query strings into models, and says of each field what is wrong with it."""

import base64
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from domain.errors import FieldFault, InvalidFieldsError, InvalidRequestError
from domain.image import MAX_ID
from domain.image_details import ORDER_LIMIT
from domain.list_images import MAX_PAGE_SIZE
from domain.text import MAX_TEXT_BYTES, clean_text
from handlers.http_function import Request

_MAX_TEXT = 16_384
"""Characters of a text: far more than the 255 bytes that are kept of one."""
_MAX_IMAGE_IDS = 10_000
"""Identifiers in a list: far more than can be reordered at once, so that the error can name that limit."""
_NO_JSON = "The body is no JSON. Let a JSON library write it."


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
Text = Annotated[str, StringConstraints(max_length=_MAX_TEXT)]
Order = Annotated[int, Field(ge=-ORDER_LIMIT, le=ORDER_LIMIT - 1), _WHOLE]


def _lower_case(value: object) -> object:
    # Media types are case-insensitive (RFC 9110, 8.3.1).
    return value.strip().lower() if isinstance(value, str) else value


MediaType = Annotated[
    Literal["image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"], BeforeValidator(_lower_case)
]
Identifier = Annotated[int, Field(ge=1, le=MAX_ID), _WHOLE]


class _Body(BaseModel):
    """JSON has types: a number is no text, and an unknown field is a mistake."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class DetailsBody(_Body):
    """What staff may say of a picture in any request: `ImageDetails`, not cleaned yet."""

    alt_text: Text = Field(
        default="", description=f"Alternative text; {MAX_TEXT_BYTES} bytes of it are kept."
    )
    order: Order = Field(default=0, description="Display order.")

    def details(self) -> dict[str, Any]:
        """Return what was sent of them, by name."""
        return self.model_dump(include=self.model_fields_set & DetailsBody.model_fields.keys())


class ChangeBody(DetailsBody):
    """What is to be changed of a picture; fields that are not sent stay as they are."""

    is_primary: bool = Field(default=False, description="Whether it is the product's primary image.")


class OrderBody(_Body):
    """The whole new order of a product's gallery."""

    image_ids: Annotated[list[Identifier], Field(max_length=_MAX_IMAGE_IDS)] = Field(
        description="Every image of the product, once, in its new order."
    )


class AnnounceBody(DetailsBody):
    """What a client says of a picture that it will send with an upload form."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=_MAX_TEXT)] = Field(
        description=f"File name; {MAX_TEXT_BYTES} bytes of it are kept."
    )
    size: Annotated[int, Field(ge=1, le=MAX_ID), _WHOLE] = Field(description="Size of the file in bytes.")
    content_type: MediaType | None = Field(
        default=None, description="Media type of the file; needed if the file name has no known extension."
    )
    is_primary: bool = Field(default=False, description="Make it the product's primary image.")
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]{64}$")] | None = Field(
        default=None, description="SHA-256 of the file in hexadecimal; other bytes will not be accepted."
    )


class PageQuery(BaseModel):
    """Which part of a gallery is wanted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE)] = Field(
        default=10, description="Images on the page."
    )
    offset: Annotated[int, Field(ge=0, le=MAX_ID)] = Field(default=0, description="Images before the page.")
    status: Literal["pending", "ready", "failed"] | None = Field(
        default=None, description="Count and show only images in this status."
    )


def read_json[M: BaseModel](request: Request, model: type[M]) -> M:
    """Read the body into `model`.

    Raises:
        NotJsonError, MalformedJsonError: the body is not JSON.
        InvalidFieldsError: with every field that breaks a rule, unknown ones among them.

    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise NotJsonError("Send the body as JSON, with the header Content-Type: application/json.")
    try:
        body = base64.b64decode(request.body, validate=True) if request.is_base64 else request.body
        return model.model_validate_json(body)
    except ValidationError as error:
        if any(fault["type"] == "json_invalid" for fault in error.errors()):
            raise MalformedJsonError(_NO_JSON) from None
        raise _invalid_fields(error) from None
    except ValueError:
        # No base64, or text that no UTF-8 can carry.
        raise MalformedJsonError(_NO_JSON) from None


def read_query[M: BaseModel](request: Request, model: type[M]) -> M:
    """Read the query string into `model`.

    Raises:
        InvalidFieldsError: with every parameter that breaks a rule, unknown ones among them.

    """
    try:
        return model.model_validate(dict(request.query))
    except ValidationError as error:
        raise _invalid_fields(error) from None


def _invalid_fields(error: ValidationError) -> InvalidFieldsError:
    # What the client sent is left out; of unknown fields only the name is told.
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return InvalidFieldsError(
        tuple(
            FieldFault(
                clean_text(".".join(map(str, fault["loc"]))) or "body",
                "There is no such field." if fault["type"] == "extra_forbidden" else f"{fault['msg']}.",
            )
            for fault in faults
        )
    )
