"""Forms with which a client posts a picture to S3 itself (presigned POST, Signature Version 4)."""

import math
from datetime import datetime
from typing import TYPE_CHECKING

from domain.image import ImageRef
from domain.ports import Clock, UploadForm

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3UploadForms:
    """Signs forms; S3 holds the client to every value in them. Signing makes no call."""

    def __init__(self, client: "S3Client", bucket: str, clock: Clock) -> None:
        self._client = client
        self._bucket = bucket
        self._clock = clock

    def issue(self, ref: ImageRef, size_bytes: int, expires_at: datetime) -> UploadForm:
        """Sign a form for this key and this size.

        S3 wants every field that the policy names, and none that it does not: so the status that a client
        may choose, of the 200, 201 and 204 that S3 has, is a field of its own.
        """
        fields = {"success_action_status": "204"}
        conditions = [
            ["starts-with", "$success_action_status", "20"],
            ["content-length-range", size_bytes, size_bytes],
        ]
        # Rounded up, so that the form is good for at least as long as it says.
        seconds = math.ceil((expires_at - self._clock()).total_seconds())
        form = self._client.generate_presigned_post(
            self._bucket, ref.incoming_key, fields, conditions, seconds
        )
        return UploadForm(form["url"], form["fields"], expires_at)
