"""The answers of the API as strict models: every key there, of its type, and no other."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.failure import FailureCode
from domain.image import MAX_ID

Identifier = Annotated[int, Field(ge=1, le=MAX_ID)]


class _Answer(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class UserBody(_Answer):
    """Who uploaded the picture."""

    id: int
    username: str
    full_name: str


class RenditionBody(_Answer):
    """One file that was made of a picture for the public."""

    width: Annotated[int, Field(ge=1)] = Field(description="Pixels.")
    height: Annotated[int, Field(ge=1)] = Field(description="Pixels.")
    type: Literal["JPEG", "WEBP", "AVIF"]
    f: str = Field(description="URL of the file; what it opens never changes.")
    size: Annotated[int, Field(ge=1)] = Field(description="Size of the file in bytes.")
    is_animated: bool = Field(description="Whether it moves; all others show the first frame.")


class PlaceholderBody(_Answer):
    """What to show until a picture has loaded."""

    thumbhash: str = Field(description="ThumbHash in base64: the image, blurred, in 25 bytes at most.")
    color: Annotated[str, Field(pattern="^#[0-9a-f]{6}$")] = Field(description="Its dominant colour.")


class LookBody(_Answer):
    """What was made of a picture for the public."""

    renditions: list[RenditionBody] | None = Field(
        description="Smaller files, stills first, from narrow to wide; null until they are made."
    )
    placeholder: PlaceholderBody | None = Field(description="Null until the renditions are made.")
    has_alpha: bool | None = Field(description="Whether it is transparent anywhere; null until then.")
    frames: Annotated[int, Field(ge=1)] | None = Field(
        description="More than one if it is animated; null until then."
    )


class ImageBody(LookBody):
    """A product image."""

    id: Identifier = Field(description="Unique identifier of the image.")
    type: Literal["JPEG", "PNG", "WEBP", "GIF", "AVIF"] = Field(
        description="Format, told by the content; of a form's image, until it is ready, as announced."
    )
    user: UserBody
    name: str = Field(description="Original file name, cleaned.")
    f: str = Field(description="URL that opens the image once it is ready; it changes if the type then does.")
    size: Annotated[int, Field(ge=0)] = Field(
        description="Size in bytes: of the file as it was sent, and once it is ready of the one at `f`; 0 "
        "for one that is still to be fetched."
    )
    description: str = Field(description="The alternative text.")
    width: Annotated[int, Field(ge=1)] | None = Field(description="Pixels, null until it is ready.")
    height: Annotated[int, Field(ge=1)] | None = Field(description="Pixels, null until it is ready.")
    human_readable_size: str = Field(description="Size for a person.", examples=["2.5 MB"])
    mode: str | None = Field(description="Colour mode, null until it is ready.", examples=["RGB", "CMYK"])
    created_at: AwareDatetime
    updated_at: AwareDatetime
    product_id: Identifier
    alt_text: str
    is_primary: bool = Field(description="Whether it is its product's primary image.")
    order: int = Field(description="Display order.")
    status: Literal["pending", "ready", "failed"]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = Field(
        description="SHA-256 of the file as it was sent, in hexadecimal; null until it was inspected."
    )
    error: str | None = Field(description="Why it failed and what to do, for a person; else null.")
    error_code: FailureCode | None = Field(
        description="Why it failed, for a program; else null, and if that was before codes were kept."
    )
    upload_expires_at: AwareDatetime | None = Field(
        description="Until when its upload form is good; null for a direct upload, or once it is not pending."
    )


class UploadFormBody(_Answer):
    """What to send the image to S3 with."""

    url: str = Field(description="Where to POST the form to, as multipart/form-data.")
    fields: dict[str, str] = Field(description="The form's fields; the file comes last, as `file`.")
    expires_at: AwareDatetime


class ReservedImageBody(ImageBody):
    """A pending image, and the form to send its picture with."""

    upload: UploadFormBody


class ListedImageBody(ImageBody):
    """An image in a list."""

    etag: str = Field(description="Its own ETag, for `If-Match`.")


class GalleryBody(_Answer):
    """A page of a product's gallery."""

    count: Annotated[int, Field(ge=0)] = Field(description="Images in all.")
    next: str | None = Field(description="URL of the next page.")
    previous: str | None = Field(description="URL of the page before.")
    results: list[ListedImageBody]


class ShownImageBody(LookBody):
    """What the public sees of an image."""

    id: Identifier
    product_id: Identifier
    type: Literal["JPEG", "PNG", "WEBP", "GIF", "AVIF"]
    f: str = Field(description="URL of the image in its full size.")
    size: Annotated[int, Field(ge=1)] = Field(description="Size of that file in bytes.")
    width: Annotated[int, Field(ge=1)] = Field(description="Its pixels.")
    height: Annotated[int, Field(ge=1)] = Field(description="Its pixels.")
    alt_text: str
    is_primary: bool = Field(
        description="Whether it stands for its product: it was named to, or it is the first and none was."
    )


class ShownGalleryBody(_Answer):
    """A page of what the public sees of a product."""

    count: Annotated[int, Field(ge=0)] = Field(description="Images in all.")
    next: str | None = Field(description="URL of the next page.")
    previous: str | None = Field(description="URL of the page before.")
    results: list[ShownImageBody]


class PrimaryBody(_Answer):
    """A product, and the image that stands for it."""

    product_id: Identifier
    image: ShownImageBody | None = Field(description="Null if there is no such image, or no such product.")


class PrimariesBody(_Answer):
    """One image of each of many products."""

    results: list[PrimaryBody] = Field(description="One for each product, in the order of the request.")


class ThumbnailBody(_Answer):
    """What a list of products shows of a product's primary image."""

    id: Identifier
    alt_text: str
    thumbnail: RenditionBody | None = Field(description="Its smallest file; null until there is one.")
    placeholder: PlaceholderBody | None = Field(description="What to show while that loads; null until then.")


class ProductBody(_Answer):
    """A product in a list."""

    product_id: Identifier
    title: str | None = Field(description="Null if none was given.")
    count: Annotated[int, Field(ge=0)] = Field(description="Images in all.")
    primary: ThumbnailBody | None = Field(description="Its primary image; null if it has none.")


class ProductsBody(_Answer):
    """A page of the products."""

    next: str | None = Field(description="URL of the next page.")
    results: list[ProductBody]


class FieldError(_Answer):
    """One field and what is wrong with it."""

    field: str
    message: str


class ProblemBody(_Answer):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int | None = Field(
        default=None, description="Missing in a refusal of the gateway that has no answer of its own."
    )
    detail: str = Field(description="A sentence a person can act on.")
    code: Annotated[str, Field(pattern="^[a-z_]+$")] = Field(description="Stable, for programs.")
    request_id: str
    errors: list[FieldError] | None = Field(
        default=None,
        description="The fields, for invalid_fields: twenty at most. `detail` says how many more there are.",
    )
