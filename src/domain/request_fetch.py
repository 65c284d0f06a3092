"""Reserves the record of a picture that the service fetches by its address, and has it fetched."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import unquote

from domain.announced_format import FORMAT_BY_EXTENSION
from domain.begun import Begun, begun_with, find_begun, take_back
from domain.claim import BegunPicture
from domain.errors import (
    FieldFault,
    InvalidFieldsError,
    UnavailableError,
)
from domain.fetching import FetchQueue
from domain.image import Fetch, ImageFormat, ImageRef, ImageStatus, ProductImage
from domain.image_catalog import ImageCatalog
from domain.image_details import ImageDetails
from domain.ports import Clock, ImageIds
from domain.public_address import AddressRefusedError, WebAddress, is_allowed, read_address
from domain.text import clean_file_name
from domain.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class WishedPicture:
    """What a client says of a picture that is to be fetched; `name` is None where the address tells it.

    `details`, which are by name, are as they came.
    """

    product_id: int
    user: User
    url: str
    name: str | None
    details: Mapping[str, Any]
    is_primary: bool


class RequestFetch:
    """Checks the address, reserves the record, has the picture fetched."""

    def __init__(
        self,
        *,
        catalog: ImageCatalog,
        queue: FetchQueue,
        ids: ImageIds,
        new_token: Callable[[], str],
        clock: Clock,
        allowed_hosts: Collection[str],
    ) -> None:
        self._catalog = catalog
        self._queue = queue
        self._ids = ids
        self._new_token = new_token
        self._clock = clock
        self._allowed_hosts = allowed_hosts

    def __call__(self, wished: WishedPicture, earlier: BegunPicture | None = None) -> Begun[ProductImage]:
        """Check what is wished, and return what reserves the record and has the picture fetched.

        That returns the pending record; its size is 0, and its format a guess, until the picture has come.
        `earlier` is the picture that an earlier try of this request has begun, which is gone on with.

        Raises:
            InvalidFieldsError: found without any I/O.
            UnavailableError: identifiers, or what became of the earlier picture, cannot be had now.

        What it returns raises:
            ProductNotFoundError: nothing was reserved.
            UnavailableError: at most a record was written, which is taken back.
            OutcomeUnknownError: the picture may yet appear.

        """
        address = self._address(wished.url)
        details = ImageDetails().changed(wished.details)
        now = self._clock()
        found = self._find(wished, earlier) if earlier else None
        if found:
            return begun_with(found, partial(self._go_on, found))
        told = _name_in(address)
        image_format = FORMAT_BY_EXTENSION.get(told.rpartition(".")[2].lower(), ImageFormat.JPEG)
        image = ProductImage(
            ref=ImageRef(wished.product_id, self._ids.next_id(), self._new_token()),
            image_format=image_format,
            user=wished.user,
            name=clean_file_name(wished.name or told) or f"image.{image_format.extension}",
            size_bytes=0,
            details=details,
            primary_requested_at=now if wished.is_primary else None,
            announcement=None,
            fetch=Fetch(address.url),
            created_at=now,
            updated_at=now,
        )
        return begun_with(image, partial(self._reserve, image))

    def _address(self, url: str) -> WebAddress:
        try:
            address = read_address(url)
        except AddressRefusedError as error:
            raise InvalidFieldsError((FieldFault("url", str(error)),)) from None
        if not is_allowed(address.host, self._allowed_hosts):
            message = "Pictures are not fetched from this host. Ask whoever runs the service to allow it."
            raise InvalidFieldsError((FieldFault("url", message),))
        return address

    def _find(self, wished: WishedPicture, earlier: BegunPicture) -> ProductImage | None:
        # One that is pending is never removed before its fetch has come to an end.
        return find_begun(
            self._catalog, wished.product_id, earlier, self._clock(), may_go_on=lambda _image: True
        )

    def _go_on(self, found: ProductImage) -> ProductImage:
        if found.status is ImageStatus.PENDING:
            self._queue.request(found.ref)
        return found

    def _reserve(self, image: ProductImage) -> ProductImage:
        self._catalog.reserve(image)
        try:
            self._queue.request(image.ref)
        except UnavailableError as error:
            # The message may have been sent or not; the reconciler removes the record.
            inspected = take_back(self._catalog, image.ref, self._clock())
            if inspected is None:
                raise UnavailableError(image.ref) from error
            return inspected
        return image


def _name_in(address: WebAddress) -> str:
    return unquote(address.target.partition("?")[0].rpartition("/")[2])
