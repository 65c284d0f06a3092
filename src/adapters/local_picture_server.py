"""Lets the local system fetch pictures from a server on its own machine, for tests; on AWS there is none."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from adapters.urllib3_picture_source import Endpoint, LookUp, look_up

_SERVER = "FETCH_LOCAL_SERVER"
"""Port of the server; a variable that template.yaml does not have."""
_RESERVED = ".test"
"""Hosts that no name server knows (RFC 6761, 6.2)."""
_LOOPBACK = "127.0.0.1"


def look_up_of(environment: Mapping[str, str]) -> LookUp:
    """Return how hosts are looked up: as the system does, but for those below `.test` on the local system.

    That is known by where AWS is, the emulator: where that is another machine, the variable is nothing.
    """
    port = environment.get(_SERVER, "")
    aws = urlsplit(environment.get("AWS_ENDPOINT_URL", "")).hostname
    if not port or aws != _LOOPBACK:
        return look_up

    def look_up_here(host: str, asked_port: int) -> Sequence[Endpoint]:
        return [Endpoint(_LOOPBACK, int(port))] if host.endswith(_RESERVED) else look_up(host, asked_port)

    return look_up_here
