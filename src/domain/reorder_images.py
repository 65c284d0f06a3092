"""Puts all pictures of a product into a new order, all or nothing."""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from domain.contention import until_undisturbed
from domain.errors import FieldFault, GalleryTooLargeError, InvalidFieldsError
from domain.gallery import Gallery
from domain.image import ProductImage
from domain.moments import later
from domain.ports import Clock, ImageCatalog

MAX_IMAGES = 100
"""Items in one transaction (DynamoDB developer guide, "Amazon DynamoDB Transactions")."""
_NAMED = 10
"""Identifiers that an error names before it only counts."""


class ReorderImages:
    """Gives each picture its position in the new order, counted from 0."""

    def __init__(self, catalog: ImageCatalog, clock: Clock) -> None:
        self._catalog = catalog
        self._clock = clock

    def __call__(self, product_id: int, image_ids: Sequence[int]) -> Gallery:
        """Return the gallery in its new order.

        Raises:
            ProductNotFoundError: there is no such product.
            InvalidFieldsError: an identifier is missing, doubled or not of this product.
            GalleryTooLargeError: the product has more pictures than can be changed at once.
            UnavailableError: a store failed; the order may have been changed all the same, as a whole.

        """

        def attempt() -> Gallery | None:
            seen = self._catalog.gallery(product_id)
            if len(seen.images) > MAX_IMAGES:
                raise GalleryTooLargeError(len(seen.images), MAX_IMAGES)
            by_id = {image.ref.image_id: image for image in seen.images}
            _check(image_ids, by_id.keys())
            changed = [self._move(by_id[image_id], order) for order, image_id in enumerate(image_ids)]
            if not self._catalog.reorder(seen.images, changed):
                return None
            return Gallery.of(changed, seen.primary)

        return until_undisturbed(attempt)

    def _move(self, image: ProductImage, order: int) -> ProductImage:
        return replace(image, order=order, updated_at=later(self._clock(), image.updated_at))


def _check(image_ids: Sequence[int], present: AbstractSet[int]) -> None:
    doubled = [image_id for image_id, times in Counter(image_ids).items() if times > 1]
    faults = [
        FieldFault("image_ids", f"{complaint}: {_name(wrong)}.")
        for complaint, wrong in (
            ("Name each image once; doubled", doubled),
            ("Name every image of the product; missing", sorted(present - set(image_ids))),
            ("Name only images of this product; foreign", sorted(set(image_ids) - present)),
        )
        if wrong
    ]
    if faults:
        raise InvalidFieldsError(tuple(faults))


def _name(image_ids: Sequence[int]) -> str:
    named = ", ".join(map(str, image_ids[:_NAMED]))
    others = len(image_ids) - _NAMED
    return f"{named} and {others} more" if others > 0 else named
