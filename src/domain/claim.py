"""Claims on idempotency keys: which request has a key, how far it has come, and for how long it has it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple


class BegunPicture(NamedTuple):
    """A picture's identifier and the moment of its record, so that no other's is taken for it."""

    image_id: int
    at: datetime


class Claim(NamedTuple):
    """What is known of a key: the request that it belongs to, and the picture which that has begun.

    `token` is that of the try that wrote the claim. Until `held_until` that try may be running; None once it
    has let go. `is_counted` tells whether the request is on its day's count. `answer` is there once the
    request is done. After `expires_at` the key is free.
    """

    request: str
    token: str
    held_until: datetime | None
    picture: BegunPicture
    is_counted: bool
    answer: Mapping[str, Any] | None
    expires_at: datetime
