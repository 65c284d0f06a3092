import pytest

from domain.public_address import AddressRefusedError, WebAddress, is_allowed, is_public, read_address
from tests.hostile_addresses import ADDRESSES, PRIVATE

PUBLIC = [
    *("1.1.1.1", "8.8.8.8", "52.95.110.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1"),
    *("2606:4700:4700::1111", "2a00:1450:4001:80b::200e", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8", "2400::1"),
]


def test_the_table_has_more_than_two_hundred_hostile_addresses_none_twice() -> None:
    assert len(set(ADDRESSES)) == len(ADDRESSES) > 200


@pytest.mark.parametrize("address", ADDRESSES, ids=ascii)
def test_a_hostile_address_is_refused_with_a_sentence_before_anything_is_looked_up(address: str) -> None:
    with pytest.raises(AddressRefusedError, match=r"^[A-Z].+\.$"):
        read_address(address)


@pytest.mark.parametrize("address", [*PRIVATE, "example.com", "", "fe80::1%eth0", "1.1.1.1%1", "2400::1%1"])
def test_an_ip_address_that_not_everybody_can_reach_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_ip_address_that_everybody_can_reach_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://cdn.example.com/a.jpg", ("https", "cdn.example.com", "/a.jpg")),
        ("HTTP://CDN.Example.COM:80", ("http", "cdn.example.com", "/")),
        ("https://example.com.:443/a", ("https", "example.com", "/a")),
        ("https://example.com?a=b#part", ("https", "example.com", "/?a=b")),
        ("  https://example.com/a b.jpg ", ("https", "example.com", "/a%20b.jpg")),
        ("https://example.com/ü.jpg?q=\u00e9&s=%2F", ("https", "example.com", "/%C3%BC.jpg?q=%C3%A9&s=%2F")),
        ("https://bücher.example/", ("https", "xn--bcher-kva.example", "/")),
        ("https://xn--strae-oqa.example/", ("https", "xn--strae-oqa.example", "/")),
        ("https://a_b.example.com:/x@y:z", ("https", "a_b.example.com", "/x@y:z")),
        ("http://1.1.1.1/a", ("http", "1.1.1.1", "/a")),
        ("http://[2606:4700:4700:0::1111]:80/a", ("http", "2606:4700:4700::1111", "/a")),
    ],
)
def test_an_address_of_a_public_host_is_read_into_one_spelling(
    text: str, address: tuple[str, str, str]
) -> None:
    assert read_address(text) == address


def test_an_address_says_what_a_request_needs() -> None:
    address = read_address("http://[2606:4700:4700::1111]/a?b")
    assert (address.port, address.authority) == (80, "[2606:4700:4700::1111]")
    assert address.url == "http://[2606:4700:4700::1111]/a?b"
    assert WebAddress("https", "example.com", "/").port == 443


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b.jpg", "https://example.com/b.jpg"),
        ("b.jpg?c", "https://example.com/a/b.jpg?c"),
        ("../b.jpg", "https://example.com/b.jpg"),
        ("//cdn.example.com/b", "https://cdn.example.com/b"),
        ("http://other.example/b", "http://other.example/b"),
        ("", "https://example.com/a/a.jpg"),
    ],
)
def test_a_redirect_leads_where_a_browser_would_go(location: str, url: str) -> None:
    assert read_address("https://example.com/a/a.jpg").redirected(location).url == url


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/",
        "//169.254.169.254/",
        "https://user@example.com/",
        "http://example.com:22/",
        "ftp://a.b/",
    ],
)
def test_a_redirect_is_looked_at_like_the_first_address(location: str) -> None:
    with pytest.raises(AddressRefusedError):
        read_address("https://example.com/a.jpg").redirected(location)


@pytest.mark.parametrize(
    ("host", "allowed", "expected"),
    [
        ("example.com", (), True),
        ("example.com", ("example.com",), True),
        ("cdn.example.com", ("example.com",), False),
        ("cdn.example.com", ("*.example.com",), True),
        ("a.b.example.com", ("other.example", "*.example.com"), True),
        ("example.com", ("*.example.com",), False),
        ("notexample.com", ("*.example.com",), False),
        ("example.com.evil.example", ("example.com", "*.example.com"), False),
    ],
)
def test_hosts_that_are_named_narrow_what_is_reached(
    host: str, allowed: tuple[str, ...], expected: bool
) -> None:
    assert is_allowed(host, allowed) is expected
