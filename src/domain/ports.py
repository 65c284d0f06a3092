"""The roles that the use cases need played, and what each promises.

Adapters and fakes keep these promises alike; `tests/integration` runs one suite against both.
Any method may raise `UnavailableError` when its store refuses for now or cannot be reached.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from domain.image import (
    ImageFacts,
    ImageFormat,
    ImageRef,
    ProductImage,
)
from domain.image_events import ImageEventKind, ImageSummary

if TYPE_CHECKING:
    # Most functions need none of them, and start sooner without.
    from domain.api_key import ApiKey
    from domain.claim import Claim
    from domain.recipe import Recipe
    from domain.rendition import Placeholder, Rendition


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

    def send_taken_back(self, ref: ImageRef) -> None:
        """Send an event that a picture was public once more after it was deleted; otherwise as `send`."""
        ...

    def send_deleted_with_product(self, images: Sequence[ImageSummary]) -> None:
        """Send an event for each picture that is deleted with its product; otherwise as `send`."""
        ...

    def send_product_removed(self, product_id: int) -> None:
        """Send the event that a product and all its pictures are gone; otherwise as `send`."""
        ...


class PublicCache(Protocol):
    """Keeps copies of the pictures that the public has seen."""

    def forget(self, ref: ImageRef, reason: str) -> None:
        """Have all addresses of a picture forgotten within minutes.

        `reason` tells one event from another: asked for again with the same, nothing more is done.

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
