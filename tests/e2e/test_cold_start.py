"""All that a first request needs is loaded in the init phase: no invocation imports anything."""

import json
import subprocess
import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from local.deployment import FUNCTIONS, PACKAGES
from local.system import State
from tests.recorded_events import recorded

PROGRAM = """
import importlib, json, sys
from types import SimpleNamespace

handler = importlib.import_module(sys.argv[1]).lambda_handler
context = SimpleNamespace(
    aws_request_id="c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
    function_name="tested",
    memory_limit_in_mb=1024,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:tested",
    get_remaining_time_in_millis=lambda: 120_000,
)
answers, imported = [], []
for event in json.load(sys.stdin):
    for _ in range(2):
        before = set(sys.modules)
        answers.append(handler(event, context))
        imported.append(sorted(sys.modules.keys() - before))
print(json.dumps([answers, imported]), file=sys.stderr)
"""
_PYTHON = Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")


def invoke_twice(
    system: State, function: str, events: Sequence[dict[str, Any]]
) -> tuple[list[Any], list[list[str]]]:
    """Return both answers to each event of a built function in a fresh process, and what each imported."""
    configured = system.endpoint.client("lambda").get_function_configuration(
        FunctionName=system.resources.functions[function]
    )
    folders = [str(PACKAGES / FUNCTIONS[function])]
    if function in {"extract_metadata", "render_image"}:
        folders.append(str(PACKAGES / "PillowLayer/python"))
    done = subprocess.run(
        [
            *(_PYTHON, "-S", "-P", "-s"),
            *("-c", f"import sys; sys.path[:0] = {folders}\n{PROGRAM}", f"handlers.{function}"),
        ],
        input=json.dumps(events),
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


CASES: dict[str, dict[str, tuple[object, object]]] = {
    "authorize": {"good": ("Allow", "Allow")},
    "upload_image": {"curl": (201, 201), "idempotent": (201, 201), "bad_fields": (400, 400)},
    "reserve_upload": {"usual": (201, 201)},
    "request_fetch": {"usual": (201, 201), "not_public": (400, 400)},
    "fetch_image": {"picture_gone": ([], [])},
    "gallery": {
        "list": (200, 200),
        "show": (200, 200),
        "change": (200, 200),
        "reorder": (200, 200),
        "delete": (204, 404),
    },
    "storefront": {"gallery": (200, 200), "primaries": (200, 200)},
    "products": {
        "list": (200, 200),
        "search": (200, 200),
        "put": (201, 200),
        "show": (200, 200),
        "remove": (202, 404),
    },
    "remove_product": {"requested": (True, True)},
    "follow_catalogue": {"created": ("put", "outdated"), "deleted": ("removed", "outdated")},
    "describe_api": {"docs": (200, 200)},
    "staff_page": {"page": (200, 200)},
    "extract_metadata": {"put": ("ready", "ready"), "post": ("ready", "ready")},
    "render_image": {"gone": ("gone", "gone")},
    "reconcile": {"schedule": (True, True)},
    "forget_image": {"deleted": ("forgotten", "forgotten"), "foreign_path": ("ignored", "ignored")},
}
"""What comes of the first and the second invocation with each payload."""


@pytest.mark.usefixtures("recorded_picture")
@pytest.mark.parametrize("function", CASES)
def test_no_invocation_imports_anything_not_even_the_first(system: State, function: str) -> None:
    cases = CASES[function]
    events = [recorded(function, case) for case in cases]
    if function == "follow_catalogue":
        # Of a product that no other test has told the catalogue of.
        events = [{**event, "detail": {**event["detail"], "product_id": 1_420_142}} for event in events]
    answers, imported = invoke_twice(system, function, events)
    assert [what_came_of(answer) for answer in answers] == list(chain(*cases.values())), answers
    assert imported == [[]] * len(answers)


def what_came_of(answer: Any) -> object:  # noqa: ANN401 - what a function returns
    match answer:
        case {"statusCode": status}:
            return status
        case {"policyDocument": {"Statement": [{"Effect": effect}]}}:
            return effect
        case {"batchItemFailures": stay}:
            return stay
        case {"images": [{"outcome": outcome}]} | {"outcome": outcome}:
            return outcome
        case {"is_done": is_done} | {"is_complete": is_done}:
            return is_done
    raise AssertionError(answer)
