"""What the commands work on, and the one line that says why they cannot."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import typer
from botocore.exceptions import DataNotFoundError, ReadTimeoutError
from rich.text import Text

from domain.errors import UnavailableError
from local.__main__ import FOLDER
from local.deployment import STACK
from local.system import Aws, Resources, State
from ops.__main__ import app
from ops.failures import explain
from ops.target import LOCAL_FOLDER
from tests.integration.ops_operator import (
    REGION,
    Operator,
    error_line,
    operator_of_a_stack,
)

ANY_SECRET = "x"  # noqa: S105 - the server of the tests does not check it
COMMANDS = [
    (),
    ("keys",),
    ("keys", "create"),
    ("keys", "list"),
    ("keys", "revoke"),
    ("products",),
    ("products", "add"),
    ("products", "import"),
    ("products", "list"),
    ("products", "remove"),
    ("repair",),
    ("repair", "audit"),
    ("repair", "drop"),
    ("repair", "queue"),
    ("repair", "reconcile"),
    ("repair", "redrive"),
    ("verify",),
]

GROUPS = [("keys",), ("products",), ("repair",)]


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    with operator_of_a_stack(monkeypatch) as operator:
        yield operator


# help


@pytest.mark.parametrize("command", COMMANDS)
def test_help_needs_no_aws(command: tuple[str, ...], operator: Operator) -> None:
    result = operator.runs(*command, "--help")
    assert result.exit_code == 0
    assert not operator.aws.calls


@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in GROUPS])
def test_help_shows_an_example(command: tuple[str, ...], operator: Operator) -> None:
    # On a CI server Typer colours its help even when nobody looks.
    text = Text.from_ansi(operator.runs(*command, "--help").stdout).plain
    usage, _, rest = text.partition("Example")
    assert "Usage: product-images" in usage
    assert " ".join(("product-images", *command)) in rest


def test_a_command_without_its_words_shows_help_and_fails(operator: Operator) -> None:
    result = operator.runs("keys")
    assert result.exit_code == 2
    assert "revoke" in result.stdout


def test_the_module_is_the_program_too() -> None:
    command = [sys.executable, "-m", "ops", "products", "add"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "Error: Missing argument 'ID'. See: python -m ops products add --help\n"


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("keys", "lsit"), "No such command 'lsit'. Did you mean 'list'? See: product-images keys --help"),
        (("keys", "list", "--stack"), "Option '--stack' requires an argument."),
        (("keys", "list", "--yaml"), "No such option: --yaml"),
    ],
)
def test_a_mistyped_command_is_one_line(operator: Operator, command: tuple[str, ...], says: str) -> None:
    assert says in error_line(operator.runs(*command))


# a stack


def test_the_tables_are_those_of_the_stack_product_images(operator: Operator) -> None:
    assert operator.runs("products", "add", "123").exit_code == 0
    assert "StackName=product-images&" in operator.aws.calls[0].body + "&"
    assert operator.products.exists(123)


def test_another_stack_is_named_on_the_command_line_or_in_the_environment(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRODUCT_IMAGES_STACK", "from-environment")
    operator.runs("keys", "list")
    operator.runs("--stack", "before", "keys", "list")
    operator.runs("keys", "list", "--stack", "behind")
    operator.runs("keys", "--stack=within", "list")
    bodies = [call.body for call in operator.aws.calls]
    named = [parse_qs(body)["StackName"] for body in bodies]
    assert named == [["from-environment"], ["before"], ["behind"], ["within"]]


def test_behind_two_dashes_nothing_names_a_stack(operator: Operator) -> None:
    line = error_line(operator.runs("products", "add", "--", "--local"))
    assert "'--local' is no product." in line


def test_a_stack_that_is_not_there_is_named_with_its_region(operator: Operator) -> None:
    operator.aws.refuses_describe_stacks(400, "ValidationError", "Stack with id shop does not exist")
    line = error_line(operator.runs("--stack", "shop", "keys", "list"))
    assert "There is no stack shop in eu-central-1." in line
    assert "PRODUCT_IMAGES_STACK" in line


def test_another_fault_of_the_stacks_name_is_told_as_aws_tells_it(operator: Operator) -> None:
    operator.aws.refuses_describe_stacks(400, "ValidationError", "1 validation error:\nstackName")
    line = error_line(operator.runs("keys", "list"))
    assert line == "Error: AWS refused DescribeStacks with ValidationError: 1 validation error: stackName"


def test_a_stack_of_another_service_is_noticed(operator: Operator) -> None:
    shared = ("ApiUrl", "BaseUrl", "BucketName", "FailureQueueUrl", "TableName")
    operator.aws.has_stack("other", dict.fromkeys(shared, "x"))
    line = error_line(operator.runs("--stack", "other", "keys", "list"))
    assert "Stack other (CREATE_COMPLETE) has no output " in line
    assert "ExtractMetadataFunctionName and no FetchQueueUrl and no KeysTableName and no " in line


# what AWS refuses


def test_a_denied_stack_names_the_action(operator: Operator) -> None:
    message = "User: arn:aws:iam::1:user/sam is not authorized to perform: cloudformation:DescribeStacks on x"
    operator.aws.refuses_describe_stacks(403, "AccessDenied", message)
    assert "AWS denies cloudformation:DescribeStacks." in error_line(operator.runs("keys", "list"))


@pytest.mark.parametrize(
    ("code", "message", "says"),
    [
        (
            "AccessDeniedException",
            "User: arn:aws:sts::1:x is not authorized to perform: dynamodb:BatchGetItem on resource: y",
            "AWS denies dynamodb:BatchGetItem. Ask for a role that allows it",
        ),
        ("AccessDeniedException", "no", "AWS denies BatchGetItem."),
        ("ResourceNotFoundException", "no", "What BatchGetItem needs is not there. Deploy"),
        ("ExpiredTokenException", "no", "AWS does not accept the credentials (ExpiredTokenException)"),
        ("UnrecognizedClientException", "no", "AWS does not accept the credentials"),
        ("ItemCollectionSizeLimitExceededException", "Too much.", "AWS refused BatchGetItem with Item"),
    ],
)
def test_what_dynamodb_refuses_is_one_line_that_says_what_to_do(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, code: str, message: str, says: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", operator.aws.url)
    operator.aws.refuses("BatchGetItem", 400, code, message)
    assert says in error_line(operator.runs("products", "add", "123"))


def test_throttling_ends_with_the_advice_to_try_again(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", operator.aws.url)
    monkeypatch.setattr("adapters.aws.time.sleep", lambda _seconds: None)
    operator.aws.refuses("BatchGetItem", 400, "ThrottlingException", "no")
    assert "what is done stays done" in error_line(operator.runs("products", "add", "123"))


def test_credentials_that_are_missing_are_one_line(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    line = error_line(operator.runs("keys", "list"))
    assert "There are no usable AWS credentials: sign in" in line
    assert "--local" in line


def test_a_profile_that_is_not_there_is_named(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "shop")
    line = error_line(operator.runs("keys", "list"))
    assert "(shop) could not be found. Set AWS_PROFILE" in line


def test_a_region_that_is_missing_is_one_line(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert "Set AWS_DEFAULT_REGION" in error_line(operator.runs("keys", "list"))


def test_an_endpoint_out_of_reach_is_named(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr("ops.target._CONFIG", None)
    url = f"http://127.0.0.1:{closed_port()}"
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", url)
    line = error_line(operator.runs("keys", "list"))
    assert "AWS cannot be reached" in line
    assert url in line


def test_a_connection_that_is_lost_under_way_is_named() -> None:
    error = UnavailableError()
    error.__cause__ = ReadTimeoutError(endpoint_url="https://dynamodb.eu-central-1.amazonaws.com")
    assert "AWS cannot be reached (Read timeout on endpoint URL" in explain(error)


def test_what_else_the_sdk_says_is_passed_on() -> None:
    assert explain(DataNotFoundError(data_path="dynamodb")) == "Unable to load data for: dynamodb"


def test_a_program_that_embeds_the_commands_gets_their_errors() -> None:
    with pytest.raises(typer.TyperException, match="lsit"):
        app(["keys", "lsit"], standalone_mode=False)


def test_a_fault_of_the_tool_is_one_line_without_its_message(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("pik_secret")

    monkeypatch.setattr("adapters.dynamo_products.DynamoProducts.add", fail)
    line = error_line(operator.runs("products", "add", "123"))
    assert "RuntimeError" in line
    assert "pik_secret" not in line


# the local system


def local_state(endpoint_url: str) -> State:
    return State(
        api_url="http://localhost:8000",
        keys={},
        products=[],
        aws=Aws(endpoint_url=endpoint_url, region=REGION, access_key_id="root", secret_access_key=ANY_SECRET),
        resources=Resources(
            bucket="local-bucket",
            table="local-table",
            keys_table="local-keys",
            failure_queue="local-queue",
            functions={"extract_metadata": "local-extract", "reconcile": "local-reconcile"},
        ),
    )


@pytest.fixture
def state_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOCAL_FOLDER", str(tmp_path))
    return tmp_path / "state.json"


@pytest.mark.parametrize(
    "command", [("--local", "products", "add", "123"), ("products", "add", "123", "--local")]
)
def test_local_works_on_the_stack_at_the_endpoint_that_the_state_names(
    operator: Operator, state_file: Path, command: tuple[str, ...]
) -> None:
    state_file.write_text(local_state(operator.aws.url).model_dump_json())
    operator.aws.answers["BatchGetItem"] = (200, '{"Responses": {}}')
    operator.aws.answers["TransactWriteItems"] = (200, "{}")
    result = operator.runs(*command)
    assert (result.exit_code, result.stdout) == (0, "Product 123: added.\n")
    looked_up, _, put = operator.aws.calls
    assert parse_qs(looked_up.body)["StackName"] == [STACK]
    assert json.loads(put.body)["TransactItems"][0]["Put"]["TableName"] == "catalog"
    assert "Credential=root/" in put.authorization
    assert f"/{REGION}/dynamodb/" in put.authorization


@pytest.mark.usefixtures("state_file")
def test_a_local_system_that_is_not_running_is_one_line(operator: Operator) -> None:
    line = error_line(operator.runs("--local", "keys", "list"))
    assert line == "Error: The local system is not running; start it with: make local"


def test_a_local_system_that_was_killed_is_one_line(operator: Operator, state_file: Path) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    state_file.write_text(local_state(url).model_dump_json())
    line = error_line(operator.runs("--local", "keys", "list"))
    assert line == f"Error: The local system does not answer on {url}; start it with: make local"


@pytest.mark.parametrize("content", ["", "{}", "{"])
def test_a_state_that_cannot_be_read_is_one_line(operator: Operator, state_file: Path, content: str) -> None:
    state_file.write_text(content)
    line = error_line(operator.runs("--local", "keys", "list"))
    assert str(state_file) in line
    assert "make local-stop local" in line


def test_the_state_is_looked_for_where_make_local_puts_it() -> None:
    assert LOCAL_FOLDER == FOLDER


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
