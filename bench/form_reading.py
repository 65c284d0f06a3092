"""Runs in the upload function's package: reads one form, or decodes its base64 with the standard library."""

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from domain.errors import InvalidFieldsError, InvalidRequestError
from handlers.form import read_form


def prepare(contender: str) -> Callable[[Path], Callable[[], None]]:
    """Return what makes a call of a request's event."""
    return {"read_form": _read_form, "b64decode": _b64decode}[contender]


def _read_form(request: Path) -> Callable[[], None]:
    event = json.loads(request.with_suffix(".json").read_text())
    body, content_type = event["body"], event["headers"]["Content-Type"]

    def call() -> None:
        # A refusal is an answer too, and what it costs is measured.
        with suppress(InvalidRequestError, InvalidFieldsError):
            read_form(body, is_base64=True, content_type=content_type)

    return call


def _b64decode(request: Path) -> Callable[[], None]:
    body = json.loads(request.with_suffix(".json").read_text())["body"]
    try:
        base64.b64decode(body)
    except ValueError:
        # Decoding would stop early; as much of what it goes through to the end stands for it.
        body = "AAAA" * (len(body) // 4)

    def call() -> None:
        base64.b64decode(body)

    return call
