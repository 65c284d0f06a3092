"""Listing and showing the pictures of a product, and what every route of the gallery refuses alike."""

import json

import httpx
import pytest

from local.deployment import Deployment
from local.sample import sample_jpeg
from openapi.bodies import GalleryBody, ImageBody
from tests.builders import DAMAGED, SHA256, a_file, a_ref, an_image
from tests.e2e.problems import check_problem, faulty_fields
from tests.e2e.shop import Shop

PICTURE = sample_jpeg(60, 40)
ORDERS = (5, 0, 5, -1, 0, 3, 5)
"""Of seven pictures by their identifiers, 1 to 7."""
SORTED = [4, 2, 5, 6, 1, 3, 7]
"""Their identifiers by order, then identifier."""

NO_IDS = ["0", "abc", "%20"]

ROUTES: dict[str, tuple[str, str, object]] = {
    "list": ("GET", "", None),
    "upload": ("POST", "", None),
    "reserve": ("POST", "/uploads", {"name": "a.jpg", "size": 1}),
    "reorder": ("PUT", "/order", {"image_ids": []}),
    "show": ("GET", "/{image_id}", None),
    "change": ("PATCH", "/{image_id}", {"order": 1}),
    "delete": ("DELETE", "/{image_id}", None),
}
OF_ONE_IMAGE = ["show", "change", "delete"]
WITH_JSON = ["reserve", "reorder", "change"]


# --- The list ------------------------------------------------------------------------------------------


def test_the_front_and_the_stage_give_next_and_previous_that_lead_through_the_whole_gallery(
    shop: Shop, product_id: int, outputs: dict[str, str]
) -> None:
    shop.add_records(product_id, ORDERS)
    stage = Deployment(outputs, {}, []).gateway_url(shop.state.endpoint)
    for base_url in (shop.state.api_url, stage):
        url: str | None = f"{base_url}/api/products/{product_id}/images?limit=3"
        pages = []
        while url:
            pages.append(_page(shop.request("GET", url)))
            url = pages[-1].next
        assert [[image.id for image in page.results] for page in pages] == [
            SORTED[:3],
            SORTED[3:6],
            SORTED[6:],
        ]
        assert {page.count for page in pages} == {7}
        back = []
        url = pages[-1].previous
        while url:
            back.append(_page(shop.request("GET", url)))
            url = back[-1].previous
        assert [page.results for page in back] == [page.results for page in (pages[1], pages[0])]


def test_pictures_of_one_status_are_counted_and_listed_alone_on_every_page(
    shop: Shop, product_id: int
) -> None:
    shop.add_records(product_id, ORDERS)
    catalog = shop.state.catalog
    for image_id in (1, 2, 5):
        image = an_image()
        catalog.mark_ready(a_ref(image_id, product_id), a_file(), image.updated_at)
    catalog.mark_failed(a_ref(3, product_id), DAMAGED, SHA256, an_image().updated_at)
    first = _page(shop.page(product_id, status="ready", limit=2))
    assert first.next
    second = _page(shop.request("GET", first.next))
    assert [image.id for image in first.results + second.results] == [2, 5, 1]
    assert (first.count, second.count, second.next) == (3, 3, None)
    assert [image.id for image in _page(shop.page(product_id, status="failed")).results] == [3]
    assert _page(shop.page(product_id, status="pending")).count == 3


def test_a_query_that_breaks_rules_is_a_400_that_names_each_parameter(shop: Shop) -> None:
    problem = check_problem(shop.page(123, limit="0", offset="x", page="2"), 400, "invalid_fields")
    assert sorted(faulty_fields(problem)) == ["limit", "offset", "page"]


# --- One picture ---------------------------------------------------------------------------------------


def test_a_picture_is_shown_as_it_is_listed(shop: Shop, product_id: int) -> None:
    image = shop.add(PICTURE, product_id=product_id, alt_text="Front", is_primary="1", order="7")
    answer = shop.show(product_id, image.id)
    assert answer.headers["content-type"] == "application/json"
    assert shop.gallery(product_id) == [ImageBody.model_validate_json(answer.content)] == [image]
    assert (image.alt_text, image.is_primary, image.order) == ("Front", True, 7)
    assert (image.width, image.height, image.mode, image.status) == (60, 40, "RGB", "ready")


def test_a_client_that_has_the_picture_as_it_is_gets_a_304_and_nothing_else(
    shop: Shop, product_id: int
) -> None:
    image = shop.add(PICTURE, product_id=product_id)
    etag = shop.show(product_id, image.id).headers["etag"]
    for condition in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = shop.show(product_id, image.id, **{"If-None-Match": condition})
        assert (answer.status_code, answer.content) == (304, b""), condition
        assert answer.headers["etag"] == etag
        assert answer.headers["cache-control"] == "private, no-cache"
    for condition in ('"other"', etag.strip('"')):
        assert shop.show(product_id, image.id, **{"If-None-Match": condition}).status_code == 200


# --- What every route refuses --------------------------------------------------------------------------


@pytest.mark.parametrize("route", ROUTES)
def test_without_a_key_every_route_is_a_401(shop: Shop, route: str) -> None:
    method, path, body = ROUTES[route]
    answer = httpx.request(method, f"{shop.url()}{path.format(image_id=1)}", json=body)
    assert answer.headers["www-authenticate"] == "Token"
    check_problem(answer, 401, "unauthorized")


@pytest.mark.parametrize("route", ROUTES)
def test_with_a_customers_key_every_route_is_a_403(shop: Shop, route: str) -> None:
    answer = _request(shop, route, key=shop.state.keys["customer"])
    check_problem(answer, 403, "access_denied")


@pytest.mark.parametrize("route", ROUTES)
def test_of_an_unknown_product_every_route_is_a_404(shop: Shop, route: str) -> None:
    check_problem(_request(shop, route, product_id=999_999), 404, "product_not_found")


@pytest.mark.parametrize("route", OF_ONE_IMAGE)
def test_an_unknown_picture_and_one_of_another_product_are_404s(
    shop: Shop, product_id: int, route: str
) -> None:
    check_problem(_request(shop, route, product_id, image_id=2**53 - 1), 404, "image_not_found")
    foreign = shop.upload(PICTURE, product_id=123).json()["id"]
    check_problem(_request(shop, route, product_id, image_id=foreign), 404, "image_not_found")
    assert shop.shown(123, foreign).order == 0


@pytest.mark.parametrize("route", ROUTES)
def test_an_identifier_of_a_product_that_is_none_is_a_400(shop: Shop, route: str) -> None:
    for no_id in NO_IDS:
        problem = check_problem(_request(shop, route, product_id=no_id), 400, "invalid_fields")
        assert faulty_fields(problem) == ["product_id"], no_id


@pytest.mark.parametrize("route", OF_ONE_IMAGE)
def test_an_identifier_of_a_picture_that_is_none_is_a_400(shop: Shop, route: str) -> None:
    for no_id in NO_IDS:
        problem = check_problem(_request(shop, route, image_id=no_id), 400, "invalid_fields")
        assert faulty_fields(problem) == ["image_id"], no_id
    problem = check_problem(_request(shop, route, "shoe", "front"), 400, "invalid_fields")
    assert faulty_fields(problem) == ["product_id", "image_id"]


@pytest.mark.parametrize("route", WITH_JSON)
def test_a_body_that_is_not_the_json_it_should_be_is_a_400(shop: Shop, product_id: int, route: str) -> None:
    method, path, good = ROUTES[route]
    image = shop.add(PICTURE, product_id=product_id)
    url = f"{shop.url(product_id)}{path.format(image_id=image.id)}"
    text = json.dumps(good)
    for content_type, content, code in (
        ("application/json", text[:-1], "malformed_body"),
        ("application/json", '{"colour": "red"}', "invalid_fields"),
        # Binary and text, as the gateway sees it.
        ("multipart/form-data; boundary=b", text, "not_json"),
        ("text/plain", text, "not_json"),
    ):
        answer = shop.request(method, url, headers={"Content-Type": content_type}, content=content)
        check_problem(answer, 400, code)


def _request(
    shop: Shop, route: str, product_id: int | str = 123, image_id: int | str = 1, key: str | None = None
) -> httpx.Response:
    if route == "upload":
        return shop.upload(PICTURE, product_id=product_id, key=key)
    method, path, body = ROUTES[route]
    return shop.request(method, f"{shop.url(product_id)}{path.format(image_id=image_id)}", key=key, json=body)


def _page(answer: httpx.Response) -> GalleryBody:
    assert answer.status_code == 200, answer.text
    return GalleryBody.model_validate_json(answer.content)
