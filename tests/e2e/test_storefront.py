"""The storefront's routes on the whole system: who may ask, and that they show what staff have made."""

import pytest

from openapi.bodies import PrimariesBody, ShownGalleryBody
from tests.builders import jpeg
from tests.e2e.origins import OTHER, cors_headers, listed, preflight
from tests.e2e.problems import check_problem
from tests.e2e.shop import Shop

PICTURE = jpeg()


def shown(shop: Shop, product_id: int) -> list[int]:
    answer = shop.visit(f"products/{product_id}/images")
    assert answer.status_code == 200, answer.text
    return [image.id for image in ShownGalleryBody.model_validate_json(answer.content).results]


def primary(shop: Shop, product_id: int) -> int | None:
    answer = shop.visit("primary-images", product_ids=str(product_id))
    [result] = PrimariesBody.model_validate_json(answer.content).results
    return result.image.id if result.image else None


def test_what_staff_do_is_seen_at_once_where_nothing_is_cached(shop: Shop, product_id: int) -> None:
    assert (shown(shop, product_id), primary(shop, product_id)) == ([], None)
    first = shop.add(PICTURE, product_id=product_id).id
    second = shop.add(PICTURE, product_id=product_id).id
    assert (shown(shop, product_id), primary(shop, product_id)) == ([first, second], first)
    shop.reorder(product_id, [second, first])
    assert (shown(shop, product_id), primary(shop, product_id)) == ([second, first], second)
    shop.change(product_id, first, {"is_primary": True})
    assert primary(shop, product_id) == first
    shop.delete(product_id, first)
    assert (shown(shop, product_id), primary(shop, product_id)) == ([second], second)
    shop.delete(product_id, second)
    assert (shown(shop, product_id), primary(shop, product_id)) == ([], None)


def test_every_picture_that_is_shown_opens(shop: Shop, product_id: int) -> None:
    shop.add(PICTURE, product_id=product_id)
    [image] = ShownGalleryBody.model_validate_json(
        shop.visit(f"products/{product_id}/images").content
    ).results
    assert shop.fetch(image.f).status_code == 200


@pytest.mark.parametrize("path", ["products/{}/images", "primary-images?product_ids={}"])
def test_a_page_of_any_origin_may_ask_and_keep_the_answer(shop: Shop, product_id: int, path: str) -> None:
    answer = shop.visit(path.format(product_id), {"Origin": OTHER, "Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert cors_headers(answer)["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "public, max-age=60, stale-while-revalidate=60"
    again = shop.visit(path.format(product_id), {"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_page_of_any_origin_may_ask_first(shop: Shop) -> None:
    answer = preflight(f"{shop.state.api_url}/api/storefront/primary-images", OTHER, "GET")
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert listed(answer, "access-control-allow-methods") == {"GET", "OPTIONS"}


def test_what_cannot_be_shown_is_said(shop: Shop, product_id: int) -> None:
    check_problem(shop.visit("products/999999/images"), 404, "product_not_found")
    check_problem(shop.visit("primary-images", product_ids="1,shoe"), 400, "invalid_fields")
    url = f"{shop.state.api_url}/api/storefront/products/{product_id}/images"
    check_problem(shop.request("DELETE", url), 405, "method_not_allowed")
