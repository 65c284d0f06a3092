"""Ways in which AWS fails, made at the SDK's own hooks, so that its retries and parsing stay real."""

from collections.abc import Callable

from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders
from botocore.exceptions import (
    BotoCoreError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)

_ENDPOINT = "https://aws.example.com"
LOST_CONNECTIONS: list[BotoCoreError] = [
    ConnectionClosedError(endpoint_url=_ENDPOINT),
    ConnectTimeoutError(endpoint_url=_ENDPOINT),
    EndpointConnectionError(endpoint_url=_ENDPOINT),
    ReadTimeoutError(endpoint_url=_ENDPOINT),
    SSLError(endpoint_url=_ENDPOINT, error=OSError("reset by a test")),
]
"""What the SDK makes of a network that fails; these have no one base class in it."""


def hook(client: BaseClient, event: str, handler: Callable[..., object]) -> None:
    """Let `handler` answer an event of the SDK."""
    # The SDK's published types do not know that handlers may answer.
    client.meta.events.register(event, handler)  # type: ignore[arg-type]


def answer_with(
    client: BaseClient, code: str, status: int = 400, retries: int = 0, event: str = "before-call"
) -> None:
    """Let every call, or the one that `event` names, end in an AWS error after so many retries."""
    parsed = {
        "Error": {"Code": code, "Message": "made by a test"},
        "ResponseMetadata": {"HTTPStatusCode": status, "RetryAttempts": retries},
    }
    response = AWSResponse("", status, HTTPHeaders(), None)
    hook(client, event, lambda **_: (response, parsed))


def lose_every_request(client: BaseClient, error: BotoCoreError) -> None:
    """Let no request arrive."""

    def lose(**_: object) -> None:
        raise error

    client.meta.events.register_first("before-send", lose)


def lose_every_reply(client: BaseClient) -> None:
    """Let all requests arrive, but no reply to them."""

    # Registered last, it runs when moto has answered already.
    def lose(**_: object) -> None:
        raise ConnectionClosedError(endpoint_url=_ENDPOINT)

    client.meta.events.register_last("before-send", lose)


def lose_first_reply(client: BaseClient) -> None:
    """Let the first request arrive, but not the reply to it."""
    # Registered last, it runs when moto has answered already.
    turns = iter([True])

    def lose_once(**_: object) -> None:
        if next(turns, False):
            raise ConnectionClosedError(endpoint_url=_ENDPOINT)

    client.meta.events.register_last("before-send", lose_once)
