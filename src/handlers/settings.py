"""Reads a function's environment once, into a typed object.

Each handler declares its own: making a dataclass takes a cold start as long as importing a module.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class SettingsError(Exception):
    """The function's environment is incomplete; the message names the variable."""


def read_settings[S: "DataclassInstance"](kind: type[S], environment: Mapping[str, str]) -> S:
    """Fill each field of `kind` from the variable of the same name in capitals.

    Raises:
        SettingsError: a variable is missing, or is no integer where one is needed.

    """
    values: dict[str, str | int] = {}
    for field in fields(kind):
        variable = field.name.upper()
        try:
            text = environment[variable]
            values[field.name] = int(text) if field.type is int else text
        except (KeyError, ValueError) as error:
            raise SettingsError(f"Set the environment variable {variable} of the function.") from error
    return kind(**values)


def read_hosts(text: str) -> tuple[str, ...]:
    """Return the hosts of a list with commas; of an empty one none."""
    return tuple(host.strip().lower() for host in text.split(",") if host.strip())
