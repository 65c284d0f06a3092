"""Reserves the record of a picture that the client sends to the store itself, and issues the form for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from domain.announced_format import announced_format
from domain.errors import FileTooLargeError
from domain.image import Announcement, ImageRef, ProductImage
from domain.image_details import ImageDetails
from domain.ports import Clock, ImageCatalog, ImageIds, UploadForm, UploadForms
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
        self, *, catalog: ImageCatalog, forms: UploadForms, ids: ImageIds, clock: Clock, max_bytes: int
    ) -> None:
        self._catalog = catalog
        self._forms = forms
        self._ids = ids
        self._clock = clock
        self._max_bytes = max_bytes

    def __call__(self, upload: AnnouncedUpload) -> Reservation:
        """Return the pending record and a form that is good for 15 minutes and for this picture only.

        Raises:
            FileTooLargeError, InvalidFieldsError, UnsupportedFormatError: found without any I/O.
            ProductNotFoundError: nothing was reserved.
            UnavailableError: at most a pending record was, which the reconciler removes.

        """
        if upload.size_bytes > self._max_bytes:
            raise FileTooLargeError(upload.size_bytes, self._max_bytes)
        image_format = announced_format(upload.media_type or "", upload.name)
        now = self._clock()
        ref = ImageRef(upload.product_id, self._ids.next_id(), image_format)
        form = self._forms.issue(ref, upload.size_bytes, FORM_LIFETIME)
        image = ProductImage(
            ref=ref,
            user=upload.user,
            name=clean_file_name(upload.name) or f"image.{image_format.extension}",
            size_bytes=upload.size_bytes,
            details=ImageDetails().changed(upload.details),
            primary_requested_at=now if upload.is_primary else None,
            announcement=Announcement(upload.sha256, form.expires_at),
            created_at=now,
            updated_at=now,
        )
        self._catalog.reserve(image)
        return Reservation(image, form)
