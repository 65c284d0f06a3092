"""How the catalogue's items look in DynamoDB.

Keys: a product is (`PRODUCT#{product_id}`, `PRODUCT`), its pictures are
(`PRODUCT#{product_id}`, `IMAGE#{image_id}`), the identifier zero-padded.
The sparse index `open` holds the pictures that are pending or being deleted, by (`open_shard`, `open_since`).
The local index `gallery` holds a product with its `image_count` first, and then its pictures in the order in
which they are shown, by (`pk`, `place`); one that is being deleted has no `place`, and is not counted.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.image import (
    ORDER_LIMIT,
    Announcement,
    ImageFacts,
    ImageFormat,
    ImageRef,
    ImageStatus,
    Primary,
    ProductImage,
)
from domain.moments import iso_utc
from domain.user import User

type Item = dict[str, Any]

OPEN_SHARDS = 256
"""Partitions of the index of open records, so that none of its keys gets hot: an index key takes 1,000
writes per second (DynamoDB developer guide, "Best practices for designing partition keys"), of which 10,000
environments that upload without a pause need some 160 (docs/growth.md)."""

COUNTER_KEY: Item = {"pk": {"S": "COUNTER"}, "sk": {"S": "IMAGE_ID"}}
PRODUCT_PREFIX = "PRODUCT#"
IMAGE_PREFIX = "IMAGE#"
PRODUCT_SORT_KEY = "PRODUCT"
_PRODUCT_PLACE: Item = {"S": "!"}
"""Before any digit."""


def product_key(product_id: int) -> Item:
    """Return the key of a product's item."""
    return {"pk": {"S": f"{PRODUCT_PREFIX}{product_id}"}, "sk": {"S": PRODUCT_SORT_KEY}}


def image_key(product_id: int, image_id: int) -> Item:
    """Return the key of a picture's item."""
    return {"pk": {"S": f"{PRODUCT_PREFIX}{product_id}"}, "sk": {"S": f"{IMAGE_PREFIX}{image_id:016d}"}}


def identifiers_of(key: Mapping[str, Any]) -> tuple[int, int]:
    """Read product and identifier from the key of a picture's item."""
    return int(key["pk"]["S"].partition("#")[2]), int(key["sk"]["S"].removeprefix(IMAGE_PREFIX))


def open_shard(image_id: int) -> str:
    """Return the partition of the index in which a picture stands while it is open."""
    # Two figures at least, as when there were sixteen: records that are open from then are still found.
    return f"OPEN#{image_id % OPEN_SHARDS:02d}"


def open_shards(hour: int) -> list[str]:
    """Return all partitions, from another one on at each hour of a day."""
    first = hour * OPEN_SHARDS // 24
    return [open_shard(number) for number in range(first, first + OPEN_SHARDS)]


def order_attributes(image: ProductImage) -> Item:
    """Write where a picture stands: `order`, and `place`, a text that sorts by order, then identifier."""
    return {
        "order": {"N": str(image.order)},
        "place": {"S": f"{image.order + ORDER_LIMIT:010d}#{image.ref.image_id:016d}"},
    }


def product_to_item(product_id: int) -> Item:
    """Write the record of a new product."""
    return {
        **product_key(product_id),
        "product_id": {"N": str(product_id)},
        "place": _PRODUCT_PLACE,
        "image_count": {"N": "0"},
    }


def is_product(item: Mapping[str, Any]) -> bool:
    """Tell whether an item is a product's, not a picture's."""
    return bool(item["sk"]["S"] == PRODUCT_SORT_KEY)


def recency(requested_at: datetime, image_id: int) -> Item:
    """Write a wish to be the primary so that later ones sort behind; the identifier breaks a tie."""
    return {"S": f"{iso_utc(requested_at)}#{image_id:016d}"}


def primary_from_item(item: Mapping[str, Any]) -> Primary | None:
    """Read a product's pointer; None if it was never set."""
    if "primary_recency" not in item:
        return None
    pointer = item.get("primary_image_id")
    requested_at = item["primary_recency"]["S"].partition("#")[0]
    return Primary(int(pointer["N"]) if pointer else None, datetime.fromisoformat(requested_at))


def image_to_item(image: ProductImage) -> Item:
    """Write the record of a new picture."""
    item: Item = {
        **image_key(image.ref.product_id, image.ref.image_id),
        "product_id": {"N": str(image.ref.product_id)},
        "image_id": {"N": str(image.ref.image_id)},
        "type": {"S": image.ref.image_format.name},
        "user_id": {"N": str(image.user.id)},
        "username": {"S": image.user.username},
        "full_name": {"S": image.user.full_name},
        "name": {"S": image.name},
        "size": {"N": str(image.size_bytes)},
        "alt_text": {"S": image.alt_text},
        **order_attributes(image),
        "status": {"S": image.status},
        "created_at": {"S": iso_utc(image.created_at)},
        "updated_at": {"S": iso_utc(image.updated_at)},
        # In the index of open records as long as these two are there.
        "open_shard": {"S": open_shard(image.ref.image_id)},
        "open_since": {"S": iso_utc(image.created_at)},
    }
    if image.primary_requested_at:
        item["primary_requested_at"] = {"S": iso_utc(image.primary_requested_at)}
    if image.announcement:
        item["form_expires_at"] = {"S": iso_utc(image.announcement.expires_at)}
        if image.announcement.sha256:
            item["sha256"] = {"S": image.announcement.sha256}
    return item


def image_from_item(item: Mapping[str, Any]) -> ProductImage:
    """Read the record of a picture."""

    def number(name: str) -> int:
        return int(item[name]["N"])

    def text(name: str) -> str | None:
        value: str | None = item.get(name, {}).get("S")
        return value

    def moment(name: str) -> datetime | None:
        value = text(name)
        return datetime.fromisoformat(value) if value else None

    form_expires_at = moment("form_expires_at")
    return ProductImage(
        ref=ImageRef(number("product_id"), number("image_id"), ImageFormat[item["type"]["S"]]),
        user=User(number("user_id"), item["username"]["S"], item["full_name"]["S"]),
        name=item["name"]["S"],
        size_bytes=number("size"),
        alt_text=item["alt_text"]["S"],
        primary_requested_at=moment("primary_requested_at"),
        order=number("order"),
        announcement=Announcement(text("sha256"), form_expires_at) if form_expires_at else None,
        status=ImageStatus(item["status"]["S"]),
        facts=(ImageFacts(number("width"), number("height"), item["mode"]["S"]) if "width" in item else None),
        error=text("error"),
        version=text("version"),
        created_at=datetime.fromisoformat(item["created_at"]["S"]),
        updated_at=datetime.fromisoformat(item["updated_at"]["S"]),
    )
