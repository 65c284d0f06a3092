"""Tells others what was changed. The record lists a change from the moment it is made until it was told."""

from dataclasses import replace

from domain.errors import UnavailableError
from domain.image import GALLERY_ORDER, ProductImage
from domain.image_catalog import ImageCatalog
from domain.image_events import ImageEventKind, ImageSummary
from domain.ports import ImageEvents


class TellChanges:
    """Sends what a record says was not told yet. It may be sent twice, and is never left unsent."""

    def __init__(self, catalog: ImageCatalog, events: ImageEvents) -> None:
        self._catalog = catalog
        self._events = events

    def __call__(self, image: ProductImage) -> None:
        """Tell it, and note down that it was told, unless the record was changed again meanwhile.

        Raises:
            UnavailableError: it may not have been told; the record still says so.

        """
        fields = image.untold - {GALLERY_ORDER}
        if fields:
            self._events.send_changed(ImageSummary.of(image), sorted(fields))
        tell_order(image, self._events)
        self._catalog.mark_told(image)

    def soon(self, image: ProductImage) -> ProductImage:
        """Tell it now if that is possible, else leave it to the reconciler; return the record.

        The change is made by then, so the client's request has succeeded whether or not others hear of it
        now.
        """
        if not image.untold:
            return image
        try:
            self(image)
        except UnavailableError:
            return image
        return replace(image, untold=frozenset())


def tell_order(image: ProductImage, events: ImageEvents) -> None:
    """Tell of the gallery's new order if that is left to tell in this picture's record."""
    if GALLERY_ORDER in image.untold:
        events.send_reordered(image.ref.product_id)


def tell_deletion(image: ProductImage, events: ImageEvents) -> None:
    """Tell that a picture is deleted, the last word on it; a new order of the others goes on with them."""
    tell_order(image, events)
    events.send(ImageEventKind.DELETED, ImageSummary.of(image))
