"""The catalogue in one DynamoDB table: products, their pictures, and the counter of identifiers."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
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
from adapters.dynamo_gallery import read_gallery, read_page
from adapters.dynamo_heads import FORGOTTEN, after_moving, after_removal, after_reordering, count_one_more
from adapters.dynamo_items import (
    COUNTER_KEY,
    FETCH_ATTRIBUTES,
    Item,
    details_to_attributes,
    failure_to_attributes,
    fetch_to_attributes,
    file_to_attributes,
    identifiers_of,
    image_from_item,
    image_key,
    image_to_item,
    is_product,
    look_to_attributes,
    open_shard,
    open_shards,
    primary_from_item,
    product_key,
    recency,
    untold_to_attributes,
)
from adapters.dynamo_product_update import ProductUpdate
from domain.errors import (
    ImageIdTakenError,
    ImageNotFoundError,
    ImageRecordMissingError,
    ProductNotFoundError,
    UnavailableError,
)
from domain.failure import Failure
from domain.gallery import Gallery, Page
from domain.image import Fetch, ImageRef, ImageSnapshot, ImageStatus, Primary, ProductImage, PublicFile
from domain.moments import iso_utc

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import (
        ConditionCheckTypeDef,
        PutTypeDef,
        TransactWriteItemTypeDef,
        UpdateTypeDef,
    )

    from domain.rendition import Look

OPEN_INDEX = "open"
_COUNT_TRIES = 5
"""Of a reservation; the first one holds nearly always. Uploads alone take three at most: one for a picture
before the head, one if a still earlier picture came meanwhile. More are only for moves and removals."""
_OPEN_PAGE_SIZE = 100
_OPEN_NO_MORE = "REMOVE open_shard, open_since"
_PENDING: Item = {":pending": {"S": ImageStatus.PENDING}}
_READY: Item = {":ready": {"S": ImageStatus.READY}}
_IS_PENDING = "attribute_exists(pk) AND (attribute_not_exists(#status) OR #status = :pending)"
"""Also where the status is missing: that is how such a record is read."""
_POINTS_ELSEWHERE = "(attribute_not_exists(primary_image_id) OR primary_image_id <> :id)"


class _FoundImage(ImageSnapshot):
    """A picture as it was looked up, with its product's item, which tells where the gallery begins."""

    product: Item


class DynamoImageCatalog:
    """Reads and writes the records of pictures; a change is one conditional call, or two if it met others."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def open_images(self, before: datetime) -> Iterator[tuple[int, int]]:
        """Query the index's partitions one after the other, page by page, in each the oldest first."""
        paginator = self._client.get_paginator("query")
        # Not always from the first one, should time never suffice for all of them.
        for shard in open_shards(before.hour):
            with passing_errors_as_unavailable():
                pages = paginator.paginate(
                    TableName=self._table,
                    IndexName=OPEN_INDEX,
                    KeyConditionExpression="open_shard = :shard AND open_since < :before",
                    ExpressionAttributeValues={
                        ":shard": {"S": shard},
                        ":before": {"S": iso_utc(before)},
                    },
                    PaginationConfig={"PageSize": _OPEN_PAGE_SIZE},
                )
                for page in pages:
                    yield from map(identifiers_of, page["Items"])

    def postpone(self, ref: ImageRef, at: datetime, status: ImageStatus = ImageStatus.PENDING) -> bool:
        """Give an open record a later place in its partition of the index."""
        or_none = " OR attribute_not_exists(#status)" if status is ImageStatus.PENDING else ""

        def update() -> None:
            self._client.update_item(
                TableName=self._table,
                Key=image_key(ref.product_id, ref.image_id),
                UpdateExpression="SET open_since = :at",
                ConditionExpression=f"attribute_exists(open_shard) AND (#status = :status{or_none})",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={":at": {"S": iso_utc(at)}, ":status": {"S": status}},
            )

        return self._holds(update)

    def put_off(self, ref: ImageRef, fetch: Fetch, at: datetime) -> bool:
        """Write the fetch, and move the record in its partition of the index to where it is due."""
        values = {**fetch_to_attributes(fetch), "open_since": {"S": iso_utc(at)}}

        def update() -> None:
            self._client.update_item(
                TableName=self._table,
                Key=image_key(ref.product_id, ref.image_id),
                UpdateExpression=f"SET {', '.join(f'{name} = :{name}' for name in values)}",
                ConditionExpression=_IS_PENDING,
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={
                    **{f":{name}": value for name, value in values.items()},
                    **_PENDING,
                },
            )

        return self._holds(update)

    def reserve(self, image: ProductImage) -> None:
        """Put the record if it is new, and count it if its product is there (a transaction)."""
        item = image_to_item(image)
        put: PutTypeDef = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        count = count_one_more(self._table, image)
        for _ in range(_COUNT_TRIES):
            failures = self._failures([{"Put": put}, count])
            if not failures:
                return
            present, product = (each.get("Item") for each in failures)
            # The reply to an earlier try may have been lost: then the record that is there is ours.
            if present == item:
                return
            if present is not None:
                raise ImageIdTakenError(f"Image {image.ref.image_id} is there already.")
            if product is None:
                raise ProductNotFoundError(image.ref.product_id)
            count = count_one_more(self._table, image, product)
        raise UnavailableError(image.ref)

    def withdraw(self, ref: ImageRef, at: datetime) -> ProductImage | None:
        """Hide a pending record and take it off the product's count (a transaction)."""
        hide: UpdateTypeDef = {
            "TableName": self._table,
            "Key": image_key(ref.product_id, ref.image_id),
            "UpdateExpression": "SET #status = :deleting, open_since = :at REMOVE place",
            "ConditionExpression": _IS_PENDING,
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": {
                ":deleting": {"S": ImageStatus.DELETING},
                ":at": {"S": iso_utc(at)},
                **_PENDING,
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        uncount: UpdateTypeDef = {
            "TableName": self._table,
            "Key": product_key(ref.product_id),
            "UpdateExpression": "ADD image_count :less",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": {":less": {"N": "-1"}},
        }
        failures = self._failures([{"Update": hide}, {"Update": uncount}])
        if not failures:
            return None
        present = failures[0].get("Item")
        if present is None:
            raise ImageRecordMissingError(ref)
        image = image_from_item(present)
        return None if image.status is ImageStatus.DELETING else image

    def begin_removal(self, seen: ImageSnapshot, at: datetime) -> bool:
        """Hide the record, take it off the product's count, and clear the pointer (a transaction)."""
        ref = seen.image.ref
        hide = self._update_seen(
            seen.image,
            {
                "status": {"S": ImageStatus.DELETING},
                "place": None,
                "open_shard": {"S": open_shard(ref.image_id)},
                "open_since": {"S": iso_utc(at)},
            },
        )
        uncount = ProductUpdate(
            adds={"image_count": -1},
            removes=("primary_image_id",) if seen.is_primary else (),
            conditions=("primary_image_id = :id" if seen.is_primary else _POINTS_ELSEWHERE,),
            values={":id": {"N": str(ref.image_id)}},
        )
        head = after_removal(self._client, self._table, _product_of(seen), seen.image)
        return self._write(ref.product_id, [hide], uncount, head)

    def finish_removal(self, ref: ImageRef) -> None:
        """Delete the record on the condition that it is being deleted."""

        def delete() -> None:
            self._client.delete_item(
                TableName=self._table,
                Key=image_key(ref.product_id, ref.image_id),
                ConditionExpression="#status = :deleting",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={":deleting": {"S": ImageStatus.DELETING}},
            )

        self._holds(delete)

    def get(self, product_id: int, image_id: int) -> ProductImage | None:
        """Read one record, consistently."""
        with passing_errors_as_unavailable():
            answer = self._client.get_item(
                TableName=self._table, Key=image_key(product_id, image_id), ConsistentRead=True
            )
        return image_from_item(answer["Item"]) if "Item" in answer else None

    def look_up(self, product_id: int, image_id: int) -> ImageSnapshot:
        """Read product and picture, consistently, in one call."""
        keys = [product_key(product_id), image_key(product_id, image_id)]
        items = read_batch(self._client, self._table, keys, consistent=True)
        product, images = _split(product_id, items)
        if not images:
            raise ImageNotFoundError(product_id, image_id)
        found = _FoundImage(image_from_item(images[0]), primary_from_item(product))
        found.product = product
        return found

    def page(
        self,
        product_id: int,
        limit: int,
        offset: int,
        status: ImageStatus | None = None,
        sha256s: Collection[str] = (),
    ) -> Page:
        """Query the gallery's index: one call for a page in the first megabyte, 1,400 usual records."""
        return read_page(self._client, self._table, product_id, limit, offset, status, sha256s)

    def gallery(self, product_id: int, limit: int) -> Gallery:
        """Query the product's partition."""
        return read_gallery(self._client, self._table, product_id, limit)

    def change(self, seen: ImageSnapshot, changed: ImageSnapshot) -> bool:
        """Update the record, and with it the pointer where that changes, or must not (a transaction)."""
        image = changed.image
        requested_at = image.primary_requested_at
        values: Item = {
            **details_to_attributes(image),
            **untold_to_attributes(image),
            "updated_at": {"S": iso_utc(image.updated_at)},
            "primary_requested_at": {"S": iso_utc(requested_at)} if requested_at else None,
        }
        pointer = ProductUpdate()
        if changed.primary is not None and changed.primary != seen.primary:
            pointer = _update_of_pointer(seen, changed.primary)
        elif seen.is_wished and not changed.is_wished:
            pointer = ProductUpdate(
                conditions=(_POINTS_ELSEWHERE,), values={":id": {"N": str(image.ref.image_id)}}
            )
        head = ProductUpdate()
        if image.place != seen.image.place:
            head = after_moving(self._client, self._table, _product_of(seen), seen.image, image)
        return self._write(image.ref.product_id, [self._update_seen(seen.image, values)], pointer, head)

    def reorder(self, seen: Sequence[ProductImage], changed: Sequence[ProductImage]) -> bool:
        """Update the order of each record, and with it where the gallery begins (a transaction)."""
        if not changed:
            return True
        by_ref = {image.ref: image for image in seen}
        updates = [
            self._update_seen(
                by_ref[image.ref],
                {
                    **details_to_attributes(image),
                    **untold_to_attributes(image),
                    "updated_at": {"S": iso_utc(image.updated_at)},
                },
            )
            for image in changed
        ]
        product_id = changed[0].ref.product_id
        return self._write(product_id, updates, ProductUpdate(), after_reordering(changed))

    def mark_told(self, image: ProductImage) -> None:
        """Take the record out of the index of open ones, if it is as it was told, and rendered or given up.

        Of one that is neither, only what was untold is taken off.
        """

        def update(closing: str, condition: str) -> None:
            self._client.update_item(
                TableName=self._table,
                Key=image_key(image.ref.product_id, image.ref.image_id),
                UpdateExpression=closing,
                ConditionExpression=f"updated_at = :told AND #status <> :deleting{condition}",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={
                    ":told": {"S": iso_utc(image.updated_at)},
                    ":deleting": {"S": ImageStatus.DELETING},
                },
            )

        closed = f"{_OPEN_NO_MORE}, untold"
        if image.status is not ImageStatus.READY or image.look is not None:
            self._holds(partial(update, closed, ""))
        elif not self._holds(partial(update, "REMOVE untold", " AND attribute_not_exists(given_up)")):
            self._holds(partial(update, closed, " AND attribute_exists(given_up)"))

    def mark_ready(self, ref: ImageRef, file: PublicFile, at: datetime) -> ProductImage:
        """Complete a pending record with what the public copy is."""
        return self._complete(self._completion(ref, _ready(file), at), ref)

    def mark_primary_ready(
        self, ref: ImageRef, file: PublicFile, at: datetime, *, requested_at: datetime
    ) -> bool:
        """Complete a pending record that is still wished so, and move the pointer forward (a transaction)."""
        ready = self._completion(ref, _ready(file), at)
        wished: UpdateTypeDef = {
            **ready,
            "ConditionExpression": f"{ready['ConditionExpression']} AND primary_requested_at = :requested_at",
            "ExpressionAttributeValues": {
                **ready["ExpressionAttributeValues"],
                ":requested_at": {"S": iso_utc(requested_at)},
            },
        }
        return self._transact([{"Update": wished}, self._move_pointer(ref, requested_at)])

    def mark_rendered(self, ref: ImageRef, look: "Look", at: datetime) -> bool:
        """Set the look of a record that is ready, unless it has this one, and take it out of the open ones.

        There it stays while a change is untold, which is seldom. By which recipes files were made is kept.
        """
        key, values = image_key(ref.product_id, ref.image_id), look_to_attributes(look)
        written: Item = {**values, "updated_at": {"S": iso_utc(at)}}
        present: Any = {}

        def update(closing: str, condition: str) -> None:
            self._client.update_item(
                TableName=self._table,
                Key=key,
                UpdateExpression=f"SET {', '.join(f'#{name} = :{name}' for name in written)} {closing} "
                "ADD recipes :recipes",
                ConditionExpression=f"#status = :ready AND {condition} AND NOT "
                f"({' AND '.join(f'#{name} = :{name}' for name in values)})",
                ExpressionAttributeNames={"#status": "status", **{f"#{name}": name for name in written}},
                ExpressionAttributeValues={
                    **_READY,
                    ":recipes": {"SS": [look.recipe]},
                    **{f":{name}": value for name, value in written.items()},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )

        for (
            closing,
            condition,
        ) in (  # pragma: no branch - both fail in a race alone; the answer is the same
            (_OPEN_NO_MORE, "attribute_not_exists(untold)"),
            ("", "attribute_exists(untold)"),
        ):
            try:
                with passing_errors_as_unavailable():
                    with_persistence(partial(update, closing, condition))
            except ClientError as error:
                if not failed_condition(error):
                    raise
                present = error.response.get("Item", {})
            else:
                return True
            if "untold" not in present:
                break
        return _is_ready(present)

    def note_recipe(self, ref: ImageRef, recipe: str, earlier: str, at: datetime) -> bool:
        """Add both to the record's recipes, unless it has several; a deletion that saw fewer looks again."""
        try:
            with passing_errors_as_unavailable():
                with_persistence(
                    lambda: self._client.update_item(
                        TableName=self._table,
                        Key=image_key(ref.product_id, ref.image_id),
                        UpdateExpression="SET updated_at = :at ADD recipes :both",
                        ConditionExpression="#status = :ready "
                        "AND (attribute_not_exists(recipes) OR recipes = :earlier)",
                        ExpressionAttributeNames={"#status": "status"},
                        ExpressionAttributeValues={
                            **_READY,
                            ":at": {"S": iso_utc(at)},
                            ":both": {"SS": [earlier, recipe]},
                            ":earlier": {"SS": [earlier]},
                        },
                        ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    )
                )
        except ClientError as error:
            if not failed_condition(error):
                raise
            return _is_ready(error.response.get("Item", {}))
        return True

    def leave_unrendered(self, ref: ImageRef) -> None:
        """Note that it was given up, and take a ready record out of the index of open ones.

        A change that is untold keeps it there, and `mark_told` takes it out.
        """

        def update(closing: str, condition: str) -> None:
            self._client.update_item(
                TableName=self._table,
                Key=image_key(ref.product_id, ref.image_id),
                UpdateExpression=f"SET given_up = :true {closing}",
                ConditionExpression=f"#status = :ready AND {condition}",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={**_READY, ":true": {"BOOL": True}},
            )

        if not self._holds(partial(update, _OPEN_NO_MORE, "attribute_not_exists(untold)")):
            self._holds(partial(update, "", "attribute_exists(untold)"))

    def mark_failed(self, ref: ImageRef, failure: Failure, sha256: str | None, at: datetime) -> ProductImage:
        """Complete a pending record with why it is no picture."""
        failed: Item = {
            "status": {"S": ImageStatus.FAILED},
            **({"sha256": {"S": sha256}} if sha256 else {}),
            **failure_to_attributes(failure),
        }
        return self._complete(self._completion(ref, failed, at), ref)

    def move_primary(self, image: ProductImage) -> bool:
        """Move the pointer forward in time, or leave it where it stands already (a transaction)."""
        if image.primary_requested_at is None:
            return False
        still_wished: ConditionCheckTypeDef = {
            "TableName": self._table,
            "Key": image_key(image.ref.product_id, image.ref.image_id),
            "ConditionExpression": "#status = :ready AND primary_requested_at = :at",
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": {
                ":ready": {"S": ImageStatus.READY},
                ":at": {"S": iso_utc(image.primary_requested_at)},
            },
        }
        move = self._move_pointer(image.ref, image.primary_requested_at)
        return self._transact([move, {"ConditionCheck": still_wished}])

    def lease(self, size: int) -> int:
        """Take the next `size` identifiers off the counter (one atomic ADD)."""
        with passing_errors_as_unavailable():
            answer = self._client.update_item(
                TableName=self._table,
                Key=COUNTER_KEY,
                UpdateExpression="ADD last_id :size",
                ExpressionAttributeValues={":size": {"N": str(size)}},
                ReturnValues="UPDATED_NEW",
            )
        return int(answer["Attributes"]["last_id"]["N"]) - size + 1

    def _write(
        self,
        product_id: int,
        updates: "Sequence[TransactWriteItemTypeDef]",
        product: ProductUpdate,
        head: ProductUpdate,
    ) -> bool:
        """Write pictures, and what follows for their product and its head (a transaction).

        Once more where the head was not as it was found. Returns False if another condition did not hold.
        """
        is_sure = head in (ProductUpdate(), FORGOTTEN)
        for each in (head,) if is_sure else (head, FORGOTTEN):
            failures = self._failures([*updates, *(product | each).parts(self._table, product_id)])
            if not failures:
                return True
            if any(_is_refused(failure) for failure in failures[: len(updates)]):
                return False
        return False

    def _move_pointer(self, ref: ImageRef, requested_at: datetime) -> "TransactWriteItemTypeDef":
        """Point a product at a picture, unless a later wish was there first."""
        return {
            "Update": {
                "TableName": self._table,
                "Key": product_key(ref.product_id),
                "UpdateExpression": "SET primary_image_id = :id, primary_recency = :recency",
                "ConditionExpression": "attribute_exists(pk) AND (attribute_not_exists(primary_recency) "
                "OR primary_recency < :recency OR primary_image_id = :id)",
                "ExpressionAttributeValues": {
                    ":id": {"N": str(ref.image_id)},
                    ":recency": recency(requested_at, ref.image_id),
                },
            }
        }

    def _update_seen(self, seen: ProductImage, values: Item) -> "TransactWriteItemTypeDef":
        """Set values (None removes) if the record is as it was seen; each change moves `updated_at`."""
        set_values = {name: value for name, value in values.items() if value is not None}
        update = "SET " + ", ".join(f"#{name} = :{name}" for name in set_values)
        removed = [f"#{name}" for name, value in values.items() if value is None]
        if removed:
            update += f" REMOVE {', '.join(removed)}"
        return {
            "Update": {
                "TableName": self._table,
                "Key": image_key(seen.ref.product_id, seen.ref.image_id),
                "UpdateExpression": update,
                "ConditionExpression": "(attribute_not_exists(#status) OR #status = :seen_status) "
                "AND #updated_at = :seen_updated_at",
                "ExpressionAttributeNames": {
                    **{f"#{name}": name for name in values},
                    "#status": "status",
                    "#updated_at": "updated_at",
                },
                "ExpressionAttributeValues": {
                    **{f":{name}": value for name, value in set_values.items()},
                    ":seen_status": {"S": seen.status},
                    ":seen_updated_at": {"S": iso_utc(seen.updated_at)},
                },
            }
        }

    def _transact(self, items: "Sequence[TransactWriteItemTypeDef]") -> bool:
        """Write all or nothing; return False if a condition did not hold."""
        return not self._failures(items)

    def _failures(self, items: "Sequence[TransactWriteItemTypeDef]") -> Sequence[Mapping[str, Any]]:
        """Write all or nothing; return what was found of each item if a condition did not hold."""
        try:
            with passing_errors_as_unavailable():
                with_persistence(lambda: self._client.transact_write_items(TransactItems=items))
        except ClientError as error:
            if failed_condition(error):
                return cancellation_reasons(error)
            raise
        return []

    @staticmethod
    def _holds(write: Callable[[], object]) -> bool:
        """Write; return False if a condition did not hold."""
        try:
            with passing_errors_as_unavailable():
                with_persistence(write)
        except ClientError as error:
            if failed_condition(error):
                return False
            raise
        return True

    def _completion(self, ref: ImageRef, values: Item, at: datetime) -> "UpdateTypeDef":
        """Set values if the record is pending and this picture's; what is ready stays open until rendered."""
        attributes: Item = {**values, "updated_at": {"S": iso_utc(at)}}
        is_done = values["status"] != _READY[":ready"]
        return {
            "TableName": self._table,
            "Key": image_key(ref.product_id, ref.image_id),
            "UpdateExpression": f"SET {', '.join(f'#{name} = :{name}' for name in attributes)}"
            f" {f'{_OPEN_NO_MORE},' if is_done else 'REMOVE'} {', '.join(FETCH_ATTRIBUTES)}",
            "ConditionExpression": f"{_IS_PENDING} AND #token = :token",
            "ExpressionAttributeNames": {"#token": "token", **{f"#{name}": name for name in attributes}},
            "ExpressionAttributeValues": {
                **_PENDING,
                ":token": {"S": ref.token},
                **{f":{name}": value for name, value in attributes.items()},
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _complete(self, completion: "UpdateTypeDef", ref: ImageRef) -> ProductImage:
        """Update one record, and return it as it then stands."""
        try:
            with passing_errors_as_unavailable():
                answer = with_persistence(
                    lambda: self._client.update_item(**completion, ReturnValues="ALL_NEW")
                )
        except ClientError as error:
            if not failed_condition(error):
                raise
            present: Any = error.response.get("Item")
            image = image_from_item(present) if present else None
            if image is None or image.ref != ref:
                raise ImageRecordMissingError(ref) from error
            return image
        return image_from_item(answer["Attributes"])


def _is_ready(present: Any) -> bool:  # noqa: ANN401 - an item of DynamoDB
    return bool(present.get("status") == _READY[":ready"])


def _ready(file: PublicFile) -> Item:
    return {"status": {"S": ImageStatus.READY}, **file_to_attributes(file)}


def _is_refused(failure: Mapping[str, Any]) -> bool:
    return bool(failure.get("Code") == "ConditionalCheckFailed")


def _product_of(seen: ImageSnapshot) -> Item | None:
    return seen.product if isinstance(seen, _FoundImage) else None


def _update_of_pointer(seen: ImageSnapshot, primary: Primary) -> ProductUpdate:
    """Point elsewhere, or at nothing, if the pointer is as it was seen."""
    condition = "attribute_not_exists(primary_recency)"
    values: Item = {}
    if seen.primary is not None:
        # Two wishes may be of one moment; moment and picture together name one wish.
        pointed = seen.primary.image_id
        values[":seen"] = {"S": iso_utc(seen.primary.requested_at)}
        condition = "begins_with(primary_recency, :seen) AND "
        condition += "primary_image_id = :pointed" if pointed else "attribute_not_exists(primary_image_id)"
        values |= {":pointed": {"N": str(pointed)}} if pointed else {}
    if primary.image_id is None:
        return ProductUpdate(removes=("primary_image_id",), conditions=(condition,), values=values)
    image_id = seen.image.ref.image_id
    sets: Item = {
        "primary_image_id": {"N": str(image_id)},
        "primary_recency": recency(primary.requested_at, image_id),
    }
    return ProductUpdate(sets=sets, conditions=(condition,), values=values)


def _split(product_id: int, items: Sequence[Item]) -> tuple[Item, list[Item]]:
    """Part a product's item, which must be there, from those of its pictures."""
    product = next((item for item in items if is_product(item)), None)
    if product is None:
        raise ProductNotFoundError(product_id)
    return product, [item for item in items if not is_product(item)]
