"""Opens a stored picture, proves that it decodes, and completes its record."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from domain.errors import ImageRecordMissingError, NotAPictureError, UnsupportedFormatError
from domain.failure import Failure
from domain.image import ImageFacts, ImageRef, ImageStatus, ProductImage, UploadStamp
from domain.image_events import ImageEventKind, ImageSummary
from domain.image_signature import detect_format
from domain.ports import Clock, ImageCatalog, ImageEvents, ImageInspector, ImageStore, StoredBytes

_ANNOUNCE_ANEW = "Ask for a new form for this file, and send it with that."


@dataclass(frozen=True, slots=True)
class Completion:
    """The picture as it now stands, and whether this call completed its record or an earlier one had."""

    image: ImageSummary
    is_new: bool


class ExtractMetadata:
    """Fills in what the bytes tell. Safe to repeat, and in any order with other pictures."""

    def __init__(
        self,
        *,
        catalog: ImageCatalog,
        store: ImageStore,
        inspector: ImageInspector,
        events: ImageEvents,
        clock: Clock,
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._inspector = inspector
        self._events = events
        self._clock = clock

    def __call__(self, ref: ImageRef) -> Completion | None:
        """Complete the record of the picture whose bytes have arrived; None if they are gone.

        Where bytes can be written more than once, those that were written first are the picture, whichever
        event comes first, and any others are discarded; they are compared with what was announced. Where
        they cannot, nothing is looked up before they are inspected.

        Raises:
            ImageRecordMissingError: there are bytes without a record; an operator must look.
            UnavailableError: a store failed for now; try again.

        """
        stored = self._store.get(ref)
        if stored is not None and stored.stamp is None:
            stored = self._first(ref, stored)
        if stored is None:
            self._repeat_failure(ref)
            return None
        try:
            return self._complete(ref, stored)
        except ImageRecordMissingError:
            if self._store.exists(ref):
                raise
            # Its deletion ended meanwhile.
            return None

    def _first(self, ref: ImageRef, stored: StoredBytes) -> StoredBytes | None:
        """Return the bytes that were written first, and discard all others that cover them."""
        versions = self._store.versions(ref)
        if not versions:
            return None
        first, *covering = versions
        # All of them: events that are handled at once may all have met the same one.
        for version in covering:
            self._store.discard(ref, version)
        return stored if stored.version == first else self._store.get(ref, first)

    def _repeat_failure(self, ref: ImageRef) -> None:
        # The bytes of a failed picture are gone when an earlier try got no further than that.
        image = self._catalog.get(ref.product_id, ref.image_id)
        if image and image.status is ImageStatus.FAILED:
            self._events.send(ImageEventKind.FAILED, ImageSummary.of(image))

    def _complete(self, ref: ImageRef, stored: StoredBytes) -> Completion:
        """Inspect the bytes, record what became of them and tell it.

        Only bytes that a client wrote are compared with what it had announced: the record that says so takes
        a look at it, which those that this service wrote are spared.
        """
        version, stamp = stored.version, stored.stamp
        try:
            if stamp is None:
                image = self._announced(ref)
                if image.status is not ImageStatus.PENDING:
                    return self._settle(image, version)
                _compare(image, stored.content)
                stamp = image.stamp
            facts = self._inspector.inspect(stored.content, ref.image_format)
        except NotAPictureError as error:
            now = self._clock()
            return self._settle(self._catalog.mark_failed(ref, error.failure, version, now), version, now)
        # Published first: whoever reads that it is ready can open it.
        self._store.publish(ref, version)
        now = self._clock()
        primary = self._complete_primary(ref, stored, stamp, facts, now)
        if primary:
            self._events.send(ImageEventKind.READY, primary)
            return Completion(primary, is_new=True)
        return self._settle(self._catalog.mark_ready(ref, facts, version, now), version, now)

    def _complete_primary(
        self, ref: ImageRef, stored: StoredBytes, stamp: UploadStamp, facts: ImageFacts, now: datetime
    ) -> ImageSummary | None:
        """Make a picture ready and the primary in one step; None if that is not wished or no longer so."""
        wish = stamp.primary_requested_at
        if wish is None:
            return None
        if not self._catalog.mark_primary_ready(ref, facts, stored.version, now, requested_at=wish):
            return None
        return ImageSummary(
            ref=ref,
            size_bytes=len(stored.content),
            status=ImageStatus.READY,
            facts=facts,
            failure=None,
            created_at=stamp.created_at,
            updated_at=now,
        )

    def _announced(self, ref: ImageRef) -> ProductImage:
        image = self._catalog.get(ref.product_id, ref.image_id)
        if image is None:
            raise ImageRecordMissingError(ref.key)
        return image

    def _settle(
        self, image: ProductImage, version: str | None, completed_at: datetime | None = None
    ) -> Completion:
        """Bring bytes and pointer in line with the record, then tell what became of it.

        Every try tells it, so that a message that got lost is sent again by the next one. The record is newly
        completed if it says that it was at `completed_at`.
        """
        summary = ImageSummary.of(image)
        if version is not None and image.version not in {None, version}:
            self._store.discard(image.ref, version)
        elif image.status is ImageStatus.READY:
            if image.primary_requested_at:
                self._catalog.move_primary(image)
            self._events.send(ImageEventKind.READY, summary)
        else:
            self._store.delete(image.ref)
            if image.status is ImageStatus.FAILED:
                self._events.send(ImageEventKind.FAILED, summary)
        return Completion(summary, is_new=image.is_inspected and image.updated_at == completed_at)


def _compare(image: ProductImage, content: bytes) -> None:
    """Check the bytes against what was said of them before they came."""
    if len(content) != image.size_bytes:
        reason = (
            f"The file has {len(content):,} bytes; {image.size_bytes:,} had been announced. {_ANNOUNCE_ANEW}"
        )
        raise NotAPictureError(Failure("wrong_size", reason))
    announced = image.announcement.sha256 if image.announcement else None
    if announced and hashlib.sha256(content).hexdigest() != announced:
        reason = f"The file has another SHA-256 than had been announced. {_ANNOUNCE_ANEW}"
        raise NotAPictureError(Failure("wrong_digest", reason))
    try:
        detected = detect_format(content)
    except UnsupportedFormatError as error:
        raise NotAPictureError(Failure("not_a_picture", str(error))) from error
    if detected is not image.ref.image_format:
        announced_as = image.ref.image_format.name
        reason = f"The file is a {detected.name} picture; {announced_as} had been announced. {_ANNOUNCE_ANEW}"
        raise NotAPictureError(Failure("not_a_picture", reason))
