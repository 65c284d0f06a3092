"""Reads identifiers, in a path or a list, and names some of many."""

import re
from collections.abc import Mapping, Sequence

from domain.errors import FieldFault, InvalidFieldsError
from domain.image import MAX_ID
from domain.text import clean_short_text

_ID = re.compile(r"[1-9][0-9]{0,15}")
_NAMED = 10
"""Identifiers that an error names before it only counts."""


def parse_identifiers(path_parameters: Mapping[str, str]) -> dict[str, int]:
    """Read each path parameter as an identifier.

    Raises:
        InvalidFieldsError: with every one that is not a positive integer below 2^53.

    """
    faults = tuple(
        FieldFault(name, f"Must be an integer from 1 to {MAX_ID}.")
        for name, text in path_parameters.items()
        if not _is_identifier(text)
    )
    if faults:
        raise InvalidFieldsError(faults)
    return {name: int(text) for name, text in path_parameters.items()}


def parse_list(name: str, text: str) -> list[int]:
    """Read the identifiers in `text`, which have commas between them; blanks around one are left out.

    Raises:
        InvalidFieldsError: of the field `name`, with those that are no positive integers below 2^53.

    """
    texts = [each.strip() for each in text.split(",")]
    wrong = [clean_short_text(each) or "(nothing)" for each in texts if not _is_identifier(each)]
    if wrong:
        message = (
            f"Each must be an integer from 1 to {MAX_ID}, with commas between them; not: {name_some(wrong)}."
        )
        raise InvalidFieldsError((FieldFault(name, message),))
    return [int(each) for each in texts]


def name_some(values: Sequence[int | str]) -> str:
    """Name the first few, and say how many more there are."""
    named = ", ".join(map(str, values[:_NAMED]))
    others = len(values) - _NAMED
    return f"{named} and {others} more" if others > 0 else named


def _is_identifier(text: str) -> bool:
    return _ID.fullmatch(text) is not None and int(text) <= MAX_ID
