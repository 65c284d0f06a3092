"""Shows a product's gallery page by page."""

from dataclasses import dataclass

from domain.gallery import Page
from domain.image import ImageStatus
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


class ListImages:
    """Reads a page of a gallery; of the pictures in one status, by reading the whole gallery."""

    def __init__(self, catalog: ImageCatalog) -> None:
        self._catalog = catalog

    def __call__(self, product_id: int, wanted: PageRequest) -> Page:
        """Return a page of the gallery; it is empty behind the last picture.

        With a status, damaged records are neither shown nor counted: nobody can tell theirs.

        Raises:
            ProductNotFoundError: there is no such product.

        """
        if wanted.status is None:
            return self._catalog.page(product_id, wanted.limit, wanted.offset)
        # Nothing counts or sorts the pictures of each status; who wants those that failed wants it seldom.
        gallery = self._catalog.gallery(product_id)
        snapshots = [seen for seen in gallery.snapshots() if seen.image.status is wanted.status]
        part = snapshots[wanted.offset : wanted.offset + wanted.limit]
        return Page(len(snapshots), part, gallery.damaged)
