"""Finds what a command works on: the resources of a deployed stack, or those of the local system."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import typer
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from pydantic import BaseModel, ValidationError

from adapters.aws import error_code
from adapters.dynamo_api_keys import DynamoApiKeys
from adapters.dynamo_products import DynamoProducts
from ops.failures import OperatorError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

DEFAULT_STACK = "product-images"
LOCAL_FOLDER = Path(__file__).resolve().parent.parent / ".local"
"""Where `make local` keeps its files, unless the variable of this name says another place."""
PARALLEL_CALLS = 8
"""How many calls a command may have under way at once."""

_START_LOCAL = "start it with: make local"
_PROBE_SECONDS = 2
FUNCTION_SECONDS = 910
"""Longer than the longest of the functions may run, the one that removes products with 900 s."""
LOCAL_STACK = "product-images-local"
"""The stack that `local.deployment` makes."""
_OUTPUTS = (
    "ApiUrl",
    "BaseUrl",
    "BucketName",
    "ExtractMetadataFunctionName",
    "FailureQueueUrl",
    "FetchQueueUrl",
    "KeysTableName",
    "ReconcileFunctionName",
    "RenderImageFunctionName",
    "RemoveProductFunctionName",
    "TableName",
)
"""The stack's outputs that a command needs."""
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

    def cloudwatch(self) -> "CloudWatchClient":
        """Return a CloudWatch client."""
        return self._session.client("cloudwatch", config=_CONFIG, **self._place)

    def dynamodb(self) -> "DynamoDBClient":
        """Return a DynamoDB client."""
        return self._session.client("dynamodb", config=_CONFIG, **self._place)

    def events(self) -> "EventBridgeClient":
        """Return an EventBridge client."""
        return self._session.client("events", config=_CONFIG, **self._place)

    def s3(self) -> "S3Client":
        """Return an S3 client."""
        return self._session.client("s3", config=_CONFIG, **self._place)

    def stranger_s3(self) -> "S3Client":
        """Return an S3 client that says of nothing who it is."""
        return self._session.client(
            "s3", config=_CONFIG.merge(Config(signature_version=UNSIGNED)), **self._place
        )

    def sqs(self) -> "SQSClient":
        """Return an SQS client."""
        return self._session.client("sqs", config=_CONFIG, **self._place)

    def caller(self) -> str:
        """Return the ARN of whoever makes the calls; nobody needs a right to ask for his own."""
        arn: str = self._session.client("sts", config=_CONFIG, **self._place).get_caller_identity()["Arn"]
        return arn

    def functions(self) -> "LambdaClient":
        """Return a Lambda client that waits as long as a function may run, and calls it once."""
        patient = Config(connect_timeout=5, read_timeout=FUNCTION_SECONDS, retries={"total_max_attempts": 1})
        return self._session.client("lambda", config=_CONFIG.merge(patient), **self._place)


@dataclass(frozen=True, slots=True)
class Target:
    """A deployed stack, under a name that an operator recognises, with its outputs and parameters."""

    name: str
    stack: str
    is_local: bool
    clients: Clients
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]

    @property
    def table(self) -> str:
        """The table of products and pictures."""
        return self.outputs["TableName"]

    @property
    def keys_table(self) -> str:
        """The table of API keys."""
        return self.outputs["KeysTableName"]

    @property
    def bucket(self) -> str:
        """The bucket of the pictures' bytes."""
        return self.outputs["BucketName"]

    @property
    def failure_queue(self) -> str:
        """The URL of the queue of events that failed all their tries."""
        return self.outputs["FailureQueueUrl"]

    @property
    def fetch_queue(self) -> str:
        """The URL of the queue of pictures that are to be fetched by their address."""
        return self.outputs["FetchQueueUrl"]

    @property
    def asynchronous_functions(self) -> dict[str, str]:
        """The names of the functions whose failed events go to the failure queue, by their role.

        Those that have the CDN forget pictures and that follow the catalogue are there as parameters say.
        """
        follow_catalogue = self.outputs.get("FollowCatalogueFunctionName")
        forget_image = self.outputs.get("ForgetImageFunctionName")
        return {
            "extract-metadata": self.outputs["ExtractMetadataFunctionName"],
            "render-image": self.outputs["RenderImageFunctionName"],
            "reconcile": self.outputs["ReconcileFunctionName"],
            "remove-product": self.outputs["RemoveProductFunctionName"],
            **({"follow-catalogue": follow_catalogue} if follow_catalogue else {}),
            **({"forget-image": forget_image} if forget_image else {}),
        }

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


class _LocalAws(BaseModel):
    endpoint_url: str
    region: str
    access_key_id: str
    secret_access_key: str


class _LocalState(BaseModel):
    """The part of `state.json` that this tool needs; `local.system.State` writes it.

    What the stack made, it says itself, as on AWS.
    """

    aws: _LocalAws


class _LocalService(BaseModel):
    """The part of `state.json` that a client of the service needs."""

    api_url: str
    keys: dict[str, str]


def local_service() -> tuple[str, str]:
    """Return the URL of the local system, and a key of staff.

    Raises:
        OperatorError: it is not running; the message says what to do.

    """
    state = _read_local_state(_local_state_file(), _LocalService)
    _require_answer(state.api_url)
    return state.api_url, state.keys["staff"]


def target_of(ctx: typer.Context) -> Target:
    """Find what the operator chose.

    Only commands call this, so that `--help` needs neither AWS nor the local system.

    Raises:
        OperatorError: it is not there; the message says what to do.

    """
    choice: TargetChoice = ctx.obj
    return _local_target() if choice.local else _stack_target(choice.stack)


def _stack_target(stack: str) -> Target:
    return _deployed(stack, Clients(boto3.Session()), is_local=False)


def _local_target() -> Target:
    aws = _read_local_state(_local_state_file(), _LocalState).aws
    _require_answer(aws.endpoint_url)
    clients = Clients(
        boto3.Session(),
        endpoint_url=aws.endpoint_url,
        region_name=aws.region,
        aws_access_key_id=aws.access_key_id,
        aws_secret_access_key=aws.secret_access_key,
    )
    return _deployed(LOCAL_STACK, clients, is_local=True)


def _deployed(stack: str, clients: Clients, *, is_local: bool) -> Target:
    cloudformation = clients.cloudformation()
    region = cloudformation.meta.region_name
    described = _described(cloudformation, stack, region)
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    missing = set(_OUTPUTS) - outputs.keys()
    if missing:
        raise OperatorError(
            f"Stack {stack} ({described['StackStatus']}) has no output {' and no '.join(sorted(missing))}. "
            "Name the stack of this service with --stack, or deploy it again: sam deploy"
        )
    return Target(
        name="the local system" if is_local else f"stack {stack} ({region})",
        stack=stack,
        is_local=is_local,
        clients=clients,
        outputs=outputs,
        parameters={each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", [])},
    )


def _described(cloudformation: "CloudFormationClient", stack: str, region: str) -> "StackTypeDef":
    try:
        return cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        # CloudFormation has no code of its own for this.
        if error_code(error) == "ValidationError" and "does not exist" in str(error):
            raise OperatorError(
                f"There is no stack {stack} in {region}. Name another with --stack or PRODUCT_IMAGES_STACK, "
                "choose another region with AWS_DEFAULT_REGION, or deploy it: sam deploy"
            ) from error
        raise


def _local_state_file() -> Path:
    return Path(os.environ.get("LOCAL_FOLDER", LOCAL_FOLDER)) / "state.json"


def _read_local_state[Part: BaseModel](state_file: Path, part: type[Part]) -> Part:
    try:
        return part.model_validate_json(state_file.read_bytes())
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
