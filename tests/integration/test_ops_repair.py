"""`product-images repair`: what is sent again or left in the queue, and whose count an audit names."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote

import boto3
import pytest

from adapters.dynamo_items import Item, is_product, product_key
from ops import repair
from ops.target import Target
from tests.builders import PRODUCT_ID, an_image
from tests.integration.ops_operator import Operator, error_line, operator_of_a_stack

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:extract-metadata"


class FailureQueue:
    """The queue of the stack."""

    def __init__(self) -> None:
        self._sqs: SQSClient = boto3.client("sqs")
        self._url = self._sqs.get_queue_url(QueueName="failures")["QueueUrl"]

    def holds(self, *bodies: object) -> None:
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps(body)
            self._sqs.send_message(QueueUrl=self._url, MessageBody=text)

    @property
    def waiting(self) -> int:
        """Return how many messages there are, those that are hidden for a while too."""
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["All"])["Attributes"]
        return int(attributes["ApproximateNumberOfMessages"]) + int(
            attributes["ApproximateNumberOfMessagesNotVisible"]
        )


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    with operator_of_a_stack(monkeypatch) as operator:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", operator.aws.url)
        operator.aws.answers["Invoke"] = (202, "")
        yield operator


@pytest.fixture
def queue(operator: Operator) -> FailureQueue:
    assert operator.aws.url
    return FailureQueue()


def failure(number: int) -> dict[str, object]:
    context = {"functionArn": f"{FUNCTION}:$LATEST", "approximateInvokeCount": 3}
    return {"requestContext": context, "requestPayload": {"number": number}}


def events_sent(operator: Operator) -> list[tuple[str, object]]:
    calls = [call for call in operator.aws.calls if call.operation == "Invoke"]
    return [(unquote(call.path.split("/")[3]), json.loads(call.body)) for call in calls]


def test_each_event_is_sent_to_its_function_and_its_message_deleted(
    operator: Operator, queue: FailureQueue
) -> None:
    queue.holds(failure(1), failure(2))
    result = operator.runs("repair", "redrive", "--yes")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "Events sent again: 2.\n", "")
    assert sorted(map(str, events_sent(operator))) == [str((FUNCTION, {"number": n})) for n in (1, 2)]
    assert queue.waiting == 0


@pytest.mark.parametrize(
    "body",
    [
        *("no JSON", "[]", "null", "{}", {"requestContext": None, "requestPayload": {}}),
        {"requestContext": {"functionArn": FUNCTION}},
        {"requestContext": {"functionArn": 1}, "requestPayload": {}},
        {"requestContext": {}, "requestPayload": {}},
    ],
)
def test_a_message_without_an_event_is_named_and_left_there_and_the_others_are_sent(
    operator: Operator, queue: FailureQueue, body: object
) -> None:
    queue.holds(failure(1), body, failure(2))
    result = operator.runs("repair", "redrive", "--yes")
    assert (result.exit_code, result.stdout) == (1, "Events sent again: 2.\n")
    assert "holds no event of a function. It stays in the queue" in error_line(result)
    assert len(events_sent(operator)) == 2
    assert queue.waiting == 1


def test_an_event_that_its_function_does_not_take_stays_in_the_queue(
    operator: Operator, queue: FailureQueue
) -> None:
    queue.holds(failure(1))
    operator.aws.answers["Invoke"] = (404, '{"Message": "Function not found"}')
    assert operator.runs("repair", "redrive", "--yes").exit_code == 1
    assert queue.waiting == 1


def test_nothing_is_sent_without_a_yes(operator: Operator, queue: FailureQueue) -> None:
    queue.holds(failure(1))
    assert operator.runs("repair", "redrive", typing="n\n").exit_code == 1
    assert (events_sent(operator), queue.waiting) == ([], 1)


def test_an_empty_queue_is_no_fault(operator: Operator, queue: FailureQueue) -> None:
    assert queue.waiting == 0
    result = operator.runs("repair", "redrive")
    assert (result.exit_code, result.stdout) == (0, "The failure queue seems to be empty.\n")


def test_an_audit_finds_nothing_amiss_where_nothing_is(operator: Operator) -> None:
    operator.products.add(PRODUCT_ID)
    operator.catalog.reserve(an_image())
    result = operator.runs("repair", "audit")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "every product counts right" in result.stdout


def test_an_audit_names_pictures_of_a_product_that_is_gone(operator: Operator) -> None:
    operator.products.add(PRODUCT_ID)
    operator.catalog.reserve(an_image())
    boto3.client("dynamodb").delete_item(TableName="catalog", Key=product_key(PRODUCT_ID))
    result = operator.runs("repair", "audit")
    assert result.exit_code == 1
    assert "product whose count is wrong: 42 counts 0, has 1" in error_line(result)


def test_an_upload_that_comes_between_the_reads_of_an_audit_is_no_wrong_count(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.products.add(PRODUCT_ID)
    operator.catalog.reserve(an_image())
    read = repair._items  # noqa: SLF001 - a scan of several pages, which a moment does not bring about

    def read_before_the_picture_came(target: Target) -> Iterator[Item]:
        return (item for item in read(target) if is_product(item))

    monkeypatch.setattr(repair, "_items", read_before_the_picture_came)
    result = operator.runs("repair", "audit")
    assert (result.exit_code, result.stderr) == (0, "")
