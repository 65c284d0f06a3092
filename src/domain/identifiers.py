"""Reads the identifiers in a path."""

import re
from collections.abc import Mapping

from domain.errors import FieldFault, InvalidFieldsError
from domain.image import MAX_ID

_ID = re.compile(r"[1-9][0-9]{0,15}")


def parse_identifiers(path_parameters: Mapping[str, str]) -> dict[str, int]:
    """Read each path parameter as an identifier.

    Raises:
        InvalidFieldsError: with every one that is not a positive integer below 2^53.

    """
    faults = tuple(
        FieldFault(name, f"Must be an integer from 1 to {MAX_ID}.")
        for name, text in path_parameters.items()
        if not _ID.fullmatch(text) or int(text) > MAX_ID
    )
    if faults:
        raise InvalidFieldsError(faults)
    return {name: int(text) for name, text in path_parameters.items()}
