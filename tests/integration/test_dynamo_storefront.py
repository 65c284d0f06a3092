"""How what the public sees is read: in how many calls, and that a product's head never hides a picture."""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from adapters.aws import dynamodb_client
from adapters.dynamo_belongings import DynamoBelongings
from adapters.dynamo_gallery import read_first
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_items import image_to_item, product_key
from adapters.dynamo_product_list import DynamoProductList
from adapters.dynamo_products import DynamoProducts
from adapters.dynamo_storefront import DynamoStorefront
from domain.errors import UnavailableError
from domain.image import ImageSnapshot
from domain.storefront import MAX_PRODUCTS
from tests.builders import (
    A_LOOK,
    DAMAGED,
    NOW,
    PRODUCT_ID,
    SHA256,
    a_catalog_table,
    a_file,
    a_ref,
    an_image,
    with_changes,
)
from tests.integration.conftest import Shop, shop_in_memory, shop_on_dynamodb
from tests.integration.faults import answer_with, hook
from tests.integration.test_storefront import (
    add_failed,
    add_pending,
    add_ready,
    delete,
    move,
    point,
    primary,
    reorder,
    shown,
)
from tests.torture.results import size

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

type Step = Callable[[Shop], object]

MANY = 12
"""Pictures at once, more than a reservation has tries."""


class Table:
    """A catalogue on moto, and what is asked of it."""

    def __init__(self) -> None:
        self.client: DynamoDBClient = dynamodb_client()
        self.name = a_catalog_table(self.client)
        storefront = DynamoStorefront(self.client, self.name)
        catalog = DynamoImageCatalog(self.client, self.name)
        products = DynamoProducts(self.client, self.name)
        product_list = DynamoProductList(self.client, self.name)
        belongings = DynamoBelongings(self.client, self.name)
        self.shop = Shop(catalog, products, storefront, product_list, belongings, lambda _: None)
        self.shop.products.add(PRODUCT_ID)

    def watch(self) -> list[str]:
        made: list[str] = []
        hook(self.client, "before-call", lambda model, **_: made.append(model.name))
        return made

    def product(self) -> dict[str, Any]:
        key = product_key(PRODUCT_ID)
        return self.client.get_item(TableName=self.name, Key=key, ConsistentRead=True)["Item"]

    def change_product(self, update: str, **values: dict[str, str]) -> None:
        given = {f":{name}": value for name, value in values.items()}
        parameters: dict[str, Any] = {"ExpressionAttributeValues": given} if given else {}
        key = product_key(PRODUCT_ID)
        self.client.update_item(TableName=self.name, Key=key, UpdateExpression=update, **parameters)


@pytest.fixture
def table() -> Iterator[Table]:
    with mock_aws():
        yield Table()


def test_a_gallery_takes_one_call_with_its_count_and_also_if_there_is_no_such_product(table: Table) -> None:
    add_ready(table.shop, 1, 2, 3)
    made = table.watch()
    assert shown(table.shop, limit=1, offset=1) == (3, [2])
    assert made == ["Query"]


def test_a_hundred_products_take_two_calls_whether_a_primary_was_named_or_not(table: Table) -> None:
    product_ids = range(PRODUCT_ID, PRODUCT_ID + MAX_PRODUCTS)
    # moto takes a while for each.
    there = product_ids[:20]
    for product_id in there:
        table.shop.products.add(product_id)
        first, second = 2 * product_id, 2 * product_id + 1
        add_ready(table.shop, first, product_id=product_id)
        if product_id % 2:
            add_ready(table.shop, second, product_id=product_id)
            point(table.shop, second, product_id)
    made = table.watch()
    images = table.shop.storefront.primaries(product_ids).images
    assert {each: image.ref.image_id for each, image in images.items()} == {
        each: 2 * each + each % 2 for each in there
    }
    assert made == ["BatchGetItem"] * 2


def test_products_without_pictures_or_that_are_not_there_take_one_call(table: Table) -> None:
    made = table.watch()
    assert table.shop.storefront.primaries([PRODUCT_ID, 99]).images == {}
    assert made == ["BatchGetItem"]


@pytest.mark.parametrize(
    "change",
    [
        lambda shop: delete(shop, 1),
        lambda shop: move(shop, 1, order=1),
        lambda shop: reorder(shop, {1: 1, 2: 0, 3: 2}),
        lambda shop: add_ready(shop, 4, order=-1),
    ],
    ids=["deleted", "moved", "reordered", "a new first one"],
)
def test_it_stays_at_two_calls_whatever_comes_of_the_first_picture(table: Table, change: Step) -> None:
    add_ready(table.shop, 1, 2, 3)
    change(table.shop)
    made = table.watch()
    assert primary(table.shop) in {2, 4}
    assert made == ["BatchGetItem"] * 2


@pytest.mark.parametrize("add", [add_pending, add_failed])
def test_a_first_picture_that_is_not_ready_takes_one_more_call(
    table: Table, add: Callable[[Shop, int], None]
) -> None:
    add(table.shop, 1)
    add_ready(table.shop, 2)
    made = table.watch()
    assert primary(table.shop) == 2
    assert made == ["BatchGetItem", "BatchGetItem", "Query"]


def test_a_product_from_before_there_were_heads_is_looked_into_until_a_picture_of_it_is_deleted(
    table: Table,
) -> None:
    add_ready(table.shop, 1, 2)
    table.change_product("REMOVE head, turns")
    # One that would come first, were nothing there.
    add_ready(table.shop, 3, order=1)
    made = table.watch()
    assert primary(table.shop) == 1
    assert made == ["BatchGetItem", "Query"]
    delete(table.shop, 2)
    made.clear()
    assert primary(table.shop) == 1
    assert made == ["BatchGetItem"] * 2


def test_a_product_from_before_pictures_were_counted_takes_another_one(table: Table) -> None:
    table.change_product("REMOVE head, turns, image_count")
    add_pending(table.shop, 1)
    assert table.product()["head"] == {"S": "!"}
    assert table.product()["image_count"] == {"N": "1"}


def test_the_first_picture_and_those_behind_it_are_reserved_by_one_call_and_one_before_it_by_two(
    table: Table,
) -> None:
    made = table.watch()
    for image_id, order in ((1, 0), (2, 0), (3, 5)):
        add_pending(table.shop, image_id, order=order)
    assert made == ["TransactWriteItems"] * 3
    made.clear()
    add_pending(table.shop, 4, order=-1)
    assert made == ["TransactWriteItems"] * 2


def meanwhile(table: Table, operation: str, happens: Callable[[], object]) -> None:
    """Let something happen once, before a call of this kind is sent."""
    left = [happens]

    def happen(model: Any, **_: object) -> None:  # noqa: ANN401 - the SDK's
        if model.name == operation and left:
            left.pop()()

    hook(table.client, "before-call", happen)


UNKNOWN = {"S": "!"}


@pytest.mark.parametrize(
    "change",
    [
        lambda shop: delete(shop, 1),
        lambda shop: move(shop, 1, order=5),
        lambda shop: move(shop, 4, order=-3),
        lambda shop: reorder(shop, {1: 3, 3: 2, 4: 1}),
    ],
    ids=["deleted", "moved back", "moved to the front", "reordered"],
)
def test_a_head_is_raised_by_nobody_who_saw_the_gallery_before_another_picture_came(
    table: Table, change: Step
) -> None:
    add_ready(table.shop, 1, 3, 4)
    meanwhile(table, "TransactWriteItems", partial(add_ready, table.shop, 2, order=-1))
    change(table.shop)
    assert table.product()["head"] == UNKNOWN
    assert primary(table.shop) == primary_of_gallery(table.shop)
    # Who comes next finds it again.
    delete(table.shop, 3)
    made = table.watch()
    assert primary(table.shop) == primary_of_gallery(table.shop)
    assert made == ["BatchGetItem", "BatchGetItem", "Query"]


def primary_of_gallery(shop: Shop) -> int | None:
    return next(iter(shown(shop, limit=1)[1]), None)


@pytest.mark.parametrize("by_another", [lambda shop: delete(shop, 2), lambda shop: move(shop, 2, order=9)])
def test_of_the_first_two_that_go_at_once_the_later_lets_nothing_be_known(
    table: Table, by_another: Step
) -> None:
    add_ready(table.shop, 1, 2, 3)
    meanwhile(table, "TransactWriteItems", partial(by_another, another(table)))
    delete(table.shop, 1)
    assert table.product()["head"] == UNKNOWN
    assert primary(table.shop) == 3


def another(table: Table) -> Shop:
    """Return the same catalogue by a client of its own."""
    client = dynamodb_client()
    return replace(
        table.shop,
        catalog=DynamoImageCatalog(client, table.name),
        storefront=DynamoStorefront(client, table.name),
    )


@pytest.mark.parametrize("when", ["before-call", "after-call"])
@pytest.mark.parametrize("killed_at", range(3))
@pytest.mark.parametrize(
    "change",
    [
        lambda shop: move(shop, 1, order=5),
        lambda shop: move(shop, 3, order=-5),
        lambda shop: reorder(shop, {1: 2, 2: 1, 3: 0}),
        lambda shop: delete(shop, 1),
    ],
    ids=["moved back", "moved to the front", "reordered", "deleted"],
)
def test_a_function_that_dies_anywhere_while_another_deletes_leaves_the_storefront_right(
    table: Table, change: Step, killed_at: int, when: str
) -> None:
    add_ready(table.shop, 1, 2, 3, 4)
    other, calls = another(table), iter(range(99))

    def die(**_: object) -> None:
        if next(calls) == killed_at:
            # Whatever it saw, and began, is from before this deletion.
            delete(other, 2)
            raise KeyboardInterrupt

    hook(table.client, when, die)
    with suppress(KeyboardInterrupt):
        change(table.shop)
    assert primary(other) == primary_of_gallery(other)
    delete(other, 4)
    assert primary(other) == primary_of_gallery(other)


def test_a_change_of_a_picture_that_was_not_looked_up_lets_nothing_be_known(table: Table) -> None:
    add_ready(table.shop, 1, 2)
    seen = table.shop.catalog.look_up(PRODUCT_ID, 1)
    assert table.shop.catalog.begin_removal(ImageSnapshot(seen.image, seen.primary), NOW)
    assert table.product()["head"] == UNKNOWN
    assert primary(table.shop) == 2
    seen = table.shop.catalog.look_up(PRODUCT_ID, 2)
    moved = ImageSnapshot(with_changes(seen.image, order=3), seen.primary)
    assert table.shop.catalog.change(ImageSnapshot(seen.image, seen.primary), moved)
    assert table.product()["head"] == UNKNOWN


def test_a_failed_picture_moves_without_a_thought_of_the_head(table: Table) -> None:
    add_failed(table.shop, 1)
    add_ready(table.shop, 2)
    before = table.product()
    move(table.shop, 1, order=5)
    assert table.product() == before


def before_each_write(client: "DynamoDBClient", *happens: Callable[[], object]) -> None:
    """Let these things happen before the first writes are sent, each before its own."""
    left = iter(happens)

    def happen(model: Any, **_: object) -> None:  # noqa: ANN401 - the SDK's
        if model.name == "TransactWriteItems":
            next(left, lambda: None)()

    hook(client, "before-call", happen)


def state(table: Table) -> tuple[int, str, int | None]:
    """Return what a product counts, where its head is, and what stands for it."""
    product = table.product()
    return int(product["image_count"]["N"]), product["head"]["S"], primary(table.shop)


def place(image_id: int, order: int) -> str:
    item = image_to_item(an_image(ref=a_ref(image_id), order=order))
    return str(item["place"]["S"])


def test_a_picture_before_the_head_is_not_kept_up_by_those_that_come_behind_it(table: Table) -> None:
    other = another(table)
    add_ready(table.shop, 1)
    made = table.watch()
    behind = [partial(add_ready, other, image_id, order=5) for image_id in range(10, 20)]
    before_each_write(table.client, *behind)
    add_pending(table.shop, 2, order=-1)
    assert made == ["TransactWriteItems"] * 2
    become_ready(other, 2)
    assert state(table) == (4, place(2, -1), 2)


def test_a_picture_before_the_head_that_a_still_earlier_one_passes_takes_one_more_call(table: Table) -> None:
    other = another(table)
    add_ready(table.shop, 1)
    made = table.watch()
    before_each_write(table.client, lambda: None, partial(add_ready, other, 3, order=-2))
    add_pending(table.shop, 2, order=-1)
    assert made == ["TransactWriteItems"] * 3
    become_ready(other, 2)
    assert state(table) == (3, place(3, -2), 3)


def test_a_picture_before_the_head_meets_a_head_that_others_raise(table: Table) -> None:
    other = another(table)
    add_ready(table.shop, 1, 3)
    before_each_write(table.client, lambda: None, partial(delete, other, 1))
    add_ready(table.shop, 2, order=-1)
    assert state(table) == (2, place(2, -1), 2)


def test_a_picture_before_the_head_is_the_first_one_where_all_others_go_meanwhile(table: Table) -> None:
    other = another(table)
    add_ready(table.shop, 1)
    before_each_write(table.client, lambda: None, partial(delete, other, 1))
    add_ready(table.shop, 2, order=-1)
    assert state(table) == (1, place(2, -1), 2)


def test_pictures_that_come_at_once_in_falling_order_are_all_counted(table: Table) -> None:
    add_ready(table.shop, 1)

    def add_from(image_id: int) -> None:
        """Add a picture, and all that follow when it knows the head, and has not written yet."""
        if image_id <= MANY:
            client = dynamodb_client()
            before_each_write(client, lambda: None, partial(add_from, image_id + 1))
            image = an_image(ref=a_ref(image_id), order=-image_id)
            DynamoImageCatalog(client, table.name).reserve(image)

    add_from(2)
    for image_id in range(2, MANY + 1):
        become_ready(table.shop, image_id)
    assert state(table) == (MANY, place(MANY, -MANY), MANY)
    assert shown(table.shop, MANY) == (MANY, [*range(MANY, 0, -1)])


def test_a_reservation_gives_up_where_the_head_always_passes_it(table: Table) -> None:
    add_pending(table.shop, 1)
    behind, before = ({"S": place(1, order)} for order in (5, -5))
    passes = [partial(table.change_product, "SET head = :head", head=head) for head in (behind, before)]
    before_each_write(table.client, *passes * 3)
    with pytest.raises(UnavailableError):
        add_pending(table.shop, 2)
    assert table.product()["image_count"] == {"N": "1"}


@pytest.mark.parametrize(
    ("found", "head"),
    [
        ({"image_count": {"N": "0"}, "head": {"S": "z"}}, place(1, 0)),
        ({"image_count": {"N": "0"}, "head": {"S": "0"}}, place(1, 0)),
        ({"image_count": {"N": "1"}, "head": {"S": "z"}}, place(1, 0)),
        ({"image_count": {"N": "1"}, "head": {"S": "0"}}, "0"),
        ({"image_count": {"N": "1"}}, "!"),
        ({"head": {"S": "z"}}, place(1, 0)),
        ({"head": {"S": "0"}}, "0"),
        ({}, "!"),
    ],
    ids=str,
)
def test_what_was_found_of_a_product_tells_its_head_with_another_picture(
    table: Table, found: dict[str, dict[str, str]], head: str
) -> None:
    table.change_product("REMOVE head, turns, image_count")
    for name, value in found.items():
        table.change_product(f"SET {name} = :value", value=value)
    add_pending(table.shop, 1)
    assert table.product()["head"] == {"S": head}


@pytest.mark.torture("orders of what happens to a gallery that the public sees")
@pytest.mark.parametrize("seed", range(size(40, 3, "orders of what happens to a public gallery")))
def test_whatever_happens_in_whatever_order_it_shows_what_the_fake_does(seed: int) -> None:
    with shop_in_memory() as fake, shop_on_dynamodb() as real:
        for shop in (fake, real):
            shop.products.add(PRODUCT_ID)
        for step in steps(random.Random(seed)):  # noqa: S311 - the order of a test is no secret
            for shop in (fake, real):
                step(shop)
            assert (primary(real), shown(real, 50)) == (primary(fake), shown(fake, 50))


def steps(chance: random.Random) -> Iterator[Step]:
    """Yield thirty things that happen to a gallery, each of which is possible at its time."""
    ready: list[int] = []
    pending: list[int] = []
    for image_id in range(1, 31):
        order = chance.randint(-2, 2)
        moves = ["move", "delete", "reorder"] if ready else []
        match chance.choice(["reserve", "reserve", *["inspect"] * len(pending), *moves]):
            case "reserve":
                pending.append(image_id)
                yield partial(add_pending, image_id=image_id, order=order)
            case "inspect":
                inspected = pending.pop(chance.randrange(len(pending)))
                outcome = chance.choice([become_ready, become_ready, fail, withdraw])
                if outcome is become_ready:
                    ready.append(inspected)
                yield partial(outcome, image_id=inspected)
            case "move":
                yield partial(move, image_id=chance.choice(ready), order=order)
            case "delete":
                yield partial(delete, image_id=ready.pop(chance.randrange(len(ready))))
            case _:
                yield partial(reorder, orders={each: chance.randint(-2, 2) for each in ready})


def become_ready(shop: Shop, image_id: int) -> None:
    shop.catalog.mark_ready(a_ref(image_id), a_file(), NOW)


def fail(shop: Shop, image_id: int) -> None:
    shop.catalog.mark_failed(a_ref(image_id), DAMAGED, SHA256, NOW)


def withdraw(shop: Shop, image_id: int) -> None:
    shop.catalog.withdraw(a_ref(image_id), NOW)


def test_a_first_picture_behind_many_that_failed_is_found(table: Table) -> None:
    for image_id in range(1, 25):
        add_failed(table.shop, image_id)
    add_ready(table.shop, 25)
    delete(table.shop, 1)
    made = table.watch()
    assert primary(table.shop) == 25
    assert made == ["BatchGetItem"] * 2


def test_the_picture_that_is_pointed_at_is_found_however_large_the_gallery(table: Table) -> None:
    # Longer than the service lets a text be, so that few records make a megabyte.
    for image_id in range(1, 13):
        image = an_image(ref=a_ref(image_id), alt_text="x" * 100_000)
        table.shop.catalog.reserve(image)
        table.shop.catalog.mark_ready(image.ref, a_file(), NOW)
    assert read_first(table.client, table.name, PRODUCT_ID)[0] == table.shop.catalog.get(PRODUCT_ID, 1)
    point(table.shop, 12)
    assert read_first(table.client, table.name, PRODUCT_ID)[0] == table.shop.catalog.get(PRODUCT_ID, 12)


def test_a_product_that_goes_meanwhile_has_no_first_picture(table: Table) -> None:
    assert read_first(table.client, table.name, 99) == (None, [])


def test_what_is_denied_is_no_condition_that_did_not_hold(table: Table) -> None:
    add_ready(table.shop, 1)
    answer_with(table.client, "AccessDeniedException", event="before-call.dynamodb.UpdateItem")
    with pytest.raises(ClientError, match="AccessDenied"):
        table.shop.catalog.mark_rendered(a_ref(1), A_LOOK, NOW)
