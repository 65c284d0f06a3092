"""What a new local system has to be tried with: products, and keys of all kinds of users."""

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from adapters.dynamo_api_keys import DynamoApiKeys
from adapters.dynamo_products import DynamoProducts
from domain.api_key import Role
from domain.issue_key import IssueKey
from domain.user import User

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_OPERATOR = "make local"
PRODUCT_IDS = list(range(123, 133))
_USERS = {
    "admin": (User(1, "ada", "Ada Admin"), Role.ADMIN),
    "staff": (User(2, "sam", "Sam Staff"), Role.STAFF),
    "customer": (User(3, "cleo", "Cleo Customer"), Role.CUSTOMER),
    "inactive": (User(4, "ina", "Ina Inactive"), Role.STAFF),
}


def add_products(dynamodb: "DynamoDBClient", table: str) -> list[int]:
    """Add the products and return their identifiers."""
    products = DynamoProducts(dynamodb, table)
    for product_id in PRODUCT_IDS:
        products.add(product_id)
    return PRODUCT_IDS


def issue_keys(dynamodb: "DynamoDBClient", table: str) -> dict[str, str]:
    """Issue a key to each user and return them by name; the inactive user's is revoked."""
    api_keys = DynamoApiKeys(dynamodb, table)
    issue_key = IssueKey(api_keys, partial(datetime.now, UTC), _OPERATOR)
    keys = {}
    for name, (user, role) in _USERS.items():
        keys[name], record = issue_key(user, role)
        if name == "inactive":
            api_keys.revoke(record.id, _OPERATOR, datetime.now(UTC))
    return keys
