"""Compares bucket and table, and each product's count with its pictures."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from adapters.dynamo_items import Item, image_from_item, is_product
from domain.errors import ImageRecordDamagedError
from domain.image import ImageRef, ImageStatus
from ops.catalogue import DamagedRecordError, counted, items, items_of
from ops.target import Target


@dataclass(frozen=True, slots=True)
class Audit:
    """How much there is, and by kind what is amiss."""

    objects: int
    records: int
    ready: int
    findings: dict[str, list[str]]


def audit_of(target: Target) -> Audit:
    """Read all of bucket and table, and compare them."""
    # Keys first: a record comes before its bytes.
    keys = set(_keys(target))
    records = _Records.of(items(target))
    ready = {ref.key for ref, status in records.statuses.items() if status is ImageStatus.READY}
    known = {ref.key for ref in records.statuses}
    findings = {
        "damaged record": records.damaged,
        "object without a record": sorted(keys - known),
        "ready record without bytes": sorted(ready - keys),
        "product whose count is wrong": list(_miscounted(target, records)),
    }
    return Audit(len(keys), len(known), len(ready), findings)


@dataclass(frozen=True, slots=True)
class _Records:
    """Of each picture its status, of each product how many pictures it counts, and what cannot be read."""

    statuses: dict[ImageRef, ImageStatus] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)

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
            raise DamagedRecordError(item, error.attribute) from error
        except ValueError as error:
            raise DamagedRecordError(item, "sk") from error
        self.statuses[image.ref] = image.status

    def differences(self) -> dict[int, str]:
        """Return by product what it counts and what it has, where the two differ."""
        statuses = self.statuses.items()
        shown = Counter(ref.product_id for ref, status in statuses if status is not ImageStatus.DELETING)
        return {
            product_id: f"{product_id} counts {self.counts.get(product_id, 0):,}, has {shown[product_id]:,}"
            for product_id in sorted(self.counts.keys() | shown.keys())
            if self.counts.get(product_id, 0) != shown[product_id]
        }


def _miscounted(target: Target, records: _Records) -> Iterator[str]:
    """Tell of the products that count wrong at a second look too: a scan meets uploads half-way."""
    for product_id, difference in records.differences().items():
        again = _Records.of(items_of(target, product_id)).differences()
        if again == {product_id: difference}:
            yield difference


def _keys(target: Target) -> Iterator[str]:
    pages = (
        target.clients.s3()
        .get_paginator("list_objects_v2")
        .paginate(Bucket=target.bucket, Prefix="originals/")
    )
    for page in pages:
        for stored in page.get("Contents", []):
            yield stored["Key"]
