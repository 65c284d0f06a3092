"""All that a first request needs is loaded in the init phase: no invocation imports anything."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.dynamo_api_keys import DynamoApiKeys
from adapters.dynamo_products import DynamoProducts
from domain.image import ImageFacts
from events.record import GALLERY_IMAGE, IMAGE, add_example_keys
from local.deployment import FUNCTIONS, PACKAGES
from local.sample import sample_jpeg
from local.system import State
from tests.builders import NOW, an_image
from tests.recorded_events import recorded, recorded_object

PROGRAM = """
import importlib, json, sys
from types import SimpleNamespace

handler = importlib.import_module(sys.argv[1]).lambda_handler
context = SimpleNamespace(
    aws_request_id="c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
    function_name="tested",
    memory_limit_in_mb=1024,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:tested",
    get_remaining_time_in_millis=lambda: 28_000,
)
event, answers, imported = json.load(sys.stdin), [], []
for _ in range(2):
    before = set(sys.modules)
    answers.append(handler(event, context))
    imported.append(sorted(sys.modules.keys() - before))
print(json.dumps([answers, imported]), file=sys.stderr)
"""
_PYTHON = Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")


def invoke_twice(system: State, function: str, event: dict[str, Any]) -> tuple[list[Any], list[list[str]]]:
    """Return both answers of a built function in a fresh process, and what each invocation imported."""
    configured = system.endpoint.client("lambda").get_function_configuration(
        FunctionName=system.resources.functions[function]
    )
    folders = [str(PACKAGES / FUNCTIONS[function])]
    if function == "extract_metadata":
        folders.append(str(PACKAGES / "PillowLayer/python"))
    done = subprocess.run(
        [
            *(_PYTHON, "-S", "-P", "-s"),
            *("-c", f"import sys; sys.path[:0] = {folders}\n{PROGRAM}", f"handlers.{function}"),
        ],
        input=json.dumps(event),
        env={
            **configured["Environment"]["Variables"],
            "AWS_DEFAULT_REGION": system.aws.region,
            "AWS_REGION": system.aws.region,
            "AWS_ACCESS_KEY_ID": system.aws.access_key_id,
            "AWS_SECRET_ACCESS_KEY": system.aws.secret_access_key,
            "AWS_ENDPOINT_URL": system.aws.endpoint_url,
            "AWS_LAMBDA_LOG_LEVEL": "INFO",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers, imported = json.loads(done.stderr.splitlines()[-1])
    return answers, imported


@pytest.fixture
def things(system: State) -> Iterator[str]:
    """What the recorded events speak of, for this test alone; yield the version of the picture's bytes."""
    dynamodb, s3, resources = (
        system.endpoint.client("dynamodb"),
        system.endpoint.client("s3"),
        system.resources,
    )
    add_example_keys(DynamoApiKeys(dynamodb, resources.keys_table))
    DynamoProducts(dynamodb, resources.table).add(GALLERY_IMAGE.product_id)
    content = sample_jpeg(96, 64)
    _remove_pictures(system)
    for ref in (GALLERY_IMAGE, IMAGE):
        system.catalog.reserve(an_image(ref=ref, size_bytes=len(content)))
    system.catalog.mark_ready(GALLERY_IMAGE, ImageFacts(96, 64, "RGB"), None, NOW)
    yield s3.put_object(Bucket=resources.bucket, Key=IMAGE.key, Body=content)["VersionId"]
    _remove_pictures(system)


def _remove_pictures(system: State) -> None:
    s3, resources = system.endpoint.client("s3"), system.resources
    listed = s3.list_object_versions(Bucket=resources.bucket, Prefix=IMAGE.key)
    for each in [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]:
        s3.delete_object(Bucket=resources.bucket, Key=IMAGE.key, VersionId=each["VersionId"])
    for ref in (GALLERY_IMAGE, IMAGE):
        if system.catalog.get(ref.product_id, ref.image_id):
            system.catalog.begin_removal(system.catalog.look_up(ref.product_id, ref.image_id), NOW)
            system.catalog.finish_removal(ref)


@pytest.mark.parametrize(
    ("function", "case", "first", "second"),
    [
        ("authorize", "good", "Allow", "Allow"),
        ("upload_image", "curl", 201, 201),
        ("upload_image", "idempotent", 201, 201),
        ("upload_image", "bad_fields", 400, 400),
        ("reserve_upload", "usual", 201, 201),
        ("gallery", "list", 200, 200),
        ("gallery", "show", 200, 200),
        ("gallery", "change", 200, 200),
        ("gallery", "reorder", 200, 200),
        ("gallery", "delete", 204, 404),
        ("describe_api", "docs", 200, 200),
        ("extract_metadata", "put", "ready", "ready"),
        ("extract_metadata", "post", "ready", "ready"),
        ("reconcile", "schedule", True, True),
    ],
)
def test_neither_the_first_nor_the_second_invocation_imports_anything(
    system: State, things: str, function: str, case: str, first: object, second: object
) -> None:
    event = recorded_object(case, things) if function == "extract_metadata" else recorded(function, case)
    answers, imported = invoke_twice(system, function, event)
    assert [what_came_of(answer) for answer in answers] == [first, second], answers
    assert imported == [[], []]


def what_came_of(answer: Any) -> object:  # noqa: ANN401 - what a function returns
    match answer:
        case {"statusCode": status}:
            return status
        case {"policyDocument": {"Statement": [{"Effect": effect}]}}:
            return effect
        case {"images": [{"outcome": outcome}]}:
            return outcome
    return answer["is_complete"]
