"""Reads the catalogue's table as it is, past records that cannot be read."""

from collections.abc import Iterator

from adapters.dynamo_items import PRODUCT_PREFIX, PRODUCT_SORT_KEY, Item, product_key
from ops.target import Target


class DamagedRecordError(Exception):
    """An item is not what the service writes; the message names it and the attribute that is wrong."""

    def __init__(self, item: Item, attribute: str) -> None:
        super().__init__(f"{item['pk']['S']} / {item['sk']['S']}: {attribute} is missing or unreadable")


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
    except ValueError as error:
        raise DamagedRecordError(item, "pk") from error
    try:
        return product_id, int(item.get("image_count", {"N": "0"})["N"])
    except (KeyError, ValueError) as error:
        raise DamagedRecordError(item, "image_count") from error


def titled(item: Item) -> str | None:
    """Return a product's title, None if it has none.

    Raises:
        DamagedRecordError: it is no text.

    """
    try:
        return str(item["title"]["S"]) if "title" in item else None
    except KeyError as error:
        raise DamagedRecordError(item, "title") from error
