from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger
from moto import mock_aws

from domain.product_record import Stage
from domain.remove_product import RemoveProduct
from handlers.remove_product import RemoveProductHandler
from tests.builders import NOW, PRODUCT_ID, a_bucket, a_catalog_table, a_context, a_ref, an_image
from tests.catalog_fake import InMemoryImageCatalog
from tests.conftest import ColdStart
from tests.fakes import InMemoryImageEvents, InMemoryImageStore
from tests.product_fakes import InMemoryProductBytes, InMemoryProducts, InMemoryRemovals
from tests.unit.conftest import Printed

if TYPE_CHECKING:
    from collections.abc import Callable

REQUEST: dict[str, Any] = {"detail": {"stack": "shop", "product_id": PRODUCT_ID}}


class Told(InMemoryImageEvents):
    """Events, and what somebody else does when the removal has been told."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], object] = lambda: None

    def send_product_removed(self, product_id: int) -> None:
        super().send_product_removed(product_id)
        self.meanwhile()


class Shop:
    """A product that is being removed, with thirty pictures and their bytes."""

    def __init__(self) -> None:
        catalog, store = InMemoryImageCatalog(PRODUCT_ID), InMemoryImageStore()
        self.products, self.events = InMemoryProducts(catalog), Told()
        self.removals = InMemoryRemovals()
        for image_id in range(1, 31):
            image = an_image(ref=a_ref(image_id))
            catalog.reserve(image)
            store.put(image, b"picture")
        seen = self.products.look(PRODUCT_ID)
        self.products.write(seen, seen.removed(NOW))
        remove_product = RemoveProduct(
            products=self.products,
            belongings=self.products,
            product_bytes=InMemoryProductBytes(store),
            events=self.events,
            clock=lambda: NOW,
        )
        self.handler = RemoveProductHandler(remove_product, self.removals, Logger(service="remove_product"))

    @property
    def stage(self) -> Stage:
        return self.products.look(PRODUCT_ID).stage


def test_what_belongs_to_the_product_goes_and_the_log_says_how_much(printed: Printed) -> None:
    shop = Shop()
    report = shop.handler(REQUEST, a_context(900_000))
    assert report == {"product_id": PRODUCT_ID, "images": 30, "is_done": True}
    assert shop.stage is Stage.REMOVED
    assert shop.removals.requested == []
    assert shop.events.sent[-1] == ("ProductRemoved", PRODUCT_ID)
    assert printed()[-1]["message"] == "product removed"


def test_a_run_without_time_asks_for_another_one(printed: Printed) -> None:
    shop = Shop()
    report = shop.handler(REQUEST, a_context(30_000))
    assert report == {"product_id": PRODUCT_ID, "images": 0, "is_done": False}
    assert (shop.removals.requested, shop.stage) == ([PRODUCT_ID], Stage.BEING_REMOVED)
    assert printed()[-1]["message"] == "removal goes on"


def test_a_product_that_is_not_being_removed_is_left() -> None:
    shop = Shop()
    shop.handler(REQUEST, a_context(900_000))
    shop.products.add(PRODUCT_ID)
    shop.handler(REQUEST, a_context(900_000))
    assert shop.stage is Stage.PRESENT


def test_a_run_that_another_one_overtakes_at_the_end_leaves_the_product_that_is_put_again() -> None:
    shop = Shop()

    def another_run_ends_and_the_product_is_put_again() -> None:
        seen = shop.products.look(PRODUCT_ID)
        shop.products.write(seen, seen.without_belongings())
        shop.products.add(PRODUCT_ID)

    shop.events.meanwhile = another_run_ends_and_the_product_is_put_again
    report = shop.handler(REQUEST, a_context(900_000))
    assert (report["is_done"], shop.stage) == (True, Stage.PRESENT)


def test_the_deployed_function_works_on_table_and_bucket(cold_start: ColdStart) -> None:
    with mock_aws():
        table, bucket = a_catalog_table(boto3.client("dynamodb")), a_bucket(boto3.client("s3"))
        module = cold_start("remove_product", TABLE=table, BUCKET=bucket, STACK="shop")
        report = module.lambda_handler(REQUEST, a_context(900_000))
    assert report["is_done"]
    assert module.lambda_handler is module.lambda_handler
    assert not hasattr(module, "anything_else")
