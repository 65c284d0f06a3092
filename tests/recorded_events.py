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
    "idempotent": (201, None),
}
RESERVATIONS = {
    "usual": (201, None),
    "bad_fields": (400, "invalid_fields"),
    "too_large": (413, "file_too_large"),
}
FETCHES = {
    "usual": (201, None),
    "bad_fields": (400, "invalid_fields"),
    "not_public": (400, "invalid_fields"),
}
GALLERY = {
    "list": (200, None),
    "list_bad_limit": (400, "invalid_fields"),
    "show": (200, None),
    "show_not_modified": (304, None),
    "unknown_image": (404, "image_not_found"),
    "change": (200, None),
    "change_stale": (412, "stale_image"),
    "reorder": (200, None),
    "delete": (204, None),
}
STOREFRONT = {
    "gallery": (200, None),
    "not_modified": (304, None),
    "unknown_product": (404, "product_not_found"),
    "primaries": (200, None),
    "bad_ids": (400, "invalid_fields"),
}
DESCRIPTIONS = {
    "openapi": (200, None),
    "docs": (200, None),
    "preflight": (204, None),
    "method_not_allowed": (405, "method_not_allowed"),
}
PAGES = {"page": (200, None), "method_not_allowed": (405, "method_not_allowed")}
PRODUCTS = {
    "list": (200, None),
    "search": (200, None),
    "list_bad_limit": (400, "invalid_fields"),
    "put": (201, None),
    "put_bad_title": (400, "invalid_fields"),
    "show": (200, None),
    "remove_by_staff": (403, "access_denied"),
    "remove": (202, None),
}
ANSWERS = {
    "upload_image": UPLOADS,
    "reserve_upload": RESERVATIONS,
    "request_fetch": FETCHES,
    "gallery": GALLERY,
    "products": PRODUCTS,
    "storefront": STOREFRONT,
    "describe_api": DESCRIPTIONS,
    "staff_page": PAGES,
}
"""Status and code of the answers of each function behind the API, by payload."""
OBJECTS = {
    "put": ["ready"],
    "post": ["ready"],
    "duplicate": ["ready", "ready"],
    "foreign_key": ["ignored"],
    "url_encoded_key": ["ignored"],
    "bytes_gone": ["gone"],
    "reconciled": ["ready"],
}
RENDERINGS = {"ready": "rendered", "reconciled": "rendered", "gone": "gone", "foreign": "ignored"}
MESSAGES = ["picture_gone", "foreign_message"]
"""None of them stays in the queue."""
SCHEDULES = ["schedule"]
DELETIONS = {
    "deleted": "forgotten",
    "taken_back": "forgotten",
    "foreign_path": "ignored",
    "product_removed": "forgotten",
}
REMOVALS = ["requested"]
CATALOGUE = {"created": "put", "changed": "put", "deleted": "removed"}


def recorded(function: str, case: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / function / f"{case}.json").read_text())
    return event


def check_answer(answer: dict[str, Any], expected: tuple[int, str | None]) -> None:
    """Check the status, the code of a problem, and that 202 and, by RFC 9110, 204 and 304 have no body."""
    is_json = "json" in answer["headers"].get("Content-Type", "")
    code = json.loads(answer["body"]).get("code") if is_json else None
    assert (answer["statusCode"], code) == expected
    assert bool(answer["body"]) == (answer["statusCode"] not in {202, 204, 304})


def check_authorization(case: str, answer: dict[str, Any]) -> None:
    expected = AUTHORIZATIONS[case]
    if "effect" not in expected:
        assert {name: answer[name] for name in expected} == expected
        return
    (statement,) = answer["policyDocument"]["Statement"]
    assert {"principalId": answer["principalId"], "effect": statement["Effect"]} == expected
    assert re.fullmatch(r"arn:aws:execute-api:[^/]+/v1/\*", statement["Resource"])
