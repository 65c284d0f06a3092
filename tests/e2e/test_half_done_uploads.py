"""An upload whose bytes cannot be stored leaves nothing behind, and the client is told to try again."""

import json
from collections.abc import Iterator

import pytest

from local.sample import sample_jpeg
from local.system import State
from tests.e2e.contract import ProblemBody
from tests.e2e.shop import Shop

PRODUCT_ID = 128


@pytest.fixture
def bucket_that_takes_nothing(system: State) -> Iterator[None]:
    s3, bucket = system.endpoint.client("s3"), system.resources.bucket
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    yield
    s3.delete_bucket_policy(Bucket=bucket)


@pytest.mark.usefixtures("bucket_that_takes_nothing")
def test_a_put_that_fails_takes_the_record_back_and_answers_503(shop: Shop) -> None:
    answer = shop.upload(sample_jpeg(50, 50), product_id=PRODUCT_ID)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    problem = ProblemBody.model_validate_json(answer.content)
    assert problem.code == "temporarily_unavailable"
    items = shop.state.endpoint.client("dynamodb").query(
        TableName=shop.state.resources.table,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :image)",
        ExpressionAttributeValues={":pk": {"S": f"PRODUCT#{PRODUCT_ID}"}, ":image": {"S": "IMAGE#"}},
    )["Items"]
    assert items == []
    listed = shop.state.endpoint.client("s3").list_objects_v2(
        Bucket=shop.state.resources.bucket, Prefix=f"originals/{PRODUCT_ID}/"
    )
    assert listed["KeyCount"] == 0
