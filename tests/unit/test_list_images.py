from collections.abc import Collection
from typing import override

import pytest

from domain.errors import InvalidFieldsError, ProductNotFoundError
from domain.gallery import Page
from domain.image import ImageStatus, Primary
from domain.list_images import MAX_REACH, ListImages, PageRequest
from tests.builders import NOW, PRODUCT_ID, SHA256, a_ready_image, a_ref, an_image
from tests.catalog_fake import InMemoryImageCatalog


@pytest.fixture
def catalog() -> InMemoryImageCatalog:
    catalog = InMemoryImageCatalog(PRODUCT_ID)
    for image_id in range(1, 6):
        catalog.reserve(an_image(ref=a_ref(image_id), order=-image_id))
    return catalog


def page(catalog: InMemoryImageCatalog, limit: int, offset: int) -> tuple[int, list[int]]:
    shown = ListImages(catalog)(PRODUCT_ID, PageRequest(limit, offset, None))
    return shown.count, [snapshot.image.ref.image_id for snapshot in shown.snapshots]


@pytest.mark.parametrize(
    ("limit", "offset", "image_ids"),
    [(2, 0, [5, 4]), (2, 2, [3, 2]), (2, 4, [1]), (2, 5, []), (100, 0, [5, 4, 3, 2, 1]), (1, MAX_REACH, [])],
)
def test_a_page_is_a_part_of_the_sorted_gallery_and_knows_its_size(
    catalog: InMemoryImageCatalog, limit: int, offset: int, image_ids: list[int]
) -> None:
    assert page(catalog, limit, offset) == (5, image_ids)


def test_a_status_counts_and_shows_only_pictures_in_it(catalog: InMemoryImageCatalog) -> None:
    catalog.images[PRODUCT_ID, 3] = a_ready_image(ref=a_ref(3))
    shown = ListImages(catalog)(PRODUCT_ID, PageRequest(10, 0, ImageStatus.READY))
    assert (shown.count, [snapshot.image.ref.image_id for snapshot in shown.snapshots]) == (1, [3])


def test_a_sha256_counts_and_shows_only_pictures_whose_file_had_it(catalog: InMemoryImageCatalog) -> None:
    catalog.images[PRODUCT_ID, 3] = a_ready_image(ref=a_ref(3))
    shown = ListImages(catalog)(PRODUCT_ID, PageRequest(10, 0, sha256s=("0" * 64, SHA256)))
    assert (shown.count, [snapshot.image.ref.image_id for snapshot in shown.snapshots]) == (1, [3])
    assert ListImages(catalog)(PRODUCT_ID, PageRequest(10, 0, sha256s=("0" * 64,))).count == 0


@pytest.mark.parametrize("status", [None, ImageStatus.READY])
def test_a_page_that_is_too_far_behind_is_refused_with_what_to_do_before_anything_is_read(
    status: ImageStatus | None,
) -> None:
    class UnreadCatalog(InMemoryImageCatalog):
        @override
        def page(
            self,
            product_id: int,
            limit: int,
            offset: int,
            status: ImageStatus | None = None,
            sha256s: Collection[str] = (),
        ) -> Page:
            raise AssertionError("It cannot be reached.")

    with pytest.raises(InvalidFieldsError) as caught:
        ListImages(UnreadCatalog(PRODUCT_ID))(PRODUCT_ID, PageRequest(10, MAX_REACH + 1, status))
    [fault] = caught.value.faults
    assert fault.field == "offset"
    assert fault.message.startswith("Must be at most 200,000: ")
    assert "by their id" in fault.message


class LargeCatalog(InMemoryImageCatalog):
    """Has so many pictures by its product's count; notes what is asked of it."""

    def __init__(self, count: int) -> None:
        super().__init__(PRODUCT_ID)
        self.count = count
        self.asked: list[tuple[ImageStatus | None, Collection[str]]] = []

    @override
    def page(
        self,
        product_id: int,
        limit: int,
        offset: int,
        status: ImageStatus | None = None,
        sha256s: Collection[str] = (),
    ) -> Page:
        self.asked.append((status, sha256s))
        return Page(self.count, [])


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (PageRequest(10, 0, ImageStatus.FAILED), "status"),
        (PageRequest(10, 0, sha256s=(SHA256,)), "sha256"),
        (PageRequest(10, 0, ImageStatus.FAILED, (SHA256,)), "status"),
    ],
)
def test_a_gallery_that_is_too_large_to_look_for_some_of_it_is_not_gone_through(
    wanted: PageRequest, field: str
) -> None:
    catalog = LargeCatalog(MAX_REACH + 1)
    with pytest.raises(InvalidFieldsError) as caught:
        ListImages(catalog)(PRODUCT_ID, wanted)
    [fault] = caught.value.faults
    assert (fault.field, catalog.asked) == (field, [(None, ())])
    assert fault.message.endswith("List it without status and sha256.")


def test_the_largest_gallery_that_a_list_goes_through_is_looked_through_for_some_of_it() -> None:
    catalog = LargeCatalog(MAX_REACH)
    ListImages(catalog)(PRODUCT_ID, PageRequest(10, 0, ImageStatus.FAILED, (SHA256,)))
    assert catalog.asked == [(None, ()), (ImageStatus.FAILED, (SHA256,))]


def test_a_picture_that_is_being_deleted_is_neither_counted_nor_shown(catalog: InMemoryImageCatalog) -> None:
    catalog.withdraw(a_ref(4), NOW)
    assert page(catalog, 10, 0) == (4, [5, 3, 2, 1])


def test_at_most_one_picture_is_the_primary(catalog: InMemoryImageCatalog) -> None:
    catalog.primaries[PRODUCT_ID] = Primary(2, NOW)
    shown = ListImages(catalog)(PRODUCT_ID, PageRequest(10, 0, None))
    assert [s.image.ref.image_id for s in shown.snapshots if s.is_primary] == [2]


def test_the_gallery_of_an_unknown_product_is_an_error(catalog: InMemoryImageCatalog) -> None:
    with pytest.raises(ProductNotFoundError):
        ListImages(catalog)(43, PageRequest(10, 0, None))
