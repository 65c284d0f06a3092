"""Where a product's gallery begins, kept on its own item: first pictures of many products take two reads.

A product's `head` is a place in its gallery (`place` in `dynamo_items`). No picture that is ready, or may
become so, stands before it. If the picture at that very place is ready, it is the first that the public sees.
If not, the gallery's index is asked.

So the head is a lower bound. One that is too low costs a query; one that is too high would show the wrong
picture. Each write that adds, moves or removes a picture writes the head too, in one transaction.

A new picture lowers the head to its own place on the condition that the head is higher, whatever else has
come: what stood behind the old head stands behind the new one. A move or a removal is on the condition that
the head, or the gallery, is as it was found. If somebody else was faster, it is repeated with a head that
always holds; the next such write finds the right one again. `turns` counts all these writes: the head is
raised only on the condition that there was none since the gallery was read.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from adapters.aws import passing_errors_as_unavailable
from adapters.dynamo_gallery import GALLERY_INDEX
from adapters.dynamo_items import Item, details_to_attributes, image_key, product_key
from adapters.dynamo_product_update import ProductUpdate
from domain.image import ImageStatus, ProductImage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_UNKNOWN: Item = {"S": "!"}
"""Before every place: a bound that always holds."""
_ONE: Item = {"N": "1"}
_NO_IMAGES: Item = {"N": "0"}
_KEPT = "if_not_exists(head, :place)"
_ONE_TURN = {"turns": 1}
_PAGE_SIZE = 3
"""Items in one look: a picture that has not failed is among the first few, if there is one. With texts of
usual length they are two read units, however large the gallery is."""
FORGOTTEN = ProductUpdate(sets={"head": _UNKNOWN}, adds=_ONE_TURN)
"""Sets a product's head to before every place."""


def head_of(product: Mapping[str, Any]) -> int | None:
    """Return the identifier of the picture at a product's head, None if the head names none."""
    place = product.get("head", _UNKNOWN)
    return None if place == _UNKNOWN else int(place["S"].rpartition("#")[2])


def count_one_more(
    table: str, image: ProductImage, product: Mapping[str, Any] | None = None
) -> "TransactWriteItemTypeDef":
    """Count a new picture of a product that is there.

    Without `product` it is on the condition that the picture is the first one, or stands behind the head, as
    nearly all do. Any other needs the product's item as it was found. Then the condition is no more than what
    makes the head true: other pictures that come meanwhile do not refuse this one, unless they pass it.
    """
    head, condition, values = _head_with(details_to_attributes(image)["place"], product)
    return {
        "Update": {
            "TableName": table,
            "Key": product_key(image.ref.product_id),
            "UpdateExpression": f"SET head = {head} ADD image_count :one, turns :one",
            "ConditionExpression": f"attribute_exists(pk) AND ({condition})",
            "ExpressionAttributeValues": {":one": _ONE, **values},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def after_moving(
    client: "DynamoDBClient", table: str, product: Item | None, before: ProductImage, after: ProductImage
) -> ProductUpdate:
    """Return how the head of `product` changes with a picture's new place."""
    if before.status is ImageStatus.FAILED:
        return ProductUpdate()
    if product is None:
        return FORGOTTEN
    left, taken = _place(before), _place(after)
    head = product.get("head", _UNKNOWN)
    if head != _UNKNOWN and (head != left or _sorts(taken) < _sorts(head)):
        return _as_seen(head) | _begins_with(min(head, taken, key=_sorts))
    return _raised(product, _first(client, table, before, head, taken))


def after_removal(
    client: "DynamoDBClient", table: str, product: Item | None, image: ProductImage
) -> ProductUpdate:
    """Return how the head of `product` changes when a picture is removed."""
    if product is None:
        return FORGOTTEN
    head = product.get("head", _UNKNOWN)
    if head not in (_UNKNOWN, _place(image)):
        return _as_seen(head)
    if product.get("image_count") == _ONE:
        return _raised(product, None)
    return _raised(product, _first(client, table, image, head))


def after_reordering(images: Sequence[ProductImage]) -> ProductUpdate:
    """Return the head after a new order, on the condition that the product has these pictures and no more."""
    places = [_place(image) for image in images if image.status is not ImageStatus.FAILED]
    return _begins_with(min(places, key=_sorts, default=None)) | ProductUpdate(
        conditions=("image_count = :these",), values={":these": {"N": str(len(images))}}
    )


def _place(image: ProductImage) -> Item:
    place: Item = details_to_attributes(image)["place"]
    return place


def _sorts(place: Item) -> str:
    return str(place["S"])


def _begins_with(head: Item | None) -> ProductUpdate:
    if head is None:
        return ProductUpdate(removes=("head",), adds=_ONE_TURN)
    return ProductUpdate(sets={"head": head}, adds=_ONE_TURN)


def _as_seen(head: Item) -> ProductUpdate:
    return ProductUpdate(adds=_ONE_TURN, conditions=("head = :seen_head",), values={":seen_head": head})


def _raised(product: Mapping[str, Any], head: Item | None) -> ProductUpdate:
    """Let the gallery begin there, unless a picture came or moved since the product was found."""
    # Without turns, which a first picture brings, the condition fails, and then nothing is known of the head.
    turns = product.get("turns", {"N": "0"})
    return _begins_with(head) | ProductUpdate(conditions=("turns = :turns",), values={":turns": turns})


def _head_with(place: Item, product: Mapping[str, Any] | None) -> tuple[str, str, Item]:
    """Return the head that a new picture leaves, the condition on which it is true, and their values."""
    values = {":place": place}
    if product is None:
        condition = (
            "(head <= :place AND image_count > :none) OR (attribute_not_exists(head) AND image_count = :none)"
        )
        return _KEPT, condition, {**values, ":none": _NO_IMAGES}
    if product.get("image_count") == _NO_IMAGES:
        return ":place", "image_count = :none", {**values, ":none": _NO_IMAGES}
    if "head" not in product:
        # From before there were heads: nobody knows.
        return ":unknown", "attribute_not_exists(head)", {":unknown": _UNKNOWN}
    if _sorts(place) < _sorts(product["head"]):
        return ":place", "head > :place", values
    return _KEPT, "head <= :place", values


def _first(
    client: "DynamoDBClient", table: str, without: ProductImage, bound: Item, other: Item | None = None
) -> Item | None:
    """Return the first place behind a bound, of pictures that have not failed, and of another one."""
    pk, own = (image_key(without.ref.product_id, without.ref.image_id)[name] for name in ("pk", "sk"))
    start: dict[str, Any] = {}
    while True:
        with passing_errors_as_unavailable():
            answer = client.query(
                TableName=table,
                IndexName=GALLERY_INDEX,
                KeyConditionExpression="pk = :pk AND place > :bound",
                ExpressionAttributeValues={":pk": pk, ":bound": bound},
                ConsistentRead=True,
                Limit=_PAGE_SIZE,
                **start,
            )
        items: list[Item] = answer["Items"]
        for item in items:
            if item["sk"] != own and item.get("status") != {"S": ImageStatus.FAILED}:
                place: Item = item["place"]
                return min(place, other or place, key=_sorts)
        if "LastEvaluatedKey" not in answer:
            return other
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
