"""The role of what keeps the records of pictures, and what it promises; see `domain.ports`."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from domain.failure import Failure
from domain.image import (
    Fetch,
    ImageRef,
    ImageSnapshot,
    ImageStatus,
    ProductImage,
    PublicFile,
)

if TYPE_CHECKING:
    # Most functions need none of them, and start sooner without.
    from domain.gallery import Gallery, Page
    from domain.rendition import Look


class ImageCatalog(Protocol):
    """Keeps the records of pictures, and which one is a product's primary."""

    def open_images(self, before: datetime) -> Iterator[tuple[int, int]]:
        """Yield product and identifier of pictures that have been open since before this moment.

        Open is what is pending or being deleted, and what is ready while no files are made of it. What
        changed a moment ago may still be shown as it was.
        """
        ...

    def postpone(self, ref: ImageRef, at: datetime, status: ImageStatus = ImageStatus.PENDING) -> bool:
        """Let a picture in this status count as open only since `at`; False if there is none that is open.

        It is then listed behind those that were open before `at`. A list of what was open before a later
        moment still has it.
        """
        ...

    def put_off(self, ref: ImageRef, fetch: Fetch, at: datetime) -> bool:
        """Note how far the fetch of a pending picture has come, and let it count as open only since `at`.

        Returns False, and changes nothing, if it is no longer pending.
        """
        ...

    def reserve(self, image: ProductImage) -> None:
        """Add the record of a new picture and count it, in one step. The very same again changes nothing.

        Raises:
            ImageIdTakenError: another record has this identifier.
            ProductNotFoundError: there is no such product.

        """
        ...

    def withdraw(self, ref: ImageRef, at: datetime) -> ProductImage | None:
        """Mark a pending record as being deleted and count it no more, in one step.

        Returns None if it is being deleted now, or was already; one that is ready or failed already stays as
        it is, and is returned.

        Raises:
            ImageRecordMissingError: there is no such record, or no such product.
            ImageRecordDamagedError: the one that stays as it is cannot be read.

        """
        ...

    def begin_removal(self, seen: ImageSnapshot, at: datetime) -> bool:
        """Mark a record as being deleted, count it no more, and clear the pointer if it stands there.

        All in one step, of a record that is not being deleted yet. Returns False, and changes nothing, if
        the record is no longer as it was seen, or if the pointer has come to it or left it meanwhile.
        """
        ...

    def finish_removal(self, ref: ImageRef) -> None:
        """Remove a record that is being deleted; any other is left alone."""
        ...

    def get(self, product_id: int, image_id: int) -> ProductImage | None:
        """Return the record as of now, or None.

        Raises:
            ImageRecordDamagedError: it cannot be read.

        """
        ...

    def look_up(self, product_id: int, image_id: int) -> ImageSnapshot:
        """Return the record and its product's pointer as of now; also one that is being deleted.

        Raises:
            ProductNotFoundError, ImageNotFoundError: one of them is not there.
            ImageRecordDamagedError: the record cannot be read.

        """
        ...

    def page(
        self,
        product_id: int,
        limit: int,
        offset: int,
        status: ImageStatus | None = None,
        sha256s: Collection[str] = (),
    ) -> "Page":
        """Return up to `limit` pictures of a product behind the first `offset` ones, as of now.

        With a `status`, those in it alone are shown and counted; with `sha256s`, some dozens at most, those
        whose file had one of them. Goes through what stands before the page too, but little behind it; with
        either, through the whole gallery. Keeps the page alone. While a new order is being written, it may
        show a picture twice or not at all. A damaged record takes a place on its page, and no more.

        Raises:
            ProductNotFoundError: there is no such product.

        """
        ...

    def gallery(self, product_id: int, limit: int) -> "Gallery":
        """Return the pictures of a product as of now, without those whose record is damaged.

        Of more than `limit`, damaged ones among them, returns some `limit`.

        Raises:
            ProductNotFoundError: there is no such product.

        """
        ...

    def change(self, seen: ImageSnapshot, changed: ImageSnapshot) -> bool:
        """Write the details, the wish to be the primary and the pointer, in one step.

        What it leaves untold makes the record an open one, until `mark_told`. Returns False, and changes
        nothing, if the record or a pointer that is to change is no longer as it was seen, or if the pointer
        has come meanwhile to a picture whose wish is taken back.
        """
        ...

    def reorder(self, seen: Sequence[ProductImage], changed: Sequence[ProductImage]) -> bool:
        """Write the order of up to 99 pictures of one product, all or nothing.

        What it leaves untold is open as with `change`. Returns False, and changes nothing, if one of them is
        no longer as it was seen.
        """
        ...

    def mark_told(self, image: ProductImage) -> None:
        """Note that others were told all that is untold, if the record is as it was then."""
        ...

    def mark_ready(self, ref: ImageRef, file: PublicFile, at: datetime) -> ProductImage:
        """Turn a pending record ready. One that is no longer pending stays as it is.

        Returns the record as it now stands.

        Raises:
            ImageRecordMissingError: there is no such record, or its token is another one.
            ImageRecordDamagedError: it stands as it should now, but cannot be read.

        """
        ...

    def mark_primary_ready(
        self, ref: ImageRef, file: PublicFile, at: datetime, *, requested_at: datetime
    ) -> bool:
        """Turn a pending record ready at `at` and point the product at it, in one step.

        Returns False, and changes nothing, if the record is not pending or not wished to be the primary since
        `requested_at`, if it or the product is gone, or if a later wish was there first.
        """
        ...

    def mark_rendered(self, ref: ImageRef, look: "Look", at: datetime) -> bool:
        """Write what was made of a picture for the public, over what an earlier recipe made.

        Returns False, and changes nothing, if there is no such record, or if it is not ready, or no longer.
        The very same again changes nothing, `updated_at` neither.
        """
        ...

    def note_recipe(self, ref: ImageRef, recipe: str, earlier: str, at: datetime) -> bool:
        """Note that there may be files by this recipe from now on, beside those by an earlier one.

        Then the look of the picture is not the only one, whatever becomes of the files. Returns False, and
        changes nothing, if there is no such record, or if it is not ready, or no longer. Where several were
        noted, it changes nothing.
        """
        ...

    def leave_unrendered(self, ref: ImageRef) -> None:
        """Let a ready picture of which no files can be made count as open no longer."""
        ...

    def mark_failed(self, ref: ImageRef, failure: Failure, sha256: str | None, at: datetime) -> ProductImage:
        """Turn a pending record failed; otherwise as `mark_ready`.

        The SHA-256 is that of what was sent, None if nothing came. Neither a ready nor a failed record says
        any more where the picture was to be fetched.
        """
        ...

    def move_primary(self, image: ProductImage) -> bool:
        """Point the product at this picture, unless a later wish was there first or this one is gone.

        Returns whether the pointer now shows this picture. A product that is gone is left alone, and so
        is one whose picture is no longer ready or no longer wished to be the primary.
        """
        ...
