"""The functions that hostile requests are sent to, on fakes, and how many of them are tried."""

import json
from typing import Any, override

from aws_lambda_powertools import Logger, Metrics
from hypothesis import HealthCheck, settings

from domain.image import ProductImage
from handlers.gallery import GalleryHandler
from handlers.http_function import HttpFunction
from handlers.idempotency import SafeRetries
from handlers.problems import HttpResponse
from handlers.reserve_upload import ReserveUploadHandler
from handlers.upload_image import UploadImageHandler
from tests.builders import NOW, PRODUCT_ID, REQUEST_ID, a_context
from tests.catalog_fake import InMemoryImageCatalog
from tests.fakes import InMemoryImageEvents, InMemoryImageStore
from tests.torture.results import FULL, size
from tests.use_cases import once_per_key_with, reserve_upload_with, upload_image_with

EXAMPLES = size(2_500, 60, "hostile bodies and texts of each kind")
MANY_EXAMPLES = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=not FULL,
    # The fixtures count points, set loggers free and read what is printed; all of that may go on.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class WatchedStore(InMemoryImageStore):
    """Remembers all that it was ever given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[bytes] = []
        self.keys: list[str] = []

    @override
    def put(self, image: ProductImage, content: bytes) -> None:
        self.given.append(content)
        self.keys.append(image.ref.incoming_key)
        super().put(image, content)


class Service:
    """The functions on one catalogue and one store, and what came of one request."""

    def __init__(self) -> None:
        self.catalog = InMemoryImageCatalog(PRODUCT_ID)
        self.store = WatchedStore()
        self._safe_retries = SafeRetries(once_per_key_with())

    def upload(self, event: dict[str, Any]) -> HttpResponse:
        logger, metrics = _telemetry("upload_image")
        upload_image = upload_image_with(self.catalog, self.store)
        handler = UploadImageHandler(upload_image, self._safe_retries, logger, metrics)
        return HttpFunction(
            handler, allowed_origins="", rejections="UploadsRejected", logger=logger, metrics=metrics
        )(event, a_context())

    def reserve(self, event: dict[str, Any]) -> HttpResponse:
        logger, metrics = _telemetry("reserve_upload")
        reserve_upload = reserve_upload_with(self.catalog)
        handler = ReserveUploadHandler(reserve_upload, self._safe_retries, logger, metrics)
        return HttpFunction(
            handler, allowed_origins="", rejections="UploadsRejected", logger=logger, metrics=metrics
        )(event, a_context())

    def gallery(self, event: dict[str, Any]) -> HttpResponse:
        logger, metrics = _telemetry("gallery")
        handler = GalleryHandler(
            catalog=self.catalog,
            store=self.store,
            events=InMemoryImageEvents(),
            clock=lambda: NOW,
            logger=logger,
            metrics=metrics,
        )
        return HttpFunction(
            handler, allowed_origins="", rejections="RequestsRejected", logger=logger, metrics=metrics
        )(event, a_context())

    def refuse(self, event: dict[str, Any]) -> tuple[int, str]:
        """Return status and code of an upload's problem, after which there must be nothing."""
        outcome = problem(self.upload(event))
        assert (self.catalog.images, self.store.given) == ({}, [])
        return outcome

    def take(self, event: dict[str, Any], content: bytes) -> dict[str, Any]:
        """Return the 201 of an upload, after which exactly these bytes must be there."""
        response = self.upload(event)
        assert response["statusCode"] == 201, response["body"]
        assert self.store.given == [content]
        body: dict[str, Any] = json.loads(response["body"])
        assert body["size"] == len(content)
        return body


def problem(response: HttpResponse) -> tuple[int, str]:
    """Return status and code of an answer, which must be a problem."""
    body = json.loads(response["body"])
    assert response["headers"]["Content-Type"] == "application/problem+json"
    assert (body["status"], body["request_id"]) == (response["statusCode"], REQUEST_ID)
    return body["status"], body["code"]


def _telemetry(service: str) -> tuple[Logger, Metrics]:
    return Logger(service=service), Metrics(namespace="ProductImages", service=service)
