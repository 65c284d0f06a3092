"""EventBridge `ProductRemovalRequested`: removes what belonged to a removed product, run by run."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from adapters.aws import dynamodb_client, eventbridge_client, s3_client
from adapters.deadline import within
from adapters.dynamo_belongings import DynamoBelongings
from adapters.dynamo_products import DynamoProducts
from adapters.eventbridge_image_events import EventBridgeImageEvents
from adapters.eventbridge_removals import EventBridgeRemovals
from adapters.s3_product_bytes import S3ProductBytes
from domain.product_ports import Removals
from domain.remove_product import RemoveProduct
from handlers.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_RESERVE_MILLISECONDS = 60_000
"""Time kept for the step under way, ten calls of which some may hang, and for the request to go on."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the function that removes products needs to know."""

    table: str
    bucket: str
    stack: str


class RemoveProductHandler:
    """Runs the use case within the time limit, and asks for another run if there is more to do."""

    def __init__(self, remove_product: Callable[..., bool], removals: Removals, logger: Logger) -> None:
        self._remove_product = remove_product
        self._removals = removals
        self._logger = logger

    def __call__(self, event: dict[str, Any], context: "LambdaContext") -> dict[str, object]:
        """Return whether the product is gone, for whoever invokes the function by hand."""
        product_id, removed = int(event["detail"]["product_id"]), 0

        def advance(images: int) -> None:
            nonlocal removed
            removed += images

        with (
            within(context.get_remaining_time_in_millis),
            self._logger.append_context_keys(request_id=context.aws_request_id),
        ):
            is_done = self._remove_product(
                product_id, lambda: context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS, advance
            )
            if not is_done:
                self._removals.request(product_id)
            report: dict[str, object] = {"product_id": product_id, "images": removed, "is_done": is_done}
            self._logger.info("product removed" if is_done else "removal goes on", extra=report)
            return report


@cache
def _handler() -> RemoveProductHandler:
    settings = read_settings(Settings, os.environ)
    remove_product = RemoveProduct(
        products=DynamoProducts(dynamodb_client(), settings.table),
        belongings=DynamoBelongings(dynamodb_client(), settings.table),
        product_bytes=S3ProductBytes(s3_client(), settings.bucket),
        events=EventBridgeImageEvents(eventbridge_client(), settings.stack),
        clock=partial(datetime.now, UTC),
    )
    removals = EventBridgeRemovals(eventbridge_client(), settings.stack)
    return RemoveProductHandler(remove_product, removals, Logger(service="remove_product", use_rfc3339=True))


def __getattr__(name: str) -> RemoveProductHandler:
    # Made when the runtime first asks, in the init phase; see `handlers.upload_image`.
    if name == "lambda_handler":
        return _handler()
    raise AttributeError(name)
