"""Changing what is said of a picture, and putting a gallery into a new order."""

from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from typing import Any

import pytest

from domain.image import ImageStatus
from local.sample import sample_jpeg
from local.system import wait_until
from openapi.bodies import GalleryBody, ImageBody
from tests.builders import jpeg
from tests.e2e.problems import check_problem, faulty_fields
from tests.e2e.shop import Shop

PICTURE = sample_jpeg(60, 40)
CHANGE = {"alt_text": "Grün", "is_primary": True, "order": -3}
SUBSETS = [dict(subset) for size in (1, 2, 3) for subset in combinations(CHANGE.items(), size)]


# --- One picture ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fields", SUBSETS, ids="+".join)
def test_the_fields_that_are_sent_change_and_nothing_else_does(
    shop: Shop, product_id: int, fields: dict[str, Any]
) -> None:
    before = shop.add(PICTURE, product_id=product_id, alt_text="Front", order="7")
    answer = shop.change(product_id, before.id, fields)
    assert answer.status_code == 200, answer.text
    after = ImageBody.model_validate_json(answer.content)
    assert after.updated_at > before.updated_at
    changed = {**fields, "updated_at": after.updated_at}
    if "alt_text" in fields:
        changed["description"] = fields["alt_text"]
    assert after == before.model_copy(update=changed)
    shown = shop.show(product_id, before.id)
    assert shown.json() == answer.json()
    assert shown.headers["etag"] == answer.headers["etag"]


def test_a_change_of_nothing_changes_nothing(shop: Shop, product_id: int) -> None:
    before = shop.add(PICTURE, product_id=product_id)
    answer = shop.change(product_id, before.id, {})
    assert (answer.status_code, answer.json()) == (200, before.model_dump(mode="json"))


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"name": "b.jpg", "id": 5, "status": "ready"}, ["id", "name", "status"]),
        ({"order": "1"}, ["order"]),
        ({"order": 2**31}, ["order"]),
        ({"order": 1.5}, ["order"]),
        ({"is_primary": 1}, ["is_primary"]),
        ({"alt_text": None}, ["alt_text"]),
        ({"alt_text": "kept?", "is_primary": "yes", "order": None}, ["is_primary", "order"]),
    ],
)
def test_a_change_that_breaks_a_rule_is_a_400_that_names_each_field_and_changes_nothing(
    shop: Shop, product_id: int, fields: dict[str, Any], names: list[str]
) -> None:
    before = shop.add(PICTURE, product_id=product_id)
    problem = check_problem(shop.change(product_id, before.id, fields), 400, "invalid_fields")
    assert sorted(faulty_fields(problem)) == names
    assert shop.shown(product_id, before.id) == before


def test_the_primary_moves_from_picture_to_picture_and_can_be_cleared(shop: Shop, product_id: int) -> None:
    first, second = (shop.add(PICTURE, product_id=product_id).id for _ in range(2))
    for image_id, wish, primaries in (
        (first, True, [first]),
        (second, True, [second]),
        # It is not the primary, so there is nothing to clear.
        (first, False, [second]),
        (second, False, []),
        (first, True, [first]),
    ):
        answer = shop.change(product_id, image_id, {"is_primary": wish})
        assert (answer.status_code, answer.json()["is_primary"]) == (200, wish)
        assert shop.primaries(product_id) == primaries


def test_a_pending_picture_that_is_wished_to_be_primary_becomes_it_when_its_bytes_are_there(
    shop: Shop, product_id: int
) -> None:
    old = shop.add(PICTURE, product_id=product_id, is_primary="true")
    pending = shop.reserved(PICTURE, product_id=product_id)
    answer = shop.change(product_id, pending.id, {"is_primary": True})
    assert answer.status_code == 200, answer.text
    assert shop.primaries(product_id) == [old.id]
    assert shop.send(pending.upload, PICTURE).status_code == 204
    wait_until(lambda: shop.primaries(product_id) == [pending.id] or None, "new primary")


def test_a_failed_picture_cannot_become_primary(shop: Shop, product_id: int) -> None:
    failed = shop.upload(jpeg(200, 200)[:-500], product_id=product_id).json()
    assert shop.finished(failed).status is ImageStatus.FAILED
    problem = check_problem(
        shop.change(product_id, failed["id"], {"is_primary": True}), 409, "image_not_ready"
    )
    assert str(failed["id"]) in problem.detail
    assert shop.primaries(product_id) == []
    # What is said of it can be changed all the same.
    assert shop.change(product_id, failed["id"], {"order": 3}).json()["order"] == 3


def test_a_change_can_depend_on_what_the_client_has_seen(shop: Shop, product_id: int) -> None:
    image_id = shop.add(PICTURE, product_id=product_id).id
    seen = shop.show(product_id, image_id).headers["etag"]
    changed = shop.change(product_id, image_id, {"order": 1}, if_match=seen)
    assert changed.status_code == 200
    for condition in (seen, '"other"'):
        answer = shop.change(product_id, image_id, {"order": 2}, if_match=condition)
        check_problem(answer, 412, "stale_image")
    assert shop.shown(product_id, image_id).order == 1
    for condition in (f'"other", W/{changed.headers["etag"]}', "*"):
        assert shop.change(product_id, image_id, {"order": 3}, if_match=condition).status_code == 200


def test_of_eight_changes_at_once_that_depend_on_the_same_state_one_is_made(
    shop: Shop, product_id: int
) -> None:
    image_id = shop.add(PICTURE, product_id=product_id).id
    seen = shop.show(product_id, image_id).headers["etag"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda order: shop.change(product_id, image_id, {"order": order}, if_match=seen), range(1, 9)
            )
        )
    (made,) = (answer for answer in answers if answer.status_code == 200)
    for answer in answers:
        if answer is not made:
            check_problem(answer, 412, "stale_image")
    assert shop.show(product_id, image_id).json() == made.json()


def test_of_eight_wishes_at_once_one_picture_is_primary_and_never_two(shop: Shop, product_id: int) -> None:
    image_ids = [shop.add(PICTURE, product_id=product_id).id for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        wishes = [
            pool.submit(shop.change, product_id, image_id, {"is_primary": True}) for image_id in image_ids
        ]
        while not all(wish.done() for wish in wishes):
            assert len(shop.primaries(product_id)) <= 1
    assert [wish.result().status_code for wish in wishes] == [200] * 8
    (primary,) = shop.primaries(product_id)
    assert primary in image_ids


# --- The whole gallery ---------------------------------------------------------------------------------


def test_the_gallery_takes_the_new_order_at_once(shop: Shop, product_id: int) -> None:
    before = {
        image.id: image
        for image in (shop.add(PICTURE, product_id=product_id, order="5", is_primary=p) for p in "1000")
    }
    wanted = sorted(before, reverse=True)
    answer = shop.reorder(product_id, wanted)
    assert answer.status_code == 200, answer.text
    page = GalleryBody.model_validate_json(answer.content)
    assert (page.count, page.next, page.previous) == (4, None, None)
    assert page.results == shop.gallery(product_id)
    assert [(image.id, image.order) for image in page.results] == [
        (image_id, order) for order, image_id in enumerate(wanted)
    ]
    for image in page.results:
        assert image.updated_at > before[image.id].updated_at
        changed = {"order": image.order, "updated_at": image.updated_at}
        assert image == before[image.id].model_copy(update=changed)


def test_a_new_order_that_misses_doubles_or_invents_a_picture_is_a_400_that_names_it(
    shop: Shop, product_id: int
) -> None:
    shop.add_records(product_id, (0, 0, 0))
    before = shop.gallery(product_id)
    for image_ids, complaints in (
        ([3, 1], ["missing: 2"]),
        ([], ["missing: 1, 2, 3"]),
        ([3, 2, 1, 3], ["doubled: 3"]),
        ([3, 2, 1, 77], ["foreign: 77"]),
        ([3, 3, 77], ["doubled: 3", "missing: 1, 2", "foreign: 77"]),
    ):
        problem = check_problem(shop.reorder(product_id, image_ids), 400, "invalid_fields")
        assert faulty_fields(problem) == ["image_ids"] * len(complaints)
        messages = [error.message for error in problem.errors or []]
        assert all(c in m for c, m in zip(complaints, messages, strict=True)), messages
    assert shop.gallery(product_id) == before


@pytest.mark.parametrize("image_id", [0, -1, 2**53, "1", 1.5, None])
def test_a_new_order_of_what_are_no_identifiers_is_a_400_that_names_the_place(
    shop: Shop, product_id: int, image_id: object
) -> None:
    url = f"{shop.url(product_id)}/order"
    answer = shop.request("PUT", url, json={"image_ids": [1, image_id]})
    assert faulty_fields(check_problem(answer, 400, "invalid_fields")) == ["image_ids.1"]


def test_an_empty_gallery_has_an_empty_order(shop: Shop, product_id: int) -> None:
    answer = shop.reorder(product_id, [])
    assert (answer.status_code, answer.json()["results"]) == (200, [])


def test_a_hundred_pictures_can_be_reordered(shop: Shop, product_id: int) -> None:
    shop.add_records(product_id, range(100))
    backwards = list(range(100, 0, -1))
    assert shop.reorder(product_id, backwards).status_code == 200
    assert [(image.id, image.order) for image in shop.gallery(product_id)] == [
        (image_id, order) for order, image_id in enumerate(backwards)
    ]


def test_the_order_of_a_hundred_and_one_pictures_is_a_409_that_says_so(shop: Shop, product_id: int) -> None:
    shop.add_records(product_id, range(101))
    before = shop.gallery(product_id)
    problem = check_problem(shop.reorder(product_id, list(range(101, 0, -1))), 409, "gallery_too_large")
    assert "101" in problem.detail
    assert "100" in problem.detail
    assert shop.gallery(product_id) == before


def test_new_orders_at_once_are_each_made_wholly_or_not_at_all(shop: Shop, product_id: int) -> None:
    shop.add_records(product_id, range(5))
    orders = [[1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [3, 5, 1, 2, 4], [2, 1, 5, 4, 3]]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda image_ids: shop.reorder(product_id, image_ids), orders * 3))
    assert {answer.status_code for answer in answers} == {200}
    assert [image.id for image in shop.gallery(product_id)] in orders
    assert [image.order for image in shop.gallery(product_id)] == [0, 1, 2, 3, 4]
