"""The outside world in memory; `tests/integration` holds these fakes to the ports' promises."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from domain.api_key import ApiKey
from domain.claim import Claim
from domain.errors import (
    NotAPictureError,
    UnavailableError,
)
from domain.failure import Failure
from domain.fetching import HostBusyError, PictureRefusedError, Turn
from domain.image import (
    ImageFacts,
    ImageFormat,
    ImageRef,
    ImageStatus,
    ProductImage,
)
from domain.image_events import ImageEventKind, ImageSummary
from domain.image_store import PublicCopy, ReceivedFile
from domain.ports import Clock, UploadForm
from domain.public_address import WebAddress, read_address
from domain.rendition import Rendition
from tests.builders import NOW

_OPEN = (ImageStatus.PENDING, ImageStatus.DELETING)


class TickingClock:
    """Is asked the time and says a second more at every answer."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def __call__(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


class InMemoryImageStore:
    """What came in and what the public sees, by object key."""

    def __init__(self) -> None:
        self._received: dict[str, ReceivedFile] = {}
        self._public: dict[str, PublicCopy] = {}

    def put(self, image: ProductImage, content: bytes) -> None:
        self._received.setdefault(image.ref.incoming_key, ReceivedFile(content, image.stamp))

    def send(self, ref: ImageRef, content: bytes) -> None:
        """Write as a client with an upload form does, over whatever lies there."""
        self._received[ref.incoming_key] = ReceivedFile(content, stamp=None)

    def received(self, ref: ImageRef) -> ReceivedFile | None:
        return self._received.get(ref.incoming_key)

    def publish(self, ref: ImageRef, copy: PublicCopy) -> PublicCopy:
        return self._public.setdefault(ref.media_key(copy.image_format), copy)

    def public_copy(self, ref: ImageRef) -> PublicCopy | None:
        return next((self._public[key] for key in self.public_keys(ref)), None)

    def shown(self, image: ProductImage) -> PublicCopy | None:
        return self._public.get(image.media_key)

    def add_rendition(self, ref: ImageRef, recipe: str, rendition: Rendition, content: bytes) -> Rendition:
        key = f"media/{rendition.path(ref, recipe)}"
        there = self._public.setdefault(key, PublicCopy(content, rendition.image_format, ""))
        return rendition._replace(size_bytes=len(there.content))

    def public_keys(self, ref: ImageRef) -> list[str]:
        """Return the keys of all that the public sees of a picture."""
        return sorted(key for key in self._public if key.startswith(ref.media_prefix))

    def public(self, ref: ImageRef) -> bytes | None:
        """Return what the public sees."""
        copy = self.public_copy(ref)
        return copy.content if copy else None

    def content(self, ref: ImageRef) -> bytes | None:
        """Return what came in."""
        received = self.received(ref)
        return received.content if received else None

    def has_all_made(self, image: ProductImage) -> bool:
        return set(image.made_keys) <= self._public.keys()

    def is_public(self, ref: ImageRef) -> bool:
        return bool(self.public_keys(ref))

    def is_there(self, ref: ImageRef) -> bool:
        return self.received(ref) is not None or self.public_copy(ref) is not None

    def discard_received(self, ref: ImageRef) -> None:
        self._received.pop(ref.incoming_key, None)

    def unpublish(self, ref: ImageRef, keep: ImageFormat | None = None) -> None:
        kept = ref.media_key(keep) if keep else None
        for key in self.public_keys(ref):
            if key != kept:
                del self._public[key]

    def keys_below(self, prefix: str) -> list[str]:
        """Return up to a thousand keys that begin so."""
        return [key for key in sorted({*self._received, *self._public}) if key.startswith(prefix)][:1_000]

    def delete_keys(self, keys: Iterable[str]) -> None:
        """Delete what lies at these keys."""
        for key in keys:
            self._received.pop(key, None)
            self._public.pop(key, None)

    def delete(self, image: ProductImage) -> None:
        self.discard_received(image.ref)
        if image.look and image.look.is_only:
            # By the names in the record, as the real one.
            self.delete_keys([image.media_key, *image.made_keys])
        else:
            self.unpublish(image.ref)


class InMemoryImageEvents:
    """What was sent: kind and identifier, of a gallery that of its product, in the order of sending.

    `changed` has the fields of each change that was told. Nothing can be sent while `is_down`.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[str, int]] = []
        self.changed: list[list[str]] = []
        self.is_down = False

    def send(self, kind: ImageEventKind, image: ImageSummary) -> None:
        self._send(kind.value, image.ref.image_id)

    def send_changed(self, image: ImageSummary, fields: Sequence[str]) -> None:
        self._send("ImageChanged", image.ref.image_id)
        self.changed.append(list(fields))

    def send_reordered(self, product_id: int) -> None:
        self._send("GalleryReordered", product_id)

    def send_taken_back(self, ref: ImageRef) -> None:
        self._send("ImageTakenBack", ref.image_id)

    def send_deleted_with_product(self, images: Sequence[ImageSummary]) -> None:
        for image in images:
            self.send(ImageEventKind.DELETED, image)

    def send_product_removed(self, product_id: int) -> None:
        self._send("ProductRemoved", product_id)

    def _send(self, kind: str, identifier: int) -> None:
        if self.is_down:
            raise UnavailableError
        self.sent.append((kind, identifier))


class InMemoryPublicCache:
    """What was forgotten and why, in the order of asking; it takes nothing while `is_full`."""

    def __init__(self) -> None:
        self.forgotten: list[tuple[ImageRef | int, str]] = []
        self.is_full = False

    def forget(self, ref: ImageRef, reason: str) -> None:
        self._forget(ref, reason)

    def forget_product(self, product_id: int, removal: str) -> None:
        self._forget(product_id, removal)

    def _forget(self, what: ImageRef | int, reason: str) -> None:
        if self.is_full:
            raise UnavailableError
        if (what, reason) not in self.forgotten:
            self.forgotten.append((what, reason))


class InMemoryInspections:
    """Which pictures are to be inspected."""

    def __init__(self) -> None:
        self.requested: list[ImageRef] = []

    def request(self, ref: ImageRef) -> None:
        self.requested.append(ref)


class InMemoryRenderings:
    """Which pictures are to be rendered."""

    def __init__(self) -> None:
        self.requested: list[ImageRef] = []

    def request(self, image: ProductImage) -> None:
        self.requested.append(image.ref)


class InMemoryFetchQueue:
    """Which pictures are to be fetched."""

    def __init__(self) -> None:
        self.requested: list[ImageRef] = []

    def request(self, ref: ImageRef) -> None:
        self.requested.append(ref)


class InMemoryHostTurns:
    """Lanes in a dictionary: who has each, how long its last fetch took, and the end of its queue."""

    def __init__(self, lanes: int = 1, clock: Clock = lambda: NOW) -> None:
        self._lanes = lanes
        self._clock = clock
        self._taken_until: dict[tuple[str, int], datetime] = {}
        self._queue_until: dict[tuple[str, int], datetime] = {}
        self._step: dict[tuple[str, int], timedelta] = {}

    def enter(self, host: str, number: int) -> Turn:
        lane, now = (host, number % self._lanes), self._clock()
        if self._taken_until.get(lane, now) > now:
            start = max(self._queue_until.get(lane, now), now)
            self._queue_until[lane] = start + self._step.get(lane, timedelta(seconds=1))
            raise HostBusyError(self._queue_until[lane])
        self._taken_until[lane] = now + timedelta(seconds=60)
        return Turn(*lane, now, self._taken_until[lane])

    def leave(self, turn: Turn, requests: int) -> None:
        lane = (turn.host, turn.lane)
        if self._taken_until.get(lane) == turn.until:
            free_at = max(self._clock(), turn.entered_at + timedelta(seconds=requests))
            self._taken_until[lane], self._step[lane] = free_at, free_at - turn.entered_at


class InMemoryPictureSource:
    """What lies at addresses: bytes, another address, or an error; any other is not there."""

    def __init__(self, **pages: bytes | str | Exception) -> None:
        self.pages: dict[str, bytes | str | Exception] = {
            f"https://shop.example/{name}": page for name, page in pages.items()
        }
        self.asked: list[str] = []

    def fetch(self, address: WebAddress, enter: Callable[[str], None]) -> bytes:
        enter(address.host)
        self.asked.append(address.url)
        page = self.pages.get(address.url, PictureRefusedError("The server answered 404 (Not Found)."))
        if isinstance(page, Exception):
            raise page
        return self.fetch(read_address(page), enter) if isinstance(page, str) else page


class InMemoryQuotas:
    """Counts by key and day, and the last step of each."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, date]] = Counter()
        self._last: dict[tuple[str, date], tuple[str, int]] = {}

    def take(self, key_id: str, day: date, limit: int, token: str) -> bool:
        place, step = (key_id, day), (token, 1)
        return self._step(place, step) if self.counts[place] < limit else self._is_last(place, step)

    def give_back(self, key_id: str, day: date, token: str) -> None:
        if self.counts[key_id, day] > 0:
            self._step((key_id, day), (token, -1))

    def _step(self, place: tuple[str, date], step: tuple[str, int]) -> bool:
        if not self._is_last(place, step):
            self.counts[place] += step[1]
            self._last[place] = step
        return True

    def _is_last(self, place: tuple[str, date], step: tuple[str, int]) -> bool:
        return self._last.get(place) == step


class InMemoryIdempotencyKeys:
    """Claims in a dictionary by key."""

    def __init__(self) -> None:
        self.claims: dict[str, Claim] = {}

    def claim(self, key: str, claim: Claim, over: Claim | None = None) -> Claim | None:
        present = self.claims.get(key)
        if present is not None and present.token not in {claim.token, over and over.token}:
            return present
        self.claims[key] = claim
        return None

    def keep(self, key: str, token: str, answer: Mapping[str, Any]) -> None:
        self._change(key, token, answer=json.loads(json.dumps(answer)))

    def let_go(self, key: str, token: str, *, is_counted: bool) -> None:
        self._change(key, token, held_until=None, is_counted=is_counted)

    def forget(self, key: str, token: str) -> None:
        if self._is_there(key, token):
            del self.claims[key]

    def _change(self, key: str, token: str, **changes: Any) -> None:  # noqa: ANN401 - any field of a claim
        if self._is_there(key, token):
            self.claims[key] = self.claims[key]._replace(**changes)

    def _is_there(self, key: str, token: str) -> bool:
        return key in self.claims and self.claims[key].token == token


class InMemoryUploadForms:
    """Issues forms that say what they would be signed for."""

    def issue(self, ref: ImageRef, size_bytes: int, expires_at: datetime) -> UploadForm:
        fields = {"key": ref.incoming_key, "size": str(size_bytes)}
        return UploadForm("https://bucket.example/", fields, expires_at)


class InMemoryImageInspector:
    """Knows the facts of the contents it was told of; any other is no picture."""

    def __init__(self, facts: Mapping[bytes, ImageFacts]) -> None:
        self._facts = facts

    def inspect(self, content: bytes, image_format: ImageFormat) -> ImageFacts:
        if content not in self._facts:
            raise NotAPictureError(Failure("corrupt", f"The file is not a {image_format.name} picture."))
        return self._facts[content]


class InMemoryApiKeys:
    """Records in a dictionary by hash."""

    def __init__(self) -> None:
        self._keys: dict[str, ApiKey] = {}

    def find(self, key_hash: str) -> ApiKey | None:
        return self._keys.get(key_hash)

    def add(self, key_hash: str, key: ApiKey) -> None:
        self._keys[key_hash] = key

    def all(self) -> Iterable[ApiKey]:
        return list(self._keys.values())

    def revoke(self, key_id: str, by: str, at: datetime) -> ApiKey | None:
        for key_hash, key in self._keys.items():
            if key.id == key_id:
                self._keys[key_hash] = replace(
                    key,
                    is_active=False,
                    revoked_by=key.revoked_by or by,
                    revoked_at=key.revoked_at or at,
                )
                return self._keys[key_hash]
        return None
