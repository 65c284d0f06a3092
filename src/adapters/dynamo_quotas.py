"""Counters of a day's uploads in the table of what is forgotten after a while."""

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from adapters.aws import failed_condition, passing_errors_as_unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEPT = timedelta(days=2)


class DynamoQuotas:
    """One item for each key and day, which DynamoDB removes when it is over."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def take(self, key_id: str, day: date, limit: int) -> bool:
        """Count one more (one atomic ADD, on a condition; a lost reply may count it twice)."""
        expires = int((datetime.combine(day, time(tzinfo=UTC)) + _KEPT).timestamp())
        with passing_errors_as_unavailable():
            try:
                self._client.update_item(
                    TableName=self._table,
                    Key={"id": {"S": f"quota#{key_id}#{day.isoformat()}"}},
                    UpdateExpression="ADD uploads :one SET expiration = :expires",
                    ConditionExpression="attribute_not_exists(uploads) OR uploads < :limit",
                    ExpressionAttributeValues={
                        ":one": {"N": "1"},
                        ":expires": {"N": str(expires)},
                        ":limit": {"N": str(limit)},
                    },
                )
            except ClientError as error:
                if failed_condition(error):
                    return False
                raise
        return True
