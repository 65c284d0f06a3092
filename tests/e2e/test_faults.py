"""Every call to AWS of every use case, going wrong in every way: what is left when all is quiet again."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from adapters.aws import s3_client
from domain.change_image import ChangeImage, ImageChange
from domain.errors import ImageNotFoundError, OutcomeUnknownError, UnavailableError
from domain.image import ImageRef, ImageStatus
from domain.reconcile import PATIENCE
from tests.e2e.fault_bench import (
    BROKEN,
    OPEN_SHARDS,
    Bench,
    Fault,
    FaultPoint,
    Interference,
    KilledError,
    When,
    fault_points,
    outcome,
)
from tests.e2e.fault_checks import check_nothing_is_lost_or_left, name
from tests.fakes import InMemoryImageEvents
from tests.torture.results import size

CALLS = {
    "upload": 3,
    "extract": 5,
    "extract primary": 5,
    "extract wished anew": 7,
    "extract form": 6,
    "extract broken": 5,
    "delete": 6,
    "delete pending": 5,
    "reconcile": 17 + OPEN_SHARDS,
}
"""How many calls each use case makes; a test holds them to it, so that no point is left out."""

SAMPLED = dict.fromkeys(CALLS, 7) | {"reconcile": 17}
"""Every which point is tried in `make test`; no divisor of eight, so that each kind of fault has its turn."""

HIDDEN = FaultPoint(2, When.BEFORE, Fault.KILLED)
"""A deletion that ends here has hidden the picture and no more."""


def an_upload(bench: Bench) -> ImageRef:
    return bench.upload(Interference())


def a_broken_upload(bench: Bench) -> ImageRef:
    return bench.upload(Interference(), BROKEN)


def an_ordinary_upload(bench: Bench) -> ImageRef:
    return bench.upload(Interference(), is_primary=False)


def an_upload_wished_anew(bench: Bench) -> ImageRef:
    """Take in a picture whose bytes bear another wish than its record."""
    ref = an_upload(bench)
    change = ChangeImage(bench.catalog, InMemoryImageEvents(), lambda: bench.now + timedelta(seconds=1))
    for is_primary in (False, True):
        change(ref.product_id, ref.image_id, ImageChange(is_primary=is_primary))
    return ref


INSPECTED: dict[str, Callable[[Bench], ImageRef]] = {
    "extract": an_ordinary_upload,
    "extract primary": an_upload,
    "extract wished anew": an_upload_wished_anew,
    "extract form": Bench.send_form,
}


def a_ready_picture(bench: Bench) -> ImageRef:
    ref = an_upload(bench)
    bench.deliver_events()
    return ref


def leave_things_open(bench: Bench) -> None:
    """Leave a picture whose event got lost, one whose bytes did, and one whose deletion was cut short."""
    an_upload(bench)
    s3_client().delete_object(Bucket=bench.bucket, Key=an_upload(bench).incoming_key)
    deleted = an_upload(bench)
    bench.extract(deleted, Interference())
    assert isinstance(outcome(partial(bench.delete, deleted, Interference(point=HIDDEN))), KilledError)
    bench.now += PATIENCE + timedelta(minutes=1)


def points(use_case: str) -> list[FaultPoint]:
    """Return the points to try: all of them in `make torture`, else some of every kind and of most calls."""
    every = fault_points(CALLS[use_case])
    return size(every, every[:: SAMPLED[use_case]], "faults at calls to AWS")


@pytest.mark.parametrize("use_case", CALLS)
def test_the_table_of_faults_has_every_call(bench: Bench, use_case: str) -> None:
    def inspect(take_in: Callable[[Bench], ImageRef], interference: Interference) -> None:
        bench.extract(take_in(bench), interference)

    prepare: dict[str, Callable[[Interference], object]] = {
        "upload": bench.upload,
        **{each: partial(inspect, take_in) for each, take_in in INSPECTED.items()},
        "extract broken": lambda interference: bench.extract(a_broken_upload(bench), interference),
        "delete": lambda interference: bench.delete(a_ready_picture(bench), interference),
        "delete pending": lambda interference: bench.delete(an_upload(bench), interference),
        "reconcile": bench.reconcile,
    }
    if use_case == "reconcile":
        leave_things_open(bench)
    interference = Interference()
    prepare[use_case](interference)
    assert len(interference.calls) == CALLS[use_case], interference.calls


@pytest.mark.torture("calls to AWS of upload, each before and after, killed, throttled, HTTP 500, reply lost")
@pytest.mark.parametrize("point", points("upload"), ids=name)
def test_an_upload_that_goes_wrong_is_answered_truly_and_leaves_nothing_half_done(
    bench: Bench, point: FaultPoint
) -> None:
    answer = outcome(partial(bench.upload, Interference(point=point)))
    bench.deliver_events()
    check_nothing_is_lost_or_left(bench)
    there = len(bench.objects())
    if answer is None:
        assert there == 1
    elif type(answer) is UnavailableError:
        assert there == 0
    else:
        # Nobody was told anything, or that nobody knows.
        assert isinstance(answer, KilledError | OutcomeUnknownError)
        assert there in {0, 1}


@pytest.mark.torture(
    "calls to AWS of inspection, each before and after, killed, throttled, HTTP 500, reply lost"
)
@pytest.mark.parametrize(
    ("use_case", "point"),
    [(use_case, point) for use_case in INSPECTED for point in points(use_case)],
    ids=lambda value: value if isinstance(value, str) else name(value),
)
def test_an_inspection_that_goes_wrong_is_made_good_by_the_next_try(
    bench: Bench, use_case: str, point: FaultPoint
) -> None:
    ref = INSPECTED[use_case](bench)
    bench.deliver_events(Interference(point=point))
    assert bench.records() == {ref: ImageStatus.READY}
    assert bench.primary() == (None if use_case == "extract" else ref.image_id)
    check_nothing_is_lost_or_left(bench)


@pytest.mark.torture(
    "calls to AWS of deletion, each before and after, killed, throttled, HTTP 500, reply lost"
)
@pytest.mark.parametrize("point", points("delete"), ids=name)
def test_a_deletion_that_goes_wrong_is_whole_or_not_at_all_in_the_end(
    bench: Bench, point: FaultPoint
) -> None:
    ref = a_ready_picture(bench)
    answer = outcome(partial(bench.delete, ref, Interference(point=point)))
    visible = bench.records().get(ref) is ImageStatus.READY
    check_nothing_is_lost_or_left(bench)
    assert (bench.records() == {}) is not visible
    assert (bench.primary() is None) is not visible
    if answer is None:
        assert not visible
    retried = outcome(partial(bench.delete, ref, Interference()))
    assert retried is None if visible else isinstance(retried, ImageNotFoundError)


@pytest.mark.torture("calls to AWS of a broken picture's inspection, in the same ways")
@pytest.mark.parametrize("point", points("extract broken"), ids=name)
def test_the_inspection_of_a_broken_picture_that_goes_wrong_is_made_good_by_the_next_try(
    bench: Bench, point: FaultPoint
) -> None:
    ref = a_broken_upload(bench)
    bench.deliver_events(Interference(point=point))
    assert bench.records() == {ref: ImageStatus.FAILED}
    assert (bench.public_keys(), bench.primary()) == ([], None)
    check_nothing_is_lost_or_left(bench)


@pytest.mark.torture("calls to AWS of a pending picture's deletion, in the same ways")
@pytest.mark.parametrize("point", points("delete pending"), ids=name)
def test_the_deletion_of_a_pending_picture_that_goes_wrong_is_whole_or_not_at_all_in_the_end(
    bench: Bench, point: FaultPoint
) -> None:
    ref = an_upload(bench)
    answer = outcome(partial(bench.delete, ref, Interference(point=point)))
    was_visible = bench.records() == {ref: ImageStatus.PENDING}
    bench.deliver_events()
    check_nothing_is_lost_or_left(bench)
    assert bench.records() == ({ref: ImageStatus.READY} if was_visible else {})
    if answer is None:
        assert not was_visible


@pytest.mark.torture(
    "calls to AWS of reconciling, each before and after, killed, throttled, HTTP 500, reply lost"
)
@pytest.mark.parametrize("point", points("reconcile"), ids=name)
def test_a_reconciliation_that_goes_wrong_is_made_good_by_the_next(bench: Bench, point: FaultPoint) -> None:
    leave_things_open(bench)
    bench.run_as_lambda_does(bench.reconcile, Interference(point=point))
    bench.deliver_events()
    check_nothing_is_lost_or_left(bench)
    assert len(bench.records()) == 1
