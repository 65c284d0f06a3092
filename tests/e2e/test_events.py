"""Every payload in events/, through the built function in the Runtime Interface Emulator."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.dynamo_api_keys import DynamoApiKeys
from adapters.dynamo_items import image_key, product_to_item
from domain.image import ImageFacts
from events.record import GALLERY_IMAGE, IMAGE, KEYS, add_example_keys
from local.sample import sample_jpeg
from local.system import State
from tests.builders import NOW, an_image
from tests.e2e.runtime_emulator import RuntimeEmulator
from tests.recorded_events import (
    AUTHORIZATIONS,
    DESCRIPTIONS,
    GALLERY,
    OBJECTS,
    RESERVATIONS,
    SCHEDULES,
    UPLOADS,
    check_answer,
    check_authorization,
    recorded,
    recorded_object,
)

type Runtimes = Callable[[str], RuntimeEmulator]

SECRETS = [
    *KEYS.values(),
    # What the recorded requests and the pictures that they speak of are called.
    *("product_image.jpg", "big.jpg", "Product front view", "Product side view"),
    *(an_image().name, an_image().details.alt_text),
    "8e03978e-40d5",  # of the idempotency key
    # Of an upload form; the policy in base64 begins with its expiration.
    *("Signature=", "x-amz-signature", "x-amz-security-token", "eyJleHBpcmF0aW9u"),
]
"""What no log may hold."""


@pytest.fixture(scope="module")
def runtime(system: State, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtimes]:
    """Return what starts the runtime of a function, or finds the one that was started before."""
    add_example_keys(DynamoApiKeys(system.endpoint.client("dynamodb"), system.resources.keys_table))
    started: dict[str, RuntimeEmulator] = {}

    def start(function: str) -> RuntimeEmulator:
        if function not in started:
            folder = tmp_path_factory.mktemp(function)
            started[function] = RuntimeEmulator(function, system, folder).__enter__()
        return started[function]

    yield start
    for each in started.values():
        each.__exit__()


@pytest.fixture(scope="module")
def picture_version(system: State) -> str:
    """The record and the bytes that the recorded S3 events speak of; return the version of the bytes."""
    content = sample_jpeg(96, 64)
    system.catalog.reserve(an_image(ref=IMAGE, size_bytes=len(content)))
    s3 = system.endpoint.client("s3")
    return s3.put_object(Bucket=system.resources.bucket, Key=IMAGE.key, Body=content)["VersionId"]


@pytest.fixture
def gallery_picture(system: State) -> None:
    """The one picture of its product that the recorded requests speak of, as new."""
    dynamodb, table = system.endpoint.client("dynamodb"), system.resources.table
    dynamodb.put_item(TableName=table, Item=product_to_item(GALLERY_IMAGE.product_id))
    dynamodb.delete_item(TableName=table, Key=image_key(GALLERY_IMAGE.product_id, GALLERY_IMAGE.image_id))
    system.catalog.reserve(an_image(ref=GALLERY_IMAGE))
    system.catalog.mark_ready(GALLERY_IMAGE, ImageFacts(96, 64, "RGB"), None, NOW)


@pytest.mark.parametrize("case", AUTHORIZATIONS)
def test_the_authorizer_answers_each_payload(runtime: Runtimes, case: str) -> None:
    check_authorization(case, runtime("authorize").invoke(recorded("authorize", case)))


@pytest.mark.parametrize("case", UPLOADS)
def test_the_upload_function_answers_each_payload(runtime: Runtimes, case: str) -> None:
    check_answer(runtime("upload_image").invoke(recorded("upload_image", case)), UPLOADS[case])


def test_the_picture_of_an_upload_payload_is_stored_byte_for_byte(runtime: Runtimes, system: State) -> None:
    answer = runtime("upload_image").invoke(recorded("upload_image", "curl"))
    body = json.loads(answer["body"])
    key = f"originals/123/{body['id']}.jpg"
    stored = system.endpoint.client("s3").get_object(Bucket=system.resources.bucket, Key=key)
    content = stored["Body"].read()
    assert len(content) == body["size"]
    assert content.startswith(b"\xff\xd8\xff")
    assert content.endswith(b"\xff\xd9")


@pytest.mark.parametrize("case", RESERVATIONS)
def test_the_function_that_reserves_uploads_answers_each_payload(runtime: Runtimes, case: str) -> None:
    check_answer(runtime("reserve_upload").invoke(recorded("reserve_upload", case)), RESERVATIONS[case])


@pytest.mark.usefixtures("gallery_picture")
@pytest.mark.parametrize("case", GALLERY)
def test_the_gallery_function_answers_each_payload(runtime: Runtimes, case: str) -> None:
    check_answer(runtime("gallery").invoke(recorded("gallery", case)), GALLERY[case])


@pytest.mark.parametrize("case", DESCRIPTIONS)
def test_the_function_that_describes_the_api_answers_each_payload(runtime: Runtimes, case: str) -> None:
    check_answer(runtime("describe_api").invoke(recorded("describe_api", case)), DESCRIPTIONS[case])


@pytest.mark.parametrize("case", OBJECTS)
def test_the_metadata_function_answers_each_payload(
    runtime: Runtimes, picture_version: str, case: str
) -> None:
    answer = runtime("extract_metadata").invoke(recorded_object(case, picture_version))
    assert [image["outcome"] for image in answer["images"]] == OBJECTS[case]


@pytest.mark.parametrize("case", SCHEDULES)
def test_the_reconciler_answers_each_payload(runtime: Runtimes, case: str) -> None:
    assert runtime("reconcile").invoke(recorded("reconcile", case))["is_complete"]


@pytest.mark.usefixtures("gallery_picture")
@pytest.mark.parametrize(
    ("function", "case", "message"),
    [
        ("authorize", "good", "allowed"),
        ("authorize", "revoked", "unauthorized"),
        ("upload_image", "curl", "image stored"),
        ("upload_image", "idempotent", "image stored"),
        ("upload_image", "bad_fields", "request rejected"),
        ("reserve_upload", "usual", "upload reserved"),
        ("reserve_upload", "bad_fields", "request rejected"),
        # Nothing is said of who looks.
        ("gallery", "list", None),
        ("gallery", "show", None),
        ("gallery", "change", "image changed"),
        ("gallery", "reorder", "gallery reordered"),
        ("gallery", "delete", "image deleted"),
        ("describe_api", "docs", "answered"),
        ("reconcile", "schedule", "reconciled"),
        ("extract_metadata", "foreign_key", "not a key of ours, ignored"),
        # Nor of a picture that the deployed function was quicker with.
        ("extract_metadata", "put", None),
    ],
)
def test_no_log_holds_what_clients_send_or_get_even_at_level_debug(
    runtime: Runtimes, picture_version: str, function: str, case: str, message: str | None
) -> None:
    event: dict[str, Any] = (
        recorded_object(case, picture_version) if function == "extract_metadata" else recorded(function, case)
    )
    emulator = runtime(function)
    emulator.invoke(event)
    logs = emulator.logs()
    assert "REPORT RequestId" in logs
    assert message is None or f'"message":"{message}"' in logs
    assert [secret for secret in SECRETS if secret in logs] == []


def test_no_log_holds_anything_of_an_upload_form(system: State, tmp_path: Path) -> None:
    # On Lambda, credentials come with a token, and forms carry it.
    token = "EXAMPLE-session-token"  # noqa: S105 - it says what it is
    with RuntimeEmulator("reserve_upload", system, tmp_path, AWS_SESSION_TOKEN=token) as emulator:
        answer = emulator.invoke(recorded("reserve_upload", "usual"))
        logs = emulator.logs()
    fields = json.loads(answer["body"])["upload"]["fields"]
    assert fields["x-amz-security-token"] == token
    assert '"message":"upload reserved"' in logs
    signed = ("policy", "x-amz-signature", "x-amz-credential", "x-amz-security-token")
    assert [name for name in signed if fields[name] in logs] == []
