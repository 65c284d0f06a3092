"""Counters of a day's uploads in the table of what is forgotten after a while."""

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from adapters.aws import passing_errors_as_unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEPT = timedelta(days=2)


class DynamoQuotas:
    """One item for each key and day, which DynamoDB removes when it is over."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def take(self, key_id: str, day: date) -> int:
        """Count one more (one atomic ADD; a lost reply may count it twice)."""
        expires = int((datetime.combine(day, time(tzinfo=UTC)) + _KEPT).timestamp())
        with passing_errors_as_unavailable():
            answer = self._client.update_item(
                TableName=self._table,
                Key={"id": {"S": f"quota#{key_id}#{day.isoformat()}"}},
                UpdateExpression="ADD uploads :one SET expiration = :expires",
                ExpressionAttributeValues={":one": {"N": "1"}, ":expires": {"N": str(expires)}},
                ReturnValues="UPDATED_NEW",
            )
        return int(answer["Attributes"]["uploads"]["N"])
