"""The records of a product's pictures, as they go with it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from adapters.aws import passing_errors_as_unavailable, tries_of_a_read
from adapters.dynamo_items import IMAGE_PREFIX, identifiers_of, image_from_item, image_key, product_key
from domain.errors import ImageRecordDamagedError, UnavailableError
from domain.image_events import ImageSummary
from domain.product_ports import Belonging

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MOST_IN_A_BATCH = 25
"""That DynamoDB takes (its API reference, BatchWriteItem); each step is one, so that little is done twice."""


class DynamoBelongings:
    """Reads and deletes twenty-five records at once."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def some(self, product_id: int) -> list[Belonging]:
        """Query the first ones; those before them are deleted already, and cost nothing."""
        with passing_errors_as_unavailable():
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :image)",
                ExpressionAttributeValues={
                    ":pk": product_key(product_id)["pk"],
                    ":image": {"S": IMAGE_PREFIX},
                },
                ConsistentRead=True,
                Limit=_MOST_IN_A_BATCH,
            )
        return [Belonging(identifiers_of(item)[1], _summary(item)) for item in answer["Items"]]

    def forget(self, product_id: int, image_ids: Sequence[int]) -> None:
        """Delete those that `some` returned in a batch; what DynamoDB leaves out is deleted again."""
        requests: Any = [{"DeleteRequest": {"Key": image_key(product_id, each)}} for each in image_ids]
        for _ in tries_of_a_read():
            with passing_errors_as_unavailable():
                answer = self._client.batch_write_item(RequestItems={self._table: requests})
            requests = answer.get("UnprocessedItems", {}).get(self._table)
            if not requests:
                return
        raise UnavailableError


def _summary(item: Mapping[str, Any]) -> ImageSummary | None:
    try:
        return ImageSummary.of(image_from_item(item))
    except ImageRecordDamagedError:
        return None
