import json
from http import HTTPStatus

import pytest

from domain import errors
from domain.errors import DomainError, FieldFault, InvalidFieldsError
from handlers.form import MalformedBodyError, NotMultipartError
from handlers.json_request import MalformedJsonError, NotJsonError
from handlers.problems import internal_problem, problem_response
from tests.builders import REQUEST_ID


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NotMultipartError("Send a form."), 400, "not_multipart"),
        (MalformedBodyError("Send it again."), 400, "malformed_body"),
        (errors.UnsupportedFormatError("No picture."), 400, "unsupported_format"),
        (errors.ProductNotFoundError(42), 404, "product_not_found"),
        (errors.FileTooLargeError(5_000_000, 4_500_000), 413, "file_too_large"),
        (errors.FileTooLargeForDirectUploadError(5_000_000, 4_500_000), 413, "file_too_large"),
        (errors.BodyTooLargeError(70_000, 65_536), 413, "body_too_large"),
        (NotJsonError("Send JSON."), 400, "not_json"),
        (MalformedJsonError("Send it again."), 400, "malformed_body"),
        (errors.ImageNotFoundError(42, 1), 404, "image_not_found"),
        (errors.ImageNotReadyError(1), 409, "image_not_ready"),
        (errors.GalleryTooLargeError(100), 409, "gallery_too_large"),
        (errors.KeyInUseError(), 409, "request_in_progress"),
        (errors.StaleImageError(), 412, "stale_image"),
        (errors.UnsupportedEncodingError("Send it as it is."), 415, "unsupported_encoding"),
        (errors.KeyReusedError(), 422, "idempotency_key_reused"),
        (errors.UnavailableError(), 503, "temporarily_unavailable"),
        (errors.OutcomeUnknownError(), 503, "outcome_unknown"),
    ],
)
def test_a_problem_has_the_members_of_rfc_9457_and_ours(error: DomainError, status: int, code: str) -> None:
    response = problem_response(error, REQUEST_ID)
    assert response["statusCode"] == status
    assert response["headers"]["Content-Type"] == "application/problem+json"
    assert response["headers"]["Cache-Control"] == "no-store"
    assert json.loads(response["body"]) == {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": str(error),
        "code": code,
        "request_id": REQUEST_ID,
    }


def test_field_errors_name_each_field() -> None:
    faults = (FieldFault("is_primary", "Must be a boolean."), FieldFault("order", "Must be an integer."))
    response = problem_response(InvalidFieldsError(faults), REQUEST_ID)
    body = json.loads(response["body"])
    assert (response["statusCode"], body["code"]) == (400, "invalid_fields")
    assert body["detail"] == "Correct these fields and send the request again: is_primary, order."
    assert body["errors"] == [
        {"field": "is_primary", "message": "Must be a boolean."},
        {"field": "order", "message": "Must be an integer."},
    ]


def test_a_field_with_two_faults_is_named_once_in_the_sentence() -> None:
    faults = (FieldFault("image_ids", "Doubled: 1."), FieldFault("image_ids", "Missing: 2."))
    body = json.loads(problem_response(InvalidFieldsError(faults), REQUEST_ID)["body"])
    assert body["detail"] == "Correct these fields and send the request again: image_ids."
    assert len(body["errors"]) == 2


@pytest.mark.parametrize(
    ("faults", "ending"), [(20, "f19."), (21, "f19, and 1 more."), (1_020, "1,000 more.")]
)
def test_twenty_faults_are_named_and_the_others_counted(faults: int, ending: str) -> None:
    error = InvalidFieldsError([FieldFault(f"f{number}", "No.") for number in range(faults)])
    body = json.loads(problem_response(error, REQUEST_ID)["body"])
    assert [fault["field"] for fault in body["errors"]] == [f"f{number}" for number in range(20)]
    assert body["detail"].endswith(ending)


def test_a_passing_fault_says_when_to_try_again() -> None:
    for error in (errors.UnavailableError(), errors.KeyInUseError()):
        assert problem_response(error, REQUEST_ID)["headers"]["Retry-After"].isdigit()
    assert "Retry-After" not in problem_response(errors.ProductNotFoundError(42), REQUEST_ID)["headers"]


@pytest.mark.parametrize(
    "error",
    [
        errors.ImageIdTakenError("Image 7 is there already."),
        errors.BytesRefusedError("S3 did not accept the bytes."),
    ],
)
def test_a_fault_of_ours_is_answered_without_its_reason(error: DomainError) -> None:
    response = problem_response(error, REQUEST_ID)
    assert response == internal_problem(REQUEST_ID)
    assert (response["statusCode"], json.loads(response["body"])["code"]) == (500, "internal_error")
    assert str(error) not in response["body"]
