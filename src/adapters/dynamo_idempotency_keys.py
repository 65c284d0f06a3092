"""Claims on idempotency keys in the table of what is forgotten after a while."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from adapters.aws import failed_condition, passing_errors_as_unavailable
from domain.claim import BegunPicture, Claim
from domain.moments import iso_utc

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import PutItemInputTypeDef

EXPIRATION = "expiration"
"""The attribute that says when DynamoDB may remove an item, in seconds since 1970."""


class DynamoIdempotencyKeys:
    """One item for each key; every change is one call, on the condition that the claim is as it was seen."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def claim(self, key: str, claim: Claim, over: Claim | None = None) -> Claim | None:
        """Put the claim; if another is there, that comes back with the refusal."""
        put: PutItemInputTypeDef = {
            "TableName": self._table,
            "Item": {**_key(key), **_item(claim)},
            "ConditionExpression": "attribute_not_exists(id)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if over is not None:
            put["ConditionExpression"] = "attribute_not_exists(id) OR claimed_by = :seen"
            put["ExpressionAttributeValues"] = {":seen": {"S": over.token}}
        with passing_errors_as_unavailable():
            try:
                self._client.put_item(**put)
            except ClientError as error:
                if not failed_condition(error):
                    raise
                present: Any = error.response["Item"]  # type: ignore[typeddict-item] # DynamoDB adds it
                found = _claim(present)
                # The reply to an earlier try may have been lost: then the claim that is there is ours.
                return None if found.token == claim.token else found
        return None

    def keep(self, key: str, token: str, answer: Mapping[str, Any]) -> None:
        """Set the answer, as JSON without spaces: with a usual one the item stays below 1 KB, one unit."""
        written = json.dumps(answer, separators=(",", ":"))
        self._update(key, token, "SET answer = :answer", {":answer": {"S": written}})

    def let_go(self, key: str, token: str, *, is_counted: bool) -> None:
        """Remove the moment until which the claim is held."""
        update = "SET is_counted = :is_counted REMOVE held_until"
        self._update(key, token, update, {":is_counted": {"BOOL": is_counted}})

    def forget(self, key: str, token: str) -> None:
        """Delete the item."""
        _unless_refused(
            lambda: self._client.delete_item(
                TableName=self._table,
                Key=_key(key),
                ConditionExpression="claimed_by = :token",
                ExpressionAttributeValues={":token": {"S": token}},
            )
        )

    def _update(self, key: str, token: str, update: str, values: dict[str, Any]) -> None:
        _unless_refused(
            lambda: self._client.update_item(
                TableName=self._table,
                Key=_key(key),
                UpdateExpression=update,
                ConditionExpression="claimed_by = :token",
                ExpressionAttributeValues={":token": {"S": token}, **values},
            )
        )


def _unless_refused(write: Callable[[], object]) -> None:
    try:
        with passing_errors_as_unavailable():
            write()
    except ClientError as error:
        if not failed_condition(error):
            raise


def _key(key: str) -> dict[str, Any]:
    # A client's key may say anything, and of any length; its digest says nothing.
    return {"id": {"S": f"key#{hashlib.sha256(key.encode()).hexdigest()}"}}


def _item(claim: Claim) -> dict[str, Any]:
    item: dict[str, Any] = {
        "request": {"S": claim.request},
        "claimed_by": {"S": claim.token},
        "image_id": {"N": str(claim.picture.image_id)},
        "begun_at": {"S": iso_utc(claim.picture.at)},
        "is_counted": {"BOOL": claim.is_counted},
        EXPIRATION: {"N": str(int(claim.expires_at.timestamp()))},
    }
    if claim.held_until is not None:
        item["held_until"] = {"S": iso_utc(claim.held_until)}
    return item


def _claim(item: Mapping[str, Any]) -> Claim:
    held_until, answer = item.get("held_until"), item.get("answer")
    return Claim(
        request=item["request"]["S"],
        token=item["claimed_by"]["S"],
        held_until=datetime.fromisoformat(held_until["S"]) if held_until else None,
        picture=BegunPicture(int(item["image_id"]["N"]), datetime.fromisoformat(item["begun_at"]["S"])),
        is_counted=item["is_counted"]["BOOL"],
        answer=json.loads(answer["S"]) if answer else None,
        expires_at=datetime.fromtimestamp(int(item[EXPIRATION]["N"]), UTC),
    )
