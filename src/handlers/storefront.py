"""What a shop window needs, and anybody may ask for: galleries, and one picture of each of many products."""

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aws_lambda_powertools import Logger, Metrics

import domain.rendition  # noqa: F401 - loaded before the first record that names files is read
from adapters.aws import dynamodb_client
from adapters.dynamo_storefront import DynamoStorefront
from domain.identifiers import parse_list
from domain.storefront import ShowGallery, ShowPrimaries, Storefront
from handlers.etag import etag_of
from handlers.fresh import known_or
from handlers.http_function import HttpFunction, Request
from handlers.image_json import shown_json
from handlers.json_request import read_query
from handlers.problems import HttpResponse
from handlers.queries import PrimariesQuery, ShownPageQuery
from handlers.settings import read_settings
from handlers.telemetry import report_damaged, telemetry

if TYPE_CHECKING:
    from collections.abc import Callable

_GALLERY = "/api/storefront/products/{product_id}/images"
_PRIMARIES = "/api/storefront/primary-images"
ANY_ORIGIN = "*"
REFUSALS_KEPT = "public, max-age=10"
"""So that the CDN answers whoever repeats a mistake; a product that is added is shown after as long."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the storefront's function needs to know; times are in seconds."""

    table: str
    stack: str
    storefront_max_age: int
    storefront_stale: int


class StorefrontHandler:
    """One method for each route; API Gateway has matched the path already."""

    def __init__(
        self, storefront: Storefront, *, max_age: int, stale: int, logger: Logger, metrics: Metrics
    ) -> None:
        """Let answers be kept for `max_age` seconds, and shown for `stale` more while they are asked anew."""
        self._show_gallery = ShowGallery(storefront)
        self._show_primaries = ShowPrimaries(storefront)
        self._kept = {"Cache-Control": f"public, max-age={max_age}, stale-while-revalidate={stale}"}
        self._logger = logger
        self._metrics = metrics
        self._routes: dict[tuple[str, str], Callable[[Request], dict[str, object]]] = {
            ("GET", _GALLERY): self._gallery,
            ("GET", _PRIMARIES): self._primaries,
        }

    def __call__(self, request: Request) -> HttpResponse:
        """Answer a request on one of the routes, with a 304 if the client has it."""
        body = self._routes[request.route](request)
        return known_or(request.headers.get("if-none-match"), etag_of(body), body, self._kept)

    def _gallery(self, request: Request) -> dict[str, object]:
        product_id = request.identifiers()["product_id"]
        query = read_query(request, ShownPageQuery)
        page = self._show_gallery(product_id, query.limit, query.offset)
        report_damaged(page.damaged, self._logger, self._metrics)

        def url(offset: int) -> str:
            parameters = urlencode({"limit": query.limit, "offset": offset})
            return f"{request.base_url}{_GALLERY.format(product_id=product_id)}?{parameters}"

        behind = query.offset + query.limit
        return {
            "count": page.count,
            "next": url(behind) if behind < page.count else None,
            "previous": url(max(0, query.offset - query.limit)) if query.offset else None,
            "results": [
                shown_json(image, base_url=request.base_url, is_primary=is_primary)
                for image, is_primary in page.images
            ],
        }

    def _primaries(self, request: Request) -> dict[str, object]:
        product_ids = parse_list("product_ids", read_query(request, PrimariesQuery).product_ids)
        primaries = self._show_primaries(product_ids)
        report_damaged(primaries.damaged, self._logger, self._metrics)
        images = {
            product_id: shown_json(image, base_url=request.base_url, is_primary=True)
            for product_id, image in primaries.images.items()
        }
        return {"results": [{"product_id": each, "image": images.get(each)} for each in product_ids]}


@cache
def _handler() -> HttpFunction:
    settings = read_settings(Settings, os.environ)
    logger, metrics = telemetry("storefront", settings.stack)
    handler = StorefrontHandler(
        DynamoStorefront(dynamodb_client(), settings.table),
        max_age=settings.storefront_max_age,
        stale=settings.storefront_stale,
        logger=logger,
        metrics=metrics,
    )
    return HttpFunction(
        handler,
        allowed_origins=ANY_ORIGIN,
        rejections="RequestsRejected",
        logger=logger,
        metrics=metrics,
        refusals_kept=REFUSALS_KEPT,
    )


def __getattr__(name: str) -> HttpFunction:
    # Made when the runtime first asks, in the init phase; see `handlers.upload_image`.
    if name == "lambda_handler":
        return _handler()
    raise AttributeError(name)
