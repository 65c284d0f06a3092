import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any, override

import pytest

from domain.change_image import ChangeImage, ImageChange
from domain.delete_image import DeleteImage
from domain.errors import ImageRecordMissingError, UnavailableError
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
)
from domain.image_events import ImageEventKind, ImageSummary
from tests.builders import NOW, PRODUCT_ID, a_ref, an_image, an_image_sent, jpeg, picture
from tests.fakes import (
    InMemoryImageCatalog,
    InMemoryImageEvents,
    InMemoryImageInspector,
    InMemoryImageStore,
    InMemoryProducts,
    TickingClock,
)

GOOD, BROKEN = jpeg(), b"\xff\xd8\xff no picture"
FACTS = ImageFacts(48, 32, "RGB")
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
        self.extract_metadata = self.with_inspector(InMemoryImageInspector({GOOD: FACTS}))

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
            self.store.overwrite(image.ref, content)
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
    version = pipeline.store.current(a_ref())
    ready = an_image(
        size_bytes=len(GOOD),
        status=ImageStatus.READY,
        facts=FACTS,
        version=version,
        created_at=NOW + SECOND,
        updated_at=NOW + SECOND,
    )
    assert pipeline.extract_metadata(a_ref()) == Completion(ImageSummary.of(ready), is_new=True)
    assert pipeline.catalog.get(PRODUCT_ID, 1) == ready


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


def test_a_second_event_of_a_failed_picture_finds_it_gone(pipeline: Pipeline) -> None:
    pipeline.upload(1, BROKEN, primary=True)
    first, second = pipeline.tell(), pipeline.tell()
    assert first is not None
    assert second is None


@either_way
def test_a_picture_once_ready_stays_ready_though_it_no_longer_decodes(
    pipeline: Pipeline, by_form: bool
) -> None:
    pipeline.upload(1, GOOD, primary=False, by_form=by_form)
    first = pipeline.tell()
    assert first is not None
    again = pipeline.with_inspector(InMemoryImageInspector({}))(a_ref())
    assert again == Completion(first.image, is_new=False)


def test_bytes_that_are_gone_are_nothing_to_do(pipeline: Pipeline) -> None:
    pipeline.upload(1, GOOD, primary=True)
    pipeline.store.delete(a_ref())
    assert pipeline.tell() is None
    assert pipeline.catalog.images[PRODUCT_ID, 1].status is ImageStatus.PENDING


@either_way
@pytest.mark.parametrize("content", [GOOD, BROKEN])
@pytest.mark.parametrize("primary_requested_at", [None, NOW], ids=["", "primary"])
def test_bytes_without_a_record_are_reported(
    pipeline: Pipeline, by_form: bool, content: bytes, primary_requested_at: datetime | None
) -> None:
    pipeline.write(an_image(primary_requested_at=primary_requested_at), content, by_form=by_form)
    with pytest.raises(ImageRecordMissingError, match=r"originals/42/1\.jpg"):
        pipeline.tell()


@either_way
def test_an_event_that_comes_again_after_the_deletion_is_nothing_to_do(
    pipeline: Pipeline, by_form: bool
) -> None:
    pipeline.upload(1, GOOD, primary=True, by_form=by_form)
    version = pipeline.store.current(a_ref())
    pipeline.tell()
    DeleteImage(pipeline.catalog, pipeline.store, pipeline.events, lambda: NOW)(PRODUCT_ID, 1)
    # The bucket keeps old versions for a while.
    assert pipeline.store.content(a_ref(), version) == GOOD
    assert pipeline.tell() is None
    assert (pipeline.catalog.images, pipeline.store.content(a_ref())) == ({}, None)


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
    ChangeImage(pipeline.catalog, lambda: NOW)(PRODUCT_ID, 2, ImageChange(is_primary=False))
    pipeline.tell(image_id)
    assert pipeline.primary_image_id() is None


def test_an_attempt_that_stopped_before_the_primary_moved_is_made_good_by_the_next(
    pipeline: Pipeline,
) -> None:
    pipeline.upload(1, GOOD, primary=True)
    pipeline.catalog.mark_ready(a_ref(), FACTS, pipeline.store.current(a_ref()), NOW)
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
        ChangeImage(pipeline.catalog, lambda: later)(PRODUCT_ID, 1, ImageChange(is_primary=is_primary))
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
            facts: ImageFacts,
            version: str | None,
            at: datetime,
            *,
            requested_at: datetime,
        ) -> bool:
            if super().mark_primary_ready(ref, facts, version, at, requested_at=requested_at):
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
        def mark_ready(
            self, ref: ImageRef, facts: ImageFacts, version: str | None, at: datetime
        ) -> ProductImage:
            self.public = watched.store.public(ref)
            return super().mark_ready(ref, facts, version, at)

        @override
        def mark_primary_ready(
            self,
            ref: ImageRef,
            facts: ImageFacts,
            version: str | None,
            at: datetime,
            *,
            requested_at: datetime,
        ) -> bool:
            self.public = watched.store.public(ref)
            return super().mark_primary_ready(ref, facts, version, at, requested_at=requested_at)

    catalog = WatchingCatalog(PRODUCT_ID)
    watched = Pipeline(catalog)
    watched.upload(1, GOOD, primary=primary)
    watched.tell()
    assert catalog.public == GOOD


@either_way
def test_a_failed_picture_is_not_public_and_its_bytes_are_removed(pipeline: Pipeline, by_form: bool) -> None:
    pipeline.upload(1, BROKEN, primary=False, by_form=by_form)
    version = pipeline.store.current(a_ref())
    pipeline.tell()
    assert (pipeline.store.public(a_ref()), pipeline.store.content(a_ref())) == (None, None)
    # The bucket keeps old versions for a while.
    assert pipeline.store.content(a_ref(), version) == BROKEN


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
        (
            {"ref": replace(a_ref(), image_format=ImageFormat.PNG)},
            "not_a_picture",
            "The file is a JPEG picture; PNG had been announced.",
        ),
    ],
)
def test_bytes_that_are_not_what_was_announced_end_failed_and_are_removed(
    pipeline: Pipeline, announced: dict[str, Any], code: FailureCode, reason: str
) -> None:
    image = an_image(**{"size_bytes": len(GOOD), **announced})
    pipeline.catalog.reserve(image)
    pipeline.store.overwrite(image.ref, GOOD)
    completion = pipeline.extract_metadata(image.ref)
    assert completion is not None
    advice = "Ask for a new form for this file, and send it with that."
    assert completion.image.status is ImageStatus.FAILED
    assert completion.image.failure == Failure(code, f"{reason} {advice}")
    assert pipeline.store.content(image.ref) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"%PDF-1.7", PDF.advice), (b"PK", "The file is not a picture in a supported format")],
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
    pipeline.store.overwrite(a_ref(), GOOD)
    completion = pipeline.tell()
    assert completion is not None
    assert completion.image.status is ImageStatus.READY


# --- Bytes that are written twice, or come too late ------------------------------------------------------


@pytest.mark.parametrize("second", [picture("JPEG", 5, 5), BROKEN])
def test_a_second_write_never_takes_the_place_of_the_picture(pipeline: Pipeline, second: bytes) -> None:
    pipeline.upload(1, GOOD, primary=True, by_form=True)
    first = pipeline.tell()
    pipeline.store.overwrite(a_ref(), second)
    assert pipeline.store.public(a_ref()) is None
    again = pipeline.tell()
    assert first is not None
    assert again == Completion(first.image, is_new=False)
    assert pipeline.store.public(a_ref()) == GOOD


def test_of_three_writes_the_first_is_the_picture_after_any_one_event(pipeline: Pipeline) -> None:
    other = picture("JPEG", 5, 5)
    facts = ImageFacts(5, 5, "RGB")
    pipeline.extract_metadata = pipeline.with_inspector(InMemoryImageInspector({GOOD: FACTS, other: facts}))
    pipeline.upload(1, GOOD, primary=False, by_form=True)
    for _ in range(2):
        pipeline.store.overwrite(a_ref(), other.ljust(len(GOOD), b"\0"))
    pipeline.tell()
    assert pipeline.catalog.images[PRODUCT_ID, 1].facts == FACTS
    assert pipeline.store.public(a_ref()) == GOOD


def test_of_two_writes_that_are_inspected_at_once_only_one_is_ever_public() -> None:
    other = picture("JPEG", 5, 5).ljust(len(GOOD), b"\0")
    public: list[bytes | None] = []

    class CrowdedInspector(InMemoryImageInspector):
        """While it looks into one version, the event of the other is handled."""

        turns = iter([True])

        @override
        def inspect(self, content: bytes, image_format: ImageFormat) -> ImageFacts:
            if next(self.turns, False):
                crowded.extract_metadata(a_ref())
                public.append(crowded.store.public(a_ref()))
            return super().inspect(content, image_format)

    crowded = Pipeline()
    facts = {GOOD: FACTS, other: ImageFacts(5, 5, "RGB")}
    crowded.extract_metadata = crowded.with_inspector(CrowdedInspector(facts))
    crowded.upload(1, GOOD, primary=False, by_form=True)
    crowded.store.overwrite(a_ref(), other)
    crowded.extract_metadata(a_ref())
    assert public == [GOOD]
    assert crowded.store.public(a_ref()) == GOOD


def test_a_late_repetition_of_a_deleted_pictures_event_is_nothing_to_do(pipeline: Pipeline) -> None:
    pipeline.upload(1, GOOD, primary=False)
    pipeline.tell()
    pipeline.store.delete(a_ref())
    del pipeline.catalog.images[PRODUCT_ID, 1]
    assert pipeline.tell() is None


@either_way
def test_a_picture_whose_deletion_ends_while_it_is_inspected_is_nothing_to_do(
    pipeline: Pipeline, by_form: bool
) -> None:
    class DeletingInspector(InMemoryImageInspector):
        @override
        def inspect(self, content: bytes, image_format: ImageFormat) -> ImageFacts:
            pipeline.store.delete(a_ref())
            del pipeline.catalog.images[PRODUCT_ID, 1]
            return super().inspect(content, image_format)

    pipeline.upload(1, GOOD, primary=True, by_form=by_form)
    pipeline.extract_metadata = pipeline.with_inspector(DeletingInspector({GOOD: FACTS}))
    assert pipeline.tell() is None
    assert (pipeline.store.content(a_ref()), pipeline.primary_image_id()) == (None, None)


def test_a_form_whose_picture_is_deleted_while_its_versions_are_listed_is_nothing_to_do() -> None:
    class DeletedStore(InMemoryImageStore):
        @override
        def versions(self, ref: ImageRef) -> list[str]:
            self.delete(ref)
            return super().versions(ref)

    pipeline = Pipeline(store=DeletedStore())
    pipeline.upload(1, GOOD, primary=False, by_form=True)
    version = pipeline.store.current(a_ref())
    assert pipeline.tell() is None
    assert pipeline.store.content(a_ref(), version) == GOOD


def test_bytes_that_a_hand_put_over_a_picture_are_never_public_and_discarded_when_their_event_comes(
    pipeline: Pipeline,
) -> None:
    other = picture("JPEG", 5, 5)
    facts = {GOOD: FACTS, other: ImageFacts(5, 5, "RGB")}
    pipeline.extract_metadata = pipeline.with_inspector(InMemoryImageInspector(facts))
    pipeline.upload(1, GOOD, primary=False)
    first = pipeline.tell()
    version = pipeline.store.overwrite(a_ref(), other)
    again = pipeline.tell()
    assert first is not None
    assert again == Completion(first.image, is_new=False)
    assert not pipeline.store.was_published(a_ref(), version)
    assert pipeline.store.public(a_ref()) == GOOD


def test_bytes_that_a_hand_put_where_there_is_no_record_are_never_public(pipeline: Pipeline) -> None:
    version = pipeline.store.overwrite(a_ref(), GOOD)
    with pytest.raises(ImageRecordMissingError):
        pipeline.tell()
    assert not pipeline.store.was_published(a_ref(), version)


def test_the_bytes_that_only_one_write_can_have_made_are_looked_for_no_further() -> None:
    class OneWriteStore(InMemoryImageStore):
        @override
        def versions(self, ref: ImageRef) -> list[str]:
            raise AssertionError

    pipeline = Pipeline(store=OneWriteStore())
    pipeline.upload(1, GOOD, primary=False)
    completion = pipeline.extract_metadata(a_ref())
    assert completion is not None
    assert completion.image.status is ImageStatus.READY


def test_a_picture_of_one_write_is_completed_without_looking_its_record_up() -> None:
    class UnreadCatalog(InMemoryImageCatalog):
        @override
        def get(self, product_id: int, image_id: int) -> ProductImage | None:
            raise AssertionError

    pipeline = Pipeline(UnreadCatalog(PRODUCT_ID))
    pipeline.upload(1, GOOD, primary=True)
    first = pipeline.extract_metadata(a_ref())
    again = pipeline.extract_metadata(a_ref())
    assert first is not None
    assert (first.is_new, first.image.status) == (True, ImageStatus.READY)
    assert again == Completion(first.image, is_new=False)


def test_bytes_that_are_left_of_a_picture_whose_own_are_gone_are_discarded(pipeline: Pipeline) -> None:
    pipeline.upload(1, GOOD, primary=True, by_form=True)
    first = pipeline.store.current(a_ref())
    pipeline.tell()
    later = pipeline.store.overwrite(a_ref(), BROKEN)
    # As the bucket does with old versions after a while.
    pipeline.store.discard(a_ref(), first)
    pipeline.tell()
    assert pipeline.catalog.images[PRODUCT_ID, 1].status is ImageStatus.READY
    assert pipeline.store.content(a_ref(), later) is None


def test_a_record_without_a_version_takes_whatever_version_there_is(pipeline: Pipeline) -> None:
    pipeline.upload(1, GOOD, primary=False)
    pipeline.catalog.mark_ready(a_ref(), FACTS, None, NOW)
    pipeline.tell()
    assert pipeline.store.content(a_ref()) == GOOD


@either_way
@pytest.mark.parametrize("content", [GOOD, BROKEN])
def test_bytes_of_a_picture_that_was_deleted_while_pending_are_removed_when_they_come(
    pipeline: Pipeline, by_form: bool, content: bytes
) -> None:
    image = an_image(size_bytes=len(content), primary_requested_at=NOW)
    pipeline.catalog.reserve(image)
    DeleteImage(pipeline.catalog, pipeline.store, pipeline.events, lambda: NOW)(PRODUCT_ID, 1)
    pipeline.write(image, content, by_form=by_form)
    deleting = replace(image, status=ImageStatus.DELETING)
    assert pipeline.tell() == Completion(ImageSummary.of(deleting), is_new=False)
    assert (pipeline.store.content(a_ref()), pipeline.store.public(a_ref())) == (None, None)
    assert pipeline.primary_image_id() is None


@either_way
def test_a_picture_that_is_deleted_while_it_is_inspected_is_removed(
    pipeline: Pipeline, by_form: bool
) -> None:
    class DeletingInspector(InMemoryImageInspector):
        @override
        def inspect(self, content: bytes, image_format: ImageFormat) -> ImageFacts:
            pipeline.catalog.withdraw(a_ref(2), NOW)
            return super().inspect(content, image_format)

    pipeline.upload(2, GOOD, primary=True, by_form=by_form)
    pipeline.extract_metadata = pipeline.with_inspector(DeletingInspector({GOOD: FACTS}))
    completion = pipeline.tell(2)
    assert completion is not None
    assert (completion.image.status, completion.is_new) == (ImageStatus.DELETING, False)
    assert (pipeline.store.content(a_ref(2)), pipeline.store.public(a_ref(2))) == (None, None)
    assert pipeline.primary_image_id() is None


def test_a_write_after_a_failed_one_is_discarded_and_the_picture_stays_failed(pipeline: Pipeline) -> None:
    pipeline.upload(1, BROKEN, primary=True, by_form=True)
    pipeline.tell()
    version = pipeline.store.overwrite(a_ref(), GOOD.ljust(len(BROKEN), b"\0"))
    completion = pipeline.tell()
    assert completion is not None
    assert (completion.image.status, completion.is_new) == (ImageStatus.FAILED, False)
    assert pipeline.store.content(a_ref(), version) is None
    assert pipeline.store.content(a_ref()) is None


def test_bytes_that_a_fault_left_behind_are_removed_by_the_next_try() -> None:
    class UnreachableImageStore(InMemoryImageStore):
        failures = 1

        @override
        def delete(self, ref: ImageRef) -> None:
            if self.failures:
                self.failures -= 1
                raise UnavailableError
            super().delete(ref)

    pipeline = Pipeline(store=UnreachableImageStore())
    pipeline.upload(1, BROKEN, primary=False)
    with pytest.raises(UnavailableError):
        pipeline.tell()
    assert pipeline.catalog.images[PRODUCT_ID, 1].status is ImageStatus.FAILED
    completion = pipeline.tell()
    assert completion is not None
    assert (completion.is_new, pipeline.store.content(a_ref())) == (False, None)


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


def test_a_failure_whose_message_got_lost_is_told_though_its_bytes_are_gone(pipeline: Pipeline) -> None:
    pipeline.upload(1, BROKEN, primary=False)
    pipeline.tell()
    pipeline.events.sent.clear()
    assert pipeline.extract_metadata(a_ref()) is None
    assert pipeline.events.sent == [("ImageFailed", 1)]


def test_nobody_is_told_of_bytes_that_come_too_late_nor_anything_new_of_second_ones(
    pipeline: Pipeline,
) -> None:
    pipeline.upload(1, GOOD, primary=False)
    pipeline.tell()
    pipeline.events.sent.clear()
    pipeline.store.overwrite(a_ref(), BROKEN)
    pipeline.tell()
    pipeline.upload(2, GOOD, primary=False)
    pipeline.catalog.withdraw(a_ref(2), NOW)
    pipeline.tell(2)
    assert pipeline.events.sent == [("ImageReady", 1)]
