"""The products of the catalogue table, as operators add and remove them."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from adapters.aws import failed_condition, passing_errors_as_unavailable, with_persistence
from adapters.dynamo_items import IMAGE_PREFIX, product_key, product_to_item
from domain.errors import ProductHasImagesError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoProducts:
    """The products of the catalogue, for operators."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

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
        """Write what the record lacks, and the title if one is named (one UpdateItem)."""
        key = product_key(product_id)
        record = {
            name: value for name, value in product_to_item(product_id, title).items() if name not in key
        }
        told = {"title", "search"} if title else set()
        steps = [
            f"#{name} = :{name}" if name in told else f"#{name} = if_not_exists(#{name}, :{name})"
            for name in record
        ]
        with passing_errors_as_unavailable():
            answer = with_persistence(
                lambda: self._client.update_item(
                    TableName=self._table,
                    Key=key,
                    UpdateExpression=f"SET {', '.join(steps)}",
                    ExpressionAttributeNames={f"#{name}": name for name in record},
                    ExpressionAttributeValues={f":{name}": value for name, value in record.items()},
                    ReturnValues="ALL_OLD",
                )
            )
        return not answer.get("Attributes")

    def remove(self, product_id: int) -> bool:
        """Delete the product unless a query finds pictures of it, or one came in since."""
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
        try:
            with passing_errors_as_unavailable():
                answer = with_persistence(
                    lambda: self._client.delete_item(
                        TableName=self._table,
                        Key=product_key(product_id),
                        ConditionExpression="attribute_not_exists(image_count) OR image_count = :none",
                        ExpressionAttributeValues={":none": {"N": "0"}},
                        ReturnValues="ALL_OLD",
                    )
                )
        except ClientError as error:
            if not failed_condition(error):
                raise
            raise ProductHasImagesError(product_id) from error
        return "Attributes" in answer
