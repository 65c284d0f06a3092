"""Finds what a command works on: the resources of a deployed stack, or those of the local system."""

import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import typer
from botocore.config import Config
from botocore.exceptions import ClientError
from pydantic import BaseModel, ValidationError

from adapters.aws import error_code
from adapters.dynamo_api_keys import DynamoApiKeys
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_products import DynamoProducts
from ops.failures import OperatorError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

DEFAULT_STACK = "product-images"
LOCAL_STACK = "product-images-local"
LOCAL_STATE = Path(__file__).resolve().parent.parent / ".local" / "state.json"
PARALLEL_CALLS = 8
"""How many calls a command may have under way at once."""

_START_LOCAL = "start it with: make local"
_PROBE_SECONDS = 2
_FUNCTION_SECONDS = 310
"""Longer than the longest of the functions may run, the reconciler with 300 s."""
_OUTPUTS = {
    "table": "TableName",
    "keys_table": "KeysTableName",
    "bucket": "BucketName",
    "failure_queue": "FailureQueueUrl",
    "extract_metadata_function": "ExtractMetadataFunctionName",
    "reconcile_function": "ReconcileFunctionName",
}
"""The stack's output for each resource of a target."""
_CONFIG = Config(
    connect_timeout=5,
    read_timeout=10,
    # A person waits: more patience with throttling than a function has, but an end in about a minute.
    retries={"mode": "standard", "total_max_attempts": 5},
    max_pool_connections=PARALLEL_CALLS,
)


@dataclass(frozen=True, slots=True)
class TargetChoice:
    """What the operator chose on the command line; nothing has been looked up yet."""

    stack: str
    local: bool


class Clients:
    """Makes SDK clients for where the target is."""

    def __init__(self, session: boto3.Session, **place: str) -> None:
        self._session = session
        self._place: dict[str, Any] = dict(place)

    @property
    def endpoint_url(self) -> str | None:
        """Where all calls go, if that is not AWS."""
        return self._place.get("endpoint_url")

    def cloudformation(self) -> "CloudFormationClient":
        """Return a CloudFormation client."""
        return self._session.client("cloudformation", config=_CONFIG, **self._place)

    def dynamodb(self) -> "DynamoDBClient":
        """Return a DynamoDB client."""
        return self._session.client("dynamodb", config=_CONFIG, **self._place)

    def s3(self) -> "S3Client":
        """Return an S3 client."""
        return self._session.client("s3", config=_CONFIG, **self._place)

    def sqs(self) -> "SQSClient":
        """Return an SQS client."""
        return self._session.client("sqs", config=_CONFIG, **self._place)

    def functions(self) -> "LambdaClient":
        """Return a Lambda client that waits as long as a function may run, and calls it once."""
        patient = Config(connect_timeout=5, read_timeout=_FUNCTION_SECONDS, retries={"total_max_attempts": 1})
        return self._session.client("lambda", config=_CONFIG.merge(patient), **self._place)


@dataclass(frozen=True, slots=True)
class Target:
    """What the stack made, under a name that an operator recognises."""

    name: str
    stack: str
    clients: "Clients"
    table: str
    keys_table: str
    bucket: str
    failure_queue: str
    extract_metadata_function: str
    reconcile_function: str

    @property
    def dynamodb(self) -> "DynamoDBClient":
        """A DynamoDB client."""
        return self.clients.dynamodb()

    @property
    def api_keys(self) -> DynamoApiKeys:
        """The records of API keys."""
        return DynamoApiKeys(self.dynamodb, self.keys_table)

    @property
    def products(self) -> DynamoProducts:
        """The list of products."""
        return DynamoProducts(self.dynamodb, self.table)

    @property
    def catalog(self) -> DynamoImageCatalog:
        """The catalogue, as the functions see it."""
        return DynamoImageCatalog(self.dynamodb, self.table)


class _LocalAws(BaseModel):
    endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str


class _LocalFunctions(BaseModel):
    extract_metadata: str
    reconcile: str


class _LocalResources(BaseModel):
    table: str
    keys_table: str
    bucket: str
    failure_queue: str
    functions: _LocalFunctions


class _LocalState(BaseModel):
    """The part of `state.json` that this tool needs; `local.system.State` writes it."""

    aws: _LocalAws
    resources: _LocalResources


def target_of(ctx: typer.Context) -> Target:
    """Find what the operator chose.

    Only commands call this, so that `--help` needs neither AWS nor the local system.

    Raises:
        OperatorError: it is not there; the message says what to do.

    """
    choice: TargetChoice = ctx.obj
    return _local_target(LOCAL_STATE) if choice.local else _stack_target(choice.stack)


def _stack_target(stack: str) -> Target:
    session = boto3.Session()
    cloudformation = session.client("cloudformation", config=_CONFIG)
    region = cloudformation.meta.region_name
    outputs = _stack_outputs(cloudformation, stack, region)
    return Target(
        name=f"stack {stack} ({region})",
        stack=stack,
        clients=Clients(session),
        **{resource: outputs[output] for resource, output in _OUTPUTS.items()},
    )


def _stack_outputs(cloudformation: "CloudFormationClient", stack: str, region: str) -> dict[str, str]:
    try:
        description = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        # CloudFormation has no code of its own for this.
        if error_code(error) == "ValidationError" and "does not exist" in str(error):
            raise OperatorError(
                f"There is no stack {stack} in {region}. Name another with --stack or PRODUCT_IMAGES_STACK, "
                "choose another region with AWS_DEFAULT_REGION, or deploy it: sam deploy"
            ) from error
        raise
    outputs = {output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", [])}
    missing = set(_OUTPUTS.values()) - outputs.keys()
    if missing:
        raise OperatorError(
            f"Stack {stack} ({description['StackStatus']}) has no output {' and no '.join(sorted(missing))}. "
            "Name the stack of this service with --stack, or deploy it again: sam deploy"
        )
    return outputs


def _local_target(state_file: Path) -> Target:
    state = _read_local_state(state_file)
    _require_answer(state.aws.endpoint_url)
    clients = Clients(
        boto3.Session(),
        endpoint_url=state.aws.endpoint_url,
        region_name=state.aws.region,
        aws_access_key_id=state.aws.access_key_id,
        aws_secret_access_key=state.aws.secret_access_key,
    )
    resources = state.resources
    return Target(
        name="the local system",
        stack=LOCAL_STACK,
        clients=clients,
        table=resources.table,
        keys_table=resources.keys_table,
        bucket=resources.bucket,
        failure_queue=resources.failure_queue,
        extract_metadata_function=resources.functions.extract_metadata,
        reconcile_function=resources.functions.reconcile,
    )


def _read_local_state(state_file: Path) -> _LocalState:
    try:
        return _LocalState.model_validate_json(state_file.read_bytes())
    except FileNotFoundError:
        raise OperatorError(f"The local system is not running; {_START_LOCAL}") from None
    except ValidationError as error:
        raise OperatorError(
            f"{state_file} is not what this version writes; renew it with: make local-stop local"
        ) from error


def _require_answer(endpoint_url: str) -> None:
    """Notice a system that was killed, at once and before the SDK's retries."""
    address = urlsplit(endpoint_url)
    try:
        socket.create_connection((address.hostname, address.port or 80), _PROBE_SECONDS).close()
    except OSError:
        raise OperatorError(f"The local system does not answer on {endpoint_url}; {_START_LOCAL}") from None
