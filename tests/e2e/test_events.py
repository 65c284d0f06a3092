"""Every payload in events/, through the built function in the Runtime Interface Emulator."""

import json
from collections.abc import Iterator

import pytest

from adapters.dynamo_api_keys import DynamoApiKeys
from events.record import IMAGE, KEYS, add_example_keys
from local.sample import sample_jpeg
from local.system import State
from tests.builders import an_image
from tests.e2e.runtime_emulator import RuntimeEmulator
from tests.recorded_events import AUTHORIZATIONS, OBJECTS, UPLOADS, check_authorization, recorded


@pytest.fixture(scope="module")
def authorize(system: State, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeEmulator]:
    add_example_keys(DynamoApiKeys(system.endpoint.client("dynamodb"), system.resources.keys_table))
    with RuntimeEmulator("authorize", system, tmp_path_factory.mktemp("rie")) as runtime:
        yield runtime


@pytest.fixture(scope="module")
def upload_image(system: State, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeEmulator]:
    with RuntimeEmulator("upload_image", system, tmp_path_factory.mktemp("rie")) as runtime:
        yield runtime


@pytest.fixture(scope="module")
def extract_metadata(system: State, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeEmulator]:
    with RuntimeEmulator("extract_metadata", system, tmp_path_factory.mktemp("rie")) as runtime:
        yield runtime


@pytest.mark.parametrize("case", AUTHORIZATIONS)
def test_the_authorizer_answers_each_payload(authorize: RuntimeEmulator, case: str) -> None:
    check_authorization(case, authorize.invoke(recorded("authorize", case)))


@pytest.mark.parametrize("case", UPLOADS)
def test_the_upload_function_answers_each_payload(upload_image: RuntimeEmulator, case: str) -> None:
    answer = upload_image.invoke(recorded("upload_image", case))
    body = json.loads(answer["body"])
    assert (answer["statusCode"], body.get("code")) == UPLOADS[case]


def test_the_picture_of_an_upload_payload_is_stored_byte_for_byte(
    upload_image: RuntimeEmulator, system: State
) -> None:
    answer = upload_image.invoke(recorded("upload_image", "curl"))
    body = json.loads(answer["body"])
    key = f"originals/123/{body['id']}.jpg"
    stored = system.endpoint.client("s3").get_object(Bucket=system.resources.bucket, Key=key)
    content = stored["Body"].read()
    assert len(content) == body["size"]
    assert content.startswith(b"\xff\xd8\xff")
    assert content.endswith(b"\xff\xd9")


@pytest.mark.usefixtures("recorded_picture")
@pytest.mark.parametrize("case", OBJECTS)
def test_the_metadata_function_answers_each_payload(extract_metadata: RuntimeEmulator, case: str) -> None:
    answer = extract_metadata.invoke(recorded("extract_metadata", case))
    assert [image["outcome"] for image in answer["images"]] == OBJECTS[case]


@pytest.mark.usefixtures("recorded_picture")
def test_no_log_holds_what_clients_send_even_at_level_debug(
    authorize: RuntimeEmulator, upload_image: RuntimeEmulator, extract_metadata: RuntimeEmulator
) -> None:
    secrets = [*KEYS.values(), "product_image.jpg", "Product front view", "Signature="]
    for function, event in (
        (authorize, recorded("authorize", "good")),
        (upload_image, recorded("upload_image", "curl")),
        (extract_metadata, recorded("extract_metadata", "put")),
    ):
        function.invoke(event)
        logs = function.logs()
        assert '"level":"INFO"' in logs
        assert not [secret for secret in secrets if secret in logs]


@pytest.fixture(scope="module")
def recorded_picture(system: State) -> None:
    """The record and the bytes that the recorded S3 events speak of."""
    content = sample_jpeg(96, 64)
    system.catalog.reserve(an_image(ref=IMAGE, size_bytes=len(content)))
    system.endpoint.client("s3").put_object(Bucket=system.resources.bucket, Key=IMAGE.key, Body=content)
