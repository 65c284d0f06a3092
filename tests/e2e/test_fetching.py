"""Pictures by address, from a server that behaves as servers do, through the deployed system."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, islice
from urllib.parse import quote
from uuid import uuid4

import pytest

from domain.image import Fetch
from local.system import wait_until
from openapi.bodies import ImageBody
from tests.builders import a_ref, an_image
from tests.e2e.operator import Operator
from tests.e2e.shop import Shop
from tests.picture_server import PICTURE, PictureServer
from tests.torture.results import FULL, size

PICTURES = size(1_000, 17, "pictures by address")
_SLOW_SECONDS = size(5, 1, "seconds that a slow host takes for each picture")
_LONGEST_SECONDS = size(1_200, 240, "seconds for all pictures by address")


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of address, and what becomes of a picture there: None for ready, else words of its error."""

    target: str
    error: str | None = None
    requests: int = 1


CASES = (
    Case("/picture"),
    Case("/slow?seconds=1"),
    Case("/later?status=503&after=1", requests=2),
    Case("/later?status=429&after=2", requests=2),
    Case(f"/redirect?to={quote('/picture')}", requests=2),
    Case(f"/redirect?to={quote('http://cdn.test/picture')}"),
    # Without a Retry-After it waits for half a minute: in full runs alone, and in tests/unit.
    *([Case("/truncated", requests=2)] if FULL else []),
    Case("/unlengthed"),
    Case("/status?status=404", "The server answered 404 (Not Found)"),
    Case("/page", "no image that the service takes"),
    Case("/compressed", "compressed"),
    Case("/endless?as=chunks", "more than 50,000,000 bytes"),
    Case("/loop", "more than 5 times"),
    Case(f"/redirect?to={quote('http://127.0.0.1:9001/2018-06-01/runtime/invocation/next')}", "not public"),
    Case(f"/redirect?to={quote('http://cdn.test:8080/')}", "names a port"),
    Case(f"/redirect?to={quote('http://169.254.169.254/latest/meta-data/')}", "not public"),
    Case(f"/redirect?to={quote('http://user:password@cdn.test/')}", "user or a password"),
)


def fetched(shop: Shop, product_id: int, url: str, **said: object) -> ImageBody:
    answer = shop.fetch_from({"url": url, **said}, product_id=product_id)
    assert answer.status_code == 201, answer.text
    return ImageBody.model_validate_json(answer.content)


def test_a_picture_by_its_address_becomes_what_an_upload_becomes(
    shop: Shop, product_id: int, server: PictureServer
) -> None:
    said = {"alt_text": "A red shoe", "is_primary": True, "order": 3, "name": "shoe.jpg"}
    created = fetched(shop, product_id, f"http://shop.test/picture/{uuid4()}.jpg", **said)
    assert (created.status, created.size, created.name) == ("pending", 0, "shoe.jpg")
    image = shop.settled(created)
    assert (image.width, image.height, image.size, image.is_primary) == (48, 32, len(PICTURE), True)
    assert shop.fetch(image.f).content == PICTURE
    assert server.log.hosts() >= {"shop.test"}


def test_the_same_request_again_is_the_same_picture_and_one_fetch(
    shop: Shop, product_id: int, server: PictureServer
) -> None:
    target, key = f"/picture/{uuid4()}", str(uuid4())
    said = {"url": f"http://again.test{target}"}
    first, again = (shop.fetch_from(said, product_id=product_id, idempotency_key=key) for _ in range(2))
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    shop.settled(ImageBody.model_validate_json(first.content))
    assert server.log.targets().count(target) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/",
        "https://user:password@shop.test/a.jpg",
    ],
)
def test_an_address_that_is_not_public_is_refused_at_once(shop: Shop, product_id: int, url: str) -> None:
    answer = shop.fetch_from({"url": url}, product_id=product_id)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_fields")
    assert [error["field"] for error in answer.json()["errors"]] == ["url"]


@pytest.mark.torture("pictures by address, of servers that are slow, busy, broken or hostile")
@pytest.mark.timeout(1_800)
def test_each_picture_ends_as_its_server_behaves_none_twice_and_no_host_holds_up_another(
    shop: Shop, product_id: int, server: PictureServer, tried: Callable[[int], None]
) -> None:
    tried(PICTURES)
    run = uuid4().hex
    kinds = list(islice(cycle(CASES), PICTURES))
    wished: dict[int, tuple[Case, str]] = {}
    slowly = f"seconds={_SLOW_SECONDS}"
    # A host that takes its time with each, and more pictures than all functions at once: the others go past.
    slow = [fetched(shop, product_id, f"http://slow.test/slow?{slowly}&slow={n}-{run}").id for n in range(12)]
    for number, case in enumerate(kinds):
        host = f"shop{number % 20}.test"
        target = f"{case.target}{'&' if '?' in case.target else '?'}n={number}-{run}"
        wished[fetched(shop, product_id, f"http://{host}{target}").id] = (case, target)
    ended: dict[int, ImageBody] = {}

    def all_ended(ids: list[int]) -> bool | None:
        for image_id in ids:
            if image_id not in ended:
                image = shop.shown(product_id, image_id)
                if image.status == "pending":
                    return None
                ended[image_id] = image
        return True

    wait_until(lambda: all_ended(list(wished)), "end of every fetch", _LONGEST_SECONDS)
    for image_id, (case, target) in wished.items():
        image = ended[image_id]
        if case.error is None:
            assert (image.status, image.size) == ("ready", len(PICTURE)), (target, image.error)
        else:
            assert (image.status, image.error_code) == ("failed", "fetch_failed"), target
            assert case.error in (image.error or ""), target
    requests = Counter(server.log.targets())
    # A redirect to a host that is busy is followed by a try from the beginning.
    repeated = {"/loop", f"/redirect?to={quote('http://cdn.test/picture')}"}
    if_once = {target: requests[target] for case, target in wished.values() if case.target not in repeated}
    again = {target for case, target in wished.values() if "/later" in target or "/truncated" in target}
    assert {
        target: count for target, count in if_once.items() if count != (2 if target in again else 1)
    } == {}
    wait_until(lambda: all_ended(slow), "end of the slow ones", _LONGEST_SECONDS)
    assert {ended[image_id].status for image_id in slow} == {"ready"}
    # They hold two functions of ten; all others went past them meanwhile.
    assert server.log.most_at_once["slow.test"] <= 2
    moments = [seen.at for seen in server.log.seen if seen.host == "slow.test"]
    assert sum(min(moments) < seen.at < max(moments) for seen in server.log.seen) > len(slow) + 10


def test_a_message_that_got_lost_is_made_up_for_by_the_reconciler(
    shop: Shop, product_id: int, server: PictureServer
) -> None:
    sent = fetched(shop, product_id, f"http://lost.test/picture/{uuid4()}")
    shop.settled(sent)
    lost = an_image(ref=a_ref(2**40, product_id), size_bytes=0, fetch=Fetch("http://lost.test/picture/lost"))
    shop.state.catalog.reserve(lost)
    # Its day is long over: the fetch ends it, and the reconciler does not remove it.
    shop.state.endpoint.client("lambda").invoke(
        FunctionName=shop.state.resources.functions["reconcile"], Payload=b"{}"
    )
    record = shop.state.finished(product_id, lost.ref.image_id)
    assert record.failure is not None
    assert (record.failure.code, "within a day" in record.failure.reason) == ("fetch_failed", True)
    assert server.log.targets().count("/picture/lost") == 0


@pytest.mark.usefixtures("server")
def test_a_message_in_the_failure_queue_goes_back_to_be_fetched(
    shop: Shop, product_id: int, operator: Operator
) -> None:
    image = an_image(ref=a_ref(2**41, product_id), size_bytes=0, fetch=Fetch("http://back.test/picture"))
    shop.state.catalog.reserve(image)
    body = json.dumps({"fetch": image.ref.path})
    sqs = shop.state.endpoint.client("sqs")
    sqs.send_message(QueueUrl=shop.state.resources.failure_queue, MessageBody=body)
    event = operator.failed_event(image.ref)
    assert event["function"] == "fetch-image"
    told = operator.succeeds("repair", "redrive", event["id"], "--yes")
    assert "back in the queue of images that are to be fetched" in told
    assert shop.state.finished(product_id, image.ref.image_id).failure is not None
