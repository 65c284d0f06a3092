"""`POST /api/products/{product_id}/images`: takes a picture in and answers at once."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from secrets import token_hex

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from zlib_ng.zlib_ng import crc32

from adapters.aws import dynamodb_client, s3_client
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.s3_image_store import S3ImageStore
from domain.begun import Begun
from domain.claim import BegunPicture
from domain.image import TOKEN_BYTES, ProductImage
from domain.leased_ids import LeasedIds
from domain.upload_image import Upload, UploadImage
from handlers.form import read_form
from handlers.http_function import HttpFunction, Request
from handlers.idempotency import SafeRetries
from handlers.image_json import image_json
from handlers.new_image_function import new_image_function
from handlers.problems import HttpResponse
from handlers.settings import read_settings


@dataclass(frozen=True, slots=True)
class Settings:
    """What the upload function needs to know.

    `allowed_origins` are separated by commas; a `daily_upload_quota` of 0 is none.
    """

    table: str
    idempotency_table: str
    bucket: str
    stack: str
    allowed_origins: str
    max_direct_upload_bytes: int
    daily_upload_quota: int


class UploadImageHandler:
    """Turns a multipart request into an upload, and its outcome into a 201."""

    def __init__(
        self,
        upload_image: Callable[[Upload, BegunPicture | None], Begun[ProductImage]],
        safe_retries: SafeRetries,
        logger: Logger,
        metrics: Metrics,
    ) -> None:
        self._upload_image = upload_image
        self._safe_retries = safe_retries
        self._logger = logger
        self._metrics = metrics

    def __call__(self, request: Request) -> HttpResponse:
        """Answer 201 with the pending picture."""
        identifiers = request.identifiers()
        form = read_form(
            request.body,
            is_base64=request.is_base64,
            content_type=request.headers.get("content-type", ""),
        )
        upload = Upload(
            product_id=identifiers["product_id"],
            user=request.user,
            content=form.content,
            file_name=form.file_name,
            fields=form.fields,
        )
        return self._safe_retries(
            request,
            lambda: _fingerprint(upload),
            lambda earlier: self._upload_image(upload, earlier).then(partial(self._body, request)),
        )

    def _body(self, request: Request, image: ProductImage) -> dict[str, object]:
        self._report(image)
        is_primary = image.primary_requested_at is not None
        return image_json(image, base_url=request.base_url, is_primary=is_primary)

    def _report(self, image: ProductImage) -> None:
        self._metrics.add_metric("Uploads", MetricUnit.Count, 1)
        self._metrics.add_metric("UploadedBytes", MetricUnit.Bytes, image.size_bytes)
        self._metrics.flush_metrics()
        self._logger.info(
            "image stored",
            image_id=image.ref.image_id,
            product_id=image.ref.product_id,
            type=image.image_format.name,
            size=image.size_bytes,
        )


def _fingerprint(upload: Upload) -> str:
    # Of what the form says, not of its bytes: clients draw a new boundary for every try.
    described = json.dumps([upload.product_id, upload.file_name, sorted(upload.fields.items())])
    digest = hashlib.sha256(described.encode())
    digest.update(upload.content)
    return digest.hexdigest()


@cache
def _handler() -> HttpFunction:
    settings = read_settings(Settings, os.environ)
    client, clock = dynamodb_client(), partial(datetime.now, UTC)
    catalog = DynamoImageCatalog(client, settings.table)
    upload_image = UploadImage(
        catalog=catalog,
        store=S3ImageStore(s3_client(), settings.bucket, crc32),
        ids=LeasedIds(catalog),
        new_token=partial(token_hex, TOKEN_BYTES),
        clock=clock,
        max_bytes=settings.max_direct_upload_bytes,
    )
    return new_image_function(
        "upload_image", settings, client, clock, partial(UploadImageHandler, upload_image)
    )


def __getattr__(name: str) -> HttpFunction:
    # The runtime asks for `lambda_handler` once, in the init phase: that makes the clients there,
    # and importing the module still touches neither the environment nor AWS.
    if name == "lambda_handler":
        return _handler()
    raise AttributeError(name)
