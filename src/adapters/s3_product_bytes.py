"""All bytes of a product's pictures: what lies below its prefix, where nothing else does."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from adapters.aws import passing_errors_as_unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3ProductBytes:
    """Lists up to a thousand keys and deletes them, the most that S3 takes in a call of each kind."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def some(self, product_id: int) -> list[str]:
        """List what the public sees first."""
        for prefix in (f"media/{product_id}/", f"incoming/{product_id}/"):
            with passing_errors_as_unavailable():
                listed = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix)
            if keys := [stored["Key"] for stored in listed.get("Contents", [])]:
                return keys
        return []

    def delete(self, keys: Sequence[str]) -> None:
        """Delete them in one call."""
        with passing_errors_as_unavailable():
            answer = self._client.delete_objects(
                Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
            )
            # The answer is a 200 whatever became of each key.
            for error in answer.get("Errors", [])[:1]:
                code, message = error.get("Code", ""), error.get("Message", "")
                raise ClientError({"Error": {"Code": code, "Message": message}}, "DeleteObjects")
