"""S3 ObjectCreated: makes the public copy of the picture that came in and completes its record."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

import domain.rendition  # noqa: F401 - loaded before the first record that names files is read
from adapters.aws import dynamodb_client, eventbridge_client, s3_client
from adapters.child_process_inspector import ChildProcessInspector
from adapters.deadline import within
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.eventbridge_image_events import EventBridgeImageEvents
from adapters.pillow_image_inspector import PillowImageInspector
from adapters.s3_image_store import S3ImageStore
from domain.extract_metadata import Completion, ExtractMetadata
from domain.image import ImageRef, ImageStatus
from handlers.settings import read_settings
from handlers.telemetry import telemetry

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


DECODER_SECONDS = 8
"""Leaves two of the ten seconds that a picture may take for fetching and recording it."""
DECODER_MEMORY_BYTES = 1_800_000_000
"""Of the function's 2,048 MB; a WEBP of 100 megapixels takes 1.5 GB while it is decoded (measured)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the metadata function needs to know."""

    table: str
    bucket: str
    stack: str
    max_image_pixels: int


class ExtractMetadataHandler:
    """Takes each record of an S3 event through the use case; what fails for now rises, to be retried."""

    def __init__(
        self,
        extract_metadata: Callable[[ImageRef], Completion | None],
        logger: Logger,
        metrics: Metrics,
    ) -> None:
        self._extract_metadata = extract_metadata
        self._logger = logger
        self._metrics = metrics

    def __call__(self, event: dict[str, Any], context: "LambdaContext") -> dict[str, list[dict[str, Any]]]:
        """Return what became of each picture, for whoever invokes the function by hand."""
        with (
            within(context.get_remaining_time_in_millis),
            self._logger.append_context_keys(request_id=context.aws_request_id),
        ):
            # S3 sends an event without records when the notification is set up.
            return {"images": [self._process(record) for record in event.get("Records", [])]}

    def _process(self, record: dict[str, Any]) -> dict[str, Any]:
        # S3 writes keys as in a URL's query (S3 user guide, "Event message structure").
        key = unquote_plus(record["s3"]["object"]["key"])
        ref = ImageRef.from_incoming_key(key)
        if ref is None:
            self._logger.warning("not a key of ours, ignored")
            return {"key": key, "outcome": "ignored"}
        with self._logger.append_context_keys(image_id=ref.image_id, product_id=ref.product_id):
            completion = self._extract_metadata(ref)
            if completion is None:
                self._logger.info("bytes or record are gone, nothing to complete")
                return {"key": key, "outcome": "gone"}
            if completion.is_new:
                self._report(completion)
            return {"key": key, "outcome": completion.image.status.value}

    def _report(self, completion: Completion) -> None:
        image = completion.image
        if image.status is ImageStatus.READY:
            # The clock of the machine that took the picture in may be ahead.
            waited = max(image.updated_at - image.created_at, timedelta(0))
            time_to_ready = waited / timedelta(milliseconds=1)
            self._metrics.add_metric("ImagesReady", MetricUnit.Count, 1)
            self._metrics.add_metric("TimeToReady", MetricUnit.Milliseconds, time_to_ready)
        else:
            self._metrics.add_metric("ImagesFailed", MetricUnit.Count, 1)
        self._metrics.flush_metrics()
        failure = image.failure
        self._logger.info(
            "image inspected",
            status=image.status.value,
            error=failure.reason if failure else None,
            error_code=failure.code if failure else None,
        )


@cache
def _handler() -> ExtractMetadataHandler:
    settings = read_settings(Settings, os.environ)
    extract_metadata = ExtractMetadata(
        catalog=DynamoImageCatalog(dynamodb_client(), settings.table),
        store=S3ImageStore(s3_client(), settings.bucket),
        inspector=ChildProcessInspector(
            PillowImageInspector(settings.max_image_pixels),
            max_pixels=settings.max_image_pixels,
            max_seconds=DECODER_SECONDS,
            max_memory_bytes=DECODER_MEMORY_BYTES,
        ),
        events=EventBridgeImageEvents(eventbridge_client(), settings.stack),
        clock=partial(datetime.now, UTC),
    )
    return ExtractMetadataHandler(extract_metadata, *telemetry("extract_metadata", settings.stack))


def __getattr__(name: str) -> ExtractMetadataHandler:
    # Made when the runtime first asks, in the init phase; see `handlers.upload_image`.
    if name == "lambda_handler":
        return _handler()
    raise AttributeError(name)
