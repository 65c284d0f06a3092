"""Removes a product with its pictures from the operator's own computer, where its progress can be seen."""

from datetime import UTC, datetime
from functools import partial

from adapters.dynamo_belongings import DynamoBelongings
from adapters.dynamo_product_list import DynamoProductList
from adapters.eventbridge_image_events import EventBridgeImageEvents
from adapters.s3_product_bytes import S3ProductBytes
from domain.api_key import Role
from domain.begin_product_removal import BeginProductRemoval
from domain.errors import ProductHasImagesError, ProductNotFoundError
from domain.product_record import Stage
from domain.remove_product import RemoveProduct
from ops.target import Target
from ops.terminal import fail, progress_bar, say


class ProductRemoval:
    """Begins removals, goes on with those that were begun, and brings both to their end."""

    def __init__(self, target: Target) -> None:
        self._products = target.products
        self._product_list = DynamoProductList(target.dynamodb, target.table)
        clock = partial(datetime.now, UTC)
        self._begin = BeginProductRemoval(self._products, self, clock)
        self._remove = RemoveProduct(
            products=self._products,
            belongings=DynamoBelongings(target.dynamodb, target.table),
            product_bytes=S3ProductBytes(target.clients.s3(), target.bucket),
            events=EventBridgeImageEvents(target.clients.events(), target.stack),
            clock=clock,
        )

    def request(self, product_id: int) -> None:
        """Ask nobody: the removal is brought to its end here, or else by the reconciler."""

    def __call__(self, product_id: int, *, with_images: bool) -> bool:
        """Remove a product and say what came of it; return whether it is gone now."""
        images = 0
        try:
            images = self._product_list.find(product_id).image_count
            self._begin(product_id, Role.ADMIN, is_empty=not with_images)
        except ProductHasImagesError as error:
            fail(f"{error} To remove them all with it: --with-images")
            return False
        except ProductNotFoundError:
            if self._products.look(product_id).stage is not Stage.BEING_REMOVED:
                say(f"Product {product_id}: was not there.")
                return True
        with progress_bar(f"Removing {product_id}", images) as advance:
            self._remove(product_id, lambda: True, advance)
        say(f"Product {product_id}: removed.")
        return True
