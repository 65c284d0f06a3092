"""Counters of a day's uploads in the table of what is forgotten after a while."""

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from adapters.aws import failed_condition, passing_errors_as_unavailable
from adapters.dynamo_idempotency_keys import EXPIRATION
from domain.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEPT = timedelta(days=2)


class DynamoQuotas:
    """One item for each key and day, which DynamoDB removes when the day is over.

    It keeps the token of the last step. A try whose reply was lost finds its own token, and counts no more.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def take(self, key_id: str, day: date, limit: int, token: str) -> bool:
        """Count one more (one atomic ADD, on a condition)."""
        expires = int((datetime.combine(day, time(tzinfo=UTC)) + _KEPT).timestamp())
        try:
            present = self._step(
                _key(key_id, day),
                token,
                f"ADD uploads :step SET last_step = :token, {EXPIRATION} = :expires",
                "attribute_not_exists(uploads) OR (uploads < :limit AND last_step <> :token)",
                {":step": {"N": "1"}, ":limit": {"N": str(limit)}, ":expires": {"N": str(expires)}},
            )
        except UnavailableError:
            # It may be counted all the same.
            with suppress(UnavailableError):
                self._give_back(key_id, day, token, "last_step = :taken", {":taken": {"S": token}})
            raise
        return present is None or present["last_step"]["S"] == token

    def give_back(self, key_id: str, day: date, token: str) -> None:
        """Count one less (one atomic ADD, on a condition)."""
        self._give_back(key_id, day, token, "uploads > :none AND last_step <> :token", {":none": {"N": "0"}})

    def _give_back(self, key_id: str, day: date, token: str, condition: str, values: dict[str, Any]) -> None:
        update = "ADD uploads :step SET last_step = :token"
        self._step(_key(key_id, day), f"{token} back", update, condition, {":step": {"N": "-1"}, **values})

    def _step(
        self, key: dict[str, Any], token: str, update: str, condition: str, values: dict[str, Any]
    ) -> dict[str, Any] | None:
        """Update a counter; return it as it is if a condition did not hold."""
        with passing_errors_as_unavailable():
            try:
                self._client.update_item(
                    TableName=self._table,
                    Key=key,
                    UpdateExpression=update,
                    ConditionExpression=condition,
                    ExpressionAttributeValues={":token": {"S": token}, **values},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if not failed_condition(error):
                    raise
                present: dict[str, Any] = error.response.get("Item", {})  # type: ignore[assignment]
                return present
        return None


def _key(key_id: str, day: date) -> dict[str, Any]:
    return {"id": {"S": f"quota#{key_id}#{day.isoformat()}"}}
