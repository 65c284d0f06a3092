"""Pages of other origins: none may use the API unless the operator names them."""

from collections.abc import Iterator

import httpx
import pytest

from local.system import LocalSystem, State
from tests.builders import jpeg
from tests.e2e.problems import check_problem
from tests.e2e.shop import Shop

ALLOWED = "https://admin.example.com"
ALSO_ALLOWED = "https://shop.example.com"
OTHER = "https://evil.example.com"
PICTURE = jpeg()


@pytest.fixture(scope="module")
def open_system(
    # Started after the other, whose settings of the environment it needs.
    system: State,  # noqa: ARG001
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[State]:
    """A second system, which two origins may use."""
    parameters = {"AllowedOrigins": f"{ALLOWED},{ALSO_ALLOWED}"}
    local_system = LocalSystem(tmp_path_factory.mktemp("open"), 0, print, parameters)
    yield local_system.start()
    local_system.stop()


@pytest.fixture(scope="module")
def open_shop(open_system: State) -> Shop:
    return Shop(open_system)


# --- By default ----------------------------------------------------------------------------------------


def test_by_default_no_answer_says_anything_of_other_origins(shop: Shop) -> None:
    origin = {"Origin": ALLOWED}
    created = shop.upload(PICTURE, origin=ALLOWED)
    assert created.status_code == 201
    for answer, status in (
        (created, 201),
        (shop.request("GET", shop.url(), headers=origin), 200),
        (shop.request("GET", shop.image_url(123, 2**53 - 1), headers=origin), 404),
        (httpx.get(f"{shop.state.api_url}/api/openapi.json", headers=origin), 200),
        (_preflight(shop.url(), ALLOWED, "POST"), 204),
    ):
        assert answer.status_code == status
        assert _cors_headers(answer) == {}


def test_any_page_reads_a_picture_and_an_error_of_the_gateway(shop: Shop) -> None:
    image = shop.add(PICTURE, product_id=126)
    refused = httpx.get(shop.url(), headers={"Origin": OTHER})
    for answer, status in ((shop.fetch(image.f), 200), (refused, 401)):
        assert answer.status_code == status
        assert _cors_headers(answer) == {"access-control-allow-origin": "*"}


def test_by_default_no_page_can_send_a_form_to_the_bucket(shop: Shop) -> None:
    form = shop.reserved(PICTURE, product_id=123).upload
    answer = _preflight(form.url, ALLOWED, "POST")
    assert answer.status_code == 403
    assert _cors_headers(answer) == {}


# --- With origins named --------------------------------------------------------------------------------


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
def test_a_named_origin_hears_what_it_may_send(
    open_shop: Shop, origin: str, path: str, methods: set[str]
) -> None:
    answer = _preflight(f"{open_shop.url()}{path}", origin, next(iter(methods)))
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == origin
    assert _listed(answer, "access-control-allow-methods") == methods
    headers = {name.lower() for name in _listed(answer, "access-control-allow-headers")}
    assert headers == {
        "authorization",
        "cache-control",
        "content-type",
        "idempotency-key",
        "if-match",
        "if-none-match",
        "x-requested-with",
    }
    assert "Origin" in _listed(answer, "vary")


def test_a_page_of_a_named_origin_can_read_every_answer(open_shop: Shop) -> None:
    origin = {"Origin": ALLOWED}
    created = open_shop.upload(PICTURE, origin=ALLOWED)
    image_id = created.json()["id"]
    shown = open_shop.request("GET", open_shop.image_url(123, image_id), headers=origin)
    known = {**origin, "If-None-Match": shown.headers["etag"]}
    for answer, status in (
        (created, 201),
        (shown, 200),
        (open_shop.request("GET", open_shop.url(), headers=origin), 200),
        (open_shop.reserve({"name": "a.jpg", "size": 1}, origin=ALLOWED), 201),
        (open_shop.request("PATCH", open_shop.image_url(123, image_id), headers=origin, json=[]), 400),
        (open_shop.request("PUT", f"{open_shop.url()}/order", headers=origin, json={}), 400),
        (open_shop.request("DELETE", open_shop.image_url(123, image_id), headers=origin), 204),
        (open_shop.request("GET", open_shop.image_url(123, image_id), headers=known), 404),
    ):
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == ALLOWED
        assert "Origin" in _listed(answer, "vary")
        exposed = _listed(answer, "access-control-expose-headers")
        assert exposed == {"ETag", "Location", "Retry-After", "Idempotency-Replayed"}


def test_any_page_can_read_the_description_once_one_may_use_the_api(open_shop: Shop) -> None:
    answer = httpx.get(f"{open_shop.state.api_url}/api/openapi.json", headers={"Origin": OTHER})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "vary" not in answer.headers


def test_a_304_can_be_read_as_well(open_shop: Shop) -> None:
    image = open_shop.add(PICTURE, product_id=124)
    etag = open_shop.show(124, image.id).headers["etag"]
    answer = open_shop.show(124, image.id, **{"If-None-Match": etag, "Origin": ALLOWED})
    assert answer.status_code == 304
    assert answer.headers["access-control-allow-origin"] == ALLOWED


@pytest.mark.parametrize("origin", [OTHER, f"{ALLOWED}.evil.example", "http://admin.example.com", "null"])
def test_another_origin_is_not_let_in(open_shop: Shop, origin: str) -> None:
    for answer in (
        _preflight(open_shop.url(), origin, "POST"),
        open_shop.request("GET", open_shop.url(), headers={"Origin": origin}),
        open_shop.request("GET", open_shop.image_url(123, "x"), headers={"Origin": origin}),
    ):
        assert "access-control-allow-origin" not in answer.headers
        # Nor may a cache give it what a named one got.
        assert "Origin" in _listed(answer, "vary")


def test_a_page_can_read_the_errors_that_the_gateway_itself_answers(open_shop: Shop) -> None:
    origin = {"Origin": ALLOWED}
    customer = open_shop.state.keys["customer"]
    unknown = f"{open_shop.state.api_url}/api/nothing"
    for answer, status, code in (
        (httpx.get(open_shop.url(), headers=origin), 401, "unauthorized"),
        (open_shop.request("GET", open_shop.url(), headers=origin, key=customer), 403, "access_denied"),
        (open_shop.request("GET", unknown, headers=origin), 404, "route_not_found"),
        (open_shop.upload(bytes(5_000_000), origin=ALLOWED), 413, "file_too_large"),
    ):
        check_problem(answer, status, code)
        assert answer.headers["access-control-allow-origin"] == "*"


def test_a_page_cannot_read_that_it_sent_more_than_the_gateway_takes(open_shop: Shop) -> None:
    answer = open_shop.upload(bytes(12_000_000), origin=ALLOWED)
    assert (answer.status_code, _cors_headers(answer)) == (413, {})


def test_a_page_of_a_named_origin_can_send_a_form_to_the_bucket(open_shop: Shop) -> None:
    reservation = open_shop.reserved(PICTURE, product_id=125)
    form = reservation.upload
    allowed = _preflight(form.url, ALLOWED, "POST")
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == ALLOWED
    assert _preflight(form.url, OTHER, "POST").status_code == 403
    assert _preflight(form.url, ALLOWED, "DELETE").status_code == 403
    sent = httpx.post(form.url, data=form.fields, files={"file": PICTURE}, headers={"Origin": ALLOWED})
    assert sent.status_code == 204
    assert sent.headers["access-control-allow-origin"] == ALLOWED
    assert open_shop.settled(reservation).status == "ready"


def _preflight(url: str, origin: str, method: str) -> httpx.Response:
    return httpx.options(url, headers={"Origin": origin, "Access-Control-Request-Method": method})


def _cors_headers(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


def _listed(answer: httpx.Response, header: str) -> set[str]:
    return {each.strip() for each in answer.headers.get(header, "").split(",")}
