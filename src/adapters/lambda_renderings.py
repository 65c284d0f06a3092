"""Has the render function make files of a picture, as EventBridge does."""

import json
from typing import TYPE_CHECKING

from adapters.aws import passing_errors_as_unavailable
from adapters.eventbridge_image_events import SOURCE, detail_of
from domain.image import ProductImage
from domain.image_events import ImageEventKind, ImageSummary

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class LambdaRenderings:
    """Invokes the function asynchronously: Lambda retries it, and at last hands it to the failure queue."""

    def __init__(self, client: "LambdaClient", function: str) -> None:
        self._client = client
        self._function = function

    def request(self, image: ProductImage) -> None:
        """Send the event to this function alone: to all others it is told that the picture is ready."""
        with passing_errors_as_unavailable():
            self._client.invoke(
                FunctionName=self._function,
                InvocationType="Event",
                Payload=json.dumps(ready_event(image)),
            )


def ready_event(image: ProductImage) -> dict[str, object]:
    """Return what of EventBridge's event the function reads (EventBridge user guide, "Event structure")."""
    return {
        "source": SOURCE,
        "detail-type": ImageEventKind.READY.value,
        "detail": detail_of(ImageSummary.of(image)),
    }
