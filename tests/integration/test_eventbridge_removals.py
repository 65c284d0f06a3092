import json
from typing import Any

import pytest
from moto import mock_aws

from adapters.aws import eventbridge_client
from adapters.eventbridge_removals import EventBridgeRemovals
from domain.errors import UnavailableError
from tests.integration.faults import hook


def test_a_removal_is_asked_for_by_an_event_of_this_stack() -> None:
    made: list[dict[str, Any]] = []
    with mock_aws():
        client = eventbridge_client()
        hook(client, "before-call", lambda params, **_: made.append(json.loads(params["body"])))
        EventBridgeRemovals(client, "shop").request(42)
    [[entry]] = [request["Entries"] for request in made]
    assert (entry["Source"], entry["DetailType"]) == ("product-images", "ProductRemovalRequested")
    assert json.loads(entry["Detail"]) == {"stack": "shop", "product_id": 42}


def test_an_entry_that_the_bus_refuses_is_as_good_as_not_sent() -> None:
    with mock_aws():
        client = eventbridge_client()
        hook(client, "after-call", lambda parsed, **_: parsed.update(FailedEntryCount=1))
        with pytest.raises(UnavailableError):
            EventBridgeRemovals(client, "shop").request(42)
