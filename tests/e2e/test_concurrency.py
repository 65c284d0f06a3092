"""Many at once, on the emulator, whose concurrency is real: a process for each call."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from uuid import uuid4

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from adapters.dynamo_storefront import DynamoStorefront
from domain.image import ImageStatus, ProductImage
from local.sample import sample_jpeg
from local.system import State
from tests.builders import NOW, PRODUCT_ID, a_file, a_ref, an_image
from tests.e2e.fault_bench import Bench, Interference
from tests.e2e.shop import Shop
from tests.running_system import new_product
from tests.torture.results import size

AT_ONCE = size(64, 8, "primary uploads at once")
_STARTED_AT_ONCE = 8
FALLING = 32
"""More than a reservation has tries, were each refused by any other."""


class PatientClient:
    """A script that sends an upload again, with its idempotency key, whenever it is told to."""

    def __init__(self, shop: Shop, product_id: int) -> None:
        self._shop = shop
        self._url = shop.url(product_id)
        # A claim whose reply was lost keeps its key for as long as the function might run. The gateway gives
        # up (504) where starting so many environments at once takes the machine longer than its 29 s.
        patience = Retry(
            total=60,
            status_forcelist=[409, 503, 504],
            allowed_methods=None,
            backoff_factor=0.1,
            backoff_max=5,
            backoff_jitter=1,
        )
        self._session = requests.Session()
        self._session.mount("http://", HTTPAdapter(max_retries=patience, pool_maxsize=AT_ONCE))

    def upload_primary(self, content: bytes) -> ProductImage:
        answer = self._session.post(
            self._url,
            headers={
                "Authorization": f"Token {self._shop.state.keys['staff']}",
                "Idempotency-Key": str(uuid4()),
            },
            files={"image": content},
            data={"is_primary": True},
            timeout=120,
        )
        assert answer.status_code == 201, answer.text
        return self._shop.finished(answer.json())


@contextmanager
def reading(look: Callable[[], list[int]]) -> Iterator[list[list[int]]]:
    """Look again and again meanwhile; what was seen is whole at the end."""
    is_over, seen = Event(), list[list[int]]()

    def read() -> None:
        while not is_over.is_set():
            seen.append(look())

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read)
        try:
            yield seen
        finally:
            is_over.set()
    reader.result()


@pytest.fixture(scope="module")
def started(shop: Shop, system: State) -> None:
    """As many environments of the functions as there are uploads at once, started a few at a time.

    All of them at once would take the machine longer than a function has, which ends them before they began.
    """
    for at_once in range(_STARTED_AT_ONCE, AT_ONCE, _STARTED_AT_ONCE):
        client = PatientClient(shop, new_product(system))
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(client.upload_primary, [sample_jpeg(40, 30)] * at_once))


@pytest.mark.torture("primary uploads to one product, 64 at once, 20 rounds")
@pytest.mark.usefixtures("alone", "started")
@pytest.mark.parametrize("_round", range(size(20, 1, "rounds of them")))
def test_of_many_primary_uploads_at_once_all_arrive_and_the_latest_becomes_the_one_primary(
    shop: Shop, product_id: int, tried: Callable[[int], None], _round: int
) -> None:
    tried(AT_ONCE)
    first = shop.add(sample_jpeg(40, 30), product_id=product_id, is_primary="true")
    assert shop.primaries(product_id) == [first.id]
    client = PatientClient(shop, product_id)
    with (
        reading(lambda: shop.primaries(product_id)) as seen,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        pictures = [sample_jpeg(50 + number, 50) for number in range(AT_ONCE)]
        images = list(pool.map(client.upload_primary, pictures))
        latest = max(images, key=lambda image: (image.created_at, image.ref.image_id))
        assert shop.primaries(product_id) == [latest.ref.image_id]
    assert {image.status for image in images} == {ImageStatus.READY}
    assert len(shop.gallery(product_id)) == shop.page(product_id).json()["count"] == 1 + AT_ONCE
    assert {len(primaries) for primaries in seen} == {1}


@pytest.mark.usefixtures("alone")
def test_pictures_that_come_at_once_in_falling_order_are_all_counted_and_the_lowest_stands_for_the_product(
    bench: Bench,
) -> None:
    # As where the pictures of an import overtake each other: each comes before the head that it found.
    falling = [an_image(ref=a_ref(number), order=-number) for number in range(1, FALLING + 1)]
    with ThreadPoolExecutor(FALLING) as pool:
        list(pool.map(bench.catalog.reserve, falling))
    assert bench.count() == FALLING
    for image in falling:
        bench.catalog.mark_ready(image.ref, a_file(), NOW)
    storefront = DynamoStorefront(bench.clients_under(Interference())["dynamodb"], "catalog")
    assert storefront.primaries([PRODUCT_ID]).images[PRODUCT_ID].ref == falling[-1].ref
