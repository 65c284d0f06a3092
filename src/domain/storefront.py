"""What the public sees of products: pictures that are ready, and which of them stands for its product."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from domain.errors import FieldFault, ImageRecordDamagedError, InvalidFieldsError
from domain.gallery import Page
from domain.identifiers import name_some
from domain.image import Primary, ProductImage

MAX_PRODUCTS = 100
"""Products in one request: as many items as DynamoDB reads by their keys in one call."""


class Primaries(NamedTuple):
    """By product the picture that stands for it; one that has none to show, or is not there, has no entry.

    `damaged` are records of these products that were met and cannot be read.
    """

    images: Mapping[int, ProductImage]
    damaged: tuple[ImageRecordDamagedError, ...] = ()


# Here and not among the ports: only one function needs it, and each starts with those.
class Storefront(Protocol):
    """Reads what the public may see, as of now.

    Either may raise `UnavailableError` when its store refuses for now or cannot be reached.
    """

    def page(self, product_id: int, limit: int, offset: int) -> Page:
        """Return up to `limit` ready pictures of a product behind the first `offset` ones, and count all.

        Raises:
            ProductNotFoundError: there is no such product.

        """
        ...

    def primaries(self, product_ids: Sequence[int]) -> Primaries:
        """Return of each of up to 100 products the picture that it points to; without a pointer, its first.

        Both only if they are ready. A damaged record counts as if it were not there, and is named.
        """
        ...


class ShownImage(NamedTuple):
    """A picture that is ready, and whether it stands for its product."""

    image: ProductImage
    is_primary: bool


@dataclass(frozen=True, slots=True)
class ShownPage:
    """A part of what the public sees of a product, and how many pictures that is in all."""

    count: int
    images: Sequence[ShownImage]
    damaged: tuple[ImageRecordDamagedError, ...]


class ShowGallery:
    """Shows a product's pictures page by page."""

    def __init__(self, storefront: Storefront) -> None:
        self._storefront = storefront

    def __call__(self, product_id: int, limit: int, offset: int) -> ShownPage:
        """Return a page of the gallery; it is empty behind the last picture.

        Where staff named no primary, the first picture is it.

        Raises:
            ProductNotFoundError: there is no such product.

        """
        page = self._storefront.page(product_id, limit, offset)
        # As if it were not there: of one that stands on another page this one knows nothing.
        damaged = {error.image_id for error in page.damaged}
        images = [
            ShownImage(
                seen.image, seen.is_primary if _is_named(seen.primary, damaged) else offset + place == 0
            )
            for place, seen in enumerate(page.snapshots)
        ]
        return ShownPage(page.count, images, page.damaged)


class ShowPrimaries:
    """Shows one picture of each of many products."""

    def __init__(self, storefront: Storefront) -> None:
        self._storefront = storefront

    def __call__(self, product_ids: Sequence[int]) -> Primaries:
        """Return what stands for each product that has a picture to show.

        Raises:
            InvalidFieldsError: there are too many, or one is named twice.

        """
        if len(product_ids) > MAX_PRODUCTS:
            raise _wrong(f"Name at most {MAX_PRODUCTS} products; these are {len(product_ids):,}.")
        doubled = [product_id for product_id, times in Counter(product_ids).items() if times > 1]
        if doubled:
            raise _wrong(f"Name each product once; doubled: {name_some(doubled)}.")
        return self._storefront.primaries(product_ids)


def _is_named(primary: Primary | None, damaged: set[int]) -> bool:
    return primary is not None and primary.image_id is not None and primary.image_id not in damaged


def _wrong(message: str) -> InvalidFieldsError:
    return InvalidFieldsError((FieldFault("product_ids", message),))
