"""`product-images repair`: what lies in the failure queue, what comes of it, and what an audit names."""

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import boto3
import pytest
from botocore.exceptions import ClientError

from adapters.dynamo_items import Item, image_key, is_product, product_key
from adapters.eventbridge_image_events import SOURCE, TAKEN_BACK
from adapters.eventbridge_removals import REMOVAL_REQUESTED
from domain.image import ImageFormat, ProductImage
from ops import audit, catalogue, failure_queue
from ops.target import Target
from tests.builders import A_LOOK, DAMAGED, NOW, PRODUCT_ID, SHA256, a_file, a_ref, an_image
from tests.integration.conftest import remove_attribute
from tests.integration.ops_operator import Operator, error_line, operator_of_a_stack

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONG_POLL_SECONDS = failure_queue.LONG_POLL_SECONDS
STACK = "product-images"
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:"
FUNCTION, RECONCILER = "shop-ExtractMetadata-1", "shop-Reconcile-1"
NO_EVENTS = [
    *("no JSON", "[]", "null", "{}", {"requestContext": None, "requestPayload": {}}),
    {"requestContext": {"functionArn": ARN + FUNCTION}},
    {"requestContext": {"functionArn": 1}, "requestPayload": {}},
    {"requestContext": {"functionArn": FUNCTION}, "requestPayload": {}},
    {"requestContext": {}, "requestPayload": {}},
]


WEBHOOK_ARN = "arn:aws:events:eu-central-1:123456789012:api-destination/w/0a"


class Queue:
    """A queue of the stack: the failure queue, unless it is another one."""

    def __init__(self, name: str = "failures") -> None:
        self._sqs: SQSClient = boto3.client("sqs")
        self._url = self._sqs.get_queue_url(QueueName=name)["QueueUrl"]

    def holds(self, *bodies: object) -> list[str]:
        """Put messages there; return their identifiers."""
        texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
        return [self._sqs.send_message(QueueUrl=self._url, MessageBody=text)["MessageId"] for text in texts]

    def holds_what_a_rule_could_not_send(self, body: object, target: str = WEBHOOK_ARN) -> str:
        """Put a message there as EventBridge does; return its identifier."""
        attributes: dict[str, Any] = {
            "ERROR_CODE": {"DataType": "String", "StringValue": "SDK_CLIENT_ERROR"},
            "TARGET_ARN": {"DataType": "String", "StringValue": target},
            "RULE_ARN": {
                "DataType": "String",
                "StringValue": "arn:aws:events:eu-central-1:123456789012:rule/w",
            },
        }
        sent = self._sqs.send_message(
            QueueUrl=self._url, MessageBody=json.dumps(body), MessageAttributes=attributes
        )
        return sent["MessageId"]

    @property
    def visible(self) -> int:
        """Return how many messages anybody can receive."""
        answer = self._sqs.get_queue_attributes(
            QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def take_one(self) -> None:
        """Hide a message from others."""
        self._sqs.receive_message(QueueUrl=self._url, VisibilityTimeout=600)


KEY = a_ref().incoming_key


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    with operator_of_a_stack(monkeypatch) as operator:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", operator.aws.url)
        # One queue in memory has no servers to wait for.
        monkeypatch.setattr(failure_queue, "LONG_POLL_SECONDS", 0)
        monkeypatch.setenv("AWS_ENDPOINT_URL_EVENTBRIDGE", operator.aws.url)
        taken = {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}
        operator.aws.answers["PutEvents"] = (200, json.dumps(taken))
        operator.aws.function_ends({"images": [{"key": KEY, "outcome": "ready"}]})
        yield operator


@pytest.fixture
def queue(operator: Operator) -> Queue:
    assert operator.aws.url
    return Queue()


def failure(number: int, function: str = FUNCTION, **changes: object) -> dict[str, object]:
    """Return what Lambda writes of an event about picture `number` that failed."""
    records = [{"s3": {"object": {"key": a_ref(number).incoming_key}}}]
    return {
        "requestContext": {"functionArn": f"{ARN}{function}:$LATEST", "condition": "RetriesExhausted"},
        "requestPayload": {"Records": records},
        "responsePayload": {"errorMessage": "There is no record."},
        **changes,
    }


def events_sent(operator: Operator) -> list[tuple[str, object]]:
    calls = [call for call in operator.aws.calls if call.operation == "Invoke"]
    return [(unquote(call.path.split("/")[3]), json.loads(call.body)) for call in calls]


def an_event(**changes: object) -> dict[str, object]:
    """Return what EventBridge sends to a webhook of the stack."""
    detail = {"stack": STACK, "id": 1, "product_id": PRODUCT_ID, "path": "/media/42/1-token.jpg"}
    return {"source": SOURCE, "detail-type": "ImageReady", "detail": detail, **changes}


def told(operator: Operator) -> list[dict[str, str]]:
    """Return what was put on the bus."""
    calls = [json.loads(call.body) for call in operator.aws.calls if call.operation == "PutEvents"]
    return [entry for call in calls for entry in call["Entries"]]


# queue


def test_what_the_webhook_did_not_take_is_listed_with_its_reason(operator: Operator, queue: Queue) -> None:
    name = queue.holds_what_a_rule_could_not_send(an_event())
    (event,) = json.loads(operator.runs("repair", "queue", "--json").stdout)
    assert (event["id"], event["function"], event["pictures"]) == (
        name,
        "webhook",
        ["/media/42/1-token.jpg"],
    )
    assert event["error"] == "the webhook did not take it: SDK_CLIENT_ERROR"


def test_what_the_webhook_did_not_take_is_put_on_the_bus_again(operator: Operator, queue: Queue) -> None:
    queue.holds_what_a_rule_could_not_send(an_event())
    result = operator.runs("repair", "redrive", "--yes")
    assert (result.exit_code, queue.visible) == (0, 0)
    [entry] = told(operator)
    assert (entry["Source"], entry["DetailType"]) == (SOURCE, "ImageReady")
    assert json.loads(entry["Detail"]) == an_event()["detail"]


def test_what_could_not_be_handed_to_a_function_is_handled_by_it(operator: Operator, queue: Queue) -> None:
    queue.holds_what_a_rule_could_not_send(an_event(), ARN + FUNCTION)
    (event,) = json.loads(operator.runs("repair", "queue", "--json").stdout)
    assert event["error"] == "it was not handed over: SDK_CLIENT_ERROR"
    result = operator.runs("repair", "redrive", "--yes")
    assert (result.exit_code, queue.visible, told(operator)) == (0, 0, [])
    assert events_sent(operator) == [(FUNCTION, an_event())]


def test_what_could_not_be_handed_to_a_function_of_another_stack_stays(
    operator: Operator, queue: Queue
) -> None:
    queue.holds_what_a_rule_could_not_send(an_event(), f"{ARN}another-stack-RenderImage")
    result = operator.runs("repair", "redrive", "--yes")
    assert (result.exit_code, queue.visible, told(operator)) == (1, 1, [])
    assert "it is no event of this stack" in result.stderr


def test_what_the_bus_refuses_stays_in_the_queue(operator: Operator, queue: Queue) -> None:
    refused = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "Throttled", "ErrorMessage": "Too much."}]}
    operator.aws.answers["PutEvents"] = (200, json.dumps(refused))
    queue.holds_what_a_rule_could_not_send(an_event())
    result = operator.runs("repair", "redrive", "--yes")
    assert (result.exit_code, queue.visible) == (1, 1)
    assert "refused: Too much." in result.stderr


@pytest.mark.parametrize(
    "event",
    [
        an_event(source="com.example.other"),
        an_event(detail={"stack": "another"}),
        # It would have a product removed.
        an_event(**{"detail-type": REMOVAL_REQUESTED}),
        # Nobody else is told of it.
        an_event(**{"detail-type": TAKEN_BACK}),
        an_event(detail=None),
        {},
        [],
    ],
)
def test_an_event_that_is_none_of_the_stacks_is_not_put_on_the_bus(
    operator: Operator, queue: Queue, event: object
) -> None:
    queue.holds_what_a_rule_could_not_send(event)
    result = operator.runs("repair", "redrive", "--yes")
    assert (result.exit_code, told(operator), queue.visible) == (1, [], 1)


def test_the_queue_is_listed_with_age_function_picture_and_error(operator: Operator, queue: Queue) -> None:
    (first,) = queue.holds(failure(1))
    (other,) = queue.holds("no JSON")
    result = operator.runs("repair", "queue")
    assert (result.exit_code, result.stderr) == (0, "")
    _, *rows = result.stdout.splitlines()
    assert sorted(re.split(r" {2,}", row.strip()) for row in rows) == sorted(
        [
            [first, "0 min", "extract-metadata", KEY, "There is no record."],
            [other, "0 min", "no function", "no image", "it holds no event of a function"],
        ]
    )


def test_the_queue_is_there_for_scripts_too(operator: Operator, queue: Queue) -> None:
    (name,) = queue.holds(failure(1))
    (event,) = json.loads(operator.runs("repair", "queue", "--json").stdout)
    assert event == {
        "id": name,
        "age_seconds": event["age_seconds"],
        "function": "extract-metadata",
        "is_of_this_stack": True,
        "pictures": [KEY],
        "error": "There is no record.",
        "payload": failure(1)["requestPayload"],
    }


def test_listing_keeps_nothing_from_anybody(operator: Operator, queue: Queue) -> None:
    queue.holds(*map(failure, range(25)))
    assert len(operator.runs("repair", "queue").stdout.splitlines()) == 26
    assert queue.visible == 25


def test_an_empty_queue_says_so(operator: Operator) -> None:
    result = operator.runs("repair", "queue")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "The failure queue is empty.\n")
    assert operator.runs("repair", "queue", "--json").stdout == "[]\n"


def test_messages_that_somebody_else_holds_are_counted(operator: Operator, queue: Queue) -> None:
    queue.holds(failure(1))
    queue.take_one()
    assert "About 1 more are held by somebody else" in operator.runs("repair", "queue").stderr


def test_an_event_that_grew_too_old_says_so(operator: Operator, queue: Queue) -> None:
    context = {"functionArn": ARN + FUNCTION, "condition": "EventAgeExceeded"}
    queue.holds(failure(1, requestContext=context, responsePayload=None))
    assert "EventAgeExceeded" in operator.runs("repair", "queue").stdout


def test_an_error_with_escape_sequences_does_nothing_to_the_terminal(
    operator: Operator, queue: Queue
) -> None:
    (name,) = queue.holds(failure(1, responsePayload={"errorMessage": "\x1b[2Jok\r\n\x9b"}))
    listed = operator.runs("repair", "queue").stdout
    asked = operator.runs("repair", "drop", name, typing="n\n").stderr
    for shown in (listed, asked):
        assert r"\u001b[2Jok\r\n\u009b" in shown
        assert not {"\x1b", "\x9b", "\r"} & set(shown)


def test_sqs_is_asked_to_look_at_all_of_its_servers_before_a_queue_counts_as_empty(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LONG_POLL_SECONDS >= 1
    monkeypatch.setattr(failure_queue, "LONG_POLL_SECONDS", LONG_POLL_SECONDS)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", operator.aws.url)
    operator.aws.answers["GetQueueAttributes"] = (
        200,
        json.dumps({"Attributes": {"ApproximateNumberOfMessagesNotVisible": "0"}}),
    )
    operator.aws.answers["ReceiveMessage"] = (200, "{}")
    assert operator.runs("repair", "queue").exit_code == 0
    (asked,) = [call for call in operator.aws.calls if call.operation == "ReceiveMessage"]
    assert json.loads(asked.body)["WaitTimeSeconds"] == LONG_POLL_SECONDS


# redrive


def test_each_event_is_handled_by_its_function_and_its_message_deleted(
    operator: Operator, queue: Queue
) -> None:
    first, second = queue.holds(failure(1), failure(2, RECONCILER))
    result = operator.runs("repair", "redrive", "--yes")
    assert (result.exit_code, result.stderr) == (0, "")
    assert sorted(result.stdout.splitlines()) == sorted(
        [
            f"{first}: {KEY} is ready.",
            f"{second}: {KEY} is ready.",
            "Done: 2 of 2.",
        ]
    )
    sent = [(FUNCTION, failure(1)["requestPayload"]), (RECONCILER, failure(2)["requestPayload"])]
    assert sorted(events_sent(operator), key=str) == sent
    assert queue.visible == 0


@pytest.mark.parametrize("body", NO_EVENTS)
def test_a_message_without_an_event_is_named_and_stays_to_be_seen_and_the_others_are_sent(
    operator: Operator, queue: Queue, body: object
) -> None:
    _, other, _ = queue.holds(failure(1), body, failure(2))
    result = operator.runs("repair", "redrive", "--yes")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (1, "Done: 2 of 3.")
    assert f"{other} stays in the queue: it holds no event of a function." in error_line(result)
    assert len(events_sent(operator)) == 2
    assert queue.visible == 1


@pytest.mark.parametrize("function", ["payroll", f"{FUNCTION}-2", "shop-UploadImage-1"])
def test_no_function_but_the_stacks_own_that_take_events_is_ever_invoked(
    operator: Operator, queue: Queue, function: str
) -> None:
    queue.holds(failure(1, function), failure(2))
    result = operator.runs("repair", "redrive", "--yes")
    assert result.exit_code == 1
    assert f"{function} is no function of this stack that takes events" in error_line(result)
    assert [name for name, _ in events_sent(operator)] == [FUNCTION]
    assert queue.visible == 1


@pytest.mark.parametrize(
    ("status", "answer", "says"),
    [
        (404, {"Message": "gone"}, "is not there"),
        (429, {"Message": "Rate exceeded", "Type": "TooManyRequestsException"}, "AWS refused Invoke"),
        (200, "no JSON at all", "the function's answer cannot be read"),
    ],
)
def test_an_event_that_could_not_be_sent_stays_to_be_seen_and_says_why(
    operator: Operator, queue: Queue, status: int, answer: object, says: str
) -> None:
    queue.holds(failure(1))
    operator.aws.answers["Invoke"] = (status, answer if isinstance(answer, str) else json.dumps(answer))
    operator.aws.headers["Invoke"] = (
        {"x-amzn-ErrorType": "ResourceNotFoundException"} if status == 404 else {}
    )
    result = operator.runs("repair", "redrive", "--yes")
    assert (result.exit_code, result.stdout) == (1, "Done: 0 of 1.\n")
    assert "stays in the queue" in error_line(result)
    assert says in result.stderr
    assert queue.visible == 1


def test_an_event_that_fails_again_stays_to_be_seen_with_its_new_error(
    operator: Operator, queue: Queue
) -> None:
    (name,) = queue.holds(failure(1))
    operator.aws.function_ends({"errorMessage": "Still no record."}, in_error=True)
    result = operator.runs("repair", "redrive", "--yes")
    assert (result.exit_code, result.stdout) == (1, "Done: 0 of 1.\n")
    assert error_line(result) == f"Error: {name} stays in the queue: failed again: Still no record."
    assert queue.visible == 1


def test_an_event_that_was_handled_but_whose_message_remains_says_both(
    operator: Operator, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: object, _event: object) -> None:
        raise ClientError({"Error": {"Code": "ReceiptHandleIsInvalid", "Message": "Old."}}, "DeleteMessage")

    monkeypatch.setattr(failure_queue.FailureQueue, "drop", refuse)
    queue.holds(failure(1))
    result = operator.runs("repair", "redrive", "--yes")
    assert (result.exit_code, queue.visible) == (1, 1)
    assert f"{KEY} is ready, but its message remains: AWS refused DeleteMessage" in result.stderr


def test_a_message_of_a_picture_by_address_goes_back_to_its_queue(operator: Operator, queue: Queue) -> None:
    (message,) = queue.holds({"fetch": a_ref().path})
    listed = operator.runs("repair", "queue").stdout
    assert re.search(rf"{message} +0 min +fetch-image +{KEY}", listed)
    told = operator.runs("repair", "redrive", "--yes").stdout
    assert f"{message}: back in the queue of images that are to be fetched." in told
    assert (queue.visible, Queue("fetches").visible, events_sent(operator)) == (0, 1, [])


def test_a_message_that_cannot_go_back_stays_and_says_why(
    operator: Operator, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.holds({"fetch": a_ref().path})
    monkeypatch.setattr(Target, "fetch_queue", "https://sqs.eu-central-1.amazonaws.com/1/gone")
    result = operator.runs("repair", "redrive", "--yes")
    assert (result.exit_code, queue.visible) == (1, 1)
    assert "stays in the queue" in result.stderr


def test_one_event_is_sent_by_its_id(operator: Operator, queue: Queue) -> None:
    _, second, _ = queue.holds(failure(1), failure(2), failure(3))
    result = operator.runs("repair", "redrive", second, "--yes")
    assert result.exit_code == 0
    assert [payload for _, payload in events_sent(operator)] == [failure(2)["requestPayload"]]
    assert queue.visible == 2


def test_the_question_names_function_picture_and_error(operator: Operator, queue: Queue) -> None:
    (name,) = queue.holds(failure(1))
    result = operator.runs("repair", "redrive", typing="y\n")
    assert result.exit_code == 0
    assert f"{name}: extract-metadata, {KEY}, There is no record." in result.stderr
    assert "Send this event again, in stack product-images (eu-central-1)?" in result.stderr


@pytest.mark.parametrize("command", ["redrive", "drop"])
def test_nothing_happens_without_a_yes(operator: Operator, queue: Queue, command: str) -> None:
    (name,) = queue.holds(failure(1))
    assert operator.runs("repair", command, name, typing="n\n").exit_code == 1
    assert (events_sent(operator), queue.visible) == ([], 1)


@pytest.mark.parametrize("command", ["redrive", "drop"])
def test_an_id_that_is_not_in_the_queue_is_named_and_nothing_happens(
    operator: Operator, queue: Queue, command: str
) -> None:
    (name,) = queue.holds(failure(1))
    line = error_line(operator.runs("repair", command, name, "nowhere", "--yes"))
    assert "There is no event nowhere in the failure queue" in line
    assert (events_sent(operator), queue.visible) == ([], 1)


def test_an_empty_queue_is_no_fault(operator: Operator) -> None:
    result = operator.runs("repair", "redrive")
    assert (result.exit_code, result.stdout) == (0, "The failure queue is empty.\n")


# drop


def test_an_event_is_dropped_by_its_id_after_a_question_that_names_it(
    operator: Operator, queue: Queue
) -> None:
    first, second = queue.holds(failure(1), "no JSON")
    result = operator.runs("repair", "drop", second, typing="y\n")
    assert result.exit_code == 0
    named = f"{second}: no function, no image, it holds no event of a function"
    assert named in result.stderr
    assert result.stdout.endswith(f"Dropped {named}\n")
    assert queue.visible == 1
    assert first in operator.runs("repair", "queue").stdout


# audit


def test_an_audit_finds_nothing_amiss_where_nothing_is(operator: Operator) -> None:
    operator.products.add(PRODUCT_ID)
    operator.catalog.reserve(an_image())
    result = operator.runs("repair", "audit")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "every product counts right" in result.stdout


def publish(image: ProductImage, key: str | None = None) -> None:
    """Write a public object: a picture's copy, or another one."""
    boto3.client("s3").put_object(Bucket="images", Key=key or image.media_key, Body=b"a copy")


def public_keys() -> set[str]:
    return {each["Key"] for each in boto3.client("s3").list_objects_v2(Bucket="images").get("Contents", [])}


def test_an_audit_names_a_ready_record_whose_public_copy_is_gone(operator: Operator) -> None:
    operator.products.add(PRODUCT_ID)
    operator.catalog.reserve(an_image())
    operator.catalog.mark_ready(a_ref(), a_file(), NOW)
    line = error_line(operator.runs("repair", "audit"))
    assert line == f"Error: ready record without its public copy: {an_image().media_key}"
    publish(an_image())
    assert operator.runs("repair", "audit").exit_code == 0


def test_an_audit_names_a_rendition_that_is_gone_and_what_makes_it_again(operator: Operator) -> None:
    operator.products.add(PRODUCT_ID)
    operator.catalog.reserve(an_image())
    operator.catalog.mark_ready(a_ref(), a_file(), NOW)
    look = A_LOOK._replace(renditions=A_LOOK.renditions[:1])
    operator.catalog.mark_rendered(a_ref(), look, NOW)
    publish(an_image())
    key = f"media/{look.path(a_ref(), look.renditions[0])}"
    line = error_line(operator.runs("repair", "audit"))
    again = f"product-images images render --product {PRODUCT_ID}"
    assert line == f"Error: rendition that is gone: {key}; make it again: {again}"
    publish(an_image(), key)
    assert operator.runs("repair", "audit").exit_code == 0


def test_an_audit_knows_what_was_made_of_a_copy_and_what_is_still_open(operator: Operator) -> None:
    operator.products.add(PRODUCT_ID)
    for image_id in (1, 2, 3):
        operator.catalog.reserve(an_image(ref=a_ref(image_id)))
        publish(an_image(ref=a_ref(image_id)))
    operator.catalog.mark_ready(a_ref(1), a_file(), NOW)
    publish(an_image(), f"{a_ref(1).media_prefix}/r1/640.avif")
    operator.catalog.withdraw(a_ref(3), NOW)
    result = operator.runs("repair", "audit", "--remove")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Public objects: 4, records: 3, of which ready: 1." in result.stdout


def strays(operator: Operator) -> set[str]:
    """Make public what has no ready record, beside a picture that has one, and one that cannot be read."""
    operator.products.add(PRODUCT_ID)
    for image_id in (1, 2, 3):
        operator.catalog.reserve(an_image(ref=a_ref(image_id)))
    for image_id in (1, 3):
        operator.catalog.mark_ready(a_ref(image_id), a_file(), NOW)
        publish(an_image(ref=a_ref(image_id)))
    operator.catalog.mark_failed(a_ref(2), DAMAGED, SHA256, NOW)
    remove_attribute(boto3.client("dynamodb"), "catalog", a_ref(3), "name")
    keys = {
        an_image(image_format=ImageFormat.PNG).media_key,
        an_image(ref=a_ref(2)).media_key,
        an_image(ref=a_ref(4)).media_key,
        f"{a_ref(4).media_prefix}/r1/640.avif",
        "media/42/1.jpg",
    }
    for key in keys:
        publish(an_image(), key)
    return keys


def test_an_audit_names_what_is_public_without_a_ready_record_and_leaves_it(operator: Operator) -> None:
    keys = strays(operator)
    result = operator.runs("repair", "audit")
    assert result.exit_code == 1
    for key in keys:
        assert f"public object without a ready record: {key}\n" in result.stderr
    assert keys <= public_keys()


def test_an_audit_removes_what_is_public_without_a_ready_record_if_it_is_told_to(operator: Operator) -> None:
    keys = strays(operator)
    asked = operator.runs("repair", "audit", "--remove", typing="n\n")
    assert f"Remove {len(keys)} public objects without a ready record" in asked.output
    assert keys <= public_keys()
    result = operator.runs("repair", "audit", "--remove", "--yes")
    assert {line.removeprefix("Removed ") for line in result.stdout.splitlines()[1:]} == keys
    assert public_keys() == {an_image(ref=a_ref(image_id)).media_key for image_id in (1, 3)}


@pytest.mark.parametrize("is_damaged", [False, True])
def test_what_has_a_record_at_a_second_look_is_not_removed(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, is_damaged: bool
) -> None:
    operator.products.add(PRODUCT_ID)
    operator.catalog.reserve(an_image())
    operator.catalog.mark_ready(a_ref(), a_file(), NOW)
    publish(an_image())
    if is_damaged:
        remove_attribute(boto3.client("dynamodb"), "catalog", a_ref(), "name")
    monkeypatch.setattr(audit, "items", lambda _target: iter(()))
    operator.runs("repair", "audit", "--remove", "--yes")
    assert public_keys() == {an_image().media_key}


def test_an_audit_names_pictures_of_a_product_that_is_gone(operator: Operator) -> None:
    operator.products.add(PRODUCT_ID)
    operator.catalog.reserve(an_image())
    boto3.client("dynamodb").delete_item(TableName="catalog", Key=product_key(PRODUCT_ID))
    result = operator.runs("repair", "audit")
    assert result.exit_code == 1
    assert "product whose count is wrong: 42 counts 0, has 1" in error_line(result)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("status", {"S": "lost"}),
        ("type", {"N": "1"}),
        ("created_at", {"S": "yesterday"}),
        ("size", {"S": "x"}),
    ],
)
def test_an_audit_names_a_damaged_record_and_goes_on(
    operator: Operator, attribute: str, value: dict[str, str]
) -> None:
    operator.products.add(PRODUCT_ID)
    for image_id in (1, 2):
        operator.catalog.reserve(an_image(ref=a_ref(image_id)))
    boto3.client("dynamodb").update_item(
        TableName="catalog",
        Key=image_key(PRODUCT_ID, 1),
        UpdateExpression="SET #name = :value",
        ExpressionAttributeNames={"#name": attribute},
        ExpressionAttributeValues={":value": value},
    )
    result = operator.runs("repair", "audit")
    assert (result.exit_code, result.stdout) == (1, "Public objects: 0, records: 1, of which ready: 0.\n")
    damaged, *others = result.stderr.splitlines()
    assert damaged == (
        f"Error: damaged record: PRODUCT#42 / IMAGE#0000000000000001: {attribute} is missing or unreadable"
    )
    assert others == ["Error: product whose count is wrong: 42 counts 2, has 1"]


@pytest.mark.parametrize(
    ("key", "attribute"),
    [(("PRODUCT#x", "PRODUCT"), "pk"), (("PRODUCT#1", "IMAGE#x"), "sk"), (("PRODUCT#1", "y"), "sk")],
)
def test_an_audit_names_a_record_whose_key_nobody_writes(
    operator: Operator, key: tuple[str, str], attribute: str
) -> None:
    item = {name: {"S": value} for name, value in zip(("pk", "sk"), key, strict=True)}
    boto3.client("dynamodb").put_item(TableName="catalog", Item=item)
    line = error_line(operator.runs("repair", "audit"))
    assert f"damaged record: {' / '.join(key)}: {attribute} is missing or unreadable" in line


def test_an_audit_names_a_damaged_product_and_goes_on(operator: Operator) -> None:
    operator.products.add(PRODUCT_ID)
    item = {**product_key(7), "image_count": {"S": "many"}}
    boto3.client("dynamodb").put_item(TableName="catalog", Item=item)
    assert "damaged record: PRODUCT#7 / PRODUCT: image_count is missing or unreadable" in error_line(
        operator.runs("repair", "audit")
    )


def test_an_upload_that_comes_between_the_reads_of_an_audit_is_no_wrong_count(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.products.add(PRODUCT_ID)
    operator.catalog.reserve(an_image())
    read = catalogue.items

    def read_before_the_picture_came(target: Target) -> Iterator[Item]:
        return (item for item in read(target) if is_product(item))

    monkeypatch.setattr(audit, "items", read_before_the_picture_came)
    result = operator.runs("repair", "audit")
    assert (result.exit_code, result.stderr) == (0, "")
