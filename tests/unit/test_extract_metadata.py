import hashlib
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any, override

import pytest

from domain.change_image import ChangeImage, ImageChange
from domain.delete_image import DeleteImage
from domain.errors import UnavailableError
from domain.extract_metadata import Completion, ExtractMetadata
from domain.failure import Failure, FailureCode
from domain.foreign_formats import PDF
from domain.image import (
    Announcement,
    ImageFacts,
    ImageFormat,
    ImageRef,
    ImageStatus,
    Primary,
    ProductImage,
    PublicFile,
)
from domain.image_events import ImageEventKind, ImageSummary
from domain.image_signature import detect_format
from domain.image_store import PublicCopy
from domain.public_copy import public_copy
from tests.builders import (
    DAMAGED,
    NOW,
    PRODUCT_ID,
    SHA256,
    a_file,
    a_ref,
    an_image,
    an_image_sent,
    jpeg,
    picture,
)
from tests.catalog_fake import InMemoryImageCatalog
from tests.fakes import InMemoryImageEvents, InMemoryImageInspector, InMemoryImageStore, TickingClock
from tests.product_fakes import InMemoryProducts

GOOD, BROKEN = jpeg(), jpeg(7, 7)
"""A picture, and one that no inspector here knows."""
OTHER = picture("PNG", 5, 5)
FACTS = ImageFacts(48, 32, "RGB")
OTHER_FACTS = ImageFacts(5, 5, "RGB")
SECOND = timedelta(seconds=1)


class Pipeline:
    """A catalogue, a store, and the use case between them."""

    def __init__(
        self, catalog: InMemoryImageCatalog | None = None, store: InMemoryImageStore | None = None
    ) -> None:
        self.catalog = catalog or InMemoryImageCatalog(PRODUCT_ID)
        self.store = store or InMemoryImageStore()
        self.events = InMemoryImageEvents()
        self._clock = TickingClock(NOW)
        self.extract_metadata = self.with_inspector(InMemoryImageInspector({GOOD: FACTS, OTHER: OTHER_FACTS}))

    def with_inspector(self, inspector: InMemoryImageInspector) -> ExtractMetadata:
        return ExtractMetadata(
            catalog=self.catalog,
            store=self.store,
            inspector=inspector,
            events=self.events,
            clock=self._clock,
        )

    def upload(self, image_id: int, content: bytes, *, primary: bool, by_form: bool = False) -> None:
        """Take in the picture that was sent `image_id` seconds after `NOW`."""
        sent_at = NOW + image_id * SECOND
        image = an_image_sent(sent_at, is_primary=primary, ref=a_ref(image_id), size_bytes=len(content))
        self.catalog.reserve(image)
        self.write(image, content, by_form=by_form)

    def write(self, image: ProductImage, content: bytes, *, by_form: bool) -> None:
        """Write the bytes, as the upload function or a client with a form does."""
        if by_form:
            self.store.send(image.ref, content)
        else:
            self.store.put(image, content)

    def tell(self, image_id: int = 1) -> Completion | None:
        """Let an event of the picture arrive."""
        return self.extract_metadata(a_ref(image_id))

    def primary_image_id(self) -> int | None:
        primary = self.catalog.primaries.get(PRODUCT_ID)
        return primary.image_id if primary else None


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline()


either_way = pytest.mark.parametrize("by_form", [False, True], ids=["upload", "form"])


@either_way
def test_a_picture_that_decodes_becomes_ready(pipeline: Pipeline, by_form: bool) -> None:
    pipeline.upload(1, GOOD, primary=False, by_form=by_form)
    ready = an_image(
        size_bytes=len(GOOD),
        status=ImageStatus.READY,
        facts=FACTS,
        sha256=hashlib.sha256(GOOD).hexdigest(),
        created_at=NOW + SECOND,
        updated_at=NOW + SECOND,
    )
    assert pipeline.tell() == Completion(ImageSummary.of(ready), is_new=True)
    assert pipeline.catalog.get(PRODUCT_ID, 1) == ready


@either_way
def test_what_came_in_is_gone_once_the_picture_is_ready_or_failed(pipeline: Pipeline, by_form: bool) -> None:
    for image_id, content in enumerate([GOOD, BROKEN], 1):
        pipeline.upload(image_id, content, primary=False, by_form=by_form)
        pipeline.tell(image_id)
        assert pipeline.store.content(a_ref(image_id)) is None


def test_the_record_has_the_size_of_the_copy_and_the_sha256_of_what_was_sent(pipeline: Pipeline) -> None:
    sent = GOOD + b" and something private behind the picture"
    pipeline.upload(1, sent, primary=False)
    pipeline.tell()
    image = pipeline.catalog.images[PRODUCT_ID, 1]
    assert (image.size_bytes, image.sha256) == (len(GOOD), hashlib.sha256(sent).hexdigest())
    assert pipeline.store.public(a_ref()) == GOOD


def test_a_file_that_does_not_decode_becomes_failed_and_says_why(pipeline: Pipeline) -> None:
    pipeline.upload(1, BROKEN, primary=False)
    completion = pipeline.tell()
    assert completion is not None
    assert (completion.image.status, completion.image.facts) == (ImageStatus.FAILED, None)
    assert completion.image.failure == Failure("corrupt", "The file is not a JPEG picture.")


@either_way
def test_a_second_event_of_a_ready_picture_changes_nothing(pipeline: Pipeline, by_form: bool) -> None:
    pipeline.upload(1, GOOD, primary=True, by_form=by_form)
    first, second = pipeline.tell(), pipeline.tell()
    assert first is not None
    assert second == Completion(first.image, is_new=False)
    assert pipeline.store.public(a_ref()) == GOOD


@either_way
def test_a_second_event_of_a_failed_picture_changes_nothing(pipeline: Pipeline, by_form: bool) -> None:
    pipeline.upload(1, BROKEN, primary=True, by_form=by_form)
    first, second = pipeline.tell(), pipeline.tell()
    assert first is not None
    assert second == Completion(first.image, is_new=False)
    assert pipeline.store.public_keys(a_ref()) == []


def test_an_event_of_bytes_that_never_came_is_nothing_to_do(pipeline: Pipeline) -> None:
    pipeline.catalog.reserve(an_image(primary_requested_at=NOW))
    assert pipeline.tell() is None
    assert pipeline.catalog.images[PRODUCT_ID, 1].status is ImageStatus.PENDING


@either_way
@pytest.mark.parametrize(
    ("content", "primary", "primary_image_id"), [(GOOD, True, 1), (GOOD, False, None), (BROKEN, True, None)]
)
def test_a_picture_becomes_the_primary_once_it_is_ready_and_was_asked_to(
    pipeline: Pipeline, by_form: bool, content: bytes, primary: bool, primary_image_id: int | None
) -> None:
    pipeline.upload(1, content, primary=primary, by_form=by_form)
    pipeline.tell()
    assert pipeline.primary_image_id() == primary_image_id


@either_way
@pytest.mark.parametrize("events", sorted(set(permutations([1, 2, 2, 3, 4]))))
def test_the_last_good_upload_is_the_primary_whatever_the_order_of_events(
    pipeline: Pipeline, by_form: bool, events: tuple[int, ...]
) -> None:
    pipeline.upload(1, GOOD, primary=True, by_form=by_form)
    pipeline.upload(2, GOOD, primary=True, by_form=by_form)
    pipeline.upload(3, GOOD, primary=False, by_form=by_form)
    pipeline.upload(4, BROKEN, primary=True, by_form=by_form)
    for image_id in events:
        pipeline.tell(image_id)
    assert pipeline.primary_image_id() == 2
    assert {image.ref.image_id: image.status.value for image in pipeline.catalog.images.values()} == {
        1: "ready",
        2: "ready",
        3: "ready",
        4: "failed",
    }


@pytest.mark.parametrize("image_id", [1, 2])
def test_a_primary_that_was_cleared_is_not_set_again_by_a_repeated_event(
    pipeline: Pipeline, image_id: int
) -> None:
    for each in (1, 2):
        pipeline.upload(each, GOOD, primary=True)
        pipeline.tell(each)
    ChangeImage(pipeline.catalog, InMemoryImageEvents(), lambda: NOW)(
        PRODUCT_ID, 2, ImageChange(is_primary=False)
    )
    pipeline.tell(image_id)
    assert pipeline.primary_image_id() is None


def test_an_attempt_that_stopped_before_the_primary_moved_is_made_good_by_the_next(
    pipeline: Pipeline,
) -> None:
    pipeline.upload(1, GOOD, primary=True)
    pipeline.catalog.mark_ready(a_ref(), a_file(), NOW)
    pipeline.tell()
    assert pipeline.primary_image_id() == 1


@either_way
def test_a_picture_becomes_ready_and_the_primary_in_one_step(by_form: bool) -> None:
    class UnmovedCatalog(InMemoryImageCatalog):
        @override
        def move_primary(self, image: ProductImage) -> bool:
            raise AssertionError

    pipeline = Pipeline(UnmovedCatalog(PRODUCT_ID))
    pipeline.upload(1, GOOD, primary=True, by_form=by_form)
    pipeline.tell()
    assert pipeline.catalog.images[PRODUCT_ID, 1].status is ImageStatus.READY
    assert pipeline.primary_image_id() == 1


@either_way
@pytest.mark.parametrize(
    ("sent_as_primary", "wishes"), [(True, [False]), (False, [True]), (True, [False, True])]
)
def test_a_wish_that_changes_before_the_picture_is_ready_is_heeded(
    pipeline: Pipeline, by_form: bool, sent_as_primary: bool, wishes: list[bool]
) -> None:
    pipeline.upload(1, GOOD, primary=sent_as_primary, by_form=by_form)
    pipeline.upload(2, GOOD, primary=True)
    pipeline.tell(2)
    later = NOW + 9 * SECOND
    for is_primary in wishes:
        ChangeImage(pipeline.catalog, InMemoryImageEvents(), lambda: later)(
            PRODUCT_ID, 1, ImageChange(is_primary=is_primary)
        )
    pipeline.tell()
    assert pipeline.catalog.images[PRODUCT_ID, 1].status is ImageStatus.READY
    last = Primary(1, later) if wishes[-1] else Primary(2, NOW + 2 * SECOND)
    assert pipeline.catalog.primaries[PRODUCT_ID] == last


def test_a_primary_whose_reply_was_lost_is_told_by_the_next_try() -> None:
    class MumblingCatalog(InMemoryImageCatalog):
        @override
        def mark_primary_ready(
            self,
            ref: ImageRef,
            file: PublicFile,
            at: datetime,
            *,
            requested_at: datetime,
        ) -> bool:
            if super().mark_primary_ready(ref, file, at, requested_at=requested_at):
                raise UnavailableError
            return False

    pipeline = Pipeline(MumblingCatalog(PRODUCT_ID))
    pipeline.upload(1, GOOD, primary=True)
    with pytest.raises(UnavailableError):
        pipeline.tell()
    completion = pipeline.tell()
    assert completion is not None
    assert (completion.is_new, completion.image.status) == (False, ImageStatus.READY)
    assert (pipeline.primary_image_id(), pipeline.events.sent) == (1, [("ImageReady", 1)])


def test_a_picture_of_a_product_that_is_gone_still_becomes_ready(pipeline: Pipeline) -> None:
    pipeline.upload(1, GOOD, primary=True)
    del pipeline.catalog.primaries[PRODUCT_ID]
    completion = pipeline.tell()
    assert completion is not None
    assert completion.image.status is ImageStatus.READY
    assert InMemoryProducts(pipeline.catalog).add(PRODUCT_ID)


# --- What the public sees --------------------------------------------------------------------------------


@either_way
def test_a_picture_is_public_once_it_is_ready_and_not_before(pipeline: Pipeline, by_form: bool) -> None:
    pipeline.upload(1, GOOD, primary=False, by_form=by_form)
    assert pipeline.store.public(a_ref()) is None
    pipeline.tell()
    assert pipeline.store.public(a_ref()) == GOOD


@pytest.mark.parametrize("primary", [False, True], ids=["", "primary"])
def test_whoever_reads_that_a_picture_is_ready_can_open_it(primary: bool) -> None:
    class WatchingCatalog(InMemoryImageCatalog):
        public: bytes | None = None

        @override
        def mark_ready(self, ref: ImageRef, file: PublicFile, at: datetime) -> ProductImage:
            self.public = watched.store.public(ref)
            return super().mark_ready(ref, file, at)

        @override
        def mark_primary_ready(
            self,
            ref: ImageRef,
            file: PublicFile,
            at: datetime,
            *,
            requested_at: datetime,
        ) -> bool:
            self.public = watched.store.public(ref)
            return super().mark_primary_ready(ref, file, at, requested_at=requested_at)

    catalog = WatchingCatalog(PRODUCT_ID)
    watched = Pipeline(catalog)
    watched.upload(1, GOOD, primary=primary)
    watched.tell()
    assert catalog.public == GOOD


@either_way
def test_a_failed_picture_is_nowhere_public(pipeline: Pipeline, by_form: bool) -> None:
    pipeline.upload(1, BROKEN, primary=False, by_form=by_form)
    pipeline.tell()
    assert (pipeline.store.public_keys(a_ref()), pipeline.store.content(a_ref())) == ([], None)


# --- What was announced ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("announced", "code", "reason"),
    [
        (
            {"size_bytes": 2_000_000},
            "wrong_size",
            f"The file has {len(GOOD):,} bytes; 2,000,000 had been announced.",
        ),
        (
            {"announcement": Announcement("0" * 64, NOW)},
            "wrong_digest",
            "The file has another SHA-256 than had been announced.",
        ),
    ],
)
def test_bytes_that_are_not_what_was_announced_end_failed_and_are_removed(
    pipeline: Pipeline, announced: dict[str, Any], code: FailureCode, reason: str
) -> None:
    image = an_image(**{"size_bytes": len(GOOD), **announced})
    pipeline.catalog.reserve(image)
    pipeline.store.send(image.ref, GOOD)
    completion = pipeline.tell()
    assert completion is not None
    advice = "Ask for a new form for this file, and send it with that."
    assert completion.image.status is ImageStatus.FAILED
    assert completion.image.failure == Failure(code, f"{reason} {advice}")
    assert (pipeline.store.content(image.ref), pipeline.store.public(image.ref)) == (None, None)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"%PDF-1.7", PDF.advice), (b"PK", "The file is not an image in a supported format")],
)
def test_bytes_that_begin_like_no_picture_end_failed(pipeline: Pipeline, content: bytes, reason: str) -> None:
    pipeline.upload(1, content, primary=False, by_form=True)
    completion = pipeline.tell()
    assert completion is not None
    assert completion.image.failure is not None
    assert completion.image.failure.code == "not_a_picture"
    assert completion.image.failure.reason.startswith(reason)


def test_bytes_with_the_sha256_that_was_announced_become_ready(pipeline: Pipeline) -> None:
    sha256 = hashlib.sha256(GOOD).hexdigest()
    pipeline.catalog.reserve(an_image(size_bytes=len(GOOD), announcement=Announcement(sha256, NOW)))
    pipeline.store.send(a_ref(), GOOD)
    completion = pipeline.tell()
    assert completion is not None
    assert completion.image.status is ImageStatus.READY


@either_way
def test_a_picture_of_another_format_than_was_announced_becomes_one_of_its_own(
    pipeline: Pipeline, by_form: bool
) -> None:
    image = an_image(image_format=ImageFormat.JPEG, size_bytes=len(OTHER))
    pipeline.catalog.reserve(image)
    pipeline.write(image, OTHER, by_form=by_form)
    completion = pipeline.tell()
    assert completion is not None
    assert (completion.image.status, completion.image.image_format) == (ImageStatus.READY, ImageFormat.PNG)
    assert pipeline.catalog.images[PRODUCT_ID, 1].image_format is ImageFormat.PNG
    assert pipeline.store.public_keys(a_ref()) == [a_ref().media_key(ImageFormat.PNG)]


# --- What was begun before, comes twice, or comes too late -----------------------------------------------


class InterruptedEvents(InMemoryImageEvents):
    """Cannot be reached at first."""

    failures = 1

    @override
    def send(self, kind: ImageEventKind, image: ImageSummary) -> None:
        if self.failures:
            self.failures -= 1
            raise UnavailableError
        super().send(kind, image)


@either_way
@pytest.mark.parametrize(("content", "kind"), [(GOOD, "ImageReady"), (BROKEN, "ImageFailed")])
def test_what_came_in_stays_until_others_were_told(
    pipeline: Pipeline, by_form: bool, content: bytes, kind: str
) -> None:
    pipeline.events = InterruptedEvents()
    pipeline.upload(1, content, primary=False, by_form=by_form)
    extract_metadata = pipeline.with_inspector(InMemoryImageInspector({GOOD: FACTS}))
    with pytest.raises(UnavailableError):
        extract_metadata(a_ref())
    assert pipeline.store.content(a_ref()) == content
    completion = extract_metadata(a_ref())
    assert completion is not None
    assert (completion.is_new, pipeline.events.sent) == (False, [(kind, 1)])
    assert pipeline.store.content(a_ref()) is None


@either_way
def test_whoever_comes_second_goes_on_with_the_copy_that_lies_there(
    pipeline: Pipeline, by_form: bool
) -> None:
    pipeline.upload(1, GOOD, primary=True, by_form=by_form)
    there = PublicCopy(jpeg(9, 9), ImageFormat.JPEG, SHA256)
    pipeline.store.publish(a_ref(), there)
    facts = ImageFacts(9, 9, "RGB")
    inspector = InMemoryImageInspector({GOOD: FACTS, there.content: facts})
    completion = pipeline.with_inspector(inspector)(a_ref())
    assert completion is not None
    assert (completion.is_new, completion.image.facts) == (True, facts)
    image = pipeline.catalog.images[PRODUCT_ID, 1]
    assert (image.size_bytes, image.sha256, image.facts) == (len(there.content), SHA256, facts)
    assert pipeline.store.public(a_ref()) == there.content


@pytest.mark.parametrize("primary", [False, True], ids=["", "primary"])
def test_a_copy_whose_file_is_gone_still_becomes_the_picture(pipeline: Pipeline, primary: bool) -> None:
    pipeline.upload(1, GOOD, primary=primary)
    pipeline.store.publish(a_ref(), PublicCopy(OTHER, ImageFormat.PNG, SHA256))
    pipeline.store.discard_received(a_ref())
    completion = pipeline.tell()
    assert completion is not None
    assert (completion.is_new, completion.image.status) == (True, ImageStatus.READY)
    image = pipeline.catalog.images[PRODUCT_ID, 1]
    assert (image.image_format, image.sha256, image.facts) == (ImageFormat.PNG, SHA256, OTHER_FACTS)
    assert pipeline.primary_image_id() == (1 if primary else None)


def test_a_copy_whose_file_is_gone_and_that_no_longer_decodes_ends_failed_and_goes(
    pipeline: Pipeline,
) -> None:
    pipeline.catalog.reserve(an_image())
    pipeline.store.publish(a_ref(), PublicCopy(BROKEN, ImageFormat.JPEG, SHA256))
    completion = pipeline.tell()
    assert completion is not None
    assert (completion.is_new, completion.image.status) == (True, ImageStatus.FAILED)
    assert pipeline.catalog.images[PRODUCT_ID, 1].sha256 == SHA256
    assert pipeline.store.public_keys(a_ref()) == []


@pytest.mark.parametrize("second", [OTHER, jpeg(5, 5), BROKEN])
def test_what_is_sent_once_the_picture_is_ready_goes(pipeline: Pipeline, second: bytes) -> None:
    pipeline.upload(1, GOOD, primary=True, by_form=True)
    first = pipeline.tell()
    pipeline.store.send(a_ref(), second)
    again = pipeline.tell()
    assert first is not None
    assert again == Completion(first.image, is_new=False)
    assert (pipeline.store.public(a_ref()), pipeline.store.content(a_ref())) == (GOOD, None)


@pytest.mark.parametrize("second", [OTHER, jpeg(5, 5)], ids=["another format", "the same format"])
def test_of_two_files_that_are_inspected_at_once_one_is_the_picture_and_alone_public(second: bytes) -> None:
    class CrowdedInspector(InMemoryImageInspector):
        """While it looks into one file, the event of another one is handled."""

        turns = iter([True])

        @override
        def inspect(self, content: bytes, image_format: ImageFormat) -> ImageFacts:
            if next(self.turns, False):
                crowded.store.send(a_ref(), second.ljust(len(GOOD), b"\0"))
                crowded.extract_metadata(a_ref())
            return super().inspect(content, image_format)

    crowded = Pipeline()
    copy = public_copy(second.ljust(len(GOOD), b"\0"), detect_format(second))
    crowded.extract_metadata = crowded.with_inspector(CrowdedInspector({GOOD: FACTS, copy: OTHER_FACTS}))
    crowded.upload(1, GOOD, primary=False, by_form=True)
    crowded.extract_metadata(a_ref())
    image = crowded.catalog.images[PRODUCT_ID, 1]
    assert (image.status, image.facts) == (ImageStatus.READY, OTHER_FACTS)
    assert crowded.store.public_keys(a_ref()) == [image.media_key]
    assert crowded.store.public(a_ref()) == copy


def test_what_is_sent_after_a_failed_file_goes_and_the_picture_stays_failed(pipeline: Pipeline) -> None:
    pipeline.upload(1, BROKEN, primary=True, by_form=True)
    pipeline.tell()
    pipeline.store.send(a_ref(), GOOD)
    completion = pipeline.tell()
    assert completion is not None
    assert (completion.image.status, completion.is_new) == (ImageStatus.FAILED, False)
    assert (pipeline.store.content(a_ref()), pipeline.store.public_keys(a_ref())) == (None, [])


def test_a_copy_that_becomes_public_beside_a_failure_is_removed_by_whoever_made_it() -> None:
    class FailingInspector(InMemoryImageInspector):
        """While it looks into the file, the record ends failed by another one."""

        @override
        def inspect(self, content: bytes, image_format: ImageFormat) -> ImageFacts:
            raced.catalog.mark_failed(a_ref(), DAMAGED, SHA256, NOW)
            return super().inspect(content, image_format)

    raced = Pipeline()
    raced.upload(1, GOOD, primary=True)
    completion = raced.with_inspector(FailingInspector({GOOD: FACTS}))(a_ref())
    assert completion is not None
    assert (completion.image.status, completion.is_new) == (ImageStatus.FAILED, False)
    assert raced.store.public_keys(a_ref()) == []
    assert raced.primary_image_id() is None


@either_way
def test_an_event_that_comes_again_after_the_deletion_is_nothing_to_do(
    pipeline: Pipeline, by_form: bool
) -> None:
    pipeline.upload(1, GOOD, primary=True, by_form=by_form)
    pipeline.tell()
    DeleteImage(pipeline.catalog, pipeline.store, pipeline.events, lambda: NOW)(PRODUCT_ID, 1)
    assert pipeline.tell() is None
    assert (pipeline.catalog.images, pipeline.store.is_there(a_ref())) == ({}, False)


@either_way
@pytest.mark.parametrize("content", [GOOD, BROKEN])
@pytest.mark.parametrize("primary_requested_at", [None, NOW], ids=["", "primary"])
def test_bytes_without_a_record_are_removed_and_forgotten_if_they_were_public(
    pipeline: Pipeline, by_form: bool, content: bytes, primary_requested_at: datetime | None
) -> None:
    pipeline.write(an_image(primary_requested_at=primary_requested_at), content, by_form=by_form)
    assert pipeline.tell() is None
    assert not pipeline.store.is_there(a_ref())
    was_public = content == GOOD and not by_form
    assert pipeline.events.sent == ([("ImageTakenBack", 1)] if was_public else [])


@pytest.mark.parametrize("has_come", [False, True])
def test_a_copy_without_a_record_is_removed_by_whoever_finds_it(pipeline: Pipeline, has_come: bool) -> None:
    if has_come:
        pipeline.store.put(an_image(), GOOD)
    pipeline.store.publish(a_ref(), PublicCopy(GOOD, ImageFormat.JPEG, SHA256))
    assert pipeline.tell() is None
    assert not pipeline.store.is_there(a_ref())


@either_way
def test_bytes_at_a_key_with_another_token_are_none_of_the_pictures(
    pipeline: Pipeline, by_form: bool
) -> None:
    pipeline.catalog.reserve(an_image(size_bytes=len(GOOD)))
    guessed = a_ref()._replace(token="0" * 16)
    pipeline.write(an_image(ref=guessed), GOOD, by_form=by_form)
    assert pipeline.extract_metadata(guessed) is None
    assert not pipeline.store.is_there(guessed)
    assert pipeline.catalog.images[PRODUCT_ID, 1].status is ImageStatus.PENDING


@either_way
@pytest.mark.parametrize("content", [GOOD, BROKEN])
def test_bytes_that_come_while_their_picture_is_being_deleted_are_removed(
    pipeline: Pipeline, by_form: bool, content: bytes
) -> None:
    pipeline.upload(2, content, primary=True, by_form=by_form)
    pipeline.catalog.withdraw(a_ref(2), NOW)
    completion = pipeline.tell(2)
    assert completion is not None
    assert (completion.image.status, completion.is_new) == (ImageStatus.DELETING, False)
    assert not pipeline.store.is_there(a_ref(2))
    assert pipeline.primary_image_id() is None
    was_public = content == GOOD and not by_form
    assert pipeline.events.sent == ([("ImageTakenBack", 2)] if was_public else [])


@either_way
@pytest.mark.parametrize("is_finished", [False, True])
def test_a_picture_that_is_deleted_while_it_is_inspected_is_nowhere_public(
    pipeline: Pipeline, by_form: bool, is_finished: bool
) -> None:
    class DeletingInspector(InMemoryImageInspector):
        @override
        def inspect(self, content: bytes, image_format: ImageFormat) -> ImageFacts:
            pipeline.catalog.withdraw(a_ref(), NOW)
            if is_finished:
                pipeline.catalog.finish_removal(a_ref())
            return super().inspect(content, image_format)

    pipeline.upload(1, GOOD, primary=True, by_form=by_form)
    pipeline.extract_metadata = pipeline.with_inspector(DeletingInspector({GOOD: FACTS}))
    completion = pipeline.tell()
    assert (completion is None) is is_finished
    assert not pipeline.store.is_there(a_ref())
    assert pipeline.primary_image_id() is None
    # What the cache kept since the deletion was told, it forgets.
    assert pipeline.events.sent == [("ImageTakenBack", 1)]


def test_a_copy_that_is_taken_back_while_the_bus_is_down_is_taken_back_by_the_next_try(
    pipeline: Pipeline,
) -> None:
    pipeline.store.publish(a_ref(), PublicCopy(GOOD, ImageFormat.JPEG, SHA256))
    pipeline.events.is_down = True
    with pytest.raises(UnavailableError):
        pipeline.tell()
    pipeline.events.is_down = False
    assert pipeline.tell() is None
    assert (pipeline.store.is_there(a_ref()), pipeline.events.sent) == (False, [("ImageTakenBack", 1)])


def test_a_picture_of_an_upload_is_completed_without_looking_its_record_up() -> None:
    class UnreadCatalog(InMemoryImageCatalog):
        @override
        def get(self, product_id: int, image_id: int) -> ProductImage | None:
            raise AssertionError

    pipeline = Pipeline(UnreadCatalog(PRODUCT_ID))
    pipeline.upload(1, GOOD, primary=True)
    completion = pipeline.tell()
    assert completion is not None
    assert (completion.is_new, completion.image.status) == (True, ImageStatus.READY)


# --- What others are told ----------------------------------------------------------------------------------


@either_way
@pytest.mark.parametrize(("content", "kind"), [(GOOD, "ImageReady"), (BROKEN, "ImageFailed")])
def test_others_are_told_what_became_of_a_picture_by_every_try(
    pipeline: Pipeline, by_form: bool, content: bytes, kind: str
) -> None:
    pipeline.upload(1, content, primary=True, by_form=by_form)
    pipeline.tell()
    assert pipeline.events.sent == [(kind, 1)]
    pipeline.tell()
    assert pipeline.events.sent == [(kind, 1)] * 2


@either_way
def test_others_are_told_what_the_record_says_after_it_says_so(pipeline: Pipeline, by_form: bool) -> None:
    class WatchingEvents(InMemoryImageEvents):
        @override
        def send(self, kind: ImageEventKind, image: ImageSummary) -> None:
            assert ImageSummary.of(pipeline.catalog.images[PRODUCT_ID, 1]) == image
            assert pipeline.primary_image_id() == 1
            super().send(kind, image)

    pipeline.events = WatchingEvents()
    pipeline.upload(1, GOOD, primary=True, by_form=by_form)
    pipeline.with_inspector(InMemoryImageInspector({GOOD: FACTS}))(a_ref())
    assert pipeline.events.sent == [("ImageReady", 1)]
