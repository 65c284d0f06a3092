"""Opens addresses of the public web with urllib3, and reaches nothing else.

A host's addresses are looked up once, here. Each must be public, and the connection goes to one of those that
were looked at, whatever the name leads to a moment later. urllib3 makes the connection and speaks HTTP; its
redirects, retries, decoders and pools are not used, and it reads no proxy from the environment.
"""

import socket
import ssl
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPException
from threading import Timer
from time import monotonic
from typing import NamedTuple

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from domain.fetching import PictureNotNowError, PictureRefusedError
from domain.public_address import AddressRefusedError, WebAddress, is_allowed, is_public

MAX_SECONDS = 30
"""For all of a fetch: looking the host up, redirects, and the last byte."""
_CONNECT_SECONDS = 5
"""For each address of a host: three times what a connection around the world takes."""
_MAX_REDIRECTS = 5
_CHUNK_BYTES = 262_144
_HEADERS = {
    # Who asks; servers' owners look for it in their logs.
    "User-Agent": "product-images (fetches pictures for a shop's staff)",
    "Accept": "image/avif,image/webp,image/png,image/jpeg,image/gif,image/*;q=0.8",
    "Accept-Encoding": "identity",
    "Connection": "close",
}
"""All that is sent: no cookie, no key, no referrer."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 421, 425, 429, 500, 502, 503, 504})
"""Statuses that say that another try may succeed (RFC 9110, RFC 6585, RFC 8470)."""
_UNKNOWN = frozenset({socket.EAI_NONAME, socket.EAI_NODATA})
_NOT_IN_TIME = "The server took longer than {seconds:g} s to send the image."
_BROKEN = "The connection to the server broke off."


class Endpoint(NamedTuple):
    """Where a connection goes to: an IP address and a port."""

    address: str
    port: int


type LookUp = Callable[[str, int], Sequence[Endpoint]]
"""Returns where a host can be reached at a port; raises `OSError` as `socket.getaddrinfo` does."""


def look_up(host: str, port: int) -> Sequence[Endpoint]:
    """Ask the system, by the whole name: no domain of this machine is tried behind it.

    Raises:
        AddressRefusedError: one of its addresses is not public.
        OSError: it has none, or that cannot be told.

    """
    name = host if _is_literal(host) else f"{host}."
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    endpoints = [Endpoint(str(place[0]), port) for *_, place in found]
    if not all(is_public(each.address) for each in endpoints):
        raise AddressRefusedError(
            "The host of the address is not public. Pictures are fetched from where everybody can open them."
        )
    return endpoints


class Urllib3PictureSource:
    """Fetches one picture at a time, within a size and a time."""

    def __init__(
        self,
        *,
        max_bytes: int,
        allowed_hosts: Collection[str],
        look_up: LookUp = look_up,
        max_seconds: float = MAX_SECONDS,
        trust: str | None = None,
    ) -> None:
        """Trust the roots of the file `trust`, or those of Mozilla."""
        self._max_bytes = max_bytes
        self._allowed_hosts = allowed_hosts
        self._look_up = look_up
        self._max_seconds = max_seconds
        self._tls = ssl.create_default_context(cafile=trust or certifi.where())
        self._threads = ThreadPoolExecutor(1)

    def fetch(self, address: WebAddress, enter: Callable[[str], None]) -> bytes:
        """Follow up to five redirects, each looked at like the first address."""
        ends_at = monotonic() + self._max_seconds
        for _ in range(_MAX_REDIRECTS + 1):
            if not is_allowed(address.host, self._allowed_hosts):
                raise PictureRefusedError(f"Pictures are not fetched from the host {address.host}.")
            enter(address.host)
            found = self._ask(address, ends_at)
            if isinstance(found, bytes):
                return found
            address = found
        raise PictureRefusedError(f"The address leads on more than {_MAX_REDIRECTS} times.")

    def _ask(self, address: WebAddress, ends_at: float) -> bytes | WebAddress:
        """Send one request; return the picture, or where it leads to."""
        connection = self._connect(address, ends_at)
        # Whatever a server does with single bytes, and whenever it sends them.
        timer = Timer(_left(ends_at), _break_off, [connection.sock])
        timer.daemon = True
        timer.start()
        try:
            found = self._converse(connection, address)
        except (OSError, HTTPException, HTTPError) as error:
            if monotonic() >= ends_at:
                raise self._too_slow() from error
            raise PictureNotNowError(_BROKEN) from error
        finally:
            timer.cancel()
            connection.close()
        if monotonic() >= ends_at:
            # What is there may be all that came until it was broken off.
            raise self._too_slow()
        return found

    def _converse(self, connection: HTTPConnection, address: WebAddress) -> bytes | WebAddress:
        connection.request(
            "GET",
            address.target,
            headers={"Host": address.authority, **_HEADERS},
            preload_content=False,
            decode_content=False,
        )
        response = connection.getresponse()
        if response.status in _REDIRECTS and "location" in response.headers:
            return address.redirected(_as_utf_8(response.headers["location"]))
        _check_status(response)
        return self._read(response)

    def _read(self, response: BaseHTTPResponse) -> bytes:
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in {"", "identity"}:
            raise PictureRefusedError(
                "The server sends the image compressed once more, though it was asked not to."
            )
        announced = response.headers.get("content-length", "")
        if announced.isascii() and announced.isdigit() and int(announced) > self._max_bytes:
            raise self._too_large()
        content = bytearray()
        while chunk := response.read(_CHUNK_BYTES):
            content += chunk
            if len(content) > self._max_bytes:
                raise self._too_large()
        return bytes(content)

    def _connect(self, address: WebAddress, ends_at: float) -> HTTPConnection:
        """Connect to one of the addresses of a host, in the order in which the system gives them."""
        endpoints = self._endpoints(address, ends_at)
        for endpoint in endpoints:
            connection = self._connection(address, endpoint, min(_CONNECT_SECONDS, _left(ends_at)))
            try:
                connection.connect()
            except ssl.SSLCertVerificationError as error:
                connection.close()
                raise PictureRefusedError(
                    f"The certificate of the server is not valid: {error.verify_message}. "
                    "Its owner must mend that, or give another address."
                ) from error
            except (OSError, HTTPError) as error:
                connection.close()
                if monotonic() >= ends_at:
                    raise self._too_slow() from error
            else:
                connection.timeout = _left(ends_at)
                connection.sock.settimeout(connection.timeout)
                return connection
        raise PictureNotNowError("The server of the address does not answer.")

    def _connection(self, address: WebAddress, endpoint: Endpoint, seconds: float) -> HTTPConnection:
        if address.scheme == "http":
            return HTTPConnection(endpoint.address, endpoint.port, timeout=seconds)
        return HTTPSConnection(
            endpoint.address,
            endpoint.port,
            timeout=seconds,
            ssl_context=self._tls,
            server_hostname=address.host,
        )

    def _endpoints(self, address: WebAddress, ends_at: float) -> Sequence[Endpoint]:
        # The system's resolver has a patience of its own.
        looked_up = self._threads.submit(self._look_up, address.host, address.port)
        try:
            return looked_up.result(_left(ends_at))
        except TimeoutError as error:
            self._threads = ThreadPoolExecutor(1)
            raise PictureNotNowError("The host of the address cannot be looked up now.") from error
        except (OSError, UnicodeError) as error:
            if isinstance(error, socket.gaierror) and error.errno not in _UNKNOWN:
                raise PictureNotNowError("The host of the address cannot be looked up now.") from error
            raise PictureRefusedError(
                f"There is no host {address.host}. Compare the address with what a browser shows."
            ) from error

    def _too_slow(self) -> PictureNotNowError:
        return PictureNotNowError(_NOT_IN_TIME.format(seconds=self._max_seconds), is_too_slow=True)

    def _too_large(self) -> PictureRefusedError:
        return PictureRefusedError(
            f"The server sends more than {self._max_bytes:,} bytes. Give the address of a smaller image."
        )


def _check_status(response: BaseHTTPResponse) -> None:
    if response.status == HTTPStatus.OK:
        return
    phrase = f" ({HTTPStatus(response.status).phrase})" if response.status in set(HTTPStatus) else ""
    reason = f"The server answered {response.status}{phrase}."
    if response.status in _PASSING:
        raise PictureNotNowError(reason, retry_after=_retry_after(response.headers.get("retry-after")))
    raise PictureRefusedError(f"{reason} Open the address in a private window of a browser, and correct it.")


def _retry_after(written: str | None) -> timedelta | None:
    """Read seconds or a date (RFC 9110, 10.2.3); None if it is neither."""
    text = (written or "").strip()
    if text.isascii() and text.isdigit():
        # More than a day ends the fetch, however much more.
        return timedelta(seconds=min(int(text), 1_000_000))
    try:
        return parsedate_to_datetime(text).astimezone(UTC) - datetime.now(UTC)
    except (ValueError, OverflowError):
        return None


def _break_off(sock: socket.socket) -> None:
    # The one below TLS: TLS's own would leave the reader without the keys.
    with suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _left(ends_at: float) -> float:
    return max(ends_at - monotonic(), 0.001)


def _as_utf_8(header: str) -> str:
    # Headers are read as ISO 8859-1, whatever was sent (RFC 9110, 5.5).
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header


def _is_literal(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()
