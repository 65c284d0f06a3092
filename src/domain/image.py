"""A product image: its identity, its formats, its life from pending to ready or failed."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, NamedTuple

from domain.failure import Failure
from domain.image_details import ImageDetails
from domain.user import User

if TYPE_CHECKING:
    # Read from records alone, so that an upload starts without it.
    from domain.rendition import Look

MAX_ID = 2**53 - 1
"""Largest identifier: every JSON client reads integers up to here exactly (RFC 8259, section 6)."""

SENDING_TIME = timedelta(hours=1)
"""How long a client may take to send what it began to send when its form was about to expire."""
FETCH_TIME = timedelta(days=1)
"""How long a picture is fetched by its address before that is given up."""
_UNIT_STEP = 1024
GALLERY_ORDER = "gallery_order"
"""What a record names as changed when the whole gallery was put into a new order."""
TOKEN_BYTES = 8
"""Random part of a picture's addresses: 64 bits, which nobody guesses (docs/security.md)."""
# `re` compiles a pattern at its first use, and keeps it: no function needs all of them.
_TOKEN = "[0-9a-f]{16}"  # noqa: S105 - the shape of tokens, none itself
_PATH = f"([1-9][0-9]{{0,15}})/([1-9][0-9]{{0,15}})-({_TOKEN})"
_INCOMING_KEY = f"incoming/{_PATH}"
_ADDRESS = rf"/media/{_PATH}(?:\.[a-z]{{3,4}})?"


class ImageStatus(StrEnum):
    """How far a picture has come. One that is being deleted is shown to nobody any more."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"
    DELETING = "deleting"


class ImageFormat(Enum):
    """A supported format; the name is Pillow's, the values are (file extension, media type)."""

    JPEG = ("jpg", "image/jpeg")
    PNG = ("png", "image/png")
    WEBP = ("webp", "image/webp")
    GIF = ("gif", "image/gif")
    AVIF = ("avif", "image/avif")

    @property
    def extension(self) -> str:
        """File extension, without the dot."""
        return self.value[0]

    @property
    def media_type(self) -> str:
        """Media type as registered with IANA."""
        return self.value[1]


# Named tuples, except for the record itself: a dataclass costs a cold start four times as much (3.6 million
# instructions instead of 0.9, by callgrind).
class ImageRef(NamedTuple):
    """Which picture it is, and where its bytes lie: its product, its own identifier, and a random token.

    The token, 16 hexadecimal digits, makes its addresses impossible to guess. The format is not part of it:
    the file that comes in decides that.
    """

    product_id: int
    image_id: int
    token: str

    @property
    def path(self) -> str:
        """What all its keys have in common, below `incoming/` and `media/`; no other picture's begin so."""
        return f"{self.product_id}/{self.image_id}-{self.token}"

    @property
    def incoming_key(self) -> str:
        """Object key of what a client sent, in the private drop box."""
        return f"incoming/{self.path}"

    @property
    def media_prefix(self) -> str:
        """What the object keys of all that is public of it begin with."""
        return f"media/{self.path}"

    def media_key(self, image_format: ImageFormat) -> str:
        """Object key of the public copy; with a slash before it, the path of its address too."""
        return f"{self.media_prefix}.{image_format.extension}"

    @property
    def addresses(self) -> str:
        """The paths of all its public addresses, as one with a wildcard at its end."""
        return f"/{self.media_prefix}*"

    @classmethod
    def from_address(cls, address: str) -> "ImageRef | None":
        """Read the path of a public copy's address, or what all addresses of a picture begin with.

        Returns None if it is neither.
        """
        return cls._from_match(re.fullmatch(_ADDRESS, address))

    @classmethod
    def from_incoming_key(cls, key: str) -> "ImageRef | None":
        """Read an object key of the drop box; None if it is not one that this service hands out."""
        return cls._from_match(re.fullmatch(_INCOMING_KEY, key))

    @classmethod
    def _from_match(cls, match: re.Match[str] | None) -> "ImageRef | None":
        if match is None:
            return None
        product_id, image_id = int(match[1]), int(match[2])
        return cls(product_id, image_id, match[3]) if max(product_id, image_id) <= MAX_ID else None


def read_token(text: str) -> str:
    """Return `text` as the token that it is.

    Raises:
        ValueError: it is none.

    """
    if re.fullmatch(_TOKEN, text) is None:
        raise ValueError("It is no token.")
    return text


class ImageFacts(NamedTuple):
    """What decoding a picture tells: width and height in pixels as a browser shows it, and Pillow's mode."""

    width_px: int
    height_px: int
    mode: str


class PublicFile(NamedTuple):
    """The public copy of a picture, as its record describes it once it is ready.

    `sha256` is that of the file as it was sent, in lower-case hexadecimal.
    """

    image_format: ImageFormat
    size_bytes: int
    sha256: str
    facts: ImageFacts


class Announcement(NamedTuple):
    """What a client said of a picture that it sends to the store itself.

    `sha256` is in lower-case hexadecimal; the store takes the bytes until `expires_at`.
    """

    sha256: str | None
    expires_at: datetime


class Fetch(NamedTuple):
    """Where a picture is to be fetched, as long as it is; `tries` were made, the next one is not before.

    Of the tries, `slow_tries` took too long.
    The address may hold what opens a door: it stands in no answer, no log and no event.
    """

    url: str
    tries: int = 0
    next_at: datetime | None = None
    slow_tries: int = 0


class UploadStamp(NamedTuple):
    """What is stored beside the bytes of an upload, so that whoever opens them need not read the record."""

    created_at: datetime
    primary_requested_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductImage:
    """The record of one picture.

    `primary_requested_at` is when the picture was asked to be the primary. Which picture is the primary, the
    product says. `facts` are there once the picture is ready, `look` once it was rendered, and `failure` once
    it has failed. `sha256`, of the file as it was sent, comes with facts or failure. `image_format` and
    `size_bytes` are those of the file as it was sent, and of the public copy once the picture is ready.
    `announcement` is there for a picture that comes by an upload form, `fetch` for one that is still to be
    fetched. `untold` names the fields whose change others have not been told of for certain; `GALLERY_ORDER`
    stands for a new order.
    """

    ref: ImageRef
    image_format: ImageFormat
    user: User
    name: str
    size_bytes: int
    details: ImageDetails
    primary_requested_at: datetime | None
    announcement: Announcement | None
    fetch: Fetch | None = None
    status: ImageStatus = ImageStatus.PENDING
    facts: ImageFacts | None = None
    look: "Look | None" = None
    failure: Failure | None = None
    sha256: str | None = None
    untold: frozenset[str] = frozenset()
    created_at: datetime
    updated_at: datetime

    @property
    def media_key(self) -> str:
        """Object key of its public copy; while it is pending, its format and so its key may change."""
        return self.ref.media_key(self.image_format)

    @property
    def made_keys(self) -> list[str]:
        """Object keys of what was made of it, as far as its record says."""
        look = self.look
        return [f"media/{look.path(self.ref, each)}" for each in look.renditions] if look else []

    @property
    def place(self) -> tuple[int, datetime, int]:
        """Where it stands in its gallery: by order, then by the time of upload, then by identifier.

        The identifier alone would not do: it is leased in blocks, so a later upload may get a lower one.
        """
        return self.details.order, self.created_at, self.ref.image_id

    @property
    def stamp(self) -> UploadStamp:
        """What is stored beside the bytes of an upload."""
        return UploadStamp(self.created_at, self.primary_requested_at)

    @property
    def upload_expires_at(self) -> datetime | None:
        """Until when a client may begin to send the bytes; None unless it has a form to send."""
        is_pending = self.status is ImageStatus.PENDING
        return self.announcement.expires_at if self.announcement and is_pending else None

    @property
    def bytes_due_at(self) -> datetime:
        """When the bytes could last have come: at once, by the form's last sending, or by a fetch."""
        if self.fetch:
            return self.created_at + FETCH_TIME
        return self.announcement.expires_at + SENDING_TIME if self.announcement else self.created_at

    @property
    def is_inspected(self) -> bool:
        """Whether the bytes have arrived and were looked into, with whatever result."""
        return self.facts is not None or self.failure is not None


class Primary(NamedTuple):
    """A product's pointer: the picture that stands for it, and when that was wished.

    `image_id` is None after the pointer was cleared; the moment stays, so that no older wish comes back.
    """

    image_id: int | None
    requested_at: datetime


class ImageSnapshot(NamedTuple):
    """A picture's record and its product's pointer, as they were read."""

    image: ProductImage
    primary: Primary | None

    @property
    def is_primary(self) -> bool:
        """Whether the picture is its product's primary."""
        return self.primary is not None and self.primary.image_id == self.image.ref.image_id

    @property
    def is_wished(self) -> bool:
        """Whether the picture is wished to be the primary, so that the pointer may still come to it."""
        return self.image.primary_requested_at is not None


def human_readable_size(size_bytes: int) -> str:
    """Write a size for a person, in steps of 1024: 812 bytes -> "812 B", 2,621,440 -> "2.5 MB"."""
    if size_bytes < _UNIT_STEP:
        return f"{size_bytes} B"
    size, unit = size_bytes / _UNIT_STEP, "KB"
    for larger in ("MB", "GB"):
        # Rounded first: 1,048,575 bytes are "1.0 MB", not "1024.0 KB".
        if round(size, 1) >= _UNIT_STEP:
            size, unit = size / _UNIT_STEP, larger
    return f"{size:.1f} {unit}"
