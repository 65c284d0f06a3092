"""Reads addresses of pictures, and tells which of them a service may open for strangers.

The rules are those against server-side request forgery: a picture is fetched from where everybody could open
it, and from nowhere else. What a name leads to is looked at once more, when it is known (`is_public`).
"""

import re
from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple
from urllib.parse import quote, urljoin

from domain.errors import DomainError

MAX_ADDRESS = 2_048
"""Characters of an address: what all browsers and CDNs take, signed addresses included."""
_PORTS = {"http": 80, "https": 443}
_MAX_HOST = 253
"""Characters of a name without its last dot (RFC 1035, 2.3.4)."""
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\\\ud800-\udfff]")
"""What programs read in different ways: controls, halves of characters, and the slash of Windows."""
_ADDRESS = re.compile(r"([hH][tT][tT][pP][sS]?)://([^/?#]*)([^#]*)(?:#.*)?")
"""Not in any case: that would let in the long s of Unicode."""
_BRACKETED = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::([0-9]*))?")
_NAMED = re.compile(r"([^\[\]:]+)(?::([0-9]*))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""The last part of what a browser, or the system's resolver, reads as an IPv4 address (WHATWG URL, "ends in a
number")."""
_DEVIATIONS = frozenset("\u00df\u03c2\u200c\u200d")
"""What IDNA 2003, that of the standard library, makes other names of than IDNA 2008 (UTS 46, 2.3)."""
_KEPT = "%/?:@!$&'()*+,;=-._~[]|^`{}"
"""What stands in a path or a query as it is; the rest is written as its bytes."""

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_TRANSLATED = IPv6Network("64:ff9b::/96")
"""NAT64: an IPv4 address stands in the last 32 bits (RFC 6052, 2.1)."""
_NEVER_PUBLIC = (
    # Protocol assignments: Teredo, whose addresses name others, ORCHID, which no packet can reach.
    IPv6Network("2001::/23"),
    # 6to4, whose addresses name others (RFC 7526), and its relays.
    IPv6Network("2002::/16"),
    IPv4Network("192.88.99.0/24"),
    # Documentation, newer than what the standard library knows (RFC 9637).
    IPv6Network("3fff::/20"),
)


class AddressRefusedError(DomainError):
    """An address that is not opened; the message says why, and what would be."""

    code = "address_refused"


class WebAddress(NamedTuple):
    """An address that was read: `host` in lower-case ASCII without a last dot, or an IP address.

    `target` is path and query as they stand in a request.
    """

    scheme: str
    host: str
    target: str

    @property
    def port(self) -> int:
        """The port of its scheme, the only one there is."""
        return _PORTS[self.scheme]

    @property
    def url(self) -> str:
        """The address in one spelling."""
        return f"{self.scheme}://{_in_brackets(self.host)}{self.target}"

    @property
    def authority(self) -> str:
        """What stands in the header Host."""
        return _in_brackets(self.host)

    def redirected(self, location: str) -> "WebAddress":
        """Return where a redirect leads to, relative to this address.

        Raises:
            AddressRefusedError: it is no address that is opened.

        """
        return read_address(urljoin(self.url, location))


def read_address(text: str) -> WebAddress:
    """Read an address, and refuse what could lead to anything but a public web server.

    Raises:
        AddressRefusedError: with what is wrong, and what to write.

    """
    text = text.strip(" ")
    if len(text) > MAX_ADDRESS:
        raise AddressRefusedError(f"The address has more than {MAX_ADDRESS:,} characters. Use a shorter one.")
    if _UNSAFE.search(text):
        raise AddressRefusedError(
            "The address holds a control character or a backslash. Write it as a browser shows it."
        )
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise AddressRefusedError("The address must begin with https:// or http://.")
    scheme, authority, rest = match[1].lower(), match[2], match[3]
    host, port = _split(authority)
    if port not in {None, "", str(_PORTS[scheme])}:
        raise AddressRefusedError(
            "The address names a port. Pictures are fetched from port 443 with https and from port 80 with "
            "http, and from no other."
        )
    target = rest if rest.startswith("/") else f"/{rest}"
    return WebAddress(scheme, host, quote(target, safe=_KEPT))


def is_public(address: str) -> bool:
    """Tell whether an IP address is one that everybody can reach, whatever stands in it.

    By IANA's registries of special addresses, as `ipaddress` knows them, and what they leave open.
    """
    try:
        ip: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        if ip.scope_id is not None:
            return False
        inner = _embedded(ip)
        if inner is None and ip not in _GLOBAL_UNICAST:
            return False
        ip = inner or ip
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _NEVER_PUBLIC)


def is_allowed(host: str, allowed: Collection[str]) -> bool:
    """Tell whether a host is among those that are allowed; any is where none is named.

    `*.example.com` names all hosts below `example.com`, and not that one.
    """
    return not allowed or any(
        host.endswith(each[1:]) if each.startswith("*.") else host == each for each in allowed
    )


def _split(authority: str) -> tuple[str, str | None]:
    """Return host and port of an authority."""
    if "@" in authority:
        raise AddressRefusedError(
            "The address holds a user or a password. Give the picture an address that needs neither."
        )
    bracketed = _BRACKETED.fullmatch(authority)
    if bracketed:
        return _public_literal(bracketed[1]), bracketed[2]
    named = _NAMED.fullmatch(authority)
    if named is None:
        raise AddressRefusedError("The address has no host, or one that is not written as hosts are.")
    return _host(named[1]), named[2]


def _host(written: str) -> str:
    host = _in_ascii(written).removesuffix(".")
    *others, last = host.split(".")
    if _NUMBER.fullmatch(last):
        return _public_literal(host)
    if len(host) > _MAX_HOST or not all(map(_LABEL.fullmatch, (*others, last))):
        raise AddressRefusedError("The address has no host, or one that is not written as hosts are.")
    if not others:
        raise AddressRefusedError("The address names its host without a domain. Write the whole name.")
    return host


def _in_ascii(host: str) -> str:
    """Write a host in the letters that the domain name system knows (IDNA)."""
    if host.isascii():
        return host.lower()
    if not _DEVIATIONS.isdisjoint(host):
        raise AddressRefusedError("Write the host of the address as the name system does, with xn--.")
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise AddressRefusedError(
            "The address has no host, or one that is not written as hosts are."
        ) from None


def _public_literal(written: str) -> str:
    """Return an IP address in its one spelling: no octal, hexadecimal or short one, no zone."""
    try:
        address = str(ip_address(written))
    except ValueError:
        raise AddressRefusedError(
            "The host of the address is a number that is no IP address. Write four decimal numbers or a name."
        ) from None
    if not is_public(address):
        raise AddressRefusedError(
            "The address is not public. Pictures are fetched from where everybody can open them."
        )
    return address


def _embedded(ip: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for."""
    if ip in _TRANSLATED:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped


def _in_brackets(host: str) -> str:
    return f"[{host}]" if ":" in host else host
