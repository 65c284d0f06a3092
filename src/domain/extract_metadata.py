"""Opens a stored picture, proves that it decodes, and completes its record."""

from dataclasses import dataclass

from domain.errors import NotAPictureError
from domain.image import ImageRef, ImageStatus, ProductImage
from domain.ports import Clock, ImageCatalog, ImageInspector, ImageStore


@dataclass(frozen=True, slots=True)
class Completion:
    """The record as it now stands, and whether this call completed it or an earlier one had."""

    image: ProductImage
    is_new: bool


class ExtractMetadata:
    """Fills in what the bytes tell. Safe to repeat, and in any order with other pictures."""

    def __init__(
        self, *, catalog: ImageCatalog, store: ImageStore, inspector: ImageInspector, clock: Clock
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._inspector = inspector
        self._clock = clock

    def __call__(self, ref: ImageRef) -> Completion | None:
        """Complete the record of the picture at `ref`; None if its bytes are gone.

        Raises:
            ImageRecordMissingError: there are bytes without a record; an operator must look.
            UnavailableError: a store failed for now; try again.

        """
        content = self._store.get(ref)
        if content is None:
            return None
        completion = self._complete(ref, content)
        image = completion.image
        if image.status is ImageStatus.READY and image.primary_requested:
            self._catalog.move_primary(image)
        return completion

    def _complete(self, ref: ImageRef, content: bytes) -> Completion:
        try:
            facts = self._inspector.inspect(content, ref.image_format)
        except NotAPictureError as error:
            now = self._clock()
            image = self._catalog.mark_failed(ref, str(error), now)
        else:
            now = self._clock()
            image = self._catalog.mark_ready(ref, facts, now)
        return Completion(image, is_new=image.updated_at == now)
