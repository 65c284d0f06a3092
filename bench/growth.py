"""`make growth`: what each route costs as galleries and the catalogue grow, written to `docs/growth.md`.

The functions run in this process, on the emulator; records are put straight into the table. Calls and units
are the same on any machine, and so is the simulation, whose seed is fixed.
"""

import itertools
import math
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import boto3

from adapters.dynamo_items import OPEN_SHARDS
from bench.calls import CALLS
from bench.capacity import Report, item_size
from bench.environments import ROOT
from bench.hot_items import (
    INDEX_UNITS,
    LIMIT,
    PRIMARY_PARTITION_UNITS,
    UPLOAD_SECONDS,
    Busiest,
    Contention,
    contend,
    limits,
    simulate,
)
from bench.origin import origin
from bench.page import paragraph, section, table
from bench.routes import FIRST_STORED_ID, PRODUCT_ID, RouteError, Routes, ready_record
from domain.leased_ids import BLOCK_SIZE
from domain.list_images import MAX_REACH
from domain.reorder_images import MAX_IMAGES
from local.emulator_process import ACCESS_KEY_ID, SECRET_ACCESS_KEY, start_emulator
from local.system import ignore_shell_settings
from local.template import REGION

PAGE = ROOT / "docs/growth.md"
GALLERIES = (10, 1_000, 10_000)
CATALOGUES = (100, 1_000, 10_000)
ENVIRONMENTS = (75, 1_500, 10_000)
PRODUCTS = (100, 10_000, 1_000_000)
UPLOADS = (10, 20, 50, 100, 200)
"""A second, to one product."""
_FIRST_PRODUCT = 2_000_000
_USUAL_GALLERY = 10
_STEP = 1_000
_CALL_BYTES = 1 << 20
"""Bytes that one call of a query reads at most."""
_PRODUCT_BYTES = 10 << 30
"""Bytes that the records of one product and their entries in a local index may take."""
_REFUSED = ("reorder",)
"""What a gallery that is too large is refused."""
GROWING = ("storefront gallery",)
"""What takes more in a larger gallery: it counts the pictures that are ready."""


@dataclass(slots=True)
class Growth:
    """What was measured: each route's calls in each gallery and catalogue."""

    galleries: dict[int, Mapping[str, Sequence[Report]]] = field(default_factory=dict)
    catalogues: dict[int, Mapping[str, Sequence[Report]]] = field(default_factory=dict)


def main() -> None:
    """Measure, simulate and write the page."""
    started, measured_from = time.monotonic(), origin()

    def report(doing: str) -> None:
        print(f"growth: {doing} ({time.monotonic() - started:.0f} s)", flush=True)

    with _emulator():
        growth = Growth()
        routes = Routes()
        routes.add_products(PRODUCT_ID, 1)
        stored = 0
        for pictures in GALLERIES:
            report(f"a gallery of {pictures:,} pictures")
            routes.add_pictures(PRODUCT_ID, stored, pictures - stored)
            stored = pictures
            growth.galleries[pictures] = _measure(routes, PRODUCT_ID, pictures)
        added = 0
        for products in CATALOGUES:
            report(f"a catalogue of {products:,} products")
            for first in range(added, products, _STEP):
                count = min(_STEP, products - first)
                routes.add_products(_FIRST_PRODUCT + first, count)
                for number in range(first, first + count):
                    # Each has one picture; the first of them, which is measured, a usual gallery.
                    pictures = 1 if number else _USUAL_GALLERY
                    routes.add_pictures(_FIRST_PRODUCT + number, stored, pictures)
                    stored += pictures
            added = products
            first_picture = FIRST_STORED_ID + GALLERIES[-1]
            growth.catalogues[products] = _measure(routes, _FIRST_PRODUCT, _USUAL_GALLERY, first_picture)
    _check(growth)
    report("simulating")
    busiest = {(many, products): simulate(many, products) for many in ENVIRONMENTS for products in PRODUCTS}
    contention = {rate: (contend(rate, primaries=False), contend(rate, primaries=True)) for rate in UPLOADS}
    PAGE.write_text(render(growth, busiest, contention, measured_from))
    report(f"wrote {PAGE.relative_to(ROOT)}")


def _measure(
    routes: Routes, product_id: int, pictures: int, first_picture: int = FIRST_STORED_ID
) -> Mapping[str, Sequence[Report]]:
    costs = routes.costs(product_id, pictures, first_picture)
    return {cost.route: cost.reports for cost in costs}


def _check(growth: Growth) -> None:
    """Make sure of what the page says of the figures."""
    for columns, excepted in ((growth.catalogues, ()), (growth.galleries, _REFUSED + GROWING)):
        steady = [
            {route: _cell(reports) for route, reports in column.items() if route not in excepted}
            for column in columns.values()
        ]
        if any(column != steady[0] for column in steady):
            raise RouteError(f"A route has grown: {steady}.")


@contextmanager
def _emulator() -> Iterator[None]:
    """Have the SDK of this process speak to an emulator of its own, which ends with it."""
    ignore_shell_settings()
    folder = Path(tempfile.mkdtemp(prefix="growth-"))
    emulator = start_emulator(folder / "emulator.log")
    os.environ |= {
        "AWS_ENDPOINT_URL": emulator.endpoint.url,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
    }
    boto3.DEFAULT_SESSION = None
    try:
        yield
    finally:
        emulator.process.end()
        shutil.rmtree(emulator.folder, ignore_errors=True)
        shutil.rmtree(folder)


def render(
    growth: Growth,
    busiest: Mapping[tuple[int, int], Busiest],
    contention: Mapping[int, tuple[Contention, Contention]],
    measured_from: str,
) -> str:
    """Return the page, which says that its figures are of this commit."""
    return "\n".join(
        [
            f"# Growth\n\nWritten by `make growth` from {measured_from}; do not edit.\n",
            paragraph("""
                For whoever expects large galleries, many products or many uploads. By the end you know which
                requests cost more as the shop grows, and where the limits are.
            """),
            _routes(growth),
            _comparison(growth),
            limits_section(),
            _simulation(busiest),
            _contention(contention),
        ]
    )


def _routes(growth: Growth) -> str:
    columns: list[Mapping[str, Sequence[Report]]] = [*growth.galleries.values(), *growth.catalogues.values()]
    heads = [f"gallery of {n:,}" for n in growth.galleries] + [f"{n:,} products" for n in growth.catalogues]
    record = item_size(ready_record(PRODUCT_ID, FIRST_STORED_ID))
    before = f"""
        Each cell has the calls to AWS · read units · write units of DynamoDB of one warm request. They are
        measured through the functions, on the emulator. Galleries grow in a product of their own. Catalogues
        have a gallery of {_USUAL_GALLERY} in the product that is measured, and one image in every other.

        A key is an idempotency key here, and `upload replayed` is the same upload sent again with it.
        `reserve` asks for an upload form, and `metadata` inspects a file that came in.
    """
    after = f"""
        Only one of these takes more in a larger catalogue or gallery; the run fails if another does. It is
        the storefront's gallery. It counts the images that are ready, so it reads the whole gallery, a unit
        for each 4 KB. A cache of the CDN asks for it once a minute at most.

        A list reads its page and what stands before it, a unit for each 4 KB. DynamoDB answers a megabyte at
        a time, so each further megabyte is one more call. A record of usual length is {record} bytes: pages
        up to the {_CALL_BYTES // record:,}th image are one call. With longer texts it is fewer images.

        Two things grow that are not in the table. A list of the images in one status goes through the whole
        gallery. A search for products reads up to 5 MB of their titles for a page.

        No list grows in memory: it keeps its page, and the answer to one call. None goes through more than
        {MAX_REACH:,} images. A new order, which is refused above {MAX_IMAGES} images, writes four units for
        each. A product's records and their entries in the gallery's index may take 10 GB together. That is
        enough for some {_PRODUCT_BYTES // (2 * record) / 1e6:.0f} million images.
    """
    rows = [[route, *(_cell(column.get(route)) for column in columns)] for route in CALLS]
    return section("Calls and capacity of each route", before, table(["route", *heads], rows), after)


def _cell(reports: Sequence[Report] | None) -> str:
    if reports is None:
        return "refused"
    calls = [report.call for report in reports]
    reads, writes = sum(call.read_units for call in calls), sum(call.write_units for call in calls)
    return f"{len(calls)} · {reads:g} · {writes:g}"


def _comparison(growth: Growth) -> str:
    columns = (*growth.galleries.values(), *growth.catalogues.values())
    told = [
        (route, report)
        for column in columns
        for route, reports in column.items()
        for report in reports
        if report.reported_write_units is not None
    ]
    others = Counter(
        f"{report.call.operation} of {route}, {report.call.write_units:g} by the rules, "
        f"{report.reported_write_units:g} reported"
        for route, report in told
        if report.reported_write_units != report.call.write_units
    )
    differing = "; ".join(f"{what} ({times} times)" for what, times in others.items())
    return paragraph(f"""
        Units are computed from the sizes of the items before and after each call, by the rules of DynamoDB's
        developer guide. A consistent read unit is 4 KB, a write unit 1 KB. Each item of a transaction counts
        twice, and so do its conditions. An entry that enters or leaves an index costs one write, and one that
        moves in it costs two. One that stays and changes costs one, as do all in the gallery's index. The
        guide does not say whether a transaction doubles those too. Here it does not.

        The emulator reports a query as one unit whatever its size and a batch as none. So its reads prove
        nothing. Of its writes it reports the same for {len(told) - others.total()} of
        {len(told)}{": " if differing else ""}{differing}.
    """)


def limits_section() -> str:
    """Return the chapter on the hottest items, as far as it is arithmetic."""
    before = f"""
        DynamoDB takes {LIMIT:,} write units a second on one partition, and so on one item. This is where each
        part reaches that:
    """
    after = """
        The last three are of uploads to one and the same product. Its item, its records and their entries in
        the gallery's index lie on one partition. DynamoDB spreads a hot product's records over partitions
        only in a table without a local index. Each execution environment that starts leases a block of
        identifiers too. Lambda starts at most 1,000 of a function in ten seconds. Those are 100 more writes a
        second on the counter.
    """
    rows = [[each.name, f"{each.units_per_upload:g}", f"{each.uploads_per_second:,.0f}"] for each in limits()]
    heads = ["what", "write units an upload", f"uploads a second at {LIMIT:,} units"]
    return section("The hottest items", before, table(heads, rows), after)


def _simulation(busiest: Mapping[tuple[int, int], Busiest]) -> str:
    before = f"""
        This is simulated. Execution environments of the upload function upload without a pause, to products
        drawn by chance, and every upload asks to be the primary. An upload is assumed to take
        {UPLOAD_SECONDS:g} s. The columns show the most write units in any of ten seconds: on the counter, on
        a shard of the index, and on one product. A product counts with its records
        ({PRIMARY_PARTITION_UNITS:g} units an upload). Bold is above {LIMIT:,}.
    """
    rows = [
        [
            *(f"{environments:,}", f"{environments / UPLOAD_SECONDS:,.0f}", f"{products:,}"),
            *(
                f"{units:,}" if units <= LIMIT else f"**{units:,}**"
                for units in (most.counter, most.shard, most.product)
            ),
        ]
        for (environments, products), most in busiest.items()
    ]
    hottest = max(most.shard for most in busiest.values())
    after = f"""
        The first rate is what the template lets in (`RequestsPerSecond`, 500). The second is API Gateway's
        own quota of an account and region, 10,000 requests a second. The third is beyond it. The counter,
        with blocks of {BLOCK_SIZE}, and the index, with {OPEN_SHARDS} shards, stay below the limit at each.
        The shards are enough for {_shards_rate():,.0f} uploads a second, evenly spread, and the last rows
        need {math.ceil(hottest * OPEN_SHARDS / LIMIT)} of them. A product is hot only where few products take
        everything.
    """
    heads = ["environments", "uploads a second", "products", "counter", "a shard", "a product"]
    return "\n".join([paragraph(before), table(heads, rows), paragraph(after)])


def _shards_rate() -> float:
    return LIMIT * OPEN_SHARDS / INDEX_UNITS


def _contention(contention: Mapping[int, tuple[Contention, Contention]]) -> str:
    before = """
        Something else limits a product's item before its write units do: transactions on it refuse each
        other. One transaction counts each upload, and another one points to each image that becomes the
        primary.

        This is simulated with the waits and tries of the service, at random moments for ten seconds. A
        transaction is assumed to hold its items for 10 ms. The columns show the tries for each transaction,
        and how many are given up after the last try:
    """
    after = """
        What is given up is not lost. An upload is answered 503 with `Retry-After`, before any bytes are
        stored. Lambda handles the event of a primary again, twice, and then the failure queue has it. Until
        it gets through, the image is pending.
    """
    rows = [
        [f"{rate}", *itertools.chain.from_iterable(map(_odds, found))] for rate, found in contention.items()
    ]
    heads = ["uploads a second", "tries, no primaries", "given up", "tries, all primaries", "given up"]
    return section("Many uploads to one product", before, table(heads, rows), after)


def _odds(found: Contention) -> list[str]:
    return [f"{found.tries / found.wanted:.1f}", f"{found.given_up / found.wanted:.1%}"]


if __name__ == "__main__":
    main()
