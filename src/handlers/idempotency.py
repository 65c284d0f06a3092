"""Safe retries: the same `Idempotency-Key` and the same request give the same answer, and one picture.

The header is that of the IETF draft draft-ietf-httpapi-idempotency-key-header; here it is opaque.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyInconsistentStateError,
    IdempotencyPersistenceLayerError,
    IdempotencyValidationError,
)

from adapters.aws import passing_errors_as_unavailable
from domain.errors import (
    FieldFault,
    InvalidFieldsError,
    KeyInUseError,
    KeyReusedError,
    OutcomeUnknownError,
    UnavailableError,
)
from handlers.http_function import Request
from handlers.problems import HttpResponse

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_HEADER = "Idempotency-Key"
_KEPT_SECONDS = 24 * 60 * 60
KEY_PATTERN = r"^[!-~]{1,255}$"
"""1 to 255 visible ASCII characters."""
_KEY = re.compile(KEY_PATTERN)


class OncePerKey:
    """Runs a request once for each user and key. Failures are forgotten, so that a retry runs again."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._store = DynamoDBPersistenceLayer(table, boto3_client=client)
        self._config = IdempotencyConfig(
            event_key_jmespath="key",
            payload_validation_jmespath="request",
            raise_on_no_idempotency_key=True,
            expires_after_seconds=_KEPT_SECONDS,
            hash_function="sha256",
            response_hook=_mark_replayed,
        )

    def __call__(
        self, request: Request, fingerprint: Callable[[], str], run: Callable[[], HttpResponse]
    ) -> HttpResponse:
        """Return what `run` returns, or returned when the key came first; without a key, just run it.

        `fingerprint` tells whether two requests are the same; it is asked only where there is a key.

        Raises:
            InvalidFieldsError: the key is not 1 to 255 visible ASCII characters.
            KeyInUseError: the first request with this key is still running.
            KeyReusedError: the key came with another request.
            UnavailableError: the record of keys cannot be reached; nothing was done.
            OutcomeUnknownError: the request was done, but that could not be kept.

        """
        key = request.headers.get(_HEADER.lower())
        if key is None:
            return run()
        if not _KEY.fullmatch(key):
            raise InvalidFieldsError((FieldFault(_HEADER, "Must be 1 to 255 visible ASCII characters."),))
        self._config.register_lambda_context(request.context)
        claim = {"key": f"{request.user.id}#{key}", "request": [*request.route, fingerprint()]}
        return self._run_once(claim, run)

    def _run_once(self, claim: dict[str, Any], run: Callable[[], HttpResponse]) -> HttpResponse:
        outcome: list[Exception | None] = []

        def run_claimed(*, claim: dict[str, Any]) -> HttpResponse:  # noqa: ARG001 - read by Powertools
            try:
                response = run()
            except Exception as error:
                outcome.append(error)
                raise
            outcome.append(None)
            return response

        once = idempotent_function(
            run_claimed,
            data_keyword_argument="claim",
            persistence_store=self._store,
            config=self._config,
            # One scope for all functions: a key belongs to one request, whichever way it goes.
            key_prefix="product-images",
        )
        try:
            response: HttpResponse = once(claim=claim)
        except IdempotencyAlreadyInProgressError as error:
            raise KeyInUseError from error
        except IdempotencyValidationError as error:
            raise KeyReusedError from error
        except IdempotencyInconsistentStateError as error:
            raise UnavailableError from error
        except IdempotencyPersistenceLayerError as error:
            if outcome:
                # What became of the request is the truth; that the key could not be kept, is not.
                raise outcome[0] or OutcomeUnknownError() from error
            with passing_errors_as_unavailable():
                raise error.__cause__ or error from None
        return response


def _mark_replayed(response: Any, idempotent_data: object) -> Any:  # noqa: ANN401, ARG001 - Powertools' hook
    response["headers"]["Idempotency-Replayed"] = "true"
    return response
