"""What others are told of pictures; docs/events.md has the schema."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Self

from domain.failure import Failure
from domain.image import ImageFacts, ImageFormat, ImageRef, ImageStatus, ProductImage

if TYPE_CHECKING:
    # As `domain.image`.
    from domain.rendition import Look


class ImageEventKind(StrEnum):
    """What became of a picture; the values are EventBridge's detail types."""

    READY = "ImageReady"
    RENDERED = "ImageRendered"
    FAILED = "ImageFailed"
    DELETED = "ImageDeleted"


class ImageSummary(NamedTuple):
    """What of a picture is told.

    `facts` are there once it is ready, `look` once files are made of it, `failure` once it has failed.
    """

    ref: ImageRef
    image_format: ImageFormat
    size_bytes: int
    status: ImageStatus
    facts: ImageFacts | None
    failure: Failure | None
    created_at: datetime
    updated_at: datetime
    look: "Look | None" = None

    @classmethod
    def of(cls, image: ProductImage) -> Self:
        """Return what its record says."""
        return cls(
            ref=image.ref,
            image_format=image.image_format,
            size_bytes=image.size_bytes,
            status=image.status,
            facts=image.facts,
            failure=image.failure,
            created_at=image.created_at,
            updated_at=image.updated_at,
            look=image.look,
        )
