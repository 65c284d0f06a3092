"""What JSON bodies say: one model for each route that takes one."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from domain.errors import (
    MAX_NAMED_FAULTS,
    FieldFault,
    InvalidFieldsError,
)
from domain.image import MAX_ID
from domain.image_details import ALT_TEXT_LIMIT, ORDER_LIMIT
from domain.product_title import TITLE_LIMIT
from domain.public_address import MAX_ADDRESS
from domain.text import MAX_SHORT_BYTES, clean_short_text
from handlers.json_request import NO_SUCH_FIELD

_MAX_NAME = 16_384
"""Characters of a file name: far more than the 255 bytes that are kept of one."""
_MAX_IMAGE_IDS = 1_000
"""Identifiers in a list: far more than can be reordered at once, so that the error can name that limit."""
_UNCHANGEABLE = "Cannot be changed. Leave it out, or send it as it is."


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
                FieldFault(clean_short_text(name), _UNCHANGEABLE if name in shown else NO_SUCH_FIELD)
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
