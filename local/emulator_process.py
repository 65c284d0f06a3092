"""Starts and ends the AWS emulator, and makes SDK clients that speak to it."""

import os
import secrets
import shutil
import socket
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import boto3

from local.background_process import BackgroundProcess, LocalSystemError
from local.template import REGION, ROOT

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

ACCESS_KEY_ID = "test"
SECRET_ACCESS_KEY = "test"  # noqa: S105 - the emulator's fixed root key, good for nothing else


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the emulator listens."""

    url: str

    @overload
    def client(self, service: Literal["apigateway"]) -> "APIGatewayClient": ...
    @overload
    def client(self, service: Literal["cloudformation"]) -> "CloudFormationClient": ...
    @overload
    def client(self, service: Literal["cloudfront"]) -> "CloudFrontClient": ...
    @overload
    def client(self, service: Literal["dynamodb"]) -> "DynamoDBClient": ...
    @overload
    def client(self, service: Literal["events"]) -> "EventBridgeClient": ...
    @overload
    def client(self, service: Literal["iam"]) -> "IAMClient": ...
    @overload
    def client(self, service: Literal["lambda"]) -> "LambdaClient": ...
    @overload
    def client(self, service: Literal["logs"]) -> "CloudWatchLogsClient": ...
    @overload
    def client(self, service: Literal["s3"]) -> "S3Client": ...
    @overload
    def client(self, service: Literal["sqs"]) -> "SQSClient": ...
    def client(self, service: Any) -> Any:
        """Return the SDK client of this process for a service, with the emulator's root key."""
        return _client(service, self.url)


# To make one takes as long as ten requests.
@cache
def _client(service: Any, url: str) -> Any:  # noqa: ANN401 - each service has a type of its own
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
    )


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator: its process, its temporary folder, its endpoint, by what it knows the front."""

    process: BackgroundProcess
    folder: Path
    endpoint: Endpoint
    front_secret: str


def start_emulator(log: Path) -> Emulator:
    """Start the emulator on a free port of 127.0.0.1 and wait until it answers.

    Raises:
        LocalSystemError: it ended, or did not answer in time.

    """
    port, front_secret = free_port(), secrets.token_urlsafe()
    memory = Path("/dev/shm")  # noqa: S108 - a tmpfs where there is one: workers unpack code there
    folder = Path(tempfile.mkdtemp(prefix="product-images-", dir=memory if memory.is_dir() else None))
    environment = {
        # An environment of its own: AWS settings of the shell must not reach it, or the functions.
        **{name: os.environ[name] for name in ("PATH", "HOME", "SSL_CERT_FILE") if name in os.environ},
        **{name: value for name, value in os.environ.items() if name.startswith("UV_")},
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "AUTH": "true",
        "TMPDIR": str(folder),
        "FRONT_SECRET": front_secret,
    }
    uv = str(ROOT / ".tools/bin/uv")
    command = [uv, "run", "--quiet", "--frozen", "--script", "local/emulator.py"]
    process = BackgroundProcess.start(command, environment, log)
    url = f"http://127.0.0.1:{port}"
    try:
        process.wait_until_ready(f"{url}/_localstack/health", "emulator", log)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return Emulator(process, folder, Endpoint(url), front_secret)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def hold_port(port: int) -> socket.socket:
    """Bind a port (0: any that is free), so that nothing else is given it until the front takes it over.

    Raises:
        LocalSystemError: something listens there.

    """
    held = socket.socket()
    # As a server does, so that a port whose last connections still wind down counts as free.
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind(("127.0.0.1", port))
    except OSError as error:
        held.close()
        message = f"Port {port} is taken; end what listens there, or choose another: make local PORT=8001"
        raise LocalSystemError(message) from error
    return held
