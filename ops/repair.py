"""`product-images repair`: runs the reconciler, sends failed events again, compares bucket and table."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapters.dynamo_items import PRODUCT_PREFIX, Item, image_from_item, is_product, product_key
from domain.image import ImageRef, ImageStatus
from ops.failures import OperatorError
from ops.target import Target, target_of
from ops.terminal import confirm, fail, note, say

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_MESSAGES_PER_CALL = 10
"""The most that SQS hands out at once (SQS API reference, ReceiveMessage)."""
_HIDDEN_SECONDS = 300
"""How long a message is kept from others while it is sent again."""
_SHOWN = 20
"""Findings of each kind that an audit names before it only counts them."""

app = typer.Typer(
    no_args_is_help=True, help="Reconcile now, send failed events again, compare bucket and table."
)


@app.command()
def reconcile(ctx: typer.Context) -> None:
    """Run the reconciler now, as its schedule does every hour, and say what it did.

    Example:
        product-images repair reconcile

    """
    target = target_of(ctx)
    note("The reconciler runs; it may take up to five minutes ...")
    answer = target.clients.functions().invoke(FunctionName=target.reconcile_function, Payload=b"{}")
    report: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise OperatorError(f"The reconciler failed: {report.get('errorMessage')}. Look at its log.")
    for name, value in report.items():
        say(f"{name}: {value}")


@app.command()
def redrive(
    ctx: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Send the events of the failure queue to their function again.

    Mend the cause first: an event that fails again comes back to the queue. A message that holds no event
    of a function is named and left there; the exit code is then 1.

    Example:
        product-images repair redrive

    """
    target = target_of(ctx)
    queue = target.clients.sqs().get_queue_attributes(
        QueueUrl=target.failure_queue, AttributeNames=["ApproximateNumberOfMessages"]
    )
    waiting = int(queue["Attributes"]["ApproximateNumberOfMessages"])
    if not waiting:
        say("The failure queue seems to be empty.")
        return
    if not yes:
        confirm(f"Send about {waiting} events to the functions of {target.name} again?")
    # No more than there were: an event that fails again must not be sent round and round.
    taken = [is_sent for _, is_sent in zip(range(waiting), _sent_again(target), strict=False)]
    say(f"Events sent again: {sum(taken)}.")
    if not all(taken):
        raise typer.Exit(1)


@app.command()
def audit(ctx: typer.Context) -> None:
    """Compare bucket and table, and each product's count with its images; reads all of both.

    The exit code is 1 if something is amiss. What is under way while it runs may be named wrongly.

    Example:
        product-images repair audit

    """
    target = target_of(ctx)
    # Keys first: a record comes before its bytes.
    keys = set(_keys(target))
    records = _Records.of(_items(target))
    ready = {ref.key for ref, status in records.statuses.items() if status is ImageStatus.READY}
    known = {ref.key for ref in records.statuses}
    say(f"Objects: {len(keys)}, records: {len(known)}, of which ready: {len(ready)}.")
    findings = {
        "object without a record": sorted(keys - known),
        "ready record without bytes": sorted(ready - keys),
        "product whose count is wrong": list(_miscounted(target, records)),
    }
    for what, found in findings.items():
        for each in found[:_SHOWN]:
            fail(f"{what}: {each}")
        if len(found) > _SHOWN:
            fail(f"{what}: {len(found) - _SHOWN} more")
    if any(findings.values()):
        raise typer.Exit(1)
    say("Every object has its record, every ready record its bytes, and every product counts right.")


def _sent_again(target: Target) -> Iterator[bool]:
    """Send each message's event to its function, then delete the message; a crash in between sends twice.

    Yields for each message whether that could be done; what holds no event stays in the queue.
    """
    sqs, functions = target.clients.sqs(), target.clients.functions()
    while messages := sqs.receive_message(
        QueueUrl=target.failure_queue,
        MaxNumberOfMessages=_MESSAGES_PER_CALL,
        VisibilityTimeout=_HIDDEN_SECONDS,
    ).get("Messages"):
        for message in messages:
            failure = _failure_of(message)
            if failure:
                functions.invoke(
                    FunctionName=failure.function,
                    InvocationType="Event",
                    Payload=json.dumps(failure.event).encode(),
                )
                sqs.delete_message(QueueUrl=target.failure_queue, ReceiptHandle=message["ReceiptHandle"])
            else:
                fail(
                    f"Message {message['MessageId']} holds no event of a function. It stays in the queue, "
                    f"where it is seen again in {_HIDDEN_SECONDS // 60} minutes: look at it, and delete it."
                )
            yield failure is not None


@dataclass(frozen=True, slots=True)
class _Failure:
    function: str
    event: object


def _failure_of(message: "MessageTypeDef") -> _Failure | None:
    """Read what Lambda writes to a failure destination (its developer guide, "Destinations")."""
    try:
        body = json.loads(message["Body"])
        # The function's ARN comes with its version.
        function: str = body["requestContext"]["functionArn"].removesuffix(":$LATEST")
        return _Failure(function, body["requestPayload"])
    except (AttributeError, KeyError, TypeError, ValueError):
        # Somebody else's message may be anything.
        return None


@dataclass(frozen=True, slots=True)
class _Records:
    """Of each picture its status, and of each product how many pictures it counts."""

    statuses: dict[ImageRef, ImageStatus]
    counts: dict[int, int]

    @classmethod
    def of(cls, items: Iterable[Item]) -> "_Records":
        records = cls({}, {})
        for item in items:
            if is_product(item):
                product_id = int(item["pk"]["S"].removeprefix(PRODUCT_PREFIX))
                records.counts[product_id] = int(item.get("image_count", {"N": "0"})["N"])
            else:
                image = image_from_item(item)
                records.statuses[image.ref] = image.status
        return records

    def differences(self) -> dict[int, str]:
        """Return by product what it counts and what it has, where the two differ."""
        statuses = self.statuses.items()
        shown = Counter(ref.product_id for ref, status in statuses if status is not ImageStatus.DELETING)
        return {
            product_id: f"{product_id} counts {self.counts.get(product_id, 0):,}, has {shown[product_id]:,}"
            for product_id in sorted(self.counts.keys() | shown.keys())
            if self.counts.get(product_id, 0) != shown[product_id]
        }


def _miscounted(target: Target, records: _Records) -> Iterator[str]:
    """Tell of the products that count wrong at a second look too: a scan meets uploads half-way."""
    for product_id, difference in records.differences().items():
        again = _Records.of(_items_of(target, product_id)).differences()
        if again == {product_id: difference}:
            yield difference


def _items(target: Target) -> Iterator[Item]:
    """Read all products and pictures."""
    pages = target.dynamodb.get_paginator("scan").paginate(
        TableName=target.table,
        ConsistentRead=True,
        FilterExpression="begins_with(pk, :product)",
        ExpressionAttributeValues={":product": {"S": PRODUCT_PREFIX}},
    )
    for page in pages:
        yield from page["Items"]


def _items_of(target: Target, product_id: int) -> Iterator[Item]:
    """Read one product and its pictures."""
    pages = target.dynamodb.get_paginator("query").paginate(
        TableName=target.table,
        ConsistentRead=True,
        KeyConditionExpression="pk = :product",
        ExpressionAttributeValues={":product": product_key(product_id)["pk"]},
    )
    for page in pages:
        yield from page["Items"]


def _keys(target: Target) -> Iterator[str]:
    pages = (
        target.clients.s3()
        .get_paginator("list_objects_v2")
        .paginate(Bucket=target.bucket, Prefix="originals/")
    )
    for page in pages:
        for stored in page.get("Contents", []):
            yield stored["Key"]
