"""All bytes of a product on S3 as moto plays it."""

from typing import Any

import pytest
from moto import mock_aws

from adapters.aws import s3_client
from adapters.s3_product_bytes import S3ProductBytes
from domain.errors import UnavailableError
from tests.integration.faults import hook

BUCKET = "pictures"


@mock_aws
def test_a_key_that_s3_does_not_delete_is_a_fault_though_the_answer_is_a_200() -> None:
    client = s3_client()
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    client.put_object(Bucket=BUCKET, Key="media/7/1-a.jpg", Body=b"x")

    def refuse(parsed: dict[str, Any], **_: object) -> None:
        parsed["Errors"] = [{"Key": "media/7/1-a.jpg", "Code": "InternalError", "Message": "by a test"}]

    hook(client, "after-call.s3.DeleteObjects", refuse)
    with pytest.raises(UnavailableError):
        S3ProductBytes(client, BUCKET).delete(["media/7/1-a.jpg"])
