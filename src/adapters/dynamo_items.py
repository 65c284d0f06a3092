"""How the catalogue's items look in DynamoDB.

Keys: a product is (`PRODUCT#{product_id}`, `PRODUCT`), its pictures are
(`PRODUCT#{product_id}`, `IMAGE#{image_id}`), the identifier zero-padded.
The sparse index `open`, by (`open_shard`, `open_since`), holds the pictures that are not at their end:
pending, being deleted, ready but neither rendered nor `given_up`, or changed without others having been told.
The local index `gallery` holds a product with its `image_count` first, and then its pictures in the order in
which they are shown, by (`pk`, `place`); one that is being deleted has no `place`, and is not counted.
A product that is being removed, or was a while ago, is (`PRODUCT#{product_id}`, `GONE`) instead, before its
pictures; while it is being removed it stands in the index `open`, in the partition `REMOVALS`, and after
that it goes by itself at `expires_at`.
The sparse index `products` holds the products by (`listing`, `product_id`), with `search`, and not the count,
which each upload changes.
"""

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from domain.errors import ImageRecordDamagedError
from domain.failure import Failure, FailureCode, read_failure_code
from domain.image import (
    Announcement,
    Fetch,
    ImageFacts,
    ImageFormat,
    ImageRef,
    ImageStatus,
    Primary,
    ProductImage,
    PublicFile,
    read_token,
)
from domain.image_details import ORDER_LIMIT, ImageDetails
from domain.moments import iso_utc
from domain.user import User

if TYPE_CHECKING:
    from domain.rendition import Look, Placeholder, Rendition

type Item = dict[str, Any]

OPEN_SHARDS = 256
"""Partitions of the index of open records, so that none of its keys gets hot: an index key takes 1,000
writes per second (DynamoDB developer guide, "Best practices for designing partition keys"), of which 10,000
environments that upload without a pause need some 160 (docs/growth.md)."""

COUNTER_KEY: Item = {"pk": {"S": "COUNTER"}, "sk": {"S": "IMAGE_ID"}}
PRODUCT_PREFIX = "PRODUCT#"
IMAGE_PREFIX = "IMAGE#"
PRODUCT_SORT_KEY = "PRODUCT"
GONE_SORT_KEY = "GONE"
REMOVALS_SHARD: Item = {"S": "REMOVALS"}
REMEMBERED_FOR = timedelta(days=15)
"""How long a product that is gone is remembered, for words on it that come late: longer than the failure
queue keeps one (14 days, the most that SQS allows)."""
LOOK_ATTRIBUTES = ("renditions", "placeholder", "has_alpha", "frames")
_RENDITION = r"([0-9]+)x([0-9]+)(-animated)?\.([A-Z]+):([0-9]+)"
_PRODUCT_PLACE: Item = {"S": "!"}
"""Before any digit."""
LISTING: Item = {"S": "PRODUCT"}
"""The one partition of the index of products, so that they come in their order. It is written only when a
product is added, renamed or removed: a partition takes 1,000 writes a second (DynamoDB developer guide, "Best
practices for designing partition keys")."""


def product_key(product_id: int) -> Item:
    """Return the key of a product's item."""
    return {"pk": {"S": f"{PRODUCT_PREFIX}{product_id}"}, "sk": {"S": PRODUCT_SORT_KEY}}


def gone_key(product_id: int) -> Item:
    """Return the key of the item of a product that is being removed, or was."""
    return {"pk": {"S": f"{PRODUCT_PREFIX}{product_id}"}, "sk": {"S": GONE_SORT_KEY}}


def image_key(product_id: int, image_id: int) -> Item:
    """Return the key of a picture's item."""
    return {"pk": {"S": f"{PRODUCT_PREFIX}{product_id}"}, "sk": {"S": f"{IMAGE_PREFIX}{image_id:016d}"}}


def product_of(key: Mapping[str, Any]) -> int:
    """Read the product from the key of its item, or of one of its pictures'."""
    return int(key["pk"]["S"].partition("#")[2])


def identifiers_of(key: Mapping[str, Any]) -> tuple[int, int]:
    """Read product and identifier from the key of a picture's item."""
    return product_of(key), int(key["sk"]["S"].removeprefix(IMAGE_PREFIX))


def open_shard(image_id: int) -> str:
    """Return the partition of the index in which a picture stands while it is open."""
    # Two digits at least, as when there were sixteen partitions: records that are open since then are found.
    return f"OPEN#{image_id % OPEN_SHARDS:02d}"


def open_shards(hour: int) -> list[str]:
    """Return all partitions of the index; which one comes first depends on the hour, from 0 to 23."""
    first = hour * OPEN_SHARDS // 24
    return [open_shard(number) for number in range(first, first + OPEN_SHARDS)]


def details_to_attributes(image: ProductImage) -> Item:
    """Write what is said of a picture, and its `place`: a text that sorts as `ProductImage.place` does."""
    details = image.details
    order, created_at, image_id = image.place
    return {
        "alt_text": {"S": details.alt_text},
        "order": {"N": str(details.order)},
        "place": {"S": f"{order + ORDER_LIMIT:010d}#{iso_utc(created_at)}#{image_id:016d}"},
    }


def product_to_item(product_id: int, title: str | None = None) -> Item:
    """Write the record of a new product."""
    # No function adds products.
    from domain.product_title import search_text  # noqa: PLC0415

    item: Item = {
        **product_key(product_id),
        "product_id": {"N": str(product_id)},
        "place": _PRODUCT_PLACE,
        "listing": LISTING,
        "search": {"S": search_text(product_id, title)},
        "image_count": {"N": "0"},
    }
    return item | ({"title": {"S": title}} if title else {})


def is_product(item: Mapping[str, Any]) -> bool:
    """Tell whether an item is a product's, not a picture's."""
    return bool(item["sk"]["S"] == PRODUCT_SORT_KEY)


def count_from_item(item: Mapping[str, Any]) -> int:
    """Read how many pictures a product has; none were counted where it does not say so."""
    return int(item["image_count"]["N"]) if "image_count" in item else 0


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
        "token": {"S": image.ref.token},
        "type": {"S": image.image_format.name},
        "user_id": {"N": str(image.user.id)},
        "username": {"S": image.user.username},
        "full_name": {"S": image.user.full_name},
        "name": {"S": image.name},
        "size": {"N": str(image.size_bytes)},
        **details_to_attributes(image),
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
            item["announced_sha256"] = {"S": image.announcement.sha256}
    if image.fetch:
        item |= fetch_to_attributes(image.fetch)
    return item


def fetch_to_attributes(fetch: Fetch) -> Item:
    """Write where a picture is to be fetched, and how far that has come."""
    next_at: Item = {"fetch_next_at": {"S": iso_utc(fetch.next_at)}} if fetch.next_at else {}
    return {
        "fetch_url": {"S": fetch.url},
        "fetch_tries": {"N": str(fetch.tries)},
        "fetch_slow_tries": {"N": str(fetch.slow_tries)},
        **next_at,
    }


FETCH_ATTRIBUTES = ("fetch_url", "fetch_tries", "fetch_slow_tries", "fetch_next_at")
"""What goes with the end of a fetch."""


def images_from_items(
    items: Iterable[Mapping[str, Any]],
) -> tuple[list[ProductImage], tuple[ImageRecordDamagedError, ...]]:
    """Read records of pictures; one that is damaged does not keep the others from being read."""
    images: list[ProductImage] = []
    damaged: list[ImageRecordDamagedError] = []
    for item in items:
        try:
            images.append(image_from_item(item))
        except ImageRecordDamagedError as error:
            damaged.append(error)
    return images, tuple(damaged)


def image_from_item(item: Mapping[str, Any]) -> ProductImage:
    """Read the record of a picture; what came after the first contract has a default where it is missing.

    Raises:
        ImageRecordDamagedError: an attribute of the first contract is missing, or any attribute is
            unreadable. If the key names no picture, the error has the identifier 0.

    """
    try:
        product_id, image_id = identifiers_of(item)
    except ValueError as error:
        raise ImageRecordDamagedError(product_of(item), 0, "sk") from error
    form_expires_at = _optional(item, "form_expires_at", _moment, None)
    return ProductImage(
        ref=ImageRef(product_id, image_id, _demanded(item, "token", _token)),
        image_format=_demanded(item, "type", _format),
        user=User(
            _demanded(item, "user_id", _number),
            _demanded(item, "username", _text),
            _demanded(item, "full_name", _text),
        ),
        name=_demanded(item, "name", _text),
        size_bytes=_demanded(item, "size", _number),
        details=_details_from_item(item),
        primary_requested_at=_optional(item, "primary_requested_at", _moment, None),
        announcement=(
            Announcement(_optional(item, "announced_sha256", _text, None), form_expires_at)
            if form_expires_at
            else None
        ),
        fetch=_fetch_from_item(item),
        status=_optional(item, "status", _status, ImageStatus.PENDING),
        facts=_facts_from_item(item),
        look=look_from_item(item),
        failure=_failure_from_item(item),
        sha256=_optional(item, "sha256", _text, None),
        untold=_optional(item, "untold", _texts, frozenset()),
        created_at=_demanded(item, "created_at", _moment),
        updated_at=_demanded(item, "updated_at", _moment),
    )


def _details_from_item(item: Mapping[str, Any]) -> ImageDetails:
    unsaid = ImageDetails()
    return ImageDetails(
        alt_text=_optional(item, "alt_text", _text, unsaid.alt_text),
        order=_optional(item, "order", _number, unsaid.order),
    )


def _fetch_from_item(item: Mapping[str, Any]) -> Fetch | None:
    if "fetch_url" not in item:
        return None
    return Fetch(
        _demanded(item, "fetch_url", _text),
        _optional(item, "fetch_tries", _number, 0),
        _optional(item, "fetch_next_at", _moment, None),
        _optional(item, "fetch_slow_tries", _number, 0),
    )


def _facts_from_item(item: Mapping[str, Any]) -> ImageFacts | None:
    if not {"width", "height", "mode"} <= item.keys():
        return None
    return ImageFacts(
        _demanded(item, "width", _number), _demanded(item, "height", _number), _demanded(item, "mode", _text)
    )


def file_to_attributes(file: PublicFile) -> Item:
    """Write what a picture's public copy is."""
    return {
        "type": {"S": file.image_format.name},
        "size": {"N": str(file.size_bytes)},
        "sha256": {"S": file.sha256},
        "width": {"N": str(file.facts.width_px)},
        "height": {"N": str(file.facts.height_px)},
        "mode": {"S": file.facts.mode},
    }


def untold_to_attributes(image: ProductImage) -> Item:
    """Write which changes are left to tell, and with them that the record is open; empty if none are left."""
    if not image.untold:
        return {}
    return {
        "untold": {"SS": sorted(image.untold)},
        "open_shard": {"S": open_shard(image.ref.image_id)},
        "open_since": {"S": iso_utc(image.updated_at)},
    }


def look_to_attributes(look: "Look") -> Item:
    """Write what was made of a picture in few bytes: a dozen files are one text of some 200 bytes.

    The text begins with the recipe. Each file follows as its size in pixels, its format and its size in
    bytes, such as `640x427.AVIF:13579`.
    """
    files = " ".join(
        f"{each.width_px}x{each.height_px}{'-animated' if each.is_animated else ''}"
        f".{each.image_format.name}:{each.size_bytes}"
        for each in look.renditions
    )
    thumbhash = base64.b64encode(look.placeholder.thumbhash).decode()
    return {
        "renditions": {"S": f"{look.recipe} {files}".rstrip()},
        "placeholder": {"S": f"{thumbhash}{look.placeholder.color}"},
        "has_alpha": {"BOOL": look.has_alpha},
        "frames": {"N": str(look.frames)},
    }


def look_from_item(item: Mapping[str, Any]) -> "Look | None":
    """Read what was made of a picture; None if nothing was yet.

    Raises:
        ImageRecordDamagedError: it cannot be read.

    """
    if not item.keys() >= set(LOOK_ATTRIBUTES):
        return None
    # Only where there is something to read: the upload function starts without it.
    from domain.rendition import Look  # noqa: PLC0415

    recipe, renditions = _demanded(item, "renditions", _renditions)
    return Look(
        recipe,
        renditions,
        _demanded(item, "placeholder", _placeholder),
        _demanded(item, "has_alpha", _boolean),
        _demanded(item, "frames", _number),
        # Of one from before they were noted, nobody knows.
        is_only=_optional(item, "recipes", _texts, frozenset()) == {recipe},
    )


def _renditions(value: Mapping[str, Any]) -> "tuple[str, tuple[Rendition, ...]]":
    from domain.rendition import Rendition  # noqa: PLC0415 - as `look_from_item`

    recipe, *files = value["S"].split(" ")
    found = []
    for text in files:
        match = re.fullmatch(_RENDITION, text)
        if match is None:
            raise ValueError(text)
        width_px, height_px, animated, name, size_bytes = match.groups()
        found.append(
            Rendition(int(width_px), int(height_px), ImageFormat[name], int(size_bytes), bool(animated))
        )
    return recipe, tuple(found)


def _placeholder(value: Mapping[str, Any]) -> "Placeholder":
    from domain.rendition import Placeholder  # noqa: PLC0415 - as `look_from_item`

    thumbhash, mark, color = value["S"].partition("#")
    return Placeholder(base64.b64decode(thumbhash, validate=True), mark + color)


def _boolean(value: Mapping[str, Any]) -> bool:
    return bool(value["BOOL"])


def failure_to_attributes(failure: Failure) -> Item:
    """Write why a picture failed."""
    code: Item = {"error_code": {"S": failure.code}} if failure.code else {}
    return {"error": {"S": failure.reason}, **code}


def _failure_from_item(item: Mapping[str, Any]) -> Failure | None:
    if "error" not in item:
        return None
    return Failure(_optional(item, "error_code", _failure_code, None), _demanded(item, "error", _text))


def _optional[T, D](
    item: Mapping[str, Any], name: str, read: Callable[[Mapping[str, str]], T], default: D
) -> T | D:
    """Read an attribute, or return its default if it is not there."""
    return _demanded(item, name, read) if name in item else default


def _demanded[T](item: Mapping[str, Any], name: str, read: Callable[[Mapping[str, str]], T]) -> T:
    try:
        return read(item[name])
    except (KeyError, ValueError) as error:
        raise ImageRecordDamagedError(*identifiers_of(item), name) from error


def _text(value: Mapping[str, str]) -> str:
    return value["S"]


def _number(value: Mapping[str, str]) -> int:
    return int(value["N"])


def _moment(value: Mapping[str, str]) -> datetime:
    moment = datetime.fromisoformat(value["S"])
    if moment.tzinfo is None:
        raise ValueError("It lacks its zone, and cannot be compared with others.")
    return moment


def _texts(value: Mapping[str, Iterable[str]]) -> frozenset[str]:
    return frozenset(value["SS"])


def _token(value: Mapping[str, str]) -> str:
    return read_token(value["S"])


def _format(value: Mapping[str, str]) -> ImageFormat:
    return ImageFormat[value["S"]]


def _failure_code(value: Mapping[str, str]) -> FailureCode:
    return read_failure_code(value["S"])


def _status(value: Mapping[str, str]) -> ImageStatus:
    return ImageStatus(value["S"])
