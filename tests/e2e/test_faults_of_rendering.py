"""A rendering that goes wrong at any of its calls to AWS, or meets a deletion there: what is left of it."""

import random
from functools import partial

import pytest

from tests.e2e.fault_bench import (
    Bench,
    Fault,
    FaultPoint,
    Interference,
    Interleaving,
    When,
    fault_points,
    outcome,
)
from tests.e2e.fault_checks import check_nothing_is_lost_or_left, name
from tests.torture.results import size

CALLS = 6
"""The record, its copy, two files of a picture of 60 pixels, the record again, the event."""
POINTS = size(fault_points(CALLS), fault_points(CALLS)[::7], "faults at calls of a rendering")
INTERLEAVINGS = size(200, 8, "interleavings of a rendering and a deletion")


def test_the_table_of_faults_has_every_call_of_a_rendering(bench: Bench) -> None:
    ref, interference = bench.ready_picture(), Interference()
    bench.render(ref, interference)
    assert len(interference.calls) == CALLS, interference.calls


@pytest.mark.torture(
    "calls to AWS of rendering, each before and after, killed, throttled, HTTP 500, reply lost"
)
@pytest.mark.parametrize("point", POINTS, ids=name)
def test_a_rendering_that_goes_wrong_is_made_good_by_the_next_try(bench: Bench, point: FaultPoint) -> None:
    ref = bench.ready_picture()
    bench.run_as_lambda_does(partial(bench.render, ref), Interference(point=point))
    [image] = bench.images()
    assert image.look is not None
    assert {each.name for each in image.look.renditions} == {"60.avif", "60.jpg"}
    check_nothing_is_lost_or_left(bench)


@pytest.mark.torture("renderings and deletions of one picture that meet at any call, some killed there")
@pytest.mark.parametrize("seed", range(INTERLEAVINGS))
def test_a_picture_that_is_deleted_while_it_is_rendered_leaves_nothing(bench: Bench, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret is made of it
    ref = bench.ready_picture()
    if chance.random() < 1 / 4:
        # Then its record names what the deletion is to remove, and the event comes again.
        bench.render(ref, Interference())
    render, delete = partial(bench.render, ref), partial(bench.delete, ref)
    first, second = (render, delete) if chance.random() < 1 / 2 else (delete, render)
    meeting = Interleaving(
        point=FaultPoint(chance.randrange(CALLS), chance.choice(list(When)), Fault.KILLED),
        meanwhile=lambda: second(Interference()),
        is_killed=chance.random() < 1 / 2,
    )
    meeting.resume = lambda: bench.clients_under(meeting)
    ended = outcome(partial(first, meeting))
    if meeting.point is not None:
        # It has fewer calls than that: the other comes behind it.
        second(Interference())
    if ended is not None:
        # Lambda runs the one again, and a client without an answer asks for the other again.
        outcome(partial(first, Interference()))
    check_nothing_is_lost_or_left(bench)
    assert (bench.records(), bench.public_keys()) == ({}, [])
