"""Counts calls to AWS, and the capacity that DynamoDB would charge for them, by its documented rules.

The emulator reports capacity too, but a query always as one unit and a batch as none; so what counts is
computed from the sizes of the items, and what it reports of writes is compared with that.

Rules: DynamoDB developer guide, "DynamoDB read and write operations", "DynamoDB item sizes and formats",
"Using Global Secondary Indexes" and "Local secondary indexes" (provisioned throughput) and "Amazon DynamoDB
Transactions".
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.calls import Call

if TYPE_CHECKING:
    from botocore.session import Session
    from mypy_boto3_dynamodb import DynamoDBClient

type Item = Mapping[str, Any]

_READ_BYTES = 4096
_WRITE_BYTES = 1024
_TRANSACTION = 2
"""How often a transaction writes each item: once to prepare it, once to commit it."""
_TABLE_KEY = ("pk", "sk")
_READS = frozenset({"GetItem", "Query", "BatchGetItem"})
_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"})


def item_size(item: Item) -> int:
    """Return an item's size in bytes: its names and its values."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Mapping[str, Any]) -> int:
    kind, content = next(iter(value.items()))
    match kind:
        case "S" | "SS":
            return len("".join(content).encode())
        case "N":
            # A byte for each two significant digits, and one more.
            digits = str(content).lstrip("-").replace(".", "").strip("0")
            return math.ceil(len(digits) / 2) + 1 + str(content).startswith("-")
        case "B":
            return len(bytes(content))
        case "BOOL" | "NULL":
            return 1
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_size(inner) for name, inner in content.items())
        case "L":
            return 3 + sum(1 + _value_size(inner) for inner in content)
    raise ValueError(f"No item of this service holds a value of type {kind}.")


def read_units(size_bytes: int, *, is_consistent: bool) -> float:
    """Return what reading so many bytes takes; nothing found is a unit too."""
    return max(1, math.ceil(size_bytes / _READ_BYTES)) * (1 if is_consistent else 0.5)


def write_units(before: Item, after: Item) -> int:
    """Return what writing an item takes in its table: the larger of its sizes; nothing is a unit too."""
    return max(1, math.ceil(max(item_size(before), item_size(after)) / _WRITE_BYTES))


@dataclass(frozen=True, slots=True)
class Index:
    """An index of the catalogue: whose items have these attributes, and what it holds beside them.

    `others` is None where it holds all attributes.
    """

    key: tuple[str, str]
    others: tuple[str, ...] | None

    def units(self, before: Item, after: Item) -> int:
        """Return what a write takes here: a unit for each KB of an entry added, removed or changed."""
        old, new = self._entry(before), self._entry(after)
        if old == new:
            return 0
        if old and new and all(old[name] == new[name] for name in self.key):
            return write_units(old, new)
        return sum(write_units({}, entry) for entry in (old, new) if entry)

    def _entry(self, item: Item) -> Item:
        if not all(name in item for name in self.key):
            return {}
        if self.others is None:
            return item
        return {name: item[name] for name in {*_TABLE_KEY, *self.key, *self.others} if name in item}


OPEN = Index(("open_shard", "open_since"), others=())
GALLERY = Index(("pk", "place"), others=None)
PRODUCTS = Index(("listing", "product_id"), others=("search",))


def index_units(before: Item, after: Item) -> int:
    """Return what the same write takes in all indexes."""
    return sum(index.units(before, after) for index in (OPEN, GALLERY, PRODUCTS))


@dataclass(frozen=True, slots=True)
class Report:
    """One call with its units by the rules, and what the other side reported of its writes, if it did."""

    call: Call
    reported_write_units: float | None


class Meter:
    """Listens to all clients that are made of a session from now on."""

    def __init__(self, session: "Session", observer: "DynamoDBClient") -> None:
        """Look at items with `observer`, which is not of this session."""
        self._observer = observer
        self._reports: list[Report] = []
        # The SDK's published types do not know that handlers name what they take, and may answer.
        session.register("before-parameter-build.dynamodb", self._before)  # type: ignore[arg-type]
        session.register("after-call", self._after)  # type: ignore[arg-type]

    def take(self) -> list[Report]:
        """Return the calls since this was last asked."""
        reports, self._reports = self._reports, []
        return reports

    def _before(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: object) -> None:  # noqa: ANN401 - botocore's own
        if model.name in _READS | _WRITES:
            params["ReturnConsumedCapacity"] = "INDEXES"
        context["metered"] = params
        context["items_before"] = self._written(model.name, params)

    def _after(self, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: object) -> None:  # noqa: ANN401 - botocore's own
        name: str = model.name
        if name in _READS:
            call = Call(name, read_units=self._units_read(name, context["metered"], parsed))
        elif name in _WRITES:
            after = self._written(name, context["metered"])
            call = Call(name, write_units=_units_written(name, context["items_before"], after))
        else:
            call = Call(name)
        self._reports.append(Report(call, _reported(name, parsed)))

    def _units_read(self, operation: str, params: Mapping[str, Any], parsed: Mapping[str, Any]) -> float:
        if operation == "BatchGetItem":
            asked = params["RequestItems"]
            return sum(
                read_units(size, is_consistent=asked[table]["ConsistentRead"])
                for table, items in parsed["Responses"].items()
                for size in [*map(item_size, items), *[0] * (len(asked[table]["Keys"]) - len(items))]
            )
        # A GetItem of this service asks for the whole item, or for one far below 4 KB.
        items = self._gone_through(params) if operation == "Query" else [parsed.get("Item", {})]
        size = sum(map(item_size, items))
        return read_units(size, is_consistent=params.get("ConsistentRead", False))

    def _gone_through(self, query: Mapping[str, Any]) -> Sequence[Item]:
        """Read what a query is charged for: also what it only counts, and what its filter leaves out."""
        without = {"Select", "FilterExpression", "ReturnConsumedCapacity"}
        query = {name: value for name, value in query.items() if name not in without}
        used = query["KeyConditionExpression"]
        for names in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
            kept = {name: value for name, value in query.pop(names, {}).items() if name in used}
            query |= {names: kept} if kept else {}
        items: Sequence[Item] = self._observer.query(**query)["Items"]
        return items

    def _written(self, operation: str, params: Mapping[str, Any]) -> Sequence[Item]:
        """Read the items that a write is about, as they are now."""
        if operation not in _WRITES:
            return []
        writes = [params]
        if operation == "TransactWriteItems":
            writes = [write for item in params["TransactItems"] for write in item.values()]
        return [self._read(write) for write in writes]

    def _read(self, write: Mapping[str, Any]) -> Item:
        table = write["TableName"]
        key = write.get("Key") or {
            each["AttributeName"]: write["Item"][each["AttributeName"]]
            for each in self._observer.describe_table(TableName=table)["Table"]["KeySchema"]
        }
        return self._observer.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item", {})


def _units_written(operation: str, before: Sequence[Item], after: Sequence[Item]) -> float:
    times = _TRANSACTION if operation == "TransactWriteItems" else 1
    return sum(
        times * write_units(old, new) + index_units(old, new) for old, new in zip(before, after, strict=True)
    )


def _reported(operation: str, parsed: Mapping[str, Any]) -> float | None:
    consumed = parsed.get("ConsumedCapacity")
    if operation not in _WRITES or not consumed:
        return None
    consumed = consumed if isinstance(consumed, list) else [consumed]
    return float(sum(each["CapacityUnits"] for each in consumed))
