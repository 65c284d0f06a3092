"""The roles that the use cases need played, and what each promises.

Adapters and fakes keep these promises alike; `tests/integration` runs one suite against both.
Any method may raise `UnavailableError` when its store refuses for now or cannot be reached.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from domain.failure import Failure
from domain.image import (
    Fetch,
    ImageFacts,
    ImageFormat,
    ImageRef,
    ImageSnapshot,
    ImageStatus,
    ProductImage,
    PublicFile,
    UploadStamp,
)
from domain.image_events import ImageEventKind, ImageSummary

if TYPE_CHECKING:
    # Most functions need none of them, and start sooner without.
    from domain.api_key import ApiKey
    from domain.claim import Claim
    from domain.gallery import Gallery, Page
    from domain.recipe import Recipe
    from domain.rendition import Look, Placeholder, Rendition


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


class ReceivedFile(NamedTuple):
    """What came in for a picture; `stamp` is there if the upload function wrote it.

    What has none was sent with a form, which a client may use more than once, or put there by hand.
    """

    content: bytes
    stamp: UploadStamp | None


class PublicCopy(NamedTuple):
    """What the public sees of a picture, and the SHA-256 of the file that it was made of, in hexadecimal."""

    content: bytes
    image_format: ImageFormat
    sha256: str


class ImageStore(Protocol):
    """Keeps the bytes of pictures: what came in, which nobody sees, and the copies that the public sees."""

    def put(self, image: ProductImage, content: bytes) -> None:
        """Write what came in with an upload, with the record's stamp, unless an earlier try has.

        Raises:
            BytesRefusedError: certainly nothing was written.
            UnavailableError: the outcome is unknown; the bytes may be there.

        """
        ...

    def received(self, ref: ImageRef) -> ReceivedFile | None:
        """Return what came in last, or None if nothing lies there."""
        ...

    def publish(self, ref: ImageRef, copy: PublicCopy) -> PublicCopy:
        """Let the public see a copy, and return what it sees: if there was one in this format, that one.

        Raises:
            UnavailableError: it may not have been written; try again.

        """
        ...

    def public_copy(self, ref: ImageRef) -> PublicCopy | None:
        """Return what the public sees, in whatever format, or None."""
        ...

    def shown(self, image: ProductImage) -> PublicCopy | None:
        """Return the public copy of a picture that is ready, or None."""
        ...

    def add_rendition(
        self, ref: ImageRef, recipe: str, rendition: "Rendition", content: bytes
    ) -> "Rendition":
        """Let the public see a file that was made of a picture, and return what it sees: the first one.

        Raises:
            UnavailableError: it may not have been written; try again.

        """
        ...

    def has_all_made(self, image: ProductImage) -> bool:
        """Tell whether all is there that was made of a picture, as its record says."""
        ...

    def is_there(self, ref: ImageRef) -> bool:
        """Tell whether anything came in, or the public sees anything."""
        ...

    def discard_received(self, ref: ImageRef) -> None:
        """Remove what came in. That it cannot be removed is no error: it goes by itself some days later."""
        ...

    def unpublish(self, ref: ImageRef, keep: ImageFormat | None = None) -> None:
        """Let the public see nothing of the picture, or nothing but the copy in one format.

        What was made of a copy that is kept stays too.
        """
        ...

    def delete(self, image: ProductImage) -> None:
        """Remove what came in, the public copy and all that was made of it; what is not there is no error."""
        ...


class UploadForm(NamedTuple):
    """What a client sends a picture to the store with: `fields` first, the file last, to `url`."""

    url: str
    fields: Mapping[str, str]
    expires_at: datetime


class UploadForms(Protocol):
    """Issues forms with which a client sends a picture to the store itself."""

    def issue(self, ref: ImageRef, size_bytes: int, expires_at: datetime) -> UploadForm:
        """Return a form for this one picture, of exactly `size_bytes` bytes, good until this whole second."""
        ...


class ImageInspector(Protocol):
    """Looks into pictures."""

    def inspect(self, content: bytes, image_format: ImageFormat) -> ImageFacts:
        """Decode the picture and return its facts as browsers show it.

        Raises:
            NotAPictureError: it does not decode, or is too large to; its failure says why.

        """
        ...


class Rendered(NamedTuple):
    """What was made of a picture, in the order of `domain.rendition.Look`, each file with its bytes."""

    files: "tuple[tuple[Rendition, bytes], ...]"
    placeholder: "Placeholder"
    has_alpha: bool
    frames: int


class ImageRenderer(Protocol):
    """Makes the files that a storefront shows."""

    def render(self, content: bytes, image_format: ImageFormat, recipe: "Recipe") -> Rendered:
        """Make all files of a recipe: upright, in sRGB, with nothing but pixels in them.

        Raises:
            NotRenderableError: it cannot be done; the error says why.

        """
        ...


class ImageEvents(Protocol):
    """Tells others what became of pictures."""

    def send(self, kind: ImageEventKind, image: ImageSummary) -> None:
        """Send an event. It may arrive more than once, and in any order with others.

        Raises:
            UnavailableError: it may not have been sent; send it again.

        """
        ...

    def send_changed(self, image: ImageSummary, fields: Sequence[str]) -> None:
        """Send an event of a change of these fields; otherwise as `send`."""
        ...

    def send_reordered(self, product_id: int) -> None:
        """Send an event of a gallery's new order; otherwise as `send`."""
        ...

    def send_deleted_with_product(self, images: Sequence[ImageSummary]) -> None:
        """Send an event for each picture that is deleted with its product; otherwise as `send`."""
        ...

    def send_product_removed(self, product_id: int) -> None:
        """Send the event that a product and all its pictures are gone; otherwise as `send`."""
        ...


class PublicCache(Protocol):
    """Keeps copies of the pictures that the public has seen."""

    def forget(self, ref: ImageRef) -> None:
        """Have all addresses of a picture forgotten within minutes; asked for again, nothing more is done.

        Raises:
            UnavailableError: it takes no more for now; try again.

        """
        ...

    def forget_product(self, product_id: int, removal: str) -> None:
        """Have all addresses of a product's pictures forgotten; otherwise as `forget`.

        A product can be there again, and be removed again: `removal` tells one removal from another.
        """
        ...


class Inspections(Protocol):
    """Has pictures inspected."""

    def request(self, ref: ImageRef) -> None:
        """Have the picture inspected soon, as if its bytes had just arrived."""
        ...


class Renderings(Protocol):
    """Has files made of pictures."""

    def request(self, image: ProductImage) -> None:
        """Have a ready picture rendered soon, as if it had just become ready."""
        ...


class Quotas(Protocol):
    """Counts what API keys do in a day. Each step has a token, so that a step that is repeated counts once.

    The token of the last step alone is known.
    """

    def take(self, key_id: str, day: date, limit: int, token: str) -> bool:
        """Count one more for this key on this day, unless there are `limit`; tell whether it was counted.

        Raises:
            UnavailableError: it was not counted, or that is not certain.

        """
        ...

    def give_back(self, key_id: str, day: date, token: str) -> None:
        """Count one less for this key on this day, of what was counted with this token."""
        ...


class IdempotencyKeys(Protocol):
    """Keeps the claims on idempotency keys, and forgets them after a while."""

    def claim(self, key: str, claim: "Claim", over: "Claim | None" = None) -> "Claim | None":
        """Write a claim where there is none, or over the one that was found there.

        Returns None if it is written, or was by an earlier try of this call; else the claim that is there.
        """
        ...

    def keep(self, key: str, token: str, answer: Mapping[str, Any]) -> None:
        """Keep what its request was answered in the claim with this token; any other is left alone."""
        ...

    def let_go(self, key: str, token: str, *, is_counted: bool) -> None:
        """Hold the claim with this token no longer; any other is left alone."""
        ...

    def forget(self, key: str, token: str) -> None:
        """Remove the claim with this token; any other is left alone."""
        ...


class ApiKeys(Protocol):
    """Keeps the records of API keys by the SHA-256 of the key; the key itself is never kept."""

    def find(self, key_hash: str) -> "ApiKey | None":
        """Return the record as of now, or None."""
        ...

    def add(self, key_hash: str, key: "ApiKey") -> None:
        """Add a record."""
        ...

    def all(self) -> "Iterable[ApiKey]":
        """Return every record, in no particular order."""
        ...

    def revoke(self, key_id: str, by: str, at: datetime) -> "ApiKey | None":
        """Mark the key with this `id` inactive, and note who did so and when; return its record.

        Returns None if there is none. Of a key that is revoked twice the first time is kept.
        """
        ...
