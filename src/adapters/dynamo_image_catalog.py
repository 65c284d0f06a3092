"""The catalogue in one DynamoDB table: products, their pictures, and the counter of identifiers.

Keys: a product is (`PRODUCT#{product_id}`, `PRODUCT`), its pictures are
(`PRODUCT#{product_id}`, `IMAGE#{image_id}`), zero-padded so that one query lists them in order.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from adapters.aws import failed_condition, passing_errors_as_unavailable
from domain.errors import ImageIdTakenError, ImageRecordMissingError
from domain.image import ImageFacts, ImageFormat, ImageRef, ImageStatus, ProductImage, User, iso_utc

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

type Item = dict[str, Any]

_COUNTER_KEY: Item = {"pk": {"S": "COUNTER"}, "sk": {"S": "IMAGE_ID"}}
IMAGE_PREFIX = "IMAGE#"
_PENDING: Item = {":pending": {"S": ImageStatus.PENDING}}
_REMOVABLE: Item = {**_PENDING, ":deleting": {"S": ImageStatus.DELETING}}


class DynamoImageCatalog:
    """Reads and writes the records of pictures; every change is one conditional call."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def product_exists(self, product_id: int) -> bool:
        """Look the product up (one GetItem that returns the key alone)."""
        with passing_errors_as_unavailable():
            answer = self._client.get_item(
                TableName=self._table,
                Key=product_key(product_id),
                ProjectionExpression="pk",
                ConsistentRead=True,
            )
        return "Item" in answer

    def reserve(self, image: ProductImage) -> None:
        """Put the record on the condition that it is new."""
        item = _to_item(image)
        try:
            with passing_errors_as_unavailable():
                self._client.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression="attribute_not_exists(pk)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ClientError as error:
            # The reply to an earlier try may have been lost: then the record that is there is ours.
            if failed_condition(error) and error.response.get("Item") != item:
                raise ImageIdTakenError(f"Image {image.ref.image_id} is there already.") from error
            if not failed_condition(error):
                raise

    def begin_removal(self, ref: ImageRef) -> ProductImage:
        """Turn a pending record into one that is being deleted; telling it twice changes nothing."""
        return self._change_status(ref, ImageStatus.DELETING, {}, from_=_REMOVABLE)

    def finish_removal(self, ref: ImageRef) -> None:
        """Delete the record on the condition that it is being deleted."""
        try:
            with passing_errors_as_unavailable():
                self._client.delete_item(
                    TableName=self._table,
                    Key=_image_key(ref.product_id, ref.image_id),
                    ConditionExpression="#status = :deleting",
                    ExpressionAttributeNames={"#status": "status"},
                    ExpressionAttributeValues={":deleting": {"S": ImageStatus.DELETING}},
                )
        except ClientError as error:
            if not failed_condition(error):
                raise

    def get(self, product_id: int, image_id: int) -> ProductImage | None:
        """Read one record, consistently."""
        with passing_errors_as_unavailable():
            answer = self._client.get_item(
                TableName=self._table, Key=_image_key(product_id, image_id), ConsistentRead=True
            )
        return _from_item(answer["Item"]) if "Item" in answer else None

    def mark_ready(self, ref: ImageRef, facts: ImageFacts, at: datetime) -> ProductImage:
        """Complete a pending record with what the picture told."""
        values = {
            "width": {"N": str(facts.width_px)},
            "height": {"N": str(facts.height_px)},
            "mode": {"S": facts.mode},
        }
        return self._change_status(ref, ImageStatus.READY, {**values, "updated_at": {"S": iso_utc(at)}})

    def mark_failed(self, ref: ImageRef, reason: str, at: datetime) -> ProductImage:
        """Complete a pending record with the reason why it is no picture."""
        values = {"error": {"S": reason}, "updated_at": {"S": iso_utc(at)}}
        return self._change_status(ref, ImageStatus.FAILED, values)

    def move_primary(self, image: ProductImage) -> bool:
        """Move the pointer on the condition that it moves forward in time, or stands there already."""
        try:
            with passing_errors_as_unavailable():
                self._client.update_item(
                    TableName=self._table,
                    Key=product_key(image.ref.product_id),
                    UpdateExpression="SET primary_image_id = :id, primary_recency = :recency",
                    ConditionExpression="attribute_exists(pk) AND "
                    "(attribute_not_exists(primary_recency) OR primary_recency <= :recency)",
                    ExpressionAttributeValues={
                        ":id": {"N": str(image.ref.image_id)},
                        ":recency": {"S": image.recency},
                    },
                )
        except ClientError as error:
            if failed_condition(error):
                return False
            raise
        return True

    def primary_image_id(self, product_id: int) -> int | None:
        """Read the product's pointer, consistently."""
        with passing_errors_as_unavailable():
            answer = self._client.get_item(
                TableName=self._table, Key=product_key(product_id), ConsistentRead=True
            )
        pointer = answer.get("Item", {}).get("primary_image_id")
        return int(pointer["N"]) if pointer else None

    def lease(self, size: int) -> int:
        """Take the next `size` identifiers off the counter (one atomic ADD)."""
        with passing_errors_as_unavailable():
            answer = self._client.update_item(
                TableName=self._table,
                Key=_COUNTER_KEY,
                UpdateExpression="ADD last_id :size",
                ExpressionAttributeValues={":size": {"N": str(size)}},
                ReturnValues="UPDATED_NEW",
            )
        return int(answer["Attributes"]["last_id"]["N"]) - size + 1

    def _change_status(
        self, ref: ImageRef, status: ImageStatus, values: Item, from_: Item = _PENDING
    ) -> ProductImage:
        """Set status and values if the status is one of `from_`; return the record as it then stands."""
        attributes = {**values, "status": {"S": status}}
        try:
            with passing_errors_as_unavailable():
                answer = self._client.update_item(
                    TableName=self._table,
                    Key=_image_key(ref.product_id, ref.image_id),
                    UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
                    ConditionExpression=f"#status IN ({', '.join(from_)})",
                    ExpressionAttributeNames={f"#{name}": name for name in attributes},
                    ExpressionAttributeValues={
                        **from_,
                        **{f":{name}": value for name, value in attributes.items()},
                    },
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ClientError as error:
            if not failed_condition(error):
                raise
            present = error.response.get("Item")
            if not isinstance(present, dict):
                message = f"There is no record of the image whose bytes belong at {ref.key}."
                raise ImageRecordMissingError(message) from error
            return _from_item(present)
        return _from_item(answer["Attributes"])


def product_key(product_id: int) -> Item:
    """Return the key of a product's item."""
    return {"pk": {"S": f"PRODUCT#{product_id}"}, "sk": {"S": "PRODUCT"}}


def _image_key(product_id: int, image_id: int) -> Item:
    return {"pk": {"S": f"PRODUCT#{product_id}"}, "sk": {"S": f"{IMAGE_PREFIX}{image_id:016d}"}}


def _to_item(image: ProductImage) -> Item:
    return {
        **_image_key(image.ref.product_id, image.ref.image_id),
        "product_id": {"N": str(image.ref.product_id)},
        "image_id": {"N": str(image.ref.image_id)},
        "type": {"S": image.ref.image_format.name},
        "user_id": {"N": str(image.user.id)},
        "username": {"S": image.user.username},
        "full_name": {"S": image.user.full_name},
        "name": {"S": image.name},
        "size": {"N": str(image.size_bytes)},
        "alt_text": {"S": image.alt_text},
        "primary_requested": {"BOOL": image.primary_requested},
        "order": {"N": str(image.order)},
        "status": {"S": image.status},
        "created_at": {"S": iso_utc(image.created_at)},
        "updated_at": {"S": iso_utc(image.updated_at)},
    }


def _from_item(item: Mapping[str, Any]) -> ProductImage:
    def number(name: str) -> int:
        return int(item[name]["N"])

    facts = None
    if "width" in item:
        facts = ImageFacts(number("width"), number("height"), item["mode"]["S"])
    return ProductImage(
        ref=ImageRef(number("product_id"), number("image_id"), ImageFormat[item["type"]["S"]]),
        user=User(number("user_id"), item["username"]["S"], item["full_name"]["S"]),
        name=item["name"]["S"],
        size_bytes=number("size"),
        alt_text=item["alt_text"]["S"],
        primary_requested=item["primary_requested"]["BOOL"],
        order=number("order"),
        status=ImageStatus(item["status"]["S"]),
        facts=facts,
        error=item.get("error", {}).get("S"),
        created_at=datetime.fromisoformat(item["created_at"]["S"]),
        updated_at=datetime.fromisoformat(item["updated_at"]["S"]),
    )
