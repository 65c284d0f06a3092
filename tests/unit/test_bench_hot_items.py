import pytest

from adapters.dynamo_items import OPEN_SHARDS
from bench.hot_items import LIMIT, UPLOAD_SECONDS, contend, limits, simulate
from domain.leased_ids import BLOCK_SIZE

RATE = 300 / UPLOAD_SECONDS


def test_the_simulation_comes_out_near_the_formulas() -> None:
    counter, shard, _, _, product = (limit.units_per_upload * RATE for limit in limits())
    busiest = simulate(environments=300, products=1)
    assert counter <= busiest.counter < counter * 2
    # Few writes a shard, so that chance shows.
    assert shard <= busiest.shard < shard * 3
    assert busiest.product == pytest.approx(product, rel=0.01)


def test_the_simulation_is_the_same_each_time() -> None:
    assert simulate(50, 100) == simulate(50, 100)


def test_more_products_part_the_writes_and_leave_the_counter_and_the_index_alone() -> None:
    few, many = simulate(300, 10), simulate(300, 1_000)
    assert few.product > many.product
    assert many.shard == pytest.approx(few.shard, rel=0.5)


def test_the_counter_takes_every_upload_that_api_gateway_lets_in_and_the_index_those_of_the_template() -> (
    None
):
    by_counter, by_shard, *_ = (limit.uploads_per_second for limit in limits())
    assert by_counter == LIMIT * BLOCK_SIZE > 10_000
    assert by_shard == LIMIT * OPEN_SHARDS / 2 > 500


def test_transactions_that_seldom_meet_need_one_try_and_those_that_always_meet_are_given_up() -> None:
    seldom, always = contend(1, primaries=False), contend(500, primaries=False)
    assert (seldom.tries, seldom.given_up) == (seldom.wanted, 0)
    assert always.tries > always.wanted
    assert 0 < always.given_up < always.wanted


def test_each_primary_takes_a_second_transaction_on_its_products_item() -> None:
    counted, pointed = contend(30, primaries=False), contend(30, primaries=True)
    assert pointed.wanted == 2 * counted.wanted
    assert pointed.tries > 2 * counted.tries
