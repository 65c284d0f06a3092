"""Pages of other origins: none may use the API but those that the operator names, as for this system.

That none may by default is looked at where the system is started with the defaults: test_local_command.py.
"""

import httpx
import pytest

from tests.builders import jpeg
from tests.e2e.origins import ALLOWED, ALSO_ALLOWED, OTHER, cors_headers, listed, preflight
from tests.e2e.problems import check_problem
from tests.e2e.shop import Shop

PICTURE = jpeg()


def test_any_page_reads_a_picture_and_an_error_of_the_gateway(shop: Shop) -> None:
    image = shop.add(PICTURE, product_id=126)
    refused = httpx.get(shop.url(), headers={"Origin": OTHER})
    for answer, status in ((shop.fetch(image.f), 200), (refused, 401)):
        assert answer.status_code == status
        assert cors_headers(answer) == {"access-control-allow-origin": "*"}


@pytest.mark.parametrize("origin", [ALLOWED, ALSO_ALLOWED])
@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("", {"GET", "POST", "OPTIONS"}),
        ("/1", {"GET", "PATCH", "DELETE", "OPTIONS"}),
        ("/order", {"PUT", "OPTIONS"}),
        ("/uploads", {"POST", "OPTIONS"}),
    ],
)
def test_a_named_origin_hears_what_it_may_send(shop: Shop, origin: str, path: str, methods: set[str]) -> None:
    answer = preflight(f"{shop.url()}{path}", origin, next(iter(methods)))
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == origin
    assert listed(answer, "access-control-allow-methods") == methods
    headers = {name.lower() for name in listed(answer, "access-control-allow-headers")}
    assert headers == {
        "authorization",
        "cache-control",
        "content-type",
        "idempotency-key",
        "if-match",
        "if-none-match",
        "x-requested-with",
    }
    assert "Origin" in listed(answer, "vary")


def test_a_page_of_a_named_origin_can_read_every_answer(shop: Shop) -> None:
    origin = {"Origin": ALLOWED}
    created = shop.upload(PICTURE, origin=ALLOWED)
    image_id = created.json()["id"]
    shown = shop.request("GET", shop.image_url(123, image_id), headers=origin)
    known = {**origin, "If-None-Match": shown.headers["etag"]}
    for answer, status in (
        (created, 201),
        (shown, 200),
        (shop.request("GET", shop.url(), headers=origin), 200),
        (shop.reserve({"name": "a.jpg", "size": 1}, origin=ALLOWED), 201),
        (shop.request("PATCH", shop.image_url(123, image_id), headers=origin, json=[]), 400),
        (shop.request("PUT", f"{shop.url()}/order", headers=origin, json={}), 400),
        (shop.request("DELETE", shop.image_url(123, image_id), headers=origin), 204),
        (shop.request("GET", shop.image_url(123, image_id), headers=known), 404),
    ):
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == ALLOWED
        assert "Origin" in listed(answer, "vary")
        exposed = listed(answer, "access-control-expose-headers")
        assert exposed == {"ETag", "Location", "Retry-After", "Idempotency-Replayed"}


def test_any_page_can_read_the_description_once_one_may_use_the_api(shop: Shop) -> None:
    answer = httpx.get(f"{shop.state.api_url}/api/openapi.json", headers={"Origin": OTHER})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Origin" not in listed(answer, "vary")


def test_a_304_can_be_read_as_well(shop: Shop) -> None:
    image = shop.add(PICTURE, product_id=124)
    etag = shop.show(124, image.id).headers["etag"]
    answer = shop.show(124, image.id, **{"If-None-Match": etag, "Origin": ALLOWED})
    assert answer.status_code == 304
    assert answer.headers["access-control-allow-origin"] == ALLOWED


@pytest.mark.parametrize("origin", [OTHER, f"{ALLOWED}.evil.example", "http://admin.example.com", "null"])
def test_another_origin_is_not_let_in(shop: Shop, origin: str) -> None:
    for answer in (
        preflight(shop.url(), origin, "POST"),
        shop.request("GET", shop.url(), headers={"Origin": origin}),
        shop.request("GET", shop.image_url(123, "x"), headers={"Origin": origin}),
    ):
        assert "access-control-allow-origin" not in answer.headers
        # Nor may a cache give it what a named one got.
        assert "Origin" in listed(answer, "vary")


def test_a_page_can_read_the_errors_that_the_gateway_itself_answers(shop: Shop) -> None:
    origin = {"Origin": ALLOWED}
    customer = shop.state.keys["customer"]
    unknown = f"{shop.state.api_url}/api/nothing"
    for answer, status, code in (
        (httpx.get(shop.url(), headers=origin), 401, "unauthorized"),
        (shop.request("GET", shop.url(), headers=origin, key=customer), 403, "access_denied"),
        (shop.request("GET", unknown, headers=origin), 404, "route_not_found"),
        (shop.upload(bytes(5_000_000), origin=ALLOWED), 413, "file_too_large"),
    ):
        check_problem(answer, status, code)
        assert answer.headers["access-control-allow-origin"] == "*"


def test_a_page_cannot_read_that_it_sent_more_than_the_gateway_takes(shop: Shop) -> None:
    answer = shop.upload(bytes(12_000_000), origin=ALLOWED)
    assert (answer.status_code, cors_headers(answer)) == (413, {})


@pytest.mark.parametrize("origin", [ALLOWED, OTHER])
def test_a_page_of_any_origin_that_has_a_form_can_send_it_to_the_bucket(shop: Shop, origin: str) -> None:
    reservation = shop.reserved(PICTURE, product_id=125)
    form = reservation.upload
    allowed = preflight(form.url, origin, "POST")
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] in {"*", origin}
    assert preflight(form.url, origin, "DELETE").status_code == 403
    sent = httpx.post(form.url, data=form.fields, files={"file": PICTURE}, headers={"Origin": origin})
    assert sent.status_code == 204
    assert sent.headers["access-control-allow-origin"] in {"*", origin}
    assert shop.settled(reservation).status == "ready"
