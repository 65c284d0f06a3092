"""Events on the account's default EventBridge bus."""

import json
from collections.abc import Mapping, Sequence
from itertools import batched
from typing import TYPE_CHECKING

from adapters.aws import passing_errors_as_unavailable
from domain.errors import UnavailableError
from domain.image import ImageRef
from domain.image_events import ImageEventKind, ImageSummary
from domain.moments import iso_utc

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

SOURCE = "product-images"
CHANGED = "ImageChanged"
REORDERED = "GalleryReordered"
PRODUCT_REMOVED = "ProductRemoved"
"""The detail types of events that are of no one picture."""
TAKEN_BACK = "ImageTakenBack"
"""The detail type of an event that is for this stack alone."""
_MOST_ENTRIES = 10
"""That EventBridge takes in a call (its API reference, PutEvents)."""
SCHEMA_VERSION = "1"
"""Grows when a member changes its meaning or goes; new members do not change it (docs/events.md)."""


class EventBridgeImageEvents:
    """Puts events in the name of the stack that they speak of."""

    def __init__(self, client: "EventBridgeClient", stack: str) -> None:
        self._client = client
        self._stack = stack

    def send(self, kind: ImageEventKind, image: ImageSummary) -> None:
        """Put the event; an entry that the bus refuses is as good as not sent."""
        self._put(kind, detail_of(image), image.ref)

    def send_changed(self, image: ImageSummary, fields: Sequence[str]) -> None:
        """Put the event, with the names that the fields have in the API."""
        self._put(CHANGED, {**detail_of(image), "changed": list(fields)}, image.ref)

    def send_reordered(self, product_id: int) -> None:
        """Put the event; it names the product alone, since the order may be another one when it arrives."""
        self._put(REORDERED, {"product_id": product_id})

    def send_taken_back(self, ref: ImageRef) -> None:
        """Put the event, with what all addresses of the picture begin with."""
        self._put(TAKEN_BACK, {"path": f"/{ref.media_prefix}"}, ref)

    def send_deleted_with_product(self, images: Sequence[ImageSummary]) -> None:
        """Put the events by tens, marked, since their addresses are forgotten with the product's."""
        for batch in batched(images, _MOST_ENTRIES, strict=False):
            self._put_all(
                [
                    self._entry(ImageEventKind.DELETED, {**detail_of(image), "product_removed": True})
                    for image in batch
                ]
            )

    def send_product_removed(self, product_id: int) -> None:
        """Put the event, with what all addresses of the product's pictures begin with."""
        self._put(PRODUCT_REMOVED, {"product_id": product_id, "path": f"/media/{product_id}/"})

    def _put(self, detail_type: str, detail: Mapping[str, object], ref: ImageRef | None = None) -> None:
        self._put_all([self._entry(detail_type, detail)], ref)

    def _entry(self, detail_type: str, detail: Mapping[str, object]) -> "PutEventsRequestEntryTypeDef":
        whole = {"schema_version": SCHEMA_VERSION, "stack": self._stack, **detail}
        return {"Source": SOURCE, "DetailType": detail_type, "Detail": json.dumps(whole)}

    def _put_all(
        self, entries: "Sequence[PutEventsRequestEntryTypeDef]", ref: ImageRef | None = None
    ) -> None:
        with passing_errors_as_unavailable():
            answer = self._client.put_events(Entries=entries)
        if answer["FailedEntryCount"]:
            raise UnavailableError(ref)


def detail_of(image: ImageSummary) -> dict[str, object]:
    """Return what the detail says of the picture, as docs/events.md describes it."""
    facts, failure = image.facts, image.failure
    return {
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
        "renditions": _files_of(image),
        "created_at": iso_utc(image.created_at),
        "updated_at": iso_utc(image.updated_at),
    }


def _files_of(image: ImageSummary) -> list[dict[str, object]] | None:
    look = image.look
    if look is None:
        return None
    return [
        {
            "path": f"/media/{look.path(image.ref, each)}",
            "type": each.image_format.name,
            "width": each.width_px,
            "height": each.height_px,
            "size": each.size_bytes,
            "is_animated": each.is_animated,
        }
        for each in look.renditions
    ]
