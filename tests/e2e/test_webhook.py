"""Events by HTTPS, as the template's rule and connection send them, to a receiver that is not always well.

The emulator delivers each event once: that EventBridge tries again for a day, and hands what was never taken
to the failure queue, is the template's word alone (`tests/infrastructure/test_permissions.py`).
"""

import json
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Event, Thread
from typing import Any

import pytest

from local.deployment import STACK
from local.system import State
from local.template import read_template
from tests.builders import picture
from tests.e2e.shop import Shop

SECRET = "0123456789abcdef"  # noqa: S105 - it opens nothing
NAME = "webhook-tried"
SECONDS = 60


class Receiver:
    """A server that takes events, refuses them, or does not answer while it `is_held`."""

    def __init__(self) -> None:
        self.status = HTTPStatus.NO_CONTENT
        self.taken: Queue[tuple[str | None, dict[str, Any]]] = Queue()
        self.refused: Queue[dict[str, Any]] = Queue()
        self.free = Event()
        self.free.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = receiver.status
                receiver.free.wait(SECONDS)
                self.send_response(status)
                self.end_headers()
                if status is HTTPStatus.NO_CONTENT:
                    receiver.taken.put((self.headers["X-Webhook-Secret"], event))
                else:
                    receiver.refused.put(event)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/events"

    def next_of(self, product_id: int, kind: str) -> tuple[str | None, dict[str, Any]]:
        """Wait for an event of a kind and a product; those before it are passed over."""
        while True:
            secret, event = self.taken.get(timeout=SECONDS)
            if (event["detail"]["product_id"], event["detail-type"]) == (product_id, kind):
                return secret, event

    def close(self) -> None:
        self.free.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver(system: State) -> Iterator[Receiver]:
    """A receiver that the template's rule sends to, made by its own words but for the address."""
    receiver, events = Receiver(), system.endpoint.client("events")
    resources = read_template()["Resources"]
    key = resources["WebhookConnection"]["Properties"]["AuthParameters"]["ApiKeyAuthParameters"]
    destination = resources["WebhookDestination"]["Properties"]
    rule = resources["WebhookRule"]["Properties"]
    connection = events.create_connection(
        Name=NAME,
        AuthorizationType="API_KEY",
        AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": key["ApiKeyName"], "ApiKeyValue": SECRET}},
    )
    made = events.create_api_destination(
        Name=NAME,
        ConnectionArn=connection["ConnectionArn"],
        InvocationEndpoint=receiver.url,
        HttpMethod=destination["HttpMethod"],
        InvocationRateLimitPerSecond=destination["InvocationRateLimitPerSecond"],
    )
    pattern = {**rule["EventPattern"], "detail": {"stack": [STACK]}}
    events.put_rule(Name=NAME, EventPattern=json.dumps(pattern))
    [target] = rule["Targets"]
    events.put_targets(
        Rule=NAME,
        Targets=[
            {"Id": target["Id"], "Arn": made["ApiDestinationArn"], "RetryPolicy": target["RetryPolicy"]}
        ],
    )
    yield receiver
    events.remove_targets(Rule=NAME, Ids=[target["Id"]])
    events.delete_rule(Name=NAME)
    events.delete_api_destination(Name=NAME)
    events.delete_connection(Name=NAME)
    receiver.close()


def test_the_webhook_gets_the_whole_event_and_the_secret(
    shop: Shop, receiver: Receiver, product_id: int
) -> None:
    image = shop.add(picture("JPEG"), product_id=product_id)
    secret, event = receiver.next_of(product_id, "ImageReady")
    assert secret == SECRET
    assert (event["source"], event["detail"]["id"], event["detail"]["stack"]) == (
        "product-images",
        image.id,
        STACK,
    )


def test_a_receiver_that_fails_holds_nothing_up_and_gets_what_comes_after(
    shop: Shop, receiver: Receiver, product_id: int
) -> None:
    receiver.status = HTTPStatus.SERVICE_UNAVAILABLE
    # It becomes ready although nobody hears of it.
    refused = shop.add(picture("JPEG"), product_id=product_id)
    assert receiver.refused.get(timeout=SECONDS)["detail"]["id"] == refused.id
    receiver.status = HTTPStatus.NO_CONTENT
    image = shop.add(picture("PNG"), product_id=product_id)
    _, event = receiver.next_of(product_id, "ImageReady")
    assert event["detail"]["id"] == image.id


def test_a_receiver_that_does_not_answer_holds_nothing_up(
    shop: Shop, receiver: Receiver, product_id: int
) -> None:
    receiver.free.clear()
    images = [shop.add(picture("JPEG"), product_id=product_id) for _ in range(2)]
    receiver.free.set()
    told = {receiver.next_of(product_id, "ImageReady")[1]["detail"]["id"] for _ in images}
    assert told == {image.id for image in images}
