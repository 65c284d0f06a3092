"""What query strings say: one model for each route that takes one."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from domain.image import MAX_ID
from domain.list_images import MAX_PAGE_SIZE, MAX_REACH, MAX_SHA256S
from domain.list_products import MAX_LISTED, MAX_QUERY
from domain.storefront import MAX_PRODUCTS


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
