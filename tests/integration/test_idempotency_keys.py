"""What the keepers of idempotency keys promise, of the one on DynamoDB and of the fake."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from adapters.aws import dynamodb_client
from adapters.dynamo_idempotency_keys import DynamoIdempotencyKeys
from domain.claim import Claim
from domain.errors import UnavailableError
from domain.ports import IdempotencyKeys
from tests.builders import NOW, TRY, a_claim, an_idempotency_table
from tests.fakes import InMemoryIdempotencyKeys
from tests.integration.faults import hook, lose_every_reply, lose_first_reply

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

OTHERS = a_claim(request="POST /images 4567", token="another try")  # noqa: S106 - no secret
ANSWER = {"statusCode": 201, "headers": {"Location": "images/1"}, "body": '{"name": "\U0001f45f"}'}


@pytest.fixture
def client() -> Iterator["DynamoDBClient"]:
    with mock_aws():
        yield dynamodb_client()


@pytest.fixture
def table(client: "DynamoDBClient") -> str:
    return an_idempotency_table(client)


@pytest.fixture(params=["in memory", "on DynamoDB"])
def keys(request: pytest.FixtureRequest, client: "DynamoDBClient", table: str) -> IdempotencyKeys:
    if request.param == "in memory":
        return InMemoryIdempotencyKeys()
    return DynamoIdempotencyKeys(client, table)


@pytest.mark.parametrize("claim", [a_claim(), a_claim(held_until=None, is_counted=False)])
def test_the_first_claim_is_written_and_shown_to_others_as_it_is(keys: IdempotencyKeys, claim: Claim) -> None:
    assert keys.claim("a", claim) is None
    assert keys.claim("a", OTHERS) == claim


def test_each_key_has_a_claim_of_its_own(keys: IdempotencyKeys) -> None:
    assert [keys.claim("a", a_claim()), keys.claim("b", OTHERS)] == [None, None]


def test_a_claim_knows_its_own(keys: IdempotencyKeys) -> None:
    assert [keys.claim("a", a_claim()), keys.claim("a", a_claim())] == [None, None]


def test_a_claim_is_written_over_the_one_that_was_found(keys: IdempotencyKeys) -> None:
    keys.claim("a", a_claim())
    assert keys.claim("a", OTHERS, over=a_claim()) is None
    assert keys.claim("a", a_claim()) == OTHERS


def test_of_two_that_found_the_same_claim_one_writes_over_it(keys: IdempotencyKeys) -> None:
    keys.claim("a", a_claim())
    third = OTHERS._replace(token="a third try")  # noqa: S106 - no secret
    assert keys.claim("a", OTHERS, over=a_claim()) is None
    assert keys.claim("a", third, over=a_claim()) == OTHERS


def test_a_claim_over_one_that_is_gone_is_written(keys: IdempotencyKeys) -> None:
    assert keys.claim("a", OTHERS, over=a_claim()) is None
    assert keys.claim("a", a_claim()) == OTHERS


def test_an_answer_is_kept_as_it_is(keys: IdempotencyKeys) -> None:
    keys.claim("a", a_claim())
    keys.keep("a", TRY, ANSWER)
    assert keys.claim("a", OTHERS) == a_claim(answer=ANSWER)


@pytest.mark.parametrize("is_counted", [True, False])
def test_a_claim_that_was_let_go_is_held_no_more(keys: IdempotencyKeys, is_counted: bool) -> None:
    keys.claim("a", a_claim())
    keys.let_go("a", TRY, is_counted=is_counted)
    assert keys.claim("a", OTHERS) == a_claim(held_until=None, is_counted=is_counted)


def test_a_claim_that_was_forgotten_is_gone(keys: IdempotencyKeys) -> None:
    keys.claim("a", a_claim())
    keys.forget("a", TRY)
    assert keys.claim("a", OTHERS) is None


def test_the_claim_of_another_try_is_left_alone(keys: IdempotencyKeys) -> None:
    keys.claim("a", OTHERS)
    keys.keep("a", TRY, ANSWER)
    keys.let_go("a", TRY, is_counted=False)
    keys.forget("a", TRY)
    assert keys.claim("a", a_claim()) == OTHERS


def test_a_claim_that_is_not_there_is_not_made_by_what_changes_it(keys: IdempotencyKeys) -> None:
    keys.keep("a", TRY, ANSWER)
    keys.let_go("a", TRY, is_counted=False)
    keys.forget("a", TRY)
    assert keys.claim("a", OTHERS) is None


# --- The table alone --------------------------------------------------------------------------------------


def test_the_table_forgets_a_claim_when_its_key_is_free(client: "DynamoDBClient", table: str) -> None:
    DynamoIdempotencyKeys(client, table).claim("a", a_claim())
    [item] = client.scan(TableName=table)["Items"]
    day = timedelta(hours=24)
    assert int(item["expiration"]["N"]) == int((NOW + day).timestamp())


def test_the_table_does_not_hold_what_a_client_made_its_key_of(client: "DynamoDBClient", table: str) -> None:
    DynamoIdempotencyKeys(client, table).claim("7#order-of-maria", a_claim())
    assert "maria" not in str(client.scan(TableName=table)["Items"])


@pytest.mark.usefixtures("without_backoff")
def test_a_claim_whose_reply_was_lost_is_made_when_the_sdk_tries_again(
    client: "DynamoDBClient", table: str
) -> None:
    lose_first_reply(client)
    assert DynamoIdempotencyKeys(client, table).claim("a", a_claim()) is None


@pytest.mark.usefixtures("without_backoff")
def test_a_claim_over_another_whose_reply_was_lost_is_made_when_the_sdk_tries_again(
    client: "DynamoDBClient", table: str
) -> None:
    keys = DynamoIdempotencyKeys(client, table)
    keys.claim("a", a_claim())
    lose_first_reply(client)
    assert keys.claim("a", OTHERS, over=a_claim()) is None
    assert keys.claim("a", a_claim()) == OTHERS


@pytest.mark.usefixtures("without_backoff")
def test_a_claim_of_which_nothing_is_heard_is_a_passing_fault(client: "DynamoDBClient", table: str) -> None:
    lose_every_reply(client)
    with pytest.raises(UnavailableError):
        DynamoIdempotencyKeys(client, table).claim("a", a_claim())


def test_a_claim_is_made_by_one_call(client: "DynamoDBClient", table: str) -> None:
    made: list[str] = []
    hook(client, "before-call", lambda model, **_: made.append(model.name))
    DynamoIdempotencyKeys(client, table).claim("a", a_claim())
    DynamoIdempotencyKeys(client, table).claim("a", OTHERS)
    assert made == ["PutItem", "PutItem"]
