"""The log lines and metrics of a function, in the same form for all."""

from collections.abc import Sequence

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from domain.errors import ImageRecordDamagedError

_NAMESPACE = "ProductImages"


def telemetry(service: str, stack: str) -> tuple[Logger, Metrics]:
    """Return the logger and the metrics of a function; `stack` and `service` tell its metrics from others.

    Times are RFC 3339: without that Lambda does not read a record's level (its guide, "Log-level filtering").
    """
    metrics = Metrics(namespace=_NAMESPACE, service=service)
    metrics.set_default_dimensions(stack=stack)
    return Logger(service=service, use_rfc3339=True), metrics


def report_damaged(damaged: Sequence[ImageRecordDamagedError], logger: Logger, metrics: Metrics) -> None:
    """Name each record that cannot be read, and count them; docs/operate.md says what to do."""
    for error in damaged:
        logger.error(
            "damaged record",
            image_id=error.image_id,
            product_id=error.product_id,
            attribute=error.attribute,
        )
    if damaged:
        metrics.add_metric("DamagedRecords", MetricUnit.Count, len(damaged))
        metrics.flush_metrics()
