"""The products' routes: list them, look for some, put one, remove one with all its pictures."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import domain.rendition  # noqa: F401 - loaded before the first record that names files is read
from adapters.aws import dynamodb_client, eventbridge_client
from adapters.dynamo_product_list import DynamoProductList
from adapters.dynamo_products import DynamoProducts
from adapters.eventbridge_removals import EventBridgeRemovals
from domain.begin_product_removal import BeginProductRemoval
from domain.list_products import ListProducts
from domain.ports import Clock
from domain.product_page import ProductEntry
from domain.product_ports import ProductList, Products, Removals
from domain.put_product import PutProduct
from handlers.etag import etag_of
from handlers.fresh import FRESH, known_or
from handlers.http_function import HttpFunction, Request
from handlers.image_json import thumbnail_json
from handlers.json_bodies import PutProductBody
from handlers.json_request import read_json, read_query
from handlers.problems import HttpResponse, json_response
from handlers.queries import ProductsQuery
from handlers.settings import read_settings
from handlers.telemetry import telemetry

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools import Logger

_PRODUCTS = "/api/products"
_PRODUCT = f"{_PRODUCTS}/{{product_id}}"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the products function needs to know."""

    table: str
    stack: str
    allowed_origins: str


class ProductsHandler:
    """One method for each route; API Gateway has matched the path already."""

    def __init__(
        self,
        *,
        product_list: ProductList,
        products: Products,
        removals: Removals,
        clock: Clock,
        logger: "Logger",
    ) -> None:
        self._product_list = product_list
        self._list_products = ListProducts(product_list)
        self._put_product = PutProduct(products, clock)
        self._begin_removal = BeginProductRemoval(products, removals, clock)
        self._logger = logger
        self._routes: dict[tuple[str, str], Callable[[Request], HttpResponse]] = {
            ("GET", _PRODUCTS): self._list,
            ("GET", _PRODUCT): self._show,
            ("PUT", _PRODUCT): self._put,
            ("DELETE", _PRODUCT): self._remove,
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

    def _show(self, request: Request) -> HttpResponse:
        body = self._body_of(request)
        return known_or(request.headers.get("if-none-match"), etag_of(body), body)

    def _put(self, request: Request) -> HttpResponse:
        product_id = request.identifiers()["product_id"]
        is_new = self._put_product(product_id, read_json(request, PutProductBody).title)
        self._logger.info("product put", extra={"product_id": product_id, "is_new": is_new})
        return json_response(HTTPStatus.CREATED if is_new else HTTPStatus.OK, self._body_of(request), FRESH)

    def _remove(self, request: Request) -> HttpResponse:
        product_id = request.identifiers()["product_id"]
        self._begin_removal(product_id, request.caller["role"])
        self._logger.info("product removal begun", extra={"product_id": product_id})
        return {"statusCode": HTTPStatus.ACCEPTED, "headers": {}, "body": ""}

    def _body_of(self, request: Request) -> dict[str, object]:
        entry = self._product_list.find(request.identifiers()["product_id"])
        return _product_json(entry, request.base_url)


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
        ProductsHandler(
            product_list=DynamoProductList(dynamodb_client(), settings.table),
            products=DynamoProducts(dynamodb_client(), settings.table),
            removals=EventBridgeRemovals(eventbridge_client(), settings.stack),
            clock=partial(datetime.now, UTC),
            logger=logger,
        ),
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
