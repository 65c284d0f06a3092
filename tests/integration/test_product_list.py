"""The promises of a list of products, held to the fake and to DynamoDB alike."""

import pytest
from moto import mock_aws

from adapters.aws import dynamodb_client
from adapters.dynamo_product_list import DynamoProductList
from adapters.dynamo_products import DynamoProducts
from domain.product_page import ProductPage
from domain.product_title import search_words
from tests.builders import NOW, a_catalog_table, a_file, a_ref, an_image, remove_product
from tests.integration.conftest import Shop
from tests.integration.faults import hook


def numbers(page: ProductPage) -> list[int]:
    return [entry.product_id for entry in page.entries]


def test_products_come_by_number_and_not_by_their_digits(shop: Shop) -> None:
    for product_id in (100, 9, 42):
        shop.products.add(product_id)
    assert numbers(shop.product_list.page(10, 0, ())) == [9, 42, 100]


def test_a_page_tells_behind_which_number_to_go_on(shop: Shop) -> None:
    for product_id in range(1, 6):
        shop.products.add(product_id)
    first = shop.product_list.page(2, 0, ())
    last = shop.product_list.page(3, 2, ())
    assert (numbers(first), first.next_after) == ([1, 2], 2)
    assert (numbers(last), last.next_after) == ([3, 4, 5], None)


def test_an_entry_has_the_title_the_count_and_the_primary(shop: Shop) -> None:
    shop.products.add(42, "Red shoe")
    shop.catalog.reserve(an_image(primary_requested_at=NOW))
    shop.catalog.reserve(an_image(ref=a_ref(2)))
    assert shop.catalog.mark_primary_ready(a_ref(), a_file(), NOW, requested_at=NOW)
    [entry] = shop.product_list.page(10, 0, ()).entries
    assert (entry.title, entry.image_count) == ("Red shoe", 2)
    assert entry.primary == shop.catalog.get(42, 1)


def test_what_is_not_known_of_a_product_is_left_open(shop: Shop) -> None:
    shop.products.add(42)
    [entry] = shop.product_list.page(10, 0, ()).entries
    assert (entry.title, entry.image_count, entry.primary) == (None, 0, None)


def test_a_primary_whose_record_is_damaged_is_left_out(shop: Shop) -> None:
    shop.products.add(42)
    shop.catalog.reserve(an_image(primary_requested_at=NOW))
    assert shop.catalog.mark_primary_ready(a_ref(), a_file(), NOW, requested_at=NOW)
    shop.damage(a_ref())
    [entry] = shop.product_list.page(10, 0, ()).entries
    assert entry.primary is None


def test_a_title_stays_until_another_one_is_named(shop: Shop) -> None:
    shop.products.add(42, "Red shoe")
    shop.products.add(42)
    assert shop.product_list.page(10, 0, ()).entries[0].title == "Red shoe"
    shop.products.add(42, "Blue shoe")
    assert shop.product_list.page(10, 0, ()).entries[0].title == "Blue shoe"
    assert numbers(shop.product_list.page(10, 0, search_words("blue"))) == [42]
    assert numbers(shop.product_list.page(10, 0, search_words("red"))) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("shoe", [12, 112]),
        ("SHOE red", [112]),
        ("12", [12, 112, 1200]),
        ("1200", [1200]),
        ("größe", [1200]),
        ("GRÖSSE", [1200]),
        ("boot", []),
    ],
)
def test_a_search_finds_each_word_in_number_and_title(shop: Shop, query: str, found: list[int]) -> None:
    for product_id, title in ((12, "Blue shoe"), (112, "Shoe, red"), (1200, "Größe 40"), (3, None)):
        shop.products.add(product_id, title)
    assert numbers(shop.product_list.page(10, 0, search_words(query))) == found


def test_what_a_search_finds_comes_in_pages_too(shop: Shop) -> None:
    for product_id in range(1, 8):
        shop.products.add(product_id, "Shoe" if product_id % 2 else "Boot")
    first = shop.product_list.page(3, 0, ("shoe",))
    assert (numbers(first), first.next_after) == ([1, 3, 5], 5)
    last = shop.product_list.page(3, 5, ("shoe",))
    assert (numbers(last), last.next_after) == ([7], None)


def test_a_product_that_is_removed_is_listed_no_more(shop: Shop) -> None:
    shop.products.add(42)
    shop.products.add(43)
    assert remove_product(shop.products, 42)
    assert numbers(shop.product_list.page(10, 0, ())) == [43]


def test_a_search_goes_on_through_the_index_and_ends_where_it_has_read_enough() -> None:
    with mock_aws():
        client = dynamodb_client()
        table = a_catalog_table(client)
        for product_id in range(1, 13):
            DynamoProducts(client, table).add(product_id, "Boot" if product_id == 4 else "Shoe")
        # As if two products were a megabyte.
        hook(client, "provide-client-params.dynamodb.Query", lambda params, **_: {**params, "Limit": 2})
        product_list = DynamoProductList(client, table)
        found, rest = product_list.page(10, 0, ("boot",)), product_list.page(10, 10, ("boot",))
    assert (numbers(found), found.next_after) == ([4], 10)
    assert (numbers(rest), rest.next_after) == ([], None)
