"""Requests with an Idempotency-Key: however often they are sent, there is one answer and one picture."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from itertools import count

import httpx
import pytest

from domain.image import ImageStatus
from openapi.bodies import ReservedImageBody
from tests.builders import jpeg
from tests.e2e.problems import check_problem
from tests.e2e.shop import Shop
from tests.torture.results import size

PICTURE = jpeg(48, 32)
KEYS = size(50, 6, "idempotency keys of eight requests each")

type Send = Callable[..., httpx.Response]
"""Send a picture, or announce it, to a product with a key: the two POST routes."""


def _upload(
    shop: Shop, product_id: int, key: str, content: bytes = PICTURE, *, user: str = "staff", **fields: str
) -> httpx.Response:
    return shop.upload(
        content, product_id=product_id, key=shop.state.keys[user], idempotency_key=key, **fields
    )


def _reserve(
    shop: Shop, product_id: int, key: str, content: bytes = PICTURE, *, user: str = "staff", **fields: object
) -> httpx.Response:
    announcement = {"name": "picture.jpg", "size": len(content), **fields}
    return shop.reserve(announcement, product_id=product_id, key=shop.state.keys[user], idempotency_key=key)


@pytest.fixture
def key(product_id: int) -> str:
    """A key that no other test uses: keys belong to users, not to products."""
    return f"5f8e7c1a-0f4e-4c5e-9c63-{product_id}"


both_routes = pytest.mark.parametrize("send", [_upload, _reserve])


@both_routes
def test_the_same_request_again_gets_the_same_answer_and_makes_no_second_picture(
    shop: Shop, product_id: int, key: str, send: Send
) -> None:
    first, *others = (send(shop, product_id, key, alt_text="Front") for _ in range(3))
    assert first.status_code == 201
    assert "idempotency-replayed" not in first.headers
    for other in others:
        assert (other.status_code, other.content) == (201, first.content)
        assert other.headers["idempotency-replayed"] == "true"
        assert other.headers["location"] == first.headers["location"]
        assert other.headers["content-type"] == "application/json"
    assert [image.id for image in shop.gallery(product_id)] == [first.json()["id"]]


@both_routes
def test_while_the_first_is_running_the_others_are_told_to_come_back(
    shop: Shop, product_id: int, key: str, send: Send
) -> None:
    refused: list[httpx.Response] = []
    for number in count():
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(partial(send, shop, product_id), [f"{key}-{number}"] * 4))
        assert {answer.status_code for answer in answers} <= {201, 409}
        assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
        refused = [answer for answer in answers if answer.status_code == 409]
        if refused:
            break
        # Four at once that never meet: then nothing is refused at all.
        assert number < 20
    for answer in refused:
        check_problem(answer, 409, "request_in_progress")
        assert int(answer.headers["retry-after"]) == 1
    assert len(shop.gallery(product_id)) == number + 1


@both_routes
def test_a_request_whose_answer_got_lost_on_the_way_is_answered_with_the_same_picture(
    shop: Shop, product_id: int, key: str, send: Send
) -> None:
    first = send(shop, product_id, key)
    shop.cut_short(first)
    again = send(shop, product_id, key)
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert again.headers["location"] == first.headers["location"]
    assert "idempotency-replayed" not in again.headers
    replay = send(shop, product_id, key)
    assert (replay.content, replay.headers["idempotency-replayed"]) == (again.content, "true")
    assert [image.id for image in shop.gallery(product_id)] == [first.json()["id"]]


def test_a_form_that_got_lost_on_the_way_is_issued_again_and_works(
    shop: Shop, product_id: int, key: str
) -> None:
    first = _reserve(shop, product_id, key)
    shop.cut_short(first)
    again = ReservedImageBody.model_validate_json(_reserve(shop, product_id, key).content)
    assert again.upload.expires_at == datetime.fromisoformat(first.json()["upload"]["expires_at"])
    assert shop.send(again.upload, PICTURE).status_code == 204
    assert shop.state.finished(product_id, first.json()["id"]).status is ImageStatus.READY


@both_routes
def test_of_many_retries_at_once_one_goes_on_and_the_others_are_told_to_come_back(
    shop: Shop, product_id: int, key: str, send: Send
) -> None:
    first = send(shop, product_id, key)
    for _ in range(5):
        shop.cut_short(first)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(partial(send, shop, product_id), [key] * 8))
        assert {answer.status_code for answer in answers} <= {201, 409}
        made = [answer for answer in answers if answer.status_code == 201]
        assert {answer.json()["id"] for answer in made} == {first.json()["id"]}
        assert [answer.headers.get("idempotency-replayed") for answer in made].count(None) == 1
    assert [image.id for image in shop.gallery(product_id)] == [first.json()["id"]]


@both_routes
def test_a_picture_that_was_deleted_before_its_request_was_answered_is_made_anew(
    shop: Shop, product_id: int, key: str, send: Send
) -> None:
    first = send(shop, product_id, key)
    shop.cut_short(first)
    assert shop.delete(product_id, first.json()["id"]).status_code == 204
    again = send(shop, product_id, key)
    assert again.status_code == 201
    assert [image.id for image in shop.gallery(product_id)] == [again.json()["id"]]
    assert again.json()["id"] != first.json()["id"]


@both_routes
def test_a_picture_that_was_deleted_after_its_request_was_answered_stays_so(
    shop: Shop, product_id: int, key: str, send: Send
) -> None:
    first = send(shop, product_id, key)
    assert shop.delete(product_id, first.json()["id"]).status_code == 204
    again = send(shop, product_id, key)
    assert (again.status_code, again.content) == (201, first.content)
    assert shop.gallery(product_id) == []


def test_answers_are_kept_for_a_day(
    shop: Shop, product_id: int, key: str, outputs: Mapping[str, str]
) -> None:
    client = shop.state.endpoint.client("dynamodb")
    table = outputs["IdempotencyTableName"]
    before = {item["id"]["S"] for item in client.scan(TableName=table)["Items"]}
    answer = _upload(shop, product_id, key)
    (kept,) = (item for item in client.scan(TableName=table)["Items"] if item["id"]["S"] not in before)
    assert json.loads(kept["answer"]["S"]) == answer.json()
    created_at = shop.shown(product_id, answer.json()["id"]).created_at.timestamp()
    assert abs(int(kept["expiration"]["N"]) - created_at - 24 * 60 * 60) < 60


@pytest.mark.torture("uploads sent eight times at once with an idempotency key")
@pytest.mark.usefixtures("alone")
def test_many_keys_of_eight_requests_each_make_as_many_pictures(
    shop: Shop, product_id: int, key: str, tried: Callable[[int], None]
) -> None:
    tried(KEYS * 8)

    def send_until_answered(each: str) -> httpx.Response:
        while (answer := _upload(shop, product_id, each, alt_text=each)).status_code == 409:
            pass
        return answer

    keys = [f"{key}-{number}" for number in range(KEYS)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send_until_answered, [each for each in keys for _ in range(8)]))
    assert {answer.status_code for answer in answers} == {201}
    for number, each in enumerate(keys):
        bodies = {answer.content for answer in answers[number * 8 : number * 8 + 8]}
        assert len(bodies) == 1, each
    replayed = [answer.headers.get("idempotency-replayed") for answer in answers]
    assert (replayed.count(None), replayed.count("true")) == (KEYS, KEYS * 7)
    gallery = shop.gallery(product_id)
    assert sorted(image.alt_text for image in gallery) == sorted(keys)
    records = [shop.state.finished(product_id, image.id) for image in gallery]
    assert {record.status for record in records} == {ImageStatus.READY}
    assert shop.public_copies(product_id) == {record.media_key for record in records}
