from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger
from moto import mock_aws

from domain.image_store import PublicCopy
from domain.product_record import Stage
from domain.remove_product import RemoveProduct
from handlers.remove_product import RemoveProductHandler
from tests.builders import NOW, PRODUCT_ID, SHA256, a_bucket, a_catalog_table, a_context, a_ref, an_image
from tests.catalog_fake import InMemoryImageCatalog
from tests.conftest import ColdStart
from tests.fakes import InMemoryImageEvents, InMemoryImageStore
from tests.product_fakes import InMemoryProductBytes, InMemoryProducts, InMemoryRemovals
from tests.unit.conftest import Printed
from tests.watched import Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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

    def __init__(self, turn: "Callable[[str], None]" = lambda _: None) -> None:
        self.catalog, self.store = InMemoryImageCatalog(PRODUCT_ID), InMemoryImageStore()
        self.products, self.events = InMemoryProducts(self.catalog), Told()
        self.removals = InMemoryRemovals()
        self.fill(30)
        self.begin()
        self.handler = self.a_handler(lambda role: Watched(role, turn))

    def a_handler(self, watched: "Callable[[Any], Any]" = lambda role: role) -> RemoveProductHandler:
        remove_product = RemoveProduct(
            products=watched(self.products),
            belongings=watched(self.products),
            product_bytes=watched(InMemoryProductBytes(self.store)),
            events=watched(self.events),
            clock=lambda: NOW,
        )
        return RemoveProductHandler(remove_product, self.removals, Logger(service="remove_product"))

    def fill(self, count: int, first: int = 1) -> None:
        for image_id in range(first, first + count):
            image = an_image(ref=a_ref(image_id))
            self.catalog.reserve(image)
            self.store.put(image, b"picture")
            self.store.publish(image.ref, PublicCopy(b"picture", image.image_format, SHA256))

    def begin(self) -> None:
        seen = self.products.look(PRODUCT_ID)
        self.products.write(seen, seen.removed(seen.heard_now(NOW)))

    def is_removed_put_filled_and_removed_again(self) -> None:
        self.a_handler()(REQUEST, a_context(900_000))
        self.products.add(PRODUCT_ID)
        self.fill(2, first=101)
        self.begin()

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


def test_a_run_that_another_one_overtakes_anywhere_ends_a_second_removal_only_when_all_of_it_is_gone() -> (
    None
):
    calls = list[str]()
    Shop(calls.append).handler(REQUEST, a_context(900_000))
    assert {"look", "postpone_removal", "some", "send_product_removed", "write"} <= set(calls)
    for moment in range(len(calls)):
        turns = iter(range(1_000))

        def turn(_: str, turns: "Iterator[int]" = turns, moment: int = moment) -> None:
            if next(turns) == moment:
                shop.is_removed_put_filled_and_removed_again()  # noqa: B023 - called in this round

        shop = Shop(turn)
        assert shop.handler(REQUEST, a_context(900_000))["is_done"]
        # What it says is that another run is at it, or that nothing is left.
        shop.handler(REQUEST, a_context(900_000))
        assert (shop.stage, shop.catalog.images, shop.store.keys_below("")) == (Stage.REMOVED, {}, []), moment


def test_a_removal_of_which_more_is_heard_meanwhile_ends_all_the_same() -> None:
    shop = Shop()

    def the_catalogue_names_it_again() -> None:
        shop.events.meanwhile = lambda: None
        seen = shop.products.look(PRODUCT_ID)
        shop.products.write(seen, seen.put("Shoe", NOW + timedelta(seconds=1)))

    shop.events.meanwhile = the_catalogue_names_it_again
    assert shop.handler(REQUEST, a_context(900_000))["is_done"]
    assert shop.stage is Stage.PRESENT


def test_the_deployed_function_works_on_table_and_bucket(cold_start: ColdStart) -> None:
    with mock_aws():
        table, bucket = a_catalog_table(boto3.client("dynamodb")), a_bucket(boto3.client("s3"))
        module = cold_start("remove_product", TABLE=table, BUCKET=bucket, STACK="shop")
        report = module.lambda_handler(REQUEST, a_context(900_000))
    assert report["is_done"]
    assert module.lambda_handler is module.lambda_handler
    assert not hasattr(module, "anything_else")
