"""The pictures of one product, in the order in which a shop shows them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from domain.errors import ImageRecordDamagedError
from domain.image import ImageSnapshot, ImageStatus, Primary, ProductImage


class Gallery(NamedTuple):
    """A product's pictures but those being deleted, each at its place.

    `damaged` are records that cannot be read; their pictures are left out.
    """

    images: tuple[ProductImage, ...]
    primary: Primary | None
    damaged: tuple[ImageRecordDamagedError, ...] = ()

    @classmethod
    def of(
        cls,
        images: Iterable[ProductImage],
        primary: Primary | None,
        damaged: tuple[ImageRecordDamagedError, ...] = (),
    ) -> "Gallery":
        """Sort the records of a product and leave out those being deleted."""
        visible = (image for image in images if image.status is not ImageStatus.DELETING)
        return cls(tuple(sorted(visible, key=lambda image: image.place)), primary, damaged)

    def snapshots(self) -> list[ImageSnapshot]:
        """Return each picture with the product's pointer."""
        return [ImageSnapshot(image, self.primary) for image in self.images]


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a gallery, and how many pictures there are in all.

    `damaged` are records that have their place here, and are counted, but cannot be read.
    """

    count: int
    snapshots: Sequence[ImageSnapshot]
    damaged: tuple[ImageRecordDamagedError, ...] = ()
