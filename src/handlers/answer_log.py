"""What functions that take no key log of each request."""

from typing import Any

from aws_lambda_powertools import Logger

from handlers.problems import HttpResponse


def log_answer(logger: Logger, event: dict[str, Any], response: HttpResponse) -> None:
    """Log method, route and status of one request, and no header or query of it."""
    logger.info(
        "answered",
        request_id=event["requestContext"]["extendedRequestId"],
        method=event["httpMethod"],
        resource=event["resource"],
        status=response["statusCode"],
    )
