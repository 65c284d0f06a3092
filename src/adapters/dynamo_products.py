"""The products of the catalogue table, as operators add and remove them."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from adapters.aws import failed_condition, passing_errors_as_unavailable
from adapters.dynamo_items import IMAGE_PREFIX, product_key
from domain.errors import ProductHasImagesError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoProducts:
    """The products of the catalogue, for operators."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def add(self, product_id: int) -> bool:
        """Put the product on the condition that it is new."""
        try:
            with passing_errors_as_unavailable():
                self._client.put_item(
                    TableName=self._table,
                    Item={**product_key(product_id), "product_id": {"N": str(product_id)}},
                    ConditionExpression="attribute_not_exists(pk)",
                )
        except ClientError as error:
            if failed_condition(error):
                return False
            raise
        return True

    def remove(self, product_id: int) -> bool:
        """Delete the product unless a query finds pictures of it."""
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
            answer = self._client.delete_item(
                TableName=self._table, Key=product_key(product_id), ReturnValues="ALL_OLD"
            )
        return "Attributes" in answer
