import itertools
import json
import string
from collections.abc import Callable, Iterator
from typing import Any, override

import boto3
import pytest
from aws_lambda_powertools import Logger
from moto import mock_aws

from adapters.dynamo_api_keys import DynamoApiKeys
from domain.api_key import ApiKey, Role, generate_key, is_well_formed
from domain.authorize import Authorize
from domain.errors import UnavailableError
from domain.issue_key import IssueKey
from handlers.authorize import AuthorizeHandler
from tests.builders import NOW, OPERATOR, USER, a_context, a_keys_table, jpeg, upload_event
from tests.fakes import InMemoryApiKeys
from tests.forms import upload_form
from tests.torture.results import size
from tests.unit.hostile_service import Service

hostile = pytest.mark.torture("one-character changes of a valid key")

CHANGES = 10_000
STEP = size(1, 7, "is the step from one change of a key to the next that is tried")
"""Of some 137 changes at each place of a key, all are tried or every seventh."""
ALPHABET = string.digits + string.ascii_letters
SECRET = slice(len("pik_"), -6)
METHOD_ARN = "arn:aws:execute-api:eu-central-1:123456789012:abcdef123/v1/POST/api/products/42/images"


class CountedApiKeys(InMemoryApiKeys):
    """Counts how often its table is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    @override
    def find(self, key_hash: str) -> ApiKey | None:
        self.reads += 1
        return super().find(key_hash)


def a_request(key: str) -> dict[str, Any]:
    return {"type": "TOKEN", "authorizationToken": f"Token {key}", "methodArn": METHOD_ARN}


def changes_of(key: str) -> Iterator[str]:
    """Return keys that differ in one character: another one, one more, one less, two swapped."""
    for at, character in enumerate(key):
        yield from (key[:at] + other + key[at + 1 :] for other in ALPHABET if other != character)
        yield from (key[:at] + other + key[at + 1 :] for other in "_-+/=.\u00e9\u0391\uff11\0\n\U0001f45f")
        yield key[:at] + key[at + 1 :]
        yield key[:at] + key[at : at + 2][::-1] + key[at + 2 :]
        yield from (key[:at] + other + key[at:] for other in ALPHABET)


def assert_unauthorized(handler: AuthorizeHandler, key: str) -> None:
    with pytest.raises(Exception, match=r"\AUnauthorized\Z") as caught:
        handler(a_request(key), a_context())
    assert caught.type is Exception


@hostile
def test_no_key_with_one_character_changed_opens_anything_or_costs_a_read(
    tried: Callable[[int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    tried(CHANGES // STEP)
    api_keys = CountedApiKeys()
    issue_key = IssueKey(api_keys, lambda: NOW, OPERATOR)
    handler = AuthorizeHandler(Authorize(api_keys, lambda: NOW), Logger(service="authorize"))
    keys = (issue_key(USER, Role.ADMIN)[0] for _ in itertools.count())
    changed = ((key, change) for key in keys for change in changes_of(key) if change != key)
    well_formed = 0
    for key, change in itertools.islice(changed, 0, CHANGES, STEP):
        well_formed += is_well_formed(change)
        assert_unauthorized(handler, change)
        assert key[SECRET] not in capsys.readouterr().out
    # A CRC notices every change of one character; none of them had a checksum that holds.
    assert (api_keys.reads, well_formed) == (0, 0)


@hostile
def test_a_key_that_nobody_has_costs_the_one_read_that_its_checksum_asks_for() -> None:
    api_keys = CountedApiKeys()
    handler = AuthorizeHandler(Authorize(api_keys, lambda: NOW), Logger(service="authorize"))
    assert_unauthorized(handler, generate_key())
    assert api_keys.reads == 1


@hostile
def test_a_key_stands_in_no_table_no_log_and_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    with mock_aws():
        client = boto3.client("dynamodb")
        table = a_keys_table(client)
        api_keys = DynamoApiKeys(client, table)
        key, record = IssueKey(api_keys, lambda: NOW, OPERATOR)(USER, Role.STAFF)
        handler = AuthorizeHandler(Authorize(api_keys, lambda: NOW), Logger(service="authorize"))
        policy = handler(a_request(key), a_context())
        event = upload_event(upload_form(jpeg()), headers={"Authorization": f"Token {key}"})
        event["requestContext"]["authorizer"] |= policy["context"]
        answers: list[object] = [policy, Service().upload(event), Service().upload(event | {"body": "!"})]
        api_keys.revoke(record.id, OPERATOR, NOW)
        assert_unauthorized(handler, key)
        assert_unauthorized(handler, key[:-1])
        answers.append(client.scan(TableName=table)["Items"])
    captured = capsys.readouterr()
    told = json.dumps(answers) + captured.out + captured.err
    assert record.id in told
    # People know a key by its first six characters; the other forty stand nowhere.
    for secret in (key, key[SECRET], key[len(record.prefix) :], key[len(record.prefix) : SECRET.stop]):
        assert secret not in told


@hostile
def test_a_key_stands_in_no_trace_of_a_fault_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    def unreachable(_key: str) -> ApiKey:
        raise UnavailableError

    key = generate_key()
    with pytest.raises(UnavailableError) as caught:
        AuthorizeHandler(unreachable, Logger(service="authorize"))(a_request(key), a_context())
    event = upload_event(upload_form(jpeg()), headers={"Authorization": f"Token {key}"})
    response = Service().upload(event | {"stageVariables": None})
    assert response["statusCode"] == 500
    told = str(caught.getrepr(style="short")) + response["body"] + capsys.readouterr().out
    assert "Traceback" in told
    assert key[SECRET] not in told
