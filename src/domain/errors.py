"""What can go wrong, in the words of the service.

Every error has a `code`, stable and in snake_case, and a message that is safe to show to a client.
None of them knows an HTTP status: `handlers.problems` maps codes to answers.
"""

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from domain.failure import Failure
    from domain.image import ImageRef


MAX_NAMED_FAULTS = 20
"""Faults that an error names before it only counts: more than a person corrects at once."""


class DomainError(Exception):
    """A fault that the service foresees; its message is a sentence a person can act on.

    `retry_after_seconds` is there where waiting helps.
    """

    code = "domain_error"
    retry_after_seconds: int | None = None


class FieldFault(NamedTuple):
    """One field of a request and what is wrong with it."""

    field: str
    message: str


class InvalidRequestError(DomainError):
    """The request as a whole cannot be read."""

    code = "invalid_request"


class InvalidFieldsError(DomainError):
    """One or more fields of a request break a rule; `faults` names the first twenty.

    `others` is the number of faults that the caller has left out already.
    """

    code = "invalid_fields"

    def __init__(self, faults: Sequence[FieldFault], others: int = 0) -> None:
        self.faults = faults[:MAX_NAMED_FAULTS]
        others += len(faults) - len(self.faults)
        names = ", ".join(dict.fromkeys(fault.field for fault in self.faults))
        more = f", and {others:,} more" if others else ""
        super().__init__(f"Correct these fields and send the request again: {names}{more}.")


class UnsupportedEncodingError(DomainError):
    """The request's content was encoded before it was sent, compressed for example."""

    code = "unsupported_encoding"


class UnsupportedFormatError(DomainError):
    """The bytes are not a picture in a supported format."""

    code = "unsupported_format"


class FileTooLargeError(DomainError):
    """The picture is larger than the service takes."""

    code = "file_too_large"
    _way = "an upload"
    _advice = "Send a smaller or more strongly compressed image."

    def __init__(self, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(
            f"The image has {size_bytes:,} bytes; {self._way} takes at most {limit_bytes:,}. {self._advice}"
        )


class FileTooLargeForDirectUploadError(FileTooLargeError):
    """The picture is larger than an event can carry; an upload form takes it."""

    _way = "a direct upload"
    _advice = (
        "Ask for an upload form with POST to /api/products/{product_id}/images/uploads, "
        "and send the image with it."
    )


class BodyTooLargeError(DomainError):
    """A JSON body has more bytes than any request needs."""

    code = "body_too_large"

    def __init__(self, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(
            f"The body has {size_bytes:,} bytes; JSON may have at most {limit_bytes:,} here. "
            "Send only the fields that the documentation at /api/docs names."
        )


class ProductNotFoundError(DomainError):
    """There is no product with this identifier."""

    code = "product_not_found"

    def __init__(self, product_id: int) -> None:
        super().__init__(f"There is no product {product_id}.")


class ImageNotFoundError(DomainError):
    """The product has no picture with this identifier."""

    code = "image_not_found"

    def __init__(self, product_id: int, image_id: int) -> None:
        super().__init__(f"Product {product_id} has no image {image_id}.")


class StaleImageError(DomainError):
    """The picture has changed since the client read it."""

    code = "stale_image"

    def __init__(self) -> None:
        super().__init__("The image has changed since you read it. Read it again and decide again.")


class StaleOrderError(DomainError):
    """The gallery no longer stands in the order that the client read."""

    code = "stale_order"

    def __init__(self) -> None:
        super().__init__(
            "The order has changed since you read it, or the ETag is not that of a list of all images. "
            "List the images again, without `status`, and decide again."
        )


class ImageNotReadyError(DomainError):
    """Only a picture that decodes can be a product's primary."""

    code = "image_not_ready"

    def __init__(self, image_id: int) -> None:
        super().__init__(f"Image {image_id} has failed and cannot be the primary. Upload it again.")


class GalleryTooLargeError(DomainError):
    """The product has more pictures than can be changed in one step."""

    code = "gallery_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The product has more than {limit} images, and no more can be reordered at once. "
            "Change the order of single images instead."
        )


class QuotaExceededError(DomainError):
    """The API key has used up its uploads for today."""

    code = "quota_exceeded"

    def __init__(self, limit: int, wait: timedelta) -> None:
        super().__init__(f"This API key may upload {limit:,} images a day. Go on tomorrow, from 00:00 UTC.")
        self.retry_after_seconds = math.ceil(wait.total_seconds())


class KeyInUseError(DomainError):
    """A request with the same idempotency key is still running."""

    code = "request_in_progress"
    # An upload takes less.
    retry_after_seconds = 1

    def __init__(self) -> None:
        super().__init__("A request with this Idempotency-Key is still running. Send it again in a moment.")


class KeyReusedError(DomainError):
    """The idempotency key came with another request before."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was used for another request. Use a new key for a new request."
        )


class UnavailableError(DomainError):
    """A store did not answer in time or refused for now; the same request may succeed later.

    `ref` is the picture whose upload was begun and taken back, if it came that far.
    """

    code = "temporarily_unavailable"
    # Longer than DynamoDB and S3 usually throttle for, and short enough for a script to wait.
    retry_after_seconds = 5
    sentence = "The service cannot do this just now. Send the same request again in a few seconds."

    def __init__(self, ref: "ImageRef | None" = None) -> None:
        super().__init__(self.sentence)
        self.ref = ref


class OutcomeUnknownError(UnavailableError):
    """The stores did not say whether a picture arrived, and could not be told to take it back."""

    code = "outcome_unknown"
    sentence = (
        "The service cannot tell whether the image arrived. Send the same request again with the same "
        "Idempotency-Key; if you gave none, look first whether the image is there."
    )


class ImageIdTakenError(DomainError):
    """Another picture already has this identifier."""

    code = "image_id_taken"


class BytesRefusedError(DomainError):
    """The store does not accept the bytes, and wrote nothing."""

    code = "bytes_refused"


class ImageRecordMissingError(DomainError):
    """A picture has no record, or no longer."""

    code = "image_record_missing"

    def __init__(self, ref: "ImageRef") -> None:
        super().__init__(f"There is no record of image {ref.image_id} of product {ref.product_id}.")


class ImageRecordDamagedError(DomainError):
    """The record of a picture cannot be read: `attribute` is missing in it, or holds what it cannot hold."""

    code = "image_record_damaged"

    def __init__(self, product_id: int, image_id: int, attribute: str) -> None:
        super().__init__(
            f"The record of image {image_id} of product {product_id} is damaged. "
            "Sending the request again does not help: quote the request_id to whoever runs the service."
        )
        self.product_id = product_id
        self.image_id = image_id
        self.attribute = attribute


class NotAPictureError(DomainError):
    """The bytes do not decode as a picture, or are not those that were announced; `failure` says why."""

    code = "not_a_picture"

    def __init__(self, failure: "Failure") -> None:
        super().__init__(failure.reason)
        self.failure = failure


class NotRenderableError(DomainError):
    """No files for a storefront can be made of a picture, though it decodes; the message says why."""

    code = "not_renderable"

    def __init__(self, why: str) -> None:
        super().__init__(f"The image cannot be rendered: {why}.")
        self.why = why


class UnknownKeyError(DomainError):
    """The API key is malformed, unknown, revoked or expired."""

    code = "unknown_key"


class RoleNotAllowedError(DomainError):
    """The API key is good, but its user may not manage pictures."""

    code = "role_not_allowed"

    def __init__(self, key_id: str) -> None:
        super().__init__("Only staff and administrators may manage product images.")
        self.key_id = key_id


class AccessDeniedError(DomainError):
    """The caller may manage pictures, but not do this."""

    code = "access_denied"


class ProductBeingRemovedError(DomainError):
    """A product that was removed still has pictures, so that it cannot be there again yet."""

    code = "product_being_removed"
    # A hundred pictures take about as long.
    retry_after_seconds = 10

    def __init__(self, product_id: int) -> None:
        super().__init__(
            f"Product {product_id} is being removed with its images. Put it again when that is done: "
            "some seconds for a hundred images, half an hour for a hundred thousand."
        )


class ProductHasImagesError(DomainError):
    """A product that still has pictures cannot be removed."""

    code = "product_has_images"

    def __init__(self, product_id: int) -> None:
        super().__init__(
            f"Product {product_id} still has images; remove them first. "
            "What was just removed may take two hours to be gone."
        )
