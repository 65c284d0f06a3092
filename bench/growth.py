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
        Calls to AWS · read units · write units of DynamoDB, warm, measured through the functions on the
        emulator. Galleries grow in a product of their own; catalogues have a gallery of {_USUAL_GALLERY}
        in the product that is measured, and one picture in every other.
    """
    after = f"""
        None of these but one takes more for a larger catalogue or a larger gallery; the run fails if one
        does. The one is the storefront's gallery: it counts the pictures that are ready, so that it reads the
        whole gallery, a unit for each 4 KB. A cache of the CDN asks for it once a minute at most. A list
        reads its page and what stands before it, a unit for each 4 KB, and one more call for each megabyte,
        DynamoDB's page: a record of usual length is {record} bytes, so that pages up to the
        {_CALL_BYTES // record:,}th picture are one call, with longer texts fewer. What does grow, and is not
        in the table, is the time of a list of the pictures in one status, which goes through the whole
        gallery, and that of a search for products, which reads up to 5 MB of their titles for a page.
        No list grows in memory: it keeps its page, and the answer to one call. None goes through
        more than {MAX_REACH:,} pictures. A new order,
        which is refused above 100 pictures, writes four units for each. What a product's records and their
        entries in the gallery's index may take together,
        10 GB, is enough for some {_PRODUCT_BYTES // (2 * record) / 1e6:.0f} million pictures.
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
        Units are computed from the sizes of the items before and after each call, by the rules of
        DynamoDB's developer guide: 4 KB a read unit, consistent; 1 KB a write unit; each item of a
        transaction twice, its conditions too; entering, leaving or moving in an index one, one and two, and
        one for an entry that changes where it stands, as all in the gallery's do; in a transaction as well,
        of which the guide says nothing. The emulator reports a
        query as one unit whatever its size and a batch as none, so its reads prove nothing; of its writes
        it reports the same for {len(told) - others.total()} of {len(told)}{": " if differing else ""}{
        differing
    }.
    """)


def limits_section() -> str:
    """Return the chapter on the hottest items, as far as it is arithmetic."""
    before = f"""
        DynamoDB takes {LIMIT:,} write units a second on one partition, so on one item too. Where each
        reaches that:
    """
    after = """
        The last three are of uploads to one and the same product. Its item, its records and their entries in
        the gallery's index lie on one partition: DynamoDB parts a hot product's records among partitions
        only in a table without a local index. Each execution environment that starts leases a block
        too: Lambda starts at most 1,000 of a function in ten seconds, which are 100 writes a second on the
        counter beside those above.
    """
    rows = [[each.name, f"{each.units_per_upload:g}", f"{each.uploads_per_second:,.0f}"] for each in limits()]
    heads = ["what", "write units an upload", f"uploads a second at {LIMIT:,} units"]
    return section("The hottest items", before, table(heads, rows), after)


def _simulation(busiest: Mapping[tuple[int, int], Busiest]) -> str:
    before = f"""
        Simulated: environments that upload without a pause, each busy {UPLOAD_SECONDS:g} s with one (an
        assumption), to any product with equal chance, every upload asking to be the primary: the most
        write units in any of ten seconds, on the counter, on a shard of the index, and on one product with
        its records ({PRIMARY_PARTITION_UNITS:g} an upload). Bold is above {LIMIT:,}.
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
        The first rate is what the template lets in (`RequestsPerSecond`, 500), the second API Gateway's
        own quota of an account and region, 10,000 requests a second; the third is beyond it. The counter,
        with blocks of {BLOCK_SIZE}, and the index, with {OPEN_SHARDS} shards, stay below at each: the shards
        are enough for {_shards_rate():,.0f} uploads a second, evenly spread, and the last rows need
        {math.ceil(hottest * OPEN_SHARDS / LIMIT)} of them. A product is hot only where few products take
        everything.
    """
    heads = ["environments", "uploads a second", "products", "counter", "a shard", "a product"]
    return "\n".join([paragraph(before), table(heads, rows), paragraph(after)])


def _shards_rate() -> float:
    return LIMIT * OPEN_SHARDS / INDEX_UNITS


def _contention(contention: Mapping[int, tuple[Contention, Contention]]) -> str:
    before = """
        Before its units, another thing bounds a product's item: transactions on it refuse each other. Each
        upload is counted by one, and each that becomes the primary is pointed to by another. Simulated with
        the adapter's waits and tries, at random moments for ten seconds, a transaction taken to hold its
        items for 10 ms (an assumption); tries for each transaction, and how many are given up after the last:
    """
    after = """
        What is given up is not lost: an upload is answered 503 with `Retry-After`, before any bytes are
        stored, and the event of a primary Lambda runs again, twice, and then the failure queue has it; until
        it gets through, the picture is pending.
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
