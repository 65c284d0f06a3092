"""Pictures' bytes in an S3 bucket."""

import base64
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NotRequired, TypedDict

from botocore.exceptions import ClientError

from adapters.aws import error_code, passing_errors_as_unavailable
from domain.errors import BytesRefusedError, UnavailableError
from domain.image import ImageRef, ProductImage, UploadStamp
from domain.moments import iso_utc
from domain.ports import StoredBytes

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import TaggingTypeDef

STATUS_TAG = "status"
PUBLISHED = "ready"
_WRITTEN_ONCE = "written-once"
"""User metadata of what `put` writes: its key, so that a copy elsewhere does not pass for it.

S3 refuses a form with fields that its policy does not name.
"""
_CREATED_AT, _PRIMARY_REQUESTED_AT = "created-at", "primary-requested-at"
"""User metadata beside it: the stamp, which spares the metadata function a read of the record."""
_SERVER_ERROR = 500
_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "MethodNotAllowed"})
"""Answers for bytes that were deleted: no such key or version, or a delete marker in its place."""


class ServedWith(TypedDict):
    """Headers that S3 keeps with an object and sends with its bytes."""

    ContentType: str
    CacheControl: str


class _Version(TypedDict):
    VersionId: NotRequired[str]


class S3ImageStore:
    """Writes each picture once, at a key made of its identifiers.

    `crc32` computes the checksum that S3 checks; where much is written, a faster one than the standard
    library's is worth it (docs/decisions.md, "zlib-ng computes the checksum of an upload").
    """

    def __init__(self, client: "S3Client", bucket: str, crc32: Callable[[bytes], int] = zlib.crc32) -> None:
        self._client = client
        self._bucket = bucket
        self._crc32 = crc32

    def put(self, image: ProductImage, content: bytes) -> None:
        """Write the bytes unless there are any (`If-None-Match: *`), their CRC32 checked by S3."""
        ref = image.ref
        checksum = base64.b64encode(self._crc32(content).to_bytes(4)).decode()
        try:
            with passing_errors_as_unavailable():
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=ref.key,
                    Body=content,
                    **served_with(ref),
                    Metadata={_WRITTEN_ONCE: ref.key, **_stamped(image.stamp)},
                    ChecksumCRC32=checksum,
                    IfNoneMatch="*",
                )
        except ClientError as error:
            if error_code(error) == "PreconditionFailed":
                self._accept_if_same(ref, checksum, error)
                return
            metadata = error.response.get("ResponseMetadata", {})
            retried = metadata.get("RetryAttempts", 0) > 0
            if retried or metadata.get("HTTPStatusCode", _SERVER_ERROR) >= _SERVER_ERROR:
                # An earlier try, or this one, may have written the bytes all the same.
                raise UnavailableError from error
            raise BytesRefusedError("S3 did not accept the bytes.") from error

    def get(self, ref: ImageRef, version: str | None = None) -> StoredBytes | None:
        """Read the bytes. S3 tells a missing key only to roles that may list the bucket."""
        with passing_errors_as_unavailable():
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=ref.key, **_version(version))
            except ClientError as error:
                if error_code(error) in _GONE:
                    return None
                raise
            return StoredBytes(
                answer["Body"].read(), answer.get("VersionId"), _stamp(ref, answer["Metadata"])
            )

    def exists(self, ref: ImageRef) -> bool:
        """Ask for the bytes' headers."""
        with passing_errors_as_unavailable():
            try:
                self._client.head_object(Bucket=self._bucket, Key=ref.key)
            except ClientError as error:
                # Answers to HEAD have no body, so that the SDK makes the status the code.
                if error_code(error) == "404":
                    return False
                raise
        return True

    def versions(self, ref: ImageRef) -> list[str]:
        """List them, which S3 does from the latest to the first (S3 API reference, ListObjectVersions)."""
        with passing_errors_as_unavailable():
            pages = self._client.get_paginator("list_object_versions").paginate(
                Bucket=self._bucket, Prefix=ref.key
            )
            listed = [(page.get("DeleteMarkers", []), page.get("Versions", [])) for page in pages]
        # The prefix is that of longer keys too.
        markers = [marker for markers, _ in listed for marker in markers if marker["Key"] == ref.key]
        versions = [version for _, versions in listed for version in versions if version["Key"] == ref.key]
        if any(marker["IsLatest"] for marker in markers):
            return []
        return [version["VersionId"] for version in reversed(versions)]

    def publish(self, ref: ImageRef, version: str | None = None) -> None:
        """Tag the object; the bucket's policy lets the CDN read only what bears this tag."""
        tagging: TaggingTypeDef = {"TagSet": [{"Key": STATUS_TAG, "Value": PUBLISHED}]}
        with passing_errors_as_unavailable():
            try:
                self._client.put_object_tagging(
                    Bucket=self._bucket, Key=ref.key, Tagging=tagging, **_version(version)
                )
            except ClientError as error:
                if error_code(error) not in _GONE:
                    raise

    def delete(self, ref: ImageRef) -> None:
        """Remove the bytes; in the versioned bucket an older version stays until it expires."""
        with passing_errors_as_unavailable():
            self._client.delete_object(Bucket=self._bucket, Key=ref.key)

    def discard(self, ref: ImageRef, version: str) -> None:
        """Delete one version for good; S3 then shows the one before it."""
        with passing_errors_as_unavailable():
            self._client.delete_object(Bucket=self._bucket, Key=ref.key, VersionId=version)

    def _accept_if_same(self, ref: ImageRef, checksum: str, error: ClientError) -> None:
        # The reply to an earlier try may have been lost: then the bytes that lie there are ours.
        with passing_errors_as_unavailable():
            head = self._client.head_object(Bucket=self._bucket, Key=ref.key, ChecksumMode="ENABLED")
        if head.get("ChecksumCRC32") != checksum:
            raise BytesRefusedError("Other bytes lie at this key.") from error


def served_with(ref: ImageRef) -> "ServedWith":
    """Return what S3 is to send with the bytes: their type, and how long they keep.

    Bytes at a key never change, so that a browser may keep them for a year (RFC 8246).
    """
    return {
        "ContentType": ref.image_format.media_type,
        "CacheControl": "public, max-age=31536000, immutable",
    }


def _stamped(stamp: UploadStamp) -> dict[str, str]:
    wish = stamp.primary_requested_at
    return {
        _CREATED_AT: iso_utc(stamp.created_at),
        **({_PRIMARY_REQUESTED_AT: iso_utc(wish)} if wish else {}),
    }


def _stamp(ref: ImageRef, metadata: Mapping[str, str]) -> UploadStamp | None:
    created_at, wish = metadata.get(_CREATED_AT), metadata.get(_PRIMARY_REQUESTED_AT)
    # A hand may have changed what there is of it.
    if metadata.get(_WRITTEN_ONCE) != ref.key or created_at is None:
        return None
    return UploadStamp(datetime.fromisoformat(created_at), datetime.fromisoformat(wish) if wish else None)


def _version(version: str | None) -> "_Version":
    return {"VersionId": version} if version else {}
