from typing import Any

import boto3
import pytest
from aws_lambda_powertools import Logger
from moto import mock_aws

from domain.errors import UnavailableError
from domain.forget_image import ForgetImage
from domain.image import ImageFormat
from handlers.forget_image import ForgetImageHandler
from tests.builders import PRODUCT_ID, REQUEST_ID, a_context, a_distribution, a_ref
from tests.conftest import ColdStart
from tests.fakes import InMemoryPublicCache
from tests.unit.conftest import Printed

ADDRESS = f"/{a_ref().media_key(ImageFormat.JPEG)}"


def deleted(address: str) -> dict[str, Any]:
    return {
        "id": "event-1",
        "source": "product-images",
        "detail-type": "ImageDeleted",
        "detail": {"path": address},
    }


def test_a_deleted_picture_is_forgotten_and_named_in_the_log(printed: Printed) -> None:
    cache = InMemoryPublicCache()
    handler = ForgetImageHandler(ForgetImage(cache), cache.forget_product, Logger(service="forget_image"))
    answer = handler(deleted(ADDRESS), a_context())
    assert answer == {"images": [{"key": ADDRESS, "outcome": "forgotten"}]}
    assert cache.forgotten == [(a_ref(), "event-1")]
    [log] = printed()
    assert (log["message"], log["image_id"], log["product_id"]) == ("image forgotten", 1, PRODUCT_ID)
    assert log["request_id"] == REQUEST_ID


def test_an_address_that_is_no_pictures_is_left_alone_and_logged(printed: Printed) -> None:
    cache = InMemoryPublicCache()
    handler = ForgetImageHandler(ForgetImage(cache), cache.forget_product, Logger(service="forget_image"))
    assert handler(deleted("/media/*"), a_context()) == {
        "images": [{"key": "/media/*", "outcome": "ignored"}]
    }
    assert cache.forgotten == []
    [log] = printed()
    assert log["message"] == "not a picture's address, ignored"


def test_a_cdn_that_takes_no_more_ends_the_invocation_so_that_lambda_tries_again() -> None:
    cache = InMemoryPublicCache()
    cache.is_full = True
    handler = ForgetImageHandler(ForgetImage(cache), cache.forget_product, Logger(service="forget_image"))
    with pytest.raises(UnavailableError):
        handler(deleted(ADDRESS), a_context())


def test_the_deployed_function_has_the_distribution_forget_it(cold_start: ColdStart) -> None:
    with mock_aws():
        cloudfront = boto3.client("cloudfront")
        distribution_id = a_distribution(cloudfront)
        module = cold_start("forget_image", CDN=distribution_id)
        module.lambda_handler(deleted(ADDRESS), a_context())
        listed = cloudfront.list_invalidations(DistributionId=distribution_id)["InvalidationList"]
    assert listed["Quantity"] == 1
    assert module.lambda_handler is module.lambda_handler
    assert not hasattr(module, "anything_else")
