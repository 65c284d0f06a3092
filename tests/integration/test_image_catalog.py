from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations

import pytest

from domain.errors import (
    ImageIdTakenError,
    ImageNotFoundError,
    ImageRecordDamagedError,
    ImageRecordMissingError,
    ProductNotFoundError,
)
from domain.failure import Failure
from domain.gallery import Page
from domain.image import (
    Announcement,
    Fetch,
    ImageFacts,
    ImageFormat,
    ImageSnapshot,
    ImageStatus,
    Primary,
    ProductImage,
    PublicFile,
)
from domain.list_images import MAX_SHA256S
from domain.user import User
from tests.builders import A_LOOK, DAMAGED, NOW, PRODUCT_ID, SHA256, a_file, a_ref, an_image, with_changes
from tests.integration.conftest import Catalog, Shop

FACTS = ImageFacts(48, 32, "RGB")
FILE = a_file(facts=FACTS)
LATER = NOW + timedelta(seconds=1)
OTHER_SHA256 = "5" * 64
MUCH_LATER = NOW + timedelta(days=1)
DELETING = an_image(status=ImageStatus.DELETING)


@pytest.fixture
def catalog(shop: Shop) -> Catalog:
    shop.products.add(PRODUCT_ID)
    return shop.catalog


def test_no_picture_is_reserved_for_a_product_that_is_not_there_nor_is_it_made(
    shop: Shop, catalog: Catalog
) -> None:
    with pytest.raises(ProductNotFoundError, match="There is no product 43"):
        catalog.reserve(an_image(ref=a_ref(product_id=43)))
    assert (catalog.get(43, 1), shop.products.exists(43)) == (None, False)


@pytest.mark.parametrize("image_format", ImageFormat)
def test_a_record_comes_back_as_it_was_reserved(catalog: Catalog, image_format: ImageFormat) -> None:
    image = an_image(
        ref=a_ref(2**53 - 1),
        image_format=image_format,
        user=User(2**53 - 1, "w\u0142odek", ""),
        name="\U0001f45f.jpg",
        alt_text="",
        primary_requested_at=NOW,
        announcement=Announcement("0" * 64, LATER),
        order=-(2**31),
        created_at=NOW.replace(microsecond=0),
        updated_at=NOW,
    )
    catalog.reserve(image)
    assert catalog.get(PRODUCT_ID, 2**53 - 1) == image


def test_an_announcement_without_a_sha256_comes_back_as_it_was(catalog: Catalog) -> None:
    image = an_image(announcement=Announcement(None, LATER))
    catalog.reserve(image)
    assert catalog.get(PRODUCT_ID, 1) == image


def test_a_fetch_is_put_off_and_is_open_only_since_then(catalog: Catalog) -> None:
    image = an_image(fetch=Fetch("https://shop.example/a.jpg"))
    catalog.reserve(image)
    assert catalog.get(PRODUCT_ID, 1) == image
    later = Fetch("https://shop.example/a.jpg", 2, MUCH_LATER, 1)
    assert catalog.put_off(a_ref(), later, MUCH_LATER)
    assert catalog.get(PRODUCT_ID, 1) == replace(image, fetch=later)
    assert list(catalog.open_images(MUCH_LATER)) == []
    assert list(catalog.open_images(MUCH_LATER + timedelta(seconds=1))) == [(PRODUCT_ID, 1)]


def test_a_fetch_of_what_is_no_longer_pending_is_not_put_off(catalog: Catalog) -> None:
    fetch = Fetch("https://shop.example/a.jpg")
    catalog.reserve(an_image(fetch=fetch))
    failed = catalog.mark_failed(a_ref(), DAMAGED, None, LATER)
    assert not catalog.put_off(a_ref(), fetch, MUCH_LATER)
    assert not catalog.put_off(a_ref(2), fetch, MUCH_LATER)
    assert catalog.get(PRODUCT_ID, 1) == failed


def test_once_a_picture_is_ready_or_failed_nothing_says_where_it_was_to_be_fetched(catalog: Catalog) -> None:
    for number in (1, 2):
        catalog.reserve(an_image(ref=a_ref(number), fetch=Fetch("https://shop.example/a.jpg", 1, LATER)))
    ready = catalog.mark_ready(a_ref(1), a_file(), LATER)
    failed = catalog.mark_failed(a_ref(2), DAMAGED, None, LATER)
    assert (ready.fetch, failed.fetch, failed.sha256) == (None, None, None)


def test_a_record_that_was_never_reserved_is_none(catalog: Catalog) -> None:
    catalog.reserve(an_image())
    assert catalog.get(PRODUCT_ID, 2) is None
    assert catalog.get(43, 1) is None


def test_reserving_the_very_same_record_again_changes_nothing(catalog: Catalog) -> None:
    catalog.reserve(an_image())
    catalog.reserve(an_image())
    assert catalog.get(PRODUCT_ID, 1) == an_image()


def test_an_identifier_that_is_taken_is_refused_and_its_record_untouched(catalog: Catalog) -> None:
    catalog.reserve(an_image())
    with pytest.raises(ImageIdTakenError):
        catalog.reserve(an_image(name="other.jpg"))
    assert catalog.get(PRODUCT_ID, 1) == an_image()


def test_a_pending_record_is_removed_in_two_steps(catalog: Catalog) -> None:
    catalog.reserve(an_image())
    assert [catalog.withdraw(a_ref(), NOW), catalog.withdraw(a_ref(), LATER)] == [None, None]
    assert catalog.get(PRODUCT_ID, 1) == DELETING
    catalog.finish_removal(a_ref())
    assert catalog.get(PRODUCT_ID, 1) is None


def test_a_record_that_is_being_removed_is_not_completed(catalog: Catalog) -> None:
    catalog.reserve(an_image())
    catalog.withdraw(a_ref(), NOW)
    assert catalog.mark_ready(a_ref(), FILE, LATER) == DELETING
    assert catalog.mark_failed(a_ref(), DAMAGED, SHA256, LATER) == DELETING


def test_the_removal_of_what_is_not_there_does_not_begin(catalog: Catalog) -> None:
    with pytest.raises(ImageRecordMissingError):
        catalog.withdraw(a_ref(), NOW)
    assert catalog.get(PRODUCT_ID, 1) is None


def test_a_removal_that_has_not_begun_does_not_finish(catalog: Catalog) -> None:
    catalog.reserve(an_image())
    catalog.finish_removal(a_ref())
    catalog.finish_removal(a_ref(2))
    assert catalog.get(PRODUCT_ID, 1) == an_image()


def test_a_completed_record_is_not_removed(catalog: Catalog) -> None:
    for image_id in (1, 2):
        catalog.reserve(an_image(ref=a_ref(image_id)))
    ready = catalog.mark_ready(a_ref(1), FILE, LATER)
    failed = catalog.mark_failed(a_ref(2), DAMAGED, SHA256, LATER)
    for image in (ready, failed):
        assert catalog.withdraw(image.ref, NOW) == image
        catalog.finish_removal(image.ref)
        assert catalog.get(PRODUCT_ID, image.ref.image_id) == image


def test_a_pending_record_becomes_ready(catalog: Catalog) -> None:
    catalog.reserve(an_image())
    file = PublicFile(ImageFormat.PNG, 1_234, SHA256, FACTS)
    ready = an_image(
        status=ImageStatus.READY,
        image_format=ImageFormat.PNG,
        size_bytes=1_234,
        sha256=SHA256,
        facts=FACTS,
        updated_at=LATER,
    )
    assert catalog.mark_ready(a_ref(), file, LATER) == ready
    assert catalog.get(PRODUCT_ID, 1) == ready


def test_a_pending_record_becomes_failed(catalog: Catalog) -> None:
    catalog.reserve(an_image())
    failed = an_image(status=ImageStatus.FAILED, failure=DAMAGED, sha256=SHA256, updated_at=LATER)
    assert catalog.mark_failed(a_ref(), DAMAGED, SHA256, LATER) == failed
    assert catalog.get(PRODUCT_ID, 1) == failed


def test_a_completed_record_stays_as_it_is(catalog: Catalog) -> None:
    for image_id in (1, 2):
        catalog.reserve(an_image(ref=a_ref(image_id)))
    ready = catalog.mark_ready(a_ref(1), FILE, LATER)
    failed = catalog.mark_failed(a_ref(2), DAMAGED, SHA256, LATER)
    for image in (ready, failed):
        assert catalog.mark_ready(image.ref, a_file(facts=ImageFacts(1, 1, "L")), MUCH_LATER) == image
        assert (
            catalog.mark_failed(image.ref, Failure("truncated", "Something else."), SHA256, MUCH_LATER)
            == image
        )
        assert catalog.get(PRODUCT_ID, image.ref.image_id) == image


def test_completing_a_record_that_is_missing_is_an_error_and_makes_none(catalog: Catalog) -> None:
    with pytest.raises(ImageRecordMissingError, match="no record of image 1 of product 42"):
        catalog.mark_ready(a_ref(), FILE, LATER)
    with pytest.raises(ImageRecordMissingError, match="no record of image 1 of product 42"):
        catalog.mark_failed(a_ref(), DAMAGED, SHA256, LATER)
    assert catalog.get(PRODUCT_ID, 1) is None


def test_a_record_with_another_token_is_not_completed(catalog: Catalog) -> None:
    image = an_image(primary_requested_at=NOW)
    catalog.reserve(image)
    guessed = a_ref()._replace(token="0" * 16)
    assert not catalog.mark_primary_ready(guessed, FILE, LATER, requested_at=NOW)
    with pytest.raises(ImageRecordMissingError):
        catalog.mark_ready(guessed, FILE, LATER)
    with pytest.raises(ImageRecordMissingError):
        catalog.mark_failed(guessed, DAMAGED, SHA256, LATER)
    assert catalog.get(PRODUCT_ID, 1) == image


# --- The primary -----------------------------------------------------------------------------------------


def a_wish(catalog: Catalog, image_id: int, seconds: float, product_id: int = PRODUCT_ID) -> ProductImage:
    """Return a ready picture that was wished to be the primary so many seconds after `NOW`."""
    requested_at = NOW + timedelta(seconds=seconds)
    catalog.reserve(an_image(ref=a_ref(image_id, product_id), primary_requested_at=requested_at))
    return catalog.mark_ready(a_ref(image_id, product_id), FILE, LATER)


def primary_image_id(catalog: Catalog, product_id: int = PRODUCT_ID) -> int | None:
    primary = catalog.gallery(product_id, 100).primary
    return primary.image_id if primary else None


def test_a_product_has_no_primary_at_first(catalog: Catalog) -> None:
    assert catalog.gallery(PRODUCT_ID, 100).primary is None


@pytest.mark.parametrize("order", sorted(permutations([1, 2, 3])))
def test_the_primary_moves_forward_in_time_only(catalog: Catalog, order: tuple[int, ...]) -> None:
    # Identifiers fall as time goes on: only the time decides.
    images = {age: a_wish(catalog, 10 - age, age) for age in order}
    last = 0
    for age in order:
        assert catalog.move_primary(images[age]) is (age > last)
        last = max(last, age)
        assert primary_image_id(catalog) == 10 - last


def test_the_identifier_decides_between_wishes_of_the_same_moment(catalog: Catalog) -> None:
    nine, ten = a_wish(catalog, 9, 0), a_wish(catalog, 10, 0)
    assert catalog.move_primary(nine)
    assert catalog.move_primary(ten)
    assert not catalog.move_primary(nine)
    assert primary_image_id(catalog) == 10


def test_moving_the_primary_to_where_it_stands_is_no_change(catalog: Catalog) -> None:
    image = a_wish(catalog, 1, 0)
    assert catalog.move_primary(image)
    assert catalog.move_primary(image)
    assert catalog.gallery(PRODUCT_ID, 100).primary == Primary(1, NOW)


def test_each_product_has_a_primary_of_its_own(shop: Shop, catalog: Catalog) -> None:
    shop.products.add(43)
    catalog.move_primary(a_wish(catalog, 2, 1))
    assert catalog.move_primary(a_wish(catalog, 1, 0, product_id=43))
    assert (primary_image_id(catalog), primary_image_id(catalog, 43)) == (2, 1)


def test_a_picture_that_was_never_wished_to_be_the_primary_does_not_become_it(catalog: Catalog) -> None:
    catalog.reserve(an_image())
    assert not catalog.move_primary(catalog.mark_ready(a_ref(), FILE, LATER))
    assert primary_image_id(catalog) is None


def test_a_wish_that_was_taken_back_meanwhile_moves_nothing(catalog: Catalog) -> None:
    image = a_wish(catalog, 1, 0)
    seen = catalog.look_up(PRODUCT_ID, 1)
    unwished = replace(image, primary_requested_at=None, updated_at=MUCH_LATER)
    assert catalog.change(seen, ImageSnapshot(unwished, None))
    assert not catalog.move_primary(image)
    assert primary_image_id(catalog) is None


def test_a_picture_that_was_deleted_meanwhile_does_not_become_the_primary(catalog: Catalog) -> None:
    image = a_wish(catalog, 1, 0)
    assert catalog.begin_removal(catalog.look_up(PRODUCT_ID, 1), NOW)
    assert not catalog.move_primary(image)
    catalog.finish_removal(image.ref)
    assert not catalog.move_primary(image)
    assert primary_image_id(catalog) is None


def test_a_cleared_pointer_is_not_set_again_by_a_late_repetition(catalog: Catalog) -> None:
    image = a_wish(catalog, 1, 0)
    catalog.move_primary(image)
    seen = catalog.look_up(PRODUCT_ID, 1)
    cleared = ImageSnapshot(replace(image, updated_at=MUCH_LATER), Primary(None, NOW))
    assert catalog.change(seen, cleared)
    assert not catalog.move_primary(image)
    assert catalog.gallery(PRODUCT_ID, 100).primary == Primary(None, NOW)


def test_a_later_wish_sets_a_cleared_pointer(catalog: Catalog) -> None:
    image, later = a_wish(catalog, 1, 0), a_wish(catalog, 2, 1)
    catalog.move_primary(image)
    assert catalog.begin_removal(catalog.look_up(PRODUCT_ID, 1), NOW)
    assert catalog.move_primary(later)
    assert primary_image_id(catalog) == 2


def test_a_pending_record_becomes_ready_and_the_primary_in_one_step(catalog: Catalog) -> None:
    image = an_image(primary_requested_at=NOW)
    catalog.reserve(image)
    ready = replace(image, status=ImageStatus.READY, facts=FACTS, sha256=SHA256, updated_at=LATER)
    assert catalog.mark_primary_ready(a_ref(), FILE, LATER, requested_at=NOW)
    assert catalog.look_up(PRODUCT_ID, 1) == ImageSnapshot(ready, Primary(1, NOW))
    # Until files are made of it.
    assert list(catalog.open_images(MUCH_LATER)) == [(PRODUCT_ID, 1)]


@pytest.mark.parametrize("wished_at", [None, NOW + timedelta(microseconds=1)], ids=["withdrawn", "renewed"])
def test_a_record_whose_wish_has_changed_does_not_become_ready_with_the_former_one(
    catalog: Catalog, wished_at: datetime | None
) -> None:
    image = an_image(primary_requested_at=wished_at)
    catalog.reserve(image)
    assert not catalog.mark_primary_ready(a_ref(), FILE, LATER, requested_at=NOW)
    assert catalog.look_up(PRODUCT_ID, 1) == ImageSnapshot(image, None)


def test_a_record_does_not_become_ready_and_the_primary_after_a_later_wish(catalog: Catalog) -> None:
    later = a_wish(catalog, 2, 1)
    assert catalog.move_primary(later)
    image = an_image(primary_requested_at=NOW)
    catalog.reserve(image)
    assert not catalog.mark_primary_ready(a_ref(), FILE, LATER, requested_at=NOW)
    assert catalog.look_up(PRODUCT_ID, 1) == ImageSnapshot(image, Primary(2, NOW + timedelta(seconds=1)))


def test_a_record_becomes_ready_and_the_primary_over_an_earlier_wish(catalog: Catalog) -> None:
    assert catalog.move_primary(a_wish(catalog, 2, -1))
    catalog.reserve(an_image(primary_requested_at=NOW))
    assert catalog.mark_primary_ready(a_ref(), FILE, LATER, requested_at=NOW)
    assert primary_image_id(catalog) == 1


def test_a_completed_record_does_not_become_ready_and_the_primary_again(catalog: Catalog) -> None:
    ready = a_wish(catalog, 1, 0)
    catalog.reserve(an_image(ref=a_ref(2), primary_requested_at=NOW))
    failed = catalog.mark_failed(a_ref(2), DAMAGED, SHA256, LATER)
    for image in (ready, failed):
        assert not catalog.mark_primary_ready(
            image.ref, a_file(facts=ImageFacts(1, 1, "L")), MUCH_LATER, requested_at=NOW
        )
        assert catalog.look_up(PRODUCT_ID, image.ref.image_id) == ImageSnapshot(image, None)


def test_a_record_that_is_being_deleted_does_not_become_ready_and_the_primary(catalog: Catalog) -> None:
    image = an_image(primary_requested_at=NOW)
    catalog.reserve(image)
    assert catalog.withdraw(a_ref(), LATER) is None
    assert not catalog.mark_primary_ready(a_ref(), FILE, LATER, requested_at=NOW)
    deleting = replace(image, status=ImageStatus.DELETING)
    assert catalog.look_up(PRODUCT_ID, 1) == ImageSnapshot(deleting, None)


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_the_identifier_decides_which_of_two_becomes_ready_and_the_primary_last(
    catalog: Catalog, order: tuple[int, ...]
) -> None:
    moved = {}
    for image_id in order:
        catalog.reserve(an_image(ref=a_ref(image_id), primary_requested_at=NOW))
        moved[image_id] = catalog.mark_primary_ready(a_ref(image_id), FILE, LATER, requested_at=NOW)
    assert moved == {1: order == (1, 2), 2: True}
    assert primary_image_id(catalog) == 2


def test_a_pointer_that_was_cleared_since_the_wish_is_not_set_with_it(catalog: Catalog) -> None:
    earlier = a_wish(catalog, 2, 1)
    catalog.move_primary(earlier)
    seen = catalog.look_up(PRODUCT_ID, 2)
    cleared = Primary(None, earlier.primary_requested_at or NOW)
    assert catalog.change(seen, ImageSnapshot(replace(earlier, updated_at=MUCH_LATER), cleared))
    image = an_image(primary_requested_at=NOW)
    catalog.reserve(image)
    assert not catalog.mark_primary_ready(a_ref(), FILE, LATER, requested_at=NOW)
    assert catalog.look_up(PRODUCT_ID, 1) == ImageSnapshot(image, cleared)


def test_a_record_that_is_missing_does_not_become_ready_and_the_primary(catalog: Catalog) -> None:
    assert not catalog.mark_primary_ready(a_ref(), FILE, LATER, requested_at=NOW)
    assert catalog.get(PRODUCT_ID, 1) is None
    assert primary_image_id(catalog) is None


# --- Looking -----------------------------------------------------------------------------------------------


def test_a_picture_is_looked_up_with_its_products_pointer(catalog: Catalog) -> None:
    image = a_wish(catalog, 1, 0)
    assert catalog.look_up(PRODUCT_ID, 1) == ImageSnapshot(image, None)
    catalog.move_primary(image)
    assert catalog.look_up(PRODUCT_ID, 1) == ImageSnapshot(image, Primary(1, NOW))


def test_looking_up_what_is_not_there_says_what_is_missing(shop: Shop, catalog: Catalog) -> None:
    shop.products.add(43)
    catalog.reserve(an_image(ref=a_ref(1, product_id=43)))
    with pytest.raises(ImageNotFoundError, match="Product 42 has no image 1"):
        catalog.look_up(PRODUCT_ID, 1)
    with pytest.raises(ProductNotFoundError, match="There is no product 44"):
        catalog.look_up(44, 1)


def test_a_picture_that_is_being_deleted_is_looked_up_but_in_no_gallery(catalog: Catalog) -> None:
    catalog.reserve(an_image())
    catalog.withdraw(a_ref(), NOW)
    assert catalog.look_up(PRODUCT_ID, 1).image == DELETING
    assert catalog.gallery(PRODUCT_ID, 100).images == ()


def test_a_gallery_is_sorted_by_order_then_by_time_of_upload_then_by_identifier(
    shop: Shop, catalog: Catalog
) -> None:
    shop.products.add(43)
    catalog.reserve(an_image(ref=a_ref(9, product_id=43)))
    for image_id, order, minute in ((1, 2, 0), (2, -1, 9), (10, 0, 1), (3, 0, 2), (4, 0, 1)):
        created_at = NOW + timedelta(minutes=minute)
        catalog.reserve(an_image(ref=a_ref(image_id), order=order, created_at=created_at))
    shown = [image.ref.image_id for image in catalog.gallery(PRODUCT_ID, 100).images]
    paged = [seen.image.ref.image_id for seen in catalog.page(PRODUCT_ID, 10, 0).snapshots]
    assert shown == paged == [2, 4, 10, 3, 1]


def test_the_gallery_of_a_product_without_pictures_is_empty_and_that_of_none_is_missing(
    catalog: Catalog,
) -> None:
    assert catalog.gallery(PRODUCT_ID, 100).images == ()
    with pytest.raises(ProductNotFoundError):
        catalog.gallery(43, 100)


# --- Pages, and what is counted --------------------------------------------------------------------------


def count(catalog: Catalog, product_id: int = PRODUCT_ID) -> int:
    """Return how many pictures a page says there are; the page and the gallery must agree."""
    page, gallery = catalog.page(product_id, 100, 0), catalog.gallery(product_id, 100)
    assert list(page.snapshots) == gallery.snapshots()
    assert page.count == len(gallery.images)
    return page.count


@pytest.mark.parametrize(
    ("limit", "offset", "image_ids"),
    [(2, 0, [2, 3]), (2, 1, [3, 10]), (3, 2, [10, 1]), (1, 4, []), (100, 200_000, [])],
)
def test_a_page_is_a_part_of_the_sorted_gallery_and_knows_its_size(
    catalog: Catalog, limit: int, offset: int, image_ids: list[int]
) -> None:
    for image_id, order in ((1, 2**31 - 1), (2, -(2**31)), (10, 0), (3, 0)):
        catalog.reserve(an_image(ref=a_ref(image_id), order=order))
    page = catalog.page(PRODUCT_ID, limit, offset)
    assert (page.count, [each.image.ref.image_id for each in page.snapshots]) == (4, image_ids)


@pytest.mark.parametrize(
    ("limit", "offset", "image_ids"),
    [(10, 0, [6, 4, 2]), (2, 0, [6, 4]), (2, 1, [4, 2]), (1, 2, [2]), (1, 3, []), (100, 200_000, [])],
)
def test_a_page_of_one_status_is_a_part_of_the_pictures_in_it_and_knows_how_many_there_are(
    catalog: Catalog, limit: int, offset: int, image_ids: list[int]
) -> None:
    for image_id in range(1, 8):
        catalog.reserve(an_image(ref=a_ref(image_id), order=-image_id))
        if image_id % 2 == 0:
            catalog.mark_ready(a_ref(image_id), FILE, LATER)
    catalog.mark_failed(a_ref(7), DAMAGED, SHA256, LATER)
    catalog.withdraw(a_ref(1), NOW)
    page = catalog.page(PRODUCT_ID, limit, offset, ImageStatus.READY)
    assert (page.count, [each.image.ref.image_id for each in page.snapshots]) == (3, image_ids)
    counts = {status: catalog.page(PRODUCT_ID, 1, 0, status).count for status in ImageStatus}
    assert counts == {"pending": 2, "ready": 3, "failed": 1, "deleting": 0}


@pytest.mark.parametrize(
    ("status", "sha256s", "image_ids"),
    [
        (None, [SHA256], [4, 2]),
        (None, [OTHER_SHA256, SHA256], [5, 4, 2]),
        (None, [f"{number:064x}" for number in range(MAX_SHA256S - 1)] + [SHA256], [4, 2]),
        (ImageStatus.FAILED, [SHA256], []),
        (ImageStatus.FAILED, [OTHER_SHA256, SHA256], [5]),
        (ImageStatus.PENDING, [SHA256], []),
        (None, ["0" * 64], []),
    ],
)
def test_a_page_of_some_files_shows_and_counts_those_that_had_one_of_the_sha256s(
    catalog: Catalog, status: ImageStatus | None, sha256s: list[str], image_ids: list[int]
) -> None:
    for image_id in range(1, 6):
        catalog.reserve(an_image(ref=a_ref(image_id), order=-image_id))
    for image_id in (2, 4):
        catalog.mark_ready(a_ref(image_id), FILE, LATER)
    catalog.mark_failed(a_ref(5), DAMAGED, OTHER_SHA256, LATER)
    page = catalog.page(PRODUCT_ID, 1, 1, status, sha256s)
    assert [each.image.ref.image_id for each in page.snapshots] == image_ids[1:2]
    page = catalog.page(PRODUCT_ID, 10, 0, status, sha256s)
    assert (page.count, [each.image.ref.image_id for each in page.snapshots]) == (len(image_ids), image_ids)
    with pytest.raises(ProductNotFoundError, match="There is no product 43"):
        catalog.page(43, 10, 0, status, sha256s)


def test_a_page_of_one_status_shows_the_pointer_and_is_empty_where_there_is_none_in_it(
    catalog: Catalog,
) -> None:
    catalog.move_primary(a_wish(catalog, 1, 0))
    assert [each.is_primary for each in catalog.page(PRODUCT_ID, 2, 0, ImageStatus.READY).snapshots] == [True]
    assert catalog.page(PRODUCT_ID, 2, 0, ImageStatus.FAILED) == Page(0, [])
    with pytest.raises(ProductNotFoundError, match="There is no product 43"):
        catalog.page(43, 10, 0, ImageStatus.READY)


def test_no_more_of_a_gallery_is_returned_than_is_asked_for(shop: Shop, catalog: Catalog) -> None:
    for image_id in range(1, 7):
        catalog.reserve(an_image(ref=a_ref(image_id)))
    for image_id in (5, 6):
        catalog.withdraw(a_ref(image_id), NOW)
    shop.damage(a_ref(3))
    for limit in (3, 4):
        gallery = catalog.gallery(PRODUCT_ID, limit)
        assert len(gallery.images) + len(gallery.damaged) == limit
    assert [image.ref.image_id for image in catalog.gallery(PRODUCT_ID, 100).images] == [1, 2, 4]


def test_a_page_shows_the_pointer(catalog: Catalog) -> None:
    catalog.move_primary(a_wish(catalog, 1, 0))
    catalog.reserve(an_image(ref=a_ref(2)))
    assert [each.is_primary for each in catalog.page(PRODUCT_ID, 2, 0).snapshots] == [True, False]
    assert [each.primary for each in catalog.page(PRODUCT_ID, 1, 1).snapshots] == [Primary(1, NOW)]


def test_the_page_of_a_product_without_pictures_is_empty_and_that_of_none_is_missing(
    catalog: Catalog,
) -> None:
    assert count(catalog) == 0
    with pytest.raises(ProductNotFoundError, match="There is no product 43"):
        catalog.page(43, 10, 0)


def test_a_picture_is_counted_once_however_often_it_is_reserved(shop: Shop, catalog: Catalog) -> None:
    shop.products.add(43)
    for _ in range(2):
        catalog.reserve(an_image())
        catalog.reserve(an_image(ref=a_ref(2)))
    with pytest.raises(ImageIdTakenError):
        catalog.reserve(an_image(name="other.jpg"))
    assert (count(catalog), count(catalog, 43)) == (2, 0)


def test_a_withdrawn_picture_is_no_longer_counted_and_is_taken_off_once(catalog: Catalog) -> None:
    for image_id in (1, 2):
        catalog.reserve(an_image(ref=a_ref(image_id)))
    for _ in range(2):
        catalog.withdraw(a_ref(), NOW)
        assert count(catalog) == 1
    catalog.finish_removal(a_ref())
    with pytest.raises(ImageRecordMissingError):
        catalog.withdraw(a_ref(), NOW)
    assert count(catalog) == 1


def test_what_is_not_withdrawn_is_still_counted(catalog: Catalog) -> None:
    for image_id in (1, 2):
        catalog.reserve(an_image(ref=a_ref(image_id)))
    catalog.mark_ready(a_ref(1), FILE, LATER)
    catalog.mark_failed(a_ref(2), DAMAGED, SHA256, LATER)
    for image_id in (1, 2):
        catalog.withdraw(a_ref(image_id), NOW)
    assert count(catalog) == 2


@pytest.mark.parametrize("is_primary", [False, True])
def test_a_deleted_picture_is_no_longer_counted_and_is_taken_off_once(
    catalog: Catalog, is_primary: bool
) -> None:
    image, _ = a_wish(catalog, 1, 0), a_wish(catalog, 2, 0)
    unpointed = catalog.look_up(PRODUCT_ID, 1)
    if is_primary:
        catalog.move_primary(image)
        assert not catalog.begin_removal(unpointed, NOW)
        assert count(catalog) == 2
    seen = catalog.look_up(PRODUCT_ID, 1)
    for _ in range(2):
        catalog.begin_removal(seen, NOW)
        assert count(catalog) == 1
    catalog.finish_removal(a_ref())
    assert count(catalog) == 1


def test_pages_follow_what_becomes_of_pictures_and_the_count_stays(catalog: Catalog) -> None:
    for image_id in (1, 2, 3):
        a_wish(catalog, image_id, 0)
    assert catalog.move_primary(catalog.look_up(PRODUCT_ID, 2).image)
    assert count(catalog) == 3
    seen = catalog.look_up(PRODUCT_ID, 1)
    changed = with_changes(seen.image, order=-1, updated_at=MUCH_LATER)
    assert catalog.change(seen, seen._replace(image=changed))
    assert count(catalog) == 3
    images = catalog.gallery(PRODUCT_ID, 100).images
    moved = [with_changes(image, order=-image.ref.image_id) for image in images]
    assert catalog.reorder(images, moved)
    assert count(catalog) == 3
    assert [each.image.ref.image_id for each in catalog.page(PRODUCT_ID, 3, 0).snapshots] == [3, 2, 1]


# --- Damage ------------------------------------------------------------------------------------------------


def test_a_damaged_record_cannot_be_read_and_says_which_it_is(shop: Shop, catalog: Catalog) -> None:
    catalog.reserve(an_image())
    shop.damage(a_ref())
    for read in (catalog.get, catalog.look_up):
        with pytest.raises(ImageRecordDamagedError, match="image 1 of product 42") as caught:
            read(PRODUCT_ID, 1)
        assert (caught.value.product_id, caught.value.image_id) == (PRODUCT_ID, 1)


@pytest.mark.parametrize(
    ("limit", "offset", "shown", "damaged"),
    [(10, 0, [1, 3, 4], [2]), (2, 0, [1], [2]), (2, 1, [3], [2]), (2, 2, [3, 4], [])],
)
def test_a_damaged_record_costs_its_own_place_on_a_page(
    shop: Shop, catalog: Catalog, limit: int, offset: int, shown: list[int], damaged: list[int]
) -> None:
    for image_id in range(1, 5):
        catalog.reserve(an_image(ref=a_ref(image_id)))
    shop.damage(a_ref(2))
    page = catalog.page(PRODUCT_ID, limit, offset)
    assert [each.image.ref.image_id for each in page.snapshots] == shown
    assert [error.image_id for error in page.damaged] == damaged
    assert page.count == 4


def test_a_damaged_record_costs_its_own_place_on_a_page_of_its_status(shop: Shop, catalog: Catalog) -> None:
    for image_id in range(1, 4):
        catalog.reserve(an_image(ref=a_ref(image_id)))
    shop.damage(a_ref(2))
    page = catalog.page(PRODUCT_ID, 2, 0, ImageStatus.PENDING)
    assert (page.count, [each.image.ref.image_id for each in page.snapshots]) == (3, [1])
    assert [error.image_id for error in page.damaged] == [2]
    assert catalog.page(PRODUCT_ID, 2, 0, ImageStatus.READY) == Page(0, [])


def test_a_whole_gallery_is_read_without_the_damaged_record_which_it_names(
    shop: Shop, catalog: Catalog
) -> None:
    for image_id in (1, 2, 3):
        catalog.reserve(an_image(ref=a_ref(image_id)))
    shop.damage(a_ref(2))
    gallery = catalog.gallery(PRODUCT_ID, 100)
    assert [image.ref.image_id for image in gallery.images] == [1, 3]
    assert [error.image_id for error in gallery.damaged] == [2]


def test_a_damaged_record_is_completed_though_it_cannot_be_told(shop: Shop, catalog: Catalog) -> None:
    for image_id in (1, 2):
        catalog.reserve(an_image(ref=a_ref(image_id)))
        shop.damage(a_ref(image_id))
    with pytest.raises(ImageRecordDamagedError):
        catalog.mark_ready(a_ref(1), FILE, LATER)
    with pytest.raises(ImageRecordDamagedError):
        catalog.mark_failed(a_ref(2), DAMAGED, SHA256, LATER)
    assert open_ids(catalog) == [1]
    with pytest.raises(ImageRecordDamagedError):
        catalog.withdraw(a_ref(1), LATER)


def test_a_damaged_record_is_still_open_for_whoever_clears_up(shop: Shop, catalog: Catalog) -> None:
    catalog.reserve(an_image())
    shop.damage(a_ref())
    assert open_ids(catalog) == [1]


# --- Changing ----------------------------------------------------------------------------------------------


def test_a_change_is_written_and_nothing_else_is(catalog: Catalog) -> None:
    image = a_wish(catalog, 1, 0)
    changed = with_changes(image, alt_text="", order=-5, primary_requested_at=None, updated_at=MUCH_LATER)
    assert catalog.change(catalog.look_up(PRODUCT_ID, 1), ImageSnapshot(changed, None))
    assert catalog.look_up(PRODUCT_ID, 1) == ImageSnapshot(changed, None)


def test_a_change_moves_the_pointer_in_the_same_step(catalog: Catalog) -> None:
    catalog.move_primary(a_wish(catalog, 1, 0))
    image = a_wish(catalog, 2, -5)
    changed = replace(image, primary_requested_at=MUCH_LATER, updated_at=MUCH_LATER)
    wished = ImageSnapshot(changed, Primary(2, MUCH_LATER))
    assert catalog.change(catalog.look_up(PRODUCT_ID, 2), wished)
    assert catalog.look_up(PRODUCT_ID, 2) == wished


def test_the_first_pointer_of_a_product_may_be_set_by_a_change(catalog: Catalog) -> None:
    image = a_wish(catalog, 1, 0)
    wished = ImageSnapshot(replace(image, updated_at=MUCH_LATER), Primary(1, MUCH_LATER))
    assert catalog.change(catalog.look_up(PRODUCT_ID, 1), wished)
    assert primary_image_id(catalog) == 1


def test_a_change_of_what_was_changed_meanwhile_is_not_written(catalog: Catalog) -> None:
    catalog.reserve(an_image())
    seen = catalog.look_up(PRODUCT_ID, 1)
    ready = catalog.mark_ready(a_ref(), FILE, LATER)
    changed = with_changes(seen.image, alt_text="Too late", updated_at=MUCH_LATER)
    assert not catalog.change(seen, ImageSnapshot(changed, None))
    assert catalog.get(PRODUCT_ID, 1) == ready


def test_a_pointer_that_moved_meanwhile_is_not_moved_by_a_change(catalog: Catalog) -> None:
    first, second = a_wish(catalog, 1, 0), a_wish(catalog, 2, 1)
    catalog.move_primary(first)
    seen = catalog.look_up(PRODUCT_ID, 1)
    catalog.move_primary(second)
    changed = with_changes(first, alt_text="Too late", updated_at=MUCH_LATER)
    for primary in (Primary(1, MUCH_LATER), Primary(None, NOW)):
        assert not catalog.change(seen, ImageSnapshot(changed, primary))
    assert catalog.look_up(PRODUCT_ID, 1) == ImageSnapshot(first, Primary(2, NOW + timedelta(seconds=1)))


def test_a_pointer_that_was_set_meanwhile_is_not_set_by_a_change(catalog: Catalog) -> None:
    first, second = a_wish(catalog, 1, 0), a_wish(catalog, 2, 1)
    seen = catalog.look_up(PRODUCT_ID, 1)
    catalog.move_primary(second)
    wished = ImageSnapshot(replace(first, updated_at=MUCH_LATER), Primary(1, MUCH_LATER))
    assert not catalog.change(seen, wished)
    assert primary_image_id(catalog) == 2


def point(catalog: Catalog, image_id: int, primary: Primary) -> None:
    """Set or clear the pointer by a change of this picture."""
    seen = catalog.look_up(PRODUCT_ID, image_id)
    updated_at = seen.image.updated_at + timedelta(seconds=1)
    image = replace(seen.image, primary_requested_at=primary.requested_at, updated_at=updated_at)
    assert catalog.change(seen, ImageSnapshot(image, primary))


@pytest.mark.parametrize(
    ("before", "meanwhile"),
    [
        ([(2, Primary(2, NOW))], [(2, Primary(2, LATER))]),
        ([(2, Primary(2, NOW))], [(3, Primary(3, NOW))]),
        ([(2, Primary(2, NOW))], [(2, Primary(None, NOW))]),
        ([(2, Primary(2, NOW)), (2, Primary(None, NOW))], [(3, Primary(3, NOW))]),
        (
            [(2, Primary(2, NOW)), (2, Primary(None, NOW))],
            [(3, Primary(3, LATER)), (3, Primary(None, LATER))],
        ),
    ],
    ids=["wished anew", "same moment", "cleared", "set again", "set again and cleared"],
)
def test_whatever_happened_to_the_pointer_meanwhile_a_change_does_not_overwrite_it(
    catalog: Catalog, before: list[tuple[int, Primary]], meanwhile: list[tuple[int, Primary]]
) -> None:
    image, *_ = (a_wish(catalog, image_id, 0) for image_id in (1, 2, 3))
    for image_id, primary in before:
        point(catalog, image_id, primary)
    seen = catalog.look_up(PRODUCT_ID, 1)
    for image_id, primary in meanwhile:
        point(catalog, image_id, primary)
    wished = replace(image, primary_requested_at=MUCH_LATER, updated_at=MUCH_LATER)
    assert not catalog.change(seen, ImageSnapshot(wished, Primary(1, MUCH_LATER)))
    assert catalog.look_up(PRODUCT_ID, 1) == ImageSnapshot(image, meanwhile[-1][1])


@pytest.mark.parametrize("before", [[], [Primary(2, NOW)]], ids=["no pointer", "a pointer"])
def test_a_pointer_that_is_not_to_change_may_move_meanwhile(catalog: Catalog, before: list[Primary]) -> None:
    image, *_ = (a_wish(catalog, image_id, 0) for image_id in (1, 2, 3))
    for primary in before:
        point(catalog, 2, primary)
    seen = catalog.look_up(PRODUCT_ID, 1)
    point(catalog, 3, Primary(3, LATER))
    changed = with_changes(image, order=1, primary_requested_at=None, updated_at=MUCH_LATER)
    assert catalog.change(seen, ImageSnapshot(changed, seen.primary))
    assert catalog.look_up(PRODUCT_ID, 1) == ImageSnapshot(changed, Primary(3, LATER))


@pytest.mark.parametrize("before", [[], [Primary(2, NOW)]], ids=["no pointer", "a pointer"])
def test_a_wish_is_not_taken_back_by_a_change_if_the_pointer_came_meanwhile(
    catalog: Catalog, before: list[Primary]
) -> None:
    image, _ = a_wish(catalog, 1, 1), a_wish(catalog, 2, 0)
    for primary in before:
        point(catalog, 2, primary)
    seen = catalog.look_up(PRODUCT_ID, 1)
    assert catalog.move_primary(image)
    unwished = replace(image, primary_requested_at=None, updated_at=MUCH_LATER)
    assert not catalog.change(seen, ImageSnapshot(unwished, seen.primary))
    assert catalog.look_up(PRODUCT_ID, 1) == ImageSnapshot(image, Primary(1, NOW + timedelta(seconds=1)))


def test_a_picture_that_is_gone_is_not_brought_back_by_a_change_or_a_new_order(catalog: Catalog) -> None:
    changed = an_image(order=1, updated_at=LATER)
    assert not catalog.change(ImageSnapshot(an_image(), None), ImageSnapshot(changed, None))
    assert not catalog.reorder([an_image()], [changed])
    assert catalog.get(PRODUCT_ID, 1) is None


def test_a_new_order_is_written_as_a_whole(catalog: Catalog) -> None:
    for image_id in (1, 2, 3):
        catalog.reserve(an_image(ref=a_ref(image_id)))
    seen = catalog.gallery(PRODUCT_ID, 100).images
    changed = [with_changes(image, order=3 - image.ref.image_id, updated_at=LATER) for image in seen]
    assert catalog.reorder(seen, changed)
    assert [image.ref.image_id for image in catalog.gallery(PRODUCT_ID, 100).images] == [3, 2, 1]


def test_a_new_order_is_not_written_at_all_if_one_picture_has_changed(catalog: Catalog) -> None:
    for image_id in (1, 2):
        catalog.reserve(an_image(ref=a_ref(image_id)))
    seen = catalog.gallery(PRODUCT_ID, 100).images
    catalog.mark_ready(a_ref(2), FILE, LATER)
    present = catalog.gallery(PRODUCT_ID, 100)
    changed = [with_changes(image, order=9, updated_at=MUCH_LATER) for image in seen]
    assert not catalog.reorder(seen, changed)
    assert catalog.gallery(PRODUCT_ID, 100) == present


def test_a_gallery_of_99_is_reordered_and_an_empty_one_is_nothing_to_do(catalog: Catalog) -> None:
    assert catalog.reorder([], [])
    for image_id in range(1, 100):
        catalog.reserve(an_image(ref=a_ref(image_id)))
    seen = catalog.gallery(PRODUCT_ID, 100).images
    changed = [with_changes(image, order=-image.ref.image_id, updated_at=LATER) for image in seen]
    assert catalog.reorder(seen, changed)
    assert [i.ref.image_id for i in catalog.gallery(PRODUCT_ID, 100).images] == list(range(99, 0, -1))


# --- Deleting ----------------------------------------------------------------------------------------------


def test_a_deletion_hides_the_picture_and_clears_its_pointer_in_one_step(catalog: Catalog) -> None:
    image = a_wish(catalog, 1, 0)
    catalog.move_primary(image)
    assert catalog.begin_removal(catalog.look_up(PRODUCT_ID, 1), NOW)
    deleting = replace(image, status=ImageStatus.DELETING)
    assert catalog.look_up(PRODUCT_ID, 1) == ImageSnapshot(deleting, Primary(None, NOW))


def test_a_deletion_leaves_another_pictures_pointer_alone(catalog: Catalog) -> None:
    catalog.move_primary(a_wish(catalog, 1, 0))
    a_wish(catalog, 2, -1)
    assert catalog.begin_removal(catalog.look_up(PRODUCT_ID, 2), NOW)
    assert primary_image_id(catalog) == 1


def test_a_deletion_of_what_was_changed_meanwhile_does_not_begin(catalog: Catalog) -> None:
    catalog.reserve(an_image())
    seen = catalog.look_up(PRODUCT_ID, 1)
    changed = ImageSnapshot(an_image(order=1, updated_at=LATER), None)
    assert catalog.change(seen, changed)
    assert not catalog.begin_removal(seen, NOW)
    assert catalog.look_up(PRODUCT_ID, 1) == changed


def test_a_deletion_begins_once_and_not_of_what_is_gone(catalog: Catalog) -> None:
    catalog.reserve(an_image())
    seen = catalog.look_up(PRODUCT_ID, 1)
    assert [catalog.begin_removal(seen, NOW), catalog.begin_removal(seen, NOW)] == [True, False]
    catalog.finish_removal(a_ref())
    assert not catalog.begin_removal(seen, NOW)
    assert catalog.get(PRODUCT_ID, 1) is None


def test_a_deletion_does_not_begin_if_the_pointer_came_meanwhile(catalog: Catalog) -> None:
    image = a_wish(catalog, 1, 0)
    seen = catalog.look_up(PRODUCT_ID, 1)
    catalog.move_primary(image)
    assert not catalog.begin_removal(seen, NOW)
    assert catalog.look_up(PRODUCT_ID, 1) == ImageSnapshot(image, Primary(1, NOW))


def test_a_deletion_does_not_begin_if_the_pointer_went_meanwhile(catalog: Catalog) -> None:
    first, second = a_wish(catalog, 1, 0), a_wish(catalog, 2, 1)
    catalog.move_primary(first)
    seen = catalog.look_up(PRODUCT_ID, 1)
    catalog.move_primary(second)
    assert not catalog.begin_removal(seen, NOW)
    assert catalog.look_up(PRODUCT_ID, 1) == ImageSnapshot(first, Primary(2, NOW + timedelta(seconds=1)))


def test_a_deletion_is_not_held_up_by_a_pointer_that_moves_between_others(catalog: Catalog) -> None:
    second, third = a_wish(catalog, 2, 0), a_wish(catalog, 3, 1)
    catalog.reserve(an_image())
    catalog.move_primary(second)
    seen = catalog.look_up(PRODUCT_ID, 1)
    catalog.move_primary(third)
    assert catalog.begin_removal(seen, NOW)
    assert primary_image_id(catalog) == 3


# --- What is open ---------------------------------------------------------------------------------------


def open_ids(catalog: Catalog, before: datetime = MUCH_LATER) -> list[int]:
    return sorted(image_id for _, image_id in catalog.open_images(before))


def test_what_is_pending_or_being_deleted_is_open_and_what_is_done_is_not(catalog: Catalog) -> None:
    for image_id in range(1, 6):
        catalog.reserve(an_image(ref=a_ref(image_id)))
    catalog.mark_ready(a_ref(2), FILE, LATER)
    catalog.mark_rendered(a_ref(2), A_LOOK, LATER)
    catalog.mark_failed(a_ref(3), DAMAGED, SHA256, LATER)
    catalog.withdraw(a_ref(4), LATER)
    assert open_ids(catalog) == [1, 4, 5]
    catalog.finish_removal(a_ref(4))
    assert open_ids(catalog) == [1, 5]


def test_a_picture_whose_deletion_has_begun_is_open_again(catalog: Catalog) -> None:
    a_wish(catalog, 1, 0)
    catalog.mark_rendered(a_ref(1), A_LOOK, LATER)
    assert open_ids(catalog) == []
    catalog.begin_removal(catalog.look_up(PRODUCT_ID, 1), LATER)
    assert (open_ids(catalog, LATER), open_ids(catalog)) == ([], [1])


def test_only_what_has_been_open_since_before_a_moment_is_listed(catalog: Catalog) -> None:
    for image_id in (1, 2, 17):
        at = NOW + timedelta(seconds=image_id)
        catalog.reserve(an_image(ref=a_ref(image_id), created_at=at, updated_at=at))
    assert open_ids(catalog, NOW + timedelta(seconds=2)) == [1]
    # The same partition of the index, the oldest first.
    listed = [image_id for _, image_id in catalog.open_images(MUCH_LATER)]
    assert {product_id for product_id, _ in catalog.open_images(MUCH_LATER)} == {PRODUCT_ID}
    assert listed.index(1) < listed.index(17)


def test_what_is_postponed_counts_from_then(catalog: Catalog) -> None:
    catalog.reserve(an_image())
    assert catalog.postpone(a_ref(), LATER)
    assert (open_ids(catalog, LATER), open_ids(catalog)) == ([], [1])
    assert open_ids(catalog, LATER + timedelta(microseconds=1)) == [1]
    assert catalog.get(PRODUCT_ID, 1) == an_image()


def test_what_is_done_or_being_deleted_is_not_postponed(catalog: Catalog) -> None:
    a_wish(catalog, 1, 0)
    catalog.mark_rendered(a_ref(1), A_LOOK, LATER)
    catalog.reserve(an_image(ref=a_ref(2)))
    catalog.withdraw(a_ref(2), NOW)
    assert not [image_id for image_id in (1, 2, 3) if catalog.postpone(a_ref(image_id), LATER)]


def test_a_ready_picture_is_open_until_it_is_rendered(catalog: Catalog) -> None:
    for image_id in (1, 2, 3):
        catalog.reserve(an_image(ref=a_ref(image_id)))
        catalog.mark_ready(a_ref(image_id), FILE, LATER)
    assert open_ids(catalog, MUCH_LATER) == [1, 2, 3]
    assert catalog.mark_rendered(a_ref(1), A_LOOK, LATER)
    catalog.leave_unrendered(a_ref(2))
    assert open_ids(catalog, MUCH_LATER) == [3]
    assert catalog.postpone(a_ref(3), MUCH_LATER, ImageStatus.READY)
    assert open_ids(catalog, MUCH_LATER) == []
    assert not catalog.postpone(a_ref(3), MUCH_LATER, ImageStatus.PENDING)
    assert not any(catalog.postpone(a_ref(image_id), LATER, ImageStatus.READY) for image_id in (1, 2))


@pytest.mark.parametrize("is_told_first", [True, False])
def test_a_picture_is_open_until_it_is_rendered_and_its_change_is_told(
    catalog: Catalog, *, is_told_first: bool
) -> None:
    catalog.reserve(an_image())
    catalog.mark_ready(a_ref(), FILE, LATER)
    seen = catalog.look_up(PRODUCT_ID, 1)
    untold = replace(seen.image, untold=frozenset({"alt_text"}), updated_at=LATER + timedelta(seconds=1))
    assert catalog.change(seen, seen._replace(image=untold))
    for step in ("tell", "render") if is_told_first else ("render", "tell"):
        assert open_ids(catalog, MUCH_LATER) == [1]
        if step == "tell":
            catalog.mark_told(catalog.look_up(PRODUCT_ID, 1).image)
        else:
            assert catalog.mark_rendered(a_ref(), A_LOOK, LATER + timedelta(seconds=2))
    assert open_ids(catalog, MUCH_LATER) == []
    assert catalog.mark_rendered(a_ref(), A_LOOK, MUCH_LATER)


@pytest.mark.parametrize("is_changed_first", [True, False])
def test_a_change_of_a_picture_that_cannot_be_rendered_is_open_until_it_is_told(
    catalog: Catalog, *, is_changed_first: bool
) -> None:
    catalog.reserve(an_image())
    catalog.mark_ready(a_ref(), FILE, LATER)
    if not is_changed_first:
        catalog.leave_unrendered(a_ref())
    seen = catalog.look_up(PRODUCT_ID, 1)
    untold = replace(seen.image, untold=frozenset({"alt_text"}), updated_at=LATER + timedelta(seconds=1))
    assert catalog.change(seen, seen._replace(image=untold))
    if is_changed_first:
        catalog.leave_unrendered(a_ref())
    assert open_ids(catalog, MUCH_LATER) == [1]
    catalog.mark_told(untold)
    assert open_ids(catalog, MUCH_LATER) == []
    assert catalog.get(PRODUCT_ID, 1) == replace(untold, untold=frozenset())


def test_only_a_ready_picture_is_left_unrendered(catalog: Catalog) -> None:
    catalog.reserve(an_image())
    catalog.leave_unrendered(a_ref())
    assert open_ids(catalog, MUCH_LATER) == [1]


# --- Identifiers -------------------------------------------------------------------------------------------


def test_leased_blocks_never_overlap(catalog: Catalog) -> None:
    sizes = [1, 100, 3, 1]
    firsts = [catalog.lease(size) for size in sizes]
    leased = [each for first, size in zip(firsts, sizes, strict=True) for each in range(first, first + size)]
    assert min(leased) >= 1
    assert len(set(leased)) == sum(sizes)
