"""Reads the catalogue's table as it is, past records that cannot be read."""

from collections.abc import Iterator

from adapters.dynamo_items import PRODUCT_PREFIX, PRODUCT_SORT_KEY, Item, product_key
from domain.errors import DomainError
from ops.target import Target

UNREADABLE = (ArithmeticError, AttributeError, DomainError, LookupError, TypeError, ValueError)
"""What reading a damaged item may raise."""


class DamagedRecordError(Exception):
    """An item is not what the service writes; the message names it and what is wrong."""

    def __init__(self, item: Item, reason: Exception) -> None:
        keys = (next(iter(item[name].values())) for name in ("pk", "sk"))
        super().__init__(f"{' / '.join(keys)}: {type(reason).__name__}: {reason}")


def items(target: Target) -> Iterator[Item]:
    """Read all products and pictures."""
    pages = target.dynamodb.get_paginator("scan").paginate(
        TableName=target.table,
        ConsistentRead=True,
        FilterExpression="begins_with(pk, :product)",
        ExpressionAttributeValues={":product": {"S": PRODUCT_PREFIX}},
    )
    for page in pages:
        yield from page["Items"]


def items_of(target: Target, product_id: int) -> Iterator[Item]:
    """Read one product and its pictures."""
    pages = target.dynamodb.get_paginator("query").paginate(
        TableName=target.table,
        ConsistentRead=True,
        KeyConditionExpression="pk = :product",
        ExpressionAttributeValues={":product": product_key(product_id)["pk"]},
    )
    for page in pages:
        yield from page["Items"]


def product_items(target: Target) -> Iterator[tuple[list[Item], float]]:
    """Read the products page by page, each page with what it cost in read units.

    No index holds products alone, so that the pictures' records are read, and paid for, too.
    """
    pages = target.dynamodb.get_paginator("scan").paginate(
        TableName=target.table,
        FilterExpression="sk = :product",
        ExpressionAttributeValues={":product": {"S": PRODUCT_SORT_KEY}},
        ReturnConsumedCapacity="TOTAL",
    )
    for page in pages:
        yield page["Items"], page.get("ConsumedCapacity", {}).get("CapacityUnits", 0)


def counted(item: Item) -> tuple[int, int]:
    """Return a product and how many pictures it counts.

    Raises:
        DamagedRecordError: the item does not say so.

    """
    try:
        product_id = int(item["pk"]["S"].removeprefix(PRODUCT_PREFIX))
        return product_id, int(item.get("image_count", {"N": "0"})["N"])
    except UNREADABLE as error:
        raise DamagedRecordError(item, error) from error
