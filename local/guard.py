"""Refuses what a page of somewhere else could send: a browser runs it on the machine of the local system.

The standard library alone is used: the emulator is guarded too, and has an environment of its own.
"""

import hmac
import re
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import unquote

type Scope = MutableMapping[str, Any]
type Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
type Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
type App = Callable[[Scope, Receive, Send], Awaitable[None]]

FRONT_SECRET = "x-local-front"  # noqa: S105 - the name of a header
"""By which the emulator knows the front, that passes on what pages may send; nobody behind it sees it."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_POLICY_VIOLATION = 1008
"""Why a WebSocket is closed (RFC 6455, 7.4.1)."""
_READING = frozenset({"GET", "HEAD"})
_PICTURES = re.compile(r"/product-images-local-[0-9]{12}-[a-z0-9-]+/?")
"""The bucket that the template names by stack, account and region. Another one holds the functions' code."""
_CDN = re.compile(r"[a-z0-9]+\.cloudfront\.net")
"""Hosts that only clients which are no browsers can send here: nobody else's name server speaks for them."""
_PUBLIC = ("/media/", "/staff", "/api/storefront/", "/api/docs", "/api/openapi.json")
"""What the CDN shows to anybody."""


class Asked(NamedTuple):
    """What decides about a request: the path as it was sent, headers with lower-case names."""

    method: str
    path: str
    query: str
    headers: dict[str, str]

    @classmethod
    def from_scope(cls, scope: Scope) -> "Asked":
        """Read the scope of an ASGI application; of headers that came twice the values are joined."""
        headers: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1").strip()
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
        return cls(scope.get("method", ""), path, query, headers)

    @property
    def host(self) -> str:
        """The host that the client means, in lower case, without the port."""
        return re.sub(r":\d+$", "", self.headers.get("host", "localhost").lower())

    @property
    def is_of_a_page_elsewhere(self) -> bool:
        """Whether a browser says that a page of another origin sends it (W3C, Fetch Metadata)."""
        return self.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}

    @property
    def has_dot_segments(self) -> bool:
        """Whether somebody on the way might take the path for another one, decoded however often."""
        path, before = self.path, ""
        while path != before:
            path, before = unquote(path), path
        return any(segment in {".", ".."} for segment in re.split(r"[/\\]", path))


def refusal_of_front(asked: Asked, *, hosts: Collection[str], allowed_origins: Collection[str]) -> str | None:
    """Return why the front does not answer, in a sentence; None if it does.

    A page elsewhere may show pictures, lead to the documentation, and do what its origin is allowed to. What
    says nothing of its site comes from no browser of today: to its `Origin` the API answers as on AWS.
    """
    if asked.host not in _LOOPBACK and asked.host not in hosts:
        return f"The local system answers for {', '.join(sorted({'localhost', *hosts}))} alone."
    may_come = (
        (asked.method in _READING and asked.path.startswith(_PUBLIC))
        or "*" in allowed_origins
        or asked.headers.get("origin") in allowed_origins
    )
    if asked.is_of_a_page_elsewhere and not may_come:
        return (
            "A page of another origin may not use the local system. Name its origin to let it in: "
            "make local ALLOWED_ORIGINS=..."
        )
    return None


def refusal_of_emulator(asked: Asked) -> str | None:
    """Return why the emulator does not answer, in a sentence; None if it does.

    SDKs name no origin. All that a page may do is to send a form to the bucket of the pictures, and to ask
    whether it may.
    """
    if asked.host not in _LOOPBACK and not _CDN.fullmatch(asked.host):
        return "The emulator answers for 127.0.0.1 and localhost alone."
    is_of_a_page = "origin" in asked.headers or asked.headers.get("sec-fetch-site", "none") != "none"
    if is_of_a_page and not _is_form_for_a_picture(asked):
        return "The emulator takes nothing from pages but forms for the bucket of the pictures."
    return None


def _is_form_for_a_picture(asked: Asked) -> bool:
    if asked.query or not _PICTURES.fullmatch(asked.path):
        return False
    if asked.method == "OPTIONS":
        return asked.headers.get("access-control-request-method") == "POST"
    # What a form cannot have would make another request of it.
    is_form = asked.headers.get("content-type", "").startswith("multipart/form-data;")
    return asked.method == "POST" and is_form and not {"authorization", "x-amz-target"} & asked.headers.keys()


class Guard:
    """An ASGI application in front of another one, that passes on what is not refused."""

    def __init__(
        self, app: App, refusal: Callable[[Asked], str | None], front_secret: str | None = None
    ) -> None:
        """Ask `refusal` about each request but those that bear `front_secret`."""
        self._app = app
        self._refusal = refusal
        self._front_secret = front_secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or have it answered."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        reason = self._reason(scope)
        if reason is None:
            await self._app(_without_secret(scope), receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        else:
            await _refuse(send, reason)

    def _reason(self, scope: Scope) -> str | None:
        asked = Asked.from_scope(scope)
        if scope["type"] == "websocket":
            return "Nothing here speaks WebSocket."
        if asked.has_dot_segments:
            return "The path has segments of dots. Send the path that is meant."
        return None if self._is_from_front(asked) else self._refusal(asked)

    def _is_from_front(self, asked: Asked) -> bool:
        if self._front_secret is None:
            return False
        return hmac.compare_digest(asked.headers.get(FRONT_SECRET, "").encode(), self._front_secret.encode())


def _without_secret(scope: Scope) -> Scope:
    headers = [(name, value) for name, value in scope["headers"] if name.lower() != FRONT_SECRET.encode()]
    return {**scope, "headers": headers}


async def _refuse(send: Send, reason: str) -> None:
    body = f"{reason}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": HTTPStatus.FORBIDDEN.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})
