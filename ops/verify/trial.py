"""What one run works with: the stack, keys and a product of its own, and what was sent so far."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx

from adapters.dynamo_api_keys import DynamoApiKeys
from adapters.dynamo_items import product_key
from domain.api_key import ApiKey, Role
from domain.issue_key import IssueKey
from domain.user import User
from ops.catalogue import items_of
from ops.target import Target
from ops.verify.api import Api, Picture, images_path
from ops.verify.belongings import Belongings
from ops.verify.check import Interruption

_USER = User(1, "verify", "product-images verify")
_KEY_LIFETIME = timedelta(hours=1)
"""After which a key is good for nothing that a run left behind because its machine went off."""
_PRODUCTS = 2**52
"""Products of runs have identifiers from here to twice this: no shop has come so far."""
PLACES = ("incoming", "media")
"""Where the bytes of a product's pictures lie, each with a folder for it."""


class Trial:
    """One run."""

    def __init__(self, target: Target, http: httpx.Client, interruption: Interruption) -> None:
        self.target = target
        self.http = http
        self.interruption = interruption
        self.belongings = Belongings()
        self.product_id = _PRODUCTS + secrets.randbelow(_PRODUCTS - 1)
        self.other_product_id = self.product_id + 1
        self.idempotency_key = secrets.token_hex()
        self.pictures: dict[str, Picture] = {}
        self.events_queue = ""
        self._keys: dict[Role, str] = {}

    @property
    def base_url(self) -> str:
        """Where the public reaches the service."""
        return self.target.outputs["BaseUrl"]

    @property
    def staff(self) -> Api:
        """The service for a member of staff."""
        return Api(self.base_url, self._keys[Role.STAFF], self.http)

    @property
    def admin(self) -> Api:
        """The service for an administrator, who alone may remove products."""
        return Api(self.base_url, self._keys[Role.ADMIN], self.http)

    @property
    def customer(self) -> Api:
        """The service for a customer, who may do nothing with it."""
        return Api(self.base_url, self._keys[Role.CUSTOMER], self.http)

    def with_key(self, key: str | None) -> Api:
        """Return the service for whoever has this key, or none."""
        return Api(self.base_url, key, self.http)

    def image_path(self, how: str) -> str:
        """Return the path of the picture that was sent this way."""
        return f"{images_path(self.product_id)}/{self.pictures[how].id}"

    def make_product_and_keys(self) -> None:
        """Make them, and note how they are removed."""
        self.belongings.add(f"product {self.product_id}", self._remove_product)
        self.target.products.add(self.product_id)
        noted_keys = _NotedKeys(self.target, self.belongings)
        issue_key = IssueKey(noted_keys, partial(datetime.now, UTC), "product-images verify")
        for role in Role:
            self._keys[role], _ = issue_key(_USER, role, datetime.now(UTC) + _KEY_LIFETIME)

    def _remove_product(self) -> None:
        """Remove the product with its pictures, from table and bucket, as if it had never been there."""
        self._delete_pictures()
        self.erase(self.product_id)

    def erase(self, product_id: int) -> None:
        """Delete all that there is of a product, and that it was there."""
        target = self.target
        # The product first: nothing new is taken in for it from here on.
        target.dynamodb.delete_item(TableName=target.table, Key=product_key(product_id))
        for item in items_of(target, product_id):
            target.dynamodb.delete_item(TableName=target.table, Key={"pk": item["pk"], "sk": item["sk"]})
        for key, version in self._versions(product_id):
            target.clients.s3().delete_object(Bucket=target.bucket, Key=key, VersionId=version)

    def _delete_pictures(self) -> None:
        """Delete them as a client does, so that whoever listens to the service's events hears of it."""
        for how in self.pictures:
            try:
                self.staff.send("DELETE", self.image_path(how))
            except httpx.HTTPError:
                # What it leaves is removed behind it.
                return

    def _versions(self, product_id: int) -> Iterator[tuple[str, str]]:
        """Yield key and version of all bytes, and of what marks them as deleted."""
        lists = self.target.clients.s3().get_paginator("list_object_versions")
        for place in PLACES:
            for page in lists.paginate(Bucket=self.target.bucket, Prefix=f"{place}/{product_id}/"):
                for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                    yield version["Key"], version["VersionId"]


class _NotedKeys(DynamoApiKeys):
    """The table of keys, which notes how to remove each before it is added."""

    def __init__(self, target: Target, belongings: Belongings) -> None:
        super().__init__(target.dynamodb, target.keys_table)
        self._belongings = belongings

    def add(self, key_hash: str, key: ApiKey) -> None:
        """Put a record."""
        self._belongings.add(f"key {key.id}", partial(self.remove, key_hash))
        super().add(key_hash, key)
