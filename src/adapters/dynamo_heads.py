"""Where a product's gallery begins, kept on its own item: first pictures of many products take two reads.

A product's `head` is a place (`dynamo_items`) before which no picture stands that is ready, or may become
so. It is a bound and no more: if the picture at that very place is ready, it is the first that the public
sees; if not, the gallery's index tells. A bound that is too low costs that look, one that is too high would
show the wrong picture. So what may put a picture further to the front lowers it, and counts one more of the
product's `turns`; who raises it has seen the gallery as it is since the last of them.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from adapters.aws import failed_condition, passing_errors_as_unavailable, with_persistence
from adapters.dynamo_gallery import GALLERY_INDEX
from adapters.dynamo_items import Item, details_to_attributes, is_product, product_key
from domain.image import ImageStatus, ProductImage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_UNKNOWN: Item = {"S": "!"}
"""Before every place: a bound that always holds."""
_ONE: Item = {"N": "1"}
_NO_IMAGES: Item = {"N": "0"}
_TRIES = 3
_PAGE_SIZE = 10
"""Items in one look: a picture that has not failed is among the first few, if there is one. With texts of
usual length they are two read units, however large the gallery is."""


def head_of(product: Mapping[str, Any]) -> int | None:
    """Return the identifier of the picture at a product's head, None if the head names none."""
    place = product.get("head", _UNKNOWN)
    return None if place == _UNKNOWN else int(place["S"].rpartition("#")[2])


def count_one_more(
    table: str, image: ProductImage, product: Mapping[str, Any] | None = None
) -> "TransactWriteItemTypeDef":
    """Count a new picture of a product that is there.

    Without `product` it is on the condition that the picture is the first one, or stands behind the head, as
    nearly all do. Any other needs the product's item as it was found.
    """
    place = details_to_attributes(image)["place"]
    values: Item = {":one": _ONE}
    if product is None:
        head = "if_not_exists(head, :head)"
        condition = (
            "(head <= :head AND image_count > :none) OR (attribute_not_exists(head) AND image_count = :none)"
        )
        values |= {":head": place, ":none": _NO_IMAGES}
    else:
        head, condition = ":head", "attribute_not_exists(turns)"
        values[":head"] = _bound(product, place)
        if "turns" in product:
            condition, values[":turns"] = "turns = :turns", product["turns"]
    return {
        "Update": {
            "TableName": table,
            "Key": product_key(image.ref.product_id),
            "UpdateExpression": f"SET head = {head} ADD image_count :one, turns :one",
            "ConditionExpression": f"attribute_exists(pk) AND ({condition})",
            "ExpressionAttributeValues": values,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def lower_head(client: "DynamoDBClient", table: str, product_id: int) -> None:
    """Let nothing be known of a product's head, before pictures change their places."""
    _update(
        client,
        table,
        product_id,
        UpdateExpression="SET head = :unknown ADD turns :one",
        ConditionExpression="attribute_exists(pk)",
        ExpressionAttributeValues={":unknown": _UNKNOWN, ":one": _ONE},
    )


def settle_head(client: "DynamoDBClient", table: str, product_id: int) -> None:
    """Raise a product's head to its first picture; what stays too low where others interfere still holds."""
    for _ in range(_TRIES):
        product, head = _look(client, table, product_id)
        if product is None or product.get("head") == head:
            return
        values: Item = {f":seen_{name}": product[name] for name in ("head", "turns") if name in product}
        conditions = [
            f"{name} = :seen_{name}" if name in product else f"attribute_not_exists({name})"
            for name in ("head", "turns")
        ]
        if _update(
            client,
            table,
            product_id,
            UpdateExpression="SET head = :head" if head else "REMOVE head",
            ConditionExpression=f"attribute_exists(pk) AND {' AND '.join(conditions)}",
            ExpressionAttributeValues=values | ({":head": head} if head else {}),
        ):
            return


def _bound(product: Mapping[str, Any], place: Item) -> Item:
    """Return what no picture of a product, and none at a new place, stands before."""
    if product.get("image_count") == _NO_IMAGES:
        return place
    # From before there were heads: nobody knows.
    head: Item = product.get("head", _UNKNOWN)
    return min(head, place, key=lambda each: str(each["S"]))


def _look(client: "DynamoDBClient", table: str, product_id: int) -> tuple[Item | None, Item | None]:
    """Return a product's item, and the place of its first picture that has not failed."""
    product: Item | None = None
    start: dict[str, Any] = {}
    while True:
        with passing_errors_as_unavailable():
            answer = client.query(
                TableName=table,
                IndexName=GALLERY_INDEX,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": product_key(product_id)["pk"]},
                ConsistentRead=True,
                Limit=_PAGE_SIZE,
                **start,
            )
        items: list[Item] = answer["Items"]
        for item in items:
            if is_product(item):
                product = item
            elif item.get("status") != {"S": ImageStatus.FAILED}:
                first: Item = item["place"]
                return product, first
        if product is None or "LastEvaluatedKey" not in answer:
            return product, None
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _update(client: "DynamoDBClient", table: str, product_id: int, **update: Any) -> bool:  # noqa: ANN401 - as the SDK's
    """Update a product's item; return False if a condition did not hold."""
    try:
        with passing_errors_as_unavailable():
            with_persistence(
                lambda: client.update_item(TableName=table, Key=product_key(product_id), **update)
            )
    except ClientError as error:
        if failed_condition(error):
            return False
        raise
    return True
