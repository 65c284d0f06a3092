from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from adapters.aws import dynamodb_client
from adapters.dynamo_quotas import DynamoQuotas
from domain.errors import UnavailableError
from domain.ports import Quotas
from tests.builders import an_idempotency_table
from tests.fakes import InMemoryQuotas
from tests.integration.faults import LOST_CONNECTIONS, lose_every_reply, lose_every_request, lose_first_reply

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)


@pytest.fixture
def client() -> Iterator["DynamoDBClient"]:
    with mock_aws():
        yield dynamodb_client()


@pytest.fixture
def table(client: "DynamoDBClient") -> str:
    return an_idempotency_table(client)


@pytest.fixture(params=["in memory", "on DynamoDB"])
def quotas(request: pytest.FixtureRequest, client: "DynamoDBClient", table: str) -> Quotas:
    return InMemoryQuotas() if request.param == "in memory" else DynamoQuotas(client, table)


def uploads(client: "DynamoDBClient", table: str) -> int:
    [item] = client.scan(TableName=table)["Items"]
    return int(item["uploads"]["N"])


# --- What the table and the fake promise alike ------------------------------------------------------------


def test_each_key_may_be_counted_to_its_limit_on_each_day(quotas: Quotas) -> None:
    taken = [("one", MONDAY), ("one", MONDAY), ("other", MONDAY), ("one", TUESDAY), ("one", MONDAY)]
    counted = [quotas.take(*each, 2, f"{number}") for number, each in enumerate(taken)]
    assert counted == [True, True, True, True, False]
    assert quotas.take("one", MONDAY, 3, "5")


def test_a_step_that_is_tried_again_is_counted_once(quotas: Quotas) -> None:
    assert [quotas.take("one", MONDAY, 2, "a") for _ in range(3)] == [True] * 3
    assert [quotas.take("one", MONDAY, 2, token) for token in "bc"] == [True, False]


def test_the_last_that_may_be_counted_may_be_tried_again(quotas: Quotas) -> None:
    assert [quotas.take("one", MONDAY, 1, token) for token in "aab"] == [True, True, False]


def test_what_is_given_back_is_free_once(quotas: Quotas) -> None:
    for token in "ab":
        quotas.take("one", MONDAY, 2, token)
    for _ in range(2):
        quotas.give_back("one", MONDAY, "a")
    assert [quotas.take("one", MONDAY, 2, token) for token in "cd"] == [True, False]


def test_nothing_is_given_back_of_what_was_never_counted(quotas: Quotas) -> None:
    quotas.give_back("one", MONDAY, "a")
    quotas.take("one", MONDAY, 1, "b")
    quotas.give_back("one", MONDAY, "b")
    quotas.give_back("one", MONDAY, "c")
    assert [quotas.take("one", MONDAY, 1, token) for token in "de"] == [True, False]


# --- The table alone --------------------------------------------------------------------------------------


def test_the_table_forgets_after_the_day(client: "DynamoDBClient", table: str) -> None:
    quotas = DynamoQuotas(client, table)
    for day in (MONDAY, TUESDAY):
        quotas.take("one", day, 1, "a")
    expirations = sorted(int(item["expiration"]["N"]) for item in client.scan(TableName=table)["Items"])
    assert [each % 86_400 for each in expirations] == [0, 0]
    assert expirations[1] - expirations[0] == 86_400


@pytest.mark.usefixtures("without_backoff")
def test_a_count_whose_reply_was_lost_is_counted_once(client: "DynamoDBClient", table: str) -> None:
    lose_first_reply(client)
    assert DynamoQuotas(client, table).take("one", MONDAY, 1, "a")
    assert uploads(client, table) == 1


@pytest.mark.usefixtures("without_backoff")
def test_a_count_whose_replies_were_all_lost_is_taken_back(client: "DynamoDBClient", table: str) -> None:
    quotas = DynamoQuotas(client, table)
    quotas.take("one", MONDAY, 2, "a")
    deaf = dynamodb_client()
    lose_every_reply(deaf)
    with pytest.raises(UnavailableError):
        DynamoQuotas(deaf, table).take("one", MONDAY, 2, "b")
    assert uploads(client, table) == 1


@pytest.mark.usefixtures("without_backoff")
def test_a_count_that_never_arrived_takes_nothing_back(client: "DynamoDBClient", table: str) -> None:
    DynamoQuotas(client, table).take("one", MONDAY, 2, "a")
    cut_off = dynamodb_client()
    lose_every_request(cut_off, LOST_CONNECTIONS[0])
    with pytest.raises(UnavailableError):
        DynamoQuotas(cut_off, table).take("one", MONDAY, 2, "b")
    assert uploads(client, table) == 1
