"""Every call to AWS: what passes is UnavailableError, and nothing else is."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from adapters.aws import dynamodb_client, s3_client
from adapters.dynamo_api_keys import DynamoApiKeys
from adapters.dynamo_belongings import DynamoBelongings
from adapters.dynamo_idempotency_keys import DynamoIdempotencyKeys
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_product_list import DynamoProductList
from adapters.dynamo_products import DynamoProducts
from adapters.dynamo_quotas import DynamoQuotas
from adapters.s3_image_store import S3ImageStore
from adapters.s3_product_bytes import S3ProductBytes
from domain.errors import UnavailableError
from domain.image import ImageFormat, ImageSnapshot
from domain.image_store import PublicCopy
from domain.product_record import ProductRecord, Stage
from tests.builders import (
    A_LOOK,
    DAMAGED,
    NOW,
    OPERATOR,
    SHA256,
    a_claim,
    a_file,
    a_ref,
    an_api_key,
    an_image,
)
from tests.integration.faults import LOST_CONNECTIONS, answer_with, lose_every_request

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

type DynamoCall = Callable[[DynamoDBClient], object]
type S3Call = Callable[[S3Client], object]

SEEN = ImageSnapshot(an_image(), None)
GONE = ProductRecord(42, Stage.REMOVED, occurred_at=NOW)
DYNAMO_CALLS: dict[str, "DynamoCall"] = {
    "reserve": lambda client: DynamoImageCatalog(client, "t").reserve(an_image()),
    "withdraw": lambda client: DynamoImageCatalog(client, "t").withdraw(a_ref(), NOW),
    "begin_removal": lambda client: DynamoImageCatalog(client, "t").begin_removal(SEEN, NOW),
    "open_images": lambda client: list(DynamoImageCatalog(client, "t").open_images(NOW)),
    "postpone": lambda client: DynamoImageCatalog(client, "t").postpone(a_ref(), NOW),
    "take a quota": lambda client: DynamoQuotas(client, "t").take("id", NOW.date(), 1, "token"),
    "give a quota back": lambda client: DynamoQuotas(client, "t").give_back("id", NOW.date(), "token"),
    "claim an idempotency key": lambda client: DynamoIdempotencyKeys(client, "t").claim("key", a_claim()),
    "keep an answer": lambda client: DynamoIdempotencyKeys(client, "t").keep("key", "token", {}),
    "let a claim go": lambda client: DynamoIdempotencyKeys(client, "t").let_go(
        "key", "token", is_counted=True
    ),
    "forget a claim": lambda client: DynamoIdempotencyKeys(client, "t").forget("key", "token"),
    "look_up": lambda client: DynamoImageCatalog(client, "t").look_up(42, 1),
    "page": lambda client: DynamoImageCatalog(client, "t").page(42, 10, 0),
    "gallery": lambda client: DynamoImageCatalog(client, "t").gallery(42, 100),
    "change": lambda client: DynamoImageCatalog(client, "t").change(SEEN, SEEN),
    "reorder": lambda client: DynamoImageCatalog(client, "t").reorder([SEEN.image], [SEEN.image]),
    "finish_removal": lambda client: DynamoImageCatalog(client, "t").finish_removal(a_ref()),
    "get": lambda client: DynamoImageCatalog(client, "t").get(42, 1),
    "mark_ready": lambda client: DynamoImageCatalog(client, "t").mark_ready(a_ref(), a_file(), NOW),
    "mark_primary_ready": lambda client: DynamoImageCatalog(client, "t").mark_primary_ready(
        a_ref(), a_file(), NOW, requested_at=NOW
    ),
    "mark_failed": lambda client: DynamoImageCatalog(client, "t").mark_failed(a_ref(), DAMAGED, SHA256, NOW),
    "mark_rendered": lambda client: DynamoImageCatalog(client, "t").mark_rendered(a_ref(), A_LOOK, NOW),
    "note_recipe": lambda client: DynamoImageCatalog(client, "t").note_recipe(a_ref(), "r2", "r1", NOW),
    "move_primary": lambda client: DynamoImageCatalog(client, "t").move_primary(
        an_image(primary_requested_at=NOW)
    ),
    "lease": lambda client: DynamoImageCatalog(client, "t").lease(1),
    "look for a product": lambda client: DynamoProducts(client, "t").exists(42),
    "add a product": lambda client: DynamoProducts(client, "t").add(42),
    "look at a product": lambda client: DynamoProducts(client, "t").look(42),
    "write a product": lambda client: DynamoProducts(client, "t").write(GONE, GONE.put(None, NOW)),
    "find removals": lambda client: list(DynamoProducts(client, "t").open_removals(NOW)),
    "postpone a removal": lambda client: DynamoProducts(client, "t").postpone_removal(42, NOW),
    "show a product": lambda client: DynamoProductList(client, "t").find(42),
    "find belongings": lambda client: DynamoBelongings(client, "t").some(42),
    "forget belongings": lambda client: DynamoBelongings(client, "t").forget(42, [1]),
    "find a key": lambda client: DynamoApiKeys(client, "t").find("hash"),
    "add a key": lambda client: DynamoApiKeys(client, "t").add("hash", an_api_key()),
    "all keys": lambda client: list(DynamoApiKeys(client, "t").all()),
    "revoke a key": lambda client: DynamoApiKeys(client, "t").revoke("id", OPERATOR, NOW),
}
COPY = PublicCopy(b"picture", ImageFormat.JPEG, SHA256)
S3_CALLS: dict[str, "S3Call"] = {
    "put": lambda client: S3ImageStore(client, "b").put(an_image(), b"picture"),
    "received": lambda client: S3ImageStore(client, "b").received(a_ref()),
    "publish": lambda client: S3ImageStore(client, "b").publish(a_ref(), COPY),
    "public_copy": lambda client: S3ImageStore(client, "b").public_copy(a_ref()),
    "is_public": lambda client: S3ImageStore(client, "b").is_public(a_ref()),
    "is_there": lambda client: S3ImageStore(client, "b").is_there(a_ref()),
    "unpublish": lambda client: S3ImageStore(client, "b").unpublish(a_ref()),
    "delete": lambda client: S3ImageStore(client, "b").delete(an_image()),
    "find a product's": lambda client: S3ProductBytes(client, "b").some(42),
    "delete a product's": lambda client: S3ProductBytes(client, "b").delete(["media/42/1-0.jpg"]),
}

every_dynamo_call = pytest.mark.parametrize("call", DYNAMO_CALLS.values(), ids=DYNAMO_CALLS)
every_s3_call = pytest.mark.parametrize("call", S3_CALLS.values(), ids=S3_CALLS)
every_lost_connection = pytest.mark.parametrize(
    "error", LOST_CONNECTIONS, ids=lambda error: type(error).__name__
)


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let collisions be tried again at once."""
    monkeypatch.setattr("adapters.aws.random.uniform", lambda _low, _high: 0)


@every_dynamo_call
@pytest.mark.parametrize(
    "code",
    [
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",
    ],
)
def test_an_error_that_dynamodb_calls_temporary_is_a_passing_one(call: "DynamoCall", code: str) -> None:
    client = dynamodb_client()
    answer_with(client, code)
    with pytest.raises(UnavailableError):
        call(client)


@every_s3_call
@pytest.mark.parametrize(
    ("code", "status"),
    [("InternalError", 500), ("RequestTimeout", 400), ("ServiceUnavailable", 503), ("SlowDown", 503)],
)
def test_an_error_that_s3_calls_temporary_is_a_passing_one(call: "S3Call", code: str, status: int) -> None:
    client = s3_client()
    answer_with(client, code, status)
    with pytest.raises(UnavailableError):
        call(client)


@every_dynamo_call
@every_lost_connection
@pytest.mark.usefixtures("without_backoff")
def test_a_lost_connection_to_dynamodb_is_a_passing_fault(call: "DynamoCall", error: BotoCoreError) -> None:
    client = dynamodb_client()
    lose_every_request(client, error)
    with pytest.raises(UnavailableError):
        call(client)


@every_s3_call
@every_lost_connection
@pytest.mark.usefixtures("without_backoff")
def test_a_lost_connection_to_s3_is_a_passing_fault(call: "S3Call", error: BotoCoreError) -> None:
    client = s3_client()
    lose_every_request(client, error)
    with pytest.raises(UnavailableError):
        call(client)


@every_dynamo_call
@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "ResourceNotFoundException", "ValidationException"]
)
def test_any_other_error_of_dynamodb_rises_as_it_is(call: "DynamoCall", code: str) -> None:
    client = dynamodb_client()
    answer_with(client, code)
    with pytest.raises(ClientError, match=code):
        call(client)


@pytest.mark.parametrize("call", [call for name, call in S3_CALLS.items() if name != "put"])
@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchBucket"])
def test_any_other_error_of_s3_rises_as_it_is(call: "S3Call", code: str) -> None:
    client = s3_client()
    answer_with(client, code, 403)
    with pytest.raises(ClientError, match=code):
        call(client)
