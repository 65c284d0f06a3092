"""The pictures of a product, read a megabyte at a time: of what is read, only what is asked for is kept."""

from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from adapters.aws import passing_errors_as_unavailable
from adapters.dynamo_items import (
    Item,
    count_from_item,
    images_from_items,
    is_product,
    primary_from_item,
    product_key,
)
from domain.errors import ImageRecordDamagedError, ProductNotFoundError
from domain.gallery import Gallery, Page
from domain.image import MAX_ID, ImageSnapshot, ImageStatus, ProductImage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

GALLERY_INDEX = "gallery"
_MOST_IN_A_CALL = 10_000
"""More records than one call ever answers: those of a megabyte (DynamoDB developer guide, "Paginating table
query results"), of which the keys and names in one alone take more than 105 bytes."""


def read_page(
    client: "DynamoDBClient",
    table: str,
    product_id: int,
    limit: int,
    offset: int,
    status: ImageStatus | None = None,
    sha256s: Collection[str] = (),
) -> Page:
    """Read a page, and the number of all pictures, from the index that has the product and them in order.

    Raises:
        ProductNotFoundError: there is no such product.

    """
    # The product's item comes first, if it is there.
    begin, end = 1 + offset, 1 + offset + limit
    product: Item = {}
    items: list[Item] = []
    count = 0
    query = _query(table, product_id, status, sha256s)
    is_filtered = "FilterExpression" in query
    for position, answer in _answers(client, query, begin, end, is_whole=is_filtered):
        if not position:
            product = _product(product_id, answer["Items"])
        items += answer.get("Items", [])[max(begin - position, 0) : max(end - position, 0)]
        # With a filter, it was counted on the way; without one, the product's item has the number.
        count = position + answer["Count"] - 1 if is_filtered else count_from_item(product)
    images, damaged = images_from_items(items)
    primary = primary_from_item(product)
    return Page(count, [ImageSnapshot(image, primary) for image in images], damaged)


def read_first(
    client: "DynamoDBClient", table: str, product_id: int
) -> tuple[ProductImage | None, list[ImageRecordDamagedError]]:
    """Read the picture that a product points to, or else its first one, of those that are ready.

    Returns None if there is none, and the damaged records that were met on the way.
    """
    first: ProductImage | None = None
    damaged: list[ImageRecordDamagedError] = []
    pointed_at: int | None = None
    for position, answer in _answers(
        client, _query(table, product_id, ImageStatus.READY), 0, MAX_ID, is_whole=True
    ):
        items = answer["Items"]
        if not position:
            primary = primary_from_item(items[0]) if items else None
            pointed_at = primary.image_id if primary else None
        images, met = images_from_items(item for item in items if not is_product(item))
        damaged += met
        for image in images:
            first = first or image
            if pointed_at in {None, image.ref.image_id}:
                return image, damaged
    return first, damaged


def read_gallery(client: "DynamoDBClient", table: str, product_id: int, limit: int) -> Gallery:
    """Read a product's partition, which keeps its order while another one is written, up to `limit` pictures.

    Raises:
        ProductNotFoundError: there is no such product.

    """
    items = _visible_items(client, table, product_id)
    product = _product(product_id, list(islice(items, 1)))
    images, damaged = images_from_items(islice(items, limit))
    return Gallery.of(images, primary_from_item(product), damaged)


def _query(
    table: str, product_id: int, status: ImageStatus | None = None, sha256s: Collection[str] = ()
) -> dict[str, Any]:
    query: dict[str, Any] = {
        "TableName": table,
        "IndexName": GALLERY_INDEX,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": product_key(product_id)["pk"]},
        "ConsistentRead": True,
    }
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    conditions = []
    if status:
        names["#status"], values[":status"] = "status", {"S": status}
        # A picture that does not say its status is read as pending.
        conditions.append(
            "(#status = :status OR attribute_not_exists(#status))"
            if status is ImageStatus.PENDING
            else "#status = :status"
        )
    if sha256s:
        wanted = {f":sha256_{number}": {"S": sha256} for number, sha256 in enumerate(sha256s)}
        values |= wanted
        conditions.append(f"sha256 IN ({', '.join(wanted)})")
    if not conditions:
        return query
    return {
        **query,
        # A product has no type, and no picture lacks it.
        # AND binds more closely; parentheses that say so are refused as redundant.
        "FilterExpression": f"attribute_not_exists(#type) OR {' AND '.join(conditions)}",
        "ExpressionAttributeNames": {"#type": "type", **names},
        "ExpressionAttributeValues": {**query["ExpressionAttributeValues"], **values},
    }


def _answers(
    client: "DynamoDBClient", query: Mapping[str, Any], begin: int, end: int, *, is_whole: bool
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield answers, and how many items came in those before, up to `end` or of the whole gallery.

    The first answer has its items, and so has each that may hold some from `begin` to `end`. Items that
    certainly stand before or behind those are only counted, and DynamoDB counts them itself.
    """
    position = 0
    start: dict[str, Any] = {}
    while is_whole or position < end:
        is_near = not position or begin - _MOST_IN_A_CALL < position < end
        limit: dict[str, Any] = {} if is_whole else {"Limit": end - position}
        with passing_errors_as_unavailable():
            answer = client.query(
                **query,
                **start,
                **limit,
                Select="ALL_ATTRIBUTES" if is_near else "COUNT",
            )
        yield position, answer
        if "LastEvaluatedKey" not in answer:
            return
        position, start = position + answer["Count"], {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _visible_items(client: "DynamoDBClient", table: str, product_id: int) -> Iterator[Item]:
    """Yield a product and then its pictures but those being deleted, one call after the other."""
    with passing_errors_as_unavailable():
        pages = client.get_paginator("query").paginate(
            TableName=table,
            KeyConditionExpression="pk = :pk",
            FilterExpression="attribute_not_exists(#status) OR #status <> :deleting",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={
                ":pk": product_key(product_id)["pk"],
                ":deleting": {"S": ImageStatus.DELETING},
            },
            # The product's key sorts behind those of its pictures.
            ScanIndexForward=False,
            ConsistentRead=True,
        )
        for page in pages:
            yield from page["Items"]


def _product(product_id: int, items: list[Item]) -> Item:
    """Return a product's item, which stands first if it is there."""
    if not items or not is_product(items[0]):
        raise ProductNotFoundError(product_id)
    return items[0]
