"""Entity tags: they tell a client whether what it has is still what there is (RFC 9110, 8.8.3 and 13.1)."""

import hashlib
import json
import re

_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_ANY = "*"


def etag_of(body: dict[str, object]) -> str:
    """Return a strong tag of a JSON object: 128 bits of the SHA-256 of what is sent."""
    return f'"{hashlib.sha256(json.dumps(body).encode()).hexdigest()[:32]}"'


def matches(etag: str, condition: str | None, *, weakly: bool) -> bool:
    """Tell whether `etag` is among those of a condition's header; `If-Match` does not accept weak ones."""
    if condition is None:
        return False
    if condition.strip() == _ANY:
        return True
    return any(tag == etag and (weakly or not weak) for weak, tag in _TAG.findall(condition))
