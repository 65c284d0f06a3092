"""Makes the public copy of a picture that came in, proves that it decodes, and completes the record."""

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from domain.errors import ImageRecordMissingError, NotAPictureError, UnsupportedFormatError
from domain.failure import Failure
from domain.image import ImageFacts, ImageRef, ImageStatus, ProductImage, PublicFile, UploadStamp
from domain.image_events import ImageEventKind, ImageSummary
from domain.image_signature import detect_format
from domain.image_store import PublicCopy, ReceivedFile
from domain.public_copy import public_copy
from domain.take_back import take_back

if TYPE_CHECKING:
    from domain.image_catalog import ImageCatalog
    from domain.image_store import ImageStore
    from domain.ports import Clock, ImageEvents, ImageInspector

_ANNOUNCE_ANEW = "Ask for a new form for this file, and send it with that."


class Completion(NamedTuple):
    """The picture as it now stands, and whether this call completed its record or an earlier one had."""

    image: ImageSummary
    is_new: bool


class ExtractMetadata:
    """Makes the public copy, and fills in what it tells. Safe to repeat, and in any order.

    The public copy that was written first is the picture: whoever comes second goes on with that one. The
    file that came in is removed last of all, so that a try that was cut short is found again.
    """

    def __init__(
        self,
        *,
        catalog: "ImageCatalog",
        store: "ImageStore",
        inspector: "ImageInspector",
        events: "ImageEvents",
        clock: "Clock",
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._inspector = inspector
        self._events = events
        self._clock = clock

    def __call__(self, ref: ImageRef) -> Completion | None:
        """Complete the record of a picture that has come in; None if there is nothing to complete.

        Bytes without a record, or of a picture that is being deleted, are removed wherever they lie.

        Raises:
            ImageRecordDamagedError: its record cannot be read.
            UnavailableError: a store failed for now; try again.

        """
        received = self._store.received(ref)
        try:
            completion = self._take_in(ref, received) if received else self._go_on(ref)
        except ImageRecordMissingError:
            take_back(ref, self._store, self._events)
            completion = None
        if received:
            self._store.discard_received(ref)
        return completion

    def _take_in(self, ref: ImageRef, received: ReceivedFile) -> Completion:
        """Publish what came in and tell it, or record why that is no picture.

        Bytes that came by a form are compared with what the client announced, which takes a read of the
        record. Bytes that the upload function wrote need none.
        """
        stamp = received.stamp
        sha256 = hashlib.sha256(received.content).hexdigest()
        try:
            if stamp is None:
                image = self._record(ref)
                if image.status is not ImageStatus.PENDING:
                    return self._settle(image, is_new=False)
                _compare(image, received.content, sha256)
                stamp = image.stamp
            copy = _copy_of(received.content, sha256)
            facts = self._inspector.inspect(copy.content, copy.image_format)
            there = self._store.publish(ref, copy)
            if there.content != copy.content:
                facts = self._inspector.inspect(there.content, there.image_format)
        except NotAPictureError as error:
            return self._fail(ref, error.failure, sha256)
        return self._complete(ref, stamp, there, facts)

    def _go_on(self, ref: ImageRef) -> Completion | None:
        """Go on where an earlier try of the same event may have ended, after it removed what came in."""
        image = self._record(ref)
        if image.status is not ImageStatus.PENDING:
            return self._settle(image, is_new=False)
        copy = self._store.public_copy(ref)
        if copy is None:
            return None
        try:
            facts = self._inspector.inspect(copy.content, copy.image_format)
        except NotAPictureError as error:
            return self._fail(ref, error.failure, copy.sha256)
        return self._complete(ref, image.stamp, copy, facts)

    def _record(self, ref: ImageRef) -> ProductImage:
        image = self._catalog.get(ref.product_id, ref.image_id)
        if image is None or image.ref != ref:
            raise ImageRecordMissingError(ref)
        return image

    def _complete(self, ref: ImageRef, stamp: UploadStamp, copy: PublicCopy, facts: ImageFacts) -> Completion:
        """Make a picture ready that the public sees, and the primary in the same step if that is wished."""
        file = PublicFile(copy.image_format, len(copy.content), copy.sha256, facts)
        now, wish = self._clock(), stamp.primary_requested_at
        if wish is None or not self._catalog.mark_primary_ready(ref, file, now, requested_at=wish):
            image = self._catalog.mark_ready(ref, file, now)
            return self._settle(image, is_new=image.updated_at == now)
        summary = ImageSummary(
            ref=ref,
            image_format=file.image_format,
            size_bytes=file.size_bytes,
            status=ImageStatus.READY,
            facts=facts,
            failure=None,
            created_at=stamp.created_at,
            updated_at=now,
        )
        self._events.send(ImageEventKind.READY, summary)
        return Completion(summary, is_new=True)

    def _fail(self, ref: ImageRef, failure: Failure, sha256: str) -> Completion:
        now = self._clock()
        image = self._catalog.mark_failed(ref, failure, sha256, now)
        return self._settle(image, is_new=image.updated_at == now)

    def _settle(self, image: ProductImage, *, is_new: bool) -> Completion:
        """Bring the public's bytes and the pointer in line with the record, then tell what became of it.

        Every try tells it, so that a message that got lost is sent again by the next one.
        """
        summary, is_ready = ImageSummary.of(image), image.status is ImageStatus.READY
        if image.status is ImageStatus.DELETING:
            take_back(image.ref, self._store, self._events)
        elif not is_ready:
            self._store.unpublish(image.ref)
        elif not is_new:
            # What was sent second, with the same form, may be of another format.
            self._store.unpublish(image.ref, keep=image.image_format)
        if is_ready and image.primary_requested_at:
            self._catalog.move_primary(image)
        if image.is_inspected and image.status is not ImageStatus.DELETING:
            self._events.send(ImageEventKind.READY if is_ready else ImageEventKind.FAILED, summary)
        return Completion(summary, is_new)


def _copy_of(content: bytes, sha256: str) -> PublicCopy:
    try:
        image_format = detect_format(content)
    except UnsupportedFormatError as error:
        raise NotAPictureError(Failure("not_a_picture", str(error))) from error
    return PublicCopy(public_copy(content, image_format), image_format, sha256)


def _compare(image: ProductImage, content: bytes, sha256: str) -> None:
    """Check the bytes against what was said of them before they came."""
    if len(content) != image.size_bytes:
        reason = (
            f"The file has {len(content):,} bytes; {image.size_bytes:,} had been announced. {_ANNOUNCE_ANEW}"
        )
        raise NotAPictureError(Failure("wrong_size", reason))
    if image.announcement and image.announcement.sha256 not in {None, sha256}:
        reason = f"The file has another SHA-256 than had been announced. {_ANNOUNCE_ANEW}"
        raise NotAPictureError(Failure("wrong_digest", reason))
