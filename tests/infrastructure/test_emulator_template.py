"""What the emulator gets instead of what AWS gets: these differences, and no other."""

import copy

import pytest

from local.template import Template, adapt_to_emulator
from tests.infrastructure.stack import Properties, function_roles, of_type, statements

GATEWAY_RESPONSE = "AWS::ApiGateway::GatewayResponse"


@pytest.fixture
def adapted(template: Template) -> Template:
    return adapt_to_emulator(copy.deepcopy(template))


def test_only_the_api_its_deployment_and_some_policies_differ(template: Template, adapted: Template) -> None:
    before, after = template["Resources"], adapted["Resources"]
    [deployment] = of_type(template, "AWS::ApiGateway::Deployment")
    assert before.keys() - after.keys() == {"FunctionErrorsAlarm", "Dashboard"}
    assert after.keys() - before.keys() == of_type(adapted, GATEWAY_RESPONSE).keys()
    changed = {name for name in before.keys() & after.keys() if before[name] != after[name]}
    put_events = {name for name in before if "event-bus/default" in str(before[name]) and name in after}
    [mapping] = of_type(template, "AWS::Lambda::EventSourceMapping")
    assert changed == {"Api", deployment, "ImagesBucketPolicy", mapping, *put_events}


@pytest.mark.parametrize(("parameters", "expected"), [({}, 10), ({"FetchConcurrency": "3"}, 3)])
def test_the_number_of_messages_at_once_is_a_number(
    template: Template, parameters: dict[str, str], expected: int
) -> None:
    adapted = adapt_to_emulator(copy.deepcopy(template), parameters)
    [mapping] = of_type(adapted, "AWS::Lambda::EventSourceMapping").values()
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": expected}


def test_nothing_but_the_resources_differs(template: Template, adapted: Template) -> None:
    assert {**adapted, "Resources": None} == {**template, "Resources": None}


def test_the_api_loses_what_the_emulator_ignores_and_gets_media_types_with_a_slash(
    template: Template, adapted: Template
) -> None:
    expected = template["Resources"]["Api"]
    del expected["Properties"]["Body"]["x-amazon-apigateway-binary-media-types"]
    del expected["Properties"]["Body"]["x-amazon-apigateway-gateway-responses"]
    expected["Properties"]["BinaryMediaTypes"] = ["multipart/form-data", "application/json"]
    adapted["Resources"]["Api"]["Properties"]["Body"]["paths"] = expected["Properties"]["Body"]["paths"]
    assert adapted["Resources"]["Api"] == expected


def test_every_gateway_response_becomes_a_resource_that_says_the_same(
    template: Template, adapted: Template
) -> None:
    declared = template["Resources"]["Api"]["Properties"]["Body"]["x-amazon-apigateway-gateway-responses"]
    expected = [
        {
            "RestApiId": {"Ref": "Api"},
            "ResponseType": response_type,
            **({"StatusCode": response["statusCode"]} if response_type != "DEFAULT_4XX" else {}),
            "ResponseParameters": response["responseParameters"],
            "ResponseTemplates": {
                # The identifier that the emulator knows in a template.
                "application/json": response["responseTemplates"]["application/json"].replace(
                    "$context.extendedRequestId", "$context.requestId"
                )
            },
        }
        for response_type, response in declared.items()
    ]
    assert _sorted(list(of_type(adapted, GATEWAY_RESPONSE).values())) == _sorted(expected)


def test_the_deployment_waits_for_the_gateway_responses(template: Template, adapted: Template) -> None:
    [name] = of_type(template, "AWS::ApiGateway::Deployment")
    deployment = adapted["Resources"][name]
    assert set(deployment.pop("DependsOn")) == of_type(adapted, GATEWAY_RESPONSE).keys()
    assert deployment == template["Resources"][name]


def test_of_the_buckets_policy_only_the_statements_on_tls_are_left_out(template: Template) -> None:
    [policy] = of_type(template, "AWS::S3::BucketPolicy").values()
    [adapted] = of_type(adapt_to_emulator(copy.deepcopy(template)), "AWS::S3::BucketPolicy").values()
    tls_only, tls_12, *others = policy["PolicyDocument"]["Statement"]
    assert (tls_only["Sid"], tls_12["Sid"]) == ("TlsOnly", "Tls12OrLater")
    assert adapted["PolicyDocument"]["Statement"] == others


def test_every_method_that_a_path_leaves_to_any_is_declared(template: Template, adapted: Template) -> None:
    methods = {"get", "head", "options", "put", "post", "delete", "patch"}
    before = template["Resources"]["Api"]["Properties"]["Body"]["paths"]
    after = adapted["Resources"]["Api"]["Properties"]["Body"]["paths"]
    for path, declared in before.items():
        any_method = declared.pop("x-amazon-apigateway-any-method")
        assert after[path] == {**dict.fromkeys(methods, any_method), **declared}


def test_of_the_roles_only_the_condition_on_the_source_of_events_is_left_out(
    template: Template, adapted: Template
) -> None:
    for role in function_roles(template).values():
        for statement in statements(role):
            if statement["Action"] == "events:PutEvents":
                del statement["Condition"]
    assert of_type(adapted, "AWS::IAM::Role") == of_type(template, "AWS::IAM::Role")


def _sorted(responses: list[Properties]) -> list[Properties]:
    return sorted(responses, key=lambda response: str(response["ResponseType"]))
