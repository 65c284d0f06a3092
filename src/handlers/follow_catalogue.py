"""EventBridge `ProductCreated`, `ProductChanged`, `ProductDeleted` of the shop's catalogue: follows them."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from adapters.aws import dynamodb_client, eventbridge_client
from adapters.deadline import within
from adapters.dynamo_products import DynamoProducts
from adapters.eventbridge_removals import EventBridgeRemovals
from domain.errors import FieldFault, InvalidFieldsError
from domain.follow_catalogue import CatalogueEvent, CatalogueEventKind, FollowCatalogue, Followed
from domain.image import MAX_ID
from handlers.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@dataclass(frozen=True, slots=True)
class Settings:
    """What the function that follows the catalogue needs to know."""

    table: str
    stack: str


class FollowCatalogueHandler:
    """Takes one event through the use case; what cannot be read rises, and comes to the failure queue."""

    def __init__(self, follow: Callable[[CatalogueEvent], Followed], logger: Logger) -> None:
        self._follow = follow
        self._logger = logger

    def __call__(self, event: dict[str, Any], context: "LambdaContext") -> dict[str, object]:
        """Return what came of the event, for whoever invokes the function by hand."""
        with (
            within(context.get_remaining_time_in_millis),
            self._logger.append_context_keys(request_id=context.aws_request_id),
        ):
            told = read_event(event)
            followed = self._follow(told)
            report: dict[str, object] = {"product_id": told.product_id, "outcome": followed.value}
            self._logger.info("catalogue followed", extra=report)
            return report


def read_event(event: dict[str, Any]) -> CatalogueEvent:
    """Read an event as docs/catalogue.schema.json describes it; other members are passed over.

    Raises:
        InvalidFieldsError: with every member that is missing, or is not what it should be.

    """
    detail = event["detail"]
    faults = [
        FieldFault(name, message)
        for name, message, is_right in (
            ("schema_version", 'Must be "1", or missing.', detail.get("schema_version", "1") == "1"),
            ("product_id", "Must be an integer from 1 to 9007199254740991.", _is_identifier(detail)),
            ("title", "Must be a text, null, or missing.", _is_title(detail.get("title"))),
            (
                "occurred_at",
                "Must be a moment as in RFC 3339, such as 2026-11-30T12:00:00.000Z.",
                _moment(detail.get("occurred_at")) is not None,
            ),
        )
        if not is_right
    ]
    occurred_at = _moment(detail.get("occurred_at"))
    if faults or occurred_at is None:
        raise InvalidFieldsError(faults)
    kind = CatalogueEventKind(event["detail-type"])
    return CatalogueEvent(kind, detail["product_id"], detail.get("title"), occurred_at)


def _is_identifier(detail: dict[str, Any]) -> bool:
    value = detail.get("product_id")
    return type(value) is int and 1 <= value <= MAX_ID


def _is_title(value: object) -> bool:
    # Half a surrogate pair can stand in JSON, but in no table.
    is_half = isinstance(value, str) and any("\ud800" <= each <= "\udfff" for each in value)
    return isinstance(value, str | None) and not is_half


def _moment(value: object) -> datetime | None:
    """Read a moment that says how far it is from UTC."""
    try:
        moment = datetime.fromisoformat(str(value))
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):  # the first and the last day, elsewhere, are no days in UTC
        return None


@cache
def _handler() -> FollowCatalogueHandler:
    settings = read_settings(Settings, os.environ)
    follow = FollowCatalogue(
        DynamoProducts(dynamodb_client(), settings.table),
        EventBridgeRemovals(eventbridge_client(), settings.stack),
        partial(datetime.now, UTC),
    )
    return FollowCatalogueHandler(follow, Logger(service="follow_catalogue", use_rfc3339=True))


def __getattr__(name: str) -> FollowCatalogueHandler:
    # Made when the runtime first asks, in the init phase; see `handlers.upload_image`.
    if name == "lambda_handler":
        return _handler()
    raise AttributeError(name)
