"""Which picture a request has begun, so that a later try of the request goes on with the same picture."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from domain.claim import BegunPicture
from domain.errors import ImageRecordMissingError, OutcomeUnknownError, UnavailableError
from domain.image import ImageRef, ImageStatus, ProductImage

if TYPE_CHECKING:
    from domain.image_catalog import ImageCatalog

GOING_ON_TIME = timedelta(minutes=30)
"""How long after it was begun a picture without bytes may still get them: half of what the reconciler waits
before it removes one (`domain.reconcile.PATIENCE`), so that the two never meet."""


class Begun[T](NamedTuple):
    """A request that was checked: which picture it makes, and what does it."""

    picture: BegunPicture
    finish: Callable[[], T]

    def then[R](self, turn: Callable[[T], R]) -> "Begun[R]":
        """Return the same, with what `turn` makes of its outcome."""
        return Begun(self.picture, lambda: turn(self.finish()))


def begun_with[T](image: ProductImage, finish: Callable[[], T]) -> Begun[T]:
    """Return what makes this picture."""
    return Begun(BegunPicture(image.ref.image_id, image.created_at), finish)


def find_begun(
    catalog: "ImageCatalog",
    product_id: int,
    begun: BegunPicture,
    now: datetime,
    *,
    may_go_on: Callable[[ProductImage], bool],
) -> ProductImage | None:
    """Return the picture that an earlier try has begun: it has arrived, or the rest can be done for it.

    Returns None if there is none and none will appear. One that is pending and may not be gone on with is
    taken back for that.

    Raises:
        UnavailableError: what became of it cannot be told now.

    """
    image = catalog.get(product_id, begun.image_id)
    if image is None or image.created_at != begun.at or image.status is ImageStatus.DELETING:
        return None
    if image.is_inspected or may_go_on(image):
        return image
    try:
        return catalog.withdraw(image.ref, now)
    except ImageRecordMissingError:
        return None


def take_back(catalog: "ImageCatalog", ref: ImageRef, now: datetime) -> ProductImage | None:
    """Undo a reservation, where what came after it went wrong, or its reply was lost.

    Returns the picture if its bytes have been inspected meanwhile, which leaves it as it is, else None: its
    record is being deleted then.

    Raises:
        UnavailableError: it went meanwhile, with its product perhaps, which the next try is told.
        OutcomeUnknownError: it could not be taken back, and may yet appear.

    """
    try:
        return catalog.withdraw(ref, now)
    except ImageRecordMissingError as error:
        raise UnavailableError(ref) from error
    except UnavailableError as error:
        raise OutcomeUnknownError(ref) from error
