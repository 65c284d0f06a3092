"""The file that lets `sam local invoke` run a function against a deployed stack."""

import boto3
import pytest
from botocore.stub import Stubber

from local.deployment import STACK
from ops.invoke_settings import read_settings
from ops.target import LOCAL_STACK
from tests.integration.ops_operator import REGION

MOMENT = "2026-11-30T00:00:00Z"


def a_resource(logical_id: str, kind: str, physical_id: str) -> dict[str, str]:
    return {
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": physical_id,
        "ResourceType": kind,
        "ResourceStatus": "CREATE_COMPLETE",
        "LastUpdatedTimestamp": MOMENT,
    }


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")


def test_the_settings_of_every_function_of_the_stack_are_those_that_it_is_deployed_with() -> None:
    cloudformation = boto3.client("cloudformation", region_name=REGION)
    functions = boto3.client("lambda", region_name=REGION)
    with Stubber(cloudformation) as of_stack, Stubber(functions) as of_functions:
        kind = "AWS::Lambda::Function"
        first = [a_resource("Images", "AWS::S3::Bucket", "b"), a_resource("Second", kind, "shop-Second-1")]
        of_stack.add_response(
            "list_stack_resources",
            {"StackResourceSummaries": first, "NextToken": "more"},
            {"StackName": "shop"},
        )
        of_stack.add_response(
            "list_stack_resources",
            {"StackResourceSummaries": [a_resource("First", kind, "shop-First-1")]},
            {"StackName": "shop", "NextToken": "more"},
        )
        for name, variables in (("shop-First-1", {"TABLE": "t"}), ("shop-Second-1", {"BUCKET": "b"})):
            of_functions.add_response(
                "get_function_configuration",
                {"Environment": {"Variables": variables}},
                {"FunctionName": name},
            )
        settings = read_settings(cloudformation, functions, "shop")
    assert settings == {"First": {"TABLE": "t"}, "Second": {"BUCKET": "b"}}


def test_the_local_system_is_the_stack_that_this_tool_looks_for() -> None:
    assert LOCAL_STACK == STACK
