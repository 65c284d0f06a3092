"""Has removals of products brought to their end by the function that a rule starts."""

import json
from typing import TYPE_CHECKING

from adapters.aws import passing_errors_as_unavailable
from adapters.eventbridge_image_events import SOURCE
from domain.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

REMOVAL_REQUESTED = "ProductRemovalRequested"
"""The detail type of an event that is for this stack alone."""


class EventBridgeRemovals:
    """Puts an event: EventBridge and Lambda retry it, and at last hand it to the failure queue."""

    def __init__(self, client: "EventBridgeClient", stack: str) -> None:
        self._client = client
        self._stack = stack

    def request(self, product_id: int) -> None:
        """Put the event; an entry that the bus refuses is as good as not sent."""
        detail = json.dumps({"stack": self._stack, "product_id": product_id})
        with passing_errors_as_unavailable():
            answer = self._client.put_events(
                Entries=[{"Source": SOURCE, "DetailType": REMOVAL_REQUESTED, "Detail": detail}]
            )
        if answer["FailedEntryCount"]:
            raise UnavailableError
