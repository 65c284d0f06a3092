"""`POST /api/products/{product_id}/images/fetch`: reserves a picture that the service fetches itself."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from secrets import token_hex

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from adapters.aws import dynamodb_client, sqs_client
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.sqs_fetch_queue import SqsFetchQueue
from domain.begun import Begun
from domain.claim import BegunPicture
from domain.image import TOKEN_BYTES, ProductImage
from domain.leased_ids import LeasedIds
from domain.request_fetch import RequestFetch, WishedPicture
from handlers.http_function import HttpFunction, Request
from handlers.idempotency import SafeRetries
from handlers.image_json import image_json
from handlers.json_bodies import FetchBody
from handlers.json_request import fingerprint, read_json
from handlers.new_image_function import new_image_function
from handlers.problems import HttpResponse
from handlers.settings import read_hosts, read_settings


@dataclass(frozen=True, slots=True)
class Settings:
    """What the function that takes addresses needs to know."""

    table: str
    idempotency_table: str
    fetch_queue: str
    fetch_allowed_hosts: str
    stack: str
    allowed_origins: str
    daily_upload_quota: int


class RequestFetchHandler:
    """Turns a request into a picture that is to be fetched, and that into a 201."""

    def __init__(
        self,
        request_fetch: Callable[[WishedPicture, BegunPicture | None], Begun[ProductImage]],
        safe_retries: SafeRetries,
        logger: Logger,
        metrics: Metrics,
    ) -> None:
        self._request_fetch = request_fetch
        self._safe_retries = safe_retries
        self._logger = logger
        self._metrics = metrics

    def __call__(self, request: Request) -> HttpResponse:
        """Answer 201 with the pending picture."""
        identifiers = request.identifiers()
        body = read_json(request, FetchBody)
        wished = WishedPicture(
            product_id=identifiers["product_id"],
            user=request.user,
            url=body.url,
            name=body.name,
            details=body.details(),
            is_primary=body.is_primary,
        )
        return self._safe_retries(
            request,
            lambda: fingerprint(wished.product_id, body),
            lambda earlier: self._request_fetch(wished, earlier).then(partial(self._body, request)),
        )

    def _body(self, request: Request, image: ProductImage) -> dict[str, object]:
        self._metrics.add_metric("FetchesRequested", MetricUnit.Count, 1)
        self._metrics.flush_metrics()
        self._logger.info("fetch requested", image_id=image.ref.image_id, product_id=image.ref.product_id)
        is_primary = image.primary_requested_at is not None
        return image_json(image, base_url=request.base_url, is_primary=is_primary)


@cache
def _handler() -> HttpFunction:
    settings = read_settings(Settings, os.environ)
    client, clock = dynamodb_client(), partial(datetime.now, UTC)
    catalog = DynamoImageCatalog(client, settings.table)
    request_fetch = RequestFetch(
        catalog=catalog,
        queue=SqsFetchQueue(sqs_client(), settings.fetch_queue),
        ids=LeasedIds(catalog),
        new_token=partial(token_hex, TOKEN_BYTES),
        clock=clock,
        allowed_hosts=read_hosts(settings.fetch_allowed_hosts),
    )
    return new_image_function(
        "request_fetch", settings, client, clock, partial(RequestFetchHandler, request_fetch)
    )


def __getattr__(name: str) -> HttpFunction:
    # Made when the runtime first asks, in the init phase; see `handlers.upload_image`.
    if name == "lambda_handler":
        return _handler()
    raise AttributeError(name)
