"""template.yaml, as SAM turns it into the document that CloudFormation gets."""

import json
import re
from dataclasses import fields
from http import HTTPStatus
from importlib import import_module
from typing import Any

import pytest
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer
from botocore.client import BaseClient

from adapters.aws import dynamodb_client, s3_client
from bench.environments import ALLOCATOR
from domain.api_key import generate_key
from domain.errors import FileTooLargeForDirectUploadError
from domain.image import ImageFormat, ImageRef
from handlers.extract_metadata import DECODER_MEMORY_BYTES, DECODER_SECONDS
from handlers.problems import internal_problem
from local.template import ROOT, Template
from packages.build import GROUPS
from tests.builders import CATALOG_TABLE
from tests.infrastructure.stack import (
    Properties,
    add_circle,
    allows,
    as_sub,
    circle,
    evaluate,
    functions,
    grants,
    is_scoped,
    of_type,
    references,
    statements,
)

API_GATEWAY_TIMEOUT_SECONDS = 29
LAMBDA_EVENT_BYTES = 6_291_456
FOURTEEN_DAYS_SECONDS = 14 * 24 * 60 * 60

BUCKET_NAME = "${AWS::StackName}-${AWS::AccountId}-${AWS::Region}"
BUCKET_ARN = f"arn:${{AWS::Partition}}:s3:::{BUCKET_NAME}"
BUS_ARN = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"
KEEP_KEYS = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}
WRITE_LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}

PERMISSIONS = {
    "AuthorizeRole": {
        "${KeysTable.Arn}": {"dynamodb:GetItem"},
        "${AuthorizeLogGroup.Arn}": WRITE_LOGS,
    },
    "UploadImageRole": {
        "${CatalogTable.Arn}": {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"},
        "${IdempotencyTable.Arn}": KEEP_KEYS,
        "${ImagesBucket.Arn}/originals/*": {"s3:PutObject", "s3:GetObject", "s3:DeleteObject"},
        "${UploadImageLogGroup.Arn}": WRITE_LOGS,
    },
    "ReserveUploadRole": {
        "${CatalogTable.Arn}": {"dynamodb:PutItem", "dynamodb:UpdateItem"},
        "${IdempotencyTable.Arn}": KEEP_KEYS,
        # A form carries the rights of whoever signs it.
        "${ImagesBucket.Arn}/originals/*": {"s3:PutObject"},
        "${ReserveUploadLogGroup.Arn}": WRITE_LOGS,
    },
    "GalleryRole": {
        "${CatalogTable.Arn}": {
            "dynamodb:Query",
            "dynamodb:BatchGetItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
        },
        "${CatalogTable.Arn}/index/gallery": {"dynamodb:Query"},
        "${ImagesBucket.Arn}/originals/*": {"s3:DeleteObject"},
        BUS_ARN: {"events:PutEvents"},
        "${GalleryLogGroup.Arn}": WRITE_LOGS,
    },
    "ReconcileRole": {
        "${CatalogTable.Arn}/index/open": {"dynamodb:Query"},
        "${CatalogTable.Arn}": {"dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"},
        "${ImagesBucket.Arn}/originals/*": {"s3:GetObject", "s3:DeleteObject"},
        "${ImagesBucket.Arn}": {"s3:ListBucket"},
        "${ExtractMetadataFunction.Arn}": {"lambda:InvokeFunction"},
        BUS_ARN: {"events:PutEvents"},
        "${FailureQueue.Arn}": {"sqs:SendMessage"},
        "${ReconcileLogGroup.Arn}": WRITE_LOGS,
    },
    # What anybody may call can do nothing.
    "DescribeApiRole": {"${DescribeApiLogGroup.Arn}": WRITE_LOGS},
    "ExtractMetadataRole": {
        f"{BUCKET_ARN}/originals/*": {
            "s3:GetObject",
            "s3:GetObjectVersion",
            "s3:PutObjectVersionTagging",
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
        },
        BUCKET_ARN: {"s3:ListBucket", "s3:ListBucketVersions"},
        "${CatalogTable.Arn}": {"dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:ConditionCheckItem"},
        BUS_ARN: {"events:PutEvents"},
        "${FailureQueue.Arn}": {"sqs:SendMessage"},
        "${ExtractMetadataLogGroup.Arn}": WRITE_LOGS,
    },
}
"""All that each role may do: a new permission is written here too, on purpose."""

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0a"
ALLOW_ORIGIN = "gatewayresponse.header.Access-Control-Allow-Origin"

REQUIRED_PARAMETERS: set[str] = set()
"""What a deployment must be told: nothing."""

ENVIRONMENT = {
    "ALLOWED_ORIGINS": "${AllowedOrigins}",
    "DAILY_UPLOAD_QUOTA": "${DailyUploadQuota}",
    "EXTRACT_METADATA_FUNCTION": "${ExtractMetadataFunction}",
    "TABLE": "${CatalogTable}",
    "KEYS_TABLE": "${KeysTable}",
    "IDEMPOTENCY_TABLE": "${IdempotencyTable}",
    "BUCKET": "${ImagesBucket}",
    "STACK": "${AWS::StackName}",
    "MAX_DIRECT_UPLOAD_BYTES": "${MaxDirectUploadBytes}",
    "MAX_UPLOAD_BYTES": "${MaxUploadBytes}",
    "MAX_IMAGE_PIXELS": "${MaxImagePixels}",
    # Read by glibc, not by a handler.
    **ALLOCATOR,
}
GLIBC_LARGEST_MMAP_THRESHOLD = 33_554_432
"""Above it glibc ignores the variable, on machines of 64 bits (mallopt(3))."""

IMAGES = "/api/products/{product_id}/images"
ROUTES = {
    (f"POST {IMAGES}", "ApiKey"): "UploadImageFunction",
    (f"POST {IMAGES}/uploads", "ApiKey"): "ReserveUploadFunction",
    (f"GET {IMAGES}", "ApiKey"): "GalleryFunction",
    (f"GET {IMAGES}/{{image_id}}", "ApiKey"): "GalleryFunction",
    (f"PATCH {IMAGES}/{{image_id}}", "ApiKey"): "GalleryFunction",
    (f"DELETE {IMAGES}/{{image_id}}", "ApiKey"): "GalleryFunction",
    (f"PUT {IMAGES}/order", "ApiKey"): "GalleryFunction",
    ("GET /api/openapi.json", "NONE"): "DescribeApiFunction",
    ("GET /api/docs", "NONE"): "DescribeApiFunction",
    # Preflight requests, and methods that a path does not have.
    ("ANY /api/openapi.json", "NONE"): "DescribeApiFunction",
    ("ANY /api/docs", "NONE"): "DescribeApiFunction",
    (f"ANY {IMAGES}", "NONE"): "DescribeApiFunction",
    (f"ANY {IMAGES}/{{image_id}}", "NONE"): "DescribeApiFunction",
    (f"ANY {IMAGES}/order", "NONE"): "DescribeApiFunction",
    (f"ANY {IMAGES}/uploads", "NONE"): "DescribeApiFunction",
}
"""Every route with its authorizer and its function: what is open to all is written here on purpose."""

GATEWAY_RESPONSES = {
    "INTEGRATION_TIMEOUT",
    "INVALID_SIGNATURE",
    "RESOURCE_NOT_FOUND",
    "UNAUTHORIZED",
    "ACCESS_DENIED",
    "MISSING_AUTHENTICATION_TOKEN",
    "REQUEST_TOO_LARGE",
    "BAD_REQUEST_BODY",
    "THROTTLED",
    "DEFAULT_4XX",
    "DEFAULT_5XX",
}


# --- Functions -------------------------------------------------------------------------------------


def test_every_function_and_layer_has_a_package(template: Template) -> None:
    layers = of_type(template, "AWS::Lambda::LayerVersion").values()
    packaged = {layer["Content"]["S3Key"].removesuffix(".zip") for layer in layers}
    assert functions(template).keys() | packaged == GROUPS.keys()


def test_every_function_writes_to_a_log_group_of_its_own(template: Template) -> None:
    groups = {name: f["LoggingConfig"]["LogGroup"]["Ref"] for name, f in functions(template).items()}
    assert sorted(groups.values()) == sorted(of_type(template, "AWS::Logs::LogGroup"))


def test_every_log_group_forgets_after_a_while(template: Template) -> None:
    retention = {
        name: g.get("RetentionInDays") for name, g in of_type(template, "AWS::Logs::LogGroup").items()
    }
    assert [name for name, days in retention.items() if days != {"Ref": "LogRetentionDays"}] == []


def test_every_function_has_a_role_of_its_own(template: Template) -> None:
    roles = [as_sub(function["Role"]) for function in functions(template).values()]
    assert sorted(roles) == sorted(f"${{{name}.Arn}}" for name in of_type(template, "AWS::IAM::Role"))


def test_every_function_runs_python_3_13(template: Template) -> None:
    runtimes = {name: function["Runtime"] for name, function in functions(template).items()}
    assert runtimes == dict.fromkeys(runtimes, "python3.13")
    for layer in of_type(template, "AWS::Lambda::LayerVersion").values():
        assert layer["CompatibleRuntimes"] == ["python3.13"]


def test_the_parameter_architecture_decides_for_every_function_and_layer(template: Template) -> None:
    chosen = {name: function["Architectures"] for name, function in functions(template).items()}
    for name, layer in of_type(template, "AWS::Lambda::LayerVersion").items():
        chosen[name] = layer["CompatibleArchitectures"]
    assert [name for name, value in chosen.items() if value != [{"Ref": "Architecture"}]] == []
    assert template["Parameters"]["Architecture"]["Default"] == "arm64"


def test_make_builds_for_the_default_architecture_of_the_template(template: Template) -> None:
    makefile = (ROOT / "Makefile").read_text()
    built_for = re.findall(r"^ARCHITECTURE \?= (\w+)$", makefile, re.MULTILINE)
    assert built_for == [template["Parameters"]["Architecture"]["Default"]]


def test_the_metadata_function_alone_has_the_pillow_layer(template: Template) -> None:
    [layer] = of_type(template, "AWS::Lambda::LayerVersion")
    layers = {name: f["Layers"] for name, f in functions(template).items() if "Layers" in f}
    assert layers == {"ExtractMetadataFunction": [{"Ref": layer}]}


def test_every_function_runs_its_handler(template: Template) -> None:
    handlers = {name: function["Handler"] for name, function in functions(template).items()}
    assert handlers == {name: f"handlers.{GROUPS[name]}.lambda_handler" for name in handlers}


def test_every_function_logs_json_down_to_the_level_of_the_parameter(template: Template) -> None:
    for name, function in functions(template).items():
        logging = {**function["LoggingConfig"]}
        del logging["LogGroup"]
        level = {"Ref": "LogLevel"}
        expected = {"LogFormat": "JSON", "ApplicationLogLevel": level, "SystemLogLevel": "INFO"}
        assert logging == expected, name


def test_every_variable_means_the_same_thing_to_every_function(template: Template) -> None:
    for name, function in functions(template).items():
        variables = function["Environment"]["Variables"]
        for variable in variables:
            expected = ENVIRONMENT[variable]
            if (name, variable) == ("ExtractMetadataFunction", "BUCKET"):
                expected = BUCKET_NAME
            assert as_sub(variables[variable]) == expected, (name, variable)


def test_the_environment_of_every_function_is_what_its_settings_read(template: Template) -> None:
    for name, function in functions(template).items():
        expected = {field.name.upper() for field in fields(_settings_of(function))}
        assert function["Environment"]["Variables"].keys() - ALLOCATOR.keys() == expected, name


def test_the_upload_function_keeps_the_memory_of_the_largest_body(template: Template) -> None:
    variables = functions(template)["UploadImageFunction"]["Environment"]["Variables"]
    assert {name: variables[name] for name in variables if name.startswith("MALLOC_")} == ALLOCATOR
    mmap_threshold, trim_threshold = map(int, ALLOCATOR.values())
    assert LAMBDA_EVENT_BYTES < mmap_threshold <= GLIBC_LARGEST_MMAP_THRESHOLD
    # The event's bytes, its text, the body in it and what is decoded of that are there at once.
    assert trim_threshold > 4 * LAMBDA_EVENT_BYTES


def test_every_setting_that_is_an_integer_comes_from_a_number(template: Template) -> None:
    numbers = {name for name, p in template["Parameters"].items() if p["Type"] == "Number"}
    for name, function in functions(template).items():
        variables = function["Environment"]["Variables"]
        for field in fields(_settings_of(function)):
            if field.type is int:
                assert references(variables[field.name.upper()]) <= numbers, (name, field.name)


def test_every_function_behind_the_api_ends_before_the_gateway_gives_up(template: Template) -> None:
    behind = _invoked_by(template, {"apigateway.amazonaws.com"})
    assert behind == functions(template).keys() - {"ExtractMetadataFunction", "ReconcileFunction"}
    timeouts = {name: functions(template)[name]["Timeout"] for name in behind}
    assert max(timeouts.values()) < API_GATEWAY_TIMEOUT_SECONDS, timeouts


def test_a_call_that_hangs_and_the_one_after_it_end_before_the_function_does(template: Template) -> None:
    timeouts = {name: function["Timeout"] for name, function in functions(template).items()}
    look_up, put = (_longest_call_seconds(client) for client in (dynamodb_client(), s3_client()))
    assert look_up < timeouts["AuthorizeFunction"]
    # Bytes that cannot be put are taken back: another call to S3, and one to DynamoDB that may hang too.
    assert 2 * put < timeouts["UploadImageFunction"]
    assert put + look_up < timeouts["UploadImageFunction"]


def _longest_call_seconds(client: BaseClient) -> float:
    """Return how long a call lasts whose every try hangs: tries, and the longest waiting between them."""
    config: Any = client.meta.config  # its options are set at run time, unknown to its type
    tries = config.retries["total_max_attempts"]
    # The SDK waits up to 1, 2, 4 … seconds ("standard" mode, botocore.retries.standard).
    waiting = sum(2**number for number in range(tries - 1))
    return float(tries * (config.connect_timeout + config.read_timeout) + waiting)


def test_every_asynchronous_function_hands_its_failures_to_a_queue(template: Template) -> None:
    principals = {p["Principal"] for p in of_type(template, "AWS::Lambda::Permission").values()}
    asynchronous = _invoked_by(template, principals - {"apigateway.amazonaws.com"})
    assert "ExtractMetadataFunction" in asynchronous
    configured = of_type(template, "AWS::Lambda::EventInvokeConfig").values()
    for name in asynchronous:
        [config] = [c for c in configured if references(c["FunctionName"]) == {name}]
        # All that Lambda offers: two more tries, and six hours.
        assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (2, 6 * 60 * 60), name
        destination = config["DestinationConfig"]["OnFailure"]["Destination"]
        assert references(destination) <= of_type(template, "AWS::SQS::Queue").keys(), name
        [role] = references(functions(template)[name]["Role"])
        assert "sqs:SendMessage" in grants(of_type(template, "AWS::IAM::Role")[role])[as_sub(destination)]


def test_only_the_bucket_of_this_stack_and_account_may_start_the_metadata_function(
    template: Template,
) -> None:
    permissions = of_type(template, "AWS::Lambda::Permission").values()
    [permission] = [p for p in permissions if p["Principal"] == "s3.amazonaws.com"]
    assert permission["Action"] == "lambda:InvokeFunction"
    assert references(permission["FunctionName"]) == {"ExtractMetadataFunction"}
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}
    assert as_sub(permission["SourceArn"]) == BUCKET_ARN
    assert as_sub(of_type(template, "AWS::S3::Bucket")["ImagesBucket"]["BucketName"]) == BUCKET_NAME


def test_the_metadata_function_gets_the_name_that_the_bucket_has(template: Template) -> None:
    variables = functions(template)["ExtractMetadataFunction"]["Environment"]["Variables"]
    assert as_sub(variables["BUCKET"]) == BUCKET_NAME


# --- Permissions -----------------------------------------------------------------------------------


def test_every_role_may_do_exactly_what_the_table_says(template: Template) -> None:
    assert {name: grants(role) for name, role in of_type(template, "AWS::IAM::Role").items()} == PERMISSIONS


def test_permissions_stand_nowhere_but_in_the_roles_own_statements(template: Template) -> None:
    kinds = {resource["Type"] for resource in template["Resources"].values()}
    assert {kind for kind in kinds if kind.startswith("AWS::IAM::")} == {"AWS::IAM::Role"}
    for name, role in of_type(template, "AWS::IAM::Role").items():
        assert role.keys() == {"AssumeRolePolicyDocument", "Policies"}, name
        for statement in statements(role):
            # No NotAction or NotResource, which allow everything but what they name.
            assert statement.keys() == {"Sid", "Effect", "Action", "Resource"}, name
            assert statement["Effect"] == "Allow"


def test_only_lambda_may_assume_the_roles(template: Template) -> None:
    for name, role in of_type(template, "AWS::IAM::Role").items():
        [trust] = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Effect"] == "Allow", name
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}, name
        assert trust["Action"] == "sts:AssumeRole"


def test_every_policy_is_read_by_todays_rules(template: Template) -> None:
    documents = [policy["PolicyDocument"] for policy in of_type(template, "AWS::S3::BucketPolicy").values()]
    for role in of_type(template, "AWS::IAM::Role").values():
        documents += [role["AssumeRolePolicyDocument"], *(p["PolicyDocument"] for p in role["Policies"])]
    # Without it, or with the other one there is, ${...} in a policy would be mere text.
    assert {document["Version"] for document in documents} == {"2012-10-17"}


def test_every_permission_names_its_actions_and_its_resource(template: Template) -> None:
    for name, role in of_type(template, "AWS::IAM::Role").items():
        for resource, actions in grants(role).items():
            assert is_scoped(resource), name
            assert not [action for action in actions if "*" in action], name


@pytest.mark.parametrize(
    "resource",
    [
        "*",
        "${ImagesBucket.Arn}*",
        "${ImagesBucket.Arn}/*",
        "${ImagesBucket.Arn}/originals*",
        "${ImagesBucket.Arn}/*/originals/*",
        "arn:${AWS::Partition}:s3:::*",
        "arn:${AWS::Partition}:s3:::*/originals/*",
        "arn:${AWS::Partition}:dynamodb:*:*:table/catalog",
        "${CatalogTable.Arn}/index/*",
    ],
)
def test_the_check_of_resources_refuses_an_open_one(resource: str) -> None:
    assert not is_scoped(resource)


# --- References ------------------------------------------------------------------------------------


def test_no_resources_refer_to_each_other_in_a_circle(template: Template) -> None:
    assert circle(template) == []


def test_the_search_for_circles_finds_the_one_between_the_bucket_and_its_function(template: Template) -> None:
    add_circle(template)
    assert {"ImagesBucket", "ExtractMetadataFunction"} <= set(circle(template))


@pytest.mark.parametrize(
    "closing",
    [
        {"Properties": {"Name": {"Ref": "Second"}}},
        {"Properties": {"Name": {"Fn::GetAtt": ["Second", "Arn"]}}},
        {"Properties": {"Name": {"Fn::GetAtt": "Second.Arn"}}},
        {"Properties": {"Names": [{"Fn::Sub": "${Second.Arn}/*"}]}},
        {"Properties": {"Name": {"Fn::Sub": ["${a}-${Second}", {"a": "x"}]}}},
        {"Properties": {"Name": {"Fn::Sub": ["${a}", {"a": {"Ref": "Second"}}]}}},
        {"Properties": {"Name": {"Fn::If": ["Condition", {"Ref": "Second"}, ""]}}},
        {"DependsOn": "Second"},
        {"DependsOn": ["Second"]},
    ],
    ids=str,
)
def test_the_search_for_circles_knows_every_way_to_refer(closing: Properties) -> None:
    second = {"Properties": {"Name": {"Ref": "First"}}}
    assert set(circle({"Resources": {"First": closing, "Second": second}})) == {"First", "Second"}


def test_the_search_for_circles_knows_what_is_no_reference() -> None:
    name = {"Fn::Sub": ["${!First} ${AWS::Region} ${First} First", {"First": "x"}]}
    assert circle({"Resources": {"First": {"Properties": {"Name": name}}}}) == []


# --- Where things are kept -------------------------------------------------------------------------


def test_the_bucket_is_closed_to_the_public(template: Template) -> None:
    assert _bucket(template)["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    assert _bucket(template)["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_the_bucket_is_encrypted(template: Template) -> None:
    [rule] = _bucket(template)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in {"AES256", "aws:kms"}


def test_the_bucket_keeps_old_versions_for_a_while_and_current_ones_for_good(template: Template) -> None:
    bucket = _bucket(template)
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = bucket["LifecycleConfiguration"]["Rules"]
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    expirations = [r["NoncurrentVersionExpiration"] for r in rules if "NoncurrentVersionExpiration" in r]
    assert expirations == [{"NoncurrentDays": {"Ref": "OldVersionDays"}}]
    assert not [rule for rule in rules if rule.keys() & {"ExpirationInDays", "ExpirationDate"}]
    # Nothing is left of what is gone, or never came to its end.
    assert [rule for rule in rules if rule.get("ExpiredObjectDeleteMarker") is True]
    assert [rule for rule in rules if "AbortIncompleteMultipartUpload" in rule]


def test_the_bucket_refuses_requests_without_tls(template: Template) -> None:
    [policy] = of_type(template, "AWS::S3::BucketPolicy").values()
    assert policy["Bucket"] == {"Ref": "ImagesBucket"}
    [statement, _] = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert {as_sub(r) for r in statement["Resource"]} == {"${ImagesBucket.Arn}", "${ImagesBucket.Arn}/*"}
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": False}}


def test_the_bucket_is_made_after_the_permission_that_s3_looks_for(template: Template) -> None:
    # S3 refuses a notification to a function that it may not call.
    assert template["Resources"]["ImagesBucket"]["DependsOn"] == "ExtractMetadataPermission"


@pytest.mark.parametrize("image_format", ImageFormat)
def test_the_bucket_announces_every_key_that_the_service_writes(
    template: Template, image_format: ImageFormat
) -> None:
    [trigger] = _bucket(template)["NotificationConfiguration"]["LambdaConfigurations"]
    assert trigger["Event"] == "s3:ObjectCreated:*"
    assert as_sub(trigger["Function"]) == "${ExtractMetadataFunction.Arn}"
    [rule] = trigger["Filter"]["S3Key"]["Rules"]
    assert rule["Name"] == "prefix"
    assert ImageRef(123, 1, image_format).key.startswith(rule["Value"])


def test_every_table_is_paid_on_demand(template: Template) -> None:
    tables = of_type(template, "AWS::DynamoDB::Table")
    assert tables.keys() == {"CatalogTable", "KeysTable", "IdempotencyTable"}
    assert {table["BillingMode"] for table in tables.values()} == {"PAY_PER_REQUEST"}


@pytest.mark.parametrize("name", ["CatalogTable", "KeysTable"])
def test_every_table_of_the_shops_data_can_go_back_in_time(template: Template, name: str) -> None:
    table = of_type(template, "AWS::DynamoDB::Table")[name]
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_idempotency_keys_are_forgotten_by_the_attribute_that_powertools_writes(template: Template) -> None:
    table = of_type(template, "AWS::DynamoDB::Table")["IdempotencyTable"]
    store = DynamoDBPersistenceLayer("t", boto3_client=dynamodb_client())
    assert table["TimeToLiveSpecification"] == {"AttributeName": store.expiry_attr, "Enabled": True}
    assert table["KeySchema"] == [{"AttributeName": store.key_attr, "KeyType": "HASH"}]
    assert table["AttributeDefinitions"] == [{"AttributeName": store.key_attr, "AttributeType": "S"}]


def test_what_holds_the_shops_data_outlives_the_stack(template: Template) -> None:
    kinds = {"AWS::S3::Bucket", "AWS::DynamoDB::Table"}
    policies = {
        name: (resource["DeletionPolicy"], resource["UpdateReplacePolicy"])
        for name, resource in template["Resources"].items()
        if resource["Type"] in kinds
    }
    # Losing the answers to retries loses no picture.
    assert policies.pop("IdempotencyTable") == ("Delete", "Delete")
    assert policies == dict.fromkeys(policies, ("RetainExceptOnCreate", "Retain"))
    assert len(policies) == 3


def test_the_failure_queue_is_encrypted_and_keeps_messages_for_14_days(template: Template) -> None:
    [queue] = of_type(template, "AWS::SQS::Queue").values()
    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] == FOURTEEN_DAYS_SECONDS


# --- The API ---------------------------------------------------------------------------------------


def test_the_stage_is_v1_and_so_is_the_url_of_the_outputs(template: Template) -> None:
    [stage] = of_type(template, "AWS::ApiGateway::Stage").values()
    assert stage["StageName"] == "v1"
    assert as_sub(template["Outputs"]["ApiUrl"]["Value"]).endswith("/v1")


def test_the_api_hands_forms_to_the_function_as_bytes(template: Template) -> None:
    [api] = of_type(template, "AWS::ApiGateway::RestApi").values()
    # CloudFormation wants the slash of a media type written ~1; the definition has it plain.
    assert api["BinaryMediaTypes"] == ["multipart~1form-data", "application~1json"]
    assert api["Body"]["x-amazon-apigateway-binary-media-types"] == [
        "multipart/form-data",
        "application/json",
    ]


def test_every_route_has_the_authorizer_and_the_function_that_the_table_says(template: Template) -> None:
    assert _routes(template) == ROUTES


def test_only_the_function_that_can_do_nothing_is_open_to_all(template: Template) -> None:
    functions_by_authorizer: dict[str, set[str]] = {}
    for (_, authorizer), function in _routes(template).items():
        functions_by_authorizer.setdefault(authorizer, set()).add(function)
    assert functions_by_authorizer["NONE"] == {"DescribeApiFunction"}
    assert "DescribeApiFunction" not in functions_by_authorizer["ApiKey"]
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
        (re.sub(r"\{\w+\}", "*", route.replace("ANY ", "*").replace(" ", "")), function)
        for (route, _), function in ROUTES.items()
    }
    assert allowed == expected | {("authorizers/*", "AuthorizeFunction")}


def test_every_path_answers_every_method(template: Template) -> None:
    paths = _definition(template)["paths"]
    assert len(paths) == 6
    assert [path for path, methods in paths.items() if "x-amazon-apigateway-any-method" not in methods] == []


def test_by_default_no_page_of_another_origin_gets_anything(template: Template) -> None:
    for name, response in _responses(template).items():
        headers = evaluate(template, response)["responseParameters"]
        assert ALLOW_ORIGIN not in headers, name
    assert "CorsConfiguration" not in evaluate(template, _bucket(template))
    assert set(_allowed_origins(template)) == {""}


@pytest.mark.parametrize("origins", ["https://admin.example.com", "https://a.example,https://b.example", "*"])
def test_pages_of_allowed_origins_read_errors_of_the_gateway_and_send_forms_to_the_bucket(
    template: Template, origins: str
) -> None:
    for name, response in _responses(template).items():
        headers = evaluate(template, response, AllowedOrigins=origins)["responseParameters"]
        assert headers[ALLOW_ORIGIN] == "'*'", name
    cors = evaluate(template, _bucket(template), AllowedOrigins=origins)["CorsConfiguration"]
    [rule] = cors["CorsRules"]
    assert (rule["AllowedOrigins"], rule["AllowedMethods"]) == (origins.split(","), ["POST"])
    assert rule["AllowedHeaders"] == ["*"]
    assert set(_allowed_origins(template, origins)) == {origins}


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


def test_no_function_refers_to_the_cdn_which_would_close_a_circle(template: Template) -> None:
    assert [name for name, f in functions(template).items() if "Cdn" in references(f)] == []
    functions(template)["GalleryFunction"]["Environment"]["Variables"]["BASE_URL"] = {
        "Fn::Sub": "https://${Cdn.DomainName}"
    }
    assert {"Cdn", "GalleryFunction"} <= set(circle(template))


def test_the_authorizer_reads_the_token_in_the_header_authorization(template: Template) -> None:
    [scheme] = _definition(template)["components"]["securitySchemes"].values()
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


def test_the_gateway_answers_every_error_that_it_can_meet(template: Template) -> None:
    assert _responses(template).keys() >= GATEWAY_RESPONSES


def test_every_error_of_the_gateway_looks_like_one_of_the_functions(template: Template) -> None:
    members = json.loads(internal_problem("id")["body"]).keys()
    for name, response in _responses(template).items():
        problem = _problem(template, name)
        assert problem.keys() == members, name
        assert problem["type"] == "about:blank", name
        assert str(problem["status"]) == response["statusCode"], name
        assert problem["title"] == HTTPStatus(problem["status"]).phrase, name
        assert re.fullmatch(r"[A-Z].+\.", problem["detail"]), name
        assert re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", problem["code"]), name
        assert problem["request_id"] == "id", name
        headers = response["responseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'", name


def test_the_gateway_and_the_functions_tell_the_same_error_alike(template: Template) -> None:
    assert _problem(template, "DEFAULT_5XX") == json.loads(internal_problem("id")["body"])
    too_large = FileTooLargeForDirectUploadError(1, 1)
    problem = _problem(template, "REQUEST_TOO_LARGE")
    assert problem["code"] == too_large.code
    # Both name the way for large files, and it exists.
    way = f"Ask for an upload form with POST to {IMAGES}/uploads, and send the picture with it."
    assert str(too_large).endswith(f" {way}")
    assert problem["detail"].endswith(f" {way}")
    assert _routes(template)[(f"POST {IMAGES}/uploads", "ApiKey")] == "ReserveUploadFunction"


def test_an_unknown_route_is_told_in_one_way_that_names_the_documentation(template: Template) -> None:
    # Which of them it meets depends on the headers that a client happens to send.
    responses = ["MISSING_AUTHENTICATION_TOKEN", "INVALID_SIGNATURE", "RESOURCE_NOT_FOUND"]
    first, *others = [_problem(template, response) for response in responses]
    assert others == [first, first]
    assert (first["status"], first["code"]) == (404, "route_not_found")
    assert "/api/docs" in first["detail"]
    assert ("GET /api/docs", "NONE") in _routes(template)


@pytest.mark.parametrize(
    ("response", "status"),
    [
        ("UNAUTHORIZED", 401),
        ("ACCESS_DENIED", 403),
        ("MISSING_AUTHENTICATION_TOKEN", 404),
        ("REQUEST_TOO_LARGE", 413),
        ("BAD_REQUEST_BODY", 400),
        ("THROTTLED", 429),
        ("INVALID_SIGNATURE", 404),
        ("RESOURCE_NOT_FOUND", 404),
        ("INTEGRATION_TIMEOUT", 504),
        ("DEFAULT_4XX", 400),
        ("DEFAULT_5XX", 500),
    ],
)
def test_the_gateway_answers_with_the_status_of_the_contract(
    template: Template, response: str, status: int
) -> None:
    assert _problem(template, response)["status"] == status


def test_429_says_how_long_to_wait(template: Template) -> None:
    headers = _responses(template)["THROTTLED"]["responseParameters"]
    assert int(headers["gatewayresponse.header.Retry-After"].strip("'")) > 0


def test_401_names_the_scheme_to_use(template: Template) -> None:
    headers = {
        name: response["responseParameters"].get("gatewayresponse.header.WWW-Authenticate")
        for name, response in _responses(template).items()
        if response["statusCode"] == "401"
    }
    assert headers == {"UNAUTHORIZED": "'Token'"}


# --- Who watches it, and what it may cost ------------------------------------------------------------------


def test_every_alarm_goes_to_the_topic_that_is_named_and_stands_in_the_runbook(template: Template) -> None:
    runbook = (ROOT / "docs/runbook.md").read_text()
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    assert len(alarms) == 6
    for alarm in alarms.values():
        to_topic = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
        assert (alarm["AlarmActions"], alarm["OKActions"]) == (to_topic, to_topic)
        name = as_sub(alarm["AlarmName"]).removeprefix("${AWS::StackName}-")
        assert f"## {name}\n" in runbook
        assert alarm["TreatMissingData"] == "notBreaching"


def test_the_alarms_on_functions_watch_every_one_that_holds_the_shops_data(template: Template) -> None:
    for name in ("FunctionErrorsAlarm", "FunctionThrottlesAlarm"):
        metrics = of_type(template, "AWS::CloudWatch::Alarm")[name]["Metrics"]
        watched = set().union(*map(references, metrics))
        assert watched == functions(template).keys() - {"DescribeApiFunction"}


def test_the_alarm_on_the_oldest_pending_picture_reads_what_the_reconciler_reports(
    template: Template,
) -> None:
    alarm = of_type(template, "AWS::CloudWatch::Alarm")["OldestPendingAlarm"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("ProductImages", "OldestPendingAge")
    assert {each["Name"] for each in alarm["Dimensions"]} == {"stack", "service"}


def test_the_alarm_on_server_errors_knows_the_api_by_its_name(template: Template) -> None:
    [api] = of_type(template, "AWS::ApiGateway::RestApi").values()
    alarm = of_type(template, "AWS::CloudWatch::Alarm")["ServerErrorsAlarm"]
    assert alarm["Dimensions"] == [{"Name": "ApiName", "Value": api["Name"]}]


def test_the_dashboard_shows_every_alarm_and_every_function(template: Template) -> None:
    alarms = {f"${{{name}.Arn}}" for name in of_type(template, "AWS::CloudWatch::Alarm")}
    shown = [widget["properties"] for widget in _widgets(template)]
    assert {arn for each in shown for arn in each.get("alarms", [])} == alarms
    every_function = {f"${{{name}}}" for name in functions(template)}
    of_lambda = [
        {metric[3] for metric in each["metrics"]}
        for each in shown
        if each.get("metrics", [[""]])[0][0] == "AWS/Lambda"
    ]
    assert of_lambda == [every_function] * 4


def test_the_dashboard_shows_metrics_that_the_functions_report(template: Template) -> None:
    metrics = [metric for each in _widgets(template) for metric in each["properties"].get("metrics", [])]
    of_ours = [metric for metric in metrics if metric[0] == "ProductImages"]
    written = "".join(path.read_text() for path in (ROOT / "src/handlers").glob("*.py"))
    assert of_ours
    for _, name, *dimensions in of_ours:
        assert f'"{name}"' in written
        assert dict(zip(dimensions[:4:2], dimensions[1:4:2], strict=True)).keys() == {"stack", "service"}
        assert f'"{dimensions[3]}"' in written


def test_the_reconciler_runs_every_hour(template: Template) -> None:
    [rule] = of_type(template, "AWS::Events::Rule").values()
    assert rule["ScheduleExpression"] == "rate(1 hour)"
    [target] = rule["Targets"]
    assert references(target["Arn"]) == {"ReconcileFunction"}


def test_the_catalogue_has_the_keys_and_indexes_that_the_adapters_are_tried_on(template: Template) -> None:
    catalog = of_type(template, "AWS::DynamoDB::Table")["CatalogTable"]
    assert {name: catalog[name] for name in CATALOG_TABLE} == CATALOG_TABLE


def test_requests_and_inspections_are_limited_by_parameters(template: Template) -> None:
    [stage] = of_type(template, "AWS::ApiGateway::Stage").values()
    [setting] = stage["MethodSettings"]
    assert (setting["ResourcePath"], setting["HttpMethod"]) == ("/*", "*")
    assert setting["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}
    assert setting["ThrottlingBurstLimit"] == {"Ref": "RequestBurst"}
    reserved = functions(template)["ExtractMetadataFunction"]["ReservedConcurrentExecutions"]
    assert reserved == {
        "Fn::If": ["HasMetadataConcurrency", {"Ref": "MetadataConcurrency"}, {"Ref": "AWS::NoValue"}]
    }


def test_no_picture_takes_the_metadata_function_past_its_memory_or_ten_seconds(template: Template) -> None:
    function = functions(template)["ExtractMetadataFunction"]
    assert function["MemorySize"] * 1024 * 1024 > DECODER_MEMORY_BYTES
    assert DECODER_SECONDS < 10 < function["Timeout"]


# --- Parameters and outputs ------------------------------------------------------------------------


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


def test_the_largest_upload_and_the_largest_picture_fit_into_the_metadata_functions_memory(
    template: Template,
) -> None:
    parameters = template["Parameters"]
    # A WEBP of 100 megapixels takes 1,548 MB while it is decoded (measured), its bytes among them.
    assert parameters["MaxImagePixels"]["MaxValue"] <= 100_000_000
    largest_mb = 1_548 + parameters["MaxUploadBytes"]["MaxValue"] / 1_000_000
    assert largest_mb < functions(template)["ExtractMetadataFunction"]["MemorySize"]


def test_the_largest_direct_upload_fits_into_an_event_of_lambda(template: Template) -> None:
    largest = template["Parameters"]["MaxDirectUploadBytes"]["MaxValue"]
    in_base64 = (largest + 2) // 3 * 4
    # Besides: the form's other parts, and the request's headers, which API Gateway bounds to 10,240 bytes in
    # all and which stand in the event twice.
    assert in_base64 + 2 * 10_240 + 50_000 < LAMBDA_EVENT_BYTES


def test_an_upload_form_takes_50_mb_unless_told_otherwise(template: Template) -> None:
    assert template["Parameters"]["MaxUploadBytes"]["Default"] == 50_000_000


def test_every_output_says_what_it_is(template: Template) -> None:
    assert [name for name, output in template["Outputs"].items() if not output.get("Description")] == []


# --- Parts of the template -------------------------------------------------------------------------


def _widgets(template: Template) -> list[dict[str, Any]]:
    [dashboard] = of_type(template, "AWS::CloudWatch::Dashboard").values()
    widgets: list[dict[str, Any]] = json.loads(as_sub(dashboard["DashboardBody"]))["widgets"]
    return widgets


def _bucket(template: Template) -> Properties:
    [bucket] = of_type(template, "AWS::S3::Bucket").values()
    return bucket


def _definition(template: Template) -> Properties:
    [api] = of_type(template, "AWS::ApiGateway::RestApi").values()
    definition: Properties = api["Body"]
    return definition


def _routes(template: Template) -> dict[tuple[str, str], str]:
    """Return the function of each route, by method and path, and authorizer."""
    routes = {}
    for path, methods in _definition(template)["paths"].items():
        for method, operation in methods.items():
            name = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            uri = operation["x-amazon-apigateway-integration"]["uri"]
            [function] = references(uri) & functions(template).keys()
            [[authorizer]] = operation["security"]
            routes[(f"{name} {path}", authorizer)] = function
    return routes


def _source_path(permission: Properties) -> str:
    """Return the method and path of this API that a permission is for, as in "GET/api/docs"."""
    pattern, values = permission["SourceArn"]["Fn::Sub"]
    assert values["__ApiId__"] == {"Ref": "Api"}
    prefix = "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/"
    return str(pattern).removeprefix(prefix).removeprefix("${__Stage__}/")


def _authorizer(template: Template) -> Properties:
    [scheme] = _definition(template)["components"]["securitySchemes"].values()
    authorizer: Properties = scheme["x-amazon-apigateway-authorizer"]
    return authorizer


def _validation_expression(template: Template) -> str:
    return str(_authorizer(template)["identityValidationExpression"])


def _allowed_origins(template: Template, origins: str = "") -> list[str]:
    """Return what each function that answers browsers is told of allowed origins."""
    told = [
        function["Environment"]["Variables"]["ALLOWED_ORIGINS"]
        for name, function in functions(template).items()
        if name in ROUTES.values()
    ]
    return [evaluate(template, each, AllowedOrigins=origins) for each in told]


def _responses(template: Template) -> dict[str, Properties]:
    responses: dict[str, Properties] = _definition(template)["x-amazon-apigateway-gateway-responses"]
    return responses


def _problem(template: Template, response: str) -> dict[str, Any]:
    """Return the body of a gateway response as a client reads it, with the parameters' defaults."""
    body = as_sub(_responses(template)[response]["responseTemplates"]["application/json"])
    for name, parameter in template["Parameters"].items():
        body = body.replace(f"${{{name}}}", str(parameter["Default"]))
    problem: dict[str, Any] = json.loads(body.replace("$context.requestId", "id"))
    return problem


def _settings_of(function: Properties) -> type[Any]:
    module, _, _ = function["Handler"].rpartition(".")
    kind: type[Any] = import_module(module).Settings
    return kind


def _invoked_by(template: Template, principals: set[str]) -> set[str]:
    permissions = of_type(template, "AWS::Lambda::Permission").values()
    return set().union(*(references(p["FunctionName"]) for p in permissions if p["Principal"] in principals))
