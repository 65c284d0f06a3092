"""Pictures' bytes in an S3 bucket: below `incoming/` what clients send, below `media/` the public copies."""

import base64
import logging
import zlib
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from adapters.aws import error_code, passing_errors_as_unavailable
from domain.errors import BytesRefusedError, UnavailableError
from domain.image import ImageFormat, ImageRef, ProductImage, UploadStamp
from domain.image_store import PublicCopy, ReceivedFile
from domain.moments import iso_utc

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from domain.rendition import Rendition

_CREATED_AT, _PRIMARY_REQUESTED_AT = "created-at", "primary-requested-at"
"""User metadata of what `put` writes: the stamp, which spares the metadata function a read of the record.

S3 refuses a form with fields that its policy does not name.
"""
_SHA256 = "sha256"
"""User metadata of a public copy: of the file that it was made of, for whoever goes on with it."""
_CACHE_CONTROL = "public, max-age=31536000, immutable"
"""Bytes at an address never change, so that a browser may keep them for a year (RFC 8246)."""
_OCCUPIED = "PreconditionFailed"
_PASSING_CONFLICT = "ConditionalRequestConflict"
"""Something else happens to the key just now (S3 user guide, "Conditional writes")."""
_SERVER_ERROR = 500
_FORMAT_BY_EXTENSION = {image_format.extension: image_format for image_format in ImageFormat}
_log = logging.getLogger(__name__)


class S3ImageStore:
    """Writes each key once, made of a picture's identifiers and its token.

    `crc32` computes the checksum that S3 checks; where much is written, a faster one than the standard
    library's is worth it (docs/decisions.md, "zlib-ng computes the checksum of an upload").
    """

    def __init__(self, client: "S3Client", bucket: str, crc32: Callable[[bytes], int] = zlib.crc32) -> None:
        self._client = client
        self._bucket = bucket
        self._crc32 = crc32

    def put(self, image: ProductImage, content: bytes) -> None:
        """Write the bytes unless there are any (`If-None-Match: *`), their CRC32 checked by S3."""
        try:
            with passing_errors_as_unavailable():
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=image.ref.incoming_key,
                    Body=content,
                    Metadata=_stamped(image.stamp),
                    ChecksumCRC32=self._checksum(content),
                    IfNoneMatch="*",
                )
        except ClientError as error:
            if error_code(error) == _OCCUPIED:
                # By an earlier try of this upload, whose reply was lost: nobody else knows the key.
                return
            metadata = error.response.get("ResponseMetadata", {})
            retried = metadata.get("RetryAttempts", 0) > 0
            if retried or metadata.get("HTTPStatusCode", _SERVER_ERROR) >= _SERVER_ERROR:
                # An earlier try, or this one, may have written the bytes all the same.
                raise UnavailableError from error
            raise BytesRefusedError("S3 did not accept the bytes.") from error

    def received(self, ref: ImageRef) -> ReceivedFile | None:
        """Read what came in. S3 tells a missing key only to roles that may list the bucket."""
        stored = self._read(ref.incoming_key)
        if stored is None:
            return None
        content, metadata = stored
        return ReceivedFile(content, _stamp(metadata))

    def publish(self, ref: ImageRef, copy: PublicCopy) -> PublicCopy:
        """Write the copy unless there is one (`If-None-Match: *`), with what S3 is to send with it."""
        key = ref.media_key(copy.image_format)
        extension = copy.image_format.extension
        try:
            with passing_errors_as_unavailable():
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=copy.content,
                    ContentType=copy.image_format.media_type,
                    # The client's own name of the file may tell what nobody was to know.
                    ContentDisposition=f'inline; filename="{ref.product_id}-{ref.image_id}.{extension}"',
                    CacheControl=_CACHE_CONTROL,
                    Metadata={_SHA256: copy.sha256},
                    ChecksumCRC32=self._checksum(copy.content),
                    IfNoneMatch="*",
                )
        except ClientError as error:
            there = self._copy_at(key) if error_code(error) == _OCCUPIED else None
            if there is not None:
                return there
            if error_code(error) in {_OCCUPIED, _PASSING_CONFLICT}:
                # What was there went meanwhile, or something comes.
                raise UnavailableError(ref) from error
            raise
        return copy

    def public_copy(self, ref: ImageRef) -> PublicCopy | None:
        """List what there is, of whatever format, and read it."""
        key = next((key for key in self._public_keys(ref) if key.startswith(f"{ref.media_prefix}.")), None)
        return self._copy_at(key) if key else None

    def shown(self, image: ProductImage) -> PublicCopy | None:
        """Read what lies where the record says."""
        return self._copy_at(image.media_key)

    def add_rendition(
        self, ref: ImageRef, recipe: str, rendition: "Rendition", content: bytes
    ) -> "Rendition":
        """Write the file unless there is one (`If-None-Match: *`)."""
        key = f"media/{rendition.path(ref, recipe)}"
        try:
            with passing_errors_as_unavailable():
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=content,
                    ContentType=rendition.image_format.media_type,
                    CacheControl=_CACHE_CONTROL,
                    ChecksumCRC32=self._checksum(content),
                    IfNoneMatch="*",
                )
        except ClientError as error:
            if error_code(error) == _PASSING_CONFLICT:
                raise UnavailableError(ref) from error
            if error_code(error) != _OCCUPIED:
                raise
            # An earlier try may have been one of another version of the encoder.
            return rendition._replace(size_bytes=self._size_at(ref, key))
        return rendition

    def has_all_made(self, image: ProductImage) -> bool:
        """List what there is, and compare it with the record."""
        return set(image.made_keys) <= set(self._public_keys(image.ref))

    def is_public(self, ref: ImageRef) -> bool:
        """List what there is."""
        return bool(self._public_keys(ref))

    def is_there(self, ref: ImageRef) -> bool:
        """List what there is, which takes no right to read it."""
        return bool(self._keys(ref.incoming_key)) or self.is_public(ref)

    def discard_received(self, ref: ImageRef) -> None:
        """Remove what came in; what stays expires by the bucket's rules."""
        try:
            self._client.delete_object(Bucket=self._bucket, Key=ref.incoming_key)
        except (BotoCoreError, ClientError) as error:
            # The message may name the key, which is not to be told.
            why = error_code(error) if isinstance(error, ClientError) else type(error).__name__
            _log.warning("what came in stays until it expires: %s", why)

    def unpublish(self, ref: ImageRef, keep: ImageFormat | None = None) -> None:
        """List what there is and remove it; where one copy is kept, so is all that was made of it."""
        keys = self._public_keys(ref)
        if keep:
            kept = ref.media_key(keep)
            keys = [key for key in keys if key.startswith(f"{ref.media_prefix}.") and key != kept]
        if keys:
            self._delete(keys)

    def delete(self, image: ProductImage) -> None:
        """Remove all in one call; in the versioned bucket old versions stay until they expire.

        The record names what was made of a picture, once all of it was, unless another recipe made files too:
        else it is listed. Of one that is not ready nothing was made, but any format of a copy may come to lie
        there.
        """
        ref = image.ref
        known = {ref.incoming_key, image.media_key}
        if image.look and image.look.is_only:
            known.update(image.made_keys)
        elif image.facts:
            known.update(self._public_keys(ref))
        else:
            known.update(ref.media_key(image_format) for image_format in ImageFormat)
        self._delete(sorted(known))

    def _copy_at(self, key: str) -> PublicCopy | None:
        stored = self._read(key)
        if stored is None:
            return None
        content, metadata = stored
        return PublicCopy(content, _FORMAT_BY_EXTENSION[key.rpartition(".")[2]], metadata.get(_SHA256, ""))

    def _size_at(self, ref: ImageRef, key: str) -> int:
        with passing_errors_as_unavailable():
            try:
                return self._client.head_object(Bucket=self._bucket, Key=key)["ContentLength"]
            except ClientError as error:
                # Answers to HEAD have no body, so that the SDK makes the status the code.
                if error_code(error) == "404":
                    raise UnavailableError(ref) from error
                raise

    def _read(self, key: str) -> tuple[bytes, Mapping[str, str]] | None:
        with passing_errors_as_unavailable():
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if error_code(error) == "NoSuchKey":
                    return None
                raise
            return answer["Body"].read(), answer["Metadata"]

    def _public_keys(self, ref: ImageRef) -> list[str]:
        return self._keys(ref.media_prefix)

    def _keys(self, prefix: str) -> list[str]:
        """List a picture's keys; there are fewer than the thousand of one call."""
        with passing_errors_as_unavailable():
            answer = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix)
        return [stored["Key"] for stored in answer.get("Contents", [])]

    def _delete(self, keys: Collection[str]) -> None:
        with passing_errors_as_unavailable():
            answer = self._client.delete_objects(
                Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
            )
            # The answer is a 200 whatever became of each key.
            errors = answer.get("Errors")
            if errors:
                code, message = errors[0].get("Code", ""), errors[0].get("Message", "")
                raise ClientError({"Error": {"Code": code, "Message": message}}, "DeleteObjects")

    def _checksum(self, content: bytes) -> str:
        return base64.b64encode(self._crc32(content).to_bytes(4)).decode()


def _stamped(stamp: UploadStamp) -> dict[str, str]:
    wish = stamp.primary_requested_at
    return {
        _CREATED_AT: iso_utc(stamp.created_at),
        **({_PRIMARY_REQUESTED_AT: iso_utc(wish)} if wish else {}),
    }


def _stamp(metadata: Mapping[str, str]) -> UploadStamp | None:
    created_at, wish = metadata.get(_CREATED_AT), metadata.get(_PRIMARY_REQUESTED_AT)
    if created_at is None:
        return None
    return UploadStamp(datetime.fromisoformat(created_at), datetime.fromisoformat(wish) if wish else None)
