"""An operator at a terminal: the tables are moto's, all else of AWS is a small HTTP server."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import MappingProxyType
from urllib.parse import parse_qs

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from adapters.dynamo_api_keys import DynamoApiKeys
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_products import DynamoProducts
from ops.__main__ import app
from tests.builders import a_bucket, a_catalog_table, a_keys_table

REGION = "eu-central-1"
_SETTINGS = ("AWS_PROFILE", "AWS_REGION", "AWS_ENDPOINT_URL", "FORCE_COLOR", "PRODUCT_IMAGES_STACK")


@dataclass(frozen=True, slots=True)
class Call:
    operation: str
    body: str
    authorization: str
    path: str


class AwsServer:
    """Answers each operation as it was told to, and remembers the calls."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.calls: list[Call] = []
        self.answers: dict[str, tuple[int, str]] = {}
        self.headers: dict[str, dict[str, str]] = {}

    def has_stack(
        self, name: str, outputs: dict[str, str], parameters: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        members = "".join(
            f"<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
            for key, value in outputs.items()
        )
        given = "".join(
            f"<member><ParameterKey>{key}</ParameterKey><ParameterValue>{value}</ParameterValue></member>"
            for key, value in parameters.items()
        )
        stack = (
            f"<member><StackName>{name}</StackName><StackStatus>CREATE_COMPLETE</StackStatus>"
            f"<CreationTime>2026-01-01T00:00:00Z</CreationTime><Outputs>{members}</Outputs>"
            f"<Parameters>{given}</Parameters></member>"
        )
        result = f"<DescribeStacksResult><Stacks>{stack}</Stacks></DescribeStacksResult>"
        self.answers["DescribeStacks"] = (200, f"<DescribeStacksResponse>{result}</DescribeStacksResponse>")

    def refuses_describe_stacks(self, status: int, code: str, message: str) -> None:
        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        self.answers["DescribeStacks"] = (status, f"<ErrorResponse>{error}</ErrorResponse>")

    def function_ends(self, result: object, *, in_error: bool = False) -> None:
        """Let every function that is invoked return this, or fail with it."""
        self.answers["Invoke"] = (200, json.dumps(result))
        self.headers["Invoke"] = {"X-Amz-Function-Error": "Unhandled"} if in_error else {}

    def refuses(self, operation: str, status: int, code: str, message: str) -> None:
        """Refuse an operation of DynamoDB."""
        self.answers[operation] = (status, json.dumps({"__type": f"aws#{code}", "message": message}))


@contextmanager
def aws_server() -> Iterator[AwsServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            operation = self._operation(body)
            aws.calls.append(Call(operation, body, self.headers["Authorization"], self.path))
            status, answer = aws.answers[operation]
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer.encode())))
            for name, value in aws.headers.get(operation, {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.encode())

        def _operation(self, body: str) -> str:
            if self.path.endswith("/invocations"):
                return "Invoke"
            target = self.headers["X-Amz-Target"]
            return target.rpartition(".")[2] if target else parse_qs(body)["Action"][0]

        def log_message(self, *_args: object) -> None:
            """Keep the output of the tests clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    aws = AwsServer(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield aws
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True, slots=True)
class Operator:
    aws: AwsServer
    api_keys: DynamoApiKeys
    products: DynamoProducts
    catalog: DynamoImageCatalog
    outputs: dict[str, str]

    def runs(self, *args: str, typing: str | bytes | None = None) -> Result:
        return CliRunner().invoke(app, args, input=typing, prog_name="product-images")


@contextmanager
def operator_of_a_stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    """Yield an operator of the deployed stack product-images."""
    with mock_aws(), aws_server() as aws:
        for name in _SETTINGS:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_CONFIG_FILE", "nowhere")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "nowhere")
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", aws.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        client = boto3.client("dynamodb")
        table, keys_table = a_catalog_table(client), a_keys_table(client)
        outputs = {
            "ApiUrl": "https://api.example/v1",
            "BaseUrl": "https://shop.example",
            "TableName": table,
            "KeysTableName": keys_table,
            "BucketName": a_bucket(boto3.client("s3")),
            "FailureQueueUrl": boto3.client("sqs").create_queue(QueueName="failures")["QueueUrl"],
            "FetchQueueUrl": boto3.client("sqs").create_queue(QueueName="fetches")["QueueUrl"],
            "ExtractMetadataFunctionName": "shop-ExtractMetadata-1",
            "ReconcileFunctionName": "shop-Reconcile-1",
            "RemoveProductFunctionName": "shop-RemoveProduct-1",
            "ForgetImageFunctionName": "shop-ForgetImage-1",
            "RenderImageFunctionName": "shop-RenderImage-1",
        }
        parameters = {
            "RenditionWidths": "160,320,640,1024,1600,2048",
            "FallbackWidths": "320,640,1600",
            "AvifQuality": "60",
            "AvifSpeed": "8",
        }
        aws.has_stack("product-images", outputs, parameters)
        yield Operator(
            aws,
            DynamoApiKeys(client, keys_table),
            DynamoProducts(client, table),
            DynamoImageCatalog(client, table),
            outputs,
        )


def error_line(result: Result) -> str:
    """Return the one line that a failed command left on stderr."""
    assert result.exit_code != 0
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("Error: ")
    return lines[0]
