"""Changes what a shop says of a picture: its details, whether it is the primary."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from domain.contention import until_undisturbed
from domain.errors import ImageNotReadyError, StaleImageError
from domain.image import ImageSnapshot, ImageStatus, Primary, ProductImage
from domain.image_catalog import ImageCatalog
from domain.moments import later
from domain.ports import Clock, ImageEvents
from domain.show_image import ShowImage
from domain.tell_changes import TellChanges


@dataclass(frozen=True, slots=True)
class ImageChange:
    """What is to be changed: details by name, and the pointer; what is not there stays as it is."""

    details: Mapping[str, Any] = field(default_factory=dict)
    is_primary: bool | None = None


class ChangeImage:
    """Reads a picture, changes it, and writes it if nobody has changed it meanwhile; else once more."""

    def __init__(self, catalog: ImageCatalog, events: ImageEvents, clock: Clock) -> None:
        self._catalog = catalog
        self._tell_changes = TellChanges(catalog, events)
        self._show_image = ShowImage(catalog)
        self._clock = clock

    def __call__(
        self,
        product_id: int,
        image_id: int,
        change: ImageChange,
        is_expected: Callable[[ImageSnapshot], bool] = lambda _: True,
    ) -> ImageSnapshot:
        """Return the picture as it stands after the change.

        Raises:
            ProductNotFoundError, ImageNotFoundError: one of them is not there.
            StaleImageError: the picture is not what the client expected.
            ImageRecordDamagedError: the record cannot be read; nothing was changed.
            ImageNotReadyError: a picture that failed cannot be the primary.
            UnavailableError: a store failed; the change may have been made all the same.

        """

        def attempt() -> ImageSnapshot | None:
            seen = self._show_image(product_id, image_id)
            if not is_expected(seen):
                raise StaleImageError
            if change == ImageChange():
                return seen
            changed = _to_be_told(seen, _apply(change, seen, self._clock()))
            return changed if self._catalog.change(seen, changed) else None

        changed = until_undisturbed(attempt)
        return changed._replace(image=self._tell_changes.soon(changed.image))


def _apply(change: ImageChange, seen: ImageSnapshot, now: datetime) -> ImageSnapshot:
    details = seen.image.details.changed(change.details)
    image = replace(seen.image, details=details, updated_at=later(now, seen.image.updated_at))
    if change.is_primary is None:
        return ImageSnapshot(image, seen.primary)
    return _wish(image, seen, now) if change.is_primary else _clear(image, seen)


def _wish(image: ProductImage, seen: ImageSnapshot, now: datetime) -> ImageSnapshot:
    if image.status is ImageStatus.FAILED:
        raise ImageNotReadyError(image.ref.image_id)
    requested_at = later(now, seen.primary.requested_at) if seen.primary else now
    image = replace(image, primary_requested_at=requested_at)
    # One that is pending becomes the primary when it has proven to be a picture.
    is_ready = image.status is ImageStatus.READY
    return ImageSnapshot(image, Primary(image.ref.image_id, requested_at) if is_ready else seen.primary)


def _clear(image: ProductImage, seen: ImageSnapshot) -> ImageSnapshot:
    primary = seen.primary._replace(image_id=None) if seen.primary and seen.is_primary else seen.primary
    return ImageSnapshot(replace(image, primary_requested_at=None), primary)


def _to_be_told(seen: ImageSnapshot, changed: ImageSnapshot) -> ImageSnapshot:
    """Return the change as it is to be written: with what is left to tell of it.

    Nobody has heard of a picture yet that is pending: it is told whole when it is ready.
    """
    if not seen.image.is_inspected:
        return changed
    before, after = seen.image.details._asdict(), changed.image.details._asdict()
    fields = {name for name, value in after.items() if value != before[name]}
    if seen.is_primary != changed.is_primary:
        fields.add("is_primary")
    return changed._replace(image=replace(changed.image, untold=seen.image.untold | fields))
