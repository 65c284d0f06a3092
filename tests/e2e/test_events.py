"""The built functions in the Runtime Interface Emulator: what they answer, and what they never log."""

import json
from pathlib import Path
from typing import Any

import pytest

from events.record import KEYS
from local.system import State
from tests.builders import an_image
from tests.e2e.runtime_emulator import RuntimeEmulator
from tests.recorded_events import (
    ANSWERS,
    CATALOGUE,
    DELETIONS,
    OBJECTS,
    RENDERINGS,
    check_answer,
    check_authorization,
    recorded,
)

SECRETS = [
    *KEYS.values(),
    # What the recorded requests and the pictures that they speak of are called.
    *("product_image.jpg", "big.jpg", "Product front view", "Product side view"),
    *(an_image().name, an_image().details.alt_text),
    "8e03978e-40d5",  # of the idempotency key
    # Of an address, which may open a door.
    *("cdn.example.com", "EXAMPLE-signature"),
    # Of an upload form; the policy in base64 begins with its expiration.
    *("Signature=", "x-amz-signature", "x-amz-security-token", "eyJleHBpcmF0aW9u"),
]
"""What no log may hold."""

LOGGED: dict[str, dict[str, str | None]] = {
    "authorize": {"good": "allowed", "revoked": "unauthorized"},
    "upload_image": {"curl": "image stored", "idempotent": "image stored", "bad_fields": "request rejected"},
    "reserve_upload": {"usual": "upload reserved", "bad_fields": "request rejected"},
    "request_fetch": {"usual": "fetch requested", "not_public": "request rejected"},
    "fetch_image": {"picture_gone": "fetch tried", "foreign_message": "not a message of ours, ignored"},
    "gallery": {
        # Nothing is said of who looks.
        "list": None,
        "show": None,
        "change": "image changed",
        "reorder": "gallery reordered",
        "delete": "image deleted",
    },
    "products": {
        "list": None,
        "list_bad_limit": "request rejected",
        "put_bad_title": "request rejected",
        "remove_by_staff": "request rejected",
    },
    "remove_product": {"requested": "product removed"},
    "follow_catalogue": {"deleted": "catalogue followed"},
    "storefront": {"gallery": None, "bad_ids": "request rejected"},
    "describe_api": {"docs": "answered"},
    "render_image": {"foreign": "not a picture's address, ignored"},
    "staff_page": {"page": "answered"},
    "reconcile": {"schedule": "reconciled"},
    "forget_image": {"deleted": "image forgotten", "foreign_path": "not a picture's address, ignored"},
    # Nor of a picture that the deployed function was quicker with.
    "extract_metadata": {"foreign_key": "not a key of ours, ignored", "put": None},
}
"""Payloads of each function, in turn, and what it says of each; tests/unit has all payloads."""


@pytest.mark.usefixtures("recorded_picture")
@pytest.mark.parametrize("function", LOGGED)
def test_a_built_function_answers_and_logs_nothing_that_clients_send_or_get_even_at_level_debug(
    system: State, tmp_path: Path, function: str
) -> None:
    with RuntimeEmulator(function, system, tmp_path) as runtime:
        for case in LOGGED[function]:
            check(function, case, runtime.invoke(recorded(function, case)))
        logs = runtime.logs()
    assert logs.count("REPORT RequestId") == len(LOGGED[function])
    assert [
        message for message in LOGGED[function].values() if message and f'"message":"{message}"' not in logs
    ] == []
    assert [secret for secret in SECRETS if secret in logs] == []


def check(function: str, case: str, answer: dict[str, Any]) -> None:
    """Check what a function answers to a payload."""
    match function:
        case "authorize":
            check_authorization(case, answer)
        case "extract_metadata":
            assert [image["outcome"] for image in answer["images"]] == OBJECTS[case]
        case "forget_image":
            assert [image["outcome"] for image in answer["images"]] == [DELETIONS[case]]
        case "render_image":
            assert [image["outcome"] for image in answer["images"]] == [RENDERINGS[case]]
        case "remove_product":
            assert answer["is_done"]
        case "follow_catalogue":
            # Another test may have told it before.
            assert answer["outcome"] in {CATALOGUE[case], "outdated"}
        case "fetch_image":
            assert answer == {"batchItemFailures": []}
        case "reconcile":
            assert answer["is_complete"]
        case _:
            check_answer(answer, ANSWERS[function][case])


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
