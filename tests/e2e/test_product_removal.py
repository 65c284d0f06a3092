"""Products that come, change and go on the whole system: by the API, and as the shop's catalogue says."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from adapters.dynamo_products import DynamoProducts
from domain.product_record import ProductRecord, Stage
from local.system import State, wait_until
from openapi.bodies import ProductBody
from tests.builders import picture
from tests.e2e.shop import Shop
from tests.torture.results import size

KINDS = ("ProductCreated", "ProductChanged", "ProductDeleted")
UPLOADS = 4


def look(system: State, product_id: int) -> ProductRecord:
    return DynamoProducts(system.endpoint.client("dynamodb"), system.resources.table).look(product_id)


def is_known_as(system: State, wanted: ProductRecord) -> bool | None:
    return look(system, wanted.product_id) == wanted or None


def keys(system: State, product_id: int) -> list[str]:
    s3 = system.endpoint.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=system.resources.bucket)
    found = [stored["Key"] for page in pages for stored in page.get("Contents", [])]
    return [key for key in found if key.split("/")[1] == str(product_id)]


def test_an_administrator_removes_a_product_with_all_that_belongs_to_it(system: State, shop: Shop) -> None:
    product_id = 77_001
    url = shop.product_url(product_id)
    assert shop.request("PUT", url, json={"title": "Red shoe"}).status_code == 201
    for _ in range(3):
        shop.add(picture("JPEG"), product_id=product_id)
    assert ProductBody.model_validate_json(shop.request("GET", url).content).count == 3
    assert keys(system, product_id)
    refused = shop.request("DELETE", url)
    assert (refused.status_code, refused.json()["code"]) == (403, "access_denied")
    removed = shop.request("DELETE", url, key=system.keys["admin"])
    assert (removed.status_code, removed.text) == (202, "")
    assert shop.request("GET", url).status_code == 404
    assert shop.page(product_id).status_code == 404
    assert shop.upload(picture("JPEG"), product_id=product_id).status_code == 404
    wait_until(lambda: look(system, product_id).stage is Stage.REMOVED or None, "end of the removal")
    assert keys(system, product_id) == []
    assert shop.request("PUT", url, json={}).status_code == 201
    assert shop.page(product_id).json()["count"] == 0


def test_uploads_and_a_second_removal_in_that_moment_leave_nothing(system: State, shop: Shop) -> None:
    product_id = 77_002
    url = shop.product_url(product_id)
    assert shop.request("PUT", url, json={}).status_code == 201
    shop.add(picture("JPEG"), product_id=product_id)
    with ThreadPoolExecutor(UPLOADS + 2) as pool:
        uploads = [pool.submit(shop.upload, picture("JPEG"), product_id=product_id) for _ in range(UPLOADS)]
        removals = [pool.submit(shop.request, "DELETE", url, key=system.keys["admin"]) for _ in range(2)]
        assert {each.result().status_code for each in uploads} <= {201, 404}
        # One of them begins it; the other finds that, or is told the product is gone.
        assert sorted(each.result().status_code for each in removals) == [202, 404]
    wait_until(lambda: look(system, product_id).stage is Stage.REMOVED or None, "end of the removal")
    # What came after the last look is taken back by the function that takes it in.
    wait_until(lambda: not keys(system, product_id) or None, "empty bucket")
    assert shop.request("PUT", url, json={}).status_code == 201
    assert shop.page(product_id).json()["count"] == 0


def has_bytes_for(shop: Shop, product_id: int, pictures: int) -> bool | None:
    """Tell, once all that came in is dealt with, whether there are files of so many pictures."""
    if shop.received_keys(product_id):
        return None
    # The renditions of none are left either.
    found = len(shop.public_copies(product_id)) if pictures else len(shop.public_keys(product_id))
    return found == pictures or None


@pytest.mark.torture("orders of a catalogue's events, repeated and late, of products that have a picture")
@pytest.mark.parametrize("seed", range(size(200, 3, "orders of events of the shop's catalogue")))
def test_a_products_events_end_as_the_latest_says_in_whatever_order_they_come(
    system: State, shop: Shop, seed: int
) -> None:
    product_id = 78_000 + seed
    assert shop.request("PUT", shop.product_url(product_id), json={}).status_code == 201
    # Not waited for: the first events meet its inspection.
    assert shop.upload(picture("JPEG"), product_id=product_id).status_code == 201
    start = datetime.now(UTC)
    rng = random.Random(seed)  # noqa: S311 - no secret is made of it
    told = [(rng.choice(KINDS), f"Shoe {n}", start + timedelta(seconds=n)) for n in range(4)]
    system.endpoint.client("events").put_events(
        Entries=[
            {
                "Source": "com.example.catalogue",
                "DetailType": kind,
                "Detail": json.dumps(
                    {"product_id": product_id, "title": title, "occurred_at": at.isoformat()}
                ),
            }
            for kind, title, at in [*rng.sample(told, 4), rng.choice(told)]
        ]
    )
    kind, title, at = told[-1]
    stage, called = (Stage.REMOVED, None) if kind == "ProductDeleted" else (Stage.PRESENT, title)
    wanted = ProductRecord(product_id, stage, called, at)
    wait_until(partial(is_known_as, system, wanted), f"{wanted}")
    pictures = 0 if stage is Stage.REMOVED else shop.page(product_id).json()["count"]
    # A deletion in between counts only if it came before what is later.
    assert pictures == 1 or "ProductDeleted" in {kind for kind, _, _ in told}
    wait_until(partial(has_bytes_for, shop, product_id, pictures), f"bytes of {pictures} pictures")
