"""Deletes a picture: hides it, deletes its bytes, then its record. So no bytes lose their record."""

from collections.abc import Callable

from domain.contention import until_undisturbed
from domain.errors import ImageNotFoundError, StaleImageError
from domain.image import ImageSnapshot, ImageStatus, ProductImage
from domain.image_catalog import ImageCatalog
from domain.image_store import ImageStore
from domain.ports import Clock, ImageEvents
from domain.tell_changes import tell_deletion


class DeleteImage:
    """Deletes pictures; one whose deletion was cut short is deleted to its end by the next call."""

    def __init__(self, catalog: ImageCatalog, store: ImageStore, events: ImageEvents, clock: Clock) -> None:
        self._catalog = catalog
        self._store = store
        self._events = events
        self._clock = clock

    def __call__(
        self,
        product_id: int,
        image_id: int,
        is_expected: Callable[[ImageSnapshot], bool] = lambda _: True,
    ) -> ProductImage:
        """Delete the picture, clear the product's pointer if it stood here, and return what was there.

        Raises:
            ProductNotFoundError, ImageNotFoundError: one of them is not there, or no longer.
            ImageRecordDamagedError: the record cannot be read; nothing was deleted.
            StaleImageError: the picture is not what the client expected; it stays.
            UnavailableError: a store failed; the picture is hidden at most.

        """
        seen = until_undisturbed(lambda: self._hide(product_id, image_id, is_expected)).image
        self._finish(seen)
        if seen.status is ImageStatus.DELETING:
            raise ImageNotFoundError(product_id, image_id)
        return seen

    def _hide(
        self, product_id: int, image_id: int, is_expected: Callable[[ImageSnapshot], bool]
    ) -> ImageSnapshot | None:
        seen = self._catalog.look_up(product_id, image_id)
        if seen.image.status is ImageStatus.DELETING:
            return seen
        if not is_expected(seen):
            raise StaleImageError
        return seen if self._catalog.begin_removal(seen, self._clock()) else None

    def _finish(self, image: ProductImage) -> None:
        self._store.delete(image)
        # Before the record goes: until then it is found and finished, should this get lost.
        tell_deletion(image, self._events)
        self._catalog.finish_removal(image.ref)
