"""The CloudFormation document of template.yaml: as AWS makes it, and as the emulator needs it."""

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from samtranslator.yaml_helper import yaml_parse

type Template = dict[str, Any]

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "template.yaml"
REGION: Final = "eu-central-1"

# It warns of a feature toggle that only the service itself has.
logging.getLogger("samtranslator").setLevel(logging.ERROR)


def read_template() -> Template:
    """Return template.yaml as SAM reads it, CloudFormation's short forms written out."""
    template: Template = yaml_parse(TEMPLATE.read_text())
    return template


def translate(code_uris: dict[str, str], parameters: dict[str, str]) -> Template:
    """Return template.yaml as SAM turns it into CloudFormation with these parameters.

    `code_uris` gives the S3 URI of each package by logical id; a package without one gets a
    placeholder, which is enough to look at the document.
    """
    # A second of imports, which only who deploys should wait for.
    from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader  # noqa: PLC0415
    from samtranslator.translator.transform import transform  # noqa: PLC0415

    template = read_template()
    # The place of the code and the settings of the build are the only things that packaging changes.
    for logical_id, resource in template["Resources"].items():
        uri = code_uris.get(logical_id, f"s3://packages/{logical_id}.zip")
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = uri
            del resource["Metadata"]
        elif resource["Type"] == "AWS::Serverless::LayerVersion":
            resource["Properties"]["ContentUri"] = uri
            del resource["Metadata"]
    template["Globals"]["Function"].pop("CodeUri")
    # The translator asks the SDK's session for the region and has no other way to be told.
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    translated: Template = transform(template, parameters, ManagedPolicyLoader(None))
    return translated


def adapt_to_emulator(template: Template, parameters: Mapping[str, str] | None = None) -> Template:
    """Change, in place, what ministack 1.5.33 does not understand; each difference says why.

    Nothing else differs from what AWS gets: functions, roles, tables, bucket and events are the same. What
    EventBridge sends, to a function or to the webhook, the emulator sends once and at once: AWS tries again,
    and keeps to the webhook's rate.
    """
    _media_types_with_a_slash(template)
    _each_method_for_any(template)
    _gateway_responses_as_resources(template)
    _no_statements_on_tls(template)
    _no_condition_on_the_source_of_events(template)
    _no_alarms_on_sums(template)
    _no_dashboard(template)
    _concurrency_as_a_number(template, parameters or {})
    return template


def name_deployment_by(parameters: dict[str, str], template: Template) -> None:
    """Make another deployment of the API, in place, for other parameters.

    A stage answers as its deployment was, and SAM names that after the definition, conditions unresolved.
    """
    resources = template["Resources"]
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()[:10]
    names = {
        name: f"{name}{digest}"
        for name, resource in resources.items()
        if resource["Type"] == "AWS::ApiGateway::Deployment"
    }
    for name, new_name in names.items():
        resources[new_name] = resources.pop(name)
    for resource in resources.values():
        if resource["Type"] == "AWS::ApiGateway::Stage":
            deployment = resource["Properties"]["DeploymentId"]
            deployment["Ref"] = names[deployment["Ref"]]


def send_forms_to(url: str, template: Template) -> None:
    """Let the staff's page send its forms to the emulator at `url`, in place, as the forms themselves say."""
    variables = template["Resources"]["StaffPageFunction"]["Properties"]["Environment"]["Variables"]
    variables["UPLOAD_ORIGIN"] = url


def _no_alarms_on_sums(template: Template) -> None:
    """Leave out alarms on a sum of metrics, which the emulator refuses; it evaluates none anyway."""
    resources = template["Resources"]
    for name in [name for name, resource in resources.items() if "Metrics" in resource.get("Properties", {})]:
        del resources[name]


def _no_dashboard(template: Template) -> None:
    """Leave out the dashboard, which shows alarms that are left out, to nobody."""
    del template["Resources"]["Dashboard"]


def _concurrency_as_a_number(template: Template, parameters: Mapping[str, str]) -> None:
    """Write how many messages are handled at once: of a parameter the emulator makes a text."""
    for resource in template["Resources"].values():
        scaling = resource.get("Properties", {}).get("ScalingConfig")
        if scaling:
            name = scaling["MaximumConcurrency"]["Ref"]
            value = parameters.get(name, template["Parameters"][name]["Default"])
            scaling["MaximumConcurrency"] = int(value)


def media_headers(template: Template) -> dict[str, str]:
    """Return the headers that the CDN adds to a picture, but HSTS, which means nothing over plain HTTP."""
    policy = template["Resources"]["CdnImageHeaders"]["Properties"]["ResponseHeadersPolicyConfig"]
    security = policy["SecurityHeadersConfig"]
    return {
        # Of the template's function that lets any page read it (`CdnImageAnswer`).
        "Access-Control-Allow-Origin": "*",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": security["ContentSecurityPolicy"]["ContentSecurityPolicy"],
    }


def compressed_paths(template: Template) -> list[str]:
    """Return the path patterns of what the CDN compresses."""
    distribution = template["Resources"]["Cdn"]["Properties"]["DistributionConfig"]
    return [each["PathPattern"] for each in distribution["CacheBehaviors"] if each.get("Compress")]


def _media_types_with_a_slash(template: Template) -> None:
    """Write media types as the emulator reads them: in the API's property alone, `~1` taken literally."""
    api = template["Resources"]["Api"]["Properties"]
    declared = api["Body"].pop("x-amazon-apigateway-binary-media-types")
    api["BinaryMediaTypes"] = [media_type.replace("~1", "/") for media_type in declared]


def _each_method_for_any(template: Template) -> None:
    """Declare each method that a path leaves to `any`: in a definition the emulator does not see that."""
    for path in template["Resources"]["Api"]["Properties"]["Body"]["paths"].values():
        any_method = path.pop("x-amazon-apigateway-any-method", None)
        if any_method:
            for method in ("get", "head", "options", "put", "post", "delete", "patch"):
                path.setdefault(method, any_method)


def _gateway_responses_as_resources(template: Template) -> None:
    """Make resources of gateway responses: in a definition the emulator does not see them."""
    resources = template["Resources"]
    responses = resources["Api"]["Properties"]["Body"].pop("x-amazon-apigateway-gateway-responses")
    names = []
    for response_type, response in responses.items():
        name = f"Response{response_type.title().replace('_', '')}"
        names.append(name)
        resources[name] = {
            "Type": "AWS::ApiGateway::GatewayResponse",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "ResponseType": response_type,
                **({"StatusCode": response["statusCode"]} if "statusCode" in response else {}),
                "ResponseParameters": response.get("responseParameters", {}),
                # Of the two identifiers of a request the emulator knows one in a template.
                "ResponseTemplates": {
                    media_type: body.replace("$context.extendedRequestId", "$context.requestId")
                    for media_type, body in response["responseTemplates"].items()
                },
            },
        }
    for resource in resources.values():
        if resource["Type"] == "AWS::ApiGateway::Deployment":
            resource["DependsOn"] = names


def _no_condition_on_the_source_of_events(template: Template) -> None:
    """Let the roles put any event: the emulator does not tell a policy the source of one."""
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::IAM::Role":
            for policy in resource["Properties"].get("Policies", []):
                for statement in policy["PolicyDocument"]["Statement"]:
                    if statement["Action"] == "events:PutEvents":
                        del statement["Condition"]


def _no_statements_on_tls(template: Template) -> None:
    """Let plain HTTP reach the bucket: the emulator speaks it, on the loopback interface."""
    policy = template["Resources"]["ImagesBucketPolicy"]["Properties"]["PolicyDocument"]
    policy["Statement"] = [s for s in policy["Statement"] if s["Sid"] not in {"TlsOnly", "Tls12OrLater"}]
