from collections.abc import Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from moto import mock_aws

from adapters.aws import cloudfront_client
from adapters.cloudfront_public_cache import CloudFrontPublicCache
from domain.errors import UnavailableError
from tests.builders import PRODUCT_ID, a_distribution, a_ref
from tests.integration.faults import answer_with, hook

TOO_MANY = "TooManyInvalidationsInProgress"


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The longest that each wait could be, which takes no time."""
    waited: list[float] = []
    monkeypatch.setattr("random.uniform", lambda _least, most: most)
    monkeypatch.setattr("time.sleep", waited.append)
    return waited


@pytest.fixture
def requests() -> Iterator[tuple[CloudFrontPublicCache, list[dict[str, Any]]]]:
    """A cache on moto, and the requests that it makes."""
    with mock_aws():
        client = cloudfront_client()
        made: list[dict[str, Any]] = []
        cache = CloudFrontPublicCache(client, a_distribution(client))
        hook(client, "before-call", lambda params, **_: made.append(params))
        yield cache, made


def test_a_picture_is_one_path_with_a_wildcard_and_the_reference_of_what_was_told(
    requests: tuple[CloudFrontPublicCache, list[dict[str, Any]]],
) -> None:
    cache, made = requests
    for event in ("event-1", "event-1", "event-2"):
        cache.forget(a_ref(), event)
    first, again, second = (request["body"] for request in made)
    assert b"<Quantity>1</Quantity>" in first
    assert f"<Path>{a_ref().addresses}</Path>".encode() in first
    assert b"<CallerReference>event-1</CallerReference>" in first
    # The same to the byte, which CloudFront takes for the same request.
    assert first == again
    # Of an event that came later, which forgets what was kept since.
    assert second == first.replace(b"event-1", b"event-2")


def test_a_product_is_one_path_with_a_wildcard_and_the_reference_of_its_removal(
    requests: tuple[CloudFrontPublicCache, list[dict[str, Any]]],
) -> None:
    cache, made = requests
    cache.forget_product(PRODUCT_ID, "removal-1")
    [request] = made
    assert f"<Path>/media/{PRODUCT_ID}/*</Path>".encode() in request["body"]
    assert b"<CallerReference>removal-1</CallerReference>" in request["body"]


def test_a_call_goes_to_the_one_endpoint_that_the_service_has() -> None:
    client = cloudfront_client()
    assert client.meta.endpoint_url == "https://cloudfront.amazonaws.com"


def test_a_cdn_that_has_too_many_under_way_is_asked_again_until_it_has_not(waited: list[float]) -> None:
    client = cloudfront_client()
    refused = {"Error": {"Code": TOO_MANY, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    answers = iter([(AWSResponse("", 400, HTTPHeaders(), None), refused)] * 5)
    taken = (AWSResponse("", 201, HTTPHeaders(), None), {"Invalidation": {"Id": "I1"}})
    hook(client, "before-call", lambda **_: next(answers, taken))
    CloudFrontPublicCache(client, "E1").forget(a_ref(), "event-1")
    assert waited == [1, 2, 4, 8, 16]


def test_a_cdn_that_still_has_too_many_under_way_is_a_passing_fault(waited: list[float]) -> None:
    client = cloudfront_client()
    answer_with(client, TOO_MANY)
    with pytest.raises(UnavailableError):
        CloudFrontPublicCache(client, "E1").forget(a_ref(), "event-1")
    assert len(waited) == 5


def test_a_cdn_that_throttles_is_a_passing_fault(waited: list[float]) -> None:
    client = cloudfront_client()
    answer_with(client, "Throttling")
    with pytest.raises(UnavailableError):
        CloudFrontPublicCache(client, "E1").forget(a_ref(), "event-1")
    assert waited == []


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchDistribution", "InvalidationBatchAlreadyExists"])
def test_any_other_refusal_is_no_passing_fault(code: str, waited: list[float]) -> None:
    client = cloudfront_client()
    answer_with(client, code)
    with pytest.raises(ClientError, match=code):
        CloudFrontPublicCache(client, "E1").forget(a_ref(), "event-1")
    assert waited == []
