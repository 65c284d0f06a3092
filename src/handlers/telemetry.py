"""What a function tells its operators by: log lines and metrics, alike for all."""

from aws_lambda_powertools import Logger, Metrics

_NAMESPACE = "ProductImages"


def telemetry(service: str, stack: str) -> tuple[Logger, Metrics]:
    """Return the logger and the metrics of a function; `stack` and `service` tell its metrics from others.

    Times are RFC 3339: without that Lambda does not read a record's level (its guide, "Log-level filtering").
    """
    metrics = Metrics(namespace=_NAMESPACE, service=service)
    metrics.set_default_dimensions(stack=stack)
    return Logger(service=service, use_rfc3339=True), metrics
