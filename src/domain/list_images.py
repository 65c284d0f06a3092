"""Shows a product's gallery page by page."""

from dataclasses import dataclass

from domain.image import ImageSnapshot, ImageStatus
from domain.ports import ImageCatalog

MAX_PAGE_SIZE = 100
"""Pictures on a page: as many as a transaction can reorder."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which part of a gallery is wanted: at most `limit` pictures after the first `offset` ones.

    With a `status`, only pictures in that status are counted and shown.
    """

    limit: int
    offset: int
    status: ImageStatus | None


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a gallery, and how many pictures there are in all."""

    count: int
    snapshots: list[ImageSnapshot]


class ListImages:
    """Reads a gallery in one call and cuts the page out of it."""

    def __init__(self, catalog: ImageCatalog) -> None:
        self._catalog = catalog

    def __call__(self, product_id: int, wanted: PageRequest) -> Page:
        """Return a page of the gallery; it is empty behind the last picture.

        Raises:
            ProductNotFoundError: there is no such product.

        """
        snapshots = [
            snapshot
            for snapshot in self._catalog.gallery(product_id).snapshots()
            if wanted.status in {None, snapshot.image.status}
        ]
        return Page(len(snapshots), snapshots[wanted.offset : wanted.offset + wanted.limit])
