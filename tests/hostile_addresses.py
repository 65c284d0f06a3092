# ruff: noqa: RUF001, S104 - letters that look like others are the point; nothing is bound to an address
"""Addresses that must lead nowhere: what people write to reach a service's own machine and network."""

import socket
from ipaddress import IPv6Address

PRIVATE_V4 = (
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255"),
    *("127.0.0.1", "127.0.0.2", "127.1.2.3", "127.255.255.255", "169.254.0.1", "169.254.169.254"),
    *("169.254.169.123", "169.254.169.253", "169.254.170.2", "169.254.170.23", "169.254.100.1"),
    *("172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.8", "192.0.0.170", "192.0.2.1"),
    *("192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255", "198.51.100.1"),
    *("203.0.113.1", "224.0.0.1", "224.0.0.251", "233.252.0.1", "239.255.255.250", "240.0.0.1"),
    *("250.1.2.3", "255.255.255.254", "255.255.255.255"),
)
"""IPv4 addresses that are not public, of each block of IANA's registry; AWS's own services among them."""

PRIVATE_V6 = (
    *("::", "::1", "::2", "fe80::1", "fe80::a9fe:a9fe", "febf::1", "fec0::1", "fc00::1", "fd00::1"),
    *("fd00:ec2::23", "fd00:ec2::254", "ff00::1", "ff02::1", "ff02::fb", "ff0e::1", "100::1", "100:0:0:1::1"),
    *("2001::1", "2001:0:7f00:1:0:0:f5ff:fffe", "2001:2::1", "2001:10::1", "2001:20::1", "2001:30::1"),
    *("2001:db8::1", "2001:db8:ffff::1", "3fff::1", "3fff:fff::1", "5f00::1", "4000::1", "8000::1", "1::1"),
    *("64:ff9b:1::1", "64:ff9b:1:7f00::1", "200::1", "e000::1"),
)
"""IPv6 addresses that are not public."""


def _carriers(inner: str) -> list[str]:
    """Return the IPv6 addresses in which an IPv4 address may hide."""
    number = int.from_bytes(socket.inet_aton(inner))
    return [
        f"::ffff:{number >> 16:x}:{number & 0xFFFF:x}",
        f"::ffff:{inner}",
        f"::{inner}",
        str(IPv6Address(int(IPv6Address("64:ff9b::")) | number)),
        str(IPv6Address(int(IPv6Address("2002::")) | number << 80)),
        # Teredo: the address of the client, with each bit turned.
        str(IPv6Address(int(IPv6Address("2001:0:4136:e378::")) | number ^ 0xFFFFFFFF)),
    ]


CARRIED = [
    each
    for inner in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "0.0.0.0", "172.16.0.1")
    for each in _carriers(inner)
]

PRIVATE = [*PRIVATE_V4, *PRIVATE_V6, *CARRIED]
"""IP addresses that nobody may be led to, as a name server would answer them."""

_SPELLINGS = (
    # Loopback and metadata, as the C library's inet_aton reads them.
    *(
        "127.1",
        "127.0.1",
        "0177.0.0.1",
        "0177.0.0.01",
        "017700000001",
        "0x7f.0.0.1",
        "0x7f000001",
        "0X7F000001",
    ),
    *(
        "2130706433",
        "0x7f.1",
        "127.0x0.0x0.0x1",
        "00127.0.0.1",
        "127.000.000.001",
        "0",
        "0x0",
        "00",
        "127.0.0.1.",
    ),
    *("127.0.0.1..", "127.0.0.0x1", "0x7f.0x00.0x00.0x01", "3232235777", "0xA9FEA9FE", "2852039166", "0x"),
    *("0251.0376.0251.0376", "169.254.43518", "0xa9.0xfe.0xa9.0xfe", "169.0376.0251.254", "1.1.1.1.1"),
    *("256.1.1.1", "4294967296", "127.0.0.08", "99999999999999999999"),
    # The same in other letters, which IDNA turns into ours.
    *("１２７.０.０.１", "127。0。0。1", "127．0．0．1", "①②⑦.⓪.⓪.①", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "１６９.254.169.254"),
    *("localhost", "LOCALHOST", "localhost.", "localhost..", "loc\u00adalhost", "ip6-localhost", "metadata"),
    # No names at all.
    *("", ".", "..", "-a.example", "a-.example", "a..example", "a b.example", "a,b.example", "a%2eexample"),
    *(
        "%6c%6f%63alhost",
        "127.0.0.1%00.example",
        "example.com%",
        "a" * 64 + ".example",
        ".".join(["a" * 60] * 5),
    ),
    *(
        "ex\u2100mple.test",
        "exa\u2047mple.test",
        "\u2488.example.test",
        "stra\u00dfe.example",
        "a\u200db.example",
    ),
    *("b\u00fccher..example", "\u00fc" * 70 + ".example"),
    *("xn--.", "example.c\u043em\uff0f127.0.0.1", "example.com\uff20127.0.0.1", "example.com\uff1a22"),
)
"""Hosts that are no public names of anything."""

_BRACKETS = (
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[fe80::1%25eth0]"),
    *(
        "[fe80::1%eth0]",
        "[::1%25lo]",
        "[2606:4700:4700::1111%251]",
        "[::ffff:0x7f.1]",
        "[127.0.0.1]",
        "[v1.fe]",
    ),
    *("[::1", "::1", "::1]", "[]", "[::1]a", "[[::1]]", "[::1]:80:80", "[::1].example.com"),
)

_USERINFO = (
    *("user@example.com", "user:password@example.com", "@example.com", ":@example.com", "a@b@example.com"),
    *("example.com@127.0.0.1", "example.com:80@127.0.0.1", "127.0.0.1@example.com", "user%40x@example.com"),
)

_PORTS = (
    *(
        "http://example.com:22/",
        "http://example.com:443/",
        "https://example.com:80/",
        "https://example.com:8443/",
    ),
    *(
        "http://example.com:0/",
        "http://example.com:65536/",
        "http://example.com:-1/",
        "http://example.com:8O/",
    ),
    *(
        "http://example.com:80:80/",
        "http://example.com: 80/",
        "http://example.com:9001/",
        "http://example.com:٨٠/",
    ),
    *(
        "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
        "http://localhost:9001/",
        "http://[::1]:9001/",
    ),
    "http://169.254.169.254:80/latest/meta-data/iam/security-credentials/",
    "http://169.254.170.2/v2/credentials/",
)

_SCHEMES = (
    *(
        "ftp://example.com/a.jpg",
        "file:///etc/passwd",
        "file://localhost/proc/self/environ",
        "gopher://127.0.0.1:6379/_",
    ),
    *(
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "dict://127.0.0.1:11211/",
        "jar:http://example.com!/",
    ),
    *(
        "//example.com/a.jpg",
        "/a.jpg",
        "example.com/a.jpg",
        "http:example.com",
        "http:/example.com",
        "http//example.com",
    ),
    *(
        "https:///a.jpg",
        "http://",
        "https://?a",
        "https://#a",
        "url:https://example.com",
        " ",
        "s3://bucket/key",
    ),
    *(
        "http\u017f://example.com/",
        "blob:https://example.com/1",
        "view-source:https://example.com",
        "h\u0442tp://a.example/",
    ),
)

_LETTERS = (
    *(
        "http://example.com\\@127.0.0.1/",
        "http://127.0.0.1\\.example.com/",
        "http:\\\\127.0.0.1\\",
        "https:/\\127.0.0.1",
    ),
    *(
        "http://example.com/\r\nHost: 127.0.0.1",
        "http://example.com\n.127.0.0.1/",
        "http://exa\tmple.com/",
        "http://a.example/\x00",
    ),
    *(
        "http://127.0.0.1\t/",
        "http://example.com/\x7f",
        "http://example.com/\x85",
        "http://a.example/\ud800",
        "\x0bhttp://a.example",
    ),
    "https://example.com/" + "a" * 2_048,
)

ADDRESSES = [
    *(f"http://{host}/a.jpg" for host in (*PRIVATE_V4, *_SPELLINGS, *_BRACKETS, *_USERINFO)),
    *(f"https://[{host}]/a.jpg" for host in (*PRIVATE_V6, *CARRIED)),
    *_PORTS,
    *_SCHEMES,
    *_LETTERS,
]
"""Addresses that are refused before anything is looked up."""
