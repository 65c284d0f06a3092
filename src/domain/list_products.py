"""Lists the products by number, and looks for some by number and title."""

from domain.errors import FieldFault, InvalidFieldsError
from domain.product_page import ProductPage
from domain.product_ports import ProductList
from domain.product_title import search_words

MAX_LISTED = 100
"""Products on a page: as many as one read of their records brings (DynamoDB API reference, BatchGetItem)."""
MAX_QUERY = 200
"""Characters of what is looked for."""
MAX_WORDS = 10
"""Words of what is looked for: more than anybody types to find a product."""


class ListProducts:
    """Reads a page of the products; looking for some goes through the titles of all that follow."""

    def __init__(self, products: ProductList) -> None:
        self._products = products

    def __call__(self, *, limit: int, after: int, query: str) -> ProductPage:
        """Return up to `limit` products with numbers above `after` that have each word of `query`.

        There may be fewer, or none, and still more to come: a search reads only so much at once.

        Raises:
            InvalidFieldsError: too many words are looked for.

        """
        words = search_words(query)
        if len(words) > MAX_WORDS:
            raise InvalidFieldsError((FieldFault("q", f"Must have at most {MAX_WORDS} words."),))
        return self._products.page(limit, after, words)
