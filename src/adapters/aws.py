"""The one SDK session of an execution environment, and which AWS errors are passing ones."""

# Sockets look hosts up with it, and would import it at the first request.
import encodings.idna  # noqa: F401
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore import __version__ as botocore_version
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.session import Session, get_session

from adapters.deadline import keep_deadline
from domain.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

# At level DEBUG the SDK logs whole requests, with what clients sent and signatures. At INFO it logs at each
# start where it found its credentials.
for _name in ("boto3", "botocore", "s3transfer", "urllib3"):
    logging.getLogger(_name).setLevel(logging.WARNING)

_CONFIG = Config(
    # A call that hangs to its end takes 9 s and some waiting, within the authorizer's 15 s.
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 3},
    # A function calls one service at a time.
    max_pool_connections=2,
    tcp_keepalive=True,
    # Types are checked before deployment, and DynamoDB and S3 check values; here both would be checked again
    # at each call.
    parameter_validation=False,
    # Deployed without the rules that could find an account's own endpoint (packages/prune.py).
    account_id_endpoint_mode="disabled",
    # The SDK would build its own for each request, which takes a tenth of an upload's CPU time.
    user_agent=f"product-images Botocore/{botocore_version}",
)

_S3_CONFIG = _CONFIG.merge(
    Config(
        # An upload that hangs is taken back, which may hang too: 2 x 10 s, within the function's 28 s.
        read_timeout=4,
        retries={"mode": "standard", "total_max_attempts": 2},
        # The caller brings a CRC32, which S3 checks; over TLS hashing the body once more for the
        # signature only costs CPU (docs/decisions.md, "Speed that was measured").
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        # The bucket's own regional name, also in forms: the global one sends clients of a new bucket
        # elsewhere for hours (S3 user guide, "Virtual hosting of buckets").
        signature_version="s3v4",
        s3={
            "payload_signing_enabled": False,
            "addressing_style": "virtual",
            "us_east_1_regional_endpoint": "regional",
        },
    )
)

_PASSING = frozenset(
    {
        "InternalError",
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyInvalidationsInProgress",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
        # Answers to HEAD have no body, so that the SDK makes the status the code.
        *("500", "502", "503", "504"),
    }
)
"""Codes that the references of the services in use call temporary; the SDK has retried most already."""


_SERVER_ERROR = 500
_PASSING_REASONS = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"})
"""Reasons of a cancelled transaction that are temporary (DynamoDB API reference, TransactWriteItems)."""

_READ_TRIES = 3
_READ_WAIT_SECONDS = 0.05
_WRITE_TRIES = 10
_WRITE_WAIT_SECONDS = 0.02
_WRITE_MAX_WAIT_SECONDS = 0.5
_PATIENT_TRIES = 6
_PATIENT_WAIT_SECONDS = 1


@cache
def session() -> Session:
    """Return the process's session. botocore's, not boto3's: resources and transfers are not used here."""
    return get_session()


def dynamodb_client() -> "DynamoDBClient":
    """Return a DynamoDB client of the process's session."""
    client: DynamoDBClient = _client("dynamodb", _CONFIG)
    return client


def s3_client() -> "S3Client":
    """Return an S3 client of the process's session."""
    client: S3Client = _client("s3", _S3_CONFIG)
    return client


def eventbridge_client() -> "EventBridgeClient":
    """Return an EventBridge client of the process's session."""
    client: EventBridgeClient = _client("events", _CONFIG)
    return client


def lambda_client() -> "LambdaClient":
    """Return a Lambda client of the process's session."""
    client: LambdaClient = _client("lambda", _CONFIG)
    return client


def cloudfront_client() -> "CloudFrontClient":
    """Return a CloudFront client of the process's session; the service is one for all regions."""
    client: CloudFrontClient = _client("cloudfront", _CONFIG)
    return client


def sqs_client() -> "SQSClient":
    """Return an SQS client of the process's session."""
    client: SQSClient = _client("sqs", _CONFIG)
    return client


def _client(service: str, config: Config) -> Any:  # noqa: ANN401 - each service has a type of its own
    return keep_deadline(session().create_client(service, config=config))


def error_code(error: ClientError) -> str:
    """Return the AWS error code of `error`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def failed_condition(error: ClientError) -> bool:
    """Tell whether DynamoDB refused a write, or a transaction, because a condition did not hold."""
    return (
        "ConditionalCheckFailed" in _reasons(error) or error_code(error) == "ConditionalCheckFailedException"
    )


def with_persistence[T](write: Callable[[], T]) -> T:
    """Repeat a write that collides with a transaction, or a transaction that is throttled.

    The SDK repeats neither. Waits at most 9 times, at random and longer each time, 1.3 s in sum on average.
    The last error is raised.
    """
    for attempt in range(_WRITE_TRIES - 1):
        try:
            return write()
        except ClientError as error:
            if failed_condition(error) or not _is_refused_for_now(error):
                raise
        _wait(min(_WRITE_WAIT_SECONDS * 2**attempt, _WRITE_MAX_WAIT_SECONDS))
    return write()


def with_patience[T](call: Callable[[], T], code: str) -> T:
    """Repeat a call that AWS refuses with this code while earlier calls are under way; the SDK does not.

    Waits at most 5 times, at random and longer each time, 16 s in sum on average. The last error is raised.
    """
    for attempt in range(_PATIENT_TRIES - 1):
        try:
            return call()
        except ClientError as error:
            if error_code(error) != code:
                raise
        _wait(_PATIENT_WAIT_SECONDS * 2**attempt)
    return call()


def tries_of_a_read() -> Iterator[None]:
    """Yield for each try of a read that may be answered in part, which the SDK does not repeat.

    Three tries, as the SDK gives to others, with a growing, random wait before each further one.
    """
    for attempt in range(_READ_TRIES):
        if attempt:
            _wait(_READ_WAIT_SECONDS * 2**attempt)
        yield


def _wait(at_most_seconds: float) -> None:
    # Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"); no secret is made of it.
    time.sleep(random.uniform(0, at_most_seconds))  # noqa: S311


def _is_refused_for_now(error: ClientError) -> bool:
    return bool(_reasons(error) & _PASSING_REASONS) or error_code(error) == "TransactionConflictException"


def cancellation_reasons(error: ClientError) -> Sequence[Mapping[str, Any]]:
    """Return why a transaction was cancelled, item by item; empty for any other error."""
    reasons: Any = error.response.get("CancellationReasons")
    return reasons if isinstance(reasons, list) else []


def _reasons(error: ClientError) -> set[str]:
    return {str(reason.get("Code")) for reason in cancellation_reasons(error)}


@contextmanager
def passing_errors_as_unavailable() -> Iterator[None]:
    """Turn throttling, server errors and lost connections into `UnavailableError`; other errors pass."""
    try:
        yield
    except (HTTPClientError, NoConnectionError) as error:
        raise UnavailableError from error
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        passing = (
            error_code(error) in _PASSING or _reasons(error) & _PASSING_REASONS or status >= _SERVER_ERROR
        )
        if passing and not failed_condition(error):
            raise UnavailableError from error
        raise
