"""What the emulator gets instead of what AWS gets: three differences, and no fourth."""

import copy

import pytest

from local.template import Template, adapt_to_emulator
from tests.infrastructure.stack import Properties, of_type

GATEWAY_RESPONSE = "AWS::ApiGateway::GatewayResponse"


@pytest.fixture
def adapted(template: Template) -> Template:
    return adapt_to_emulator(copy.deepcopy(template))


def test_only_the_api_its_deployment_and_the_buckets_policy_differ(
    template: Template, adapted: Template
) -> None:
    before, after = template["Resources"], adapted["Resources"]
    [deployment] = of_type(template, "AWS::ApiGateway::Deployment")
    assert before.keys() - after.keys() == {"ImagesBucketPolicy"}
    assert after.keys() - before.keys() == of_type(adapted, GATEWAY_RESPONSE).keys()
    assert {n for n in before.keys() & after.keys() if before[n] != after[n]} == {"Api", deployment}


def test_nothing_but_the_resources_differs(template: Template, adapted: Template) -> None:
    assert {**adapted, "Resources": None} == {**template, "Resources": None}


def test_the_api_loses_what_the_emulator_ignores_and_gets_media_types_with_a_slash(
    template: Template, adapted: Template
) -> None:
    expected = template["Resources"]["Api"]
    del expected["Properties"]["Body"]["x-amazon-apigateway-binary-media-types"]
    del expected["Properties"]["Body"]["x-amazon-apigateway-gateway-responses"]
    expected["Properties"]["BinaryMediaTypes"] = ["multipart/form-data"]
    assert adapted["Resources"]["Api"] == expected


def test_every_gateway_response_becomes_a_resource_that_says_the_same(
    template: Template, adapted: Template
) -> None:
    declared = template["Resources"]["Api"]["Properties"]["Body"]["x-amazon-apigateway-gateway-responses"]
    expected = [
        {
            "RestApiId": {"Ref": "Api"},
            "ResponseType": response_type,
            "StatusCode": response["statusCode"],
            "ResponseParameters": response["responseParameters"],
            "ResponseTemplates": response["responseTemplates"],
        }
        for response_type, response in declared.items()
    ]
    assert _sorted(list(of_type(adapted, GATEWAY_RESPONSE).values())) == _sorted(expected)


def test_the_deployment_waits_for_the_gateway_responses(template: Template, adapted: Template) -> None:
    [name] = of_type(template, "AWS::ApiGateway::Deployment")
    deployment = adapted["Resources"][name]
    assert set(deployment.pop("DependsOn")) == of_type(adapted, GATEWAY_RESPONSE).keys()
    assert deployment == template["Resources"][name]


def test_of_the_buckets_policy_only_the_tls_statement_is_left_out(template: Template) -> None:
    statements = template["Resources"]["ImagesBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    another = {**statements[0], "Sid": "Another"}
    statements.append(another)
    [policy] = of_type(adapt_to_emulator(template), "AWS::S3::BucketPolicy").values()
    assert policy["PolicyDocument"]["Statement"] == [another]


def _sorted(responses: list[Properties]) -> list[Properties]:
    return sorted(responses, key=lambda response: str(response["ResponseType"]))
