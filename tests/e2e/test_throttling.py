"""AWS throttles several tries in a row: an answer comes all the same, a true one, before time is up."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.session import Session

from domain.image import ImageRef, ImageStatus
from local.system import State
from tests.builders import IMAGE_PATH, IMAGES_PATH, api_event, json_event, object_created, upload_event
from tests.conftest import ColdStart
from tests.e2e.fault_bench import (
    CONTENT,
    PRODUCT_ID,
    Bench,
    Fault,
    Interference,
    refusal,
    throttled_transaction,
)
from tests.forms import upload_form as a_form
from tests.torture.results import size

TRIES = {"PutObject": 2, "ListObjectsV2": 2, "DeleteObjects": 2, "TransactWriteItems": 10}
"""How often the functions try an operation, if not `USUAL_TRIES` times (adapters/aws.py)."""
USUAL_TRIES = 3

SLOW = {"dynamodb": 1.9, "s3": 3.9, "eventbridge": 1.9}
"""Seconds of a try that is refused just before its client would give up waiting."""

PACES: dict[str, dict[str, float]] = {"at once": dict.fromkeys(SLOW, 0), "slowly": SLOW}
IN_A_ROW = (1, 2, 3, 5)
ALL = "all"

type Event = Callable[[int], dict[str, Any]]


@dataclass(slots=True)
class VirtualClock:
    """Time that passes by being told to."""

    seconds: float = 0

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


class Throttle:
    """Refuses the first tries of an operation, or of each, and takes its time for it."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._operation, self._times = ALL, 0
        self._seconds: dict[str, float] = {}
        self._refused: Counter[str] = Counter()

    def begin(self, operation: str, times: int, seconds: dict[str, float]) -> None:
        self._operation, self._times, self._seconds = operation, times, seconds

    def end(self) -> None:
        self._times = 0

    def answer(self, request: AWSPreparedRequest, event_name: str, **_event: object) -> AWSResponse | None:
        _, service, operation = event_name.split(".")
        is_meant = service in self._seconds and self._operation in {operation, ALL}
        if not is_meant or self._refused[operation] >= self._times:
            return None
        self._refused[operation] += 1
        self._clock.advance(self._seconds[service])
        if operation == "TransactWriteItems":
            return throttled_transaction(request.url)
        return refusal(Fault.THROTTLED, request.url, service)


class Context(LambdaContext):
    """Tells how much of a function's time is left."""

    _aws_request_id = "throttled"

    def __init__(self, clock: VirtualClock, timeout_seconds: float) -> None:
        self._clock = clock
        self._ends_at = clock.seconds + timeout_seconds

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override]
        return int((self._ends_at - self._clock.seconds) * 1000)


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a function: its event for an image, the operations it takes, its status if all is well.

    What goes wrong `afterwards` is made up for later, and nobody waits for it.
    """

    function: str
    event: Event
    operations: tuple[str, ...]
    status: int
    afterwards: tuple[str, ...] = ()


PATH = {"product_id": PRODUCT_ID}
REQUESTS = {
    "upload": Request(
        "upload_image",
        lambda _: upload_event(a_form(CONTENT)),
        ("UpdateItem", "TransactWriteItems", "PutObject"),
        201,
    ),
    "upload with a key": Request(
        "upload_image",
        lambda _: upload_event(a_form(CONTENT), headers={"Idempotency-Key": str(uuid4())}),
        ("UpdateItem", "PutItem", "TransactWriteItems", "PutObject"),
        201,
    ),
    "reserve": Request(
        "reserve_upload",
        lambda _: json_event("POST", f"{IMAGES_PATH}/uploads", {"name": "big.jpg", "size": 9}),
        ("UpdateItem", "TransactWriteItems"),
        201,
    ),
    "list": Request("gallery", lambda _: api_event("GET", IMAGES_PATH, path=PATH), ("Query",), 200),
    "list products": Request(
        "products", lambda _: api_event("GET", "/api/products", path={}), ("Query", "BatchGetItem"), 200
    ),
    "show": Request(
        "gallery",
        lambda image_id: api_event("GET", IMAGE_PATH, path={**PATH, "image_id": image_id}),
        ("BatchGetItem",),
        200,
    ),
    "change": Request(
        "gallery",
        lambda image_id: json_event("PATCH", IMAGE_PATH, {"is_primary": True, "order": 3}, image_id=image_id),
        # Before a new place, nothing is known of the gallery's first picture: an UpdateItem of its own.
        ("BatchGetItem", "UpdateItem", "TransactWriteItems"),
        200,
        ("PutEvents",),
    ),
    "reorder": Request(
        "gallery",
        lambda image_id: json_event("PUT", f"{IMAGES_PATH}/order", {"image_ids": [image_id]}),
        ("Query", "TransactWriteItems"),
        200,
    ),
    "delete": Request(
        "gallery",
        lambda image_id: api_event("DELETE", IMAGE_PATH, path={**PATH, "image_id": image_id}),
        ("BatchGetItem", "TransactWriteItems", "ListObjectsV2", "DeleteObjects", "DeleteItem", "PutEvents"),
        204,
    ),
}

INSPECTIONS: dict[str, tuple[Callable[[Bench], ImageRef], tuple[str, ...]]] = {
    "ordinary": (
        lambda bench: bench.upload(Interference(), is_primary=False),
        ("GetObject", "PutObject", "UpdateItem", "PutEvents", "DeleteObject"),
    ),
    "primary": (
        lambda bench: bench.upload(Interference()),
        ("GetObject", "PutObject", "TransactWriteItems", "PutEvents", "DeleteObject"),
    ),
    "primary by a form": (
        Bench.send_form,
        ("GetObject", "GetItem", "PutObject", "TransactWriteItems", "PutEvents", "DeleteObject"),
    ),
}
"""How pictures come in, and what operations their inspection takes."""


@pytest.fixture
def clock(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> VirtualClock:
    """A clock on which waiting takes no time, and the SDK waits for as long as it ever does."""
    del bench  # whose SDK does not wait: this takes its place
    clock = VirtualClock()
    monkeypatch.setattr("time.sleep", clock.advance)
    monkeypatch.setattr(
        "botocore.retries.standard.ExponentialBackoff.delay_amount",
        # The most that it waits before the next try: 1 s, 2 s, 4 s (its `base ** attempt`, times at most 1).
        lambda _self, context: 2 ** (context.attempt_number - 1),
    )
    return clock


@pytest.fixture
def throttle(session: Session, clock: VirtualClock) -> Iterator[Throttle]:
    """Throttling that every client meets which is made from now on, once it is told of what."""
    throttle = Throttle(clock)
    # The SDK's published types do not know that handlers may answer.
    answer: Any = throttle.answer
    # Clients take over what their session has registered; this comes after anything of their own.
    hooks = session.get_component("event_emitter")
    hooks.register_last("before-send", answer)
    yield throttle
    hooks.unregister("before-send", answer)


class Functions:
    """The functions with the environment that they are deployed with, on the bench's table and bucket."""

    def __init__(self, bench: Bench, system: State, clock: VirtualClock, start: ColdStart) -> None:
        self._bench = bench
        self._system = system
        self._clock = clock
        self._start = start

    def run(self, name: str, event: dict[str, Any]) -> Any:  # noqa: ANN401 - what a handler returns
        configured = self._system.endpoint.client("lambda").get_function_configuration(
            FunctionName=self._system.resources.functions[name]
        )
        variables = {
            "TABLE": "catalog",
            "IDEMPOTENCY_TABLE": "idempotency",
            "BUCKET": self._bench.bucket,
        }
        module = self._start(name, **configured["Environment"]["Variables"] | variables)
        context = Context(self._clock, configured["Timeout"])
        try:
            return module.lambda_handler(event, context)
        finally:
            assert context.get_remaining_time_in_millis() > 0, "Lambda would have ended it"


@pytest.fixture
def functions(bench: Bench, system: State, clock: VirtualClock, cold_start: ColdStart) -> Functions:
    return Functions(bench, system, clock, cold_start)


type Case = tuple[str, str, int, str]
"""Who does what, the operation that is throttled, how many times in a row, and how fast."""


def cases(operations: Mapping[str, tuple[str, ...]], of: str) -> list[Case]:
    """Return each operation, and all at once, throttled in every way; in `make test` in one way by turns."""
    every = [
        (name, operation, times, pace)
        for name, named in operations.items()
        for operation in (*named, ALL)
        for times in IN_A_ROW
        for pace in PACES
    ]
    ways = len(IN_A_ROW) * len(PACES)
    return size(every, every[:: ways + 1], of)


@pytest.mark.torture("requests throttled 1, 2, 3 and 5 times in a row")
@pytest.mark.parametrize(
    ("name", "operation", "times", "pace"),
    cases(
        {name: (*request.operations, *request.afterwards) for name, request in REQUESTS.items()},
        "throttled requests",
    ),
)
def test_a_throttled_request_succeeds_or_is_told_when_to_come_again_before_time_is_up(
    functions: Functions, bench: Bench, throttle: Throttle, name: str, operation: str, times: int, pace: str
) -> None:
    request = REQUESTS[name]
    ref = bench.upload(Interference())
    bench.deliver_events()
    throttle.begin(operation, times, PACES[pace])
    answer = functions.run(request.function, request.event(ref.image_id))
    throttle.end()
    if operation != ALL:
        within_budget = operation in request.afterwards or times < TRIES.get(operation, USUAL_TRIES)
        assert answer["statusCode"] == (request.status if within_budget else 503)
    assert answer["statusCode"] in {request.status, 503}
    if answer["statusCode"] == 503:
        assert int(answer["headers"]["Retry-After"]) > 0
        # An upload that failed too late cannot be taken back in time, and says so.
        is_late = name.startswith("upload") and (operation, pace) == (ALL, "slowly")
        told = {"temporarily_unavailable", *(["outcome_unknown"] if is_late else [])}
        assert json.loads(answer["body"])["code"] in told
    bench.let_time_pass_and_reconcile()
    # Nothing is left half done or untold, and what was answered is so.
    assert {image.untold for image in bench.images()} <= {frozenset()}
    assert bench.records() == dict.fromkeys(bench.objects(), ImageStatus.READY)
    assert bench.count() == len(bench.records())
    if answer["statusCode"] == request.status:
        assert len(bench.objects()) == {"upload": 2, "upload with a key": 2, "delete": 0}.get(name, 1)


@pytest.mark.torture("inspections throttled 1, 2, 3 and 5 times in a row")
@pytest.mark.parametrize(
    ("kind", "operation", "times", "pace"),
    cases({kind: operations for kind, (_, operations) in INSPECTIONS.items()}, "throttled inspections"),
)
def test_a_throttled_inspection_succeeds_within_lambdas_tries(
    functions: Functions,
    bench: Bench,
    throttle: Throttle,
    kind: str,
    operation: str,
    times: int,
    pace: str,
) -> None:
    take_in, _ = INSPECTIONS[kind]
    ref = take_in(bench)
    throttle.begin(operation, times, PACES[pace])
    event = object_created(ref.incoming_key)
    bench.run_as_lambda_does(lambda _: functions.run("extract_metadata", event), Interference())
    throttle.end()
    if operation == ALL:
        # What three runs cannot bear waits in the failure queue until it is sent again.
        bench.deliver_events()
    assert bench.records() == {ref: ImageStatus.READY}
    assert bench.primary() == (None if kind == "ordinary" else ref.image_id)
