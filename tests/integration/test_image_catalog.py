from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from domain.errors import ImageIdTakenError, ImageRecordMissingError
from domain.image import ImageFacts, ImageFormat, ImageRef, ImageStatus, User
from tests.builders import NOW, PRODUCT_ID, a_ref, an_image
from tests.integration.conftest import Catalog, Shop

FACTS = ImageFacts(48, 32, "RGB")
LATER = NOW + timedelta(seconds=1)


@pytest.fixture
def catalog(shop: Shop) -> Catalog:
    shop.products.add(PRODUCT_ID)
    return shop.catalog


def test_a_product_exists_once_it_was_added(catalog: Catalog) -> None:
    assert catalog.product_exists(PRODUCT_ID)
    assert not catalog.product_exists(43)


def test_a_picture_makes_no_product(catalog: Catalog) -> None:
    catalog.reserve(an_image(ref=a_ref(product_id=43)))
    assert not catalog.product_exists(43)


@pytest.mark.parametrize("image_format", ImageFormat)
def test_a_record_comes_back_as_it_was_reserved(catalog: Catalog, image_format: ImageFormat) -> None:
    image = an_image(
        ref=ImageRef(PRODUCT_ID, 2**53 - 1, image_format),
        user=User(2**53 - 1, "w\u0142odek", ""),
        name="\U0001f45f.jpg",
        alt_text="",
        primary_requested=True,
        order=-(2**31),
        created_at=NOW.replace(microsecond=0),
        updated_at=NOW,
    )
    catalog.reserve(image)
    assert catalog.get(PRODUCT_ID, 2**53 - 1) == image


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
    deleting = an_image(status=ImageStatus.DELETING)
    assert catalog.begin_removal(a_ref()) == deleting
    assert catalog.begin_removal(a_ref()) == deleting
    assert catalog.get(PRODUCT_ID, 1) == deleting
    catalog.finish_removal(a_ref())
    assert catalog.get(PRODUCT_ID, 1) is None


def test_a_record_that_is_being_removed_is_not_completed(catalog: Catalog) -> None:
    catalog.reserve(an_image())
    deleting = catalog.begin_removal(a_ref())
    assert catalog.mark_ready(a_ref(), FACTS, LATER) == deleting
    assert catalog.mark_failed(a_ref(), "It is damaged.", LATER) == deleting


def test_the_removal_of_what_is_not_there_does_not_begin(catalog: Catalog) -> None:
    with pytest.raises(ImageRecordMissingError):
        catalog.begin_removal(a_ref())
    assert catalog.get(PRODUCT_ID, 1) is None


def test_a_removal_that_has_not_begun_does_not_finish(catalog: Catalog) -> None:
    catalog.reserve(an_image())
    catalog.finish_removal(a_ref())
    catalog.finish_removal(a_ref(2))
    assert catalog.get(PRODUCT_ID, 1) == an_image()


def test_a_completed_record_is_not_removed(catalog: Catalog) -> None:
    for image_id in (1, 2):
        catalog.reserve(an_image(ref=a_ref(image_id)))
    ready = catalog.mark_ready(a_ref(1), FACTS, LATER)
    failed = catalog.mark_failed(a_ref(2), "It is damaged.", LATER)
    for image in (ready, failed):
        assert catalog.begin_removal(image.ref) == image
        catalog.finish_removal(image.ref)
        assert catalog.get(PRODUCT_ID, image.ref.image_id) == image


def test_a_pending_record_becomes_ready(catalog: Catalog) -> None:
    catalog.reserve(an_image())
    ready = an_image(status=ImageStatus.READY, facts=FACTS, updated_at=LATER)
    assert catalog.mark_ready(a_ref(), FACTS, LATER) == ready
    assert catalog.get(PRODUCT_ID, 1) == ready


def test_a_pending_record_becomes_failed(catalog: Catalog) -> None:
    catalog.reserve(an_image())
    failed = an_image(status=ImageStatus.FAILED, error="It is damaged.", updated_at=LATER)
    assert catalog.mark_failed(a_ref(), "It is damaged.", LATER) == failed
    assert catalog.get(PRODUCT_ID, 1) == failed


def test_a_completed_record_stays_as_it_is(catalog: Catalog) -> None:
    for image_id in (1, 2):
        catalog.reserve(an_image(ref=a_ref(image_id)))
    ready = catalog.mark_ready(a_ref(1), FACTS, LATER)
    failed = catalog.mark_failed(a_ref(2), "It is damaged.", LATER)
    much_later = LATER + timedelta(days=1)
    for image in (ready, failed):
        assert catalog.mark_ready(image.ref, ImageFacts(1, 1, "L"), much_later) == image
        assert catalog.mark_failed(image.ref, "Something else.", much_later) == image
        assert catalog.get(PRODUCT_ID, image.ref.image_id) == image


def test_completing_a_record_that_is_missing_is_an_error_and_makes_none(catalog: Catalog) -> None:
    with pytest.raises(ImageRecordMissingError, match=r"originals/42/1\.jpg"):
        catalog.mark_ready(a_ref(), FACTS, LATER)
    with pytest.raises(ImageRecordMissingError, match=r"originals/42/1\.jpg"):
        catalog.mark_failed(a_ref(), "It is damaged.", LATER)
    assert catalog.get(PRODUCT_ID, 1) is None


def test_a_product_has_no_primary_at_first(catalog: Catalog) -> None:
    assert catalog.primary_image_id(PRODUCT_ID) is None
    assert catalog.primary_image_id(43) is None


@pytest.mark.parametrize("order", sorted(permutations([1, 2, 3])))
def test_the_primary_moves_forward_in_time_only(catalog: Catalog, order: tuple[int, ...]) -> None:
    # Identifiers fall as time goes on: only the time decides.
    images = {
        age: an_image(ref=a_ref(10 - age), created_at=NOW + timedelta(microseconds=age)) for age in order
    }
    last = 0
    for age in order:
        assert catalog.move_primary(images[age]) is (age > last)
        last = max(last, age)
        assert catalog.primary_image_id(PRODUCT_ID) == 10 - last


def test_the_identifier_decides_between_uploads_of_the_same_moment(catalog: Catalog) -> None:
    assert catalog.move_primary(an_image(ref=a_ref(9)))
    assert catalog.move_primary(an_image(ref=a_ref(10)))
    assert not catalog.move_primary(an_image(ref=a_ref(9)))
    assert catalog.primary_image_id(PRODUCT_ID) == 10


def test_moving_the_primary_to_where_it_stands_is_no_change(catalog: Catalog) -> None:
    image = an_image()
    assert catalog.move_primary(image)
    assert catalog.move_primary(replace(image, status=ImageStatus.READY, facts=FACTS, updated_at=LATER))
    assert catalog.primary_image_id(PRODUCT_ID) == 1


def test_each_product_has_a_primary_of_its_own(shop: Shop, catalog: Catalog) -> None:
    shop.products.add(43)
    catalog.move_primary(an_image(ref=a_ref(2), created_at=LATER))
    assert catalog.move_primary(an_image(ref=a_ref(1, product_id=43)))
    assert (catalog.primary_image_id(PRODUCT_ID), catalog.primary_image_id(43)) == (2, 1)


def test_a_product_that_is_gone_is_not_brought_back_by_its_primary(catalog: Catalog) -> None:
    assert not catalog.move_primary(an_image(ref=a_ref(product_id=43)))
    assert not catalog.product_exists(43)


def test_leased_blocks_never_overlap(catalog: Catalog) -> None:
    sizes = [1, 100, 3, 1]
    firsts = [catalog.lease(size) for size in sizes]
    leased = [each for first, size in zip(firsts, sizes, strict=True) for each in range(first, first + size)]
    assert min(leased) >= 1
    assert len(set(leased)) == sum(sizes)
