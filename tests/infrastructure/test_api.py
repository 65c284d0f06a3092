"""The API of template.yaml: routes, who may call them, which keys are let through."""

import re

import pytest

from domain.api_key import generate_key
from local.template import Template
from tests.infrastructure.api import ROUTES, api_definition, routes_of
from tests.infrastructure.stack import Properties, as_sub, circle, evaluate, functions, of_type, references


def test_the_stage_is_v1_and_so_is_the_url_of_the_outputs(template: Template) -> None:
    [stage] = of_type(template, "AWS::ApiGateway::Stage").values()
    assert stage["StageName"] == "v1"
    assert as_sub(template["Outputs"]["ApiUrl"]["Value"]).endswith("/v1")


def test_the_api_speaks_tls_1_2_at_least(template: Template) -> None:
    [api] = of_type(template, "AWS::ApiGateway::RestApi").values()
    assert api["SecurityPolicy"].startswith("SecurityPolicy_TLS13_1_2_")
    # API Gateway takes such a policy together with an access mode only.
    assert api["EndpointAccessMode"] == "BASIC"


def test_the_api_hands_forms_to_the_function_as_bytes(template: Template) -> None:
    [api] = of_type(template, "AWS::ApiGateway::RestApi").values()
    # CloudFormation wants the slash of a media type written ~1; the definition has it plain.
    assert api["BinaryMediaTypes"] == ["multipart~1form-data", "application~1json"]
    assert api["Body"]["x-amazon-apigateway-binary-media-types"] == [
        "multipart/form-data",
        "application/json",
    ]


def test_every_route_has_the_authorizer_and_the_function_that_the_table_says(template: Template) -> None:
    assert routes_of(template) == ROUTES


def test_only_functions_that_can_do_nothing_or_read_what_is_public_are_open_to_all(
    template: Template,
) -> None:
    functions_by_authorizer: dict[str, set[str]] = {}
    for (_, authorizer), function in routes_of(template).items():
        functions_by_authorizer.setdefault(authorizer, set()).add(function)
    keyless = {"DescribeApiFunction", "StaffPageFunction", "StorefrontFunction"}
    assert functions_by_authorizer["NONE"] == keyless
    assert not functions_by_authorizer["NONE"] & functions_by_authorizer["ApiKey"]
    assert functions_by_authorizer.keys() == {"NONE", "ApiKey"}


def test_the_gateway_may_call_each_function_on_its_routes_and_the_authorizer(template: Template) -> None:
    permissions = [
        permission
        for permission in of_type(template, "AWS::Lambda::Permission").values()
        if permission["Principal"] == "apigateway.amazonaws.com"
    ]
    assert {permission["Action"] for permission in permissions} == {"lambda:InvokeFunction"}
    allowed = {
        (_source_path(permission), function)
        for permission in permissions
        for function in references(permission["FunctionName"])
    }
    expected = {
        (re.sub(r"\{\w+\+?\}", "*", route.replace("ANY ", "*").replace(" ", "")), function)
        for (route, _), function in ROUTES.items()
    }
    assert allowed == expected | {("authorizers/*", "AuthorizeFunction")}


def test_every_path_answers_every_method(template: Template) -> None:
    paths = api_definition(template)["paths"]
    assert len(paths) == 13
    assert [path for path, methods in paths.items() if "x-amazon-apigateway-any-method" not in methods] == []


@pytest.mark.parametrize(
    ("parameters", "url"),
    [
        ({}, "https://${Cdn.DomainName}"),
        ({"DomainName": "images.example.com"}, "https://images.example.com"),
        ({"BaseUrl": "https://front.example.com"}, "https://front.example.com"),
        (
            {"BaseUrl": "https://front.example.com/shop", "DomainName": "images.example.com"},
            "https://front.example.com/shop",
        ),
    ],
)
def test_the_functions_learn_their_public_url_from_the_stage(
    template: Template, parameters: dict[str, str], url: str
) -> None:
    [stage] = of_type(template, "AWS::ApiGateway::Stage").values()
    assert evaluate(template, stage["Variables"], **parameters) == {"base_url": url}
    assert evaluate(template, template["Outputs"]["BaseUrl"]["Value"], **parameters) == url


def test_no_function_behind_the_api_refers_to_the_cdn_which_would_close_a_circle(template: Template) -> None:
    # The one that has it forget pictures is started by an event.
    named_by = {name for name, f in functions(template).items() if "Cdn" in references(f)}
    assert named_by == {"ForgetImageFunction"}
    functions(template)["GalleryFunction"]["Environment"]["Variables"]["BASE_URL"] = {
        "Fn::Sub": "https://${Cdn.DomainName}"
    }
    assert {"Cdn", "GalleryFunction"} <= set(circle(template))


def test_the_authorizer_reads_the_token_in_the_header_authorization(template: Template) -> None:
    [scheme] = api_definition(template)["components"]["securitySchemes"].values()
    assert (scheme["in"], scheme["name"]) == ("header", "Authorization")
    assert scheme["x-amazon-apigateway-authorizer"]["type"] == "token"
    uri = scheme["x-amazon-apigateway-authorizer"]["authorizerUri"]
    assert "AuthorizeFunction" in references(uri)


def test_a_revoked_key_is_refused_after_a_minute_at_most(template: Template) -> None:
    assert _authorizer(template)["authorizerResultTtlInSeconds"] <= 60
    assert template["Parameters"]["AuthorizerTtlSeconds"]["MaxValue"] <= 60


@pytest.mark.parametrize("scheme", ["Token", "token", "TOKEN", "Token "])
def test_the_gateway_lets_a_key_through(template: Template, scheme: str) -> None:
    assert re.fullmatch(_validation_expression(template), f"{scheme} {generate_key()}")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Token",
        "Token ",
        "{key}",
        "Token{key}",
        "Token\t{key}",
        " Token {key}",
        "Bearer {key}",
        "Tokens {key}",
        "Token {key}A",
        "Token {key} ",
        "Token {key}\n",
        "Token {key}, Token {key}",
        "Token x{key}",
        "Token PIK_0123456789012345678901234567890123456789012345",
        "Token pik_012345678901234567890123456789012345678901234",
        "Token pik_012345678901234567890123456789012345678901234-",
        "Token pik_012345678901234567890123456789012345678901234é",
    ],
)
def test_the_gateway_refuses_what_cannot_be_a_key(template: Template, header: str) -> None:
    assert not re.fullmatch(_validation_expression(template), header.format(key=generate_key()))


def test_requests_and_inspections_are_limited_by_parameters(template: Template) -> None:
    [stage] = of_type(template, "AWS::ApiGateway::Stage").values()
    [setting] = stage["MethodSettings"]
    assert (setting["ResourcePath"], setting["HttpMethod"]) == ("/*", "*")
    assert setting["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}
    assert setting["ThrottlingBurstLimit"] == {"Ref": "RequestBurst"}
    # The stage's setting for /* is a limit of each method (API Gateway developer guide, "Throttle requests").
    for name in ("RequestsPerSecond", "RequestBurst"):
        assert "each method of each path" in template["Parameters"][name]["Description"]
    reserved = functions(template)["ExtractMetadataFunction"]["ReservedConcurrentExecutions"]
    assert reserved == {
        "Fn::If": ["HasMetadataConcurrency", {"Ref": "MetadataConcurrency"}, {"Ref": "AWS::NoValue"}]
    }


def _source_path(permission: Properties) -> str:
    """Return the method and path of this API that a permission is for, as in "GET/api/docs"."""
    pattern, values = permission["SourceArn"]["Fn::Sub"]
    assert values["__ApiId__"] == {"Ref": "Api"}
    prefix = "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/"
    return str(pattern).removeprefix(prefix).removeprefix("${__Stage__}/")


def _authorizer(template: Template) -> Properties:
    [scheme] = api_definition(template)["components"]["securitySchemes"].values()
    authorizer: Properties = scheme["x-amazon-apigateway-authorizer"]
    return authorizer


def _validation_expression(template: Template) -> str:
    return str(_authorizer(template)["identityValidationExpression"])
