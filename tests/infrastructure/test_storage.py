"""Where template.yaml keeps things: bucket, tables, queue."""

import pytest

from adapters.dynamo_idempotency_keys import EXPIRATION
from adapters.dynamo_items import REMEMBERED_FOR
from local.template import Template
from tests.builders import CATALOG_TABLE, IDEMPOTENCY_TABLE, a_ref
from tests.infrastructure.stack import Properties, as_sub, images_bucket, of_type

FOURTEEN_DAYS_SECONDS = 14 * 24 * 60 * 60


def test_the_bucket_is_closed_to_the_public(template: Template) -> None:
    assert images_bucket(template)["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    assert images_bucket(template)["OwnershipControls"] == {
        "Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]
    }


def test_the_bucket_is_encrypted(template: Template) -> None:
    [rule] = images_bucket(template)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in {"AES256", "aws:kms"}


def rules_by_prefix(template: Template) -> dict[str, Properties]:
    """Return the bucket's rules by what they are for, the one for all by an empty prefix."""
    rules = images_bucket(template)["LifecycleConfiguration"]["Rules"]
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    return {rule.get("Prefix", ""): rule for rule in rules}


def test_public_copies_are_kept_for_good_and_old_versions_of_them_for_a_while(template: Template) -> None:
    assert images_bucket(template)["VersioningConfiguration"] == {"Status": "Enabled"}
    media = rules_by_prefix(template)["media/"]
    assert media["NoncurrentVersionExpiration"] == {"NoncurrentDays": {"Ref": "OldVersionDays"}}
    assert not media.keys() & {"ExpirationInDays", "ExpirationDate"}
    # Nothing is left of what is gone.
    assert media["ExpiredObjectDeleteMarker"] is True


def test_the_drop_box_empties_itself_after_the_failure_queue_has(template: Template) -> None:
    incoming = rules_by_prefix(template)["incoming/"]
    queue = of_type(template, "AWS::SQS::Queue")["FailureQueue"]
    assert incoming["ExpirationInDays"] * 24 * 60 * 60 > queue["MessageRetentionPeriod"]
    assert incoming["NoncurrentVersionExpiration"] == {"NoncurrentDays": {"Ref": "IncomingVersionDays"}}
    # Kept no longer than needed: what clients send tells more than they know.
    assert template["Parameters"]["IncomingVersionDays"]["Default"] == 3
    # S3 refuses both in one rule, and removes markers by the age too (its user guide, "Expiring objects").
    assert "ExpiredObjectDeleteMarker" not in incoming


def test_nothing_is_left_of_what_never_came_to_its_end(template: Template) -> None:
    rules = rules_by_prefix(template)
    assert rules.keys() == {"incoming/", "media/", ""}
    assert rules[""].keys() == {"Id", "Status", "AbortIncompleteMultipartUpload"}


@pytest.mark.parametrize(
    ("sid", "condition"),
    [
        ("TlsOnly", {"Bool": {"aws:SecureTransport": False}}),
        ("Tls12OrLater", {"NumericLessThan": {"s3:TlsVersion": 1.2}}),
    ],
)
def test_the_bucket_refuses_requests_without_tls_and_with_one_before_1_2(
    template: Template, sid: str, condition: dict[str, object]
) -> None:
    [policy] = of_type(template, "AWS::S3::BucketPolicy").values()
    assert policy["Bucket"] == {"Ref": "ImagesBucket"}
    [statement] = [s for s in policy["PolicyDocument"]["Statement"] if s["Sid"] == sid]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert {as_sub(r) for r in statement["Resource"]} == {"${ImagesBucket.Arn}", "${ImagesBucket.Arn}/*"}
    assert statement["Condition"] == condition


def test_the_bucket_is_made_after_the_permission_that_s3_looks_for(template: Template) -> None:
    # S3 refuses a notification to a function that it may not call.
    assert template["Resources"]["ImagesBucket"]["DependsOn"] == "ExtractMetadataPermission"


def test_the_bucket_announces_what_comes_in_and_nothing_that_the_service_makes_of_it(
    template: Template,
) -> None:
    [trigger] = images_bucket(template)["NotificationConfiguration"]["LambdaConfigurations"]
    assert trigger["Event"] == "s3:ObjectCreated:*"
    assert as_sub(trigger["Function"]) == "${ExtractMetadataFunction.Arn}"
    [rule] = trigger["Filter"]["S3Key"]["Rules"]
    assert rule["Name"] == "prefix"
    assert a_ref().incoming_key.startswith(rule["Value"])
    assert not a_ref().media_prefix.startswith(rule["Value"])


def test_every_table_is_paid_on_demand(template: Template) -> None:
    tables = of_type(template, "AWS::DynamoDB::Table")
    assert tables.keys() == {"CatalogTable", "KeysTable", "IdempotencyTable"}
    assert {table["BillingMode"] for table in tables.values()} == {"PAY_PER_REQUEST"}


@pytest.mark.parametrize("name", ["CatalogTable", "KeysTable"])
def test_every_table_of_the_shops_data_can_go_back_in_time(template: Template, name: str) -> None:
    table = of_type(template, "AWS::DynamoDB::Table")[name]
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_idempotency_keys_and_counts_are_forgotten_by_the_attribute_that_says_when(
    template: Template,
) -> None:
    table = of_type(template, "AWS::DynamoDB::Table")["IdempotencyTable"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": EXPIRATION, "Enabled": True}
    assert {name: table[name] for name in IDEMPOTENCY_TABLE} == IDEMPOTENCY_TABLE


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


def test_every_queue_is_encrypted_and_keeps_messages_for_14_days(template: Template) -> None:
    queues = of_type(template, "AWS::SQS::Queue")
    assert queues.keys() == {"FailureQueue", "FetchQueue"}
    for queue in queues.values():
        assert queue["SqsManagedSseEnabled"] is True
        assert queue["MessageRetentionPeriod"] == FOURTEEN_DAYS_SECONDS


def test_the_catalogue_has_the_keys_and_indexes_that_the_adapters_are_tried_on(template: Template) -> None:
    catalog = of_type(template, "AWS::DynamoDB::Table")["CatalogTable"]
    assert {name: catalog[name] for name in CATALOG_TABLE} == CATALOG_TABLE


def test_a_product_that_is_gone_is_remembered_longer_than_the_failure_queue_keeps_a_word_on_it(
    template: Template,
) -> None:
    table = of_type(template, "AWS::DynamoDB::Table")["CatalogTable"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    queue = of_type(template, "AWS::SQS::Queue")["FailureQueue"]
    assert REMEMBERED_FOR.total_seconds() > queue["MessageRetentionPeriod"]
