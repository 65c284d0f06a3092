"""Turns at a host: one after the other in each lane, a second apart, and places for those who wait."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from adapters.aws import dynamodb_client
from adapters.dynamo_host_turns import DynamoHostTurns
from domain.errors import UnavailableError
from domain.fetching import HostBusyError, HostTurns, Turn
from tests.builders import NOW, an_idempotency_table
from tests.fakes import InMemoryHostTurns
from tests.integration.faults import answer_with

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

HOST = "shop.example"
START = NOW.replace(microsecond=0)


class SetClock:
    """Says the time that it was set to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def client() -> Iterator["DynamoDBClient"]:
    with mock_aws():
        yield dynamodb_client()


@pytest.fixture(params=["in memory", "on DynamoDB"])
def turns(request: pytest.FixtureRequest, client: "DynamoDBClient", clock: SetClock) -> HostTurns:
    if request.param == "in memory":
        return InMemoryHostTurns(lanes=2, clock=clock)
    return DynamoHostTurns(client, an_idempotency_table(client), lanes=2, clock=clock)


def place(turns: HostTurns, number: int = 0) -> float:
    """Return in how many seconds from the start one that is refused is to come back."""
    with pytest.raises(HostBusyError) as caught:
        turns.enter(HOST, number)
    return (caught.value.free_at - START) / timedelta(seconds=1)


def test_a_host_has_as_many_turns_at_once_as_it_has_lanes_and_other_hosts_have_their_own(
    turns: HostTurns,
) -> None:
    assert [turns.enter(HOST, number).lane for number in (0, 1)] == [0, 1]
    for number in (0, 1, 2, 3):
        place(turns, number)
    assert turns.enter("other.example", 0).host == "other.example"


def test_those_who_wait_come_back_one_second_after_the_other(turns: HostTurns) -> None:
    turns.enter(HOST, 0)
    assert [place(turns) for _ in range(4)] == [1, 2, 3, 4]


def test_a_queue_whose_places_are_over_begins_anew(turns: HostTurns, clock: SetClock) -> None:
    turns.enter(HOST, 0)
    place(turns)
    clock.go_on(10)
    assert [place(turns), place(turns)] == [11, 12]


def test_the_next_turn_is_a_second_after_the_last_one_began(turns: HostTurns, clock: SetClock) -> None:
    turn = turns.enter(HOST, 0)
    clock.go_on(0.25)
    turns.leave(turn, 1)
    place(turns)
    clock.go_on(0.75)
    assert turns.enter(HOST, 0).entered_at == clock.now


def test_a_turn_with_several_requests_takes_a_second_for_each(turns: HostTurns, clock: SetClock) -> None:
    turns.leave(turns.enter(HOST, 0), 3)
    clock.go_on(2.75)
    place(turns)
    clock.go_on(0.25)
    turns.enter(HOST, 0)


def test_after_a_slow_fetch_the_places_are_as_far_apart_as_it_took(turns: HostTurns, clock: SetClock) -> None:
    turn = turns.enter(HOST, 0)
    clock.go_on(20)
    turns.leave(turn, 1)
    turns.enter(HOST, 0)
    assert [place(turns), place(turns)] == [40, 60]


def test_a_turn_that_is_not_given_back_ends_by_itself(turns: HostTurns, clock: SetClock) -> None:
    turns.enter(HOST, 0)
    clock.go_on(59)
    place(turns)
    clock.go_on(1)
    turns.enter(HOST, 0)


def test_who_comes_too_late_gives_back_nobody_elses_turn(turns: HostTurns, clock: SetClock) -> None:
    late = turns.enter(HOST, 0)
    clock.go_on(61)
    turns.enter(HOST, 0)
    turns.leave(late, 1)
    clock.go_on(5)
    place(turns)


def test_a_table_that_refuses_for_now_is_unavailable(client: "DynamoDBClient", clock: SetClock) -> None:
    turns = DynamoHostTurns(client, an_idempotency_table(client), lanes=2, clock=clock)
    answer_with(client, "ThrottlingException")
    with pytest.raises(UnavailableError):
        turns.enter(HOST, 0)
    with pytest.raises(UnavailableError):
        turns.leave(Turn(HOST, 0, START, START), 1)


def test_any_other_error_of_the_table_rises(client: "DynamoDBClient", clock: SetClock) -> None:
    turns = DynamoHostTurns(client, "no table", lanes=2, clock=clock)
    with pytest.raises(client.exceptions.ClientError):
        turns.enter(HOST, 0)
