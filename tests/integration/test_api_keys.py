from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from adapters.aws import dynamodb_client
from adapters.dynamo_api_keys import DynamoApiKeys
from domain.api_key import ApiKey, Role
from domain.ports import ApiKeys
from tests.builders import NOW, OPERATOR, a_keys_table, an_api_key
from tests.fakes import InMemoryApiKeys
from tests.integration.faults import answer_with, hook


@contextmanager
def keys_in_memory() -> Iterator[ApiKeys]:
    yield InMemoryApiKeys()


@contextmanager
def keys_on_dynamodb() -> Iterator[ApiKeys]:
    with mock_aws():
        client = dynamodb_client()
        yield DynamoApiKeys(client, a_keys_table(client))


@pytest.fixture(
    params=[
        pytest.param(keys_in_memory, id="in memory", marks=pytest.mark.fast),
        pytest.param(keys_on_dynamodb, id="on DynamoDB"),
    ]
)
def api_keys(request: pytest.FixtureRequest) -> Iterator[ApiKeys]:
    with request.param() as api_keys:
        yield api_keys


def revoke(api_keys: ApiKeys, key_id: str) -> ApiKey | None:
    return api_keys.revoke(key_id, OPERATOR, NOW)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("expires_at", [None, NOW + timedelta(days=90)])
@pytest.mark.parametrize("is_active", [True, False])
def test_a_record_is_found_by_the_hash_it_was_added_with(
    api_keys: ApiKeys, role: Role, expires_at: datetime | None, is_active: bool
) -> None:
    key = an_api_key(role=role, expires_at=expires_at, is_active=is_active)
    api_keys.add("hash", key)
    assert api_keys.find("hash") == key
    assert api_keys.find("another hash") is None


def test_all_records_are_listed(api_keys: ApiKeys) -> None:
    keys = [an_api_key(id=str(number)) for number in range(30)]
    for key in keys:
        api_keys.add(f"hash {key.id}", key)
    assert sorted(api_keys.all(), key=lambda key: int(key.id)) == keys


def test_there_may_be_no_record(api_keys: ApiKeys) -> None:
    assert list(api_keys.all()) == []


def test_a_revoked_key_is_inactive_and_still_there(api_keys: ApiKeys) -> None:
    key, other = an_api_key(id="a"), an_api_key(id="b")
    api_keys.add("hash a", key)
    api_keys.add("hash b", other)
    revoked = replace(key, is_active=False, revoked_by=OPERATOR, revoked_at=NOW)
    assert revoke(api_keys, "a") == revoked
    assert (api_keys.find("hash a"), api_keys.find("hash b")) == (revoked, other)


def test_a_key_may_be_revoked_twice_and_keeps_who_was_first(api_keys: ApiKeys) -> None:
    api_keys.add("hash", an_api_key())
    first = revoke(api_keys, an_api_key().id)
    assert first is not None
    assert (first.revoked_by, first.revoked_at) == (OPERATOR, NOW)
    assert api_keys.revoke(an_api_key().id, "somebody else", NOW + timedelta(days=1)) == first


def test_revoking_an_unknown_key_is_told(api_keys: ApiKeys) -> None:
    api_keys.add("hash", an_api_key())
    assert revoke(api_keys, "no such id") is None
    assert api_keys.find("hash") == an_api_key()


def test_a_key_that_is_removed_leaves_no_record_and_may_be_gone_already() -> None:
    with mock_aws():
        client = dynamodb_client()
        api_keys = DynamoApiKeys(client, a_keys_table(client))
        api_keys.add("hash", an_api_key())
        for _ in range(2):
            api_keys.remove("hash")
            assert list(api_keys.all()) == []


def test_a_record_from_before_operators_were_noted_still_reads_and_can_be_revoked() -> None:
    with mock_aws():
        client = dynamodb_client()
        table = a_keys_table(client)
        api_keys = DynamoApiKeys(client, table)
        api_keys.add("hash", an_api_key(issued_by=None))
        [item] = client.scan(TableName=table)["Items"]
        assert not {"issued_by", "revoked_by", "revoked_at"} & item.keys()
        assert api_keys.find("hash") == an_api_key(issued_by=None)
        revoked = revoke(api_keys, an_api_key().id)
        assert revoked == an_api_key(issued_by=None, is_active=False, revoked_by=OPERATOR, revoked_at=NOW)


def test_a_table_of_many_pages_is_read_to_its_end() -> None:
    with mock_aws():
        client = dynamodb_client()
        api_keys = DynamoApiKeys(client, a_keys_table(client))
        for number in range(7):
            api_keys.add(f"hash {number}", an_api_key(id=str(number)))
        hook(client, "provide-client-params.dynamodb.Scan", lambda params, **_: {**params, "Limit": 2})
        assert {key.id for key in api_keys.all()} == set("0123456")
        for number in range(7):
            assert revoke(api_keys, str(number)) == an_api_key(
                id=str(number), is_active=False, revoked_by=OPERATOR, revoked_at=NOW
            )


def test_a_key_that_is_deleted_while_it_is_revoked_is_told_as_unknown() -> None:
    with mock_aws():
        client, other = dynamodb_client(), dynamodb_client()
        table = a_keys_table(client)
        api_keys = DynamoApiKeys(client, table)
        api_keys.add("hash", an_api_key())

        def delete_first(**_: object) -> None:
            other.delete_item(TableName=table, Key={"key_hash": {"S": "hash"}})

        hook(client, "before-call.dynamodb.UpdateItem", delete_first)
        assert revoke(api_keys, an_api_key().id) is None
        assert api_keys.find("hash") is None


def test_a_revocation_that_dynamodb_turns_down_rises() -> None:
    with mock_aws():
        client = dynamodb_client()
        api_keys = DynamoApiKeys(client, a_keys_table(client))
        api_keys.add("hash", an_api_key())
        answer_with(client, "AccessDeniedException", event="before-call.dynamodb.UpdateItem")
        with pytest.raises(ClientError, match="AccessDeniedException"):
            revoke(api_keys, an_api_key().id)
