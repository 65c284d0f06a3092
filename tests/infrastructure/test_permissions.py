"""The roles of template.yaml: what each function may do, and nothing else."""

import pytest

from adapters.dynamo_host_turns import HOST
from adapters.eventbridge_image_events import SOURCE
from local.template import Template
from tests.infrastructure.stack import (
    BUCKET_ARN,
    as_sub,
    function_roles,
    grants,
    is_scoped,
    of_type,
    references,
    statements,
)

BUS_ARN = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"
CDN_ARN = "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Cdn}"
KEEP_KEYS = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}
WRITE_LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}

WRITE_PRODUCTS = frozenset(
    f"dynamodb:{action}" for action in ("PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem")
)
PERMISSIONS = {
    "AuthorizeRole": {
        "${KeysTable.Arn}": {"dynamodb:GetItem"},
        "${AuthorizeLogGroup.Arn}": WRITE_LOGS,
    },
    "UploadImageRole": {
        "${CatalogTable.Arn}": {
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
        },
        "${IdempotencyTable.Arn}": KEEP_KEYS,
        "${ImagesBucket.Arn}/incoming/*": {"s3:PutObject"},
        "${UploadImageLogGroup.Arn}": WRITE_LOGS,
    },
    "ReserveUploadRole": {
        "${CatalogTable.Arn}": {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"},
        "${IdempotencyTable.Arn}": KEEP_KEYS,
        # A form carries the rights of whoever signs it.
        "${ImagesBucket.Arn}/incoming/*": {"s3:PutObject"},
        "${ReserveUploadLogGroup.Arn}": WRITE_LOGS,
    },
    "RequestFetchRole": {
        "${CatalogTable.Arn}": {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"},
        "${IdempotencyTable.Arn}": KEEP_KEYS,
        "${FetchQueue.Arn}": {"sqs:SendMessage"},
        "${RequestFetchLogGroup.Arn}": WRITE_LOGS,
    },
    # It reads no picture, and nothing of anybody's but the record that a message names.
    "FetchImageRole": {
        "${FetchQueue.Arn}": {
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ChangeMessageVisibility",
        },
        "${CatalogTable.Arn}": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
        "${IdempotencyTable.Arn}": {"dynamodb:UpdateItem"},
        "${ImagesBucket.Arn}/incoming/*": {"s3:PutObject"},
        BUS_ARN: {"events:PutEvents"},
        "${FetchImageLogGroup.Arn}": WRITE_LOGS,
    },
    "GalleryRole": {
        "${CatalogTable.Arn}": {
            "dynamodb:Query",
            "dynamodb:BatchGetItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
            "dynamodb:ConditionCheckItem",
        },
        "${CatalogTable.Arn}/index/gallery": {"dynamodb:Query"},
        "${ImagesBucket.Arn}/incoming/*": {"s3:DeleteObject"},
        "${ImagesBucket.Arn}/media/*": {"s3:DeleteObject"},
        "${ImagesBucket.Arn}": {"s3:ListBucket"},
        BUS_ARN: {"events:PutEvents"},
        "${GalleryLogGroup.Arn}": WRITE_LOGS,
    },
    # What anybody may call reads, and nothing else.
    "StorefrontRole": {
        "${CatalogTable.Arn}/index/gallery": {"dynamodb:Query"},
        "${CatalogTable.Arn}": {"dynamodb:BatchGetItem"},
        "${StorefrontLogGroup.Arn}": WRITE_LOGS,
    },
    "StaffPageRole": {"${StaffPageLogGroup.Arn}": WRITE_LOGS},
    "ProductsRole": {
        "${CatalogTable.Arn}/index/products": {"dynamodb:Query"},
        "${CatalogTable.Arn}": {"dynamodb:BatchGetItem", *WRITE_PRODUCTS},
        BUS_ARN: {"events:PutEvents"},
        "${ProductsLogGroup.Arn}": WRITE_LOGS,
    },
    "RemoveProductRole": {
        "${CatalogTable.Arn}": {
            "dynamodb:Query",
            "dynamodb:BatchGetItem",
            "dynamodb:BatchWriteItem",
            *WRITE_PRODUCTS,
        },
        "${ImagesBucket.Arn}/incoming/*": {"s3:DeleteObject"},
        "${ImagesBucket.Arn}/media/*": {"s3:DeleteObject"},
        "${ImagesBucket.Arn}": {"s3:ListBucket"},
        BUS_ARN: {"events:PutEvents"},
        "${FailureQueue.Arn}": {"sqs:SendMessage"},
        "${RemoveProductLogGroup.Arn}": WRITE_LOGS,
    },
    "FollowCatalogueRole": {
        "${CatalogTable.Arn}": {"dynamodb:BatchGetItem", *WRITE_PRODUCTS},
        BUS_ARN: {"events:PutEvents"},
        "${FailureQueue.Arn}": {"sqs:SendMessage"},
        "${FollowCatalogueLogGroup.Arn}": WRITE_LOGS,
    },
    "ReconcileRole": {
        "${CatalogTable.Arn}/index/open": {"dynamodb:Query"},
        "${CatalogTable.Arn}": {"dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"},
        # It reads no bytes.
        "${ImagesBucket.Arn}/incoming/*": {"s3:DeleteObject"},
        "${ImagesBucket.Arn}/media/*": {"s3:DeleteObject"},
        "${ImagesBucket.Arn}": {"s3:ListBucket"},
        "${ExtractMetadataFunction.Arn}": {"lambda:InvokeFunction"},
        "${RenderImageFunction.Arn}": {"lambda:InvokeFunction"},
        "${FetchQueue.Arn}": {"sqs:SendMessage"},
        BUS_ARN: {"events:PutEvents"},
        "${FailureQueue.Arn}": {"sqs:SendMessage"},
        "${ReconcileLogGroup.Arn}": WRITE_LOGS,
    },
    "ForgetImageRole": {
        CDN_ARN: {"cloudfront:CreateInvalidation"},
        "${FailureQueue.Arn}": {"sqs:SendMessage"},
        "${ForgetImageLogGroup.Arn}": WRITE_LOGS,
    },
    # What anybody may call can do nothing.
    "DescribeApiRole": {"${DescribeApiLogGroup.Arn}": WRITE_LOGS},
    "RenderImageRole": {
        "${ImagesBucket.Arn}/media/*": {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
        "${ImagesBucket.Arn}": {"s3:ListBucket"},
        "${CatalogTable.Arn}": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
        BUS_ARN: {"events:PutEvents"},
        "${FailureQueue.Arn}": {"sqs:SendMessage"},
        "${RenderImageLogGroup.Arn}": WRITE_LOGS,
    },
    "ExtractMetadataRole": {
        f"{BUCKET_ARN}/incoming/*": {"s3:GetObject", "s3:DeleteObject"},
        f"{BUCKET_ARN}/media/*": {"s3:PutObject", "s3:GetObject", "s3:DeleteObject"},
        BUCKET_ARN: {"s3:ListBucket"},
        "${CatalogTable.Arn}": {"dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:ConditionCheckItem"},
        BUS_ARN: {"events:PutEvents"},
        "${FailureQueue.Arn}": {"sqs:SendMessage"},
        "${ExtractMetadataLogGroup.Arn}": WRITE_LOGS,
    },
}
"""All that each role may do: a new permission is written here too, on purpose."""


def test_every_role_may_do_exactly_what_the_table_says(template: Template) -> None:
    assert {name: grants(role) for name, role in function_roles(template).items()} == PERMISSIONS


def test_permissions_stand_nowhere_but_in_the_roles_own_statements(template: Template) -> None:
    kinds = {resource["Type"] for resource in template["Resources"].values()}
    assert {kind for kind in kinds if kind.startswith("AWS::IAM::")} == {"AWS::IAM::Role"}
    for name, role in function_roles(template).items():
        assert role.keys() == {"AssumeRolePolicyDocument", "Policies"}, name
        for statement in statements(role):
            # No NotAction or NotResource, which allow everything but what they name.
            assert statement.keys() - {"Condition"} == {"Sid", "Effect", "Action", "Resource"}, name
            assert statement["Effect"] == "Allow"


def test_events_may_be_put_as_this_service_alone_lists_had_of_pictures_and_turns_taken_at_hosts(
    template: Template,
) -> None:
    conditions = {
        (name, statement["Action"]): statement["Condition"]
        for name, role in function_roles(template).items()
        for statement in statements(role)
        if "Condition" in statement
    }
    senders = {name for name, resources in PERMISSIONS.items() if BUS_ARN in resources}
    own = {"StringEquals": {"events:source": SOURCE}}
    # What it sees of the bucket is whether there are bytes of a picture.
    listed = {"StringLike": {"s3:prefix": ["incoming/*", "media/*"]}}
    assert conditions == {
        **{(name, "s3:ListBucket"): listed for name in ("ReconcileRole", "RemoveProductRole")},
        ("GalleryRole", "s3:ListBucket"): {"StringLike": {"s3:prefix": "media/*"}},
        **{(name, "events:PutEvents"): own for name in senders},
        ("FetchImageRole", "dynamodb:UpdateItem"): {
            "ForAllValues:StringLike": {"dynamodb:LeadingKeys": f"{HOST}*"}
        },
    }


def test_only_lambda_may_assume_the_roles(template: Template) -> None:
    for name, role in function_roles(template).items():
        [trust] = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Effect"] == "Allow", name
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}, name
        assert trust["Action"] == "sts:AssumeRole"


def test_the_role_that_api_gateway_writes_logs_with_is_its_alone_and_can_do_nothing_else(
    template: Template,
) -> None:
    role = of_type(template, "AWS::IAM::Role")["GatewayRole"]
    assert role.keys() == {"AssumeRolePolicyDocument", "ManagedPolicyArns"}
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "apigateway.amazonaws.com"}
    # API Gateway checks that a role has the rights of this policy, and refuses one with fewer.
    policy = "arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
    assert [as_sub(each) for each in role["ManagedPolicyArns"]] == [policy]


def test_every_policy_is_read_by_todays_rules(template: Template) -> None:
    documents = [policy["PolicyDocument"] for policy in of_type(template, "AWS::S3::BucketPolicy").values()]
    for role in function_roles(template).values():
        documents += [role["AssumeRolePolicyDocument"], *(p["PolicyDocument"] for p in role["Policies"])]
    # Without it, or with the other one there is, ${...} in a policy would be mere text.
    assert {document["Version"] for document in documents} == {"2012-10-17"}


def test_every_permission_names_its_actions_and_its_resource(template: Template) -> None:
    for name, role in function_roles(template).items():
        for resource, actions in grants(role).items():
            assert is_scoped(resource), name
            assert not [action for action in actions if "*" in action], name


@pytest.mark.parametrize(
    "resource",
    [
        "*",
        "${ImagesBucket.Arn}*",
        "${ImagesBucket.Arn}/*",
        "${ImagesBucket.Arn}/media*",
        "${ImagesBucket.Arn}/*/media/*",
        "arn:${AWS::Partition}:s3:::*",
        "arn:${AWS::Partition}:s3:::*/media/*",
        "arn:${AWS::Partition}:dynamodb:*:*:table/catalog",
        "${CatalogTable.Arn}/index/*",
    ],
)
def test_the_check_of_resources_refuses_an_open_one(resource: str) -> None:
    assert not is_scoped(resource)


def test_eventbridge_may_call_the_webhook_for_this_account_alone_and_do_nothing_else(
    template: Template,
) -> None:
    role = of_type(template, "AWS::IAM::Role")["WebhookRole"]
    assert grants(role) == {"${WebhookDestination.Arn}": {"events:InvokeApiDestination"}}
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "events.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_what_the_webhook_does_not_take_for_a_day_comes_to_the_failure_queue(template: Template) -> None:
    rule = of_type(template, "AWS::Events::Rule")["WebhookRule"]
    [target] = rule["Targets"]
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == 24 * 60 * 60
    assert references(target["DeadLetterConfig"]) == {"FailureQueue"}
    [destination] = of_type(template, "AWS::Events::ApiDestination").values()
    assert destination["InvocationRateLimitPerSecond"] == 10
    assert template["Parameters"]["WebhookSecret"]["NoEcho"] is True


def test_what_a_rule_cannot_hand_to_a_function_comes_to_the_failure_queue(translated: Template) -> None:
    rules = of_type(translated, "AWS::Events::Rule")
    # A look around that is left out is made up for by the next one.
    del rules["ReconcileFunctionEveryHour"]
    targets = [target for rule in rules.values() for target in rule["Targets"]]
    assert [t for t in targets if references(t.get("DeadLetterConfig")) != {"FailureQueue"}] == []
    [policy] = of_type(translated, "AWS::SQS::QueuePolicy").values()
    [statement] = policy["PolicyDocument"]["Statement"]
    [sources] = statement["Condition"]["ArnEquals"].values()
    assert references(policy["Queues"]) == references(statement["Resource"]) == {"FailureQueue"}
    assert {name for name in references(sources) if not name.startswith("AWS::")} == rules.keys()
