import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from aws_lambda_powertools import Logger, Metrics
from moto import mock_aws

from adapters.dynamo_products import DynamoProducts
from domain.image import ImageFormat
from domain.product_title import TITLE_LIMIT
from domain.rendition import Look, Placeholder, Rendition
from handlers.http_function import HttpFunction
from handlers.problems import HttpResponse
from handlers.products import ProductsHandler
from tests.builders import BASE_URL, NOW, a_catalog_table, a_context, a_file, a_ref, an_image, api_event
from tests.catalog_fake import InMemoryImageCatalog
from tests.conftest import ColdStart
from tests.product_fakes import InMemoryProducts, InMemoryRemovals

LOOK = Look(
    recipe="r1",
    renditions=(
        Rendition(160, 107, ImageFormat.AVIF, 2_000),
        Rendition(320, 213, ImageFormat.AVIF, 7_000),
        Rendition(320, 213, ImageFormat.JPEG, 17_000),
        Rendition(120, 80, ImageFormat.AVIF, 1_000, is_animated=True),
    ),
    placeholder=Placeholder(b"hash", "#b4533c"),
    has_alpha=False,
    frames=3,
)


class Shelf:
    """The function on fake stores."""

    def __init__(self) -> None:
        self.catalog = InMemoryImageCatalog()
        self.products = InMemoryProducts(self.catalog)
        self.removals = InMemoryRemovals()
        self._function = HttpFunction(
            ProductsHandler(
                product_list=self.products,
                products=self.products,
                removals=self.removals,
                clock=lambda: NOW,
                logger=Logger(service="products"),
            ),
            allowed_origins="",
            rejections="RequestsRejected",
            logger=Logger(service="products"),
            metrics=Metrics(namespace="ProductImages", service="products"),
        )

    def page(
        self, query: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> HttpResponse:
        return self._function(
            api_event("GET", "/api/products", path={}, query=query or {}, headers=headers), a_context()
        )

    def ask(self, method: str, *, product_id: int = 42, role: str = "staff", **sent: object) -> HttpResponse:
        event = api_event(
            method,
            "/api/products/{product_id}",
            path={"product_id": str(product_id)},
            headers={"Content-Type": "application/json"},
            body=json.dumps(sent) if method == "PUT" else None,
        )
        event["requestContext"]["authorizer"]["role"] = role
        return self._function(event, a_context())


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def body(response: HttpResponse) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(response["body"])
    return parsed


def test_a_product_shows_its_number_its_title_its_count_and_its_primary(shelf: Shelf) -> None:
    shelf.products.add(42, "Red shoe")
    shelf.catalog.reserve(an_image(primary_requested_at=NOW))
    assert shelf.catalog.mark_primary_ready(a_ref(), a_file(), NOW, requested_at=NOW)
    assert body(shelf.page())["results"] == [
        {
            "product_id": 42,
            "title": "Red shoe",
            "count": 1,
            "primary": {"id": 1, "alt_text": "A red shoe", "thumbnail": None, "placeholder": None},
        }
    ]


def test_the_primary_is_shown_by_its_smallest_file_that_does_not_move(shelf: Shelf) -> None:
    shelf.products.add(42)
    shelf.catalog.reserve(an_image(primary_requested_at=NOW))
    assert shelf.catalog.mark_primary_ready(a_ref(), a_file(), NOW, requested_at=NOW)
    assert shelf.catalog.mark_rendered(a_ref(), LOOK, NOW)
    [product] = body(shelf.page())["results"]
    assert product["primary"]["thumbnail"] == {
        "width": 160,
        "height": 107,
        "type": "AVIF",
        "f": f"{BASE_URL}/media/{LOOK.path(a_ref(), LOOK.renditions[0])}",
        "size": 2_000,
        "is_animated": False,
    }
    assert product["primary"]["placeholder"] == {"thumbhash": "aGFzaA==", "color": "#b4533c"}


def test_a_product_without_title_and_pictures_says_so(shelf: Shelf) -> None:
    shelf.products.add(42)
    assert body(shelf.page())["results"] == [{"product_id": 42, "title": None, "count": 0, "primary": None}]


def test_pages_lead_to_each_other_by_urls_that_work_as_they_stand(shelf: Shelf) -> None:
    for product_id in range(1, 8):
        shelf.products.add(product_id, "Größe" if product_id % 2 else "boot")
    page = body(shelf.page({"limit": "2", "q": "größe"}))
    seen = [each["product_id"] for each in page["results"]]
    while url := page["next"]:
        assert url.startswith(f"{BASE_URL}/api/products?")
        page = body(shelf.page({name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}))
        seen += [each["product_id"] for each in page["results"]]
    assert seen == [1, 3, 5, 7]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"after": "-1"}, "after"),
        ({"after": "9007199254740992"}, "after"),
        ({"q": "x" * 201}, "q"),
        ({"q": "a b c d e f g h i j k"}, "q"),
        ({"offset": "1"}, "offset"),
    ],
)
def test_a_query_that_breaks_a_rule_is_refused_by_name(
    shelf: Shelf, query: dict[str, str], field: str
) -> None:
    response = shelf.page(query)
    problem = body(response)
    assert (response["statusCode"], problem["code"]) == (400, "invalid_fields")
    assert [fault["field"] for fault in problem["errors"]] == [field]


def test_a_client_that_has_the_page_gets_a_304_until_something_changes(shelf: Shelf) -> None:
    shelf.products.add(42)
    etag = shelf.page()["headers"]["ETag"]
    again = shelf.page(headers={"If-None-Match": etag})
    assert (again["statusCode"], again["body"]) == (304, "")
    shelf.products.add(42, "Red shoe")
    assert shelf.page(headers={"If-None-Match": etag})["statusCode"] == 200


def test_a_page_of_a_hundred_products_with_the_longest_texts_stays_below_a_megabyte(shelf: Shelf) -> None:
    for product_id in range(1, 101):
        shelf.products.add(product_id, "\U0001f45f" * TITLE_LIMIT)
        ref = a_ref(product_id, product_id)
        shelf.catalog.reserve(an_image(ref=ref, alt_text="\U0001f45f" * 1_000, primary_requested_at=NOW))
        assert shelf.catalog.mark_primary_ready(ref, a_file(), NOW, requested_at=NOW)
        assert shelf.catalog.mark_rendered(ref, LOOK, NOW)
    page = shelf.page({"limit": "100"})
    assert len(body(page)["results"]) == 100
    assert len(page["body"].encode()) < 1_000_000


def test_the_function_lists_what_stands_in_the_table(cold_start: ColdStart) -> None:
    with mock_aws():
        client = boto3.client("dynamodb")
        table = a_catalog_table(client)
        DynamoProducts(client, table).add(42, "Red shoe")
        module = cold_start("products", TABLE=table, STACK="shop", ALLOWED_ORIGINS="")
        answer = module.lambda_handler(api_event("GET", "/api/products", path={}), a_context())
    assert body(answer)["results"][0]["title"] == "Red shoe"


def test_a_product_that_is_put_is_new_once_and_has_the_last_title(shelf: Shelf) -> None:
    first, second = shelf.ask("PUT", title="Red  shoe"), shelf.ask("PUT", title="Boot")
    third = shelf.ask("PUT")
    assert [answer["statusCode"] for answer in (first, second, third)] == [201, 200, 200]
    assert [body(answer)["title"] for answer in (first, second, third)] == ["Red shoe", "Boot", None]
    assert body(third) == {"product_id": 42, "title": None, "count": 0, "primary": None}


def test_a_product_is_shown_with_what_the_list_shows_of_it(shelf: Shelf) -> None:
    shelf.ask("PUT", title="Red shoe")
    shown = shelf.ask("GET")
    assert [body(shown)] == body(shelf.page())["results"]
    assert shown["headers"]["ETag"]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_product_that_is_not_there_is_a_404(shelf: Shelf, method: str) -> None:
    answer = shelf.ask(method, role="admin")
    assert (answer["statusCode"], body(answer)["code"]) == (404, "product_not_found")


def test_a_title_that_is_too_long_is_named(shelf: Shelf) -> None:
    answer = shelf.ask("PUT", title="x" * (TITLE_LIMIT + 1))
    assert (answer["statusCode"], body(answer)["errors"][0]["field"]) == (400, "title")
    assert shelf.ask("GET")["statusCode"] == 404


def test_staff_may_not_remove_a_product(shelf: Shelf) -> None:
    shelf.products.add(42)
    answer = shelf.ask("DELETE")
    assert (answer["statusCode"], body(answer)["code"]) == (403, "access_denied")
    assert "administrators" in body(answer)["detail"]
    assert shelf.products.exists(42)
    assert shelf.removals.requested == []


def test_an_administrator_removes_a_product_for_everybody_at_once(shelf: Shelf) -> None:
    shelf.products.add(42)
    shelf.catalog.reserve(an_image())
    assert shelf.ask("DELETE", role="admin") == {"statusCode": 202, "headers": {}, "body": ""}
    assert shelf.ask("GET")["statusCode"] == 404
    assert body(shelf.page())["results"] == []
    assert shelf.removals.requested == [42]
    assert shelf.ask("DELETE", role="admin")["statusCode"] == 404


def test_a_removal_that_cannot_be_asked_for_now_is_begun_all_the_same(shelf: Shelf) -> None:
    shelf.products.add(42)
    shelf.removals.is_down = True
    assert shelf.ask("DELETE", role="admin")["statusCode"] == 202
    assert list(shelf.products.open_removals(NOW + timedelta(seconds=1))) == [42]


def test_a_product_that_is_being_removed_cannot_be_put_yet(shelf: Shelf) -> None:
    shelf.products.add(42)
    shelf.ask("DELETE", role="admin")
    answer = shelf.ask("PUT", title="Red shoe")
    assert (answer["statusCode"], body(answer)["code"]) == (409, "product_being_removed")
    assert answer["headers"]["Retry-After"] == "10"
