"""A key that was revoked opens nothing more, once what the gateway remembers of it has run out."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

import pytest

from adapters.dynamo_api_keys import DynamoApiKeys
from domain.api_key import Role
from domain.issue_key import IssueKey
from domain.user import User
from local.system import State
from tests.builders import OPERATOR
from tests.e2e.shop import Shop
from tests.torture.results import size

TTL_SECONDS = size(60, 1, "seconds for which the gateway remembers a key")
"""What the template sets by default, or less."""


@pytest.fixture
def remembering(system: State, outputs: dict[str, str]) -> Iterator[None]:
    """Let the gateway remember the authorizer's answers for this long."""
    gateway, api = system.endpoint.client("apigateway"), outputs["ApiId"]
    (authorizer,) = gateway.get_authorizers(restApiId=api)["items"]

    def set_ttl(seconds: int) -> None:
        change = {"op": "replace", "path": "/authorizerResultTtlInSeconds", "value": str(seconds)}
        gateway.update_authorizer(restApiId=api, authorizerId=authorizer["id"], patchOperations=[change])  # type: ignore[list-item]

    set_ttl(TTL_SECONDS)
    yield
    set_ttl(authorizer["authorizerResultTtlInSeconds"])


@pytest.mark.torture("requests with a revoked key after the authorizer's time to live")
@pytest.mark.usefixtures("remembering")
def test_a_revoked_key_is_refused_once_the_authorizers_time_to_live_is_over(
    shop: Shop, product_id: int
) -> None:
    state = shop.state
    api_keys = DynamoApiKeys(state.endpoint.client("dynamodb"), state.resources.keys_table)
    key, record = IssueKey(api_keys, partial(datetime.now, UTC), OPERATOR)(User(6, "eve", "Eve"), Role.STAFF)

    def status() -> int:
        return shop.request("GET", shop.url(product_id), key=key).status_code

    assert status() == 200
    api_keys.revoke(record.id, OPERATOR, datetime.now(UTC))
    revoked_at = time.monotonic()
    accepted_at = revoked_at
    while True:
        sent_at = time.monotonic()
        if status() == 401:
            break
        accepted_at = sent_at
    assert accepted_at - revoked_at <= TTL_SECONDS
    assert [status() for _ in range(5)] == [401] * 5
