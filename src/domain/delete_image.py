"""Deletes a picture: hidden first, then its bytes, then its record, so that no bytes are ever orphaned."""

from domain.contention import until_undisturbed
from domain.errors import ImageNotFoundError
from domain.image import ImageSnapshot, ImageStatus, ProductImage
from domain.ports import ImageCatalog, ImageStore


class DeleteImage:
    """Deletes pictures; one whose deletion was cut short is deleted to its end by the next call."""

    def __init__(self, catalog: ImageCatalog, store: ImageStore) -> None:
        self._catalog = catalog
        self._store = store

    def __call__(self, product_id: int, image_id: int) -> ProductImage:
        """Delete the picture, clear the product's pointer if it stood here, and return what was there.

        Raises:
            ProductNotFoundError, ImageNotFoundError: one of them is not there, or no longer.
            UnavailableError: a store failed; the picture is hidden at most.

        """
        seen = until_undisturbed(lambda: self._hide(product_id, image_id)).image
        self._finish(seen)
        if seen.status is ImageStatus.DELETING:
            raise ImageNotFoundError(product_id, image_id)
        return seen

    def _hide(self, product_id: int, image_id: int) -> ImageSnapshot | None:
        seen = self._catalog.look_up(product_id, image_id)
        if seen.image.status is ImageStatus.DELETING or self._catalog.begin_removal(seen):
            return seen
        return None

    def _finish(self, image: ProductImage) -> None:
        self._store.delete(image.ref)
        # A picture that was never inspected may still be on its way: its record stays, hidden, so that the
        # bytes find one when they arrive, and are removed.
        if image.is_inspected:
            self._catalog.finish_removal(image.ref)
