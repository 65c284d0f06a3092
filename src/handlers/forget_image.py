"""EventBridge: has the CDN forget the addresses of what is gone.

The events are `ImageDeleted`, `ImageTakenBack` and `ProductRemoved`.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from adapters.aws import cloudfront_client
from adapters.cloudfront_public_cache import CloudFrontPublicCache
from adapters.deadline import within
from adapters.eventbridge_image_events import PRODUCT_REMOVED
from domain.forget_image import ForgetImage
from domain.image import ImageRef
from handlers.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True, slots=True)
class Settings:
    """What the function that forgets pictures needs to know."""

    cdn: str


class ForgetImageHandler:
    """Takes the event through the use case; what the CDN does not take for now rises, to be tried again."""

    def __init__(
        self,
        forget_image: Callable[[str, str], ImageRef | None],
        forget_product: Callable[[int, str], None],
        logger: Logger,
    ) -> None:
        self._forget_image = forget_image
        self._forget_product = forget_product
        self._logger = logger

    def __call__(self, event: dict[str, Any], context: "LambdaContext") -> dict[str, list[dict[str, Any]]]:
        """Return what became of the picture, for whoever invokes the function by hand."""
        with (
            within(context.get_remaining_time_in_millis),
            self._logger.append_context_keys(request_id=context.aws_request_id),
        ):
            if event["detail-type"] == PRODUCT_REMOVED:
                product_id = int(event["detail"]["product_id"])
                self._forget_product(product_id, event["id"])
                self._logger.info("product forgotten", extra={"product_id": product_id})
                return {"images": [{"key": event["detail"]["path"], "outcome": "forgotten"}]}
            address = event["detail"]["path"]
            ref = self._forget_image(address, event["id"])
            if ref is None:
                self._logger.warning("not a picture's address, ignored")
                return {"images": [{"key": address, "outcome": "ignored"}]}
            self._logger.info(
                "image forgotten", extra={"image_id": ref.image_id, "product_id": ref.product_id}
            )
            return {"images": [{"key": address, "outcome": "forgotten"}]}


@cache
def _handler() -> ForgetImageHandler:
    settings = read_settings(Settings, os.environ)
    public_cache = CloudFrontPublicCache(cloudfront_client(), settings.cdn)
    logger = Logger(service="forget_image", use_rfc3339=True)
    return ForgetImageHandler(ForgetImage(public_cache), public_cache.forget_product, logger)


def __getattr__(name: str) -> ForgetImageHandler:
    # Made when the runtime first asks, in the init phase; see `handlers.upload_image`.
    if name == "lambda_handler":
        return _handler()
    raise AttributeError(name)
