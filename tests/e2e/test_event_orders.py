"""Events come twice, late and in any order, forms are used again: in the end each picture is one, or none."""

import random
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from domain.errors import DomainError
from domain.image import ImageFacts, ImageFormat, ImageStatus
from domain.public_copy import public_copy
from local.sample import sample_jpeg
from tests.builders import NOW, a_ref, an_image_sent, picture
from tests.e2e.fault_bench import PRODUCT_ID, Bench, Interference
from tests.e2e.fault_checks import check_nothing_is_lost_or_left
from tests.torture.results import size

type Step = Callable[[], object]
type Chain = list[Step]
"""Steps that follow each other, whatever comes between them."""

SIZE_BYTES = 2_000
# Of one size, so that the announcement tells nothing of two from each other.
GOOD, OTHER, PNG, BROKEN = (
    content.ljust(SIZE_BYTES, b"\0")
    for content in (
        sample_jpeg(60, 40),
        sample_jpeg(61, 40),
        picture("PNG", 62, 40),
        sample_jpeg(300, 200)[:SIZE_BYTES],
    )
)
SHOWN = {
    GOOD: (ImageFormat.JPEG, ImageFacts(60, 40, "RGB")),
    OTHER: (ImageFormat.JPEG, ImageFacts(61, 40, "RGB")),
    PNG: (ImageFormat.PNG, ImageFacts(62, 40, "RGB")),
}
UPLOADED = {1: GOOD, 2: GOOD, 3: BROKEN, 4: GOOD}
FORMS = {5: [GOOD, OTHER], 6: [BROKEN, GOOD], 7: [GOOD, PNG, OTHER], 8: [GOOD, GOOD]}
"""What is sent with each form, one after the other."""
WISHED, DELETED = {1, 2, 3}, {4, 8}
PRIMARY = 2
"""The latest of those that are wished to be it, and are pictures."""


def chains(bench: Bench) -> list[Chain]:
    """Reserve all records, and return what happens then: each file is sent, and its events follow."""
    told: dict[int, Step] = {}
    put: dict[int, Step] = {}
    for image_id in [*UPLOADED, *FORMS]:
        sent_at = NOW + timedelta(seconds=image_id)
        image = an_image_sent(
            sent_at,
            is_primary=image_id in WISHED,
            ref=a_ref(image_id, PRODUCT_ID),
            size_bytes=SIZE_BYTES,
        )
        bench.catalog.reserve(image)
        told[image_id] = partial(bench.extract, image.ref, Interference())
        put[image_id] = partial(bench.put, image, UPLOADED.get(image_id, b""))
    deletions: list[Chain] = [
        [partial(bench.delete, a_ref(image_id, PRODUCT_ID), Interference())] for image_id in DELETED
    ]
    uploads: list[Chain] = [[put[image_id], *[told[image_id]] * 3] for image_id in UPLOADED]
    forms: list[Chain] = [
        [partial(bench.write, a_ref(image_id, PRODUCT_ID), content), *[told[image_id]] * 2]
        for image_id, contents in FORMS.items()
        for content in contents
    ]
    return [*uploads, *forms, *deletions]


def is_done(step: Step) -> bool:
    try:
        step()
    except DomainError:
        return False
    return True


def run(chains: list[Chain], choose: Callable[[list[Chain]], Chain]) -> None:
    """Take the next step of one chain after the other; what fails is tried again, as Lambda does."""
    while chains := [chain for chain in chains if chain]:
        chain = choose(chains)
        if is_done(chain[0]):
            del chain[0]


def check(bench: Bench) -> dict[int, bytes | None]:
    """Check what is left, and return which of the files sent for it each picture is; None if it failed."""
    check_nothing_is_lost_or_left(bench)
    images = {image.ref.image_id: image for image in bench.images()}
    assert images.keys() == {*UPLOADED, *FORMS} - DELETED
    assert bench.primary() == PRIMARY
    became: dict[int, bytes | None] = {}
    for image_id, image in images.items():
        sent = FORMS.get(image_id, [UPLOADED.get(image_id, b"")])
        if image.status is ImageStatus.FAILED:
            assert BROKEN in sent
            became[image_id] = None
            continue
        [became[image_id]] = [
            content for content in sent if SHOWN.get(content) == (image.image_format, image.facts)
        ]
        content = became[image_id]
        assert content is not None
        assert bench.content(image.media_key) == public_copy(content, image.image_format)
    return became


def test_events_that_come_in_turn_make_what_was_sent_first_the_picture(bench: Bench) -> None:
    run(chains(bench), lambda chains: chains[0])
    assert check(bench) == {1: GOOD, 2: GOOD, 3: None, 5: GOOD, 6: None, 7: GOOD}


@pytest.mark.torture("orders of events: repeated, late, of forms used again and of deleted pictures")
@pytest.mark.parametrize("seed", range(size(200, 8, "orders of events")))
def test_events_in_any_order_make_one_picture_or_none(bench: Bench, seed: int) -> None:
    run(chains(bench), random.Random(seed).choice)  # noqa: S311 - no secret is made of it
    became = check(bench)
    assert {image_id: became[image_id] for image_id in (1, 2, 3)} == {1: GOOD, 2: GOOD, 3: None}
