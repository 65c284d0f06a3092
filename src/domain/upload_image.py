"""Takes a picture in: first its record, then its bytes. So there are no bytes that nobody knows of."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from domain.begun import GOING_ON_TIME, Begun, begun_with, find_begun, take_back
from domain.claim import BegunPicture
from domain.errors import (
    BytesRefusedError,
    FieldFault,
    FileTooLargeForDirectUploadError,
    InvalidFieldsError,
    UnavailableError,
)
from domain.image import ImageFormat, ImageRef, ProductImage
from domain.image_signature import detect_format
from domain.text import clean_file_name
from domain.upload_fields import UploadFields, parse_upload_fields
from domain.user import User

if TYPE_CHECKING:
    from domain.image_catalog import ImageCatalog
    from domain.image_store import ImageStore
    from domain.ports import Clock, ImageIds


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What a client sent: the picture's bytes, its file name, and the text fields as they came."""

    product_id: int
    user: User
    content: bytes
    file_name: str
    fields: Mapping[str, str]


class UploadImage:
    """Checks an upload, reserves its record, stores its bytes."""

    def __init__(
        self,
        *,
        catalog: "ImageCatalog",
        store: "ImageStore",
        ids: "ImageIds",
        new_token: Callable[[], str],
        clock: "Clock",
        max_bytes: int,
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._ids = ids
        self._new_token = new_token
        self._clock = clock
        self._max_bytes = max_bytes

    def __call__(self, upload: Upload, earlier: BegunPicture | None = None) -> Begun[ProductImage]:
        """Check an upload, and return what stores it: record and bytes.

        That returns the record, pending unless its event was quicker. `earlier` is the picture that an
        earlier try of this upload has begun, which is gone on with as long as it is there.

        Raises:
            FileTooLargeForDirectUploadError, InvalidFieldsError, UnsupportedFormatError: found without
                any I/O.
            UnavailableError: identifiers, or what became of the earlier picture, cannot be had now.

        What it returns raises:
            ProductNotFoundError: nothing was stored.
            UnavailableError: a store failed, and the picture will not appear. Its record may stay, pending or
                being deleted, to be cleared up later.
            OutcomeUnknownError: the picture may yet appear.

        """
        image_format, fields = self._check(upload)
        now = self._clock()
        found = self._find(upload, earlier, now) if earlier else None
        if found:
            return begun_with(found, partial(self._go_on, found, upload))
        image = ProductImage(
            ref=ImageRef(upload.product_id, self._ids.next_id(), self._new_token()),
            image_format=image_format,
            user=upload.user,
            name=clean_file_name(upload.file_name) or f"image.{image_format.extension}",
            size_bytes=len(upload.content),
            details=fields.details,
            primary_requested_at=now if fields.is_primary else None,
            announcement=None,
            created_at=now,
            updated_at=now,
        )
        return begun_with(image, partial(self._store_all, image, upload))

    def _check(self, upload: Upload) -> tuple[ImageFormat, UploadFields]:
        if len(upload.content) > self._max_bytes:
            raise FileTooLargeForDirectUploadError(len(upload.content), self._max_bytes)
        if not upload.content:
            raise InvalidFieldsError((FieldFault("image", "The file is empty."),))
        return detect_format(upload.content), parse_upload_fields(upload.fields)

    def _find(self, upload: Upload, earlier: BegunPicture, now: datetime) -> ProductImage | None:
        return find_begun(
            self._catalog,
            upload.product_id,
            earlier,
            now,
            may_go_on=lambda image: now < image.created_at + GOING_ON_TIME,
        )

    def _go_on(self, found: ProductImage, upload: Upload) -> ProductImage:
        return found if found.is_inspected else self._store_bytes(found, upload.content)

    def _store_all(self, image: ProductImage, upload: Upload) -> ProductImage:
        self._catalog.reserve(image)
        return self._store_bytes(image, upload.content)

    def _store_bytes(self, image: ProductImage, content: bytes) -> ProductImage:
        try:
            self._store.put(image, content)
        except (BytesRefusedError, UnavailableError):
            # Of those that were refused nothing is there, but an earlier try's may be, and may be inspected.
            return self._take_back(image.ref)
        return image

    def _take_back(self, ref: ImageRef) -> ProductImage:
        inspected = take_back(self._catalog, ref, self._clock())
        if inspected is not None:
            return inspected
        # Bytes that are still on their way will find no record, and go.
        with suppress(UnavailableError):
            self._catalog.finish_removal(ref)
        raise UnavailableError(ref)
