"""What is fetched from servers that behave well and badly, and what is never reached."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from adapters.local_picture_server import look_up_of
from adapters.urllib3_picture_source import Endpoint, LookUp, Urllib3PictureSource, look_up
from domain.fetching import HostBusyError, PictureNotNowError, PictureRefusedError
from domain.public_address import AddressRefusedError, WebAddress, is_public, read_address
from tests.builders import NOW
from tests.certificates import Authority
from tests.hostile_addresses import PRIVATE
from tests.picture_server import PICTURE, PictureServer, serving

MAX_BYTES = 100_000


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with serving() as server:
        yield server


def to(server: PictureServer) -> LookUp:
    """Return a name server that leads every host to this server."""
    return lambda _host, _port: [Endpoint("127.0.0.1", server.port)]


def source(
    look_up: LookUp, *allowed: str, max_seconds: float = 10, trust: str | None = None
) -> Urllib3PictureSource:
    return Urllib3PictureSource(
        max_bytes=MAX_BYTES, allowed_hosts=allowed, look_up=look_up, max_seconds=max_seconds, trust=trust
    )


def fetch(server: PictureServer, target: str, max_seconds: float = 10) -> bytes:
    return source(to(server), max_seconds=max_seconds).fetch(
        WebAddress("http", "shop.example", target), nobody
    )


def nobody(_host: str) -> None:
    """Let every host be asked."""


# --- What is had ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        *(
            "/picture",
            "/unlengthed",
            "/slow?seconds=0.2",
            "/redirect?to=/picture",
            "/redirect?status=308&to=picture",
        ),
        "/redirect?to=http://other.example/redirect%3Fto%3Dhttp://third.example/picture",
    ],
)
def test_a_picture_is_fetched_from_where_its_address_leads_to(server: PictureServer, target: str) -> None:
    assert fetch(server, target) == PICTURE


def test_a_request_says_who_asks_and_nothing_else(server: PictureServer) -> None:
    fetch(server, "/picture?signed=%C3%BC")
    [seen] = server.log.seen
    assert (seen.host, seen.target) == ("shop.example", "/picture?signed=%C3%BC")
    assert seen.headers == {
        "Host": "shop.example",
        "User-Agent": "product-images (fetches pictures for a shop's staff)",
        "Accept": "image/avif,image/webp,image/png,image/jpeg,image/gif,image/*;q=0.8",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }


def test_no_proxy_of_the_environment_is_asked(server: PictureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetch(server, "/picture") == PICTURE


def test_each_host_is_entered_before_it_is_asked(server: PictureServer) -> None:
    entered: list[str] = []
    address = WebAddress("http", "shop.example", "/redirect?to=http://other.example/redirect%3Fto%3D/picture")
    source(to(server)).fetch(address, entered.append)
    assert entered == ["shop.example", "other.example", "other.example"]


def test_a_host_that_is_busy_is_not_asked(server: PictureServer) -> None:
    def enter(host: str) -> None:
        if host == "other.example":
            raise HostBusyError(NOW)

    with pytest.raises(HostBusyError):
        source(to(server)).fetch(
            WebAddress("http", "shop.example", "/redirect?to=http://other.example/picture"), enter
        )
    assert server.log.hosts() == {"shop.example"}


# --- What is not had -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("/status?status=404", r"The server answered 404 \(Not Found\)\."),
        ("/status?status=401", r"The server answered 401 \(Unauthorized\)\."),
        ("/status?status=403", r"The server answered 403 \(Forbidden\)\."),
        ("/status?status=410", r"The server answered 410 \(Gone\)\."),
        ("/status?status=204", r"The server answered 204 \(No Content\)\."),
        ("/status?status=599", r"The server answered 599\."),
        ("/status?status=302", r"The server answered 302 \(Found\)\."),
        ("/compressed", r"sends the image compressed"),
        ("/endless?as=chunks", r"sends more than 100,000 bytes"),
        ("/endless?as=lie", r"sends more than 100,000 bytes"),
        ("/endless?as=nothing", r"sends more than 100,000 bytes"),
        ("/loop", r"leads on more than 5 times"),
    ],
)
def test_what_will_not_change_is_refused_with_its_cause(
    server: PictureServer, target: str, sentence: str
) -> None:
    with pytest.raises(PictureRefusedError, match=sentence):
        fetch(server, target)


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        *((f"/status?status={status}", rf"answered {status}") for status in (408, 429, 500, 502, 503, 504)),
        ("/truncated", "broke off"),
        ("/broken", "broke off"),
    ],
)
def test_what_may_pass_is_to_be_tried_again(server: PictureServer, target: str, sentence: str) -> None:
    with pytest.raises(PictureNotNowError, match=sentence) as caught:
        fetch(server, target)
    assert (caught.value.retry_after, caught.value.is_too_slow) == (None, False)


@pytest.mark.parametrize(
    "target", ["/drip?what=body", "/drip?what=head", "/slow?seconds=3", "/redirect?to=/drip%3Fwhat%3Dbody"]
)
def test_a_server_gets_its_time_in_all_however_it_sends_its_bytes(server: PictureServer, target: str) -> None:
    with pytest.raises(PictureNotNowError, match=r"longer than 0\.5 s") as caught:
        fetch(server, target, max_seconds=0.5)
    assert caught.value.is_too_slow


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("120", 120), ("%200%20", 0), ("9" * 30, 1_000_000), ("soon", None), ("-1", None), ("%C2%B2", None)],
)
def test_how_long_a_server_asks_to_wait_is_read(
    server: PictureServer, written: str, seconds: int | None
) -> None:
    with pytest.raises(PictureNotNowError) as caught:
        fetch(server, f"/later?status=503&after={written}")
    assert caught.value.retry_after == (None if seconds is None else timedelta(seconds=seconds))


def test_a_server_may_ask_to_wait_until_a_moment(server: PictureServer) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    with pytest.raises(PictureNotNowError) as caught:
        fetch(server, f"/later?status=429&after={quote(moment)}")
    assert caught.value.retry_after is not None
    assert timedelta(minutes=59) < caught.value.retry_after <= timedelta(hours=1)


def test_a_server_that_is_not_there_is_to_be_tried_again() -> None:
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        nowhere = [Endpoint("127.0.0.1", held.getsockname()[1])]
        with pytest.raises(PictureNotNowError, match="does not answer"):
            source(lambda _host, _port: nowhere).fetch(read_address("http://shop.example/"), nobody)


def test_of_several_addresses_of_a_host_the_first_that_answers_is_asked(server: PictureServer) -> None:
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        several = [Endpoint("127.0.0.1", held.getsockname()[1]), Endpoint("127.0.0.1", server.port)]
        address = WebAddress("http", "shop.example", "/picture")
        assert source(lambda _host, _port: several).fetch(address, nobody) == PICTURE


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (socket.EAI_NONAME, PictureRefusedError),
        (socket.EAI_NODATA, PictureRefusedError),
        (socket.EAI_AGAIN, PictureNotNowError),
        (socket.EAI_FAIL, PictureNotNowError),
    ],
)
def test_a_host_that_nobody_knows_is_told_from_a_name_server_that_fails(
    number: int, error: type[Exception]
) -> None:
    def fail(_host: str, _port: int) -> Sequence[Endpoint]:
        raise socket.gaierror(number, "made by a test")

    with pytest.raises(error, match="host"):
        source(fail).fetch(read_address("http://shop.example/"), nobody)


def test_a_name_server_that_does_not_answer_takes_no_more_than_the_time_there_is() -> None:
    end = threading.Event()

    def wait(_host: str, _port: int) -> Sequence[Endpoint]:
        end.wait()
        return []

    asked = source(wait, max_seconds=0.2)
    for _ in range(2):
        with pytest.raises(PictureNotNowError, match="cannot be looked up now"):
            asked.fetch(read_address("http://shop.example/"), nobody)
    end.set()


# --- TLS -----------------------------------------------------------------------------------------------


def fetch_with_tls(
    folder: Path, host: str, *, of: str = "shop.example", days: int = 1, is_trusted: bool = True
) -> tuple[bytes, PictureServer]:
    authority = Authority(folder)
    with serving(authority.context(of, days)) as server:
        trust = str(authority.root) if is_trusted else None
        found = source(to(server), trust=trust).fetch(WebAddress("https", host, "/picture"), nobody)
    return found, server


def test_tls_asks_for_the_host_by_its_name_and_holds_the_certificate_to_it(tmp_path: Path) -> None:
    found, server = fetch_with_tls(tmp_path, "shop.example")
    assert (found, server.log.hosts()) == (PICTURE, {"shop.example"})


@pytest.mark.parametrize(
    ("host", "settings", "sentence"),
    [
        ("other.example", {}, "Hostname mismatch"),
        ("shop.example", {"days": -1}, "certificate has expired"),
        ("shop.example", {"is_trusted": False}, "unable to get local issuer certificate"),
    ],
)
def test_a_certificate_that_is_wrong_is_refused_with_its_fault(
    tmp_path: Path, host: str, settings: dict[str, int], sentence: str
) -> None:
    with pytest.raises(PictureRefusedError, match=f"certificate of the server is not valid: .*{sentence}"):
        fetch_with_tls(tmp_path, host, **settings)  # type: ignore[arg-type]


def test_tls_with_a_server_that_speaks_none_is_to_be_tried_again(server: PictureServer) -> None:
    with pytest.raises(PictureNotNowError, match="does not answer"):
        source(to(server)).fetch(WebAddress("https", "shop.example", "/picture"), nobody)


def test_a_server_that_drips_its_greeting_gets_its_time_in_all(tmp_path: Path) -> None:
    trust = str(Authority(tmp_path).root)
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        nowhere = [Endpoint("127.0.0.1", silent.getsockname()[1])]
        asked = source(lambda _host, _port: nowhere, max_seconds=0.3, trust=trust)
        with pytest.raises(PictureNotNowError, match=r"longer than 0\.3 s"):
            asked.fetch(read_address("https://shop.example/"), nobody)


# --- What is never reached -----------------------------------------------------------------------------


def answering(monkeypatch: pytest.MonkeyPatch, *answers: Sequence[str]) -> list[str]:
    """Let the system's resolver give these answers, one after the other; return what it is asked."""
    asked: list[str] = []
    rest = iter(answers)

    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *options: Any, **named: Any) -> Any:  # noqa: ANN401 - as the real one
        if is_public(host) or host == "127.0.0.1":
            return real(host, port, *options, **named)
        asked.append(host)
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in next(rest)
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What anything tries to connect to, none of which it reaches."""
    tried: list[object] = []

    def create_connection(address: object, *_more: object, **_options: object) -> socket.socket:
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("urllib3.util.connection.create_connection", create_connection)
    return tried


@pytest.fixture(scope="module")
def of_the_system() -> Urllib3PictureSource:
    """A source that asks the system's name server; to load what it trusts takes longer than a test."""
    return source(look_up)


@pytest.mark.parametrize("private", PRIVATE)
def test_a_host_whose_name_leads_to_what_is_not_public_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch,
    connected: list[object],
    of_the_system: Urllib3PictureSource,
    private: str,
) -> None:
    for answer in ([private], ["1.1.1.1", private], [private, "1.1.1.1"]):
        answering(monkeypatch, answer)
        with pytest.raises(AddressRefusedError, match="host of the address is not public"):
            of_the_system.fetch(read_address("http://shop.example/"), nobody)
    assert connected == []


def test_the_connection_goes_to_the_address_that_was_looked_at_whatever_the_name_says_next(
    monkeypatch: pytest.MonkeyPatch, connected: list[object]
) -> None:
    asked = answering(monkeypatch, ["1.1.1.1", "2606:4700:4700::1111"], ["127.0.0.1"], ["169.254.169.254"])
    with pytest.raises(PictureNotNowError):
        source(look_up).fetch(read_address("http://shop.example/"), nobody)
    assert connected == [("1.1.1.1", 80), ("2606:4700:4700::1111", 80)]
    # By its whole name, so that no domain of this machine is tried behind it.
    assert asked == ["shop.example."]


def test_a_name_that_changes_its_answer_is_looked_at_again_at_each_redirect(
    monkeypatch: pytest.MonkeyPatch, server: PictureServer
) -> None:
    answers = iter([[Endpoint("127.0.0.1", server.port)], None])

    def change(host: str, port: int) -> Sequence[Endpoint]:
        answering(monkeypatch, ["127.0.0.1"])
        return next(answers) or look_up(host, port)

    with pytest.raises(AddressRefusedError, match="not public"):
        source(change).fetch(WebAddress("http", "shop.example", "/redirect?to=/picture"), nobody)
    assert server.log.targets() == ["/redirect?to=/picture"]


@pytest.mark.parametrize(
    "location",
    [
        *("http://127.0.0.1/", "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next", "http://[::1]/"),
        *(
            "http://169.254.169.254/latest/meta-data/",
            "//localhost/",
            "http://0x7f000001/",
            "file:///etc/passwd",
        ),
        *("http://user:password@shop.example/", "http://shop.example:8080/", "ftp://shop.example/a.jpg"),
    ],
)
def test_no_redirect_leads_to_what_is_not_public(server: PictureServer, location: str) -> None:
    with pytest.raises(AddressRefusedError):
        fetch(server, f"/redirect?to={location}")
    assert len(server.log.seen) == 1


def test_a_redirect_in_other_letters_leads_to_their_bytes(server: PictureServer) -> None:
    assert fetch(server, "/redirect?to=/picture/%C3%BC") == PICTURE
    assert server.log.targets()[-1] == "/picture/%C3%BC"


def test_hosts_that_are_not_allowed_are_reached_by_no_redirect_either(server: PictureServer) -> None:
    asked = source(to(server), "shop.example")
    target = "/redirect?to=http://other.example/picture"
    with pytest.raises(PictureRefusedError, match=r"not fetched from the host other\.example"):
        asked.fetch(WebAddress("http", "shop.example", target), nobody)
    assert server.log.hosts() == {"shop.example"}


def test_what_stands_for_itself_is_looked_at_too(connected: list[object]) -> None:
    for host in ("127.0.0.1", "::1"):
        with pytest.raises(AddressRefusedError):
            source(look_up).fetch(WebAddress("http", host, "/"), nobody)
    assert connected == []


# --- The server of the local system --------------------------------------------------------------------


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"FETCH_LOCAL_SERVER": "1234"},
        {"FETCH_LOCAL_SERVER": "1234", "AWS_ENDPOINT_URL": "https://s3.eu-central-1.amazonaws.com"},
        {"FETCH_LOCAL_SERVER": "1234", "AWS_ENDPOINT_URL": "http://127.0.0.1.example.com:4566"},
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"},
    ],
)
def test_no_setting_but_that_of_the_local_system_lets_a_server_of_this_machine_be_reached(
    environment: dict[str, str],
) -> None:
    assert look_up_of(environment) is look_up


def test_on_the_local_system_hosts_that_nobody_knows_are_a_server_of_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = look_up_of({"FETCH_LOCAL_SERVER": "1234", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"})
    assert found("shop.test", 80) == [Endpoint("127.0.0.1", 1234)]
    answering(monkeypatch, ["127.0.0.1"])
    with pytest.raises(AddressRefusedError):
        found("shop.test.example", 80)
    assert not is_public("127.0.0.1")
