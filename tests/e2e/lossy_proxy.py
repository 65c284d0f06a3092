"""A way to S3 on which replies get lost."""

import math
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx

ALL = math.inf


@contextmanager
def losing_replies(emulator_url: str, lost: Mapping[str, float]) -> Iterator[str]:
    """Yield the URL of a proxy that passes requests on, but drops the first `lost[method]` replies."""
    left = dict(lost)

    class Proxy(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = httpx.request(
                self.command, f"{emulator_url}{self.path}", headers=dict(self.headers), content=body
            )
            if left.get(self.command, 0) > 0:
                left[self.command] -= 1
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower().startswith(("content-type", "x-amz-", "etag")):
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.content)

        def do_PUT(self) -> None:
            self._pass_on()

        def do_HEAD(self) -> None:
            self._pass_on()

        def do_DELETE(self) -> None:
            self._pass_on()

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{proxy.server_port}"
        finally:
            proxy.shutdown()
