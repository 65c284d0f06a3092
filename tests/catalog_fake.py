"""The catalogue of pictures in memory: it keeps the promises of the real one."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from domain.errors import (
    ImageIdTakenError,
    ImageNotFoundError,
    ImageRecordDamagedError,
    ImageRecordMissingError,
    ProductNotFoundError,
)
from domain.failure import Failure
from domain.gallery import Gallery, Page
from domain.image import (
    Fetch,
    ImageRef,
    ImageSnapshot,
    ImageStatus,
    Primary,
    ProductImage,
    PublicFile,
)
from domain.rendition import Look
from domain.storefront import Primaries

_OPEN = (ImageStatus.PENDING, ImageStatus.DELETING)


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

    def note_recipe(self, ref: ImageRef, recipe: str, earlier: str, at: datetime) -> bool:  # noqa: ARG002
        image = self.images.get(_place(ref))
        if image is None or image.status is not ImageStatus.READY:
            return False
        if image.look and image.look.is_only:
            self.images[_place(ref)] = replace(image, look=image.look._replace(is_only=False), updated_at=at)
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


def _place(ref: ImageRef) -> tuple[int, int]:
    return ref.product_id, ref.image_id
