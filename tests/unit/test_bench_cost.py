import json
import re
from collections import Counter

import pytest

from bench.calls import CALLS, OF_A_PRODUCT
from bench.cost import (
    BUSY_LOOKS,
    IDLE_SECONDS,
    PAGE,
    Bill,
    Line,
    category_pages,
    deletions,
    fetches,
    followed,
    form_uploads,
    gallery_pages,
    idle_fetch_queue,
    pages,
    product,
    product_lists,
    render,
    renderings,
    staff_looks,
    staff_page,
    staff_pictures,
    staff_put_in,
    uploads,
    views,
    views_of_a_rendition,
    waiting,
)
from bench.warm_invocations import RESULTS as BILLED
from tests.figures import differences

A_ROUNDING = 0.03
"""Dollars: half a cent that was rounded off, and what a record adds that grows by a field."""
WITHOUT_PRICE = {"DeleteObject"}
DYNAMODB = {
    *("GetItem", "BatchGetItem", "Query"),
    *("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"),
}


def test_the_committed_page_is_current_but_for_roundings() -> None:
    committed = PAGE.read_text()
    written_from = re.search(r"`make cost` from (.*);", committed)
    assert written_from
    assert differences(committed, render(written_from[1])) == [], "Write it again: make cost"


def test_the_committed_page_has_the_prices_to_the_digit() -> None:
    _, head, prices = PAGE.read_text().partition("## Prices")
    assert head
    assert prices == render("a commit").partition(head)[2], "Write it again: make cost"


def test_a_line_is_its_quantity_times_its_price() -> None:
    assert Line("s3_put", 2_000_000).usd == pytest.approx(10)
    assert Line("s3_put", 2_000_000).service == "S3"


def test_services_and_their_lines_come_the_dearest_first() -> None:
    bill = Bill([Line("event", 1), Line("s3_get", 3e6), Line("s3_put", 2e6), Line("api_request", 3e6)])
    by_service = bill.by_service()
    assert list(by_service) == ["S3", "API Gateway", "EventBridge"]
    assert [line.price for line in by_service["S3"]] == ["s3_put", "s3_get"]
    assert bill.usd == pytest.approx(1e-6 + 1.2 + 10 + 10.5)


def test_an_upload_is_billed_for_every_call_that_has_a_price() -> None:
    calls = [call for route in ("upload", "metadata of a primary") for call in CALLS[route]]
    quantities = Counter({line.price: line.quantity / 1_000_000 for line in uploads().lines})
    assert {call.operation for call in calls} - DYNAMODB - WITHOUT_PRICE == {
        *("PutObject", "PutObject", "GetObject", "PutEvents")
    }
    assert (quantities["s3_put"], quantities["s3_get"], quantities["event"]) == (2, 1, 1)
    assert quantities["dynamodb_write"] == sum(call.write_units for call in calls)
    assert quantities["dynamodb_read"] == sum(call.read_units for call in calls)


def test_an_upload_is_billed_for_the_milliseconds_that_were_measured_and_the_memory_of_each_function() -> (
    None
):
    measured = json.loads(BILLED.read_text())["functions"]
    upload, metadata, gallery = (
        measured[name]["median_billed_milliseconds"]
        for name in ("upload_image", "extract_metadata", "gallery")
    )
    # A million times a thousandth of a second: 1 GB and 2 GB for an upload, 1 GB for a page.
    assert gb_seconds(uploads()) == pytest.approx(1_000 * (upload + 2 * metadata))
    assert gb_seconds(pages()) == pytest.approx(1_000 * gallery)


def test_further_waiting_adds_what_its_milliseconds_cost() -> None:
    assert waiting("upload_image").quantity == pytest.approx(10_000)
    assert waiting("upload_image", "extract_metadata").quantity == pytest.approx(30_000)
    assert f"adds {waiting('upload_image', 'extract_metadata').usd:.2f} to a million uploads" in in_one_line()


def test_a_key_costs_two_writes() -> None:
    two_writes = Line("dynamodb_write", 2_000_000).usd
    assert uploads(upload="upload with a key").usd - uploads().usd == pytest.approx(two_writes)


def test_a_form_saves_what_the_bytes_cost_at_the_cdn_and_is_billed_for_its_own_function() -> None:
    measured = json.loads(BILLED.read_text())["functions"]
    form, direct = measured["reserve_upload"], measured["upload_image"]

    def difference(figure: str) -> float:
        return float(direct[figure] - form[figure])

    saved = [
        Line("cdn_gb_to_origin", 1_500),
        # Its record is read.
        Line("dynamodb_read", -1_000_000),
        Line("lambda_gb_second", 1_000 * difference("median_billed_milliseconds")),
        Line("log_gb", difference("bytes_logged") / 1_000),
    ]
    assert uploads(metadata="metadata").usd - form_uploads().usd == pytest.approx(Bill(saved).usd)


def test_a_picture_by_its_address_is_billed_for_its_message_its_turn_and_the_time_it_is_waited_for() -> None:
    quantities = Counter[str]()
    for line in fetches().lines:
        quantities[line.price] += round(line.quantity / 1_000_000)
    assert (quantities["sqs_request"], quantities["lambda_request"], quantities["s3_put"]) == (3, 3, 2)
    measured = json.loads(BILLED.read_text())["functions"]
    form, metadata = (
        measured[name]["median_billed_milliseconds"] for name in ("reserve_upload", "extract_metadata")
    )
    assert gb_seconds(fetches()) == pytest.approx(1_000 * (form + 2 * metadata + 0.5 * 500))
    assert f"fetched by their address: {fetches().usd:.2f}" in in_one_line()


def test_a_page_of_a_gallery_is_one_query() -> None:
    assert [line.quantity for line in pages().lines if line.service == "DynamoDB"] == [2_000_000]


def test_a_deletion_is_one_path_that_the_cdn_forgets() -> None:
    [paths] = [line for line in deletions().lines if line.price == "cdn_invalidation"]
    assert paths.quantity == 1_000_000
    assert paths.usd == pytest.approx(5_000)


def test_a_picture_that_is_deleted_is_not_billed_for_a_list_since_its_record_names_its_files() -> None:
    assert [line for line in deletions().lines if line.price == "s3_put"] == []


def test_a_rendering_is_billed_for_each_of_its_files_and_less_than_ninety_dollars_a_million() -> None:
    [puts] = [line for line in renderings().lines if line.price == "s3_put"]
    assert puts.quantity == 9_000_000
    assert renderings().usd < 90


def test_views_of_renditions_cost_less_than_a_twentieth() -> None:
    assert views_of_a_rendition().usd < views().usd / 20
    for bill in (gallery_pages, category_pages):
        assert bill(are_rendered=True).usd < bill(are_rendered=False).usd / 20


def test_a_category_page_is_forty_tiles_and_one_answer() -> None:
    quantities = {line.price: line.quantity / 1_000_000 for line in category_pages(are_rendered=True).lines}
    # Two functions for each picture, none for the answer.
    assert (quantities["cdn_request"], quantities["cdn_function"]) == (41, 80)


def test_a_page_of_products_reads_by_halves_of_a_unit() -> None:
    [read] = [line for line in product_lists().lines if line.service == "DynamoDB"]
    assert read.quantity == 10_500_000


def test_what_is_done_to_a_product_is_billed_for_the_calls_that_were_counted() -> None:
    for what, calls in OF_A_PRODUCT.items():
        bill = followed() if what == "follow" else product(what)
        quantities = {line.price: line.quantity / 1_000_000 for line in bill.lines}
        assert quantities["dynamodb_read"] == sum(call.read_units for call in calls)
        assert quantities.get("dynamodb_write", 0) == sum(call.write_units for call in calls)
        assert quantities.get("event", 0) == (what in {"follow", "remove"})
        assert ("api_request" in quantities) is (what != "follow")


def test_a_queue_that_nobody_uses_is_asked_by_five_at_once() -> None:
    [asked] = idle_fetch_queue().lines
    assert (asked.price, asked.quantity) == ("sqs_request", 5 * 3 * 60 * 24 * 30)


def test_the_month_of_staff_looks_as_often_as_the_page_does_while_nothing_happens() -> None:
    polling = (PAGE.parents[1] / "page/public/polling.js").read_text()
    assert f"idle: {IDLE_SECONDS}_000" in polling
    assert staff_looks() == 10 * 21 * (4 * 60 + BUSY_LOOKS)
    assert staff_pictures() == 8_400
    requests = sum(line.quantity for line in staff_page().lines if line.price == "api_request")
    assert requests == staff_looks() + staff_pictures()


def test_what_staff_put_in_costs_what_as_many_uploads_with_a_key_and_renderings_do() -> None:
    each = uploads(upload="upload with a key", metadata="metadata").usd + renderings().usd
    assert staff_put_in().usd == pytest.approx(each * 8_400 / 1_000_000)


def gb_seconds(bill: Bill) -> float:
    return sum(line.quantity for line in bill.lines if line.price == "lambda_gb_second")


def in_one_line() -> str:
    return " ".join(PAGE.read_text().split())
