"""Who sends pictures."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class User:
    """The person or script that sends a picture."""

    id: int
    username: str
    full_name: str
