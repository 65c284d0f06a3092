"""Reads a translated template: resources by type, who refers to whom, who may do what."""

import re
from collections.abc import Callable, Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from local.template import Template

type Properties = dict[str, Any]

BUCKET_NAME = "${AWS::StackName}-${AWS::AccountId}-${AWS::Region}"
BUCKET_ARN = f"arn:${{AWS::Partition}}:s3:::{BUCKET_NAME}"
"""As the template writes them where a reference would close a circle."""

NO_VALUE = {"Ref": "AWS::NoValue"}
"""What CloudFormation leaves out."""

# A Sub's ${Name} or ${Name.Attribute}; ${!Name} is a literal.
_PLACEHOLDER = re.compile(r"\$\{(?!!)([^.}]+)")

_WHOLE_PLACEHOLDER = re.compile(r"\$\{([^}]+)\}")

_INTRINSICS: dict[str, Callable[..., object]] = {
    "Fn::Equals": lambda one, other: one == other,
    "Fn::Split": lambda between, text: text.split(between),
    "Fn::Join": lambda between, several: between.join(several),
    "Fn::And": lambda *conditions: all(conditions),
    "Fn::Not": lambda condition: not condition,
    "Fn::Select": lambda index, several: several[int(index)],
}

_ONE_BUCKET = r"(\$\{\w+Bucket\.Arn\}|arn:\$\{AWS::Partition\}:s3:::[^*/]+)"
_BELOW_A_PREFIX = re.compile(rf"{_ONE_BUCKET}(/[^*/]+)+/\*")


def of_type(template: Template, kind: str) -> dict[str, Properties]:
    """Return the properties of each resource of this type, by logical id."""
    resources = template["Resources"].items()
    return {name: resource["Properties"] for name, resource in resources if resource["Type"] == kind}


def functions(template: Template) -> dict[str, Properties]:
    return of_type(template, "AWS::Lambda::Function")


def function_roles(template: Template) -> dict[str, Properties]:
    """Return the roles of the functions: not those of API Gateway, which writes logs, and of EventBridge."""
    roles = of_type(template, "AWS::IAM::Role")
    del roles["GatewayRole"], roles["WebhookRole"]
    return roles


def variables_of(function: Properties) -> dict[str, Any]:
    """Return the environment that a function has on AWS: its variables but those without a value."""
    variables = function["Environment"]["Variables"].items()
    return {name: value for name, value in variables if value != NO_VALUE}


def images_bucket(template: Template) -> Properties:
    [bucket] = of_type(template, "AWS::S3::Bucket").values()
    return bucket


def references(node: object) -> set[str]:
    """Return every name that Ref, Fn::GetAtt or Fn::Sub in `node` refers to."""
    match node:
        case {"Ref": str(name)} | {"Fn::GetAtt": str(name) | [str(name), *_]}:
            return {name.partition(".")[0]}
        case {"Fn::Sub": str(pattern)}:
            return _references_of_sub(pattern, {})
        case {"Fn::Sub": [str(pattern), dict(values)]}:
            return _references_of_sub(pattern, values)
        case dict():
            return references(list(node.values()))
        case list():
            return set().union(*map(references, node))
    return set()


def circle(template: Template) -> list[str]:
    """Return the resources of a circle of references, its first one again at the end; [] if there is none."""
    resources = template["Resources"]
    graph = {
        name: resources.keys() & (references(resource) | _depends_on(resource))
        for name, resource in resources.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def add_circle(template: Template) -> None:
    """Let the function that the bucket triggers refer to the bucket, which cannot be deployed."""
    function = functions(template)["ExtractMetadataFunction"]
    function["Environment"]["Variables"]["BUCKET"] = {"Ref": "ImagesBucket"}


def as_sub(value: object) -> str:
    """Write a Ref, a GetAtt or a Sub in one way: as the text of a Sub."""
    match value:
        case str():
            return value
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::Sub": str(pattern)}:
            return pattern
    raise ValueError(f"No single resource: {value}")


def statements(role: Properties) -> Iterator[Properties]:
    """Yield the statements of a role's policies."""
    for policy in role["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]


def grants(role: Properties) -> dict[str, set[str]]:
    """Return the actions that a role allows, by resource."""
    allowed: dict[str, set[str]] = {}
    for statement in statements(role):
        for resource in _as_list(statement["Resource"]):
            allowed.setdefault(as_sub(resource), set()).update(_as_list(statement["Action"]))
    return allowed


def is_scoped(resource: str) -> bool:
    """Tell whether an ARN names one resource, or what lies below a prefix of one bucket."""
    return "*" not in resource or bool(_BELOW_A_PREFIX.fullmatch(resource))


def allows(parameter: Properties, value: str) -> bool:
    """Tell whether CloudFormation takes this value for this parameter."""
    if parameter["Type"] == "Number":
        lowest, highest = parameter.get("MinValue", value), parameter.get("MaxValue", value)
        if not float(lowest) <= float(value) <= float(highest):
            return False
    return value in map(str, parameter.get("AllowedValues", [value])) and bool(
        re.fullmatch(parameter.get("AllowedPattern", "(?s:.*)"), value)
    )


def evaluate(template: Template, node: object, **parameters: str) -> Any:  # noqa: ANN401 - any part of a template
    """Return `node` as CloudFormation makes it with these parameters, and defaults for the others.

    What only a deployment can tell stays as it is written.
    """
    values: dict[str, Any] = {}
    for name, parameter in template["Parameters"].items():
        value = parameters.get(name, str(parameter["Default"]))
        values[name] = value.split(",") if parameter["Type"] == "CommaDelimitedList" else value
    return _evaluate(node, template["Conditions"], values)


def _evaluate(node: object, conditions: dict[str, object], values: dict[str, Any]) -> Any:  # noqa: ANN401
    def inner(each: object) -> Any:  # noqa: ANN401
        return _evaluate(each, conditions, values)

    made: object = node
    match node:
        case {"Ref": str(name)} if name in values:
            made = values[name]
        case {"Fn::Sub": str(pattern)}:
            made = _WHOLE_PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), pattern)
        case {"Fn::If": [str(name), then, otherwise]}:
            made = inner(then if inner(conditions[name]) else otherwise)
        case dict() if node.keys() <= _INTRINSICS.keys() and node:
            [(name, arguments)] = node.items()
            made = _INTRINSICS[name](*inner(arguments))
        case dict():
            members = {name: inner(each) for name, each in node.items()}
            made = {name: each for name, each in members.items() if each != NO_VALUE}
        case list():
            made = [each for each in map(inner, node) if each != NO_VALUE]
    return made


def _references_of_sub(pattern: str, values: dict[str, object]) -> set[str]:
    return (set(_PLACEHOLDER.findall(pattern)) - values.keys()) | references(values)


def _depends_on(resource: dict[str, Any]) -> set[str]:
    return set(_as_list(resource.get("DependsOn", [])))


def _as_list(value: Any) -> list[Any]:  # noqa: ANN401 - CloudFormation writes a list of one without brackets
    return value if isinstance(value, list) else [value]
