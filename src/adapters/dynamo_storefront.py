"""What the public sees of the catalogue: one query for a gallery, two reads by key for many products."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from adapters.dynamo_batch import read_batch
from adapters.dynamo_gallery import read_first, read_page
from adapters.dynamo_heads import head_of
from adapters.dynamo_items import (
    Item,
    count_from_item,
    image_key,
    images_from_items,
    primary_from_item,
    product_key,
    product_of,
)
from domain.gallery import Page
from domain.image import ImageStatus
from domain.storefront import Primaries

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from domain.errors import ImageRecordDamagedError


class DynamoStorefront:
    """Reads the catalogue's table, consistently, so that no picture is shown that is gone."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def page(self, product_id: int, limit: int, offset: int) -> Page:
        """Query the gallery's index: one call for each megabyte, 700 to 1,400 records of usual length."""
        return read_page(self._client, self._table, product_id, limit, offset, ImageStatus.READY)

    def primaries(self, product_ids: Sequence[int]) -> Primaries:
        """Read the products and then the picture of each that its pointer or its head names.

        One query more for each product of which that picture cannot be shown (`dynamo_heads`).
        """
        keys = [product_key(product_id) for product_id in product_ids]
        products = {product_of(item): item for item in self._read(keys)}
        named = {product_id: _named_by(product) for product_id, product in products.items()}
        image_keys = [image_key(product_id, image_id) for product_id, image_id in named.items() if image_id]
        items = self._read(image_keys) if image_keys else []
        shown, _ = images_from_items(item for item in items if _stands_for(products[product_of(item)], item))
        images = {image.ref.product_id: image for image in shown}
        damaged: list[ImageRecordDamagedError] = []
        for product_id, product in products.items():
            if product_id not in images and count_from_item(product):
                image, met = read_first(self._client, self._table, product_id)
                images |= {product_id: image} if image else {}
                damaged += met
        return Primaries(images, tuple(damaged))

    def _read(self, keys: Sequence[Item]) -> list[Item]:
        return read_batch(self._client, self._table, keys, consistent=True)


def _named_by(product: Item) -> int | None:
    primary = primary_from_item(product)
    return primary.image_id if primary and primary.image_id else head_of(product)


def _stands_for(product: Item, image: Item) -> bool:
    """Tell whether a picture is ready, and the product points to it, or begins with it."""
    primary = primary_from_item(product)
    is_named = (primary is not None and primary.image_id is not None) or image.get("place") == product["head"]
    return is_named and image.get("status") == {"S": ImageStatus.READY}
