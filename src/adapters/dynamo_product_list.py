"""The list of products in the catalogue's table: their index, their counts and their primaries."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from adapters.aws import passing_errors_as_unavailable
from adapters.dynamo_batch import read_batch
from adapters.dynamo_items import (
    LISTING,
    Item,
    count_from_item,
    image_from_item,
    image_key,
    primary_from_item,
    product_key,
    product_of,
)
from domain.errors import ImageRecordDamagedError, ProductNotFoundError
from domain.image import ProductImage
from domain.product_page import ProductEntry, ProductPage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PRODUCTS_INDEX = "products"
_MOST_CALLS = 5
"""Megabytes of the index that one search reads: some 30,000 products with titles of 50 characters."""


class DynamoProductList:
    """Reads a page of products in three calls; a search may take up to four more."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def page(self, limit: int, after: int, words: Sequence[str]) -> ProductPage:
        """Query the index, then read the products' records, then those of their primaries."""
        found: list[Item] = []
        reached: int | None = None
        # One more than is wanted tells whether there are more.
        for items, came_to in self._answers(after, words, limit + 1):
            found += items
            reached = came_to
            if len(found) > limit:
                return ProductPage(self._entries(found[:limit]), _number(found[limit - 1]))
        return ProductPage(self._entries(found), reached)

    def find(self, product_id: int) -> ProductEntry:
        """Read the product's record, and then that of its primary."""
        items = read_batch(self._client, self._table, [product_key(product_id)], consistent=True)
        if not items:
            raise ProductNotFoundError(product_id)
        [item] = items
        return _entry(item, self._primaries({product_id: item}).get(product_id))

    def _answers(
        self, after: int, words: Sequence[str], limit: int
    ) -> Iterator[tuple[list[Item], int | None]]:
        """Yield what each call finds, and the number that it came to; None where it came to the end."""
        query: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": PRODUCTS_INDEX,
            "KeyConditionExpression": "listing = :listing AND product_id > :after",
            "ExpressionAttributeValues": {":listing": LISTING, ":after": {"N": str(after)}},
        }
        if words:
            query["FilterExpression"] = " AND ".join(
                f"contains(#search, :word{n})" for n in range(len(words))
            )
            query["ExpressionAttributeNames"] = {"#search": "search"}
            query["ExpressionAttributeValues"] |= {f":word{n}": {"S": word} for n, word in enumerate(words)}
        else:
            query["Limit"] = limit
        for _ in range(_MOST_CALLS):
            with passing_errors_as_unavailable():
                answer = self._client.query(**query)
            last = answer.get("LastEvaluatedKey")
            yield answer["Items"], _number(last) if last else None
            if not last:
                return
            query["ExclusiveStartKey"] = last

    def _entries(self, found: Sequence[Item]) -> list[ProductEntry]:
        numbers = [_number(item) for item in found]
        products = self._read([product_key(number) for number in numbers])
        by_number = {_number(item): item for item in products}
        primaries = self._primaries(by_number)
        # One that was removed a moment ago may still be in the index.
        return [_entry(by_number[n], primaries.get(n)) for n in numbers if n in by_number]

    def _primaries(self, by_number: Mapping[int, Item]) -> dict[int, ProductImage]:
        pointers = [(number, primary_from_item(item)) for number, item in by_number.items()]
        keys = [
            image_key(number, primary.image_id)
            for number, primary in pointers
            if primary and primary.image_id
        ]
        images = {}
        for item in self._read(keys):
            try:
                image = image_from_item(item)
            except ImageRecordDamagedError:
                # Its gallery tells; here the product shows none.
                continue
            images[image.ref.product_id] = image
        return images

    def _read(self, keys: Sequence[Item]) -> list[Item]:
        return read_batch(self._client, self._table, keys, consistent=False) if keys else []


def _entry(item: Mapping[str, Any], primary: ProductImage | None) -> ProductEntry:
    title = item["title"]["S"] if "title" in item else None
    return ProductEntry(product_of(item), title, count_from_item(item), primary)


def _number(item: Mapping[str, Any]) -> int:
    return int(item["product_id"]["N"])
