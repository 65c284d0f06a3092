"""EventBridge ImageReady: makes of the picture what a storefront shows."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from adapters.aws import dynamodb_client, eventbridge_client, s3_client
from adapters.child_process_renderer import ChildProcessRenderer
from adapters.deadline import within
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.eventbridge_image_events import EventBridgeImageEvents
from adapters.pillow_image_renderer import PillowImageRenderer
from adapters.s3_image_store import S3ImageStore
from domain.errors import NotRenderableError
from domain.image import ImageRef
from domain.recipe import Recipe, read_widths
from domain.render_image import RenderImage, Rendering
from handlers.settings import read_settings
from handlers.telemetry import telemetry

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

RENDERER_SECONDS = 70
"""Of the function's 90. The largest files of noise take 25 s on one core (measured)."""
RENDERER_MEMORY_BYTES = 1_700_000_000
"""Of the function's 2,048 MB; a WEBP of 100 megapixels takes 1.5 GB while it is decoded (measured)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the render function needs to know."""

    table: str
    bucket: str
    stack: str
    max_image_pixels: int
    rendition_widths: str
    fallback_widths: str
    avif_quality: int
    avif_speed: int


class RenderImageHandler:
    """Takes one event through the use case; what fails rises, to be retried and at last kept."""

    def __init__(
        self, render_image: Callable[[ImageRef], Rendering], logger: Logger, metrics: Metrics
    ) -> None:
        self._render_image = render_image
        self._logger = logger
        self._metrics = metrics

    def __call__(self, event: dict[str, Any], context: "LambdaContext") -> dict[str, list[dict[str, str]]]:
        """Return what became of the picture, for whoever invokes the function by hand."""
        with (
            within(context.get_remaining_time_in_millis),
            self._logger.append_context_keys(request_id=context.aws_request_id),
        ):
            # The path holds the token, without which nobody knows where the bytes lie.
            path = str(event.get("detail", {}).get("path"))
            return {"images": [{"key": path, "outcome": self._process(path)}]}

    def _process(self, path: str) -> str:
        ref = ImageRef.from_address(path)
        if ref is None:
            self._logger.warning("not a picture's address, ignored")
            return "ignored"
        with self._logger.append_context_keys(image_id=ref.image_id, product_id=ref.product_id):
            return self._render(ref).value

    def _render(self, ref: ImageRef) -> Rendering:
        try:
            outcome = self._render_image(ref)
        except NotRenderableError as error:
            self._count("ImagesNotRendered")
            self._logger.warning("image not rendered", reason=error.why)
            raise
        if outcome is Rendering.RENDERED:
            self._count("ImagesRendered")
        self._logger.info("image rendered", outcome=outcome.value)
        return outcome

    def _count(self, name: str) -> None:
        self._metrics.add_metric(name, MetricUnit.Count, 1)
        self._metrics.flush_metrics()


@cache
def _handler() -> RenderImageHandler:
    settings = read_settings(Settings, os.environ)
    render_image = RenderImage(
        catalog=DynamoImageCatalog(dynamodb_client(), settings.table),
        store=S3ImageStore(s3_client(), settings.bucket),
        renderer=ChildProcessRenderer(
            PillowImageRenderer(settings.max_image_pixels),
            max_seconds=RENDERER_SECONDS,
            max_memory_bytes=RENDERER_MEMORY_BYTES,
        ),
        events=EventBridgeImageEvents(eventbridge_client(), settings.stack),
        clock=partial(datetime.now, UTC),
        recipe=Recipe(
            read_widths(settings.rendition_widths),
            read_widths(settings.fallback_widths),
            settings.avif_quality,
            settings.avif_speed,
        ),
    )
    return RenderImageHandler(render_image, *telemetry("render_image", settings.stack))


def __getattr__(name: str) -> RenderImageHandler:
    # Made when the runtime first asks, in the init phase; see `handlers.upload_image`.
    if name == "lambda_handler":
        return _handler()
    raise AttributeError(name)
