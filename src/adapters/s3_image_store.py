"""Pictures' bytes in an S3 bucket."""

import base64
import zlib
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from adapters.aws import error_code, passing_errors_as_unavailable
from domain.errors import BytesRefusedError, UnavailableError
from domain.image import ImageRef

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SERVER_ERROR = 500


class S3ImageStore:
    """Writes each picture once, at a key made of its identifiers."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, ref: ImageRef, content: bytes) -> None:
        """Write the bytes unless there are any (`If-None-Match: *`), their CRC32 checked by S3."""
        checksum = base64.b64encode(zlib.crc32(content).to_bytes(4)).decode()
        try:
            with passing_errors_as_unavailable():
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=ref.key,
                    Body=content,
                    ContentType=ref.image_format.media_type,
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

    def get(self, ref: ImageRef) -> bytes | None:
        """Read the bytes. S3 tells a missing key only to roles that may list the bucket."""
        with passing_errors_as_unavailable():
            try:
                return self._client.get_object(Bucket=self._bucket, Key=ref.key)["Body"].read()
            except ClientError as error:
                if error_code(error) == "NoSuchKey":
                    return None
                raise

    def delete(self, ref: ImageRef) -> None:
        """Remove the bytes; in the versioned bucket an older version stays until it expires."""
        with passing_errors_as_unavailable():
            self._client.delete_object(Bucket=self._bucket, Key=ref.key)

    def _accept_if_same(self, ref: ImageRef, checksum: str, error: ClientError) -> None:
        # The reply to an earlier try may have been lost: then the bytes that lie there are ours.
        with passing_errors_as_unavailable():
            head = self._client.head_object(Bucket=self._bucket, Key=ref.key, ChecksumMode="ENABLED")
        if head.get("ChecksumCRC32") != checksum:
            raise BytesRefusedError("Other bytes lie at this key.") from error
