"""Adds a product, or says anew what it is called."""

from domain.contention import until_undisturbed
from domain.errors import ProductBeingRemovedError
from domain.ports import Clock
from domain.product_ports import Products
from domain.product_record import Stage
from domain.product_title import clean_title


class PutProduct:
    """Puts products. Safe to repeat; the last one to say what a product is called is right."""

    def __init__(self, products: Products, clock: Clock) -> None:
        self._products = products
        self._clock = clock

    def __call__(self, product_id: int, title: str | None) -> bool:
        """Return whether the product is new; without a title it has none from now on.

        Raises:
            InvalidFieldsError: the title is too long.
            ProductBeingRemovedError: its removal is not done yet; try again.
            UnavailableError: the catalogue failed, or others were faster every time.

        """
        title = clean_title(title)
        return until_undisturbed(lambda: self._put(product_id, title))

    def _put(self, product_id: int, title: str | None) -> bool | None:
        seen = self._products.look(product_id)
        if seen.stage is Stage.BEING_REMOVED:
            raise ProductBeingRemovedError(product_id)
        if not self._products.write(seen, seen.put(title, seen.heard_now(self._clock()))):
            return None
        return seen.stage is not Stage.PRESENT
