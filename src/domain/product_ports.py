"""The roles that the use cases of products need played, and what each promises; as `domain.ports`."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from domain.image_events import ImageSummary
from domain.product_page import ProductEntry, ProductPage
from domain.product_record import ProductRecord


class Belonging(NamedTuple):
    """A picture of a product that is being removed; `summary` is None if its record cannot be read."""

    image_id: int
    summary: ImageSummary | None


class Products(Protocol):
    """Keeps the products that may have pictures, and those that are being removed, or were a while ago."""

    def exists(self, product_id: int) -> bool:
        """Tell whether the product is there."""
        ...

    def add(self, product_id: int, title: str | None = None) -> bool:
        """Add a product; return whether it is new. Of one that is there a title alone changes, if named.

        Raises:
            ProductBeingRemovedError: its removal is not done yet.

        """
        ...

    def look(self, product_id: int) -> ProductRecord:
        """Return what is known of a product as of now."""
        ...

    def write(self, seen: ProductRecord, changed: ProductRecord, *, is_empty: bool = False) -> bool:
        """Change what is known, if it still is as it was seen; return whether it was.

        One that begins to be removed is gone for all other roles at once: no picture of it can be reserved.

        Raises:
            ProductHasImagesError: it was to be empty, and is not.

        """
        ...

    def open_removals(self, before: datetime) -> Iterator[int]:
        """Yield products that are being removed and whose removal nobody was at since before this moment."""
        ...

    def postpone_removal(self, product_id: int, at: datetime) -> bool:
        """Note that somebody is at a removal; return whether there is one."""
        ...


class Belongings(Protocol):
    """Finds and forgets the records of pictures whose product is being removed."""

    def some(self, product_id: int) -> list[Belonging]:
        """Return some pictures that the product has left as of now, none if there are none."""
        ...

    def forget(self, product_id: int, image_ids: Sequence[int]) -> None:
        """Delete their records."""
        ...


class ProductBytes(Protocol):
    """Finds and deletes the bytes of a product's pictures: what came in, and all that the public sees."""

    def some(self, product_id: int) -> list[str]:
        """Return the keys of some that are left as of now, none if there are none."""
        ...

    def delete(self, keys: Sequence[str]) -> None:
        """Delete what `some` returned; a key is never used twice, so that nothing else can lie there."""
        ...


class Removals(Protocol):
    """Has removals brought to their end in the background."""

    def request(self, product_id: int) -> None:
        """Have all that belonged to a product removed soon."""
        ...


class ProductList(Protocol):
    """Shows the products to those who work on their pictures."""

    def page(self, limit: int, after: int, words: Sequence[str]) -> ProductPage:
        """Return up to `limit` products with numbers above `after`, in their order, as of a moment ago.

        With `words`, those that have each of them in `search_text`. A search reads only so much at once: it
        may return fewer, or none, and the number to go on behind.
        """
        ...

    def find(self, product_id: int) -> ProductEntry:
        """Return one product as of now.

        Raises:
            ProductNotFoundError: there is no such product.

        """
        ...
