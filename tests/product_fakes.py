"""What keeps and removes products, in memory, with the promises of the real ones."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from domain.errors import (
    ProductBeingRemovedError,
    ProductHasImagesError,
    ProductNotFoundError,
    UnavailableError,
)
from domain.image import (
    ImageStatus,
)
from domain.image_events import ImageSummary
from domain.product_page import ProductEntry, ProductPage
from domain.product_ports import Belonging
from domain.product_record import ProductRecord, Stage
from domain.product_title import search_text
from tests.builders import NOW
from tests.catalog_fake import InMemoryImageCatalog

if TYPE_CHECKING:
    from tests.fakes import InMemoryImageStore

_OPEN = (ImageStatus.PENDING, ImageStatus.DELETING)


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
        self.write(seen, seen.put(title or seen.title, seen.heard_now(NOW)))
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

    def some(self, product_id: int) -> list[str]:
        return self._store.keys_below(f"media/{product_id}/") or self._store.keys_below(
            f"incoming/{product_id}/"
        )

    def delete(self, keys: Sequence[str]) -> None:
        self._store.delete_keys(keys)


class InMemoryRemovals:
    """The products whose removal was requested; none can be while `is_down`."""

    def __init__(self) -> None:
        self.requested: list[int] = []
        self.is_down = False

    def request(self, product_id: int) -> None:
        if self.is_down:
            raise UnavailableError
        self.requested.append(product_id)
