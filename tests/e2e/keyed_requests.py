"""Requests with an idempotency key on the bench of faults: always the same two, each with its one key."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from secrets import token_hex
from typing import Any
from uuid import uuid4

from adapters.dynamo_idempotency_keys import DynamoIdempotencyKeys
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_quotas import DynamoQuotas
from adapters.s3_upload_forms import S3UploadForms
from domain.begun import Begun
from domain.claim import BegunPicture
from domain.daily_quota import DailyQuota
from domain.image import TOKEN_BYTES, ProductImage
from domain.leased_ids import LeasedIds
from domain.once_per_key import Begin, KeyedRequest, OncePerKey
from domain.reserve_upload import AnnouncedUpload, Reservation, ReserveUpload
from tests.builders import KEY_ID, USER
from tests.e2e.fault_bench import CONTENT, PRODUCT_ID, Bench, Interference

FUNCTION_TIME = timedelta(seconds=28)
"""How long a function of the API may run."""

type Answer = Mapping[str, Any]

ANNOUNCED = AnnouncedUpload(
    product_id=PRODUCT_ID,
    user=USER,
    name="a.jpg",
    size_bytes=len(CONTENT),
    media_type=None,
    details={},
    is_primary=True,
    sha256=None,
)


def send_upload(bench: Bench, interference: Interference) -> Answer:
    """Send an upload; return what is answered."""
    clients = bench.clients_under(interference)
    return _once(bench, clients, "an upload", _answering(bench.begin_upload(clients), _picture))


def ask_for_form(bench: Bench, interference: Interference) -> Answer:
    """Ask for an upload form; return what is answered."""
    clients = bench.clients_under(interference)
    catalog = DynamoImageCatalog(clients["dynamodb"], "catalog")
    reserve = ReserveUpload(
        catalog=catalog,
        forms=S3UploadForms(clients["s3"], bench.bucket, bench.clock),
        ids=LeasedIds(catalog),
        new_token=partial(token_hex, TOKEN_BYTES),
        clock=bench.clock,
        max_bytes=1_000_000,
    )
    begin = _answering(lambda earlier: reserve(ANNOUNCED, earlier), _form)
    return _once(bench, clients, "a reservation", begin)


def _answering[T](
    begin: Callable[[BegunPicture | None], Begun[T]], answer: Callable[[T], Answer]
) -> Begin[Answer]:
    def begin_answer(earlier: BegunPicture | None) -> Begun[Answer]:
        begun = begin(earlier)
        return Begun(begun.picture, lambda: answer(begun.finish()))

    return begin_answer


def _picture(image: ProductImage) -> Answer:
    return {"image_id": image.ref.image_id}


def _form(reservation: Reservation) -> Answer:
    form = reservation.form
    expires_at = form.expires_at.isoformat()
    return {**_picture(reservation.image), "key": form.fields["key"], "expires_at": expires_at}


def _once(bench: Bench, clients: Mapping[str, Any], request: str, begin: Begin[Answer]) -> Answer:
    quota = DailyQuota(DynamoQuotas(clients["dynamodb"], "idempotency"), 1_000, bench.clock)
    keys = DynamoIdempotencyKeys(clients["dynamodb"], "idempotency")
    once_per_key = OncePerKey(keys, quota, bench.clock, lambda: uuid4().hex)
    return once_per_key(KEY_ID, KeyedRequest(f"the key of {request}", request, FUNCTION_TIME), begin).answer
