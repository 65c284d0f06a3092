"""Another try of an upload that was begun: it goes on with the same picture, or begins anew."""

from datetime import datetime, timedelta
from typing import override

import pytest

from domain.begun import GOING_ON_TIME
from domain.claim import BegunPicture
from domain.errors import BytesRefusedError
from domain.image import ImageFacts, ImageRef, ImageStatus, ProductImage
from domain.reconcile import PATIENCE
from domain.upload_image import Upload
from tests.builders import DAMAGED, NOW, PRODUCT_ID, SHA256, USER, a_file, a_ref, an_image, jpeg
from tests.catalog_fake import InMemoryImageCatalog
from tests.fakes import InMemoryImageStore
from tests.use_cases import upload_image_with

CONTENT = jpeg()
UPLOAD = Upload(product_id=PRODUCT_ID, user=USER, content=CONTENT, file_name="shoe.jpg", fields={})
FACTS = ImageFacts(48, 32, "RGB")
LATER = GOING_ON_TIME
ANEW = a_ref(101)
"""Of what a second process begins, which leases identifiers of its own."""


class DyingImageStore(InMemoryImageStore):
    """Its process is killed before it has written anything, or right after it."""

    def __init__(self, *, writes: bool) -> None:
        super().__init__()
        self.is_alive = False
        self._writes = writes

    @override
    def put(self, image: ProductImage, content: bytes) -> None:
        if self._writes or self.is_alive:
            super().put(image, content)
        if not self.is_alive:
            raise KeyboardInterrupt


class IdleImageStore(InMemoryImageStore):
    @override
    def put(self, image: ProductImage, content: bytes) -> None:
        raise AssertionError("There is nothing left to write.")


@pytest.fixture
def catalog() -> InMemoryImageCatalog:
    return InMemoryImageCatalog(PRODUCT_ID)


def cut_short(catalog: InMemoryImageCatalog, store: InMemoryImageStore | None = None) -> BegunPicture:
    """Begin an upload, and die before the bytes are written or right after it."""
    begun = upload_image_with(catalog, store or DyingImageStore(writes=False))(UPLOAD)
    with pytest.raises(KeyboardInterrupt):
        begun.finish()
    return begun.picture


def try_again(
    catalog: InMemoryImageCatalog,
    earlier: BegunPicture,
    store: InMemoryImageStore | None = None,
    after: timedelta = timedelta(0),
) -> ProductImage:
    begun = upload_image_with(catalog, store, lambda: NOW + after)(UPLOAD, earlier)
    image = begun.finish()
    assert begun.picture == (image.ref.image_id, image.created_at)
    return image


def test_an_upload_names_its_picture_before_anything_is_written(catalog: InMemoryImageCatalog) -> None:
    assert upload_image_with(catalog)(UPLOAD).picture == BegunPicture(1, NOW)
    assert catalog.images == {}


def test_an_upload_that_was_cut_short_before_its_record_is_begun_anew(catalog: InMemoryImageCatalog) -> None:
    earlier = upload_image_with(catalog)(UPLOAD).picture
    store = InMemoryImageStore()
    image = try_again(catalog, earlier, store)
    assert catalog.images == {(PRODUCT_ID, image.ref.image_id): image}
    assert store.content(image.ref) == CONTENT


@pytest.mark.parametrize("writes", [False, True])
def test_an_upload_that_was_cut_short_after_its_record_gets_its_bytes_once(
    catalog: InMemoryImageCatalog, writes: bool
) -> None:
    store = DyingImageStore(writes=writes)
    earlier = cut_short(catalog, store)
    store.is_alive = True
    image = try_again(catalog, earlier, store, LATER - timedelta(seconds=1))
    assert catalog.images == {(PRODUCT_ID, 1): image}
    assert store.content(a_ref()) == CONTENT


def test_a_picture_that_is_ready_meanwhile_is_the_answer(catalog: InMemoryImageCatalog) -> None:
    earlier = cut_short(catalog)
    ready = catalog.mark_ready(a_ref(), a_file(), NOW)
    store = IdleImageStore()
    assert try_again(catalog, earlier, store, 2 * LATER) == ready


def test_a_picture_that_has_failed_meanwhile_is_the_answer(catalog: InMemoryImageCatalog) -> None:
    earlier = cut_short(catalog)
    failed = catalog.mark_failed(a_ref(), DAMAGED, SHA256, NOW)
    store = IdleImageStore()
    assert try_again(catalog, earlier, store) == failed


@pytest.mark.parametrize("is_finished", [False, True])
def test_a_picture_that_was_removed_meanwhile_is_uploaded_anew(
    catalog: InMemoryImageCatalog, is_finished: bool
) -> None:
    earlier = cut_short(catalog)
    catalog.withdraw(a_ref(), NOW)
    if is_finished:
        catalog.finish_removal(a_ref())
    store = InMemoryImageStore()
    image = try_again(catalog, earlier, store)
    assert image.ref == ANEW
    assert (store.content(a_ref()), store.content(ANEW)) == (None, CONTENT)


def test_a_record_without_bytes_that_may_be_removed_as_abandoned_is_taken_back_and_begun_anew(
    catalog: InMemoryImageCatalog,
) -> None:
    earlier = cut_short(catalog)
    image = try_again(catalog, earlier, after=LATER)
    assert (image.ref, image.created_at) == (ANEW, NOW + LATER)
    assert catalog.images[PRODUCT_ID, 1].status is ImageStatus.DELETING


def test_a_picture_that_is_ready_just_before_it_is_taken_back_is_the_answer() -> None:
    class LateCatalog(InMemoryImageCatalog):
        @override
        def withdraw(self, ref: ImageRef, at: datetime) -> ProductImage | None:
            self.mark_ready(ref, a_file(), at)
            return super().withdraw(ref, at)

    catalog = LateCatalog(PRODUCT_ID)
    earlier = cut_short(catalog)
    assert try_again(catalog, earlier, after=LATER).status is ImageStatus.READY
    assert len(catalog.images) == 1


def test_a_picture_whose_bytes_an_earlier_try_wrote_is_the_answer_where_those_of_this_one_are_refused(
    catalog: InMemoryImageCatalog,
) -> None:
    class LateStore(InMemoryImageStore):
        @override
        def put(self, image: ProductImage, content: bytes) -> None:
            catalog.mark_ready(image.ref, a_file(), NOW)
            raise BytesRefusedError("Nothing was written.")

    earlier = cut_short(catalog, DyingImageStore(writes=True))
    assert try_again(catalog, earlier, LateStore()).status is ImageStatus.READY


def test_a_record_that_is_gone_just_before_it_is_taken_back_is_begun_anew() -> None:
    class QuickCatalog(InMemoryImageCatalog):
        @override
        def withdraw(self, ref: ImageRef, at: datetime) -> ProductImage | None:
            self.images.clear()
            return super().withdraw(ref, at)

    catalog = QuickCatalog(PRODUCT_ID)
    earlier = cut_short(catalog)
    assert try_again(catalog, earlier, after=LATER).ref == ANEW


def test_another_picture_that_has_the_identifier_is_not_taken_for_the_one_begun(
    catalog: InMemoryImageCatalog,
) -> None:
    earlier = upload_image_with(catalog)(UPLOAD).picture
    others = an_image(created_at=NOW + timedelta(seconds=1))
    catalog.reserve(others)
    assert try_again(catalog, earlier).ref == ANEW
    assert catalog.images[PRODUCT_ID, 1] == others


def test_whoever_goes_on_with_a_picture_is_done_before_it_may_be_removed_as_abandoned() -> None:
    function_time = timedelta(minutes=15)  # the most that Lambda gives one
    assert function_time + GOING_ON_TIME < PATIENCE
