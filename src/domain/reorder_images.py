"""Puts the pictures of a product into a new order, all or nothing."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from domain.contention import until_undisturbed
from domain.errors import FieldFault, GalleryTooLargeError, InvalidFieldsError, StaleOrderError
from domain.gallery import Page
from domain.identifiers import name_some
from domain.image import GALLERY_ORDER, ImageSnapshot, ImageStatus
from domain.image_catalog import ImageCatalog
from domain.moments import later
from domain.ports import Clock, ImageEvents
from domain.tell_changes import TellChanges

MAX_IMAGES = 99
"""With their product they are the 100 items of a transaction (DynamoDB developer guide, "Amazon DynamoDB
Transactions")."""


class ReorderImages:
    """Gives each picture its position in the new order, counted from 0."""

    def __init__(self, catalog: ImageCatalog, events: ImageEvents, clock: Clock) -> None:
        self._catalog = catalog
        self._tell_changes = TellChanges(catalog, events)
        self._clock = clock

    def __call__(
        self,
        product_id: int,
        image_ids: Sequence[int],
        is_expected: Callable[[Sequence[int]], bool] = lambda _: True,
    ) -> Page:
        """Return the pictures in their new order; those that failed and are not named stay behind the others.

        Those whose record is damaged stay where they are. `is_expected` is asked about the identifiers in the
        order in which they stand.

        Raises:
            ProductNotFoundError: there is no such product.
            StaleOrderError: the order is not what the client expected.
            InvalidFieldsError: an identifier is missing, doubled or not of this product.
            GalleryTooLargeError: the product has more pictures than can be changed at once.
            UnavailableError: a store failed; the order may have been changed all the same, as a whole.

        """

        def attempt() -> Page | None:
            whole = self._read(product_id)
            by_id = {seen.image.ref.image_id: seen for seen in whole.snapshots}
            if not is_expected(list(by_id)):
                raise StaleOrderError
            ordered = _ordered(image_ids, by_id)
            moved = [self._move(by_id[image_id], order) for order, image_id in enumerate(ordered)]
            moved = _to_be_told(by_id, moved)
            is_written = self._catalog.reorder(
                [seen.image for seen in by_id.values()], [each.image for each in moved]
            )
            return Page(len(moved), moved, whole.damaged) if is_written else None

        page = until_undisturbed(attempt)
        told = [each._replace(image=self._tell_changes.soon(each.image)) for each in page.snapshots]
        return Page(page.count, told, page.damaged)

    def _read(self, product_id: int) -> Page:
        """Return all of the product's pictures, without reading more of them than may be."""
        page = self._catalog.page(product_id, MAX_IMAGES + 1, 0)
        _check_size(page.count)
        shown = {seen.image.ref.image_id for seen in page.snapshots}
        if len(shown.union(error.image_id for error in page.damaged)) == page.count:
            return page
        # Read while another order was being written: the whole gallery is not read in that order.
        gallery = self._catalog.gallery(product_id, MAX_IMAGES + 1)
        snapshots = gallery.snapshots()
        _check_size(len(snapshots) + len(gallery.damaged))
        return Page(len(snapshots), snapshots, gallery.damaged)

    def _move(self, seen: ImageSnapshot, order: int) -> ImageSnapshot:
        image = seen.image
        details = image.details._replace(order=order)
        moved = replace(image, details=details, updated_at=later(self._clock(), image.updated_at))
        return seen._replace(image=moved)


def _check_size(count: int) -> None:
    if count > MAX_IMAGES:
        raise GalleryTooLargeError(MAX_IMAGES)


def _ordered(image_ids: Sequence[int], by_id: Mapping[int, ImageSnapshot]) -> list[int]:
    """Return the whole new order; the shop window never shows those that failed."""
    failed = [each for each, seen in by_id.items() if seen.image.status is ImageStatus.FAILED]
    _check(image_ids, by_id.keys(), by_id.keys() - failed)
    return [*image_ids, *(each for each in failed if each not in set(image_ids))]


def _check(image_ids: Sequence[int], present: AbstractSet[int], demanded: AbstractSet[int]) -> None:
    doubled = [image_id for image_id, times in Counter(image_ids).items() if times > 1]
    faults = [
        FieldFault("image_ids", f"{complaint}: {name_some(wrong)}.")
        for complaint, wrong in (
            ("Name each image once; doubled", doubled),
            ("Name every image of the product; missing", sorted(demanded - set(image_ids))),
            ("Name only images of this product; foreign", sorted(set(image_ids) - present)),
        )
        if wrong
    ]
    if faults:
        raise InvalidFieldsError(tuple(faults))


def _to_be_told(seen: Mapping[int, ImageSnapshot], moved: Sequence[ImageSnapshot]) -> list[ImageSnapshot]:
    """Return the pictures as they are to be written: the new order is left to tell in the record of one.

    It is one that others have heard of; where there is none, each is told when it is ready.
    """
    known = [each for each in moved if each.image.is_inspected]
    if all(each.image.details == seen[each.image.ref.image_id].image.details for each in known):
        return list(moved)
    untold = known[0].image.untold | {GALLERY_ORDER}
    told_by = known[0]._replace(image=replace(known[0].image, untold=untold))
    return [told_by if each is known[0] else each for each in moved]
