import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from adapters.aws import sqs_client
from adapters.sqs_fetch_queue import LONGEST_DELAY_SECONDS, SqsFetchQueue, ref_in
from domain.errors import UnavailableError
from tests.builders import a_ref
from tests.integration.faults import answer_with, hook

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@pytest.fixture
def client() -> Iterator["SQSClient"]:
    with mock_aws():
        yield sqs_client()


@pytest.fixture
def queue(client: "SQSClient") -> str:
    return client.create_queue(QueueName="fetch")["QueueUrl"]


def test_a_message_names_the_picture_and_nothing_else(client: "SQSClient", queue: str) -> None:
    SqsFetchQueue(client, queue).request(a_ref())
    [message] = client.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"]) == {"fetch": "42/1-5eed0123456789ab"}
    assert ref_in(message["Body"]) == a_ref()


@pytest.mark.parametrize(
    "body", ["", "no JSON", "[]", "{}", "null", '{"fetch": 1}', '{"fetch": "../1"}', '{"fetch": null}']
)
def test_what_is_no_message_of_the_queue_names_no_picture(body: str) -> None:
    assert ref_in(body) is None


@pytest.mark.parametrize(("seconds", "kept_back"), [(0, 0), (90, 90), (86_400, LONGEST_DELAY_SECONDS)])
def test_a_message_is_kept_back_for_as_long_as_the_queue_can(
    client: "SQSClient", queue: str, seconds: int, kept_back: int
) -> None:
    fetches, asked = SqsFetchQueue(client, queue), []
    fetches.request(a_ref())
    [message] = client.receive_message(QueueUrl=queue)["Messages"]
    hook(
        client,
        "provide-client-params.sqs.ChangeMessageVisibility",
        lambda params, **_rest: asked.append(params["VisibilityTimeout"]),
    )
    fetches.keep_back(message["ReceiptHandle"], seconds)
    assert asked == [kept_back]


def test_a_queue_that_refuses_for_now_is_unavailable(client: "SQSClient", queue: str) -> None:
    fetches = SqsFetchQueue(client, queue)
    answer_with(client, "ThrottlingException")
    with pytest.raises(UnavailableError):
        fetches.request(a_ref())
    with pytest.raises(UnavailableError):
        fetches.keep_back("a receipt", 1)
