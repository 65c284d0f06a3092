"""The roles that the use cases need played, and what each promises.

Adapters and fakes keep these promises alike; `tests/integration` runs one suite against both.
Any method may raise `UnavailableError` when its store refuses for now or cannot be reached.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from domain.api_key import ApiKey
from domain.image import ImageFacts, ImageFormat, ImageRef, ProductImage


class Clock(Protocol):
    """Tells the time."""

    def __call__(self) -> datetime:
        """Return now, in UTC."""
        ...


class ImageIds(Protocol):
    """Hands out identifiers for pictures."""

    def next_id(self) -> int:
        """Return an identifier that was never handed out before, from 1 up to `MAX_ID`."""
        ...


class IdBlocks(Protocol):
    """Leases runs of identifiers, so that handing out one costs no call."""

    def lease(self, size: int) -> int:
        """Return the first of `size` consecutive identifiers that are now the caller's alone."""
        ...


class ImageCatalog(Protocol):
    """Keeps the records of pictures, and which one is a product's primary."""

    def product_exists(self, product_id: int) -> bool:
        """Tell whether the product is in the catalogue."""
        ...

    def reserve(self, image: ProductImage) -> None:
        """Add the record of a new picture. Adding the very same record again changes nothing.

        Raises:
            ImageIdTakenError: another record has this identifier.

        """
        ...

    def begin_removal(self, ref: ImageRef) -> ProductImage:
        """Mark a pending record as being deleted. One that is ready or failed already stays as it is.

        Returns the record as it now stands.

        Raises:
            ImageRecordMissingError: there is no such record.

        """
        ...

    def finish_removal(self, ref: ImageRef) -> None:
        """Remove a record that is being deleted; any other is left alone."""
        ...

    def get(self, product_id: int, image_id: int) -> ProductImage | None:
        """Return the record as of now, or None."""
        ...

    def mark_ready(self, ref: ImageRef, facts: ImageFacts, at: datetime) -> ProductImage:
        """Turn a pending record ready. One that is no longer pending stays as it is.

        Returns the record as it now stands.

        Raises:
            ImageRecordMissingError: there is no such record.

        """
        ...

    def mark_failed(self, ref: ImageRef, reason: str, at: datetime) -> ProductImage:
        """Turn a pending record failed; otherwise as `mark_ready`."""
        ...

    def move_primary(self, image: ProductImage) -> bool:
        """Point the product at this picture unless a later upload was there first.

        Returns whether the pointer now shows this picture. A product that is gone is left alone.
        """
        ...

    def primary_image_id(self, product_id: int) -> int | None:
        """Return the identifier of the product's primary picture, or None."""
        ...


class ImageStore(Protocol):
    """Keeps the bytes of pictures; once written they never change."""

    def put(self, ref: ImageRef, content: bytes) -> None:
        """Write the bytes. Writing the very same bytes again changes nothing.

        Raises:
            BytesRefusedError: certainly nothing was written; other bytes that lie there are untouched.
            UnavailableError: the outcome is unknown; the bytes may be there.

        """
        ...

    def get(self, ref: ImageRef) -> bytes | None:
        """Return the bytes, or None if there are none."""
        ...

    def delete(self, ref: ImageRef) -> None:
        """Remove the bytes; removing what is not there is no error."""
        ...


class ImageInspector(Protocol):
    """Looks into pictures."""

    def inspect(self, content: bytes, image_format: ImageFormat) -> ImageFacts:
        """Decode the picture and return its facts, EXIF orientation applied.

        Raises:
            NotAPictureError: it does not decode, or is too large to; the message says why.

        """
        ...


class ApiKeys(Protocol):
    """Keeps the records of API keys by the SHA-256 of the key; the key itself is never kept."""

    def find(self, key_hash: str) -> ApiKey | None:
        """Return the record as of now, or None."""
        ...

    def add(self, key_hash: str, key: ApiKey) -> None:
        """Add a record."""
        ...

    def all(self) -> Iterable[ApiKey]:
        """Return every record, in no particular order."""
        ...

    def revoke(self, key_id: str) -> ApiKey | None:
        """Mark the key with this `id` inactive; return its record, or None if there is none."""
        ...


class Products(Protocol):
    """Keeps the list of products that may have pictures."""

    def add(self, product_id: int) -> bool:
        """Add a product; return whether it is new. An existing one is untouched."""
        ...

    def remove(self, product_id: int) -> bool:
        """Remove a product; return whether it was there.

        Raises:
            ProductHasImagesError: it still has pictures.

        """
        ...
