"""Deleting pictures: record, bytes and pointer go together, whoever else is at work on them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from local.sample import sample_jpeg
from openapi.bodies import ImageBody
from tests.e2e.problems import check_problem
from tests.e2e.shop import Shop, incoming_key, media_key
from tests.torture.results import size

PICTURE = sample_jpeg(60, 40)
RACES = size(200, 8, "deletions that race an inspection")


def test_record_and_bytes_go_and_a_second_delete_is_a_404(shop: Shop, product_id: int) -> None:
    kept, image = (shop.add(PICTURE, product_id=product_id) for _ in range(2))
    assert shop.fetch(image.f).status_code == 200
    answer = shop.delete(product_id, image.id)
    assert (answer.status_code, answer.content) == (204, b"")
    assert shop.state.catalog.get(product_id, image.id) is None
    assert shop.public_copies(product_id) == {media_key(kept.f)}
    assert shop.fetch(image.f).status_code == 404
    check_problem(shop.show(product_id, image.id), 404, "image_not_found")
    check_problem(shop.delete(product_id, image.id), 404, "image_not_found")
    assert shop.gallery(product_id) == [kept]
    assert shop.fetch(kept.f).content == PICTURE


def test_bytes_that_come_after_their_picture_was_deleted_are_removed(shop: Shop, product_id: int) -> None:
    reservation = shop.reserved(PICTURE, product_id=product_id, is_primary=True)
    assert shop.delete(product_id, reservation.id).status_code == 204
    check_problem(shop.delete(product_id, reservation.id), 404, "image_not_found")
    assert shop.send(reservation.upload, PICTURE).status_code == 204
    shop.until_removed(product_id)
    assert shop.state.catalog.get(product_id, reservation.id) is None
    check_problem(shop.show(product_id, reservation.id), 404, "image_not_found")
    assert shop.gallery(product_id) == []
    assert shop.fetch(reservation.f).status_code == 404


def test_of_eight_deletes_at_once_one_is_a_204_and_the_others_are_404s(shop: Shop, product_id: int) -> None:
    image = shop.add(PICTURE, product_id=product_id, is_primary="true")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(partial(shop.delete, product_id), [image.id] * 8))
    assert sorted(answer.status_code for answer in answers) == [204] + [404] * 7
    assert shop.state.catalog.get(product_id, image.id) is None
    assert shop.public_keys(product_id) == set()


@pytest.mark.torture("deletions that race the inspection of what was just uploaded")
@pytest.mark.usefixtures("alone")
def test_a_delete_that_races_the_metadata_function_leaves_nothing_public(
    shop: Shop, product_id: int, tried: Callable[[int], None]
) -> None:
    tried(RACES)

    def upload_and_delete(_: int) -> ImageBody:
        answer = shop.upload(PICTURE, product_id=product_id, is_primary="true")
        image = ImageBody.model_validate_json(answer.content)
        assert shop.delete(product_id, image.id).status_code == 204
        return image

    with ThreadPoolExecutor(4) as pool:
        images = list(pool.map(upload_and_delete, range(RACES)))
    # Each event once more, to its end: whatever it finds, it must leave nothing behind.
    for image in images:
        assert shop.invoke_metadata(incoming_key(image.f)) == "gone"
    assert [shop.state.catalog.get(product_id, image.id) for image in images] == [None] * len(images)
    shop.until_removed(product_id)
    assert shop.gallery(product_id) == []
    assert {shop.fetch(image.f).status_code for image in images} == {404}
