import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError

from adapters.aws import eventbridge_client, lambda_client
from adapters.eventbridge_image_events import EventBridgeImageEvents
from adapters.lambda_inspections import LambdaInspections
from adapters.lambda_renderings import LambdaRenderings, ready_event
from domain.errors import UnavailableError
from domain.image import ImageStatus
from domain.image_details import ImageDetails
from domain.image_events import ImageEventKind, ImageSummary
from local.template import ROOT
from tests.builders import DAMAGED, TOKEN, a_ready_image, a_ref, an_image
from tests.integration.faults import answer_with, hook

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

READY = ImageSummary.of(a_ready_image())
DOCUMENTED = (ROOT / "docs/events.md").read_text()


class Bus:
    """An EventBridge client whose calls are answered here."""

    def __init__(self, failed: int = 0) -> None:
        self.client = eventbridge_client()
        self.entries: list[dict[str, Any]] = []
        response = AWSResponse("", 200, HTTPHeaders(), None)

        def answer(params: dict[str, Any], **_: object) -> tuple[AWSResponse, dict[str, Any]]:
            self.entries += json.loads(params["body"])["Entries"]
            return response, {"FailedEntryCount": failed, "Entries": []}

        hook(self.client, "before-call", answer)


@pytest.mark.parametrize("kind", ImageEventKind)
def test_an_event_is_what_the_documentation_says(kind: ImageEventKind) -> None:
    bus = Bus()
    EventBridgeImageEvents(bus.client, "shop").send(kind, READY)
    [entry] = bus.entries
    detail = json.loads(entry.pop("Detail"))
    assert entry == {"Source": "product-images", "DetailType": kind.value}
    example = json.loads(DOCUMENTED.partition("```json")[2].partition("```")[0])
    assert {name: type(value) for name, value in detail.items()} == {
        name: type(value) for name, value in example.items()
    }
    for word in (kind.value, "product-images", *detail):
        assert f"`{word}`" in DOCUMENTED
    assert (detail["stack"], detail["path"]) == ("shop", f"/media/42/1-{TOKEN}.jpg")


def test_a_change_is_told_with_the_fields_that_changed() -> None:
    bus = Bus()
    EventBridgeImageEvents(bus.client, "shop").send_changed(READY, ["alt_text", "is_primary"])
    [entry] = bus.entries
    detail = json.loads(entry.pop("Detail"))
    assert entry == {"Source": "product-images", "DetailType": "ImageChanged"}
    assert detail.pop("changed") == ["alt_text", "is_primary"]
    EventBridgeImageEvents(bus.client, "shop").send(ImageEventKind.READY, READY)
    assert detail == json.loads(bus.entries[1]["Detail"])


def test_a_new_order_is_told_of_the_product_alone() -> None:
    bus = Bus()
    EventBridgeImageEvents(bus.client, "shop").send_reordered(42)
    [entry] = bus.entries
    detail = json.loads(entry.pop("Detail"))
    assert entry == {"Source": "product-images", "DetailType": "GalleryReordered"}
    assert detail == {"schema_version": "1", "stack": "shop", "product_id": 42}


def test_a_picture_that_was_taken_back_is_told_by_what_its_addresses_begin_with() -> None:
    bus = Bus()
    EventBridgeImageEvents(bus.client, "shop").send_taken_back(a_ref())
    [entry] = bus.entries
    detail = json.loads(entry.pop("Detail"))
    assert entry == {"Source": "product-images", "DetailType": "ImageTakenBack"}
    assert detail == {"schema_version": "1", "stack": "shop", "path": f"/{a_ref().media_prefix}"}


@pytest.mark.parametrize(
    "word",
    ["ImageTakenBack", "ImageChanged", "GalleryReordered", "changed", *ImageDetails._fields, "is_primary"],
)
def test_the_documentation_names_what_is_told_of_changes(word: str) -> None:
    assert f"`{word}`" in DOCUMENTED


def test_an_event_holds_nothing_that_a_client_wrote() -> None:
    bus = Bus()
    image = an_image(name="secret.jpg", alt_text="secret", status=ImageStatus.FAILED, failure=DAMAGED)
    EventBridgeImageEvents(bus.client, "shop").send(ImageEventKind.FAILED, ImageSummary.of(image))
    assert "secret" not in json.dumps(bus.entries)
    assert "maria" not in json.dumps(bus.entries)
    detail = json.loads(bus.entries[0]["Detail"])
    assert (detail["error"], detail["error_code"]) == ("It is damaged.", "corrupt")


def test_an_entry_that_the_bus_refuses_was_not_sent() -> None:
    with pytest.raises(UnavailableError):
        EventBridgeImageEvents(Bus(failed=1).client, "shop").send(ImageEventKind.READY, READY)


def test_a_bus_that_throttles_is_a_passing_fault_and_one_that_denies_is_not() -> None:
    client = eventbridge_client()
    answer_with(client, "ThrottlingException")
    with pytest.raises(UnavailableError):
        EventBridgeImageEvents(client, "shop").send(ImageEventKind.READY, READY)
    client = eventbridge_client()
    answer_with(client, "AccessDeniedException")
    with pytest.raises(ClientError):
        EventBridgeImageEvents(client, "shop").send(ImageEventKind.READY, READY)


def calls_of(client: "LambdaClient") -> list[dict[str, Any]]:
    """Return the calls of Lambda as they are made from now on, each of which is accepted."""
    calls: list[dict[str, Any]] = []
    response = AWSResponse("", 202, HTTPHeaders(), None)

    def answer(params: dict[str, Any], **_: object) -> tuple[AWSResponse, dict[str, Any]]:
        calls.append(params)
        return response, {"StatusCode": 202}

    hook(client, "before-call", answer)
    return calls


def test_an_inspection_is_asked_for_as_s3_does_and_not_waited_for() -> None:
    client = lambda_client()
    calls = calls_of(client)
    LambdaInspections(client, "extract").request(a_ref())
    [call] = calls
    assert call["headers"]["X-Amz-Invocation-Type"] == "Event"
    assert call["url_path"] == "/2015-03-31/functions/extract/invocations"
    [record] = json.loads(call["body"])["Records"]
    assert record["s3"]["object"] == {"key": quote_plus(a_ref().incoming_key)}


def test_a_rendering_is_asked_for_as_eventbridge_does_and_not_waited_for() -> None:
    client = lambda_client()
    calls = calls_of(client)
    LambdaRenderings(client, "render").request(a_ready_image())
    [call] = calls
    assert call["headers"]["X-Amz-Invocation-Type"] == "Event"
    assert call["url_path"] == "/2015-03-31/functions/render/invocations"
    assert json.loads(call["body"]) == ready_event(a_ready_image())


def test_a_function_that_takes_no_more_calls_is_a_passing_fault() -> None:
    client = lambda_client()
    answer_with(client, "TooManyRequestsException", 429)
    with pytest.raises(UnavailableError):
        LambdaInspections(client, "extract").request(a_ref())
