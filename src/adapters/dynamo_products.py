"""The products of the catalogue table, those that are being removed among them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from adapters.aws import (
    cancellation_reasons,
    failed_condition,
    passing_errors_as_unavailable,
    with_persistence,
)
from adapters.dynamo_batch import read_batch
from adapters.dynamo_items import (
    IMAGE_PREFIX,
    REMEMBERED_FOR,
    REMOVALS_SHARD,
    Item,
    gone_key,
    is_product,
    product_key,
    product_of,
    product_to_item,
)
from domain.contention import until_undisturbed
from domain.errors import ProductBeingRemovedError, ProductHasImagesError
from domain.moments import iso_utc
from domain.ports import Clock
from domain.product_record import ProductRecord, Stage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

OPEN_INDEX = "open"
_CLOCK = partial(datetime.now, UTC)
_ABSENT: Item = {"ConditionExpression": "attribute_not_exists(pk)"}
_GONE = frozenset({Stage.BEING_REMOVED, Stage.REMOVED})


class DynamoProducts:
    """Reads and writes a product's two items, of which one is there at most: what it is, or that it is gone.

    The clock says when a product is added by hand, from when on a removal is somebody's, and until when a
    product that is gone is remembered.
    """

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock = _CLOCK) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def exists(self, product_id: int) -> bool:
        """Look the product up (one GetItem that returns the key alone)."""
        with passing_errors_as_unavailable():
            answer = self._client.get_item(
                TableName=self._table,
                Key=product_key(product_id),
                ProjectionExpression="pk",
                ConsistentRead=True,
            )
        return "Item" in answer

    def add(self, product_id: int, title: str | None = None) -> bool:
        """Read what is known and write what is to be (a transaction)."""
        return until_undisturbed(lambda: self._add(product_id, title))

    def look(self, product_id: int) -> ProductRecord:
        """Read both items, consistently, in one call."""
        items = read_batch(
            self._client, self._table, [product_key(product_id), gone_key(product_id)], consistent=True
        )
        return next(map(_record, items), ProductRecord(product_id, Stage.UNKNOWN))

    def write(self, seen: ProductRecord, changed: ProductRecord, *, is_empty: bool = False) -> bool:
        """Write both items on the condition that each is as it was seen (a transaction)."""
        if is_empty:
            self._require_empty(seen.product_id)
        writes: Any = list(self._writes(seen, changed, is_empty=is_empty))
        try:
            with passing_errors_as_unavailable():
                with_persistence(lambda: self._client.transact_write_items(TransactItems=writes))
        except ClientError as error:
            if not failed_condition(error):
                raise
            # The reply to an earlier try may have been lost: then what is there is what was to be written.
            return bool(cancellation_reasons(error)) and self.look(seen.product_id) == changed
        return True

    def open_removals(self, before: datetime) -> Iterator[int]:
        """Query the index's partition of removals, the one that waits longest first."""
        with passing_errors_as_unavailable():
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                IndexName=OPEN_INDEX,
                KeyConditionExpression="open_shard = :shard AND open_since < :before",
                ExpressionAttributeValues={":shard": REMOVALS_SHARD, ":before": {"S": iso_utc(before)}},
            )
            for page in pages:
                yield from map(product_of, page["Items"])

    def postpone_removal(self, product_id: int, at: datetime) -> bool:
        """Move a removal to the end of the index's partition."""
        try:
            with passing_errors_as_unavailable():
                with_persistence(
                    lambda: self._client.update_item(
                        TableName=self._table,
                        Key=gone_key(product_id),
                        UpdateExpression="SET open_since = :at",
                        ConditionExpression="attribute_exists(open_shard)",
                        ExpressionAttributeValues={":at": {"S": iso_utc(at)}},
                    )
                )
        except ClientError as error:
            if failed_condition(error):
                return False
            raise
        return True

    def _add(self, product_id: int, title: str | None) -> bool | None:
        seen = self.look(product_id)
        if seen.stage is Stage.BEING_REMOVED:
            raise ProductBeingRemovedError(product_id)
        is_new = seen.stage is not Stage.PRESENT
        if not is_new and title in {None, seen.title}:
            return False
        named = seen.put(title, seen.heard_now(self._clock()))
        return is_new if self.write(seen, named) else None

    def _require_empty(self, product_id: int) -> None:
        with passing_errors_as_unavailable():
            images = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :image)",
                ExpressionAttributeValues={
                    ":pk": product_key(product_id)["pk"],
                    ":image": {"S": IMAGE_PREFIX},
                },
                ConsistentRead=True,
                Limit=1,
            )
        if images["Items"]:
            raise ProductHasImagesError(product_id)

    def _writes(self, seen: ProductRecord, changed: ProductRecord, *, is_empty: bool) -> Iterator[Item]:
        was_there, is_there = (each.stage is Stage.PRESENT for each in (seen, changed))
        yield self._write(
            product_key(seen.product_id),
            _as_seen(seen, is_empty=is_empty) if was_there else _ABSENT,
            _product_item(changed) if is_there else None,
            was_there=was_there,
        )
        if not (was_there and is_there):
            was_gone = seen.stage in _GONE
            yield self._write(
                gone_key(seen.product_id),
                _as_seen(seen) if was_gone else _ABSENT,
                _gone_item(changed, self._clock()) if changed.stage in _GONE else None,
                was_there=was_gone,
            )

    def _write(self, key: Item, conditions: Item, item: Item | None, *, was_there: bool) -> Item:
        """Return the part of a transaction that leaves this item, or none, where one was or was not."""
        place: Item = {"TableName": self._table, "Key": key}
        if item is None:
            return {"Delete" if was_there else "ConditionCheck": {**place, **conditions}}
        if not was_there or "open_shard" in item or "expires_at" in item:
            return {"Put": {"TableName": self._table, "Item": {**key, **item}, **conditions}}
        # Pictures, primary and count stay. Of one from before there was a list, the rest is written anew.
        del item["image_count"]
        values = {f":{name}": value for name, value in item.items()}
        steps = f"SET {', '.join(f'#{name} = :{name}' for name in item)}"
        return {
            "Update": {
                **place,
                **conditions,
                "UpdateExpression": steps if "title" in item else f"{steps} REMOVE title",
                "ExpressionAttributeNames": {f"#{name}": name for name in item},
                "ExpressionAttributeValues": conditions.get("ExpressionAttributeValues", {}) | values,
            }
        }


def _as_seen(seen: ProductRecord, *, is_empty: bool = False) -> Item:
    """Return the condition that the item which tells of a product says what it said."""
    said = {"title": {"S": seen.title} if seen.title else None, "occurred_at": _said(seen).get("occurred_at")}
    if seen.stage in _GONE:
        said["open_shard"] = REMOVALS_SHARD if seen.stage is Stage.BEING_REMOVED else None
        said["is_wanted"] = {"BOOL": True} if seen.is_wanted else None
    conditions = ["attribute_exists(pk)"] + [
        f"{name} = :seen_{name}" if value else f"attribute_not_exists({name})" for name, value in said.items()
    ]
    values: Item = {f":seen_{name}": value for name, value in said.items() if value}
    if is_empty:
        conditions.append("(attribute_not_exists(image_count) OR image_count = :none)")
        values[":none"] = {"N": "0"}
    condition: Item = {"ConditionExpression": " AND ".join(conditions)}
    return condition | ({"ExpressionAttributeValues": values} if values else {})


def _product_item(record: ProductRecord) -> Item:
    key = product_key(record.product_id)
    item = product_to_item(record.product_id, record.title) | _said(record)
    return {name: value for name, value in item.items() if name not in key}


def _said(record: ProductRecord) -> Item:
    return {"occurred_at": {"S": iso_utc(record.occurred_at)}} if record.occurred_at else {}


def _gone_item(record: ProductRecord, now: datetime) -> Item:
    item = _said(record)
    if record.stage is Stage.REMOVED:
        return {**item, "expires_at": {"N": str(int((now + REMEMBERED_FOR).timestamp()))}}
    title: Item = {"title": {"S": record.title}} if record.title else {}
    wanted: Item = {"is_wanted": {"BOOL": True}} if record.is_wanted else {}
    opened: Item = {"open_shard": REMOVALS_SHARD, "open_since": {"S": iso_utc(now)}}
    return {**item, **title, **wanted, **opened}


def _record(item: Mapping[str, Any]) -> ProductRecord:
    stage = Stage.BEING_REMOVED if "open_shard" in item else Stage.REMOVED
    return ProductRecord(
        product_of(item),
        Stage.PRESENT if is_product(item) else stage,
        item["title"]["S"] if "title" in item else None,
        datetime.fromisoformat(item["occurred_at"]["S"]) if "occurred_at" in item else None,
        is_wanted="is_wanted" in item,
    )
