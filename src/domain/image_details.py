"""What staff may say of a picture: one value, on every way in and out."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from domain.errors import FieldFault, InvalidFieldsError
from domain.text import clean_text

ALT_TEXT_LIMIT = 1_000
"""Code points of an alternative text: a long paragraph, more than whoever listens to it wants."""
ORDER_LIMIT = 2**31
"""Order is a signed 32-bit integer, what the integer columns of shops' databases hold."""


# No dataclass: see `domain.image.ImageRef`.
class ImageDetails(NamedTuple):
    """What a shop says of a picture; what it does not say has the default.

    `alt_text` is one line of at most `ALT_TEXT_LIMIT` characters. `order` is the place among the product's
    pictures, from -`ORDER_LIMIT` to below `ORDER_LIMIT`. Which picture is the primary is not said here: the
    product says it.
    """

    alt_text: str = ""
    order: int = 0

    def changed(self, said: Mapping[str, Any]) -> Self:
        """Return it with what is said now, by name; texts are cleaned here, whichever way they came.

        Raises:
            InvalidFieldsError: a text is too long once it is cleaned.

        """
        cleaned: dict[str, Any] = {
            name: clean_text(value) if isinstance(value, str) else value for name, value in said.items()
        }
        # NFC writes some characters as several, so that one within the limit may have left it.
        if len(cleaned.get("alt_text", "")) > ALT_TEXT_LIMIT:
            message = f"Must have at most {ALT_TEXT_LIMIT:,} characters, each as Unicode's NFC writes it."
            raise InvalidFieldsError((FieldFault("alt_text", message),))
        return self._replace(**cleaned)
