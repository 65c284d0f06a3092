"""The payloads in events/, and what each function is to answer to them."""

import json
import re
from typing import Any

from events.record import EVENTS

ALLOW = {"principalId": "7", "effect": "Allow"}
DENY = {"principalId": "denied", "effect": "Deny"}
UNAUTHORIZED = {"errorMessage": "Unauthorized", "errorType": "Exception"}

AUTHORIZATIONS = {
    "good": ALLOW,
    "customer": DENY,
    "revoked": UNAUTHORIZED,
    "unknown": UNAUTHORIZED,
    "malformed": UNAUTHORIZED,
}
UPLOADS = {
    "curl": (201, None),
    "requests": (201, None),
    "bad_fields": (400, "invalid_fields"),
    "no_image": (400, "invalid_fields"),
    "not_a_picture": (400, "unsupported_format"),
    "unknown_product": (404, "product_not_found"),
    "bad_product_id": (400, "invalid_fields"),
    "json": (400, "not_multipart"),
    "cut_short": (400, "malformed_body"),
}
OBJECTS = {
    "put": ["ready"],
    "duplicate": ["ready", "ready"],
    "foreign_key": ["ignored"],
    "url_encoded_key": ["ignored"],
    "bytes_gone": ["gone"],
}


def recorded(function: str, case: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / function / f"{case}.json").read_text())
    return event


def check_authorization(case: str, answer: dict[str, Any]) -> None:
    expected = AUTHORIZATIONS[case]
    if "effect" not in expected:
        assert {name: answer[name] for name in expected} == expected
        return
    (statement,) = answer["policyDocument"]["Statement"]
    assert {"principalId": answer["principalId"], "effect": statement["Effect"]} == expected
    assert re.fullmatch(r"arn:aws:execute-api:[^/]+/v1/\*", statement["Resource"])
