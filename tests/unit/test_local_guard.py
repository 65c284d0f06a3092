"""What front and emulator of the local system refuse, of what a page of somewhere else can send."""

import asyncio
from collections.abc import Mapping, MutableMapping
from functools import partial
from typing import Any

import pytest

from local.deployment import CODE_BUCKET
from local.guard import (
    FRONT_SECRET,
    Asked,
    Guard,
    Receive,
    Scope,
    Send,
    refusal_of_emulator,
    refusal_of_front,
)

SHOP, EVIL = "https://shop.example", "https://evil.example"
FORM = {"content-type": "multipart/form-data; boundary=b", "origin": EVIL, "sec-fetch-site": "cross-site"}
front = partial(refusal_of_front, hosts=["shop.test"], allowed_origins=[SHOP])


def asked(method: str, path: str, headers: Mapping[str, str], query: str = "") -> Asked:
    return Asked(method, path, query, dict(headers))


# --- Hosts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["localhost:8000", "LOCALHOST", "127.0.0.1:1", "[::1]:8000", "shop.test:8000"]
)
def test_the_front_answers_for_its_own_hosts(host: str) -> None:
    assert front(asked("GET", "/api/products/1/images", {"host": host})) is None


# A page whose name is made to mean 127.0.0.1 (DNS rebinding) has its own origin there.
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil"]
)
def test_a_name_that_leads_here_and_is_not_ours_is_refused(host: str) -> None:
    assert "localhost, shop.test alone" in str(front(asked("GET", "/media/1", {"host": host})))
    assert "127.0.0.1 and localhost alone" in str(refusal_of_emulator(asked("GET", "/", {"host": host})))


@pytest.mark.parametrize("host", ["127.0.0.1:4566", "localhost:4566", "d111111abcdef8.cloudfront.net"])
def test_the_emulator_answers_for_itself_and_for_the_cdn(host: str) -> None:
    assert refusal_of_emulator(asked("GET", "/media/1/2.jpg", {"host": host})) is None


def test_a_second_host_does_not_hide_the_first() -> None:
    scope = a_scope("GET", "/", [(b"host", b"evil.example"), (b"Host", b"localhost")])
    assert front(Asked.from_scope(scope)) is not None


# --- Pages of other origins -----------------------------------------------------------------------------


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("origin", [{"origin": EVIL}, {"origin": "null"}, {}])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "DELETE"])
def test_no_page_elsewhere_may_use_the_api(site: str, origin: dict[str, str], method: str) -> None:
    reason = front(asked(method, "/api/products/1/images", {"sec-fetch-site": site, **origin}))
    assert "make local ALLOWED_ORIGINS=..." in str(reason)


@pytest.mark.parametrize("allowed", [[SHOP], ["*"]])
def test_a_page_whose_origin_is_allowed_may_use_it(allowed: list[str]) -> None:
    call = asked("POST", "/api/products/1/images", {"sec-fetch-site": "cross-site", "origin": SHOP})
    assert refusal_of_front(call, hosts=[], allowed_origins=allowed) is None


@pytest.mark.parametrize(
    "path", ["/media/1/2.jpg", "/api/storefront/primary-images", "/api/docs", "/api/openapi.json"]
)
def test_any_page_may_show_what_the_cdn_shows_to_anybody(path: str) -> None:
    headers = {"sec-fetch-site": "cross-site", "origin": EVIL}
    assert front(asked("GET", path, headers)) is None
    assert front(asked("POST", path, headers)) is not None


@pytest.mark.parametrize(
    "headers", [{}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}, {"origin": EVIL}]
)
def test_who_is_no_page_elsewhere_hears_what_the_api_says(headers: dict[str, str]) -> None:
    assert front(asked("POST", "/api/products/1/images", headers)) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": EVIL},
        {"origin": "null"},
        {"origin": "http://localhost:8000"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "same-origin"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
def test_no_page_may_call_the_emulator(method: str, headers: dict[str, str]) -> None:
    path = "/2015-03-31/functions"
    assert refusal_of_emulator(asked(method, path, headers)) is not None
    assert refusal_of_emulator(asked(method, "/_ministack/reset", headers)) is not None
    assert refusal_of_emulator(asked(method, "/", headers)) is not None


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "AWS4-HMAC-SHA256 ..."}, {"sec-fetch-site": "none"}]
)
def test_sdks_may_call_the_emulator(headers: dict[str, str]) -> None:
    assert refusal_of_emulator(asked("POST", "/", headers)) is None


BUCKET = "/product-images-local-000000000000-eu-central-1"


def test_a_page_may_send_a_form_to_the_bucket_of_the_pictures_and_ask_whether_it_may() -> None:
    assert refusal_of_emulator(asked("POST", f"{BUCKET}", FORM)) is None
    assert refusal_of_emulator(asked("POST", f"{BUCKET}/", FORM)) is None
    question = {"origin": EVIL, "access-control-request-method": "POST"}
    assert refusal_of_emulator(asked("OPTIONS", f"{BUCKET}", question)) is None


@pytest.mark.parametrize(
    "call",
    [
        asked("POST", f"{BUCKET}/key", FORM),
        asked("POST", "/", FORM),
        asked("POST", f"/{CODE_BUCKET}", FORM),
        asked("POST", "/tasks", FORM),
        asked("POST", "/_ministack/reset", FORM),
        asked("POST", f"{BUCKET}", FORM, query="X-Amz-Credential=test/20260101/eu-central-1/lambda/x"),
        asked("POST", f"{BUCKET}", {**FORM, "authorization": "AWS4-HMAC-SHA256 ..."}),
        asked("POST", f"{BUCKET}", {**FORM, "x-amz-target": "DynamoDB_20120810.Scan"}),
        asked("POST", f"{BUCKET}", {**FORM, "content-type": "application/x-www-form-urlencoded"}),
        asked("PUT", f"{BUCKET}", FORM),
        asked("OPTIONS", f"{BUCKET}", {"origin": EVIL, "access-control-request-method": "PUT"}),
    ],
)
def test_what_is_no_form_for_a_picture_is_refused(call: Asked) -> None:
    assert (
        refusal_of_emulator(call)
        == "The emulator takes nothing from pages but forms for the bucket of the pictures."
    )


# --- The guard itself -----------------------------------------------------------------------------------

SECRET = "known to the front"  # noqa: S105 - of this test alone


def a_scope(method: str, path: str, headers: list[tuple[bytes, bytes]], kind: str = "http") -> Scope:
    return {
        "type": kind,
        "method": method,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
    }


def guarded(scope: Scope) -> tuple[list[Scope], list[MutableMapping[str, Any]]]:
    """Return what reached the application behind the guard, and what was sent."""
    reached, sent = list[Scope](), list[MutableMapping[str, Any]]()

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        reached.append(scope)

    async def receive() -> MutableMapping[str, Any]:
        return {"type": f"{scope['type']}.connect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    asyncio.run(Guard(app, refusal_of_emulator, SECRET)(scope, receive, send))
    return reached, sent


def test_what_is_refused_reaches_nothing_and_is_answered_with_the_reason() -> None:
    reached, [start, rest] = guarded(a_scope("POST", "/", [(b"Origin", EVIL.encode())]))
    assert reached == []
    assert start["status"] == 403
    assert (
        rest["body"] == b"The emulator takes nothing from pages but forms for the bucket of the pictures.\n"
    )
    assert dict(start["headers"])[b"content-length"] == b"80"
    assert not [name for name, _ in start["headers"] if name.startswith(b"access-control")]


def test_what_the_front_passes_on_goes_through_and_nobody_behind_sees_how_it_is_known() -> None:
    page = (b"origin", EVIL.encode())
    passed = a_scope("POST", "/restapis/1", [page, (FRONT_SECRET.title().encode(), SECRET.encode())])
    [reached], sent = guarded(passed)
    assert (reached["headers"], sent) == ([page], [])


@pytest.mark.parametrize("guess", [b"", b"another", "ü".encode()])
def test_a_guess_at_it_does_not(guess: bytes) -> None:
    reached, _ = guarded(a_scope("POST", "/", [(b"origin", b"null"), (FRONT_SECRET.encode(), guess)]))
    assert reached == []


@pytest.mark.parametrize(
    "path",
    [
        "/api/../../_ministack/reset",
        "/api/%2e%2e/x",
        "/api/%2E./x",
        "/api/.%2e",
        "/api/./x",
        "/media/%252e%252e/x",
        "/api\\..\\x",
        "/api/%5c%2e%2e%5cx",
        "/api/..%2fx",
        "/..",
    ],
)
@pytest.mark.parametrize("secret", [SECRET, ""])
def test_segments_of_dots_are_refused_whoever_sends_them_and_however_they_are_written(
    path: str, secret: str
) -> None:
    reached, [start, _] = guarded(a_scope("POST", path, [(FRONT_SECRET.encode(), secret.encode())]))
    assert (reached, start["status"]) == ([], 403)


@pytest.mark.parametrize("path", ["/media/1/2.jpg", "/api/...", "/api/.hidden", "/api/a..b", "/api/%zz"])
def test_other_dots_are_not(path: str) -> None:
    reached, _ = guarded(a_scope("GET", path, []))
    assert len(reached) == 1


def test_nobody_gets_a_web_socket_and_the_server_starts_and_ends_undisturbed() -> None:
    reached, sent = guarded(a_scope("GET", "/", [], "websocket"))
    assert (reached, sent) == ([], [{"type": "websocket.close", "code": 1008}])
    reached, _ = guarded({"type": "lifespan"})
    assert reached == [{"type": "lifespan"}]
