"""Requests with an idempotency key, going wrong in every way: one picture, one answer, one count."""

from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import product

import pytest

from domain.begun import GOING_ON_TIME
from domain.errors import DomainError, KeyInUseError, UnavailableError
from domain.image import ImageStatus
from tests.e2e.fault_bench import (
    CONTENT,
    Bench,
    Fault,
    FaultPoint,
    Interference,
    KilledError,
    When,
    fault_points,
)
from tests.e2e.fault_checks import check_nothing_is_lost_or_left, name
from tests.e2e.keyed_requests import FUNCTION_TIME, Answer, ask_for_form, send_upload
from tests.torture.results import size

type Send = Callable[[Bench, Interference], Answer]

SENDS: dict[str, Send] = {"upload": send_upload, "reservation": ask_for_form}
CALLS = {"upload": 6, "reservation": 5}
"""Of a request that goes well: it leases identifiers, claims the key, counts, writes the record, writes the
bytes, keeps the answer."""
CALLS_AGAIN = {"upload": 10, "reservation": 8}
"""Of one that was taken back before: it leases identifiers, meets the claim, claims the key over it, looks
for the record, claims the key for another picture, and goes on as the first. The first picture of a product
that has come to nothing still is where its gallery begins: the next one is counted at the second try."""


def outages(calls: int) -> list[FaultPoint]:
    """Return every way in which all calls from one on go wrong; a process is killed but once."""
    return [
        FaultPoint(point.call, point.when, point.fault, is_outage=True)
        for point in fault_points(calls)
        if point.fault is not Fault.KILLED
    ]


def pairs(request: str) -> list[tuple[str, FaultPoint, FaultPoint]]:
    first, second = CALLS[request], CALLS_AGAIN[request]
    found = product([*fault_points(first), *outages(first)], fault_points(second))
    every = [(request, *pair) for pair in found]
    # No divisors of eight, so that each kind of fault has its turn at each two calls.
    return size(every[::7], every[::509], "two faults in a row at calls of requests with a key")


def send(bench: Bench, request: str, point: FaultPoint | None = None) -> Answer | BaseException:
    try:
        return SENDS[request](bench, Interference(point=point))
    except (KilledError, DomainError) as error:
        return error


def after_a_pause(request: str) -> list[FaultPoint]:
    every = [*fault_points(CALLS[request]), *outages(CALLS[request])]
    return size(every, every[::61], "faults at calls of requests with a key, sent again later")


def in_words(value: object) -> str:
    return name(value) if isinstance(value, FaultPoint) else str(value)


def check_in_the_end(
    bench: Bench, request: str, points: list[FaultPoint], answers: list[Answer | BaseException]
) -> None:
    """Check that there is one picture, whatever was answered, and that it counts once.

    A form that has expired meanwhile brings none.
    """
    last = send(bench, request)
    assert isinstance(last, Mapping), last
    # Whoever was told of a picture was told of this one.
    assert [answer for answer in answers if isinstance(answer, Mapping) and answer != last] == []
    assert send(bench, request) == last
    refs = [image.ref for image in bench.images() if image.ref.image_id == last["image_id"]]
    is_sent = "expires_at" not in last or bench.now < datetime.fromisoformat(last["expires_at"])
    if request == "reservation" and is_sent:
        assert [last["key"]] == [ref.incoming_key for ref in refs]
        bench.write(refs[0], CONTENT)
    bench.deliver_events()
    check_nothing_is_lost_or_left(bench)
    assert bench.records() == (dict.fromkeys(refs, ImageStatus.READY) if is_sent else {})
    assert len(bench.records()) == is_sent
    # What nobody could count or give back may be left out, but is never counted twice.
    is_lenient = any(point.fault is Fault.KILLED or point.is_outage for point in points)
    assert bench.counted() in {1, *([0] if is_lenient else [])}


@pytest.mark.parametrize("request_", SENDS)
def test_the_table_of_faults_has_every_call(bench: Bench, request_: str) -> None:
    first, again = Interference(), Interference()
    SENDS[request_](bench, first)
    assert len(first.calls) == CALLS[request_], first.calls
    bench.clear()
    # The last write before the answer is kept.
    send(bench, request_, FaultPoint(CALLS[request_] - 2, When.BEFORE, Fault.THROTTLED))
    SENDS[request_](bench, again)
    assert len(again.calls) == CALLS_AGAIN[request_], again.calls


@pytest.mark.torture(
    "calls to AWS of requests with a key, each wrong twice in a row, for once or from then on"
)
@pytest.mark.parametrize(
    ("request_", "first", "second"), [each for request in SENDS for each in pairs(request)], ids=in_words
)
def test_a_request_with_a_key_that_goes_wrong_twice_makes_one_picture_and_counts_once(
    bench: Bench, request_: str, first: FaultPoint, second: FaultPoint
) -> None:
    answers: list[Answer | BaseException] = []
    for point in (first, second):
        answers.append(answer := send(bench, request_, point))
        # Nothing is running, and nobody is told so.
        assert not isinstance(answer, KeyInUseError)
        if not isinstance(answer, UnavailableError) or point.is_outage:
            # The function is killed at the latest now, or nobody could say that it has ended.
            bench.now += FUNCTION_TIME
    check_in_the_end(bench, request_, [first, second], answers)


@pytest.mark.torture(
    "calls to AWS of requests with a key, each wrong, sent again half an hour or hours later"
)
@pytest.mark.parametrize("events", ["handled", "late"])
@pytest.mark.parametrize("pause", ["half an hour", "hours"])
@pytest.mark.parametrize(
    ("request_", "point"),
    [(request, point) for request in SENDS for point in after_a_pause(request)],
    ids=in_words,
)
def test_a_request_with_a_key_that_is_sent_again_much_later_makes_one_picture(
    bench: Bench, request_: str, point: FaultPoint, pause: str, events: str
) -> None:
    answer = send(bench, request_, point)
    if events == "handled":
        bench.deliver_events()
    if pause == "hours":
        bench.let_time_pass_and_reconcile()
    else:
        bench.now += GOING_ON_TIME
    check_in_the_end(bench, request_, [point], [answer])
