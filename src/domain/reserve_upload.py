"""Reserves the record of a picture that the client sends to the store itself, and issues the form for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from domain.announced_format import announced_format
from domain.begun import Begun, begun_with, find_begun
from domain.claim import BegunPicture
from domain.errors import FileTooLargeError
from domain.image import Announcement, ImageRef, ProductImage
from domain.image_catalog import ImageCatalog
from domain.image_details import ImageDetails
from domain.ports import Clock, ImageIds, UploadForm, UploadForms
from domain.text import clean_file_name
from domain.user import User

FORM_LIFETIME = timedelta(minutes=15)
"""Time to begin sending: enough for 50 MB on a line of 0.5 Mbit/s, and little for a form that leaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncedUpload:
    """What a client says of a picture before it sends it; `sha256` in lower case.

    Media type and `details`, which are by name, are as they came.
    """

    product_id: int
    user: User
    name: str
    size_bytes: int
    media_type: str | None
    details: Mapping[str, Any]
    is_primary: bool
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Reservation:
    """A pending record, and the form to send the picture with."""

    image: ProductImage
    form: UploadForm


class ReserveUpload:
    """Checks what is announced, reserves the record, issues the form."""

    def __init__(
        self,
        *,
        catalog: ImageCatalog,
        forms: UploadForms,
        ids: ImageIds,
        new_token: Callable[[], str],
        clock: Clock,
        max_bytes: int,
    ) -> None:
        self._catalog = catalog
        self._forms = forms
        self._ids = ids
        self._new_token = new_token
        self._clock = clock
        self._max_bytes = max_bytes

    def __call__(self, upload: AnnouncedUpload, earlier: BegunPicture | None = None) -> Begun[Reservation]:
        """Check what is announced, and return what reserves the record.

        That returns the pending record and a form that is good for 15 minutes and for this picture only.
        `earlier` is the picture that an earlier try of this reservation has begun: its form is issued again
        as long as that is good or the picture has come, and expires when it did at first.

        Raises:
            FileTooLargeError, InvalidFieldsError, UnsupportedFormatError: found without any I/O.
            UnavailableError: identifiers, or what became of the earlier picture, cannot be had now.

        What it returns raises:
            ProductNotFoundError: nothing was reserved.
            UnavailableError: at most a pending record was, which the reconciler removes.

        """
        if upload.size_bytes > self._max_bytes:
            raise FileTooLargeError(upload.size_bytes, self._max_bytes)
        image_format = announced_format(upload.media_type or "", upload.name)
        now = self._clock()
        found = self._find(upload, earlier, now) if earlier else None
        if found:
            return begun_with(found, lambda: Reservation(found, self._form(found)))
        image = ProductImage(
            ref=ImageRef(upload.product_id, self._ids.next_id(), self._new_token()),
            image_format=image_format,
            user=upload.user,
            name=clean_file_name(upload.name) or f"image.{image_format.extension}",
            size_bytes=upload.size_bytes,
            details=ImageDetails().changed(upload.details),
            primary_requested_at=now if upload.is_primary else None,
            announcement=Announcement(upload.sha256, _form_expiry(now)),
            created_at=now,
            updated_at=now,
        )
        return begun_with(image, partial(self._reserve, image))

    def _find(self, upload: AnnouncedUpload, earlier: BegunPicture, now: datetime) -> ProductImage | None:
        return find_begun(
            self._catalog,
            upload.product_id,
            earlier,
            now,
            may_go_on=lambda image: now < _form_expiry(image.created_at),
        )

    def _reserve(self, image: ProductImage) -> Reservation:
        form = self._form(image)
        self._catalog.reserve(image)
        return Reservation(image, form)

    def _form(self, image: ProductImage) -> UploadForm:
        return self._forms.issue(image.ref, image.size_bytes, _form_expiry(image.created_at))


def _form_expiry(reserved_at: datetime) -> datetime:
    # S3 looks at whole seconds.
    return (reserved_at + FORM_LIFETIME).replace(microsecond=0)
