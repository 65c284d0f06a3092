"""Headers of a request."""

import re
from collections.abc import Mapping

_PARAMETER = re.compile(r';\s*([^\s;="]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))', re.ASCII | re.DOTALL)


def lower_case_names(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Return headers by their names in lower case: names are case-insensitive (RFC 9110, 5.1)."""
    return {name.lower(): value for name, value in (headers or {}).items()}


def read_content_type(value: str) -> tuple[str, dict[str, str]]:
    """Return the media type of a Content-Type, in lower case, and its parameters by lower-case names.

    A value without quotes goes on to the next blank or semicolon, further than a token may (RFC 9110, 5.6.2):
    so clients write boundaries that have an equals sign.
    """
    parameters = {name.lower(): quoted or unquoted for name, quoted, unquoted in _PARAMETER.findall(value)}
    return value.partition(";")[0].strip().lower(), parameters
