"""`product-images invoke-settings`: what functions know of a stack, for `sam local invoke`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.target import target_of
from ops.terminal import note, say

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_lambda import LambdaClient

type Settings = dict[str, dict[str, str]]
"""Variables of each function by its logical id, as the option --env-vars of `sam local invoke` reads them."""


def write_settings(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to write.")] = Path("names.json"),
) -> None:
    """Write the environment of each deployed function to a file, for sam local invoke --env-vars.

    A function that runs with it works on this stack's bucket and tables.

    Examples:
        product-images invoke-settings
        product-images --local invoke-settings local.json

    """
    target = target_of(ctx)
    clients = target.clients
    settings = read_settings(clients.cloudformation(), clients.functions(), target.stack)
    if clients.endpoint_url:
        # The template declares it for every function, so that it can be given here.
        for variables in settings.values():
            variables["AWS_ENDPOINT_URL"] = clients.endpoint_url
    file.write_text(json.dumps(settings, indent=2) + "\n")
    say(f"{file}: the variables of {len(settings)} functions of {target.name}.")
    note("A function that runs with them changes images and records there: they are no copy.")


def read_settings(cloudformation: "CloudFormationClient", functions: "LambdaClient", stack: str) -> Settings:
    """Return the environment of every function of the stack as it is deployed.

    From the functions themselves, so that no variable can be forgotten here.
    """
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    names = {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::Lambda::Function"
    }
    return {
        logical_id: functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        for logical_id, name in sorted(names.items())
    }
