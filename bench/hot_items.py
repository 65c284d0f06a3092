"""How often the hottest items are written: by formula, and by a seeded simulation of many environments.

DynamoDB takes 1,000 write units a second on one partition, and so on one item (developer guide, "Best
practices for designing and using partition keys effectively").
"""

import heapq
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.aws import _WRITE_MAX_WAIT_SECONDS, _WRITE_TRIES, _WRITE_WAIT_SECONDS
from adapters.dynamo_items import OPEN_SHARDS
from bench.calls import write_units
from domain.leased_ids import BLOCK_SIZE

LIMIT = 1_000
UPLOAD_SECONDS = 0.15
"""How long an environment is taken to be busy with one upload, waiting for AWS included."""
INDEX_UNITS = 2
"""Of each upload in its shard: the record enters it, and leaves it when it is rendered."""
COUNT_UNITS = 3
"""Of each upload on the product's item, which counts it: a transaction writes twice, and the gallery's index
has an entry of it."""
PARTITION_UNITS = write_units("upload") + write_units("metadata") + write_units("render") - INDEX_UNITS
"""Of each upload on its record, its product and their entries in the gallery's index: one partition."""
PRIMARY_PARTITION_UNITS = PARTITION_UNITS + write_units("metadata of a primary") - write_units("metadata")
_SECONDS = 10
_TRANSACTION_SECONDS = 0.01
"""How long a transaction on two items is taken to hold them; AWS promises no figure."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What one item, or one partition, takes."""

    name: str
    units_per_upload: float
    uploads_per_second: float


def limits() -> list[Limit]:
    """Return at how many uploads a second each of them would take its 1,000 units, evenly spread."""
    return [
        Limit(name, units, LIMIT / units)
        for name, units in (
            (f"counter of identifiers, {BLOCK_SIZE} a lease", 1 / BLOCK_SIZE),
            (f"a shard of the index of open records, of {OPEN_SHARDS}", INDEX_UNITS / OPEN_SHARDS),
            ("one product's item, no primaries", COUNT_UNITS),
            ("one product with its records, no primaries", PARTITION_UNITS),
            ("one product with its records, all of them primaries", PRIMARY_PARTITION_UNITS),
        )
    ]


@dataclass(frozen=True, slots=True)
class Busiest:
    """The most write units in any second."""

    counter: int
    shard: int
    product: int
    """A product's item and records, all of its uploads asking to be the primary."""


def simulate(environments: int, products: int, seed: int = 1) -> Busiest:
    """Let environments upload without a pause, each time to any product, and count what is written when.

    Each has a random part of a block left at first, and takes identifiers in order from then on; as in a
    run that has been going on for long, none starts in these seconds.
    """
    chance = random.Random(seed)  # noqa: S311 - nothing secret is made of it
    counter: Counter[int] = Counter()
    shards: Counter[tuple[int, int]] = Counter()
    by_product: Counter[tuple[int, int]] = Counter()
    for environment in range(environments):
        used = chance.randrange(BLOCK_SIZE)
        at = chance.uniform(0, UPLOAD_SECONDS)
        # Blocks begin at any multiple of their size, plus one.
        block = environment * BLOCK_SIZE + 1
        while at < _SECONDS:
            second = int(at)
            if used == BLOCK_SIZE:
                counter[second] += 1
                used, block = 0, block + environments * BLOCK_SIZE
            shards[second, (block + used) % OPEN_SHARDS] += INDEX_UNITS
            by_product[second, chance.randrange(products)] += 1
            used += 1
            at += UPLOAD_SECONDS
    return Busiest(
        counter=max(counter.values(), default=0),
        shard=max(shards.values()),
        product=round(max(by_product.values()) * PRIMARY_PARTITION_UNITS),
    )


@dataclass(frozen=True, slots=True)
class Contention:
    """What becomes of transactions that want the same product's item."""

    wanted: int
    given_up: int
    tries: int


def contend(uploads_per_second: int, *, primaries: bool, seed: int = 1) -> Contention:
    """Let pictures of one product come in, at random moments, with the waits of the adapter.

    Each is counted, and a primary is pointed to when it has been inspected, by a transaction on the product's
    item. One that finds the item held is refused at once and waits; after its last try it gives up.
    """
    chance = random.Random(seed)  # noqa: S311 - nothing secret is made of it
    moments = list(_moments(uploads_per_second, chance))
    if primaries:
        moments += [at + UPLOAD_SECONDS for at in moments]
    queue = [(at, number, 0) for number, at in enumerate(moments)]
    wanted, given_up, tries, free_at = len(queue), 0, 0, 0.0
    heapq.heapify(queue)
    while queue:
        at, number, attempt = heapq.heappop(queue)
        tries += 1
        if at >= free_at:
            free_at = at + _TRANSACTION_SECONDS
        elif attempt + 1 == _WRITE_TRIES:
            given_up += 1
        else:
            longest = min(_WRITE_WAIT_SECONDS * 2**attempt, _WRITE_MAX_WAIT_SECONDS)
            heapq.heappush(queue, (at + chance.uniform(0, longest), number, attempt + 1))
    return Contention(wanted, given_up, tries)


def _moments(per_second: int, chance: random.Random) -> Iterator[float]:
    at = chance.expovariate(per_second)
    while at < _SECONDS:
        yield at
        at += chance.expovariate(per_second)
