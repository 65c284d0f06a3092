"""Events come twice, late, early and in any order: in the end all is as if each had come once, in turn."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import pytest

from domain.errors import DomainError
from domain.image import ImageFacts, ImageFormat, ImageRef, ImageStatus, ProductImage
from local.sample import sample_jpeg
from tests.builders import NOW, an_image_sent
from tests.e2e.fault_bench import PRODUCT_ID, Bench, Interference
from tests.torture.results import size

type Step = Callable[[], object]

# Of one size, so that nothing but the order tells which of two is the picture.
GOOD, OTHER, BROKEN = (
    content.ljust(2_000, b"\0")
    for content in (sample_jpeg(60, 40), sample_jpeg(61, 40), sample_jpeg(300, 200)[:2_000])
)
READY = (ImageStatus.READY, ImageFacts(60, 40, "RGB"))
FAILED = (ImageStatus.FAILED, None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is left: records with what was found, their count, the bytes, which are public, the primary."""

    records: dict[int, tuple[ImageStatus, ImageFacts | None]]
    count: int
    contents: dict[int, bytes]
    public: set[int]
    primary: int | None


IN_TURN = Outcome(
    records={1: READY, 2: READY, 3: FAILED, 4: READY, 5: FAILED, 7: READY},
    count=6,
    contents=dict.fromkeys((1, 2, 4, 7), GOOD),
    public={1, 2, 4, 7},
    primary=2,
)


def ref(image_id: int) -> ImageRef:
    return ImageRef(PRODUCT_ID, image_id, ImageFormat.JPEG)


def reserve(bench: Bench, image_id: int, content: bytes, *, is_primary: bool = False) -> ProductImage:
    sent_at = NOW + timedelta(seconds=image_id)
    image = an_image_sent(sent_at, is_primary=is_primary, ref=ref(image_id), size_bytes=len(content))
    bench.catalog.reserve(image)
    return image


def tell(bench: Bench, image_id: int) -> Step:
    return partial(bench.extract, ref(image_id), Interference())


def uploaded(bench: Bench, image_id: int, content: bytes, *, is_primary: bool = False) -> Iterator[Step]:
    """Upload a picture whose event comes three times."""
    bench.put(reserve(bench, image_id, content, is_primary=is_primary), content)
    yield from [tell(bench, image_id)] * 3


def sent_twice(bench: Bench, image_id: int, first: bytes, second: bytes) -> Iterator[Step]:
    """Use one form for two pictures, each of whose events comes twice."""
    reserve(bench, image_id, first)
    bench.write(ref(image_id), first)
    bench.write(ref(image_id), second)
    yield from [tell(bench, image_id)] * 4


def story(bench: Bench) -> Iterator[Step]:
    """Write bytes, and yield what happens next, in its natural order."""
    yield from uploaded(bench, 1, GOOD, is_primary=True)
    # An operator's, by hand.
    bench.write(ref(1), OTHER)
    yield tell(bench, 1)
    yield from uploaded(bench, 2, GOOD, is_primary=True)
    # The latest of those that wish to be the primary, but no picture.
    yield from uploaded(bench, 3, BROKEN, is_primary=True)
    yield from sent_twice(bench, 4, GOOD, OTHER)
    yield from sent_twice(bench, 5, BROKEN, GOOD)
    yield from uploaded(bench, 6, GOOD)
    yield partial(bench.delete, ref(6), Interference())
    # Bytes whose event may come before there is a record.
    bench.write(ref(7), GOOD)
    yield partial(reserve, bench, 7, GOOD)
    yield tell(bench, 7)


def is_done(step: Step) -> bool:
    try:
        step()
    except DomainError:
        return False
    return True


def outcome(bench: Bench, steps: list[Step]) -> Outcome:
    """Take the steps, those that fail once more as Lambda does, and return what is left."""
    while steps:
        steps = [step for step in steps if not is_done(step)]
    bench.let_time_pass_and_reconcile()
    return Outcome(
        {image.ref.image_id: (image.status, image.facts) for image in bench.images()},
        bench.count(),
        {stored.image_id: bench.content(stored) for stored in bench.objects()},
        {stored.image_id for stored in bench.public()},
        bench.primary(),
    )


def test_events_that_come_in_turn_bring_every_picture_to_its_end(bench: Bench) -> None:
    assert outcome(bench, list(story(bench))) == IN_TURN


@pytest.mark.torture("orders of events: repeated, late, early, of overwritten and of deleted pictures")
@pytest.mark.parametrize("seed", range(size(200, 8, "orders of events")))
def test_events_in_any_order_come_to_the_same_end(bench: Bench, seed: int) -> None:
    steps = list(story(bench))
    random.Random(seed).shuffle(steps)  # noqa: S311 - no secret is made of it
    assert outcome(bench, steps) == IN_TURN
