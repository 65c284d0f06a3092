"""Every hour: brings to an end what was begun and left."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

import domain.rendition  # noqa: F401 - loaded before the first record that names files is read
from adapters.aws import dynamodb_client, eventbridge_client, lambda_client, s3_client, sqs_client
from adapters.deadline import within
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_products import DynamoProducts
from adapters.eventbridge_image_events import EventBridgeImageEvents
from adapters.eventbridge_removals import EventBridgeRemovals
from adapters.lambda_inspections import LambdaInspections
from adapters.lambda_renderings import LambdaRenderings
from adapters.s3_image_store import S3ImageStore
from adapters.sqs_fetch_queue import SqsFetchQueue
from domain.reconcile import Outcome, Reconcile, Reconciliation
from handlers.settings import read_settings
from handlers.telemetry import report_damaged, telemetry

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_RESERVE_MILLISECONDS = 20_000
"""Time kept for the record that is being dealt with: six calls, one of which may run into its time limit."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the reconciler needs to know."""

    table: str
    bucket: str
    stack: str
    extract_metadata_function: str
    render_image_function: str
    fetch_queue: str


class ReconcileHandler:
    """Runs the use case within the time limit and reports what it did."""

    def __init__(
        self, reconcile: Callable[[Callable[[], bool]], Reconciliation], logger: Logger, metrics: Metrics
    ) -> None:
        self._reconcile = reconcile
        self._logger = logger
        self._metrics = metrics

    def __call__(self, _event: object, context: "LambdaContext") -> dict[str, object]:
        """Return what was done, for whoever invokes the function by hand.

        Once all is reported it raises what somebody must look at: a fault that nobody foresaw, or damage.
        """
        with (
            within(context.get_remaining_time_in_millis),
            self._logger.append_context_keys(request_id=context.aws_request_id),
        ):
            done = self._reconcile(lambda: context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS)
            for outcome in Outcome:
                name = outcome.title().replace("_", "")
                self._metrics.add_metric(name, MetricUnit.Count, done.outcomes[outcome])
            age_seconds = done.oldest_pending.total_seconds()
            self._metrics.add_metric("OldestPendingAge", MetricUnit.Seconds, age_seconds)
            self._metrics.flush_metrics()
            report: dict[str, object] = {
                **{outcome.value: done.outcomes[outcome] for outcome in Outcome},
                "oldest_pending_seconds": age_seconds,
                "is_complete": done.is_complete,
            }
            self._logger.info("reconciled", extra=report)
            report_damaged(done.damaged, self._logger, self._metrics)
            for error in (done.fault, *done.damaged):
                if error:
                    raise error
            return report


@cache
def _handler() -> ReconcileHandler:
    settings = read_settings(Settings, os.environ)
    reconcile = Reconcile(
        catalog=DynamoImageCatalog(dynamodb_client(), settings.table),
        store=S3ImageStore(s3_client(), settings.bucket),
        inspections=LambdaInspections(lambda_client(), settings.extract_metadata_function),
        renderings=LambdaRenderings(lambda_client(), settings.render_image_function),
        fetches=SqsFetchQueue(sqs_client(), settings.fetch_queue),
        events=EventBridgeImageEvents(eventbridge_client(), settings.stack),
        products=DynamoProducts(dynamodb_client(), settings.table),
        removals=EventBridgeRemovals(eventbridge_client(), settings.stack),
        clock=partial(datetime.now, UTC),
    )
    return ReconcileHandler(reconcile, *telemetry("reconcile", settings.stack))


def __getattr__(name: str) -> ReconcileHandler:
    # Made when the runtime first asks, in the init phase; see `handlers.upload_image`.
    if name == "lambda_handler":
        return _handler()
    raise AttributeError(name)
