from dataclasses import replace
from datetime import datetime
from typing import Any, override

import pytest

from domain.errors import (
    BytesRefusedError,
    DomainError,
    FieldFault,
    FileTooLargeError,
    InvalidFieldsError,
    OutcomeUnknownError,
    ProductNotFoundError,
    UnavailableError,
    UnsupportedFormatError,
)
from domain.image import ImageRef, ImageStatus, ProductImage
from domain.image_details import ImageDetails
from domain.upload_image import Upload
from tests.builders import NOW, PRODUCT_ID, USER, a_file, a_ref, an_image, jpeg, picture
from tests.catalog_fake import InMemoryImageCatalog
from tests.fakes import InMemoryImageStore
from tests.use_cases import MAX_BYTES, upload_image_with

CONTENT = jpeg()


class WatchingImageStore(InMemoryImageStore):
    """Notes at every change whether the picture has a record at that moment."""

    def __init__(self, catalog: InMemoryImageCatalog) -> None:
        super().__init__()
        self.seen: list[tuple[str, bool]] = []
        self._catalog = catalog

    @override
    def put(self, image: ProductImage, content: bytes) -> None:
        self._note("put", image.ref)
        super().put(image, content)

    def _note(self, change: str, ref: ImageRef) -> None:
        self.seen.append((change, self._catalog.get(ref.product_id, ref.image_id) is not None))


class RefusingImageStore(WatchingImageStore):
    @override
    def put(self, image: ProductImage, content: bytes) -> None:
        raise BytesRefusedError("Nothing was written.")


class MumblingImageStore(WatchingImageStore):
    """Writes, but its reply gets lost."""

    @override
    def put(self, image: ProductImage, content: bytes) -> None:
        super().put(image, content)
        raise UnavailableError


class BrokenImageStore(InMemoryImageStore):
    @override
    def put(self, image: ProductImage, content: bytes) -> None:
        raise RuntimeError("nobody foresaw this")


class UnreachableCatalog(InMemoryImageCatalog):
    @override
    def lease(self, size: int) -> int:
        raise UnavailableError


class FullCatalog(InMemoryImageCatalog):
    @override
    def reserve(self, image: ProductImage) -> None:
        raise UnavailableError


@pytest.fixture
def catalog() -> InMemoryImageCatalog:
    return InMemoryImageCatalog(PRODUCT_ID)


def an_upload(**changes: Any) -> Upload:  # noqa: ANN401 - any field of an upload
    upload = Upload(product_id=PRODUCT_ID, user=USER, content=CONTENT, file_name="shoe.jpg", fields={})
    return replace(upload, **changes)


def test_an_upload_is_stored_as_a_pending_picture(catalog: InMemoryImageCatalog) -> None:
    store = InMemoryImageStore()
    fields = {"alt_text": "A red shoe", "is_primary": "True", "order": "1"}
    image = upload_image_with(catalog, store)(an_upload(fields=fields)).finish()
    assert image == an_image(size_bytes=len(CONTENT), primary_requested_at=NOW, order=1)
    assert catalog.get(PRODUCT_ID, image.ref.image_id) == image
    assert store.content(image.ref) == CONTENT


def test_the_record_is_there_before_the_bytes(catalog: InMemoryImageCatalog) -> None:
    store = WatchingImageStore(catalog)
    upload_image_with(catalog, store)(an_upload()).finish()
    assert store.seen == [("put", True)]


def test_the_primary_stays_until_the_picture_is_ready(catalog: InMemoryImageCatalog) -> None:
    upload_image_with(catalog)(an_upload(fields={"is_primary": "true"})).finish()
    assert catalog.primaries == {PRODUCT_ID: None}


def test_every_upload_is_a_picture_of_its_own(catalog: InMemoryImageCatalog) -> None:
    upload = upload_image_with(catalog)
    assert [upload(an_upload()).finish().ref.image_id for _ in range(3)] == [1, 2, 3]


def test_the_format_is_that_of_the_bytes_not_of_the_name(catalog: InMemoryImageCatalog) -> None:
    image = upload_image_with(catalog)(an_upload(content=picture("PNG"), file_name="shoe.jpg")).finish()
    assert (image.image_format.name, image.name) == ("PNG", "shoe.jpg")


def test_a_path_in_a_file_name_is_dropped(catalog: InMemoryImageCatalog) -> None:
    assert upload_image_with(catalog)(an_upload(file_name="../../etc/shoe.jpg")).finish().name == "shoe.jpg"


def test_what_is_not_sent_takes_its_default(catalog: InMemoryImageCatalog) -> None:
    image = upload_image_with(catalog)(an_upload()).finish()
    assert (image.details, image.primary_requested_at) == (ImageDetails(), None)


def test_an_empty_file_is_named(catalog: InMemoryImageCatalog) -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        upload_image_with(catalog)(an_upload(content=b"")).finish()
    assert caught.value.faults == (FieldFault("image", "The file is empty."),)


@pytest.mark.parametrize("file_name", ["", "..", "folder/"])
def test_a_picture_without_a_name_is_named_by_its_format(
    catalog: InMemoryImageCatalog, file_name: str
) -> None:
    assert (
        upload_image_with(catalog)(an_upload(content=picture("WEBP"), file_name=file_name)).finish().name
        == "image.webp"
    )


def test_the_largest_picture_that_is_allowed_is_taken(catalog: InMemoryImageCatalog) -> None:
    content = CONTENT.ljust(MAX_BYTES, b"\0")
    assert upload_image_with(catalog)(an_upload(content=content)).finish().size_bytes == MAX_BYTES


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"content": CONTENT.ljust(MAX_BYTES + 1, b"\0")}, FileTooLargeError),
        ({"content": b""}, InvalidFieldsError),
        ({"content": b"%PDF-1.7"}, UnsupportedFormatError),
        ({"fields": {"order": "last"}}, InvalidFieldsError),
    ],
)
def test_an_upload_that_breaks_a_rule_is_refused_without_asking_a_store(
    changes: dict[str, Any], error: type[DomainError]
) -> None:
    with pytest.raises(error):
        upload_image_with(UnreachableCatalog())(an_upload(**changes))


def test_a_picture_that_is_too_large_is_told_both_sizes(catalog: InMemoryImageCatalog) -> None:
    with pytest.raises(
        FileTooLargeError,
        match=r"has 10,001 bytes.*at most 10,000.*POST to /api/products/\{product_id\}/images/uploads",
    ):
        upload_image_with(catalog)(an_upload(content=CONTENT.ljust(MAX_BYTES + 1, b"\0"))).finish()


def test_a_picture_of_an_unknown_product_is_not_stored(catalog: InMemoryImageCatalog) -> None:
    store = WatchingImageStore(catalog)
    with pytest.raises(ProductNotFoundError, match="There is no product 43"):
        upload_image_with(catalog, store)(an_upload(product_id=43)).finish()
    assert (catalog.images, store.seen) == ({}, [])


def test_no_bytes_are_written_without_a_record() -> None:
    catalog = FullCatalog(PRODUCT_ID)
    store = WatchingImageStore(catalog)
    with pytest.raises(UnavailableError):
        upload_image_with(catalog, store)(an_upload()).finish()
    assert store.seen == []


def test_the_record_of_refused_bytes_is_withdrawn(catalog: InMemoryImageCatalog) -> None:
    store = RefusingImageStore(catalog)
    with pytest.raises(UnavailableError):
        upload_image_with(catalog, store)(an_upload()).finish()
    assert (catalog.images, store.seen) == ({}, [])


@pytest.mark.parametrize("store", [RefusingImageStore, MumblingImageStore])
def test_an_upload_that_fails_while_its_product_goes_can_be_sent_again_and_is_told(
    store: type[WatchingImageStore],
) -> None:
    class VanishingCatalog(InMemoryImageCatalog):
        @override
        def withdraw(self, ref: ImageRef, at: datetime) -> ProductImage | None:
            self.primaries.clear()
            self.images.clear()
            return super().withdraw(ref, at)

    catalog = VanishingCatalog(PRODUCT_ID)
    upload = upload_image_with(catalog, store(catalog))
    with pytest.raises(UnavailableError) as unavailable:
        upload(an_upload()).finish()
    assert type(unavailable.value) is UnavailableError
    with pytest.raises(ProductNotFoundError):
        upload(an_upload()).finish()


def test_an_upload_of_an_unknown_outcome_is_taken_back_and_its_bytes_are_left_to_go_by_themselves(
    catalog: InMemoryImageCatalog,
) -> None:
    store = MumblingImageStore(catalog)
    with pytest.raises(UnavailableError):
        upload_image_with(catalog, store)(an_upload()).finish()
    assert (catalog.images, store.seen) == ({}, [("put", True)])


def test_a_record_that_cannot_be_removed_for_now_is_hidden_and_kept_for_the_reconciler() -> None:
    class StickyCatalog(InMemoryImageCatalog):
        @override
        def finish_removal(self, ref: ImageRef) -> None:
            raise UnavailableError

    sticky = StickyCatalog(PRODUCT_ID)
    with pytest.raises(UnavailableError) as unavailable:
        upload_image_with(sticky, MumblingImageStore(sticky))(an_upload()).finish()
    assert unavailable.value.ref == a_ref()
    assert [image.status for image in sticky.images.values()] == [ImageStatus.DELETING]


def test_a_record_whose_bytes_may_be_there_is_kept_for_the_reconciler(catalog: InMemoryImageCatalog) -> None:
    with pytest.raises(RuntimeError):
        upload_image_with(catalog, BrokenImageStore())(an_upload()).finish()
    assert [image.status for image in catalog.images.values()] == [ImageStatus.PENDING]


def test_a_picture_whose_event_was_quicker_than_its_lost_reply_is_kept(
    catalog: InMemoryImageCatalog,
) -> None:
    class InspectingImageStore(MumblingImageStore):
        """Its event is handled before the caller hears anything."""

        @override
        def put(self, image: ProductImage, content: bytes) -> None:
            try:
                super().put(image, content)
            finally:
                catalog.mark_ready(image.ref, a_file(), NOW)

    store = InspectingImageStore(catalog)
    image = upload_image_with(catalog, store)(an_upload()).finish()
    assert image.status is ImageStatus.READY
    assert catalog.get(PRODUCT_ID, image.ref.image_id) == image
    assert store.content(image.ref) == CONTENT


def test_an_upload_that_cannot_be_taken_back_is_not_called_gone() -> None:
    class ForgetfulCatalog(InMemoryImageCatalog):
        @override
        def withdraw(self, ref: ImageRef, at: datetime) -> ProductImage | None:
            raise UnavailableError

    forgetful = ForgetfulCatalog(PRODUCT_ID)
    store = MumblingImageStore(forgetful)
    with pytest.raises(OutcomeUnknownError, match="with the same Idempotency-Key") as unknown:
        upload_image_with(forgetful, store)(an_upload()).finish()
    assert unknown.value.ref == a_ref()
    assert forgetful.mark_ready(a_ref(), a_file(), NOW).status is ImageStatus.READY
    assert store.content(a_ref()) == CONTENT


@pytest.mark.parametrize("store", [RefusingImageStore, MumblingImageStore])
def test_an_upload_that_was_taken_back_says_which_picture_it_was(
    catalog: InMemoryImageCatalog, store: type[WatchingImageStore]
) -> None:
    with pytest.raises(UnavailableError) as unavailable:
        upload_image_with(catalog, store(catalog))(an_upload()).finish()
    assert type(unavailable.value) is UnavailableError
    assert unavailable.value.ref == a_ref()
