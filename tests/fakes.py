"""The outside world in memory; `tests/integration` holds these fakes to the ports' promises."""

import itertools
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from domain.api_key import ApiKey
from domain.claim import Claim
from domain.daily_quota import DailyQuota
from domain.errors import (
    ImageIdTakenError,
    ImageNotFoundError,
    ImageRecordDamagedError,
    ImageRecordMissingError,
    NotAPictureError,
    ProductBeingRemovedError,
    ProductHasImagesError,
    ProductNotFoundError,
    UnavailableError,
)
from domain.failure import Failure
from domain.fetching import FetchQueue, HostBusyError, PictureRefusedError, Turn
from domain.gallery import Gallery, Page
from domain.image import (
    Fetch,
    ImageFacts,
    ImageFormat,
    ImageRef,
    ImageSnapshot,
    ImageStatus,
    Primary,
    ProductImage,
    PublicFile,
)
from domain.image_events import ImageEventKind, ImageSummary
from domain.image_store import PublicCopy, ReceivedFile
from domain.leased_ids import LeasedIds
from domain.once_per_key import OncePerKey
from domain.ports import Clock, IdempotencyKeys, Quotas, UploadForm
from domain.product_page import ProductEntry, ProductPage
from domain.product_ports import Belonging
from domain.product_record import ProductRecord, Stage
from domain.product_title import search_text
from domain.public_address import WebAddress, read_address
from domain.rendition import Look, Rendition
from domain.request_fetch import RequestFetch
from domain.reserve_upload import ReserveUpload
from domain.storefront import Primaries
from domain.upload_image import UploadImage
from tests.builders import NOW, TOKEN

_OPEN = (ImageStatus.PENDING, ImageStatus.DELETING)


class TickingClock:
    """Is asked the time and says a second more at every answer."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def __call__(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


class InMemoryImageCatalog:
    """Records in a dictionary; `primaries` has an entry for each product, None without a pointer.

    Those whose places are among the `damaged` cannot be read.
    """

    def __init__(self, *product_ids: int) -> None:
        self.images: dict[tuple[int, int], ProductImage] = {}
        self.primaries: dict[int, Primary | None] = dict.fromkeys(product_ids)
        self.damaged: set[tuple[int, int]] = set()
        self._last_pointed: dict[int, int] = {}
        self._open_since: dict[tuple[int, int], datetime] = {}
        self._unrendered: set[ImageRef] = set()
        self._last_id = 0

    def reserve(self, image: ProductImage) -> None:
        if self.images.get(_place(image.ref), image) != image:
            raise ImageIdTakenError(f"Image {image.ref.image_id} is there already.")
        if image.ref.product_id not in self.primaries:
            raise ProductNotFoundError(image.ref.product_id)
        self.images[_place(image.ref)] = image
        self._open_since.setdefault(_place(image.ref), image.created_at)

    def open_images(self, before: datetime) -> Iterator[tuple[int, int]]:
        since = sorted((at, place) for place, at in self._open_since.items() if at < before)
        for _, place in since:
            image = self.images.get(place)
            if image and (self._is_open(image) or image.untold):
                yield place

    def postpone(self, ref: ImageRef, at: datetime, status: ImageStatus = ImageStatus.PENDING) -> bool:
        image = self.images.get(_place(ref))
        if image is None or image.status is not status or not self._is_open(image):
            return False
        self._open_since[_place(ref)] = at
        return True

    def _is_open(self, image: ProductImage) -> bool:
        if image.status is ImageStatus.READY:
            return image.look is None and image.ref not in self._unrendered
        return image.status in _OPEN

    def put_off(self, ref: ImageRef, fetch: Fetch, at: datetime) -> bool:
        if not self.postpone(ref, at):
            return False
        self.images[_place(ref)] = replace(self.images[_place(ref)], fetch=fetch)
        return True

    def withdraw(self, ref: ImageRef, at: datetime) -> ProductImage | None:
        image = self._present(ref)
        if image.status not in _OPEN:
            return self._read(image)
        if image.status is ImageStatus.PENDING:
            self._open_since[_place(ref)] = at
            self.images[_place(ref)] = replace(image, status=ImageStatus.DELETING)
        return None

    def begin_removal(self, seen: ImageSnapshot, at: datetime) -> bool:
        product_id, present = seen.image.ref.product_id, self._as_seen(seen.image)
        primary = self.primaries.get(product_id)
        if present is None or ImageSnapshot(present, primary).is_primary != seen.is_primary:
            return False
        self._open_since[_place(present.ref)] = at
        self.images[_place(present.ref)] = replace(present, status=ImageStatus.DELETING)
        if primary and seen.is_primary:
            self.primaries[product_id] = primary._replace(image_id=None)
        return True

    def finish_removal(self, ref: ImageRef) -> None:
        image = self.images.get(_place(ref))
        if image and image.status is ImageStatus.DELETING:
            del self.images[_place(ref)]

    def get(self, product_id: int, image_id: int) -> ProductImage | None:
        image = self.images.get((product_id, image_id))
        return self._read(image) if image else None

    def look_up(self, product_id: int, image_id: int) -> ImageSnapshot:
        if product_id not in self.primaries:
            raise ProductNotFoundError(product_id)
        image = self.images.get((product_id, image_id))
        if image is None:
            raise ImageNotFoundError(product_id, image_id)
        return ImageSnapshot(self._read(image), self.primaries[product_id])

    def page(
        self,
        product_id: int,
        limit: int,
        offset: int,
        status: ImageStatus | None = None,
        sha256s: Collection[str] = (),
    ) -> Page:
        whole = Gallery.of(self._images(product_id), self.primaries[product_id])
        images = [
            image
            for image in whole.images
            if status in {None, image.status} and (not sha256s or image.sha256 in sha256s)
        ]
        readable, damaged = self._part(images[offset : offset + limit])
        return Page(len(images), [ImageSnapshot(each, whole.primary) for each in readable], damaged)

    def gallery(self, product_id: int, limit: int) -> Gallery:
        whole = Gallery.of(self._images(product_id), self.primaries[product_id])
        readable, damaged = self._part(whole.images[:limit])
        return Gallery.of(readable, whole.primary, damaged)

    def shown_primary(self, product_id: int) -> ProductImage | None:
        """Return the picture at which the product points, if it can be read."""
        primary = self.primaries[product_id]
        place = (product_id, primary.image_id) if primary and primary.image_id else None
        return self.images[place] if place and place not in self.damaged else None

    def change(self, seen: ImageSnapshot, changed: ImageSnapshot) -> bool:
        product_id, present = seen.image.ref.product_id, self._as_seen(seen.image)
        if present is None:
            return False
        if changed.primary is not None and changed.primary != seen.primary:
            if product_id not in self.primaries or self.primaries[product_id] != seen.primary:
                return False
            self.primaries[product_id] = changed.primary
        elif (
            seen.is_wished
            and not changed.is_wished
            and (
                product_id not in self.primaries
                or seen._replace(primary=self.primaries[product_id]).is_primary
            )
        ):
            return False
        self._write(changed.image)
        return True

    def reorder(self, seen: Sequence[ProductImage], changed: Sequence[ProductImage]) -> bool:
        if not all(self._as_seen(image) for image in seen):
            return False
        for image in changed:
            self._write(image)
        return True

    def mark_told(self, image: ProductImage) -> None:
        present = self.images.get(_place(image.ref))
        if present and present.updated_at == image.updated_at and present.status is not ImageStatus.DELETING:
            self.images[_place(image.ref)] = replace(present, untold=frozenset())

    def mark_ready(self, ref: ImageRef, file: PublicFile, at: datetime) -> ProductImage:
        ready = {
            "image_format": file.image_format,
            "size_bytes": file.size_bytes,
            "sha256": file.sha256,
            "facts": file.facts,
        }
        return self._complete(ref, status=ImageStatus.READY, updated_at=at, **ready)

    def mark_primary_ready(
        self, ref: ImageRef, file: PublicFile, at: datetime, *, requested_at: datetime
    ) -> bool:
        image = self.images.get(_place(ref))
        if image is None or image.ref != ref or image.status is not ImageStatus.PENDING:
            return False
        if image.primary_requested_at != requested_at or not self._point(ref, requested_at):
            return False
        self.mark_ready(ref, file, at)
        return True

    def mark_rendered(self, ref: ImageRef, look: Look, at: datetime) -> bool:
        image = self.images.get(_place(ref))
        if image is None or image.status is not ImageStatus.READY:
            return False
        if image.look is None or image.look._replace(is_only=True) != look:
            is_only = image.look is None or (image.look.is_only and image.look.recipe == look.recipe)
            look = look._replace(is_only=is_only)
            self.images[_place(ref)] = replace(image, look=look, updated_at=at)
        return True

    def leave_unrendered(self, ref: ImageRef) -> None:
        image = self.images.get(_place(ref))
        if image and image.status is ImageStatus.READY:
            self._unrendered.add(ref)

    def mark_failed(self, ref: ImageRef, failure: Failure, sha256: str | None, at: datetime) -> ProductImage:
        failed = {"failure": failure, "sha256": sha256}
        return self._complete(ref, status=ImageStatus.FAILED, updated_at=at, **failed)

    def move_primary(self, image: ProductImage) -> bool:
        requested_at, present = image.primary_requested_at, self.images.get(_place(image.ref))
        if requested_at is None or present is None:
            return False
        if present.status is not ImageStatus.READY or present.primary_requested_at != requested_at:
            return False
        return self._point(image.ref, requested_at)

    def lease(self, size: int) -> int:
        self._last_id += size
        return self._last_id - size + 1

    def _point(self, ref: ImageRef, requested_at: datetime) -> bool:
        if ref.product_id not in self.primaries:
            return False
        pointer = self.primaries[ref.product_id]
        if pointer and pointer.image_id != ref.image_id:
            # Between equal moments the identifier decides, also that of a picture which was cleared.
            last = (pointer.requested_at, self._last_pointed.get(ref.product_id, 0))
            if last >= (requested_at, ref.image_id):
                return False
        self.primaries[ref.product_id] = Primary(ref.image_id, requested_at)
        self._last_pointed[ref.product_id] = ref.image_id
        return True

    def _images(self, product_id: int) -> list[ProductImage]:
        if product_id not in self.primaries:
            raise ProductNotFoundError(product_id)
        return [image for (owner, _), image in self.images.items() if owner == product_id]

    def _read(self, image: ProductImage) -> ProductImage:
        if _place(image.ref) in self.damaged:
            raise ImageRecordDamagedError(*_place(image.ref), "name")
        return image

    def _part(
        self, images: Sequence[ProductImage]
    ) -> tuple[list[ProductImage], tuple[ImageRecordDamagedError, ...]]:
        """Part records that can be read from the others."""
        damaged = [image.ref for image in images if _place(image.ref) in self.damaged]
        return (
            [image for image in images if image.ref not in damaged],
            tuple(ImageRecordDamagedError(*_place(ref), "name") for ref in damaged),
        )

    def _write(self, image: ProductImage) -> None:
        self.images[_place(image.ref)] = image
        if image.untold:
            self._open_since[_place(image.ref)] = image.updated_at

    def _as_seen(self, seen: ProductImage) -> ProductImage | None:
        """Return the record if it is still as it was seen."""
        present = self.images.get(_place(seen.ref))
        return present if present == seen else None

    def _present(self, ref: ImageRef) -> ProductImage:
        image = self.images.get(_place(ref))
        if image is None:
            raise ImageRecordMissingError(ref)
        return image

    def _complete(self, ref: ImageRef, **changes: Any) -> ProductImage:  # noqa: ANN401 - any field of a record
        present = self._present(ref)
        if present.ref != ref:
            raise ImageRecordMissingError(ref)
        if present.status is ImageStatus.PENDING:
            present = replace(present, fetch=None, **changes)
            self.images[_place(ref)] = present
        return self._read(present)


class InMemoryStorefront:
    """What the public sees of an in-memory catalogue."""

    def __init__(self, catalog: InMemoryImageCatalog) -> None:
        self._catalog = catalog

    def page(self, product_id: int, limit: int, offset: int) -> Page:
        return self._catalog.page(product_id, limit, offset, ImageStatus.READY)

    def primaries(self, product_ids: Sequence[int]) -> Primaries:
        images: dict[int, ProductImage] = {}
        damaged: list[ImageRecordDamagedError] = []
        for product_id in self._catalog.primaries.keys() & product_ids:
            shown = self.page(product_id, len(self._catalog.images), 0)
            pointed_at = [seen for seen in shown.snapshots if seen.is_primary]
            for seen in (pointed_at or shown.snapshots)[:1]:
                images[product_id] = seen.image
            # Only those that were met.
            damaged += [] if pointed_at else shown.damaged
        return Primaries(images, tuple(damaged))


class InMemoryProducts:
    """The products of an in-memory catalogue, those that are gone among them, and what belongs to those."""

    def __init__(self, catalog: InMemoryImageCatalog) -> None:
        self._catalog = catalog
        self._records: dict[int, ProductRecord] = {}
        self._nobody_at_since: dict[int, datetime] = {}

    def exists(self, product_id: int) -> bool:
        return product_id in self._catalog.primaries

    def add(self, product_id: int, title: str | None = None) -> bool:
        seen = self.look(product_id)
        if seen.stage is Stage.BEING_REMOVED:
            raise ProductBeingRemovedError(product_id)
        self.write(seen, seen.put(title or seen.title, None))
        return seen.stage is not Stage.PRESENT

    def look(self, product_id: int) -> ProductRecord:
        stage = Stage.PRESENT if self.exists(product_id) else Stage.UNKNOWN
        return self._records.get(product_id, ProductRecord(product_id, stage))

    def write(self, seen: ProductRecord, changed: ProductRecord, *, is_empty: bool = False) -> bool:
        product_id = seen.product_id
        if is_empty and self.some(product_id):
            raise ProductHasImagesError(product_id)
        if self.look(product_id) != seen:
            return False
        self._records[product_id] = changed
        if changed.stage is Stage.PRESENT:
            self._catalog.primaries.setdefault(product_id)
        else:
            self._catalog.primaries.pop(product_id, None)
        self._nobody_at_since[product_id] = NOW
        return True

    def open_removals(self, before: datetime) -> Iterator[int]:
        for product_id, since in sorted(self._nobody_at_since.items(), key=lambda each: each[1]):
            if since < before and self.look(product_id).stage is Stage.BEING_REMOVED:
                yield product_id

    def postpone_removal(self, product_id: int, at: datetime) -> bool:
        self._nobody_at_since[product_id] = at
        return self.look(product_id).stage is Stage.BEING_REMOVED

    def some(self, product_id: int) -> list[Belonging]:
        return [
            Belonging(image_id, None if place in self._catalog.damaged else ImageSummary.of(image))
            for place, image in sorted(self._catalog.images.items())
            for owner, image_id in [place]
            if owner == product_id
        ][:25]

    def forget(self, product_id: int, image_ids: Sequence[int]) -> None:
        for image_id in image_ids:
            self._catalog.images.pop((product_id, image_id), None)

    def page(self, limit: int, after: int, words: Sequence[str]) -> ProductPage:
        numbers = [number for number in sorted(self._catalog.primaries) if number > after]
        found = [n for n in numbers if all(word in search_text(n, self.look(n).title) for word in words)]
        entries = [self.find(number) for number in found[:limit]]
        return ProductPage(entries, found[limit - 1] if len(found) > limit else None)

    def find(self, product_id: int) -> ProductEntry:
        if not self.exists(product_id):
            raise ProductNotFoundError(product_id)
        return ProductEntry(
            product_id,
            self.look(product_id).title,
            self._catalog.page(product_id, 1, 0).count,
            self._catalog.shown_primary(product_id),
        )


class InMemoryProductBytes:
    """The bytes of an in-memory store, as they go with their product."""

    def __init__(self, store: "InMemoryImageStore") -> None:
        self._store = store

    def delete_some(self, product_id: int) -> int:
        return self._store.delete_below(f"media/{product_id}/") or self._store.delete_below(
            f"incoming/{product_id}/"
        )


class InMemoryRemovals:
    """The products whose removal was requested; none can be while `is_down`."""

    def __init__(self) -> None:
        self.requested: list[int] = []
        self.is_down = False

    def request(self, product_id: int) -> None:
        if self.is_down:
            raise UnavailableError
        self.requested.append(product_id)


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

    def is_there(self, ref: ImageRef) -> bool:
        return self.received(ref) is not None or self.public_copy(ref) is not None

    def discard_received(self, ref: ImageRef) -> None:
        self._received.pop(ref.incoming_key, None)

    def unpublish(self, ref: ImageRef, keep: ImageFormat | None = None) -> None:
        kept = ref.media_key(keep) if keep else None
        for key in self.public_keys(ref):
            if key != kept:
                del self._public[key]

    def delete_below(self, prefix: str) -> int:
        """Delete up to a thousand objects whose keys begin so, and return how many those were."""
        objects: dict[str, Any] = {**self._received, **self._public}
        keys = [key for key in sorted(objects) if key.startswith(prefix)][:1_000]
        for key in keys:
            self._received.pop(key, None)
            self._public.pop(key, None)
        return len(keys)

    def delete(self, image: ProductImage) -> None:
        self.discard_received(image.ref)
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
    """What was forgotten, in the order in which that was asked for; it takes nothing while `is_full`."""

    def __init__(self) -> None:
        self.forgotten: list[ImageRef | tuple[int, str]] = []
        self.is_full = False

    def forget(self, ref: ImageRef) -> None:
        self._forget(ref)

    def forget_product(self, product_id: int, removal: str) -> None:
        self._forget((product_id, removal))

    def _forget(self, what: ImageRef | tuple[int, str]) -> None:
        if self.is_full:
            raise UnavailableError
        if what not in self.forgotten:
            self.forgotten.append(what)


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


def _place(ref: ImageRef) -> tuple[int, int]:
    return ref.product_id, ref.image_id


MAX_BYTES = 10_000
"""The largest picture that `upload_image_with` takes."""


def upload_image_with(
    catalog: InMemoryImageCatalog, store: InMemoryImageStore | None = None, clock: Clock = lambda: NOW
) -> UploadImage:
    """Return the use case on fakes, at a moment that stands still unless the clock goes."""
    return UploadImage(
        catalog=catalog,
        store=store or InMemoryImageStore(),
        ids=LeasedIds(catalog),
        new_token=lambda: TOKEN,
        clock=clock,
        max_bytes=MAX_BYTES,
    )


def once_per_key_with(
    keys: IdempotencyKeys | None = None,
    quotas: Quotas | None = None,
    daily_quota: int = 0,
    clock: Clock = lambda: NOW,
) -> OncePerKey:
    """Return safe retries on fakes, without a quota unless one is named."""
    tokens = (f"try {number}" for number in itertools.count(1))
    quota = DailyQuota(quotas or InMemoryQuotas(), daily_quota, clock)
    return OncePerKey(keys or InMemoryIdempotencyKeys(), quota, clock, lambda: next(tokens))


def reserve_upload_with(catalog: InMemoryImageCatalog, clock: Clock = lambda: NOW) -> ReserveUpload:
    """Return the use case on fakes, for pictures of up to 50 MB."""
    return ReserveUpload(
        catalog=catalog,
        forms=InMemoryUploadForms(),
        ids=LeasedIds(catalog),
        new_token=lambda: TOKEN,
        clock=clock,
        max_bytes=50_000_000,
    )


def request_fetch_with(
    catalog: InMemoryImageCatalog,
    queue: FetchQueue | None = None,
    clock: Clock = lambda: NOW,
    allowed_hosts: Sequence[str] = (),
) -> RequestFetch:
    """Return the use case on fakes."""
    return RequestFetch(
        catalog=catalog,
        queue=queue or InMemoryFetchQueue(),
        ids=LeasedIds(catalog),
        new_token=lambda: TOKEN,
        clock=clock,
        allowed_hosts=allowed_hosts,
    )
