"""The one SDK session of an execution environment, and which AWS errors are passing ones."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

from domain.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

# At level DEBUG the SDK logs whole requests: what clients sent, and signatures.
for _name in ("boto3", "botocore", "s3transfer", "urllib3"):
    logging.getLogger(_name).setLevel(logging.INFO)

_DYNAMODB_CONFIG = Config(
    # A call that hangs to its end takes 9 s and some waiting, within the authorizer's 15 s.
    connect_timeout=1,
    read_timeout=2,
    retries={"mode": "standard", "total_max_attempts": 3},
    # A function calls one service at a time.
    max_pool_connections=2,
    tcp_keepalive=True,
)

_S3_CONFIG = _DYNAMODB_CONFIG.merge(
    Config(
        # An upload that hangs is taken back, which may hang too: 2 x 10 s, within the function's 28 s.
        read_timeout=4,
        retries={"mode": "standard", "total_max_attempts": 2},
        # The caller brings a CRC32, which S3 checks; over TLS hashing the body once more for the
        # signature only costs CPU (docs/decisions.md, "Speed that was measured").
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"payload_signing_enabled": False},
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
        "ThrottlingException",
        "TransactionConflictException",
        # Answers to HEAD have no body, so that the SDK makes the status the code.
        *("500", "502", "503", "504"),
    }
)
"""Codes that the DynamoDB and S3 references call temporary; the SDK has retried most of them already."""


def dynamodb_client() -> "DynamoDBClient":
    """Return a DynamoDB client of the process's session."""
    return boto3.client("dynamodb", config=_DYNAMODB_CONFIG)


def s3_client() -> "S3Client":
    """Return an S3 client of the process's session."""
    return boto3.client("s3", config=_S3_CONFIG)


def error_code(error: ClientError) -> str:
    """Return the AWS error code of `error`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def failed_condition(error: ClientError) -> bool:
    """Tell whether DynamoDB refused a write because its condition did not hold."""
    return error_code(error) == "ConditionalCheckFailedException"


@contextmanager
def passing_errors_as_unavailable() -> Iterator[None]:
    """Turn throttling, server errors and lost connections into `UnavailableError`; the rest rises."""
    try:
        yield
    except (HTTPClientError, NoConnectionError) as error:
        raise UnavailableError from error
    except ClientError as error:
        if error_code(error) in _PASSING:
            raise UnavailableError from error
        raise
