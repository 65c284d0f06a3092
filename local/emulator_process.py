"""Starts and ends the AWS emulator, and makes SDK clients that speak to it."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import boto3

from local.template import REGION, ROOT

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

_READY_SECONDS = 60
_STOP_SECONDS = 10
ACCESS_KEY_ID = "test"
SECRET_ACCESS_KEY = "test"  # noqa: S105 - the emulator's fixed root key, good for nothing else


class LocalSystemError(Exception):
    """Something of the local system does not work; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the emulator listens."""

    url: str

    @overload
    def client(self, service: Literal["apigateway"]) -> "APIGatewayClient": ...
    @overload
    def client(self, service: Literal["cloudformation"]) -> "CloudFormationClient": ...
    @overload
    def client(self, service: Literal["dynamodb"]) -> "DynamoDBClient": ...
    @overload
    def client(self, service: Literal["lambda"]) -> "LambdaClient": ...
    @overload
    def client(self, service: Literal["logs"]) -> "CloudWatchLogsClient": ...
    @overload
    def client(self, service: Literal["s3"]) -> "S3Client": ...
    @overload
    def client(self, service: Literal["sqs"]) -> "SQSClient": ...
    def client(self, service: Any) -> Any:
        """Return an SDK client with the emulator's root key."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
        )


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator: its process group, its temporary folder, its endpoint."""

    pid: int
    folder: Path
    endpoint: Endpoint

    def stop(self) -> None:
        """End the emulator and its workers and delete its temporary folder."""
        end_process_group(self.pid)
        shutil.rmtree(self.folder, ignore_errors=True)


def start_emulator(log: Path) -> Emulator:
    """Start the emulator on a free port of 127.0.0.1 and wait until it answers.

    Raises:
        LocalSystemError: it ended, or did not answer in time.

    """
    port = free_port()
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
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    uv = os.environ.get("UV", "uv")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [uv, "run", "--quiet", "--frozen", "--script", "local/emulator.py"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    emulator = Emulator(process.pid, folder, Endpoint(f"http://127.0.0.1:{port}"))
    try:
        wait_until_ready(process, f"{emulator.endpoint.url}/_localstack/health", "emulator", log)
    except BaseException:
        emulator.stop()
        raise
    return emulator


def wait_until_ready(process: "subprocess.Popen[bytes]", url: str, name: str, log: Path) -> None:
    """Ask `url` until it answers.

    Raises:
        LocalSystemError: the process ended, or did not answer in time.

    """
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise LocalSystemError(f"The {name} ended with {process.returncode}; its log is {log}.")
        try:
            with urlopen(url, timeout=2):  # noqa: S310 - a loopback address of ours
                return
        except HTTPError:
            return  # an answer, whatever it says
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise LocalSystemError(f"The {name} did not answer within {_READY_SECONDS} s; its log is {log}.")


def end_process_group(pid: int) -> None:
    """End a process and all it started; a process that is gone is no error."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(pid, sign)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < deadline and group_is_alive(pid):
            time.sleep(0.05)


def group_is_alive(pid: int) -> bool:
    """Tell whether any process of the group still runs."""
    try:
        # A child of ours that has ended stays until it is waited for.
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    return True


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
