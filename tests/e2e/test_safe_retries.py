"""Requests with an Idempotency-Key: however often they are sent, there is one answer and one picture."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count

import httpx
import pytest

from domain.image import ImageStatus
from tests.builders import jpeg
from tests.e2e.problems import check_problem, faulty_fields
from tests.e2e.shop import Shop

PICTURE = jpeg(48, 32)
OTHER = jpeg(64, 32)

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
def test_the_answer_is_kept_even_when_the_picture_has_changed_since(
    shop: Shop, product_id: int, key: str, send: Send
) -> None:
    first = send(shop, product_id, key)
    assert shop.change(product_id, first.json()["id"], {"order": 7}).status_code == 200
    again = send(shop, product_id, key)
    assert (again.status_code, again.content) == (201, first.content)


@both_routes
def test_another_request_with_the_same_key_is_a_422_and_makes_nothing(
    shop: Shop, product_id: int, key: str, send: Send
) -> None:
    first = send(shop, product_id, key)
    assert first.status_code == 201
    for other in (
        send(shop, product_id, key, OTHER),
        send(shop, product_id, key, alt_text="Front"),
        # Another product is another request, and so is another route.
        send(shop, 123, key),
        (_reserve if send is _upload else _upload)(shop, product_id, key),
    ):
        check_problem(other, 422, "idempotency_key_reused")
    assert [image.id for image in shop.gallery(product_id)] == [first.json()["id"]]


@both_routes
def test_the_same_key_of_another_user_is_another_key(
    shop: Shop, product_id: int, key: str, send: Send
) -> None:
    answers = [send(shop, product_id, key, user=user) for user in ("staff", "admin", "staff", "admin")]
    assert [answer.status_code for answer in answers] == [201] * 4
    assert [answer.headers.get("idempotency-replayed") for answer in answers] == [None, None, "true", "true"]
    assert [answer.json()["user"]["username"] for answer in answers] == ["sam", "ada", "sam", "ada"]
    ids = {answer.json()["id"] for answer in answers}
    assert {image.id for image in shop.gallery(product_id)} == ids
    assert len(ids) == 2


@both_routes
def test_without_a_key_every_request_makes_a_picture(shop: Shop, product_id: int, send: Send) -> None:
    def send_without_key() -> httpx.Response:
        if send is _upload:
            return shop.upload(PICTURE, product_id=product_id)
        return shop.reserve({"name": "picture.jpg", "size": 1}, product_id=product_id)

    answers = [send_without_key() for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201] * 2
    assert not any("idempotency-replayed" in answer.headers for answer in answers)
    assert len(shop.gallery(product_id)) == 2


@both_routes
@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "tab\there", "\x7f"])
def test_a_key_that_is_none_is_a_400_that_names_the_header(
    shop: Shop, product_id: int, send: Send, key: str
) -> None:
    problem = check_problem(send(shop, product_id, key), 400, "invalid_fields")
    assert faulty_fields(problem) == ["Idempotency-Key"]
    assert shop.gallery(product_id) == []


@pytest.mark.parametrize("key", ["x", "y" * 255, "".join(map(chr, range(0x21, 0x7F)))], ids=len)
def test_a_key_may_have_1_to_255_visible_ascii_characters(shop: Shop, product_id: int, key: str) -> None:
    first, again = (_upload(shop, product_id, key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotency-replayed"] == "true"
    assert len(shop.gallery(product_id)) == 1


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
def test_a_failure_is_not_kept(shop: Shop, product_id: int, key: str, send: Send) -> None:
    check_problem(send(shop, product_id, key, order="first"), 400, "invalid_fields")
    check_problem(send(shop, 999_999, key), 404, "product_not_found")
    if send is _upload:
        check_problem(send(shop, product_id, key, b"\xff\xd8\xff" + bytes(4_500_000)), 413, "file_too_large")
        check_problem(send(shop, product_id, key, b"no picture"), 400, "unsupported_format")
    else:
        check_problem(send(shop, product_id, key, size=50_000_001), 413, "file_too_large")
    done = send(shop, product_id, key)
    assert done.status_code == 201
    assert "idempotency-replayed" not in done.headers
    assert send(shop, product_id, key).headers["idempotency-replayed"] == "true"
    assert len(shop.gallery(product_id)) == 1


def test_a_failure_of_ours_is_not_kept_either(shop: Shop, product_id: int, key: str) -> None:
    with shop.bucket_policy(shop.no_puts()):
        for _ in range(2):
            check_problem(_upload(shop, product_id, key), 503, "temporarily_unavailable")
    assert shop.gallery(product_id) == []
    done = _upload(shop, product_id, key)
    assert done.status_code == 201
    assert "idempotency-replayed" not in done.headers


def test_answers_are_kept_for_a_day(
    shop: Shop, product_id: int, key: str, outputs: Mapping[str, str]
) -> None:
    client = shop.state.endpoint.client("dynamodb")
    table = outputs["IdempotencyTableName"]
    before = {item["id"]["S"] for item in client.scan(TableName=table)["Items"]}
    answer = _upload(shop, product_id, key)
    (kept,) = (item for item in client.scan(TableName=table)["Items"] if item["id"]["S"] not in before)
    assert json.loads(kept["data"]["S"])["body"] == answer.text
    created_at = shop.shown(product_id, answer.json()["id"]).created_at.timestamp()
    assert abs(int(kept["expiration"]["N"]) - created_at - 24 * 60 * 60) < 60


def test_fifty_keys_of_eight_requests_each_make_fifty_pictures(shop: Shop, product_id: int, key: str) -> None:
    def send_until_answered(each: str) -> httpx.Response:
        while (answer := _upload(shop, product_id, each, alt_text=each)).status_code == 409:
            pass
        return answer

    keys = [f"{key}-{number}" for number in range(50)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send_until_answered, [each for each in keys for _ in range(8)]))
    assert {answer.status_code for answer in answers} == {201}
    for number, each in enumerate(keys):
        bodies = {answer.content for answer in answers[number * 8 : number * 8 + 8]}
        assert len(bodies) == 1, each
    replayed = [answer.headers.get("idempotency-replayed") for answer in answers]
    assert (replayed.count(None), replayed.count("true")) == (50, 350)
    gallery = shop.gallery(product_id)
    assert sorted(image.alt_text for image in gallery) == sorted(keys)
    assert shop.object_keys(product_id) == {f"originals/{product_id}/{image.id}.jpg" for image in gallery}
    records = [shop.state.finished(product_id, image.id) for image in gallery]
    assert {record.status for record in records} == {ImageStatus.READY}
