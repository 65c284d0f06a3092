"""A day of the reconciler's hourly runs, none of them on time, and what the alarm makes of their reports."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from domain.image import Announcement, ImageRef
from domain.reconcile import PATIENCE, Reconcile
from domain.reserve_upload import FORM_LIFETIME
from local.template import read_template
from tests.builders import NOW, PRODUCT_ID, a_file, a_ref, an_image
from tests.catalog_fake import InMemoryImageCatalog
from tests.fakes import InMemoryFetchQueue, InMemoryImageEvents, InMemoryImageStore, InMemoryRenderings
from tests.product_fakes import InMemoryProducts, InMemoryRemovals

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ALARM = read_template()["Resources"]["OldestPendingAlarm"]["Properties"]
THRESHOLD = timedelta(seconds=ALARM["Threshold"])
STUCK = a_ref(99)
"""A picture that no inspection ever completes."""


def runs(seed: int) -> Sequence[datetime]:
    """Return the moments of a day's runs: each up to five minutes early or late."""
    jitter = random.Random(seed)  # noqa: S311 - times of a test
    return [NOW + hour * HOUR + jitter.uniform(-5, 5) * MINUTE for hour in range(1, 25)]


class Day:
    """A catalogue and a store, and inspections that succeed right after the run that asks for them."""

    def __init__(self) -> None:
        self.catalog = InMemoryImageCatalog(PRODUCT_ID)
        self.store = InMemoryImageStore()
        self.asked: list[ImageRef] = []

    def request(self, ref: ImageRef) -> None:
        self.asked.append(ref)

    def form(self, image_id: int, at: datetime) -> None:
        """Issue a form that nobody uses."""
        announced = Announcement(None, at + FORM_LIFETIME)
        self.catalog.reserve(
            an_image(ref=a_ref(image_id), announcement=announced, created_at=at, updated_at=at)
        )

    def arrive(self, ref: ImageRef, at: datetime) -> None:
        """Let a picture arrive whose event gets lost."""
        image = an_image(ref=ref, created_at=at, updated_at=at)
        self.catalog.reserve(image)
        self.store.put(image, b"picture")

    def run(self, now: datetime) -> timedelta:
        """Reconcile; return the age that is reported."""
        reconcile = Reconcile(
            catalog=self.catalog,
            store=self.store,
            inspections=self,
            renderings=InMemoryRenderings(),
            fetches=InMemoryFetchQueue(),
            events=InMemoryImageEvents(),
            products=InMemoryProducts(self.catalog),
            removals=InMemoryRemovals(),
            clock=lambda: now,
        )
        done = reconcile(lambda: True)
        assert (done.fault, done.is_complete) == (None, True)
        for ref in self.asked:
            if ref != STUCK:
                self.catalog.mark_ready(ref, a_file(), now)
        self.asked.clear()
        return done.oldest_pending


@pytest.mark.parametrize("phase", range(60))
def test_neither_an_unused_form_nor_a_lost_event_alarms_at_any_phase_of_the_schedule(phase: int) -> None:
    day = Day()
    ages = []
    for hour, at in enumerate(runs(seed=phase)):
        # They came a little before a run that comes in an hour or two, so many minutes from it.
        began = NOW + hour * HOUR + phase * MINUTE
        day.form(2 * hour + 1, began)
        day.arrive(a_ref(2 * hour + 2), began)
        ages.append(day.run(at))
    assert max(ages) <= THRESHOLD
    # They were mended, but for those of the last two hours.
    assert len(day.catalog.images) - len(ages) <= 4


@pytest.mark.parametrize("phase", range(60))
def test_a_stuck_picture_is_in_the_report_of_every_run_of_a_day(phase: int) -> None:
    day = Day()
    arrived = NOW - HOUR + phase * MINUTE
    day.arrive(STUCK, arrived)
    ages = {at: day.run(at) for at in runs(seed=phase)}
    assert ages == {at: at - arrived if at - arrived > PATIENCE else timedelta(0) for at in ages}


@pytest.mark.parametrize("phase", range(60))
def test_the_alarm_on_a_stuck_picture_stays_until_it_is_no_longer_stuck(phase: int) -> None:
    day = Day()
    arrived = NOW - HOUR + phase * MINUTE
    day.arrive(STUCK, arrived)
    alarming = [at for at in runs(seed=phase) if day.run(at) > THRESHOLD]
    assert alarming[0] - arrived < THRESHOLD + HOUR + 10 * MINUTE
    # Whatever moment it is looked at from, the periods that the alarm looks at hold such a run.
    assert ALARM["DatapointsToAlarm"] == 1
    watched = timedelta(seconds=ALARM["Period"] * ALARM["EvaluationPeriods"])
    assert max(late - early for early, late in pairwise(alarming)) < watched


def test_a_run_by_hand_does_not_keep_a_stuck_picture_from_the_next_run() -> None:
    day = Day()
    day.arrive(STUCK, NOW - 3 * HOUR)
    at = [NOW, NOW + timedelta(seconds=1), NOW + HOUR - timedelta(seconds=1)]
    assert [day.run(each) for each in at] == [each - NOW + 3 * HOUR for each in at]
