"""Every call to AWS that tells others of something, going wrong in every way: they hear of it in the end."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

import pytest

from adapters.cloudfront_public_cache import CloudFrontPublicCache
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.eventbridge_image_events import EventBridgeImageEvents
from domain.change_image import ChangeImage, ImageChange
from domain.forget_image import ForgetImage
from domain.image import ImageFormat, ImageRef
from domain.reorder_images import ReorderImages
from local.system import State, wait_until
from tests.builders import TOKEN, a_distribution
from tests.e2e.fault_bench import PRODUCT_ID, Bench, FaultPoint, Interference, fault_points, outcome
from tests.e2e.fault_checks import name
from tests.torture.results import size

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_sqs import SQSClient

CALLS = {"change": 5, "reorder": 4, "forget": 1}
"""How many calls each use case makes; a test holds them to it, so that no point is left out."""
SAMPLED = {"change": 7, "reorder": 7, "forget": 1}
"""Every which point is tried in `make test`; no divisor of eight, so that each kind of fault has its turn."""
STACK = "of these tests"
_IMAGE_IDS = count(5_000_000)


class Told:
    """What others hear of the bench's pictures."""

    def __init__(self, sqs: "SQSClient", queue: str) -> None:
        self._sqs = sqs
        self._queue = queue

    def hears(self, kind: str) -> bool | None:
        """Tell whether an event of this kind came; None if none did yet."""
        received = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10)
        events = [json.loads(message["Body"]) for message in received.get("Messages", [])]
        return any(each["detail-type"] == kind for each in events) or None


@pytest.fixture
def heard(system: State, told: str) -> Iterator[Told]:
    sqs = system.endpoint.client("sqs")
    sqs.purge_queue(QueueUrl=told)
    yield Told(sqs, told)
    sqs.purge_queue(QueueUrl=told)


@pytest.fixture(scope="module")
def distribution(system: State) -> "tuple[CloudFrontClient, str]":
    """Return a CDN of these tests' own."""
    client = system.endpoint.client("cloudfront")
    return client, a_distribution(client)


def two_ready_pictures(bench: Bench) -> list[ImageRef]:
    return [bench.ready_picture() for _ in range(2)]


def change(bench: Bench, refs: list[ImageRef], interference: Interference) -> None:
    clients = bench.clients_under(interference)
    catalog = DynamoImageCatalog(clients["dynamodb"], "catalog")
    change_image = ChangeImage(catalog, EventBridgeImageEvents(clients["events"], STACK), bench.clock)
    change_image(PRODUCT_ID, refs[0].image_id, ImageChange({"order": 7}))


def reorder(bench: Bench, refs: list[ImageRef], interference: Interference) -> None:
    clients = bench.clients_under(interference)
    catalog = DynamoImageCatalog(clients["dynamodb"], "catalog")
    reorder_images = ReorderImages(catalog, EventBridgeImageEvents(clients["events"], STACK), bench.clock)
    reorder_images(PRODUCT_ID, [ref.image_id for ref in reversed(refs)])


def forget(bench: Bench, distribution_id: str, ref: ImageRef, interference: Interference) -> None:
    cache = CloudFrontPublicCache(bench.clients_under(interference)["cloudfront"], distribution_id)
    ForgetImage(cache)(f"/{ref.media_key(ImageFormat.JPEG)}", f"event of {ref.path}")


USE_CASES: dict[str, tuple[Callable[[Bench, list[ImageRef], Interference], None], str]] = {
    "change": (change, "ImageChanged"),
    "reorder": (reorder, "GalleryReordered"),
}


def points(use_case: str) -> list[FaultPoint]:
    """Return the points to try: all of them in `make torture`, else some of every kind and of most calls."""
    every = fault_points(CALLS[use_case])
    return size(every, every[:: SAMPLED[use_case]], "faults at calls that tell others")


def test_the_table_of_faults_has_every_call(
    bench: Bench, distribution: "tuple[CloudFrontClient, str]"
) -> None:
    refs = two_ready_pictures(bench)
    made = {"forget": Interference(), "change": Interference(), "reorder": Interference()}
    forget(bench, distribution[1], refs[0], made["forget"])
    change(bench, refs, made["change"])
    reorder(bench, refs, made["reorder"])
    assert {use_case: len(each.calls) for use_case, each in made.items()} == CALLS, made


@pytest.mark.torture("calls to AWS of a change and a new order, each before and after, in the same ways")
@pytest.mark.parametrize(
    ("use_case", "point"),
    [(use_case, point) for use_case in USE_CASES for point in points(use_case)],
    ids=lambda value: value if isinstance(value, str) else name(value),
)
def test_a_change_that_goes_wrong_is_told_if_it_stands(
    bench: Bench, heard: Told, use_case: str, point: FaultPoint
) -> None:
    run, kind = USE_CASES[use_case]
    refs = two_ready_pictures(bench)
    before = {image.ref: image.details.order for image in bench.images()}
    answer = outcome(partial(run, bench, refs, Interference(point=point)))
    stands = {image.ref: image.details.order for image in bench.images()} != before
    if answer is None:
        assert stands
    bench.let_time_pass_and_reconcile()
    assert {image.untold for image in bench.images()} == {frozenset()}
    if stands:
        assert wait_until(lambda: heard.hears(kind), f"{kind} after {point}")


@pytest.mark.torture("calls to AWS of forgetting a picture, each before and after, in the same ways")
@pytest.mark.parametrize("point", points("forget"), ids=name)
def test_a_deleted_picture_is_forgotten_once_whatever_goes_wrong(
    bench: Bench, distribution: "tuple[CloudFrontClient, str]", point: FaultPoint
) -> None:
    client, distribution_id = distribution
    ref = ImageRef(PRODUCT_ID, next(_IMAGE_IDS), TOKEN)
    bench.run_as_lambda_does(partial(forget, bench, distribution_id, ref), Interference(point=point))
    forget(bench, distribution_id, ref, Interference())
    assert _forgotten(client, distribution_id).count(ref.addresses) == 1


def _forgotten(client: "CloudFrontClient", distribution_id: str) -> list[str]:
    """Return the paths of all invalidations."""
    pages = client.get_paginator("list_invalidations").paginate(DistributionId=distribution_id)
    summaries = [each for page in pages for each in page["InvalidationList"].get("Items", [])]
    batches = [
        client.get_invalidation(DistributionId=distribution_id, Id=each["Id"])["Invalidation"]
        for each in summaries
    ]
    return [path for each in batches for path in each["InvalidationBatch"]["Paths"].get("Items", [])]
