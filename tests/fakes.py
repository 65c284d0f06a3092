"""The outside world in memory; `tests/integration` holds these fakes to the ports' promises."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from domain.api_key import ApiKey
from domain.errors import (
    BytesRefusedError,
    ImageIdTakenError,
    ImageRecordMissingError,
    NotAPictureError,
    ProductHasImagesError,
)
from domain.image import ImageFacts, ImageFormat, ImageRef, ImageStatus, ProductImage
from domain.leased_ids import LeasedIds
from domain.upload_image import UploadImage
from tests.builders import NOW


class TickingClock:
    """Is asked the time and says a second more at every answer."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def __call__(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


class InMemoryImageCatalog:
    """Records in a dictionary; `primaries` has an entry for each product, None without a primary."""

    def __init__(self, *product_ids: int) -> None:
        self.images: dict[tuple[int, int], ProductImage] = {}
        self.primaries: dict[int, ProductImage | None] = dict.fromkeys(product_ids)
        self._last_id = 0

    def product_exists(self, product_id: int) -> bool:
        return product_id in self.primaries

    def reserve(self, image: ProductImage) -> None:
        if self.images.setdefault(_place(image.ref), image) != image:
            raise ImageIdTakenError(f"Image {image.ref.image_id} is there already.")

    def begin_removal(self, ref: ImageRef) -> ProductImage:
        image = self._present(ref)
        return self._change(image, replace(image, status=ImageStatus.DELETING))

    def finish_removal(self, ref: ImageRef) -> None:
        image = self.images.get(_place(ref))
        if image and image.status is ImageStatus.DELETING:
            del self.images[_place(ref)]

    def get(self, product_id: int, image_id: int) -> ProductImage | None:
        return self.images.get((product_id, image_id))

    def mark_ready(self, ref: ImageRef, facts: ImageFacts, at: datetime) -> ProductImage:
        image = self._present(ref)
        return self._change(image, replace(image, status=ImageStatus.READY, facts=facts, updated_at=at))

    def mark_failed(self, ref: ImageRef, reason: str, at: datetime) -> ProductImage:
        image = self._present(ref)
        return self._change(image, replace(image, status=ImageStatus.FAILED, error=reason, updated_at=at))

    def move_primary(self, image: ProductImage) -> bool:
        product_id = image.ref.product_id
        if product_id not in self.primaries:
            return False
        present = self.primaries[product_id]
        if present and present.recency > image.recency:
            return False
        self.primaries[product_id] = image
        return True

    def primary_image_id(self, product_id: int) -> int | None:
        primary = self.primaries.get(product_id)
        return primary.ref.image_id if primary else None

    def lease(self, size: int) -> int:
        self._last_id += size
        return self._last_id - size + 1

    def _present(self, ref: ImageRef) -> ProductImage:
        image = self.images.get(_place(ref))
        if image is None:
            raise ImageRecordMissingError(f"There is no record of the image at {ref.key}.")
        return image

    def _change(self, present: ProductImage, changed: ProductImage) -> ProductImage:
        image = changed if present.status is ImageStatus.PENDING else present
        self.images[_place(image.ref)] = image
        return image


class InMemoryProducts:
    """The products of an in-memory catalogue."""

    def __init__(self, catalog: InMemoryImageCatalog) -> None:
        self._catalog = catalog

    def add(self, product_id: int) -> bool:
        is_new = product_id not in self._catalog.primaries
        self._catalog.primaries.setdefault(product_id)
        return is_new

    def remove(self, product_id: int) -> bool:
        if any(owner == product_id for owner, _ in self._catalog.images):
            raise ProductHasImagesError(f"Product {product_id} still has images; remove them first.")
        was_there = product_id in self._catalog.primaries
        self._catalog.primaries.pop(product_id, None)
        return was_there


class InMemoryImageStore:
    """Bytes in a dictionary by object key."""

    def __init__(self) -> None:
        self._contents: dict[str, bytes] = {}

    def put(self, ref: ImageRef, content: bytes) -> None:
        if self._contents.setdefault(ref.key, content) != content:
            raise BytesRefusedError("Other bytes lie at this key.")

    def get(self, ref: ImageRef) -> bytes | None:
        return self._contents.get(ref.key)

    def delete(self, ref: ImageRef) -> None:
        self._contents.pop(ref.key, None)


class InMemoryImageInspector:
    """Knows the facts of the contents it was told of; any other is no picture."""

    def __init__(self, facts: Mapping[bytes, ImageFacts]) -> None:
        self._facts = facts

    def inspect(self, content: bytes, image_format: ImageFormat) -> ImageFacts:
        if content not in self._facts:
            raise NotAPictureError(f"The file is not a {image_format.name} picture.")
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

    def revoke(self, key_id: str) -> ApiKey | None:
        for key_hash, key in self._keys.items():
            if key.id == key_id:
                self._keys[key_hash] = replace(key, is_active=False)
                return self._keys[key_hash]
        return None


def _place(ref: ImageRef) -> tuple[int, int]:
    return ref.product_id, ref.image_id


MAX_BYTES = 10_000
"""The largest picture that `upload_image_with` takes."""


def upload_image_with(catalog: InMemoryImageCatalog, store: InMemoryImageStore | None = None) -> UploadImage:
    """Return the use case on fakes, at a moment that stands still."""
    return UploadImage(
        catalog=catalog,
        store=store or InMemoryImageStore(),
        ids=LeasedIds(catalog),
        clock=lambda: NOW,
        max_bytes=MAX_BYTES,
    )
