"""What a write of pictures does to their product's item: one part of the transaction."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from adapters.dynamo_items import Item, product_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_NOTHING: Mapping[str, Any] = {}


class ProductUpdate(NamedTuple):
    """Attributes to set, to add to and to remove, and conditions with their values.

    A transaction takes an item once: what is to happen to a product for several reasons is joined by `|`.
    """

    sets: Mapping[str, Item] = _NOTHING
    adds: Mapping[str, int] = _NOTHING
    removes: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    values: Mapping[str, Item] = _NOTHING

    def __or__(self, other: "ProductUpdate") -> "ProductUpdate":
        """Return what does both."""
        return ProductUpdate(
            {**self.sets, **other.sets},
            {**self.adds, **other.adds},
            (*self.removes, *other.removes),
            (*self.conditions, *other.conditions),
            {**self.values, **other.values},
        )

    def parts(self, table: str, product_id: int) -> "list[TransactWriteItemTypeDef]":
        """Return the part of a transaction, which needs the product to be there; none for nothing."""
        update = " ".join(
            f"{clause} {', '.join(parts)}"
            for clause, parts in (
                ("SET", [f"{name} = :set_{name}" for name in self.sets]),
                ("REMOVE", self.removes),
                ("ADD", [f"{name} :add_{name}" for name in self.adds]),
            )
            if parts
        )
        if not update and not self.conditions:
            return []
        values: Item = {
            **{f":set_{name}": value for name, value in self.sets.items()},
            **{f":add_{name}": {"N": str(number)} for name, number in self.adds.items()},
            **self.values,
        }
        part: Any = {
            "TableName": table,
            "Key": product_key(product_id),
            "ConditionExpression": " AND ".join(("attribute_exists(pk)", *self.conditions)),
            **({"ExpressionAttributeValues": values} if values else {}),
        }
        if not update:
            return [{"ConditionCheck": part}]
        part["UpdateExpression"] = update
        return [{"Update": part}]
