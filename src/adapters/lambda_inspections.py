"""Has the metadata function inspect a picture, as S3 does."""

import json
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from adapters.aws import passing_errors_as_unavailable
from domain.image import ImageRef

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class LambdaInspections:
    """Invokes the function asynchronously: Lambda retries it, and at last hands it to the failure queue."""

    def __init__(self, client: "LambdaClient", function: str) -> None:
        self._client = client
        self._function = function

    def request(self, ref: ImageRef) -> None:
        """Send what of an S3 event the function reads (S3 user guide, "Event message structure")."""
        record = {
            "eventSource": "product-images:reconcile",
            "s3": {"object": {"key": quote_plus(ref.incoming_key)}},
        }
        with passing_errors_as_unavailable():
            self._client.invoke(
                FunctionName=self._function,
                InvocationType="Event",
                Payload=json.dumps({"Records": [record]}),
            )
