"""Many items of a table in one read."""

from typing import TYPE_CHECKING, Any

from adapters.aws import passing_errors_as_unavailable, tries_of_a_read
from adapters.dynamo_items import Item
from domain.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient


def read_batch(
    client: "DynamoDBClient", table: str, keys: "Sequence[Mapping[str, Any]]", *, consistent: bool
) -> list[Item]:
    """Read up to 100 items by their keys, in no order; what DynamoDB leaves out is asked for again.

    Raises:
        UnavailableError: after three tries some are still left out.

    """
    items: list[Item] = []
    for _ in tries_of_a_read():
        with passing_errors_as_unavailable():
            answer = client.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": consistent}})
        items += answer["Responses"].get(table, [])
        left = answer.get("UnprocessedKeys", {}).get(table)
        if left is None:
            return items
        keys = left["Keys"]
    raise UnavailableError
