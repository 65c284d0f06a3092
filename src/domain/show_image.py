"""Shows one picture."""

from domain.errors import ImageNotFoundError
from domain.image import ImageSnapshot, ImageStatus
from domain.image_catalog import ImageCatalog


class ShowImage:
    """Reads a picture with its product's pointer; one that is being deleted is not shown."""

    def __init__(self, catalog: ImageCatalog) -> None:
        self._catalog = catalog

    def __call__(self, product_id: int, image_id: int) -> ImageSnapshot:
        """Return the picture as of now.

        Raises:
            ProductNotFoundError, ImageNotFoundError: one of them is not there.
            ImageRecordDamagedError: the record cannot be read.

        """
        snapshot = self._catalog.look_up(product_id, image_id)
        if snapshot.image.status is ImageStatus.DELETING:
            raise ImageNotFoundError(product_id, image_id)
        return snapshot
