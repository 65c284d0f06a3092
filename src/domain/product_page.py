"""A page of products, as staff who work on their pictures see them."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.image import ProductImage


@dataclass(frozen=True, slots=True)
class ProductEntry:
    """A product in a list.

    `title` is None where none is known; `primary` is the picture that stands for it, None if there is none.
    """

    product_id: int
    title: str | None
    image_count: int
    primary: ProductImage | None


@dataclass(frozen=True, slots=True)
class ProductPage:
    """A part of the products, by number; `next_after` is the number to go on behind, None at the end."""

    entries: Sequence[ProductEntry]
    next_after: int | None
