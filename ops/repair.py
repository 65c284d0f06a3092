"""`product-images repair`: runs the reconciler, handles failed events, compares bucket and table."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Annotated, Any

import typer

from ops.audit import audit_of, remove_unowned
from ops.failure_queue import FailedEvent, FailureQueue, Outcome
from ops.failures import OperatorError
from ops.target import PARALLEL_CALLS, target_of
from ops.terminal import confirm, fail, note, say, say_json, show

_SHOWN = 20
"""Findings of each kind that an audit names before it only counts them."""

app = typer.Typer(no_args_is_help=True, help="Reconcile now, handle failed events, compare bucket and table.")

_Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command()
def reconcile(ctx: typer.Context) -> None:
    """Run the reconciler now, as its schedule does every hour, and say what it did.

    Example:
        product-images repair reconcile

    """
    target = target_of(ctx)
    note("The reconciler runs; it may take up to five minutes ...")
    function = target.asynchronous_functions["reconcile"]
    answer = target.clients.functions().invoke(FunctionName=function, Payload=b"{}")
    report: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise OperatorError(f"The reconciler failed: {report.get('errorMessage')}. Look at its log.")
    for name, value in report.items():
        say(f"{name}: {value}")


@app.command("queue")
def list_queue(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON, for scripts.")] = False,
) -> None:
    """List the events in the failure queue, the oldest first: id, age, function, image, error.

    Example:
        product-images repair queue

    """
    queue = FailureQueue(target_of(ctx))
    hidden = queue.hidden()
    with queue.held() as events:
        now = datetime.now(UTC)
    if hidden:
        note(f"About {hidden} more are held by somebody else just now; look again in a quarter of an hour.")
    if as_json:
        say_json([_as_json(event, now) for event in events])
    elif events:
        columns = ("Id", "Age", "Function", "Picture", "Error")
        show(columns, (_as_row(event, now) for event in events), folds="Error")
    else:
        note("The failure queue is empty.")


@app.command()
def redrive(
    ctx: typer.Context,
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Events to send, as listed by repair queue.", show_default="all"),
    ] = None,
    yes: _Yes = False,
) -> None:
    """Send events of the failure queue to their function again, and say what came of each.

    Mend the cause first. An event that fails again stays in the queue, and so does one that is of no function
    of this stack; the exit code is then 1.

    Examples:
        product-images repair redrive
        product-images repair redrive 5f3b9c1e-8d1d-4a0b-9d57-6a1f0a4c2e11

    """
    target = target_of(ctx)
    queue = FailureQueue(target)
    with queue.held() as events, ThreadPoolExecutor(PARALLEL_CALLS) as pool:
        chosen = _chosen(events, ids)
        if not chosen:
            say("The failure queue is empty.")
            return
        _ask(f"Send {_events(chosen)} again, in {target.name}?", chosen, yes=yes)
        done = 0
        # No more than these few are still sent after Ctrl-C.
        for few in batched(chosen, PARALLEL_CALLS, strict=False):
            for event, outcome in zip(few, pool.map(queue.send_again, few), strict=True):
                done += outcome.is_done
                _tell(event, outcome)
    say(f"Done: {done} of {len(chosen)}.")
    if done < len(chosen):
        raise typer.Exit(1)


@app.command()
def drop(
    ctx: typer.Context,
    ids: Annotated[
        list[str], typer.Argument(metavar="ID", help="Events to drop, as listed by repair queue.")
    ],
    yes: _Yes = False,
) -> None:
    """Remove events from the failure queue for good.

    Example:
        product-images repair drop 5f3b9c1e-8d1d-4a0b-9d57-6a1f0a4c2e11

    """
    target = target_of(ctx)
    queue = FailureQueue(target)
    with queue.held() as events:
        chosen = _chosen(events, ids)
        _ask(f"Drop {_events(chosen)} for good, in {target.name}?", chosen, yes=yes)
        for event in chosen:
            queue.drop(event)
            say(f"Dropped {event.description}")


@app.command()
def audit(
    ctx: typer.Context,
    remove: Annotated[
        bool, typer.Option("--remove", help="Remove public objects without a ready record.")
    ] = False,
    yes: _Yes = False,
) -> None:
    """Compare what is public with the records, and each product's count with its images; reads all of both.

    The exit code is 1 if something is amiss. What is under way while it runs may be named wrongly; what is to
    be removed is looked at once more.

    Examples:
        product-images repair audit
        product-images repair audit --remove

    """
    target = target_of(ctx)
    found = audit_of(target)
    say(f"Public objects: {found.objects}, records: {found.records}, of which ready: {found.ready}.")
    for what, each in found.findings.items():
        for finding in each[:_SHOWN]:
            fail(f"{what}: {finding}")
        if len(each) > _SHOWN:
            fail(f"{what}: {len(each) - _SHOWN} more")
    if remove and found.unowned:
        if not yes:
            confirm(f"Remove {len(found.unowned)} public objects without a ready record, in {target.name}?")
        for key in remove_unowned(target, found):
            say(f"Removed {key}")
    if any(found.findings.values()):
        raise typer.Exit(1)
    say("All that is public has its ready record, and every product counts right.")


def _chosen(events: Sequence[FailedEvent], ids: Sequence[str] | None) -> Sequence[FailedEvent]:
    """Return the events with these ids, or all."""
    if not ids:
        return events
    missing = set(ids) - {event.id for event in events}
    if missing:
        raise OperatorError(
            f"There is no event {', '.join(sorted(missing))} in the failure queue, or somebody else holds it "
            "just now. See: product-images repair queue"
        )
    return [event for event in events if event.id in ids]


def _ask(question: str, events: Sequence[FailedEvent], *, yes: bool) -> None:
    if not yes:
        for event in events:
            note(event.description)
        confirm(question)


def _tell(event: FailedEvent, outcome: Outcome) -> None:
    if outcome.is_done:
        say(f"{event.id}: {outcome.what}.")
    elif event.role:
        fail(f"{event.id} stays in the queue: {outcome.what}")
    else:
        fail(f"{event.id} stays in the queue: {outcome.what}. See: product-images repair drop --help")


def _events(events: Sequence[FailedEvent]) -> str:
    return "this event" if len(events) == 1 else f"these {len(events)} events"


def _as_row(event: FailedEvent, now: datetime) -> Sequence[str]:
    age = _age(now - event.since)
    return event.id, age, event.role or event.function, event.shown_pictures, event.error


def _as_json(event: FailedEvent, now: datetime) -> dict[str, object]:
    return {
        "id": event.id,
        "age_seconds": int((now - event.since).total_seconds()),
        "function": event.role or event.function,
        "is_of_this_stack": event.role is not None,
        "pictures": event.pictures,
        "error": event.error,
        "payload": event.payload,
    }


def _age(age: timedelta) -> str:
    """Write an age in its two largest units: `3 d 4 h`, `4 h 5 min`, `5 min`."""
    minutes = int(age / timedelta(minutes=1))
    days, hours = minutes // (24 * 60), minutes // 60 % 24
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
