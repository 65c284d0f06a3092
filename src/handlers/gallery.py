"""The gallery's routes: list, show, change, reorder and delete the pictures of a product."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from http import HTTPStatus
from itertools import accumulate
from urllib.parse import urlencode

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

import domain.rendition  # noqa: F401 - loaded before the first record that names files is read
from adapters.aws import dynamodb_client, eventbridge_client, s3_client
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.eventbridge_image_events import EventBridgeImageEvents
from adapters.s3_image_store import S3ImageStore
from domain.change_image import ChangeImage, ImageChange
from domain.delete_image import DeleteImage
from domain.image import ImageSnapshot, ImageStatus
from domain.image_catalog import ImageCatalog
from domain.image_store import ImageStore
from domain.list_images import MAX_PAGE_SIZE, ListImages, PageRequest
from domain.ports import Clock, ImageEvents
from domain.reorder_images import ReorderImages
from domain.show_image import ShowImage
from handlers.etag import etag_of, has_order, if_match, list_etag
from handlers.fresh import FRESH, known_or
from handlers.http_function import HttpFunction, Request
from handlers.image_json import image_json
from handlers.json_bodies import ChangeBody, OrderBody
from handlers.json_request import read_json, read_query
from handlers.problems import HttpResponse, json_response
from handlers.queries import PageQuery
from handlers.settings import read_settings
from handlers.telemetry import report_damaged, telemetry

_IMAGES = "/api/products/{product_id}/images"
_IMAGE = f"{_IMAGES}/{{image_id}}"
_MAX_RESULTS_BYTES = 990_000


@dataclass(frozen=True, slots=True)
class Settings:
    """What the gallery function needs to know."""

    table: str
    bucket: str
    stack: str
    allowed_origins: str


class GalleryHandler:
    """One method for each route; API Gateway has matched the path already."""

    def __init__(
        self,
        *,
        catalog: ImageCatalog,
        store: ImageStore,
        events: ImageEvents,
        clock: Clock,
        logger: Logger,
        metrics: Metrics,
    ) -> None:
        self._list_images = ListImages(catalog)
        self._show_image = ShowImage(catalog)
        self._change_image = ChangeImage(catalog, events, clock)
        self._reorder_images = ReorderImages(catalog, events, clock)
        self._delete_image = DeleteImage(catalog, store, events, clock)
        self._logger = logger
        self._metrics = metrics
        self._routes: dict[tuple[str, str], Callable[..., HttpResponse]] = {
            ("GET", _IMAGES): self._list,
            ("GET", _IMAGE): self._show,
            ("PATCH", _IMAGE): self._change,
            ("PUT", f"{_IMAGES}/order"): self._reorder,
            ("DELETE", _IMAGE): self._delete,
        }

    def __call__(self, request: Request) -> HttpResponse:
        """Answer a request on one of the routes."""
        return self._routes[request.route](request, **request.identifiers())

    def _list(self, request: Request, product_id: int) -> HttpResponse:
        query = read_query(request, PageQuery)
        status = ImageStatus(query.status) if query.status else None
        sha256s = tuple(query.sha256.lower().split(",")) if query.sha256 else ()
        wanted = PageRequest(query.limit, query.offset, status, sha256s)
        page = self._list_images(product_id, wanted)
        report_damaged(page.damaged, self._logger, self._metrics)
        results = _that_fit(_results(request, page.snapshots))
        shown = page.snapshots[: len(results)]
        behind = query.offset + (query.limit if shown == page.snapshots else len(results))
        body: dict[str, object] = {
            "count": page.count,
            "next": _page_url(request, product_id, query, behind) if behind < page.count else None,
            "previous": (
                _page_url(request, product_id, query, max(0, query.offset - query.limit))
                if query.offset
                else None
            ),
            "results": results,
        }
        # Of some images, a page does not tell where they stand among the others.
        etag = etag_of(body) if wanted.is_of_some else _list_etag(body, query.offset, shown)
        return known_or(request.headers.get("if-none-match"), etag, body)

    def _show(self, request: Request, product_id: int, image_id: int) -> HttpResponse:
        body = _image_json(request, self._show_image(product_id, image_id))
        return known_or(request.headers.get("if-none-match"), etag_of(body), body)

    def _change(self, request: Request, product_id: int, image_id: int) -> HttpResponse:
        sent = read_json(request, ChangeBody)
        fields = sent.fields()
        change = ImageChange(sent.details(), sent.is_primary if "is_primary" in fields else None)
        is_expected = _expectation(request)

        def is_as_sent(seen: ImageSnapshot) -> bool:
            body = _image_json(request, seen)
            shown = {**body, "etag": etag_of(body)}
            # A field that there never was is a mistake whatever the image has become.
            if not is_expected(seen) and sent.has_no_more_than(shown):
                return False
            sent.require_rest_of(shown)
            return True

        snapshot = self._change_image(product_id, image_id, change, is_as_sent)
        if fields:
            self._report("ImagesChanged", "image changed", product_id, image_id=image_id, fields=fields)
        body = _image_json(request, snapshot)
        return json_response(HTTPStatus.OK, body, {"ETag": etag_of(body), **FRESH})

    def _reorder(self, request: Request, product_id: int) -> HttpResponse:
        image_ids = read_json(request, OrderBody).image_ids
        expected = if_match(request.headers.get("if-match"))
        page = self._reorder_images(product_id, image_ids, partial(has_order, expected))
        report_damaged(page.damaged, self._logger, self._metrics)
        self._report("GalleriesReordered", "gallery reordered", product_id, count=page.count)
        results = _that_fit(_results(request, page.snapshots))
        whole = PageQuery(limit=MAX_PAGE_SIZE)
        body: dict[str, object] = {
            "count": page.count,
            "next": (
                _page_url(request, product_id, whole, len(results))
                if len(results) < len(page.snapshots)
                else None
            ),
            "previous": None,
            "results": results,
        }
        return json_response(HTTPStatus.OK, body, {"ETag": _list_etag(body, 0, page.snapshots), **FRESH})

    def _delete(self, request: Request, product_id: int, image_id: int) -> HttpResponse:
        self._delete_image(product_id, image_id, _expectation(request))
        self._report("ImagesDeleted", "image deleted", product_id, image_id=image_id)
        return {"statusCode": HTTPStatus.NO_CONTENT, "headers": {"Cache-Control": "no-store"}, "body": ""}

    def _report(self, metric: str, message: str, product_id: int, **details: object) -> None:
        self._metrics.add_metric(metric, MetricUnit.Count, 1)
        self._metrics.flush_metrics()
        self._logger.info(message, extra={"product_id": product_id, **details})


def _expectation(request: Request) -> Callable[[ImageSnapshot], bool]:
    """Return what tells whether a picture is still what the client has seen."""
    expected = if_match(request.headers.get("if-match"))
    return lambda seen: expected is None or etag_of(_image_json(request, seen)) in expected


def _results(request: Request, snapshots: Sequence[ImageSnapshot]) -> list[dict[str, object]]:
    """Return the images of a list, each with its own tag."""
    bodies = [_image_json(request, snapshot) for snapshot in snapshots]
    return [{**body, "etag": etag_of(body)} for body in bodies]


def _that_fit(results: list[dict[str, object]]) -> list[dict[str, object]]:
    """Return as many as fit into an answer of less than 1 MB: all, but where texts are of the longest."""
    sizes = accumulate(len(json.dumps(each, ensure_ascii=False).encode()) for each in results)
    return [each for each, size in zip(results, sizes, strict=True) if size <= _MAX_RESULTS_BYTES]


def _list_etag(body: dict[str, object], offset: int, snapshots: Sequence[ImageSnapshot]) -> str:
    return list_etag(body, offset, [seen.image.ref.image_id for seen in snapshots])


def _image_json(request: Request, snapshot: ImageSnapshot) -> dict[str, object]:
    return image_json(snapshot.image, base_url=request.base_url, is_primary=snapshot.is_primary)


def _page_url(request: Request, product_id: int, query: PageQuery, offset: int) -> str:
    some = {"status": query.status, "sha256": query.sha256}
    parameters = {"limit": query.limit, "offset": offset, **{name: some[name] for name in some if some[name]}}
    path = _IMAGES.format(product_id=product_id)
    return f"{request.base_url}{path}?{urlencode(parameters, safe=',')}"


@cache
def _handler() -> HttpFunction:
    settings = read_settings(Settings, os.environ)
    logger, metrics = telemetry("gallery", settings.stack)
    handler = GalleryHandler(
        catalog=DynamoImageCatalog(dynamodb_client(), settings.table),
        store=S3ImageStore(s3_client(), settings.bucket),
        events=EventBridgeImageEvents(eventbridge_client(), settings.stack),
        clock=partial(datetime.now, UTC),
        logger=logger,
        metrics=metrics,
    )
    return HttpFunction(
        handler,
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
