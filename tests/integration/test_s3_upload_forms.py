import base64
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from adapters.aws import s3_client
from adapters.s3_upload_forms import S3UploadForms
from domain.image import ImageRef
from domain.ports import UploadForm
from tests.builders import NOW, a_ref
from tests.integration.faults import LOST_CONNECTIONS, lose_every_request

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

EXPIRES_AT = NOW.replace(microsecond=0) + timedelta(minutes=15)
SIZE_BYTES = 20_000_000


@pytest.fixture
def client() -> "S3Client":
    client = s3_client()
    # Signing a form must not need AWS.
    lose_every_request(client, LOST_CONNECTIONS[0])
    return client


def issue(client: "S3Client", ref: ImageRef | None = None, expires_at: datetime = EXPIRES_AT) -> UploadForm:
    return S3UploadForms(client, "images", lambda: NOW).issue(ref or a_ref(), SIZE_BYTES, expires_at)


def policy(form: UploadForm) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(base64.b64decode(form.fields["policy"]))
    return decoded


def conditions(form: UploadForm) -> list[Any]:
    return [each for each in policy(form)["conditions"] if "x-amz-" not in json.dumps(each)]


def test_a_form_is_good_for_one_key_in_the_drop_box_and_one_size(client: "S3Client") -> None:
    assert sorted(map(json.dumps, conditions(issue(client)))) == sorted(
        map(
            json.dumps,
            [
                ["content-length-range", SIZE_BYTES, SIZE_BYTES],
                ["starts-with", "$success_action_status", "20"],
                {"bucket": "images"},
                {"key": a_ref().incoming_key},
            ],
        )
    )


def test_the_fields_are_what_the_form_holds_the_client_to(client: "S3Client") -> None:
    form = issue(client)
    assert form.fields["key"] == a_ref().incoming_key
    # S3 refuses a form that lacks a field of its policy; a client may put 200 or 201 in its place.
    assert form.fields["success_action_status"] == "204"
    # A semicolon would end the value for `curl -F`.
    assert not [name for name, value in form.fields.items() if ";" in value]


@pytest.mark.parametrize("minutes", [0, -14, -16])
def test_a_form_expires_when_it_says_also_one_that_is_issued_again(
    client: "S3Client", monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    # The SDK, which signs the policy, has a clock of its own.
    monkeypatch.setattr("botocore.signers.get_current_datetime", lambda: NOW)
    expires_at = EXPIRES_AT + timedelta(minutes=minutes)
    form = issue(client, expires_at=expires_at)
    assert form.expires_at == expires_at
    assert datetime.fromisoformat(policy(form)["expiration"]) == form.expires_at


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1"])
def test_a_form_goes_to_the_buckets_own_region_signed_with_version_4(
    monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    form = issue(s3_client())
    assert form.url == f"https://images.s3.{region}.amazonaws.com/"
    assert form.fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
