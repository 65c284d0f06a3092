"""The contract's bodies, and how its times are read."""

from datetime import datetime

from openapi.bodies import FieldError, ImageBody, ProblemBody, UserBody

__all__ = ["FieldError", "ImageBody", "ProblemBody", "UserBody", "parse_time"]


def parse_time(text: str) -> datetime:
    """Read a time of the contract, which is ISO 8601 in UTC."""
    assert text.endswith("Z")
    return datetime.fromisoformat(text)
