"""Compares what is public with the records, and each product's count with its pictures."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_items import Item, image_from_item, is_product
from domain.errors import ImageRecordDamagedError
from domain.image import ImageStatus, ProductImage
from ops.catalogue import DamagedRecordError, counted, items, items_of
from ops.renditions import public_keys
from ops.target import Target

_PUBLIC_KEY = re.compile(r"(media/([1-9][0-9]*)/([1-9][0-9]*)-[0-9a-f]+)[./].+")
_OPEN = frozenset({ImageStatus.PENDING, ImageStatus.DELETING})
"""What the reconciler ends: a copy of it is on its way in or out."""


@dataclass(frozen=True, slots=True)
class Audit:
    """How much there is, and by kind what is amiss; `unowned` are public objects without a ready record."""

    objects: int
    records: int
    ready: int
    unowned: Sequence[str]
    findings: dict[str, Sequence[str]]


def audit_of(target: Target) -> Audit:
    """Read all that is public and all records, and compare them."""
    # Keys first: a record comes before its copy.
    keys = public_keys(target, None)
    records = _Records.of(items(target))
    ready = {image.media_key for image in records.images.values() if image.status is ImageStatus.READY}
    unowned = sorted(key for key in keys if not records.owns(key))
    findings: dict[str, Sequence[str]] = {
        "damaged record": records.damaged,
        "public object without a ready record": unowned,
        "ready record without its public copy": sorted(ready - keys),
        "rendition that is gone": _lost(records, keys),
        "product whose count is wrong": list(_miscounted(target, records)),
    }
    return Audit(len(keys), len(records.images), len(ready), unowned, findings)


def remove_unowned(target: Target, audit: Audit) -> Iterator[str]:
    """Remove what an audit found public without a ready record, and yield its keys.

    Each record is looked at once more: what has one by now stays, and so does what has one that is damaged.
    """
    catalog, s3 = DynamoImageCatalog(target.dynamodb, target.table), target.clients.s3()
    for key in audit.unowned:
        if not _has_owner(catalog, key):
            s3.delete_object(Bucket=target.bucket, Key=key)
            yield key


@dataclass(frozen=True, slots=True)
class _Records:
    """Pictures by what their public keys begin with, each product's own count, and what is damaged."""

    images: dict[str, ProductImage] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    unreadable: set[tuple[int, int]] = field(default_factory=set)

    @classmethod
    def of(cls, items: Iterable[Item]) -> "_Records":
        records = cls()
        for item in items:
            try:
                records.add(item)
            except DamagedRecordError as error:
                records.damaged.append(str(error))
        return records

    def add(self, item: Item) -> None:
        if is_product(item):
            product_id, count = counted(item)
            self.counts[product_id] = count
            return
        try:
            image = image_from_item(item)
        except ImageRecordDamagedError as error:
            self.unreadable.add((error.product_id, error.image_id))
            raise DamagedRecordError(item, error.attribute) from error
        except ValueError as error:
            raise DamagedRecordError(item, "sk") from error
        self.images[image.ref.media_prefix] = image

    def owns(self, key: str) -> bool:
        """Tell whether a public object belongs to a record, or to one that cannot be read."""
        match = _PUBLIC_KEY.fullmatch(key)
        if match is None:
            return False
        image = self.images.get(match[1])
        return (int(match[2]), int(match[3])) in self.unreadable or (image is not None and _is_of(image, key))

    def differences(self) -> dict[int, str]:
        """Return by product what it counts and what it has, where the two differ."""
        shown = Counter(
            image.ref.product_id for image in self.images.values() if image.status is not ImageStatus.DELETING
        )
        return {
            product_id: f"{product_id} counts {self.counts.get(product_id, 0):,}, has {shown[product_id]:,}"
            for product_id in sorted(self.counts.keys() | shown.keys())
            if self.counts.get(product_id, 0) != shown[product_id]
        }


def _lost(records: _Records, keys: frozenset[str]) -> list[str]:
    """Name what was made of pictures and is not there, and the command that makes it again."""
    return sorted(
        f"{key}; make it again: product-images images render --product {image.ref.product_id}"
        for image in records.images.values()
        if image.status is ImageStatus.READY
        for key in image.made_keys
        if key not in keys
    )


def _is_of(image: ProductImage, key: str) -> bool:
    """Tell whether an object below the picture's own prefix is its copy, or was made of that."""
    if image.status in _OPEN:
        return True
    is_ready = image.status is ImageStatus.READY
    return is_ready and (key == image.media_key or key.startswith(f"{image.ref.media_prefix}/"))


def _has_owner(catalog: DynamoImageCatalog, key: str) -> bool:
    match = _PUBLIC_KEY.fullmatch(key)
    if match is None:
        return False
    try:
        image = catalog.get(int(match[2]), int(match[3]))
    except ImageRecordDamagedError:
        return True
    return image is not None and image.ref.media_prefix == match[1] and _is_of(image, key)


def _miscounted(target: Target, records: _Records) -> Iterator[str]:
    """Tell of the products that count wrong at a second look too: a scan meets uploads half-way."""
    for product_id, difference in records.differences().items():
        again = _Records.of(items_of(target, product_id)).differences()
        if again == {product_id: difference}:
            yield difference
