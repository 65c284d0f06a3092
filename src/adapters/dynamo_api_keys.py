"""API keys in a DynamoDB table of their own, so that the authorizer's role can read nothing else."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from adapters.aws import failed_condition, passing_errors_as_unavailable
from domain.api_key import ApiKey
from domain.moments import iso_utc
from domain.user import User

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoApiKeys:
    """Finds a key by its hash in one call; lists and revokes for operators by reading the table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def find(self, key_hash: str) -> ApiKey | None:
        """Read one record, consistently: a revoked key must not be seen active."""
        with passing_errors_as_unavailable():
            answer = self._client.get_item(
                TableName=self._table, Key={"key_hash": {"S": key_hash}}, ConsistentRead=True
            )
        return _from_item(answer["Item"]) if "Item" in answer else None

    def add(self, key_hash: str, key: ApiKey) -> None:
        """Put a record."""
        with passing_errors_as_unavailable():
            self._client.put_item(TableName=self._table, Item={"key_hash": {"S": key_hash}, **_to_item(key)})

    def all(self) -> Iterator[ApiKey]:
        """Read the whole table, page by page."""
        return (_from_item(item) for item in self._scan())

    def revoke(self, key_id: str, by: str, at: datetime) -> ApiKey | None:
        """Find the record by its `id` and mark it inactive; who was first to do so stays noted."""
        item = next((item for item in self._scan() if item["id"]["S"] == key_id), None)
        if item is None:
            return None
        try:
            with passing_errors_as_unavailable():
                answer = self._client.update_item(
                    TableName=self._table,
                    Key={"key_hash": item["key_hash"]},
                    UpdateExpression="SET is_active = :false, "
                    "revoked_by = if_not_exists(revoked_by, :by), "
                    "revoked_at = if_not_exists(revoked_at, :at)",
                    ConditionExpression="attribute_exists(key_hash)",
                    ExpressionAttributeValues={
                        ":false": {"BOOL": False},
                        ":by": {"S": by},
                        ":at": {"S": iso_utc(at)},
                    },
                    ReturnValues="ALL_NEW",
                )
        except ClientError as error:
            if failed_condition(error):
                return None
            raise
        return _from_item(answer["Attributes"])

    def remove(self, key_hash: str) -> None:
        """Delete a record, if it is there; a key that was in use is revoked, and its record kept."""
        with passing_errors_as_unavailable():
            self._client.delete_item(TableName=self._table, Key={"key_hash": {"S": key_hash}})

    def _scan(self) -> Iterator[dict[str, Any]]:
        with passing_errors_as_unavailable():
            pages = self._client.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True)
            for page in pages:
                yield from page["Items"]


def _to_item(key: ApiKey) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": {"S": key.id},
        "user_id": {"N": str(key.user.id)},
        "username": {"S": key.user.username},
        "full_name": {"S": key.user.full_name},
        "role": {"S": key.role},
        "is_active": {"BOOL": key.is_active},
        "created_at": {"S": iso_utc(key.created_at)},
        "prefix": {"S": key.prefix},
    }
    moments = {"expires_at": key.expires_at, "revoked_at": key.revoked_at}
    texts = {
        "issued_by": key.issued_by,
        "revoked_by": key.revoked_by,
        **{name: iso_utc(moment) for name, moment in moments.items() if moment is not None},
    }
    return item | {name: {"S": text} for name, text in texts.items() if text is not None}


def _from_item(item: Mapping[str, Any]) -> ApiKey:
    return ApiKey(
        id=item["id"]["S"],
        user=User(int(item["user_id"]["N"]), item["username"]["S"], item["full_name"]["S"]),
        role=item["role"]["S"],
        is_active=item["is_active"]["BOOL"],
        expires_at=_moment(item, "expires_at"),
        created_at=datetime.fromisoformat(item["created_at"]["S"]),
        prefix=item["prefix"]["S"],
        issued_by=_text(item, "issued_by"),
        revoked_by=_text(item, "revoked_by"),
        revoked_at=_moment(item, "revoked_at"),
    )


def _text(item: Mapping[str, Any], name: str) -> str | None:
    """Read an attribute that records from before it do not have."""
    text: str | None = item[name]["S"] if name in item else None
    return text


def _moment(item: Mapping[str, Any], name: str) -> datetime | None:
    text = _text(item, name)
    return datetime.fromisoformat(text) if text else None
