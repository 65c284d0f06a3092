"""What the functions that make a picture are put together of: safe retries, the day's quota, telemetry."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from aws_lambda_powertools import Logger, Metrics

from handlers.http_function import HttpFunction, Request
from handlers.idempotency import SafeRetries, safe_retries
from handlers.problems import HttpResponse
from handlers.telemetry import telemetry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from domain.ports import Clock

type _Handler = Callable[[Request], HttpResponse]


class _Settings(Protocol):
    """What each of them is told; `allowed_origins` are separated by commas, a quota of 0 is none."""

    @property
    def idempotency_table(self) -> str: ...
    @property
    def stack(self) -> str: ...
    @property
    def allowed_origins(self) -> str: ...
    @property
    def daily_upload_quota(self) -> int: ...


def new_image_function(
    service: str,
    settings: _Settings,
    client: "DynamoDBClient",
    clock: "Clock",
    handler: Callable[[SafeRetries, Logger, Metrics], _Handler],
) -> HttpFunction:
    """Return the function of `handler`, which reports under the name `service`."""
    logger, metrics = telemetry(service, settings.stack)
    retries = safe_retries(client, settings.idempotency_table, settings.daily_upload_quota, clock)
    return HttpFunction(
        handler(retries, logger, metrics),
        allowed_origins=settings.allowed_origins,
        rejections="UploadsRejected",
        logger=logger,
        metrics=metrics,
    )
