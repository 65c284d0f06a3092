from collections.abc import Callable

import pytest
from moto import mock_aws

from adapters.aws import dynamodb_client, s3_client
from adapters.deadline import within
from adapters.dynamo_products import DynamoProducts
from adapters.s3_image_store import S3ImageStore
from domain.errors import UnavailableError
from tests.builders import a_bucket, a_catalog_table, a_ref
from tests.integration.faults import answer_with, hook


def seconds(*remaining: float) -> Callable[[], int]:
    """Return a clock that says these, and the last of them for ever."""
    left = [int(each * 1000) for each in remaining]
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def test_a_call_that_could_outlast_the_invocation_is_not_begun() -> None:
    client = dynamodb_client()
    made: list[str] = []
    hook(client, "before-send", lambda **_: made.append("sent"))
    with within(seconds(5.9)), pytest.raises(UnavailableError):
        DynamoProducts(client, "t").exists(42)
    assert made == []


def test_a_call_that_ends_in_time_is_made() -> None:
    with mock_aws():
        client, s3 = dynamodb_client(), s3_client()
        products, store = DynamoProducts(client, a_catalog_table(client)), S3ImageStore(s3, a_bucket(s3))
        with within(seconds(6.1)):
            assert not products.exists(42)
        with within(seconds(8.1)):
            assert store.received(a_ref()) is None
        with within(seconds(7.9)), pytest.raises(UnavailableError):
            store.received(a_ref())


@pytest.mark.usefixtures("without_backoff")
def test_a_second_try_is_not_begun_when_the_first_took_too_long() -> None:
    client = dynamodb_client()
    answer_with(client, "ThrottlingException", event="before-send.never")
    tries: list[str] = []

    def slow_and_lost(**_: object) -> None:
        tries.append("try")
        raise ConnectionError

    # After the check of the deadline, as the network is.
    client.meta.events.register_last("before-send", slow_and_lost)
    with within(seconds(10, 5)), pytest.raises((UnavailableError, ConnectionError)):
        DynamoProducts(client, "t").exists(42)
    assert tries == ["try"]


def test_outside_an_invocation_there_is_no_deadline() -> None:
    with mock_aws():
        client = dynamodb_client()
        products = DynamoProducts(client, a_catalog_table(client))
        with within(seconds(0)), pytest.raises(UnavailableError):
            products.exists(42)
        assert not products.exists(42)
