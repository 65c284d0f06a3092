"""The parameters and outputs of template.yaml."""

import json
import re

import pytest

from domain.recipe import read_widths
from local.template import Template, read_template, translate
from tests.infrastructure.api import api_definition
from tests.infrastructure.stack import allows, evaluate, of_type

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0a"

OTHER_VALUES = {
    "Architecture": "x86_64",
    "BaseUrl": "https://front.example.com",
    "DomainName": "images.example.com",
    "CertificateArn": CERTIFICATE,
    "AllowedOrigins": "https://admin.example.com",
    "MaxDirectUploadBytes": "1000000",
    "MaxUploadBytes": "1000000",
    "MaxImagePixels": "1000000",
    "RenditionWidths": "320,640",
    "FallbackWidths": "640",
    "AvifQuality": "50",
    "AvifSpeed": "6",
    "RequestsPerSecond": "1",
    "RequestBurst": "1",
    "DailyUploadQuota": "1",
    "MetadataConcurrency": "1",
    "FetchAllowedHosts": "cdn.example.com,*.example.org",
    "FetchPerHostPerSecond": "1",
    "FetchConcurrency": "2",
    "AlarmTopicArn": "arn:aws:sns:eu-central-1:123456789012:alarms",
    "AuthorizerTtlSeconds": "0",
    "OldVersionDays": "1",
    "IncomingVersionDays": "1",
    "InvalidateDeleted": "false",
    "StorefrontMaxAge": "1",
    "StorefrontStaleWhileRevalidate": "1",
    "CatalogueBus": "default",
    "WebhookUrl": "https://shop.example.com/images",
    "WebhookSecret": "0123456789abcdef",
    "CatalogueSource": "com.example.catalogue",
    "LogRetentionDays": "1",
    "GatewayLogRole": "account",
    "LogLevel": "DEBUG",
}
"""For each parameter a value that is not its default."""

REQUIRED_PARAMETERS: set[str] = set()
"""What a deployment must be told: nothing."""


def test_every_parameter_says_what_it_is_and_needs_no_answer(template: Template) -> None:
    parameters = template["Parameters"].items()
    assert [name for name, p in parameters if not (p.get("Type") and p.get("Description"))] == []
    assert {name for name, p in parameters if "Default" not in p} == REQUIRED_PARAMETERS


def test_every_default_is_a_value_that_the_parameter_allows(template: Template) -> None:
    defaults = [(p, p["Default"]) for p in template["Parameters"].values() if "Default" in p]
    assert [default for parameter, default in defaults if not allows(parameter, str(default))] == []


def test_every_parameter_has_another_value_to_try(template: Template) -> None:
    parameters = template["Parameters"]
    assert OTHER_VALUES.keys() == parameters.keys()
    assert [n for n, v in OTHER_VALUES.items() if not allows(parameters[n], v)] == []
    assert [n for n, v in OTHER_VALUES.items() if v == str(parameters[n]["Default"])] == []


def _named_by_the_api() -> set[str]:
    """Return the parameters that the API, its routes or a condition in either of them name."""
    template = read_template()
    resources = template["Resources"].values()
    api = [r for r in resources if r["Type"] == "AWS::Serverless::Api"]
    routes = [
        r["Properties"].get("Events", {}) for r in resources if r["Type"] == "AWS::Serverless::Function"
    ]
    text = json.dumps([api, routes, template["Globals"].get("Api", {}), template["Conditions"]])
    return {name for name in OTHER_VALUES if re.search(rf"\b{name}\b", text)}


@pytest.mark.parametrize("parameter", sorted(_named_by_the_api()))
def test_a_change_of_a_parameter_that_the_apis_body_shows_reaches_the_stage(
    translated: Template, parameter: str
) -> None:
    changed = {parameter: OTHER_VALUES[parameter]}
    after = translate({}, changed)
    # A stage shows what was deployed to it, and CloudFormation deploys where the deployment has a new name.
    if _body(translated, {}) != _body(after, changed):
        assert _deployment(translated) != _deployment(after)
    else:
        assert parameter != "AuthorizerTtlSeconds"


def _body(template: Template, parameters: dict[str, str]) -> object:
    return evaluate(template, api_definition(template), **parameters)


def _deployment(template: Template) -> str:
    [logical_id] = of_type(template, "AWS::ApiGateway::Deployment")
    return logical_id


@pytest.mark.parametrize(
    "origins",
    [
        "",
        "*",
        "https://admin.example.com",
        "https://admin.example.com,https://shop.example.com",
        "http://localhost:3000",
        "http://[::1]:3000",
        "capacitor://localhost",
    ],
)
def test_allowed_origins_are_what_a_browser_says_in_origin(template: Template, origins: str) -> None:
    assert allows(template["Parameters"]["AllowedOrigins"], origins)


@pytest.mark.parametrize(
    "origins",
    [
        "https://admin.example.com, https://shop.example.com",
        " https://admin.example.com",
        "https://admin.example.com ",
        "https://admin.example.com,",
        "https://admin.example.com/",
        "https://admin.example.com/page",
        "https://Admin.example.com",
        "admin.example.com",
        "https://*.example.com",
        "*,https://admin.example.com",
        "null",
    ],
)
def test_allowed_origins_that_would_never_match_are_refused_with_a_sentence(
    template: Template, origins: str
) -> None:
    parameter = template["Parameters"]["AllowedOrigins"]
    assert not allows(parameter, origins)
    assert "without blanks" in parameter["ConstraintDescription"]


@pytest.mark.parametrize("name", ["RenditionWidths", "FallbackWidths"])
@pytest.mark.parametrize("widths", ["10", "320,640", "9999,320", ",".join(["320"] * 16)])
def test_widths_are_a_few_numbers_of_pixels(template: Template, name: str, widths: str) -> None:
    assert allows(template["Parameters"][name], widths)
    assert read_widths(widths) == tuple(sorted({int(width) for width in widths.split(",")}))


@pytest.mark.parametrize("name", ["RenditionWidths", "FallbackWidths"])
@pytest.mark.parametrize(
    "widths", ["", "0", "9", "10000", "320, 640", "320,", "wide", ",".join(["320"] * 17)]
)
def test_other_widths_are_refused_at_deployment_and_at_the_start_with_the_same_sentence(
    template: Template, name: str, widths: str
) -> None:
    parameter = template["Parameters"][name]
    assert not allows(parameter, widths)
    said = "at most 16 widths of 10 to 9999 pixels, separated by commas without blanks"
    assert said in parameter["ConstraintDescription"]
    with pytest.raises(ValueError, match=said):
        read_widths(widths)


@pytest.mark.parametrize("url", ["https://shop.example.com", "http://localhost:8000/images"])
def test_the_base_url_may_be_a_url(template: Template, url: str) -> None:
    assert allows(template["Parameters"]["BaseUrl"], url)


@pytest.mark.parametrize("url", ["shop.example.com", "https://shop.example.com/", "ftp://shop", "https:// x"])
def test_the_base_url_must_be_one_that_a_path_can_follow(template: Template, url: str) -> None:
    assert not allows(template["Parameters"]["BaseUrl"], url)


@pytest.mark.parametrize(
    ("parameters", "refusals"),
    [
        ({}, set()),
        ({"DomainName": "images.example.com"}, {"DomainName needs CertificateArn."}),
        ({"DomainName": "images.example.com", "CertificateArn": CERTIFICATE}, set()),
        ({"WebhookUrl": "https://shop.example/hook"}, {"WebhookUrl needs WebhookSecret."}),
        ({"WebhookUrl": "https://shop.example/hook", "WebhookSecret": "0123456789abcdef"}, set()),
        ({"CatalogueBus": "default"}, {"CatalogueBus needs CatalogueSource."}),
        ({"CatalogueSource": "com.example.catalogue"}, {"CatalogueSource needs CatalogueBus."}),
        ({"CatalogueBus": "default", "CatalogueSource": "com.example.catalogue"}, set()),
    ],
)
def test_parameters_that_need_each_other_are_refused_alone(
    template: Template, parameters: dict[str, str], refusals: set[str]
) -> None:
    said = set()
    for rule in template["Rules"].values():
        [assertion] = rule["Assertions"]
        applies = evaluate(template, rule["RuleCondition"], **parameters)
        if applies and not evaluate(template, assertion["Assert"], **parameters):
            said.add(assertion["AssertDescription"])
    assert said == refusals


@pytest.mark.parametrize(
    ("parameter", "value", "is_allowed"),
    [
        ("DomainName", "images.example.com", True),
        ("DomainName", "https://images.example.com", False),
        ("DomainName", "images.example.com/media", False),
        ("CertificateArn", CERTIFICATE, True),
        ("CertificateArn", CERTIFICATE.replace("arn:aws:", "arn:aws-cn:"), True),
        # CloudFront takes certificates from this region alone.
        ("CertificateArn", CERTIFICATE.replace("us-east-1", "eu-central-1"), False),
        ("CertificateArn", CERTIFICATE.replace("acm", "iam"), False),
    ],
)
def test_a_domain_and_its_certificate_have_their_shape(
    template: Template, parameter: str, value: str, is_allowed: bool
) -> None:
    assert allows(template["Parameters"][parameter], value) == is_allowed


def test_every_output_says_what_it_is(template: Template) -> None:
    assert [name for name, output in template["Outputs"].items() if not output.get("Description")] == []
