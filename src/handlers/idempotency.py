"""Safe retries: the same `Idempotency-Key` and the same request give the same answer, and one picture.

The header is that of the IETF draft draft-ietf-httpapi-idempotency-key-header; here it is opaque.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from adapters.dynamo_idempotency_keys import DynamoIdempotencyKeys
from adapters.dynamo_quotas import DynamoQuotas
from domain.daily_quota import DailyQuota
from domain.errors import FieldFault, InvalidFieldsError
from domain.once_per_key import Begin, KeyedRequest, OncePerKey
from handlers.http_function import Request
from handlers.image_json import created
from handlers.problems import HttpResponse

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from domain.ports import Clock

_HEADER = "Idempotency-Key"
KEY_PATTERN = r"^[!-~]{1,255}$"
"""1 to 255 visible ASCII characters."""
_KEY = re.compile(KEY_PATTERN)


class SafeRetries:
    """Answers a request that makes a picture, once for each user and key. Failures are not kept."""

    def __init__(self, once_per_key: OncePerKey) -> None:
        self._once_per_key = once_per_key

    def __call__(
        self, request: Request, fingerprint: Callable[[], str], begin: Begin[dict[str, object]]
    ) -> HttpResponse:
        """Return the 201 with the picture's JSON that `begin` answers, or answered when the key came first.

        `fingerprint` tells whether two requests are the same; it is asked only where there is a key.

        Raises:
            InvalidFieldsError: the key is not 1 to 255 visible ASCII characters.

        Beside it, what `OncePerKey` raises.

        """
        body, is_replayed = self._once_per_key(request.key_id, _keyed(request, fingerprint), begin)
        response = created(dict(body), base_url=request.base_url)
        if is_replayed:
            response["headers"]["Idempotency-Replayed"] = "true"
        return response


def safe_retries(client: "DynamoDBClient", table: str, daily_quota: int, clock: "Clock") -> SafeRetries:
    """Return safe retries whose keys and counts are in `table`."""
    quota = DailyQuota(DynamoQuotas(client, table), daily_quota, clock)
    keys = DynamoIdempotencyKeys(client, table)
    return SafeRetries(OncePerKey(keys, quota, clock, lambda: uuid4().hex))


def _keyed(request: Request, fingerprint: Callable[[], str]) -> KeyedRequest | None:
    key = request.headers.get(_HEADER.lower())
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise InvalidFieldsError((FieldFault(_HEADER, "Must be 1 to 255 visible ASCII characters."),))
    # One scope for all functions: a key belongs to one request, whichever way it goes.
    return KeyedRequest(
        key=f"{request.user.id}#{key}",
        request=" ".join([*request.route, fingerprint()]),
        time_left=timedelta(milliseconds=request.context.get_remaining_time_in_millis()),
    )
