"""A gallery, operation by operation, against a simple model of what it should be."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from adapters.dynamo_products import DynamoProducts
from openapi.bodies import GalleryBody, ImageBody
from tests.builders import jpeg
from tests.e2e.shop import Shop, media_key
from tests.torture.results import size

GALLERIES = size(5, 2, "galleries that follow their model")
OPERATIONS = size(50, 12, "operations on each of them")
MANY = 100

ORDERS = st.integers(-3, 3)
TEXTS = st.sampled_from(["", "Front", "Grün", "<b>side</b>"])
CHANGES = st.fixed_dictionaries(
    {}, optional={"alt_text": TEXTS, "is_primary": st.booleans(), "order": ORDERS}
)


@dataclass
class Entry:
    """What the model knows of a picture."""

    alt_text: str
    order: int
    width: int


class GalleryMachine(RuleBasedStateMachine):
    """Does to the service and to the model the same."""

    shop: ClassVar[Shop]
    product_ids: ClassVar[Iterator[int]]
    operations: ClassVar[list[str]]

    def __init__(self) -> None:
        super().__init__()
        state = self.shop.state
        self.product_id = next(self.product_ids)
        DynamoProducts(state.endpoint.client("dynamodb"), state.resources.table).add(self.product_id)
        self.entries: dict[int, Entry] = {}
        self.primary: int | None = None

    @rule(alt_text=TEXTS, order=ORDERS, is_primary=st.booleans(), width=st.integers(1, 64))
    def create(self, alt_text: str, order: int, is_primary: bool, width: int) -> None:
        fields = {"alt_text": alt_text, "order": str(order), "is_primary": str(is_primary)}
        image = self.shop.add(jpeg(width, 8), product_id=self.product_id, **fields)
        self._created(image, Entry(alt_text, order, width), is_primary=is_primary)

    @rule(alt_text=TEXTS, order=ORDERS, is_primary=st.booleans(), width=st.integers(1, 64))
    def create_with_a_form(self, alt_text: str, order: int, is_primary: bool, width: int) -> None:
        content = jpeg(width, 8)
        fields = {"alt_text": alt_text, "order": order, "is_primary": is_primary}
        reservation = self.shop.reserved(content, product_id=self.product_id, **fields)
        assert self.shop.send(reservation.upload, content).status_code == 204
        image = self.shop.settled(reservation)
        self._created(image, Entry(alt_text, order, width), is_primary=is_primary)

    @precondition(lambda self: self.entries)
    @rule(data=st.data(), change=CHANGES)
    def patch(self, data: st.DataObject, change: dict[str, Any]) -> None:
        image_id = data.draw(st.sampled_from(sorted(self.entries)))
        assert self.shop.change(self.product_id, image_id, change).status_code == 200
        entry = self.entries[image_id]
        entry.alt_text = change.get("alt_text", entry.alt_text)
        entry.order = change.get("order", entry.order)
        if change.get("is_primary"):
            self.primary = image_id
        elif "is_primary" in change and self.primary == image_id:
            self.primary = None
        self.operations.append("patch")

    @precondition(lambda self: self.entries)
    @rule(data=st.data())
    def reorder(self, data: st.DataObject) -> None:
        image_ids = data.draw(st.permutations(sorted(self.entries)))
        assert self.shop.reorder(self.product_id, image_ids).status_code == 200
        for order, image_id in enumerate(image_ids):
            self.entries[image_id].order = order
        self.operations.append("reorder")

    @precondition(lambda self: self.entries)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        image_id = data.draw(st.sampled_from(sorted(self.entries)))
        assert self.shop.delete(self.product_id, image_id).status_code == 204
        del self.entries[image_id]
        if self.primary == image_id:
            self.primary = None
        self.operations.append("delete")

    @invariant()
    def the_gallery_equals_the_model(self) -> None:
        page = GalleryBody.model_validate_json(self.shop.page(self.product_id, limit=100).content)
        gallery = page.results
        assert page.count == len(self.entries)
        assert sum(image.is_primary for image in gallery) <= 1
        # Entries stand in the order of their uploads, whichever function took them.
        ordered = sorted(self.entries.items(), key=lambda item: item[1].order)
        assert [
            (image.id, image.order, image.alt_text, image.description, image.width, image.is_primary)
            for image in gallery
        ] == [
            (image_id, entry.order, entry.alt_text, entry.alt_text, entry.width, image_id == self.primary)
            for image_id, entry in ordered
        ]
        assert {image.status for image in gallery} <= {"ready"}

    def teardown(self) -> None:
        keys = {media_key(image.f) for image in self.shop.gallery(self.product_id)}
        assert self.shop.public_copies(self.product_id) == keys
        assert len(keys) == len(self.entries)

    def _created(self, image: ImageBody, entry: Entry, *, is_primary: bool) -> None:
        assert image.id not in self.entries
        self.entries[image.id] = entry
        if is_primary:
            self.primary = image.id
        self.operations.append("create")


@pytest.mark.long
@pytest.mark.torture("operations on a gallery, against a model of it")
def test_after_many_random_operations_the_gallery_equals_its_model(
    shop: Shop, tried: Callable[[int], None]
) -> None:
    tried(GALLERIES * OPERATIONS)
    GalleryMachine.shop, GalleryMachine.product_ids, GalleryMachine.operations = shop, count(500_000), []
    run_state_machine_as_test(
        GalleryMachine,
        settings=settings(
            max_examples=GALLERIES,
            stateful_step_count=OPERATIONS,
            # The same operations in every run. A failure is shown as it was found: to make it simpler would
            # take many more galleries.
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    operations = GalleryMachine.operations
    assert len(operations) == GALLERIES * OPERATIONS
    kinds = {"create", "patch", "reorder", "delete"}
    assert set(operations) <= kinds
    # Few operations need not come upon each kind.
    assert set(operations) == kinds or len(operations) < MANY
