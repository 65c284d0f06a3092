"""`POST /api/products/{product_id}/images`: takes a picture in and answers at once."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from adapters.aws import dynamodb_client, s3_client
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.s3_image_store import S3ImageStore
from domain.errors import DomainError, UnavailableError
from domain.image import ProductImage, User
from domain.leased_ids import LeasedIds
from domain.upload_fields import parse_product_id
from domain.upload_image import Upload, UploadImage
from handlers.form import read_form
from handlers.image_json import image_json
from handlers.problems import HttpResponse, internal_problem, problem_response
from handlers.settings import UploadImageSettings, read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class UploadImageHandler:
    """Turns an API Gateway proxy event into an upload, and its outcome into an HTTP response."""

    def __init__(
        self,
        upload_image: Callable[[Upload], ProductImage],
        media_base_url: str,
        logger: Logger,
        metrics: Metrics,
    ) -> None:
        self._upload_image = upload_image
        self._media_base_url = media_base_url
        self._logger = logger
        self._metrics = metrics

    def __call__(self, event: dict[str, Any], _context: "LambdaContext") -> HttpResponse:
        """Answer 201 with the pending picture, or a problem."""
        request_id = event["requestContext"]["requestId"]
        with self._logger.append_context_keys(request_id=request_id):
            try:
                image = self._upload_image(_read_upload(event))
            except DomainError as error:
                return self._rejected(error, problem_response(error, request_id))
            except Exception as error:  # noqa: BLE001 - the last line: a client never sees a traceback
                return self._rejected(error, internal_problem(request_id))
            self._report_upload(image)
            return self._created(image)

    def _created(self, image: ProductImage) -> HttpResponse:
        body = image_json(image, media_base_url=self._media_base_url, is_primary=image.primary_requested)
        return {
            "statusCode": HTTPStatus.CREATED,
            "headers": {
                "Content-Type": "application/json",
                "Cache-Control": "no-store",
                # Relative to the request (RFC 9110, 10.2.2): right behind any stage, front or domain.
                "Location": f"images/{image.ref.image_id}",
            },
            "body": json.dumps(body),
        }

    def _report_upload(self, image: ProductImage) -> None:
        self._metrics.add_metric("Uploads", MetricUnit.Count, 1)
        self._metrics.add_metric("UploadedBytes", MetricUnit.Bytes, image.size_bytes)
        self._metrics.flush_metrics()
        self._logger.info(
            "image stored",
            image_id=image.ref.image_id,
            product_id=image.ref.product_id,
            type=image.ref.image_format.name,
            size=image.size_bytes,
        )

    def _rejected(self, error: Exception, response: HttpResponse) -> HttpResponse:
        reason = error.code if isinstance(error, DomainError) else "internal_error"
        self._metrics.add_dimension("reason", reason)
        self._metrics.add_metric("UploadsRejected", MetricUnit.Count, 1)
        self._metrics.flush_metrics()
        if response["statusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
            ref = error.ref if isinstance(error, UnavailableError) else None
            ids = {"image_id": ref.image_id, "product_id": ref.product_id} if ref else {}
            self._logger.error("upload failed", exc_info=error, extra={"reason": reason, **ids})
        else:
            self._logger.info("upload rejected", reason=reason)
        return response


def _read_upload(event: dict[str, Any]) -> Upload:
    product_id = parse_product_id(event["pathParameters"]["product_id"])
    headers = {name.lower(): value for name, value in (event["headers"] or {}).items()}
    form = read_form(
        event["body"] or "",
        is_base64=event["isBase64Encoded"],
        content_type=headers.get("content-type", ""),
    )
    caller = event["requestContext"]["authorizer"]
    return Upload(
        product_id=product_id,
        user=User(int(caller["user_id"]), caller["username"], caller["full_name"]),
        content=form.content,
        file_name=form.file_name,
        fields=form.fields,
    )


@cache
def _handler() -> UploadImageHandler:
    settings = read_settings(UploadImageSettings, os.environ)
    catalog = DynamoImageCatalog(dynamodb_client(), settings.table)
    upload_image = UploadImage(
        catalog=catalog,
        store=S3ImageStore(s3_client(), settings.bucket),
        ids=LeasedIds(catalog),
        clock=partial(datetime.now, UTC),
        max_bytes=settings.max_direct_upload_bytes,
    )
    metrics = Metrics(namespace="ProductImages", service="upload_image")
    metrics.set_default_dimensions(stack=settings.stack)
    return UploadImageHandler(
        upload_image,
        settings.media_base_url,
        Logger(service="upload_image", use_rfc3339=True),
        metrics,
    )


def __getattr__(name: str) -> UploadImageHandler:
    # The runtime asks for `lambda_handler` once, in the init phase: that makes the clients there,
    # and importing the module still touches neither the environment nor AWS.
    if name == "lambda_handler":
        return _handler()
    raise AttributeError(name)
