"""`product-images repair`: events of deleted pictures that the CDN did not take."""

import json
import re
from collections.abc import Iterator
from urllib.parse import unquote

import pytest

from domain.image import ImageFormat
from ops import failure_queue
from tests.builders import a_ref
from tests.integration.ops_operator import Operator, operator_of_a_stack
from tests.integration.test_ops_repair import ARN, Queue

ADDRESS = f"/{a_ref().media_key(ImageFormat.JPEG)}"
FUNCTION = "shop-ForgetImage-1"
EVENT = {"source": "product-images", "detail-type": "ImageDeleted", "detail": {"path": ADDRESS}}
FAILURE = {
    "requestContext": {"functionArn": f"{ARN}{FUNCTION}:$LATEST", "condition": "RetriesExhausted"},
    "requestPayload": EVENT,
    "responsePayload": {"errorMessage": "The service cannot do this just now."},
}


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    with operator_of_a_stack(monkeypatch) as operator:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", operator.aws.url)
        # One queue in memory has no servers to wait for.
        monkeypatch.setattr(failure_queue, "LONG_POLL_SECONDS", 0)
        operator.aws.function_ends({"images": [{"key": ADDRESS, "outcome": "forgotten"}]})
        yield operator


def test_the_queue_names_the_address_that_was_not_forgotten(operator: Operator) -> None:
    (first,) = Queue().holds(FAILURE)
    _, row = operator.runs("repair", "queue").stdout.splitlines()
    assert re.split(r" {2,}", row.strip()) == [
        *(first, "0 min", "forget-image", ADDRESS, "The service cannot do this just now.")
    ]


def test_a_picture_that_was_not_forgotten_is_forgotten_once_its_event_is_sent_again(
    operator: Operator,
) -> None:
    queue = Queue()
    queue.holds(FAILURE)
    result = operator.runs("repair", "redrive", "--yes")
    assert result.exit_code == 0, result.stderr
    [call] = [call for call in operator.aws.calls if call.operation == "Invoke"]
    assert (unquote(call.path.split("/")[3]), json.loads(call.body)) == (FUNCTION, EVENT)
    assert f"{ADDRESS} is forgotten" in result.stdout + result.stderr
    assert queue.visible == 0


def test_of_a_stack_that_lets_the_cdn_remember_such_an_event_is_no_functions(
    operator: Operator,
) -> None:
    outputs = {name: each for name, each in operator.outputs.items() if name != "ForgetImageFunctionName"}
    operator.aws.has_stack("product-images", outputs)
    Queue().holds(FAILURE)
    assert "is no function of this stack" in operator.runs("repair", "queue").stdout
