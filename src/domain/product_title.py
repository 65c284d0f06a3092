"""What a product is called, and what a search finds it by."""

import unicodedata

from domain.errors import FieldFault, InvalidFieldsError
from domain.text import clean_text

TITLE_LIMIT = 255
"""Code points of a title: what Shopify takes for one (its help centre, "Product details")."""


def clean_title(text: str | None) -> str | None:
    """Return a title on one line, without what is never seen; None if nothing is left of it.

    Raises:
        InvalidFieldsError: it is too long.

    """
    title = clean_text(text or "")
    # NFC writes some characters as several, so that one within the limit may have left it.
    if len(title) > TITLE_LIMIT:
        raise InvalidFieldsError((FieldFault("title", f"Must have at most {TITLE_LIMIT} characters."),))
    return title or None


def search_text(product_id: int, title: str | None) -> str:
    """Return what a search looks at, in which case and width do not count."""
    return _folded(f"{product_id} {title or ''}".rstrip())


def search_words(query: str) -> tuple[str, ...]:
    """Return the words that `search_text` must hold, each somewhere."""
    return tuple(dict.fromkeys(_folded(clean_text(query)).split()))


def _folded(text: str) -> str:
    # What only looks otherwise, such as full-width letters, is found too (Unicode UAX 15, NFKC).
    return unicodedata.normalize("NFKC", text).casefold()
