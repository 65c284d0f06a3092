"""The page for the staff of a shop, and what it loads: files of the package, no more."""

import hashlib
import os
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from handlers.answer_log import log_answer
from handlers.http_headers import lower_case_names
from handlers.problems import HttpResponse, method_not_allowed
from handlers.settings import read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_FILES = Path(__file__).parent.parent / "public"
"""Put beside the packages' modules by their build."""
_PAGE = "index.html"
_BASE, _PRELOAD = "{base}", "{preload}"
"""In the page: the folder that it loads everything from, and the modules that are fetched at once.

A browser would find them one after the other, as they import each other.
"""
_ON_DEMAND = "texts/"
_DIGITS = 16
"""Of a SHA-256 in hexadecimal: 64 bits tell one release of the files from another."""
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_READING = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the function that serves the page needs to know: where browsers send upload forms."""

    upload_origin: str


class StaffPageHandler:
    """Answers from files that were read when it was made; it touches no store.

    All files but the page lie in a folder that is named by a hash of them all, so that their addresses change
    with them, that modules can import each other by their own names, and that browsers may keep them.
    """

    def __init__(self, files: Path, upload_origin: str, logger: Logger) -> None:
        self._files = {path.relative_to(files).as_posix(): path.read_text() for path in _below(files)}
        self._release = _digest(self._files)
        page = self._files.pop(_PAGE)
        self._page = page.replace(_PRELOAD, _preload(self._files)).replace(_BASE, f"/staff/{self._release}")
        self._page_headers = {
            "ETag": f'"{_digest({_PAGE: self._page})}"',
            "Cache-Control": "no-cache",
            "Content-Security-Policy": _policy(upload_origin),
            "Cross-Origin-Opener-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
        }
        self._logger = logger

    def __call__(self, event: dict[str, Any], _context: "LambdaContext") -> HttpResponse:
        """Answer one request that API Gateway let through without a key."""
        response = self._answer(event)
        log_answer(self._logger, event, response)
        return response

    def _answer(self, event: dict[str, Any]) -> HttpResponse:
        if event["httpMethod"] not in _READING:
            return method_not_allowed(", ".join(_READING), event["requestContext"]["extendedRequestId"])
        path = event["pathParameters"]["file"]
        if path == _PAGE:
            condition = lower_case_names(event["headers"]).get("if-none-match", "")
            return self._show_page(condition)
        release, _, name = path.partition("/")
        if release != self._release or name not in self._files:
            return _answer(
                HTTPStatus.NOT_FOUND, ".txt", "There is no such file.\n", {"Cache-Control": "no-store"}
            )
        kept = {"Cache-Control": "public, max-age=31536000, immutable"}
        return _answer(HTTPStatus.OK, Path(name).suffix, self._files[name], kept)

    def _show_page(self, condition: str) -> HttpResponse:
        # A front that compresses makes a tag weak.
        if self._page_headers["ETag"] in condition:
            return {"statusCode": HTTPStatus.NOT_MODIFIED, "headers": self._page_headers, "body": ""}
        return _answer(HTTPStatus.OK, ".html", self._page, self._page_headers)


def _answer(status: HTTPStatus, suffix: str, body: str, headers: dict[str, str]) -> HttpResponse:
    declared = {"Content-Type": _TYPES[suffix], "X-Content-Type-Options": "nosniff"}
    return {"statusCode": status, "headers": {**declared, **headers}, "body": body}


def _policy(upload_origin: str) -> str:
    """Return what the page may do: run its own files, show pictures, speak to its API and the bucket."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob:",
            f"connect-src 'self' {upload_origin}",
            "form-action 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types lit-html",
        )
    )


def _preload(files: dict[str, str]) -> str:
    modules = [name for name in files if name.endswith(".js") and not name.startswith(_ON_DEMAND)]
    return "\n    ".join(f'<link rel="modulepreload" href="{_BASE}/{name}" />' for name in modules)


def _below(files: Path) -> list[Path]:
    return sorted(path for path in files.rglob("*") if path.suffix in _TYPES)


def _digest(files: dict[str, str]) -> str:
    whole = hashlib.sha256()
    for name, text in files.items():
        whole.update(f"{name}\0{len(text)}\0{text}".encode())
    return whole.hexdigest()[:_DIGITS]


@cache
def _handler() -> StaffPageHandler:
    settings = read_settings(Settings, os.environ)
    return StaffPageHandler(_FILES, settings.upload_origin, Logger(service="staff_page", use_rfc3339=True))


def __getattr__(name: str) -> StaffPageHandler:
    # Made when the runtime first asks, in the init phase; see `handlers.upload_image`.
    if name == "lambda_handler":
        return _handler()
    raise AttributeError(name)
