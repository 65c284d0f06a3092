"""Runs in the process of one contender: makes its application ready, and calls it with requests.

What is outside the application (a socket, a server, Lambda's runtime) is left out for all alike: FastAPI and
Django get the raw body as a server hands it over, the functions get the event with base64 in it.
"""

import asyncio
import importlib
import io
import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bench import aws_stub
from bench.environments import BenchmarkError

_CHUNK_BYTES = 65_536
"""What uvicorn reads from a socket at a time."""

_CREATED = 201

_CONTRACT_KEYS = frozenset(
    {
        *("id", "type", "user", "name", "f", "size", "description", "width", "height"),
        *("human_readable_size", "mode", "created_at", "updated_at"),
    }
)
_CALLS = ["TransactWriteItems", "PUT"]
"""What an upload asks of DynamoDB and S3: the record, counted on its product, and the picture."""
CALLS_ALONE = ("tuned_calls", "tuned_as_ours")
"""The contenders that are no service: they answer nothing."""

type Answer = tuple[int, bytes | str]
"""Status and body."""
type Call = Callable[[], Answer]
"""One request."""


def prepare(contender: str) -> Callable[[Path], Callable[[], None]]:
    """Make a contender's application ready; what is returned makes a call of a request's body."""
    aws_stub.install()
    prepare_call = _KINDS[contender]()

    def prepare_checked(request: Path) -> Callable[[], None]:
        call = prepare_call(request)

        def checked() -> None:
            status, _ = call()
            if status != _CREATED:
                raise BenchmarkError(f"{contender} answered {status} where {_CREATED} was due.")

        return checked

    return prepare_checked


def check(contender: str, request: Path) -> None:
    """Make sure that a contender does the whole job and no more: what it asks of AWS, and what it answers.

    Raises:
        BenchmarkError: it does another job, so that comparing means nothing.

    """
    aws_stub.install()
    call = _KINDS[contender]()(request)
    # The first one leases identifiers.
    call()
    answers: list[Answer] = []
    requests = aws_stub.observe(lambda: answers.append(call()))
    if Counter(made.operation for made in requests) != Counter(_CALLS):
        raise BenchmarkError(f"{contender} calls {[made.operation for made in requests]}, not {_CALLS}.")
    (stored,) = (made.content for made in requests if made.operation == "PUT")
    if stored != _picture(request.read_bytes()):
        raise BenchmarkError(f"{contender} stores {len(stored):,} bytes that are not the picture.")
    ((status, body),) = answers
    missing = set() if contender in CALLS_ALONE else _CONTRACT_KEYS - json.loads(body).keys()
    if status != _CREATED or missing:
        raise BenchmarkError(f"{contender} answers {status} without {sorted(missing)}.")


def _picture(form: bytes) -> bytes:
    """Return the form's first part, which is the file."""
    delimiter, _, rest = form.partition(b"\r\n")
    return rest.partition(b"\r\n\r\n")[2].partition(b"\r\n" + delimiter)[0]


def _lambda(module: str) -> Callable[[Path], Call]:
    handler = importlib.import_module(module).lambda_handler
    context = SimpleNamespace(
        aws_request_id="c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
        function_name="bench",
        memory_limit_in_mb=1024,
        invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:bench",
        get_remaining_time_in_millis=lambda: 28_000,
    )

    def prepare_call(request: Path) -> Call:
        event = json.loads(request.with_suffix(".json").read_text())

        def call() -> Answer:
            response = handler(event, context)
            return response["statusCode"], response["body"]

        return call

    return prepare_call


def _asgi(module: str) -> Callable[[Path], Call]:
    application = importlib.import_module(module).app
    loop = asyncio.new_event_loop()

    def prepare_call(request: Path) -> Call:
        event, body = _read(request)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": event["httpMethod"],
            "scheme": "https",
            "path": event["path"],
            "raw_path": event["path"].encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in _headers(event, body)],
            "client": ("127.0.0.1", 40_000),
            "server": ("127.0.0.1", 443),
            "user": _user(event),
        }

        async def call() -> Answer:
            sent: list[dict[str, Any]] = []
            starts = iter(range(0, len(body), _CHUNK_BYTES))

            async def receive() -> dict[str, Any]:
                start = next(starts)
                chunk = body[start : start + _CHUNK_BYTES]
                return {
                    "type": "http.request",
                    "body": chunk,
                    "more_body": start + _CHUNK_BYTES < len(body),
                }

            async def send(message: dict[str, Any]) -> None:
                sent.append(message)

            await application({**scope}, receive, send)
            return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)

        return lambda: loop.run_until_complete(call())

    return prepare_call


def _wsgi(module: str) -> Callable[[Path], Call]:
    application = importlib.import_module(module).application

    def prepare_call(request: Path) -> Call:
        event, body = _read(request)
        environ = {
            "REQUEST_METHOD": event["httpMethod"],
            "SCRIPT_NAME": "",
            "PATH_INFO": event["path"],
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_TYPE": event["headers"]["Content-Type"],
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_HOST": event["headers"]["Host"],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https",
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            "given_user": {**_user(event), "role": "staff"},
        }

        def call() -> Answer:
            statuses = []

            def start_response(status: str, *_: object) -> None:
                statuses.append(int(status.partition(" ")[0]))

            response = application({**environ, "wsgi.input": io.BytesIO(body)}, start_response)
            content = b"".join(response)
            response.close()
            return statuses[0], content

        return call

    return prepare_call


def _calls_alone(name: str) -> Callable[[Path], Call]:
    store: Callable[[bytes], int] = importlib.import_module("bench.peers.tuned_calls").STORES[name]

    def prepare_call(request: Path) -> Call:
        content = _picture(request.read_bytes())
        return lambda: (store(content), b"")

    return prepare_call


def _read(request: Path) -> tuple[dict[str, Any], bytes]:
    return json.loads(request.with_suffix(".json").read_text()), request.read_bytes()


def _headers(event: dict[str, Any], body: bytes) -> list[tuple[str, str]]:
    return [*event["headers"].items(), ("Content-Length", str(len(body)))]


def _user(event: dict[str, Any]) -> dict[str, Any]:
    authorizer = event["requestContext"]["authorizer"]
    return {
        "id": int(authorizer["user_id"]),
        "username": authorizer["username"],
        "full_name": authorizer["full_name"],
    }


_KINDS: dict[str, Callable[[], Callable[[Path], Call]]] = {
    "ours": lambda: _lambda("handlers.upload_image"),
    "powertools": lambda: _lambda("bench.peers.powertools"),
    "fastapi": lambda: _asgi("bench.peers.fastapi_boto3"),
    "django": lambda: _wsgi("bench.peers.django_rest"),
    **{name: partial(_calls_alone, name) for name in CALLS_ALONE},
}
