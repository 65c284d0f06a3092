"""Events on the account's default EventBridge bus."""

import json
from typing import TYPE_CHECKING

from adapters.aws import passing_errors_as_unavailable
from domain.errors import UnavailableError
from domain.image_events import ImageEventKind, ImageSummary
from domain.moments import iso_utc

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE = "product-images"
SCHEMA_VERSION = "1"
"""Grows when a member changes its meaning or goes; new members do not change it (docs/events.md)."""


class EventBridgeImageEvents:
    """Puts one event a call."""

    def __init__(self, client: "EventBridgeClient") -> None:
        self._client = client

    def send(self, kind: ImageEventKind, image: ImageSummary) -> None:
        """Put the event; an entry that the bus refuses is as good as not sent."""
        with passing_errors_as_unavailable():
            answer = self._client.put_events(
                Entries=[{"Source": SOURCE, "DetailType": kind, "Detail": json.dumps(detail_of(image))}]
            )
        if answer["FailedEntryCount"]:
            raise UnavailableError(image.ref)


def detail_of(image: ImageSummary) -> dict[str, object]:
    """Return the event's detail as docs/events.md describes it."""
    facts, failure = image.facts, image.failure
    return {
        "schema_version": SCHEMA_VERSION,
        "id": image.ref.image_id,
        "product_id": image.ref.product_id,
        "type": image.image_format.name,
        "path": f"/{image.ref.media_key(image.image_format)}",
        "size": image.size_bytes,
        "width": facts.width_px if facts else None,
        "height": facts.height_px if facts else None,
        "mode": facts.mode if facts else None,
        "error": failure.reason if failure else None,
        "error_code": failure.code if failure else None,
        "created_at": iso_utc(image.created_at),
        "updated_at": iso_utc(image.updated_at),
    }
