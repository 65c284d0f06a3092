"""Shows a product's gallery page by page."""

from dataclasses import dataclass

from domain.errors import FieldFault, InvalidFieldsError
from domain.gallery import Page
from domain.image import ImageStatus
from domain.image_catalog import ImageCatalog

MAX_PAGE_SIZE = 100
"""Pictures on a page: more than a person looks at, few enough for one answer."""

MAX_REACH = 200_000
"""Pictures that a list reads through at most. They take some 140 calls of a megabyte each, a few seconds of
the 28 that the function has."""
_TOO_FAR = (
    f"Must be at most {MAX_REACH:,}: a list goes through all images before its page. Fetch images further "
    "behind by their id, or give them a lower order."
)
_TOO_MANY = (
    f"The product has more than {MAX_REACH:,} images, too many to look for some of them. "
    "List it without status and sha256."
)

MAX_SHA256S = 50
"""SHA-256s that one list looks for: the URL stays below 4,000 characters, and some of the ways there take no
more than 8,192 (Amazon CloudFront developer guide, "Quotas")."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which part of a gallery is wanted: at most `limit` pictures after the first `offset` ones.

    With a `status`, only pictures in that status are counted and shown; with `sha256s`, in lower-case
    hexadecimal, only those whose file had one of them, as it was sent.
    """

    limit: int
    offset: int
    status: ImageStatus | None = None
    sha256s: tuple[str, ...] = ()

    @property
    def is_of_some(self) -> bool:
        """Whether only some of the pictures are counted and shown."""
        return self.status is not None or bool(self.sha256s)


class ListImages:
    """Reads a page of a gallery; of some of the pictures, by going through the whole gallery."""

    def __init__(self, catalog: ImageCatalog) -> None:
        self._catalog = catalog

    def __call__(self, product_id: int, wanted: PageRequest) -> Page:
        """Return a page of the gallery; it is empty behind the last picture.

        Raises:
            InvalidFieldsError: the page is further behind, or the gallery larger, than a list can go through.
            ProductNotFoundError: there is no such product.

        """
        if wanted.offset > MAX_REACH:
            raise InvalidFieldsError((FieldFault("offset", _TOO_FAR),))
        # No index tells them apart: who wants those that failed, or asks whether a file is there before it is
        # sent, wants it seldom, of galleries that one call reads; an index would cost every write.
        if wanted.is_of_some and self._catalog.page(product_id, 1, 0).count > MAX_REACH:
            raise InvalidFieldsError((FieldFault("status" if wanted.status else "sha256", _TOO_MANY),))
        return self._catalog.page(product_id, wanted.limit, wanted.offset, wanted.status, wanted.sha256s)
