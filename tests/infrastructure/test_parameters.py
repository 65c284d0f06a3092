"""The parameters and outputs of template.yaml."""

import pytest

from local.template import Template
from tests.infrastructure.stack import allows, evaluate

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0a"

REQUIRED_PARAMETERS: set[str] = set()
"""What a deployment must be told: nothing."""


def test_every_parameter_says_what_it_is_and_needs_no_answer(template: Template) -> None:
    parameters = template["Parameters"].items()
    assert [name for name, p in parameters if not (p.get("Type") and p.get("Description"))] == []
    assert {name for name, p in parameters if "Default" not in p} == REQUIRED_PARAMETERS


def test_every_default_is_a_value_that_the_parameter_allows(template: Template) -> None:
    defaults = [(p, p["Default"]) for p in template["Parameters"].values() if "Default" in p]
    assert [default for parameter, default in defaults if not allows(parameter, str(default))] == []


@pytest.mark.parametrize("url", ["https://shop.example.com", "http://localhost:8000/images"])
def test_the_base_url_may_be_a_url(template: Template, url: str) -> None:
    assert allows(template["Parameters"]["BaseUrl"], url)


@pytest.mark.parametrize("url", ["shop.example.com", "https://shop.example.com/", "ftp://shop", "https:// x"])
def test_the_base_url_must_be_one_that_a_path_can_follow(template: Template, url: str) -> None:
    assert not allows(template["Parameters"]["BaseUrl"], url)


@pytest.mark.parametrize(
    ("parameters", "is_refused"),
    [
        ({}, False),
        ({"DomainName": "images.example.com"}, True),
        ({"DomainName": "images.example.com", "CertificateArn": CERTIFICATE}, False),
    ],
)
def test_a_domain_needs_a_certificate(
    template: Template, parameters: dict[str, str], is_refused: bool
) -> None:
    [rule] = template["Rules"].values()
    [assertion] = rule["Assertions"]
    applies = evaluate(template, rule["RuleCondition"], **parameters)
    holds = evaluate(template, assertion["Assert"], **parameters)
    assert (applies and not holds) == is_refused
    assert "CertificateArn" in assertion["AssertDescription"]


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
