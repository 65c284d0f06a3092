"""`POST /api/products/{product_id}/images/uploads`: reserves a picture, hands out a form for it."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from secrets import token_hex

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from adapters.aws import dynamodb_client, s3_client
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.s3_upload_forms import S3UploadForms
from domain.begun import Begun
from domain.claim import BegunPicture
from domain.image import TOKEN_BYTES
from domain.leased_ids import LeasedIds
from domain.moments import iso_utc
from domain.reserve_upload import AnnouncedUpload, Reservation, ReserveUpload
from handlers.http_function import HttpFunction, Request
from handlers.idempotency import SafeRetries
from handlers.image_json import image_json
from handlers.json_bodies import AnnounceBody
from handlers.json_request import fingerprint, read_json
from handlers.new_image_function import new_image_function
from handlers.problems import HttpResponse
from handlers.settings import read_settings


@dataclass(frozen=True, slots=True)
class Settings:
    """What the function that reserves uploads needs to know."""

    table: str
    idempotency_table: str
    bucket: str
    stack: str
    allowed_origins: str
    max_upload_bytes: int
    daily_upload_quota: int


class ReserveUploadHandler:
    """Turns a request into a reservation, and that into a 201."""

    def __init__(
        self,
        reserve_upload: Callable[[AnnouncedUpload, BegunPicture | None], Begun[Reservation]],
        safe_retries: SafeRetries,
        logger: Logger,
        metrics: Metrics,
    ) -> None:
        self._reserve_upload = reserve_upload
        self._safe_retries = safe_retries
        self._logger = logger
        self._metrics = metrics

    def __call__(self, request: Request) -> HttpResponse:
        """Answer 201 with the pending picture and its upload form."""
        identifiers = request.identifiers()
        body = read_json(request, AnnounceBody)
        upload = AnnouncedUpload(
            product_id=identifiers["product_id"],
            user=request.user,
            name=body.name,
            size_bytes=body.size,
            media_type=body.content_type,
            details=body.details(),
            is_primary=body.is_primary,
            sha256=body.sha256.lower() if body.sha256 else None,
        )
        return self._safe_retries(
            request,
            lambda: fingerprint(upload.product_id, body),
            lambda earlier: self._reserve_upload(upload, earlier).then(partial(self._body, request)),
        )

    def _body(self, request: Request, reservation: Reservation) -> dict[str, object]:
        image, form = reservation.image, reservation.form
        self._metrics.add_metric("UploadsReserved", MetricUnit.Count, 1)
        self._metrics.flush_metrics()
        self._logger.info(
            "upload reserved",
            image_id=image.ref.image_id,
            product_id=image.ref.product_id,
            size=image.size_bytes,
        )
        body = image_json(image, base_url=request.base_url, is_primary=image.primary_requested_at is not None)
        body["upload"] = {
            "url": form.url,
            "fields": dict(form.fields),
            "expires_at": iso_utc(form.expires_at),
        }
        return body


@cache
def _handler() -> HttpFunction:
    settings = read_settings(Settings, os.environ)
    client, clock = dynamodb_client(), partial(datetime.now, UTC)
    catalog = DynamoImageCatalog(client, settings.table)
    reserve_upload = ReserveUpload(
        catalog=catalog,
        forms=S3UploadForms(s3_client(), settings.bucket, clock),
        ids=LeasedIds(catalog),
        new_token=partial(token_hex, TOKEN_BYTES),
        clock=clock,
        max_bytes=settings.max_upload_bytes,
    )
    return new_image_function(
        "reserve_upload", settings, client, clock, partial(ReserveUploadHandler, reserve_upload)
    )


def __getattr__(name: str) -> HttpFunction:
    # Made when the runtime first asks, in the init phase; see `handlers.upload_image`.
    if name == "lambda_handler":
        return _handler()
    raise AttributeError(name)
