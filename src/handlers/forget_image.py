"""EventBridge `ImageDeleted`: has the CDN forget the picture's addresses."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from adapters.aws import cloudfront_client
from adapters.cloudfront_public_cache import CloudFrontPublicCache
from adapters.deadline import within
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

    def __init__(self, forget_image: Callable[[str], ImageRef | None], logger: Logger) -> None:
        self._forget_image = forget_image
        self._logger = logger

    def __call__(self, event: dict[str, Any], context: "LambdaContext") -> dict[str, list[dict[str, Any]]]:
        """Return what became of the picture, for whoever invokes the function by hand."""
        with (
            within(context.get_remaining_time_in_millis),
            self._logger.append_context_keys(request_id=context.aws_request_id),
        ):
            address = event["detail"]["path"]
            ref = self._forget_image(address)
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
    forget_image = ForgetImage(CloudFrontPublicCache(cloudfront_client(), settings.cdn))
    return ForgetImageHandler(forget_image, Logger(service="forget_image", use_rfc3339=True))


def __getattr__(name: str) -> ForgetImageHandler:
    # Made when the runtime first asks, in the init phase; see `handlers.upload_image`.
    if name == "lambda_handler":
        return _handler()
    raise AttributeError(name)
