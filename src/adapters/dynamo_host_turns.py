"""Turns at hosts, in the table of what is forgotten after a while."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from adapters.aws import failed_condition, passing_errors_as_unavailable
from adapters.dynamo_idempotency_keys import EXPIRATION
from domain.fetching import HostBusyError, Turn
from domain.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HOST = "host#"
"""How the items of turns begin, and no others in their table: the role may change these alone."""
_KEPT = timedelta(days=2)
_LONGEST_TURN = timedelta(seconds=60)
"""As long as the function runs that fetches: after that its turn is over, whatever became of it."""
_SPACING = timedelta(seconds=1)
"""From request to request in one lane."""
_MILLISECOND = timedelta(milliseconds=1)


class DynamoHostTurns:
    """A host has so many lanes as it may get requests in a second; in each, one fetch goes after the other.

    An item for each lane says until when it is taken, until when places in its queue are given away, and how
    long the last fetch took. So a slow host holds as many functions as it has lanes, and a message that
    waits comes back about once.
    """

    def __init__(self, client: "DynamoDBClient", table: str, lanes: int, clock: Clock) -> None:
        self._client = client
        self._table = table
        self._lanes = lanes
        self._clock = clock

    def enter(self, host: str, number: int) -> Turn:
        """Take the lane, on the condition that nobody has it; else take a place in its queue."""
        now = self._clock()
        turn = Turn(host, number % self._lanes, now, now + _LONGEST_TURN)
        is_free, present = self._update(
            turn,
            f"SET taken_until = :until, {EXPIRATION} = :expires",
            "attribute_not_exists(taken_until) OR taken_until <= :now",
            {":until": _number(turn.until), ":now": _number(now), ":expires": _seconds(now + _KEPT)},
        )
        if not is_free:
            raise HostBusyError(self._place(turn, present))
        return turn

    def leave(self, turn: Turn, requests: int) -> None:
        """Let the next one have the lane as soon as it may, on the condition that it is still this one's."""
        free_at = max(self._clock(), turn.entered_at + requests * _SPACING)
        self._update(
            turn,
            "SET taken_until = :free_at, step = :step",
            "taken_until = :until",
            {
                ":free_at": _number(free_at),
                ":until": _number(turn.until),
                ":step": {"N": str((free_at - turn.entered_at) // _MILLISECOND)},
            },
        )

    def _place(self, turn: Turn, present: dict[str, Any]) -> datetime:
        """Return the place behind the last one, as far from it as the last fetch took; else the first."""
        now = _number(turn.entered_at)
        step = present.get("step", {"N": str(_SPACING // _MILLISECOND)})
        is_behind, lane = self._update(
            turn,
            "SET queue_until = queue_until + :step",
            "queue_until >= :now",
            {":step": step, ":now": now},
        )
        if not is_behind:
            # Of two that find the queue empty both get the first place, and one of them comes once more.
            values = {":step": step, ":now": now}
            _, lane = self._update(turn, "SET queue_until = :now + :step", "attribute_exists(id)", values)
        return datetime.fromtimestamp(int(lane["queue_until"]["N"]) / 1000, UTC)

    def _update(
        self, turn: Turn, update: str, condition: str, values: dict[str, Any]
    ) -> tuple[bool, dict[str, Any]]:
        """Update a lane; return whether the condition held, and what is changed, or the item as it is."""
        with passing_errors_as_unavailable():
            try:
                answer = self._client.update_item(
                    TableName=self._table,
                    Key={"id": {"S": f"{HOST}{turn.host}#{turn.lane}"}},
                    UpdateExpression=update,
                    ConditionExpression=condition,
                    ExpressionAttributeValues=values,
                    ReturnValues="UPDATED_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if not failed_condition(error):
                    raise
                present: dict[str, Any] = error.response.get("Item", {})  # type: ignore[assignment]
                return False, present
        return True, answer["Attributes"]


def _number(moment: datetime) -> dict[str, str]:
    return {"N": str(int(moment.timestamp() * 1000))}


def _seconds(moment: datetime) -> dict[str, str]:
    return {"N": str(int(moment.timestamp()))}
