"""Entity tags: they tell a client whether what it has is still what there is (RFC 9110, 8.8.3 and 13.1)."""

import hashlib
import json
import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from domain.errors import FieldFault, InvalidFieldsError

_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_LIST_TAG = re.compile(r'"([0-9]+)\.([0-9]+)\.([0-9a-f]+)\.[0-9a-f]+"')
_ANY = "*"
_DIGITS = 32
"""Of a SHA-256 in hexadecimal: 128 bits."""


def etag_of(body: dict[str, object]) -> str:
    """Return a strong tag of a JSON object: 128 bits of the SHA-256 of what is sent."""
    return f'"{_digest(body)}"'


def list_etag(body: dict[str, object], offset: int, image_ids: Sequence[int]) -> str:
    """Return a strong tag of a page that begins behind `offset` images and shows these, in this order.

    The tag has a part of its own for the order. So a client can make a new order on the condition that the
    old one still stands, whatever else has changed (`has_order`).
    """
    return f'"{offset}.{len(image_ids)}.{_digest(image_ids)}.{_digest(body)}"'


def has_order(tags: AbstractSet[str] | None, image_ids: Sequence[int]) -> bool:
    """Tell whether a gallery that stands in this order still has that of a page with one of the tags."""
    return tags is None or any(_shows(tag, image_ids) for tag in tags)


def if_match(condition: str | None) -> AbstractSet[str] | None:
    """Read the header `If-Match`; None admits any state.

    A weak tag counts as the strong one: a front that compresses makes it weak (CloudFront does), and it still
    names the same state.

    Raises:
        InvalidFieldsError: it is no list of tags.

    """
    if condition is None or condition.strip() == _ANY:
        return None
    if not condition.strip(" \t,") or _TAG.sub("", condition).strip(" \t,"):
        message = 'Send each ETag as it came, in its double quotes: "…". Or send *.'
        raise InvalidFieldsError((FieldFault("If-Match", message),))
    return frozenset(_TAG.findall(condition))


def is_known(etag: str, condition: str | None) -> bool:
    """Tell whether a client has this state already, by its header `If-None-Match`; weak tags count too."""
    if condition is None:
        return False
    return condition.strip() == _ANY or etag in _TAG.findall(condition)


def _shows(tag: str, image_ids: Sequence[int]) -> bool:
    match = _LIST_TAG.fullmatch(tag)
    if match is None:
        return False
    first, count = int(match[1]), int(match[2])
    return _digest(image_ids[first : first + count]) == match[3]


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:_DIGITS]
