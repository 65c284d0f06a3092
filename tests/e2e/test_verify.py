"""`product-images verify` on the deployed system: it passes, fails where something is broken, cleans up."""

import json
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from local.system import Aws, State, wait_until
from ops.__main__ import app
from ops.verify.rights import RIGHTS
from tests.e2e.roles import Right, Roles
from tests.e2e.shop import Shop

ABSENT = {"HSTS", "bucket over TLS only", "image by address", "alarms on sums", "dashboard"}
"""What the local system lacks."""

type Verify = Callable[[], Result]


@pytest.fixture
def verify(system: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Verify:
    return running_on(system, tmp_path, monkeypatch)


@pytest.fixture
def with_its_rights_alone(system: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Verify]:
    """Run it as an operator who may do what its help lists, and nothing else."""
    iam = system.endpoint.client("iam")
    # The emulator wants another right for lambda:GetFunctionEventInvokeConfig than AWS.
    statement = {"Effect": "Allow", "Action": [*RIGHTS, "lambda:GetFunction"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_user(UserName="verifier")
    iam.put_user_policy(UserName="verifier", PolicyName="verify", PolicyDocument=policy)
    key = iam.create_access_key(UserName="verifier")["AccessKey"]
    aws = Aws(
        endpoint_url=system.aws.endpoint_url,
        region=system.aws.region,
        access_key_id=key["AccessKeyId"],
        secret_access_key=key["SecretAccessKey"],
    )
    yield running_on(system.model_copy(update={"aws": aws}), tmp_path, monkeypatch)
    iam.delete_access_key(UserName="verifier", AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName="verifier", PolicyName="verify")
    iam.delete_user(UserName="verifier")


@pytest.fixture(autouse=True)
def nothing_left(system: State) -> Iterator[None]:
    """Whatever comes of a run, all that it made is gone."""
    before = belongings(system)
    yield
    assert belongings(system) == before


def running_on(state: State, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Verify:
    (folder / "state.json").write_text(state.model_dump_json())
    monkeypatch.setenv("LOCAL_FOLDER", str(folder))
    return lambda: CliRunner().invoke(app, ["verify", "--local"])


def belongings(state: State) -> dict[str, set[str]]:
    """Return all that a run could leave behind."""
    endpoint, resources = state.endpoint, state.resources
    dynamodb, s3 = endpoint.client("dynamodb"), endpoint.client("s3")
    items = [dynamodb.scan(TableName=table)["Items"] for table in (resources.table, resources.keys_table)]
    versions = s3.list_object_versions(Bucket=resources.bucket)
    return {
        "products": {item["pk"]["S"] for item in items[0] if len(item["pk"]["S"]) > len("PRODUCT#") + 15},
        "keys": {item["key_hash"]["S"] for item in items[1]},
        "bytes": {each["Key"] for each in versions.get("Versions", []) if is_of_a_run(each["Key"])},
        "markers": {each["Key"] for each in versions.get("DeleteMarkers", []) if is_of_a_run(each["Key"])},
        "rules": {rule["Name"] for rule in endpoint.client("events").list_rules()["Rules"]},
        "queues": set(endpoint.client("sqs").list_queues().get("QueueUrls", [])),
    }


def is_of_a_run(key: str) -> bool:
    return bool(re.match(r"(incoming|media)/\d{16}/", key))


def results(result: Result) -> dict[str, str]:
    """Return by check what came of it."""
    assert not isinstance(result.exception, AssertionError), result.exception
    header, *rows = result.stdout.splitlines()
    at, end = header.index("Result"), header.index("Seconds")
    return {row[:at].strip(): row[at:end].strip() for row in rows}


def failed(result: Result) -> set[str]:
    assert result.exit_code == 1, result.output
    return {check for check, came in results(result).items() if came == "failed"}


def test_a_good_deployment_passes_all_that_the_local_system_has(with_its_rights_alone: Verify) -> None:
    result = with_its_rights_alone()
    assert result.exit_code == 0, result.output
    assert {check for check, came in results(result).items() if came == "not on the local system"} == ABSENT
    assert {check for check, came in results(result).items() if came == "passed"} == results(
        result
    ).keys() - ABSENT
    assert result.stderr == ""


def test_a_bucket_that_is_open_to_everybody_fails(shop: Shop, verify: Verify) -> None:
    with readable_for(shop, "*"):
        result = verify()
    assert failed(result) == {"bucket is closed", "bucket policy"}
    assert "bucket is closed: 200 OK instead of 403. Compare the bucket policy with" in result.stderr
    assert "others than the CDN are let in by: Readers" in result.stderr


def test_a_bucket_policy_that_lets_another_account_in_fails(shop: Shop, verify: Verify) -> None:
    with readable_for(shop, {"AWS": "arn:aws:iam::999999999999:root"}):
        result = verify()
    assert failed(result) == {"bucket policy"}


@pytest.mark.parametrize(
    ("part_of_name", "check"),
    [("EveryHour", "schedule of the reconciler"), ("FollowCatalogue", "rule of the catalogue")],
)
def test_a_rule_that_is_switched_off_fails_and_says_how_to_switch_it_on(
    system: State, verify: Verify, part_of_name: str, check: str
) -> None:
    events = system.endpoint.client("events")
    (rule,) = [rule["Name"] for rule in events.list_rules()["Rules"] if part_of_name in rule["Name"]]
    events.disable_rule(Name=rule)
    try:
        result = verify()
    finally:
        events.enable_rule(Name=rule)
    assert failed(result) == {check}
    assert f"aws events enable-rule --name {rule}" in result.stderr


def test_a_product_that_cannot_be_put_fails_and_what_needs_it_is_not_tried(
    system: State, verify: Verify
) -> None:
    with Roles(system).without(Right("products", "dynamodb:PutItem", "CatalogTable")):
        result = verify()
    assert failed(result) == {"PUT of a product"}
    assert {check for check, came in results(result).items() if came == "not tried"} == {
        "list of products",
        "image by address",
        "DELETE of a product",
    }


def test_a_right_that_is_missing_fails_where_it_is_needed(system: State, verify: Verify) -> None:
    with Roles(system).without(Right("gallery", "dynamodb:UpdateItem", "CatalogTable")):
        result = verify()
    assert failed(result) == {"PATCH", "reorder", "DELETE"}
    assert results(result)["events of images"] == "not tried"
    assert "PATCH: 500 internal_error instead of 200. Look at the log group of gallery." in result.stderr


def test_ctrl_c_ends_it_early_and_removes_what_was_made(system: State, verify: Verify) -> None:
    with interrupting(system):
        result = verify()
    assert result.exit_code == 130
    assert "Ended before all checks were made." in result.stderr
    came = results(result)
    assert came["all removed"] == "passed"
    assert "DELETE" not in came


@contextmanager
def readable_for(shop: Shop, principal: object) -> Iterator[None]:
    """Let others than the CDN read the bucket for a while, its protection switched off."""
    s3, bucket = shop.state.endpoint.client("s3"), shop.state.resources.bucket
    protection = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    s3.delete_public_access_block(Bucket=bucket)
    allow = {
        "Sid": "Readers",
        "Effect": "Allow",
        "Principal": principal,
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    try:
        with shop.bucket_policy(allow):
            yield
    finally:
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=protection)


@contextmanager
def interrupting(state: State) -> Iterator[None]:
    """Press Ctrl-C as soon as the run has a product."""

    before = belongings(state)["products"]

    def look() -> bool | None:
        return True if belongings(state)["products"] > before else None

    def press() -> None:
        wait_until(look, "product of a run", seconds=30)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    yield
    thread.join()
