"""Messages of the fetch queue: fetches a picture by its address, or puts its message off."""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from adapters.aws import dynamodb_client, eventbridge_client, s3_client, sqs_client
from adapters.deadline import within
from adapters.dynamo_host_turns import DynamoHostTurns
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.eventbridge_image_events import EventBridgeImageEvents
from adapters.local_picture_server import look_up_of
from adapters.s3_image_store import S3ImageStore
from adapters.sqs_fetch_queue import SqsFetchQueue, ref_in
from adapters.urllib3_picture_source import Urllib3PictureSource
from domain.errors import ImageRecordDamagedError, UnavailableError
from domain.fetch_image import Fetched, FetchImage, FetchOutcome
from domain.image import ImageRef
from domain.ports import Clock
from handlers.settings import read_hosts, read_settings
from handlers.telemetry import report_damaged, telemetry

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_FAULT_SECONDS = 30
"""How long a message is kept back after a store failed: longer than AWS usually throttles for."""
_METRICS = {
    FetchOutcome.FETCHED: "FetchSucceeded",
    FetchOutcome.FAILED: "FetchFailed",
    FetchOutcome.CLOSED: "FetchClosed",
    FetchOutcome.PUT_OFF: "FetchPutOff",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the function that fetches needs to know."""

    table: str
    idempotency_table: str
    bucket: str
    stack: str
    fetch_queue: str
    fetch_allowed_hosts: str
    fetch_per_host_per_second: int
    max_upload_bytes: int


class FetchImageHandler:
    """Takes each message through the use case; one that is put off stays in the queue, and is kept back."""

    def __init__(
        self,
        fetch_image: Callable[[ImageRef], Fetched],
        keep_back: Callable[[str, int], None],
        clock: Clock,
        logger: Logger,
        metrics: Metrics,
    ) -> None:
        self._fetch_image = fetch_image
        self._keep_back = keep_back
        self._clock = clock
        self._logger = logger
        self._metrics = metrics

    def __call__(self, event: dict[str, Any], context: "LambdaContext") -> dict[str, list[dict[str, str]]]:
        """Return which messages stay in the queue (Lambda developer guide, "Partial batch response")."""
        with (
            within(context.get_remaining_time_in_millis),
            self._logger.append_context_keys(request_id=context.aws_request_id),
        ):
            stay = [record["messageId"] for record in event["Records"] if not self._is_done(record)]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in stay]}

    def _is_done(self, record: dict[str, Any]) -> bool:
        ref = ref_in(record["body"])
        if ref is None:
            self._logger.warning("not a message of ours, ignored")
            return True
        with self._logger.append_context_keys(image_id=ref.image_id, product_id=ref.product_id):
            try:
                fetched = self._fetch_image(ref)
            except UnavailableError as error:
                self._logger.warning("a store failed, put off", exc_info=error)
                self._keep_back(record["receiptHandle"], _FAULT_SECONDS)
                return False
            except ImageRecordDamagedError as error:
                # Trying again does not mend it; once mended, the reconciler sends it again.
                report_damaged([error], self._logger, self._metrics)
                return True
            self._report(fetched)
            if fetched.again_at is None:
                return True
            wait = (fetched.again_at - self._clock()) / timedelta(seconds=1)
            self._keep_back(record["receiptHandle"], max(math.ceil(wait), 0))
            return False

    def _report(self, fetched: Fetched) -> None:
        self._metrics.add_metric(_METRICS[fetched.outcome], MetricUnit.Count, 1)
        self._metrics.flush_metrics()
        again_at = fetched.again_at.isoformat() if fetched.again_at else None
        self._logger.info(
            "fetch tried", outcome=fetched.outcome.value, again_at=again_at, reason=fetched.reason
        )


@cache
def _handler() -> FetchImageHandler:
    settings = read_settings(Settings, os.environ)
    dynamodb, clock = dynamodb_client(), partial(datetime.now, UTC)
    fetch_image = FetchImage(
        catalog=DynamoImageCatalog(dynamodb, settings.table),
        store=S3ImageStore(s3_client(), settings.bucket),
        source=Urllib3PictureSource(
            max_bytes=settings.max_upload_bytes,
            allowed_hosts=read_hosts(settings.fetch_allowed_hosts),
            look_up=look_up_of(os.environ),
        ),
        turns=DynamoHostTurns(
            dynamodb, settings.idempotency_table, settings.fetch_per_host_per_second, clock
        ),
        events=EventBridgeImageEvents(eventbridge_client(), settings.stack),
        clock=clock,
    )
    queue = SqsFetchQueue(sqs_client(), settings.fetch_queue)
    return FetchImageHandler(fetch_image, queue.keep_back, clock, *telemetry("fetch_image", settings.stack))


def __getattr__(name: str) -> FetchImageHandler:
    # Made when the runtime first asks, in the init phase; see `handlers.upload_image`.
    if name == "lambda_handler":
        return _handler()
    raise AttributeError(name)
