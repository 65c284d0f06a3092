from datetime import timedelta
from itertools import permutations

import pytest

from domain.errors import ImageRecordMissingError
from domain.extract_metadata import Completion, ExtractMetadata
from domain.image import ImageFacts, ImageStatus
from tests.builders import NOW, PRODUCT_ID, a_ref, an_image
from tests.fakes import (
    InMemoryImageCatalog,
    InMemoryImageInspector,
    InMemoryImageStore,
    InMemoryProducts,
    TickingClock,
)

GOOD, BROKEN = b"a picture", b"no picture"
FACTS = ImageFacts(48, 32, "RGB")
SECOND = timedelta(seconds=1)


class Pipeline:
    """A catalogue, a store, and the use case between them."""

    def __init__(self) -> None:
        self.catalog = InMemoryImageCatalog(PRODUCT_ID)
        self.store = InMemoryImageStore()
        self._clock = TickingClock(NOW)
        self.extract_metadata = self.with_inspector(InMemoryImageInspector({GOOD: FACTS}))

    def with_inspector(self, inspector: InMemoryImageInspector) -> ExtractMetadata:
        return ExtractMetadata(catalog=self.catalog, store=self.store, inspector=inspector, clock=self._clock)

    def upload(self, image_id: int, content: bytes, *, primary: bool) -> None:
        """Take in the picture that was sent `image_id` seconds after `NOW`."""
        created_at = NOW + image_id * SECOND
        self.catalog.reserve(
            an_image(
                ref=a_ref(image_id), primary_requested=primary, created_at=created_at, updated_at=created_at
            )
        )
        self.store.put(a_ref(image_id), content)


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


def test_a_picture_that_decodes_becomes_ready(pipeline: Pipeline) -> None:
    pipeline.upload(1, GOOD, primary=False)
    ready = an_image(status=ImageStatus.READY, facts=FACTS, created_at=NOW + SECOND, updated_at=NOW + SECOND)
    assert pipeline.extract_metadata(a_ref()) == Completion(ready, is_new=True)
    assert pipeline.catalog.get(PRODUCT_ID, 1) == ready


def test_a_file_that_does_not_decode_becomes_failed_and_says_why(pipeline: Pipeline) -> None:
    pipeline.upload(1, BROKEN, primary=False)
    completion = pipeline.extract_metadata(a_ref())
    assert completion is not None
    assert (completion.image.status, completion.image.facts) == (ImageStatus.FAILED, None)
    assert completion.image.error == "The file is not a JPEG picture."


@pytest.mark.parametrize("content", [GOOD, BROKEN])
def test_a_second_event_changes_nothing(pipeline: Pipeline, content: bytes) -> None:
    pipeline.upload(1, content, primary=True)
    first, second = pipeline.extract_metadata(a_ref()), pipeline.extract_metadata(a_ref())
    assert first is not None
    assert second == Completion(first.image, is_new=False)


def test_a_picture_once_ready_stays_ready_though_it_no_longer_decodes(pipeline: Pipeline) -> None:
    pipeline.upload(1, GOOD, primary=False)
    first = pipeline.extract_metadata(a_ref())
    assert first is not None
    again = pipeline.with_inspector(InMemoryImageInspector({}))(a_ref())
    assert again == Completion(first.image, is_new=False)


def test_bytes_that_are_gone_are_nothing_to_do(pipeline: Pipeline) -> None:
    pipeline.upload(1, GOOD, primary=True)
    pipeline.store.delete(a_ref())
    assert pipeline.extract_metadata(a_ref()) is None
    assert pipeline.catalog.images[PRODUCT_ID, 1].status is ImageStatus.PENDING


@pytest.mark.parametrize("content", [GOOD, BROKEN])
def test_bytes_without_a_record_are_reported(pipeline: Pipeline, content: bytes) -> None:
    pipeline.store.put(a_ref(), content)
    with pytest.raises(ImageRecordMissingError, match=r"originals/42/1\.jpg"):
        pipeline.extract_metadata(a_ref())


@pytest.mark.parametrize(
    ("content", "primary", "primary_image_id"), [(GOOD, True, 1), (GOOD, False, None), (BROKEN, True, None)]
)
def test_a_picture_becomes_the_primary_once_it_is_ready_and_was_asked_to(
    pipeline: Pipeline, content: bytes, primary: bool, primary_image_id: int | None
) -> None:
    pipeline.upload(1, content, primary=primary)
    pipeline.extract_metadata(a_ref())
    assert pipeline.catalog.primary_image_id(PRODUCT_ID) == primary_image_id


@pytest.mark.parametrize("events", sorted(set(permutations([1, 2, 2, 3, 4]))))
def test_the_last_good_upload_is_the_primary_whatever_the_order_of_events(
    pipeline: Pipeline, events: tuple[int, ...]
) -> None:
    pipeline.upload(1, GOOD, primary=True)
    pipeline.upload(2, GOOD, primary=True)
    pipeline.upload(3, GOOD, primary=False)
    pipeline.upload(4, BROKEN, primary=True)
    for image_id in events:
        pipeline.extract_metadata(a_ref(image_id))
    assert pipeline.catalog.primary_image_id(PRODUCT_ID) == 2
    assert {image.ref.image_id: image.status.value for image in pipeline.catalog.images.values()} == {
        1: "ready",
        2: "ready",
        3: "ready",
        4: "failed",
    }


def test_an_attempt_that_stopped_before_the_primary_moved_is_made_good_by_the_next(
    pipeline: Pipeline,
) -> None:
    pipeline.upload(1, GOOD, primary=True)
    pipeline.catalog.mark_ready(a_ref(), FACTS, NOW)
    pipeline.extract_metadata(a_ref())
    assert pipeline.catalog.primary_image_id(PRODUCT_ID) == 1


def test_a_picture_of_a_product_that_is_gone_still_becomes_ready(pipeline: Pipeline) -> None:
    pipeline.upload(1, GOOD, primary=True)
    del pipeline.catalog.primaries[PRODUCT_ID]
    completion = pipeline.extract_metadata(a_ref())
    assert completion is not None
    assert completion.image.status is ImageStatus.READY
    assert InMemoryProducts(pipeline.catalog).add(PRODUCT_ID)
