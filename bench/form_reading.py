"""Runs in the upload function's package: reads one form, or does one step of it alone.

The steps are what grows with the picture: base64, the search for the boundary, the copy of the file, and the
CRC32 that S3 checks. The standard library's base64 is what the others are compared with.
"""

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pybase64
from zlib_ng.zlib_ng import crc32

from domain.errors import InvalidFieldsError, InvalidRequestError
from handlers.form import read_form


def prepare(contender: str) -> Callable[[Path], Callable[[], None]]:
    """Return what makes a call of a request's event."""
    return _CALLS[contender]


def _read_form(request: Path) -> Callable[[], None]:
    body, content_type = _event(request)

    def call() -> None:
        # A refusal is an answer too, and what it costs is measured.
        with suppress(InvalidRequestError, InvalidFieldsError):
            read_form(body, is_base64=True, content_type=content_type)

    return call


def _b64decode(request: Path) -> Callable[[], None]:
    body, _ = _event(request)
    try:
        base64.b64decode(body)
    except ValueError:
        # Decoding would stop early; as much of what it goes through to the end stands for it.
        body = "AAAA" * (len(body) // 4)

    def call() -> None:
        base64.b64decode(body)

    return call


def _base64(request: Path) -> Callable[[], None]:
    body, _ = _event(request)

    def call() -> None:
        pybase64.b64decode(body, validate=True)

    return call


def _search(request: Path) -> Callable[[], None]:
    content, delimiter = _form(request)

    def call() -> None:
        start = 0
        while (start := content.find(delimiter, start) + 1) > 0:
            pass

    return call


def _copy(request: Path) -> Callable[[], None]:
    content, _ = _form(request)

    def call() -> None:
        bytes(memoryview(content)[1:])

    return call


def _crc32(request: Path) -> Callable[[], None]:
    content, _ = _form(request)

    def call() -> None:
        crc32(content)

    return call


def _event(request: Path) -> tuple[str, str]:
    """Return the body, in base64, and its media type."""
    event = json.loads(request.with_suffix(".json").read_text())
    return event["body"], event["headers"]["Content-Type"]


def _form(request: Path) -> tuple[bytes, bytes]:
    """Return the form, nearly all of it one file, and what parts of it are delimited by."""
    body, content_type = _event(request)
    return pybase64.b64decode(body), f"\r\n--{content_type.partition('boundary=')[2]}".encode()


_CALLS = {
    "read_form": _read_form,
    "b64decode": _b64decode,
    "base64": _base64,
    "search": _search,
    "copy": _copy,
    "crc32": _crc32,
}
