"""Pictures that are to be fetched, in an SQS queue that calls the function which does."""

import json
from typing import TYPE_CHECKING

from adapters.aws import passing_errors_as_unavailable
from domain.image import ImageRef

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

LONGEST_DELAY_SECONDS = 43_000
"""How long a message is kept back at most: SQS allows 12 hours since it was received (its API reference,
ChangeMessageVisibility), some of which are over."""


class SqsFetchQueue:
    """One message for each picture, which names it and says nothing of its address."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def request(self, ref: ImageRef) -> None:
        """Send a message."""
        with passing_errors_as_unavailable():
            self._client.send_message(QueueUrl=self._url, MessageBody=json.dumps({"fetch": ref.path}))

    def keep_back(self, receipt: str, seconds: int) -> None:
        """Show a message that was received to nobody for so long, or for as long as SQS can."""
        with passing_errors_as_unavailable():
            self._client.change_message_visibility(
                QueueUrl=self._url,
                ReceiptHandle=receipt,
                VisibilityTimeout=min(seconds, LONGEST_DELAY_SECONDS),
            )


def ref_in(body: str) -> ImageRef | None:
    """Read which picture a message names; None if it is no message of this queue."""
    try:
        path = json.loads(body)["fetch"]
    except (KeyError, TypeError, ValueError):
        return None
    return ImageRef.from_incoming_key(f"incoming/{path}")
