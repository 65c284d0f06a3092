"""The failure queue: what lies in it, in whose name, and what comes of an event that is sent again."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import batched
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from botocore.exceptions import BotoCoreError, ClientError

from adapters.eventbridge_image_events import SOURCE, TAKEN_BACK
from adapters.eventbridge_removals import REMOVAL_REQUESTED
from adapters.sqs_fetch_queue import ref_in
from ops.failures import explain
from ops.target import Target

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

LONG_POLL_SECONDS = 1
"""How long SQS waits for a message before it says that there is none: any wait asks all of its servers, none
only some of them (SQS developer guide, "Short and long polling")."""
_HIDDEN_SECONDS = 900
"""How long messages are kept from others if this process ends before it gives them back."""
_FOR_THE_STACK_ITSELF = (REMOVAL_REQUESTED, TAKEN_BACK)
_WEBHOOK = "webhook"
_FETCH_IMAGE = "fetch-image"
"""The role of the function whose messages come here from its own queue, as they were."""
_MESSAGES_PER_CALL = 10
"""The most that SQS takes or gives at once (SQS API reference, ReceiveMessage)."""


@dataclass(frozen=True, slots=True)
class FailedEvent:
    """A message of the queue.

    `role` is that of this stack's function which failed, `webhook` where its address did not take the event,
    or None where the message is of neither; `function` is what it names. `pictures` are the keys of the
    objects that the event is about, or the public address of its picture.
    """

    id: str
    receipt: str
    since: datetime
    role: str | None
    function: str
    pictures: tuple[str, ...]
    error: str
    payload: object

    @property
    def description(self) -> str:
        """Function, picture and error on one line."""
        return f"{self.id}: {self.role or self.function}, {self.shown_pictures}, {self.error}"

    @property
    def shown_pictures(self) -> str:
        """The pictures, for a person."""
        return ", ".join(self.pictures) or "no image"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an event that was sent again."""

    is_done: bool
    what: str


class FailureQueue:
    """The failure queue of a stack."""

    def __init__(self, target: Target) -> None:
        self._sqs = target.clients.sqs()
        self._lambda = target.clients.functions()
        self._events = target.clients.events()
        self._stack = target.stack
        self._url = target.failure_queue
        self._fetch_queue = target.fetch_queue
        self._functions = target.asynchronous_functions
        self._dropped: set[str] = set()

    @contextmanager
    def held(self) -> Iterator[list[FailedEvent]]:
        """Keep all messages from others meanwhile, the oldest first; give back those that are still there."""
        held: dict[str, FailedEvent] = {}
        try:
            # A message that comes again has been read too long ago, and so have all others.
            while new := {m.id: m for m in self._receive() if m.id not in held}:
                held |= new
            yield sorted(held.values(), key=lambda event: event.since)
        finally:
            self._give_back([event for event in held.values() if event.id not in self._dropped])

    def hidden(self) -> int:
        """Return about how many messages somebody else holds just now."""
        answer = self._sqs.get_queue_attributes(
            QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
        )
        return int(answer["Attributes"]["ApproximateNumberOfMessagesNotVisible"])

    def drop(self, event: FailedEvent) -> None:
        """Delete the message."""
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=event.receipt)
        self._dropped.add(event.id)

    def send_again(self, event: FailedEvent) -> Outcome:
        """Let the function that has the role handle the event to its end; delete the message if it could.

        An event for the webhook is put on the bus again, since EventBridge alone has the secret to send it
        with: all who listen hear it once more, under another id.

        The message's own word for the function is not followed: whoever can write to the queue would have any
        function run, with the operator's rights.
        """
        if event.role is None:
            return Outcome(is_done=False, what=event.error)
        again = {_FETCH_IMAGE: self._queue_again, _WEBHOOK: self._tell_again}
        return again.get(event.role, self._invoke)(event, event.role)

    def _invoke(self, event: FailedEvent, role: str) -> Outcome:
        try:
            answer = self._lambda.invoke(
                FunctionName=self._functions[role], Payload=json.dumps(event.payload).encode()
            )
            result = json.load(answer["Payload"])
        except (BotoCoreError, ClientError) as error:
            return Outcome(is_done=False, what=explain(error))
        except ValueError:
            return Outcome(is_done=False, what="the function's answer cannot be read")
        if "FunctionError" in answer:
            return Outcome(is_done=False, what=f"failed again: {_error_message(result)}")
        return self._done(event, _told(result))

    def _tell_again(self, event: FailedEvent, _: str) -> Outcome:
        told: Any = event.payload
        detail = json.dumps(told["detail"])
        try:
            answer = self._events.put_events(
                Entries=[{"Source": SOURCE, "DetailType": told["detail-type"], "Detail": detail}]
            )
        except (BotoCoreError, ClientError) as error:
            return Outcome(is_done=False, what=explain(error))
        if answer["FailedEntryCount"]:
            return Outcome(is_done=False, what=f"refused: {answer['Entries'][0].get('ErrorMessage')}")
        return self._done(event, "sent again")

    def _done(self, event: FailedEvent, what: str) -> Outcome:
        try:
            self.drop(event)
        except (BotoCoreError, ClientError) as error:
            return Outcome(is_done=False, what=f"{what}, but its message remains: {explain(error)}")
        return Outcome(is_done=True, what=what)

    def _queue_again(self, event: FailedEvent, _: str) -> Outcome:
        """Put a message back into the queue that it came from; one that is there twice does no harm."""
        try:
            self._sqs.send_message(QueueUrl=self._fetch_queue, MessageBody=json.dumps(event.payload))
            self.drop(event)
        except (BotoCoreError, ClientError) as error:
            return Outcome(is_done=False, what=explain(error))
        return Outcome(is_done=True, what="back in the queue of images that are to be fetched")

    def _receive(self) -> list[FailedEvent]:
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=_MESSAGES_PER_CALL,
            VisibilityTimeout=_HIDDEN_SECONDS,
            WaitTimeSeconds=LONG_POLL_SECONDS,
            MessageSystemAttributeNames=["SentTimestamp"],
            MessageAttributeNames=["ERROR_CODE", "RULE_ARN", "TARGET_ARN"],
        )
        return [self._read(message) for message in answer.get("Messages", [])]

    def _webhook(self, event: Any) -> str | None:  # noqa: ANN401 - somebody else's message may be anything
        """Tell whether this is an event that this stack sent to others."""
        is_ours = (event["source"], event["detail"]["stack"]) == (SOURCE, self._stack)
        return _WEBHOOK if is_ours and event["detail-type"] not in _FOR_THE_STACK_ITSELF else None

    def _give_back(self, events: Sequence[FailedEvent]) -> None:
        for batch in batched(events, _MESSAGES_PER_CALL, strict=False):
            self._sqs.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": event.receipt, "VisibilityTimeout": 0}
                    for number, event in enumerate(batch)
                ],
            )

    def _read(self, message: "MessageTypeDef") -> FailedEvent:
        """Read what Lambda writes to a failure destination (its developer guide, "Destinations").

        What EventBridge could not send is the event itself, and why stands in attributes (its user guide,
        "Using dead-letter queues").
        """
        fetched = ref_in(message["Body"])
        if fetched:
            return FailedEvent(
                id=message["MessageId"],
                receipt=message["ReceiptHandle"],
                since=_sent_at(message),
                role=_FETCH_IMAGE,
                function=_FETCH_IMAGE,
                pictures=(fetched.incoming_key,),
                error="it was received too often; the function's log says why",
                payload={"fetch": fetched.path},
            )
        attributes: Mapping[str, Any] = message.get("MessageAttributes", {})
        try:
            body: Any = json.loads(message["Body"])
            if "RULE_ARN" in attributes:
                function, payload = _target(attributes), body
                role = self._webhook(body) if function == _WEBHOOK else _role(function, self._functions)
                error = _unsent(attributes, role)
            else:
                # The function's ARN comes with its version.
                function = body["requestContext"]["functionArn"].split(":")[6]
                payload, role = body["requestPayload"], _role(function, self._functions)
                error = (
                    _error_of(body) if role else f"{function} is no function of this stack that takes events"
                )
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            # Somebody else's message may be anything.
            function, payload, role = "no function", None, None
            error = "it holds no event of a function"
        return FailedEvent(
            id=message["MessageId"],
            receipt=message["ReceiptHandle"],
            since=_sent_at(message),
            role=role,
            function=function,
            pictures=_pictures(payload),
            error=error,
            payload=payload,
        )


def _target(attributes: Mapping[str, Any]) -> str:
    """Return the name of the function that a rule could not hand an event to, or else `webhook`."""
    _, _, service, *_, name = attributes["TARGET_ARN"]["StringValue"].split(":")
    return name if service == "lambda" else _WEBHOOK


def _unsent(attributes: Mapping[str, Any], role: str | None) -> str:
    code = attributes.get("ERROR_CODE", {}).get("StringValue", "no error")
    if role is None:
        return "it is no event of this stack"
    return f"the webhook did not take it: {code}" if role == _WEBHOOK else f"it was not handed over: {code}"


def _sent_at(message: "MessageTypeDef") -> datetime:
    return datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)


def _role(function: str, functions: Mapping[str, str]) -> str | None:
    return next((role for role, name in functions.items() if name == function), None)


def _error_of(body: Mapping[str, Any]) -> str:
    """Say why Lambda gave up: the function's own error, or that the event grew too old."""
    response = body.get("responsePayload")
    return _error_message(response) if response else str(body["requestContext"].get("condition", "no error"))


def _error_message(result: object) -> str:
    message = result.get("errorMessage") if isinstance(result, dict) else None
    return str(message or "the function did not say why")


def _pictures(payload: Any) -> tuple[str, ...]:  # noqa: ANN401 - somebody else's message may be anything
    """Return the keys that an event of S3 names, or the address in one of ours; none of any other."""
    try:
        if "detail" in payload:
            return (str(payload["detail"]["path"]),)
        # S3 writes keys as in a URL's query (S3 user guide, "Event message structure").
        return tuple(unquote_plus(record["s3"]["object"]["key"]) for record in payload["Records"])
    except (AttributeError, KeyError, TypeError):
        return ()


def _told(result: object) -> str:
    """Put what the function returned into words: of each picture what became of it."""
    images = result.get("images") if isinstance(result, dict) else None
    if not images:
        return "done"
    return ", ".join(f"{image['key']} is {image['outcome']}" for image in images)
