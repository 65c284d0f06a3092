"""The service as its clients have it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx
from pydantic import BaseModel

from ops.verify.check import CheckError

_SECONDS = 60
"""Longer than the gateway waits, and enough for ten megabytes on a slow line."""


class Uploader(BaseModel):
    """Who uploaded a picture."""

    id: int
    username: str
    full_name: str


class Picture(BaseModel):
    """The members that the contract promises of a picture; there may be more."""

    id: int
    type: str
    user: Uploader
    name: str
    f: str
    size: int
    description: str
    width: int | None
    height: int | None
    human_readable_size: str
    mode: str | None
    created_at: datetime
    updated_at: datetime
    product_id: int
    alt_text: str
    is_primary: bool
    order: int
    status: str
    error: str | None


class UploadForm(BaseModel):
    """Where a picture goes that is sent to S3 itself, and with which fields."""

    url: str
    fields: dict[str, str]


class ReservedPicture(Picture):
    """A picture that is yet to come, and the form to send it with."""

    upload: UploadForm


class Gallery(BaseModel):
    """A page of a product's pictures."""

    count: int
    results: list[Picture]


class Problem(BaseModel):
    """What every error says (RFC 9457)."""

    status: int
    detail: str
    code: str


class Api:
    """Sends requests with a key to the service at `base_url`."""

    def __init__(self, base_url: str, key: str | None, http: httpx.Client) -> None:
        self._base_url = base_url
        self._authorization = {"Authorization": f"Token {key}"} if key else {}
        self._http = http

    def send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        **content: Any,  # noqa: ANN401 - what httpx sends: json, files, data
    ) -> httpx.Response:
        """Send a request; `path` begins with a slash."""
        headers = {**self._authorization, **(headers or {})}
        return self._http.request(method, f"{self._base_url}{path}", headers=headers, **content)

    def upload(
        self,
        product_id: int,
        content: bytes,
        headers: Mapping[str, str] | None = None,
        **fields: str,
    ) -> httpx.Response:
        """Send a picture by the direct route."""
        files = {"image": ("verify.png", content)}
        return self.send("POST", images_path(product_id), headers, files=files, data=fields)


def images_path(product_id: int) -> str:
    """Return the path of a product's pictures."""
    return f"/api/products/{product_id}/images"


def http_client(*, is_local: bool) -> httpx.Client:
    """Return a client; on this machine the shell's proxies have no say."""
    return httpx.Client(timeout=_SECONDS, trust_env=not is_local)


def expect(answer: httpx.Response, status: int) -> httpx.Response:
    """Return the answer if it has this status.

    Raises:
        CheckError: it has another; the message says which, and its code.

    """
    if answer.status_code != status:
        raise CheckError(f"{_named(answer)} instead of {status}")
    return answer


def expect_problem(answer: httpx.Response, status: int, code: str) -> str:
    """Say that the answer is the problem `code`, or raise `CheckError`."""
    problem = _problem(expect(answer, status))
    if problem is None or (problem.status, problem.code) != (status, code):
        raise CheckError(f"{_named(answer)} instead of {status} {code}")
    return f"{status} {code}"


def _named(answer: httpx.Response) -> str:
    problem = _problem(answer)
    return f"{answer.status_code} {problem.code if problem else answer.reason_phrase}".strip()


def _problem(answer: httpx.Response) -> Problem | None:
    if answer.headers.get("Content-Type", "").partition(";")[0] != "application/problem+json":
        return None
    try:
        return Problem.model_validate_json(answer.content)
    except ValueError:
        return None
