"""What others are told of pictures, heard with a rule and a queue of the run's own."""

import json
import secrets
from functools import partial
from uuid import uuid4

from ops.verify.access import MADE
from ops.verify.api import expect
from ops.verify.check import Check, CheckError
from ops.verify.gallery import CHANGED, DELETED, REORDERED, reordered
from ops.verify.trial import Trial
from ops.verify.uploads import send_directly, wait_until_ready

_HEARD_SECONDS = 20
_WANTED = frozenset({"ImageReady", "ImageChanged", "GalleryReordered", "ImageDeleted"})
_TARGET = "verify"


def listening(trial: Trial) -> str:
    """Let the events of this product go to a queue."""
    name = f"product-images-verify-{secrets.token_hex(4)}"
    sqs, events = trial.target.clients.sqs(), trial.target.clients.events()
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    trial.belongings.add(f"queue {name}", partial(sqs.delete_queue, QueueUrl=url))
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    pattern = {"source": ["product-images"], "detail": {"product_id": [trial.product_id]}}
    trial.belongings.add(f"rule {name}", partial(events.delete_rule, Name=name))
    events.put_rule(Name=name, EventPattern=json.dumps(pattern), Description="Of product-images verify.")
    trial.belongings.add(f"target of rule {name}", partial(events.remove_targets, Rule=name, Ids=[_TARGET]))
    events.put_targets(Rule=name, Targets=[{"Id": _TARGET, "Arn": arn}])
    trial.events_queue = url
    return name


def heard(trial: Trial) -> str:
    """Wait for an event of each kind."""
    kinds: set[str] = set()
    try:
        _listen(trial, kinds)
    except CheckError:
        # A rule may take a while until it works (EventBridge user guide, "Creating rules").
        _make_more(trial)
        _listen(trial, kinds)
    return ", ".join(sorted(_WANTED))


def _listen(trial: Trial, kinds: set[str]) -> None:
    def look() -> bool | None:
        kinds.update(_received(trial))
        return True if kinds >= _WANTED else None

    try:
        trial.interruption.wait_until(look, "event of each kind", _HEARD_SECONDS)
    except CheckError:
        raise CheckError(f"no {' and no '.join(sorted(_WANTED - kinds))} in {_HEARD_SECONDS} s") from None


def _received(trial: Trial) -> set[str]:
    sqs = trial.target.clients.sqs()
    answer = sqs.receive_message(QueueUrl=trial.events_queue, MaxNumberOfMessages=10)
    return {str(json.loads(message["Body"])["detail-type"]) for message in answer.get("Messages", [])}


def _make_more(trial: Trial) -> None:
    """Send one more picture; once it is ready, change it, put it elsewhere in the gallery, and delete it."""
    send_directly(trial, "another", str(uuid4()))
    wait_until_ready(trial, "another")
    expect(trial.staff.send("PATCH", trial.image_path("another"), json={"alt_text": "Another"}), 200)
    reordered(trial)
    expect(trial.staff.send("DELETE", trial.image_path("another")), 204)


_LISTENING = "listener for events"
LISTENING = (
    Check(_LISTENING, listening, "The operator needs the rights that verify --help lists.", (MADE,)),
)
HEARD = (
    Check(
        "events of images",
        heard,
        "Look at the logs of extract-metadata and gallery: their roles need events:PutEvents.",
        (_LISTENING, CHANGED, REORDERED, DELETED),
    ),
)
