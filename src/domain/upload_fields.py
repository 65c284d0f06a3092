"""Reads the text fields of an upload; the rules are those of the endpoint's documentation."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from domain.errors import FieldFault, InvalidFieldsError
from domain.image_details import ALT_TEXT_LIMIT, ORDER_LIMIT, ImageDetails

TEXT_FIELDS = frozenset({"is_primary", *ImageDetails._fields})
"""The fields of an upload beside the picture."""
TRUE = frozenset({"true", "1", "yes", "on", "t"})
FALSE = frozenset({"false", "0", "no", "off", "f"})
_INTEGER = re.compile(r"[+-]?[0-9]{1,10}")


class UploadFields(NamedTuple):
    """The text fields of an upload, read and cleaned."""

    details: ImageDetails
    is_primary: bool


def parse_upload_fields(fields: Mapping[str, str]) -> UploadFields:
    """Read the picture's details and `is_primary`; an absent or empty field takes its default.

    Raises:
        InvalidFieldsError: with every field that breaks a rule.

    """
    faults: list[FieldFault] = []
    # Forms send a line break as two characters; whoever types sees one (WHATWG HTML, maxlength).
    alt_text = fields.get("alt_text", "").replace("\r\n", "\n")
    if len(alt_text) > ALT_TEXT_LIMIT:
        faults.append(FieldFault("alt_text", f"Must have at most {ALT_TEXT_LIMIT:,} characters."))
    is_primary = _parse_boolean(fields.get("is_primary", "").strip())
    if is_primary is None:
        faults.append(FieldFault("is_primary", "Must be a boolean: true or false, 1 or 0, yes or no."))
    order = _parse_order(fields.get("order", "").strip())
    if order is None:
        faults.append(FieldFault("order", f"Must be an integer from {-ORDER_LIMIT} to {ORDER_LIMIT - 1}."))
    if faults:
        raise InvalidFieldsError(tuple(faults))
    details = ImageDetails().changed({"alt_text": alt_text, "order": order})
    return UploadFields(details, is_primary=bool(is_primary))


def _parse_boolean(text: str) -> bool | None:
    lowered = text.lower()
    if lowered in TRUE:
        return True
    return False if not lowered or lowered in FALSE else None


def _parse_order(text: str) -> int | None:
    if not text:
        return 0
    if not _INTEGER.fullmatch(text):
        return None
    order = int(text)
    return order if -ORDER_LIMIT <= order < ORDER_LIMIT else None
