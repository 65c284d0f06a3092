"""The products' routes: list them, and look for some, for those who work on their pictures."""

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import domain.rendition  # noqa: F401 - loaded before the first record that names files is read
from adapters.aws import dynamodb_client
from adapters.dynamo_product_list import DynamoProductList
from domain.list_products import ListProducts
from domain.ports import ProductList
from domain.product_page import ProductEntry
from handlers.etag import etag_of
from handlers.fresh import known_or
from handlers.http_function import HttpFunction, Request
from handlers.image_json import thumbnail_json
from handlers.json_request import ProductsQuery, read_query
from handlers.problems import HttpResponse
from handlers.settings import read_settings
from handlers.telemetry import telemetry

if TYPE_CHECKING:
    from collections.abc import Callable

_PRODUCTS = "/api/products"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the products function needs to know."""

    table: str
    stack: str
    allowed_origins: str


class ProductsHandler:
    """One method for each route; API Gateway has matched the path already."""

    def __init__(self, products: ProductList) -> None:
        self._list_products = ListProducts(products)
        self._routes: dict[tuple[str, str], Callable[[Request], HttpResponse]] = {
            ("GET", _PRODUCTS): self._list,
        }

    def __call__(self, request: Request) -> HttpResponse:
        """Answer a request on one of the routes."""
        return self._routes[request.route](request)

    def _list(self, request: Request) -> HttpResponse:
        query = read_query(request, ProductsQuery)
        page = self._list_products(limit=query.limit, after=query.after, query=query.q)
        body: dict[str, object] = {
            "next": _page_url(request, query, page.next_after) if page.next_after else None,
            "results": [_product_json(entry, request.base_url) for entry in page.entries],
        }
        return known_or(request.headers.get("if-none-match"), etag_of(body), body)


def _product_json(entry: ProductEntry, base_url: str) -> dict[str, object]:
    return {
        "product_id": entry.product_id,
        "title": entry.title,
        "count": entry.image_count,
        "primary": thumbnail_json(entry.primary, base_url) if entry.primary else None,
    }


def _page_url(request: Request, query: ProductsQuery, after: int) -> str:
    sought = {"q": query.q} if query.q else {}
    return f"{request.base_url}{_PRODUCTS}?{urlencode({'limit': query.limit, 'after': after} | sought)}"


@cache
def _handler() -> HttpFunction:
    settings = read_settings(Settings, os.environ)
    logger, metrics = telemetry("products", settings.stack)
    return HttpFunction(
        ProductsHandler(DynamoProductList(dynamodb_client(), settings.table)),
        allowed_origins=settings.allowed_origins,
        rejections="RequestsRejected",
        logger=logger,
        metrics=metrics,
    )


def __getattr__(name: str) -> HttpFunction:
    # Made when the runtime first asks, in the init phase; see `handlers.upload_image`.
    if name == "lambda_handler":
        return _handler()
    raise AttributeError(name)
