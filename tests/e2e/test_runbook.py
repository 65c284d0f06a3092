"""Each procedure of the runbook, done as its text says, with the commands that it prints."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from adapters.dynamo_api_keys import DynamoApiKeys
from adapters.dynamo_items import image_key
from domain.api_key import Role
from domain.image import ImageRef, ImageStatus
from domain.issue_key import IssueKey
from domain.reconcile import PATIENCE
from domain.user import User
from tests.builders import OPERATOR, a_ref, an_image, jpeg
from tests.e2e.aws_command import printed_commands, run_aws
from tests.e2e.operator import Operator
from tests.e2e.shop import Shop, media_key
from tests.running_system import new_product

CONTENT = jpeg(50, 50)

type Do = Callable[..., dict[str, Any]]


@pytest.fixture
def do(shop: Shop, tmp_path: Path) -> Do:
    """Run a printed command on the stack's resources."""
    resources = shop.state.resources
    return partial(
        run_aws, shop.state.endpoint, folder=tmp_path, bucket=resources.bucket, table=resources.table
    )


def test_a_picture_that_was_deleted_by_mistake_comes_back_as_a_new_one_and_leaves_nothing_public(
    shop: Shop, product_id: int, operator: Operator, do: Do, tmp_path: Path
) -> None:
    deleted = shop.add(CONTENT, product_id=product_id)
    shop.until_dealt_with(product_id)
    assert shop.delete(product_id, deleted.id).status_code == 204
    list_versions, get = printed_commands("An image was deleted by mistake")
    listed = do(list_versions, product=product_id, image=deleted.id)
    (version,) = [
        each for each in listed["Versions"] if each["Key"].endswith(f"{deleted.f.rpartition('-')[2]}")
    ]
    do(get, key=version["Key"], version=version["VersionId"])
    fetched = (tmp_path / "picture.jpg").read_bytes()
    assert fetched == CONTENT
    again = shop.add(fetched, product_id=product_id)
    assert shop.fetch(again.f).status_code == 200
    assert shop.fetch(deleted.f).status_code == 404
    assert [image.id for image in shop.gallery(product_id)] == [again.id]
    assert_clean(operator, product_id)


def test_a_file_whose_public_copy_turned_out_wrong_is_fetched_as_it_was_sent(
    shop: Shop, product_id: int, do: Do, tmp_path: Path
) -> None:
    sent = CONTENT + b" and a video behind the picture"
    image = shop.add(sent, product_id=product_id)
    shop.until_dealt_with(product_id)
    list_versions, get = (
        command.replace("media/", "incoming/")
        for command in printed_commands("An image was deleted by mistake")
    )
    (version,) = do(list_versions, product=product_id, image=image.id)["Versions"]
    do(get, key=version["Key"], version=version["VersionId"])
    assert (tmp_path / "picture.jpg").read_bytes() == sent


def test_a_public_copy_that_was_deleted_by_hand_comes_back_from_behind_its_delete_marker(
    shop: Shop, product_id: int, operator: Operator, do: Do
) -> None:
    image = shop.add(CONTENT, product_id=product_id)
    key = media_key(image.f)
    shop.state.endpoint.client("s3").delete_object(Bucket=shop.state.resources.bucket, Key=key)
    assert f"ready record without its public copy: {key}" in operator.audits()
    assert shop.fetch(image.f).status_code == 404
    list_versions, remove_marker = printed_commands("Ready record without its public copy")
    (marker,) = do(list_versions, key=key)["DeleteMarkers"]
    do(remove_marker, key=key, version_of_the_marker=marker["VersionId"])
    assert shop.fetch(image.f).content == CONTENT
    assert_clean(operator, product_id)


def test_a_ready_record_whose_public_copy_is_gone_for_good_is_deleted_and_uploaded_again(
    shop: Shop, product_id: int, operator: Operator
) -> None:
    image = shop.add(CONTENT, product_id=product_id)
    s3, bucket, key = shop.state.endpoint.client("s3"), shop.state.resources.bucket, media_key(image.f)
    for version in s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]:
        s3.delete_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])
    assert f"ready record without its public copy: {key}" in operator.audits()
    assert shop.delete(product_id, image.id).status_code == 204
    assert shop.fetch(shop.add(CONTENT, product_id=product_id).f).content == CONTENT
    assert_clean(operator, product_id)


def test_a_product_counts_right_again_after_a_record_was_removed_by_hand(
    shop: Shop, product_id: int, operator: Operator, do: Do
) -> None:
    removed, kept = (shop.add(CONTENT, product_id=product_id) for _ in range(2))
    shop.state.endpoint.client("dynamodb").delete_item(
        TableName=shop.state.resources.table, Key=image_key(product_id, removed.id)
    )
    found = operator.audits()
    key = media_key(removed.f)
    assert f"product whose count is wrong: {product_id} counts 2, has 1" in found
    assert f"public object without a ready record: {key}" in found
    (add,) = printed_commands("Product whose count is wrong")
    do(add, product=product_id)
    assert f"Removed {key}\n" in operator.runs("repair", "audit", "--remove", "--yes").stdout
    assert shop.fetch(removed.f).status_code == 404
    assert shop.page(product_id).json()["count"] == 1
    assert [image.id for image in shop.gallery(product_id)] == [kept.id]
    assert_clean(operator, product_id)


def test_a_damaged_record_is_named_and_mended(
    shop: Shop, product_id: int, operator: Operator, do: Do
) -> None:
    image = shop.add(CONTENT, product_id=product_id)
    _set_attribute(shop, a_ref(image.id, product_id), "status", "lost")
    assert f"damaged record: PRODUCT#{product_id} / IMAGE#{image.id:016d}" in operator.audits()
    names = {"product": product_id, "image_in_16_digits": f"{image.id:016d}"}
    get, mend = printed_commands("Damaged record")
    assert do(get, **names)["Item"]["status"] == {"S": "lost"}
    do(mend, **names)
    assert shop.shown(product_id, image.id).status == "ready"
    assert_clean(operator, product_id)


def test_a_picture_that_stays_pending_is_inspected_once_the_reconciler_is_run(
    shop: Shop, product_id: int, operator: Operator
) -> None:
    ref, long_ago = a_ref(1, product_id), datetime.now(UTC) - PATIENCE - timedelta(minutes=1)
    shop.state.catalog.reserve(
        an_image(ref=ref, size_bytes=len(CONTENT), created_at=long_ago, updated_at=long_ago)
    )
    with shop.events_lost():
        shop.state.endpoint.client("s3").put_object(
            Bucket=shop.state.resources.bucket, Key=ref.incoming_key, Body=CONTENT
        )
    told = operator.succeeds("repair", "reconcile")
    assert "is_complete: True" in told
    assert shop.state.finished(product_id, 1).status is ImageStatus.READY
    # An audit may miss a file that is made while it reads.
    shop.settled(shop.shown(product_id, 1))
    assert_clean(operator, product_id)


def test_a_schedule_that_was_switched_off_runs_again_after_the_command_that_verify_names(
    shop: Shop, do: Do
) -> None:
    events = shop.state.endpoint.client("events")
    (rule,) = [rule["Name"] for rule in events.list_rules()["Rules"] if "EveryHour" in rule["Name"]]
    events.disable_rule(Name=rule)
    (enable,) = printed_commands("oldest-pending")
    do(enable, rule=rule)
    assert events.describe_rule(Name=rule)["State"] == "ENABLED"


def test_a_leaked_key_is_found_and_refused_from_then_on(
    shop: Shop, product_id: int, operator: Operator, outputs: dict[str, str], do: Do
) -> None:
    state = shop.state
    keys = DynamoApiKeys(state.endpoint.client("dynamodb"), state.resources.keys_table)
    key, record = IssueKey(keys, partial(datetime.now, UTC), OPERATOR)(User(9, "lea", "Lea Leak"), Role.STAFF)
    assert record.id in operator.succeeds("keys", "list")
    operator.succeeds("keys", "revoke", record.id, "--yes")
    (flush,) = printed_commands("A key has leaked")
    # The SDK takes the command; the emulator has no such call, and remembers no key that was not used yet.
    with pytest.raises(ClientError, match=r"Unknown API Gateway v1 path: .*/stages/v1/cache/authorizers"):
        do(flush, output_ApiId=outputs["ApiId"])
    assert shop.request("GET", shop.url(product_id), key=key).status_code == 401


def test_an_event_is_handled_again_once_its_cause_is_mended_or_dropped(
    shop: Shop, product_id: int, operator: Operator
) -> None:
    mended, dropped = (a_ref(1_000_000_009, each) for each in (product_id, new_product(shop.state)))
    for ref in (mended, dropped):
        shop.state.catalog.reserve(an_image(ref=ref, size_bytes=len(CONTENT)))
        _set_attribute(shop, ref, "status", "lost")
        s3, bucket = shop.state.endpoint.client("s3"), shop.state.resources.bucket
        s3.put_object(Bucket=bucket, Key=ref.incoming_key, Body=CONTENT)
    event = operator.failed_event(mended)
    assert event["function"] == "extract-metadata"
    again = operator.runs("repair", "redrive", event["id"], "--yes")
    assert (again.exit_code, again.stdout) == (1, "Done: 0 of 1.\n")
    assert f"{event['id']} stays in the queue: failed again: {event['error']}" in again.stderr
    _set_attribute(shop, mended, "status", "pending")
    told = operator.succeeds("repair", "redrive", event["id"], "--yes")
    assert told == f"{event['id']}: {mended.incoming_key} is ready.\nDone: 1 of 1.\n"
    assert shop.shown(mended.product_id, mended.image_id).status == "ready"
    assert_clean(operator, mended.product_id)

    event = operator.failed_event(dropped)
    assert f"Dropped {event['id']}" in operator.succeeds("repair", "drop", event["id"], "--yes")
    assert event["id"] not in operator.succeeds("repair", "queue")
    _set_attribute(shop, dropped, "status", "pending")
    shop.delete(dropped.product_id, dropped.image_id)
    assert_clean(operator, dropped.product_id)


def _set_attribute(shop: Shop, ref: ImageRef, name: str, value: str) -> None:
    shop.state.endpoint.client("dynamodb").update_item(
        TableName=shop.state.resources.table,
        Key=image_key(ref.product_id, ref.image_id),
        UpdateExpression="SET #name = :value",
        ExpressionAttributeNames={"#name": name},
        ExpressionAttributeValues={":value": {"S": value}},
    )


def assert_clean(operator: Operator, product_id: int) -> None:
    """See that an audit finds nothing of this product amiss."""
    of_product = re.compile(rf"(incoming|media)/{product_id}/|PRODUCT#{product_id} | {product_id} counts ")
    assert [line for line in operator.audits().splitlines() if of_product.search(line)] == []
