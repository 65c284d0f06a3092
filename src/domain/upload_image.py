"""Takes a picture in: record first, then bytes, so that no picture is ever invisible."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.errors import (
    BytesRefusedError,
    FieldFault,
    FileTooLargeForDirectUploadError,
    InvalidFieldsError,
    OutcomeUnknownError,
    UnavailableError,
)
from domain.image import ImageRef, ProductImage
from domain.image_signature import detect_format
from domain.ports import Clock, ImageCatalog, ImageIds, ImageStore
from domain.text import clean_file_name
from domain.upload_fields import parse_upload_fields
from domain.user import User


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
        self, *, catalog: ImageCatalog, store: ImageStore, ids: ImageIds, clock: Clock, max_bytes: int
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._ids = ids
        self._clock = clock
        self._max_bytes = max_bytes

    def __call__(self, upload: Upload) -> ProductImage:
        """Store the picture and return its record, pending unless its event was quicker than this.

        Raises:
            FileTooLargeForDirectUploadError, InvalidFieldsError, UnsupportedFormatError: found without
                any I/O.
            ProductNotFoundError: nothing was stored.
            UnavailableError: a store failed, and the picture will not appear. Its record may stay, pending or
                being deleted, to be cleared up later.
            OutcomeUnknownError: the picture may yet appear.

        """
        if len(upload.content) > self._max_bytes:
            raise FileTooLargeForDirectUploadError(len(upload.content), self._max_bytes)
        if not upload.content:
            raise InvalidFieldsError((FieldFault("image", "The file is empty."),))
        image_format = detect_format(upload.content)
        fields = parse_upload_fields(upload.fields)
        now = self._clock()
        ref = ImageRef(upload.product_id, self._ids.next_id(), image_format)
        image = ProductImage(
            ref=ref,
            user=upload.user,
            name=clean_file_name(upload.file_name) or f"image.{image_format.extension}",
            size_bytes=len(upload.content),
            details=fields.details,
            primary_requested_at=now if fields.is_primary else None,
            announcement=None,
            created_at=now,
            updated_at=now,
        )
        self._catalog.reserve(image)
        return self._store_bytes(image, upload.content)

    def _store_bytes(self, image: ProductImage, content: bytes) -> ProductImage:
        try:
            self._store.put(image, content)
        except BytesRefusedError as error:
            self._catalog.withdraw(image.ref, self._clock())
            self._catalog.finish_removal(image.ref)
            raise UnavailableError(image.ref) from error
        except UnavailableError:
            return self._take_back(image.ref)
        return image

    def _take_back(self, ref: ImageRef) -> ProductImage:
        """Undo an upload whose reply was lost, unless its event has shown that it did arrive."""
        try:
            inspected = self._catalog.withdraw(ref, self._clock())
        except UnavailableError as error:
            raise OutcomeUnknownError(ref) from error
        if inspected is not None:
            return inspected
        try:
            self._store.delete(ref)
        except UnavailableError as error:
            raise UnavailableError(ref) from error
        # The record stays, hidden: bytes still on their way find it and go, and the reconciler removes it.
        raise UnavailableError(ref)
