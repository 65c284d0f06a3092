"""Answers AWS's calls inside the SDK, where it would hand a signed request to the network.

The same for all that is measured: each call is serialised, signed, answered and parsed as ever, and its body
is read to its end as an HTTP client would, so that checksums of streams are paid for.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import botocore
from botocore.awsrequest import AWSResponse

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest
    from botocore.session import Session

_BLOCK_BYTES = 16_384
"""What urllib3 reads from a body at a time (its `blocksize`)."""

_DYNAMODB_ANSWERS = {
    "TransactWriteItems": {},
    # The counter of identifiers.
    "UpdateItem": {"Attributes": {"last_id": {"N": "1000"}}},
}


@dataclass(frozen=True, slots=True)
class Request:
    """One call as it would have gone out: DynamoDB's by its operation, S3's by its HTTP method."""

    operation: str
    content: bytes
    """The body, without the frames in which the SDK sends a stream."""


_observed: list[Request] | None = None
"""While somebody observes; a kept body is none of what is measured."""


def observe(call: Callable[[], object]) -> list[Request]:
    """Make a call, and return what it asks of AWS."""
    global _observed  # noqa: PLW0603 - the SDK calls a function, once for the process
    observed: list[Request] = []
    _observed = observed
    try:
        call()
    finally:
        _observed = None
    return observed


def install() -> None:
    """Let every session that is made from now on be answered here."""
    botocore.register_initializer(_register)


def _register(session: "Session") -> None:
    session.get_component("event_emitter").register("before-send", _answer)


def _answer(request: "AWSPreparedRequest", **_: object) -> AWSResponse:
    target = _text(request.headers.get("X-Amz-Target"))
    if _observed is None:
        _read(request.body)
    else:
        _observed.append(Request(target.partition(".")[2] or str(request.method), _content(request)))
    if not target:
        return _response(request, {"ETag": '"0123456789abcdef0123456789abcdef"'}, b"")
    operation = target.partition(".")[2]
    body = json.dumps(_DYNAMODB_ANSWERS[operation]).encode()
    return _response(request, {"Content-Type": "application/x-amz-json-1.0"}, body)


def _read(body: Any) -> None:  # noqa: ANN401 - bytes or anything that can be read
    # Bytes go to the socket as they are.
    while hasattr(body, "read") and body.read(_BLOCK_BYTES):
        pass


def _content(request: "AWSPreparedRequest") -> bytes:
    body: Any = request.body
    content = bytes(body.read() if hasattr(body, "read") else body or b"")
    if "aws-chunked" in _text(request.headers.get("Content-Encoding")):
        return b"".join(_chunks(content))
    return content


def _chunks(framed: bytes) -> Iterator[bytes]:
    """Take the frames off: a chunk's size in hexadecimal on a line, the chunk, a line end; the last is 0."""
    while True:
        line, _, framed = framed.partition(b"\r\n")
        size = int(line, 16)
        if not size:
            return
        yield framed[:size]
        framed = framed[size + 2 :]


def _text(value: str | bytes | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""


def _response(request: "AWSPreparedRequest", headers: dict[str, str], body: bytes) -> AWSResponse:
    headers = {"x-amz-request-id": "0123456789ABCDEF", "Content-Length": str(len(body)), **headers}
    # Any mapping will do for the headers.
    return AWSResponse(request.url, 200, headers, _Raw(body))  # type: ignore[arg-type]


class _Raw:
    """The part of urllib3's response that the SDK reads."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content
