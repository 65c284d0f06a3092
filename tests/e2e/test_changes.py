"""Changing what is said of a picture, and putting a gallery into a new order."""

from concurrent.futures import ThreadPoolExecutor

from local.sample import sample_jpeg
from local.system import wait_until
from openapi.bodies import GalleryBody, ImageBody
from tests.e2e.problems import check_problem
from tests.e2e.shop import Shop, alone

PICTURE = sample_jpeg(60, 40)
CHANGE = {"alt_text": "Grün", "is_primary": True, "order": -3}


# --- One picture ---------------------------------------------------------------------------------------


def test_the_fields_that_are_sent_change_and_nothing_else_does(shop: Shop, product_id: int) -> None:
    before = shop.add(PICTURE, product_id=product_id, alt_text="Front", order="7")
    answer = shop.change(product_id, before.id, CHANGE)
    assert answer.status_code == 200, answer.text
    after = ImageBody.model_validate_json(answer.content)
    assert after.updated_at > before.updated_at
    changed = {**CHANGE, "description": CHANGE["alt_text"], "updated_at": after.updated_at}
    assert after == before.model_copy(update=changed)
    shown = shop.show(product_id, before.id)
    assert shown.json() == answer.json()
    assert shown.headers["etag"] == answer.headers["etag"]


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
    results = [alone(listed) for listed in page.results]
    assert results == shop.gallery(product_id)
    assert [(image.id, image.order) for image in results] == [
        (image_id, order) for order, image_id in enumerate(wanted)
    ]
    for image in results:
        assert image.updated_at > before[image.id].updated_at
        changed = {"order": image.order, "updated_at": image.updated_at}
        assert image == before[image.id].model_copy(update=changed)


def test_new_orders_at_once_are_each_made_wholly_or_not_at_all(shop: Shop, product_id: int) -> None:
    shop.add_records(product_id, range(5))
    orders = [[1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [3, 5, 1, 2, 4], [2, 1, 5, 4, 3]]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda image_ids: shop.reorder(product_id, image_ids), orders * 3))
    # Who is overtaken too often is told to come again.
    assert 200 in {answer.status_code for answer in answers} <= {200, 503}
    assert [image.id for image in shop.gallery(product_id)] in orders
    assert [image.order for image in shop.gallery(product_id)] == [0, 1, 2, 3, 4]
