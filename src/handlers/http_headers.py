"""Headers of a request."""

from collections.abc import Mapping


def lower_case_names(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Return headers by their names in lower case: names are case-insensitive (RFC 9110, 5.1)."""
    return {name.lower(): value for name, value in (headers or {}).items()}
