"""Removes what belonged to a product that was removed: bytes, then records, then bytes that came meanwhile.

It remembers nothing but the record of the removal itself: whatever is left is found by looking, so that it
can end anywhere, begin again, and run twice at once.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from domain.ports import Clock, ImageEvents
from domain.product_ports import Belonging, Belongings, ProductBytes, Products
from domain.product_record import ProductRecord


class RemoveProduct:
    """Brings removals to their end, however many pictures there are, a part at a time."""

    def __init__(
        self,
        *,
        products: Products,
        belongings: Belongings,
        product_bytes: ProductBytes,
        events: ImageEvents,
        clock: Clock,
    ) -> None:
        self._products = products
        self._belongings = belongings
        self._bytes = product_bytes
        self._events = events
        self._clock = clock

    def __call__(
        self, product_id: int, has_time: Callable[[], bool], advance: Callable[[int], object] = lambda _: None
    ) -> bool:
        """Remove what is left while `has_time` says so; return whether that was all.

        `advance` is told how many pictures each step removed. A product that is not being removed is left.

        Raises:
            UnavailableError: a store failed for now; try again.

        """
        is_over = False
        while not is_over:
            # Before anything is looked for: it ends this removal and no other, should a run that was quicker
            # end this one, and the product be put and removed again.
            seen = self._products.look(product_id)
            for step in self._steps(seen, advance):
                # What a step takes away was looked up before: so it is the removed product's, even if that is
                # put again now. And whoever looks for removals that nobody is at leaves this one alone.
                if not self._products.postpone_removal(product_id, self._clock()):
                    return True
                if not has_time():
                    return False
                is_over = bool(step())
        return True

    def _steps(
        self, seen: ProductRecord, advance: Callable[[int], object]
    ) -> Iterator[Callable[[], bool | None]]:
        """Yield what is to be done; the last step, which ends the removal, returns whether it did."""
        product_id = seen.product_id
        yield from self._deletions(product_id)
        for images in iter(lambda: self._belongings.some(product_id), []):
            yield partial(self._forget, product_id, images, advance)
        # Without its record a picture cannot become ready any more: what is written later is removed again by
        # whoever wrote it, and what was written before is found here.
        yield from self._deletions(product_id)
        yield partial(self._end, seen)

    def _deletions(self, product_id: int) -> Iterator[Callable[[], None]]:
        for keys in iter(lambda: self._bytes.some(product_id), []):
            yield partial(self._bytes.delete, keys)

    def _forget(self, product_id: int, images: Sequence[Belonging], advance: Callable[[int], object]) -> None:
        # Before the records go: until then they are found and told of, should this get lost.
        self._events.send_deleted_with_product([each.summary for each in images if each.summary])
        self._belongings.forget(product_id, [each.image_id for each in images])
        advance(len(images))

    def _end(self, seen: ProductRecord) -> bool:
        """Tell it and write it; False if more was said of the product meanwhile: then all begins again."""
        self._events.send_product_removed(seen.product_id)
        return self._products.write(seen, seen.without_belongings())
