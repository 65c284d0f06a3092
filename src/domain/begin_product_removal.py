"""Removes a product for everybody at once; its pictures follow in the background (`remove_product`)."""

import contextlib

from domain.api_key import Role
from domain.contention import until_undisturbed
from domain.errors import AccessDeniedError, ProductNotFoundError, UnavailableError
from domain.ports import Clock
from domain.product_ports import Products, Removals
from domain.product_record import Stage


class BeginProductRemoval:
    """Begins removals. From the first moment on nothing can be done to the product but to remove its rest."""

    def __init__(self, products: Products, removals: Removals, clock: Clock) -> None:
        self._products = products
        self._removals = removals
        self._clock = clock

    def __call__(self, product_id: int, role: str, *, is_empty: bool = False) -> None:
        """Remove the product and ask for the removal of all that belongs to it.

        If that cannot be asked for now, the reconciler does, which finds the removal.

        Raises:
            AccessDeniedError: who asks is no administrator.
            ProductHasImagesError: it was to be empty, and is not.
            ProductNotFoundError: there is no such product, or no longer.
            UnavailableError: the catalogue failed, or others were faster every time.

        """
        if role != Role.ADMIN:
            raise AccessDeniedError("Only administrators may remove a product with its images.")
        until_undisturbed(lambda: self._begin(product_id, is_empty=is_empty))
        with contextlib.suppress(UnavailableError):
            self._removals.request(product_id)

    def _begin(self, product_id: int, *, is_empty: bool) -> bool | None:
        seen = self._products.look(product_id)
        if seen.stage is not Stage.PRESENT:
            raise ProductNotFoundError(product_id)
        removed = seen.removed(seen.heard_now(self._clock()))
        return self._products.write(seen, removed, is_empty=is_empty) or None
