"""A web server on this machine that behaves as servers of pictures do, well and badly, as a path says."""

import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import override
from urllib.parse import parse_qs, urlsplit

from local.sample import sample_jpeg

PICTURE = sample_jpeg(48, 32)


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came."""

    host: str
    target: str
    headers: dict[str, str]
    at: float


@dataclass(slots=True)
class Log:
    """All requests, and how many were under way at once to each host."""

    seen: list[Seen] = field(default_factory=list)
    most_at_once: Counter[str] = field(default_factory=Counter)
    _now: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def noting(self, request: Seen) -> Iterator[int]:
        """Note a request while it runs; yield how often its target was asked for before."""
        with self._lock:
            before = sum(each.target == request.target and each.host == request.host for each in self.seen)
            self.seen.append(request)
            self._now[request.host] += 1
            self.most_at_once[request.host] = max(self.most_at_once[request.host], self._now[request.host])
        try:
            yield before
        finally:
            with self._lock:
                self._now[request.host] -= 1

    def hosts(self) -> set[str]:
        return {each.host for each in self.seen}

    def targets(self) -> list[str]:
        return [each.target for each in self.seen]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "PictureServer"

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        seen = Seen(self.headers["Host"], self.path, dict(self.headers.items()), time.monotonic())
        said = {name: values[-1] for name, values in parse_qs(address.query).items()}
        with self.server.log.noting(seen) as before:
            way = _WAYS[address.path.strip("/").partition("/")[0]]
            # Whoever asked may have gone.
            try:
                way(self, before, said)
            except ConnectionError:
                self.close_connection = True

    def answer(self, status: int = 200, content: bytes = PICTURE, **headers: str) -> None:
        self.send_response(status)
        if "transfer_encoding" not in headers:
            headers = {"content_length": str(len(content)), **headers}
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


type _Way = Callable[[_Handler, int, dict[str, str]], None]


def _slow(handler: _Handler, _before: int, said: dict[str, str]) -> None:
    time.sleep(float(said["seconds"]))
    handler.answer()


def _later(handler: _Handler, before: int, said: dict[str, str]) -> None:
    """Answer as is said the first time, then with the picture."""
    if before:
        handler.answer()
        return
    retry_after = {"retry_after": said["after"]} if "after" in said else {}
    handler.answer(int(said["status"]), b"not now", **retry_after)


def _status(handler: _Handler, _before: int, said: dict[str, str]) -> None:
    handler.answer(int(said["status"]), b"<p>Sorry</p>")


def _redirect(handler: _Handler, _before: int, said: dict[str, str]) -> None:
    handler.answer(int(said.get("status", "302")), b"", location=said["to"])


def _loop(handler: _Handler, before: int, _said: dict[str, str]) -> None:
    handler.answer(302, b"", location=f"/loop/{before}")


def _truncated(handler: _Handler, before: int, said: dict[str, str]) -> None:
    """End before the picture does: the first time, or every time."""
    if before and said.get("always") is None:
        handler.answer()
        return
    handler.answer(200, PICTURE[:200], content_length=str(len(PICTURE)))
    handler.close_connection = True


def _page(handler: _Handler, _before: int, _said: dict[str, str]) -> None:
    handler.answer(200, b"<!doctype html><title>A shop</title>", content_type="image/jpeg")


def _compressed(handler: _Handler, _before: int, _said: dict[str, str]) -> None:
    handler.answer(200, b"\x1f\x8b" + bytes(100), content_encoding="gzip")


def _endless(handler: _Handler, _before: int, said: dict[str, str]) -> None:
    """Send more and more: in chunks, with a length that is a lie, or without any."""
    handler.send_response(200)
    if said["as"] == "chunks":
        handler.send_header("Transfer-Encoding", "chunked")
    elif said["as"] == "lie":
        handler.send_header("Content-Length", "999999999999")
    handler.end_headers()
    handler.close_connection = True
    block = bytes(65_536)
    while True:
        handler.wfile.write(b"10000\r\n" + block + b"\r\n" if said["as"] == "chunks" else block)


def _drip(handler: _Handler, _before: int, said: dict[str, str]) -> None:
    """Send single bytes of a body, or of the headers, each before anybody would give up on it."""
    handler.close_connection = True
    if said["what"] == "body":
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(PICTURE)))
        handler.end_headers()
    handler.flush_headers() if said["what"] == "body" else handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    for number in range(len(PICTURE)):
        handler.wfile.write(PICTURE[number : number + 1] if said["what"] == "body" else b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def _broken(handler: _Handler, _before: int, _said: dict[str, str]) -> None:
    handler.wfile.write(b"this is no HTTP\r\n\r\n")
    handler.close_connection = True


def _unlengthed(handler: _Handler, _before: int, _said: dict[str, str]) -> None:
    """Say the end of the picture by the end of the connection."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(PICTURE)
    handler.close_connection = True


_WAYS: dict[str, _Way] = {
    "picture": lambda handler, _before, _said: handler.answer(),
    "slow": _slow,
    "later": _later,
    "status": _status,
    "redirect": _redirect,
    "loop": _loop,
    "truncated": _truncated,
    "page": _page,
    "compressed": _compressed,
    "endless": _endless,
    "drip": _drip,
    "broken": _broken,
    "unlengthed": _unlengthed,
}


class PictureServer(ThreadingHTTPServer):
    """The server; `log` is what it was asked."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.log = Log()
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of connections that break: half of them are to."""

    @property
    def port(self) -> int:
        port: int = self.server_address[1]
        return port


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[PictureServer]:
    """Run a server as long as it is needed."""
    with PictureServer(tls) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
