"""The functions' roles as they are deployed: what each may do, and how to take one right away for a while."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from local.deployment import FUNCTIONS, STACK
from local.system import State

_NAMED = {
    "AWS::CloudFront::Distribution",
    "AWS::DynamoDB::Table",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
}
_KIND = re.compile("^(table/|function:|log-group:|distribution/)")


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One action that the role of a function may do on one resource."""

    function: str
    action: str
    resource: str


class Roles:
    """The roles of the deployed functions, through IAM's API."""

    def __init__(self, state: State) -> None:
        self._iam = state.endpoint.client("iam")
        described = state.endpoint.client("cloudformation").describe_stack_resources(StackName=STACK)
        resources = described["StackResources"]
        self._names = {
            _name_in_arn(each["PhysicalResourceId"]): each["LogicalResourceId"]
            for each in resources
            if each["ResourceType"] in _NAMED
        }
        roles = {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for each in resources
            if each["ResourceType"] == "AWS::IAM::Role"
        }
        self._roles = {
            function: roles.pop(f"{logical_id.removesuffix('Function')}Role")
            for function, logical_id in FUNCTIONS.items()
        }
        self.of_no_function = list(roles)

    def rights(self) -> set[Right]:
        """Return all that the roles' inline policies allow."""
        return {
            Right(function, action, self._name(resource))
            for function in self._roles
            for _, document in self._policies(function)
            for statement in document["Statement"]
            for resource in _several(statement["Resource"])
            for action in _several(statement["Action"])
        }

    def attached(self) -> list[str]:
        """Return the managed policies of the roles."""
        return [
            policy["PolicyArn"]
            for role in self._roles.values()
            for policy in self._iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        ]

    @contextmanager
    def without(self, right: Right) -> Iterator[None]:
        """Take one right away for a while, and no other.

        Raises:
            ValueError: the role does not have it, or has it twice.

        """
        role = self._roles[right.function]
        [(name, deployed)] = self._policies(right.function)
        kept, found = [], 0
        for statement in _one_resource_each(deployed["Statement"]):
            actions = _several(statement["Action"])
            if right.action in actions and self._name(statement["Resource"]) == right.resource:
                found += 1
                actions = [action for action in actions if action != right.action]
            if actions:
                kept.append({**statement, "Action": actions})
        if found != 1:
            raise ValueError(f"{right} stands {found} times in the role.")
        self._put(role, name, {**deployed, "Statement": kept})
        try:
            yield
        finally:
            self._put(role, name, deployed)

    def _policies(self, function: str) -> Iterator[tuple[str, dict[str, Any]]]:
        role = self._roles[function]
        for name in self._iam.list_role_policies(RoleName=role)["PolicyNames"]:
            # The SDK has parsed it, whatever its type says.
            document: Any = self._iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            yield name, document

    def _put(self, role: str, name: str, document: dict[str, Any]) -> None:
        self._iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))

    def _name(self, arn: str) -> str:
        """Name a resource as the template does: `CatalogTable`, `ImagesBucket/media/*`."""
        name = _KIND.sub("", arn.split(":", 5)[5]).removesuffix(":*")
        for physical, logical in self._names.items():
            if name == physical or name.startswith(f"{physical}/"):
                return logical + name.removeprefix(physical)
        return name


def _one_resource_each(statements: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for statement in statements:
        for number, resource in enumerate(_several(statement["Resource"])):
            yield {**statement, "Sid": f"{statement['Sid']}{number}", "Resource": resource}


def _several(one_or_more: str | list[str]) -> list[str]:
    return [one_or_more] if isinstance(one_or_more, str) else one_or_more


def _name_in_arn(physical_id: str) -> str:
    # A queue's is its URL.
    return physical_id.rpartition("/")[2] if "://" in physical_id else physical_id
