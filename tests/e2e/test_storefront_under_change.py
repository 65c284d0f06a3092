"""What the storefront answers while staff are at work: nothing that was gone or moved before the question."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import inf
from random import Random
from threading import Event
from typing import override

import httpx
import pytest

from domain.image import ImageStatus
from local.sample import sample_jpeg
from openapi.bodies import PrimariesBody, ShownGalleryBody, ShownImageBody
from tests.e2e.shop import Shop
from tests.torture.results import size

PICTURES = size(60, 3, "pictures that come, move and go while readers look")
BROKEN = sample_jpeg(300, 200)[:-2_000]
AGES = "public, max-age=60, stale-while-revalidate=60"
"""How old an answer may become that was true when it was given; the CDN adds nothing (`test_cdn`)."""


@dataclass(eq=False, slots=True)
class NewOrder:
    """An order that staff asked for; it came into force between the two moments, if it did."""

    image_ids: list[int]
    begun: float
    done: float = inf


@dataclass(slots=True)
class Log:
    """What staff did, and when, by one clock."""

    ready: dict[int, float] = field(default_factory=dict)
    deleting: dict[int, float] = field(default_factory=dict)
    deleted: dict[int, float] = field(default_factory=dict)
    orders: list[NewOrder] = field(default_factory=list)

    def there(self, since: float, until: float) -> set[int]:
        """Return the pictures that were ready all this time."""
        ready = {image_id for image_id, moment in self.ready.copy().items() if moment < since}
        return ready - {image_id for image_id, moment in self.deleting.copy().items() if moment <= until}

    def gone(self, before: float) -> set[int]:
        """Return the pictures that were deleted before this moment."""
        return {image_id for image_id, moment in self.deleted.copy().items() if moment < before}

    def orders_within(self, since: float, until: float) -> list[list[int]]:
        """Return the orders one of which held then; none, if that of the uploads may have."""
        begun = [order for order in self.orders.copy() if order.begun <= until]
        settled = [order for order in begun if order.done < since]
        return [each.image_ids for each in begun if each not in settled[:-1]] if settled else []


class Staff:
    """Uploads pictures, good and broken, and moves, names and deletes what is there."""

    def __init__(self, shop: Shop, product_id: int, log: Log) -> None:
        self._shop = shop
        self._product_id = product_id
        self._log = log
        self._dice = Random(product_id)  # noqa: S311 - not a secret

    def upload(self) -> None:
        """Add pictures, and after each one a broken one."""
        for number in range(PICTURES):
            content = sample_jpeg(170 + number, 120)
            created = self._shop.upload(content, product_id=self._product_id).json()
            assert self._shop.finished(created).status is ImageStatus.READY
            self._log.ready[created["id"]] = time.monotonic()
            broken = self._shop.upload(BROKEN, product_id=self._product_id).json()
            assert self._shop.finished(broken).status is ImageStatus.FAILED

    def change(self) -> None:
        """Put the gallery into a new order, and make one of its pictures the primary."""
        listed = [image for image in self._shop.gallery(self._product_id) if image.status != "failed"]
        image_ids = [image.id for image in listed]
        self._dice.shuffle(image_ids)
        order = NewOrder(image_ids, time.monotonic())
        self._log.orders.append(order)
        answer = self._shop.reorder(self._product_id, image_ids)
        if answer.status_code == httpx.codes.OK:
            order.done = time.monotonic()
        else:
            # Pictures came or went meanwhile: it was refused.
            assert answer.is_client_error, answer.text
            self._log.orders.remove(order)
        if image_ids:
            answer = self._shop.change(self._product_id, self._dice.choice(image_ids), {"is_primary": True})
            assert answer.status_code in {200, 404, 409}, answer.text

    def delete(self) -> None:
        """Delete a picture while there are others."""
        here = sorted(self._log.ready.keys() - self._log.deleting.keys())
        if len(here) > 1:
            image_id = self._dice.choice(here)
            self._log.deleting[image_id] = time.monotonic()
            assert self._shop.delete(self._product_id, image_id).status_code == httpx.codes.NO_CONTENT
            self._log.deleted[image_id] = time.monotonic()


class Reader:
    """Asks for one address again and again, with the tag of what it has."""

    def __init__(self, shop: Shop, path: str, log: Log) -> None:
        self._shop = shop
        self._path = path
        self._log = log
        self._kept: httpx.Response | None = None
        self.shown: list[ShownImageBody] = []
        self.answers = 0

    def images_in(self, content: bytes) -> list[ShownImageBody]:
        """Return the pictures that an answer shows."""
        raise NotImplementedError

    def read(self) -> None:
        """Ask, and look whether the answer is true of a moment between question and answer."""
        known = {"If-None-Match": self._kept.headers["etag"]} if self._kept else None
        since = time.monotonic()
        answer = self._shop.visit(self._path, known)
        until = time.monotonic()
        assert (answer.headers["cache-control"], "age" in answer.headers) == (AGES, False)
        if answer.status_code != httpx.codes.NOT_MODIFIED:
            assert answer.status_code == httpx.codes.OK, answer.text
            self._kept = answer
        assert self._kept
        self.shown = self.images_in(self._kept.content)
        self._check_all_open(self.shown)
        self._check(self.shown, since, until)
        self.answers += 1

    def _check_all_open(self, images: list[ShownImageBody]) -> None:
        for image in images:
            for address in [image.f, *(each.f for each in image.renditions or [])]:
                opened = self._shop.fetch(address)
                assert opened.status_code == httpx.codes.OK or image.id in self._log.deleting, address

    def _check(self, images: list[ShownImageBody], since: float, until: float) -> None:
        shown = [image.id for image in images]
        assert [image.is_primary for image in images].count(True) == min(1, len(images))
        assert not set(shown) & self._log.gone(since)
        self._check_complete(shown, since, until)

    def _check_complete(self, shown: list[int], since: float, until: float) -> None:
        raise NotImplementedError


class GalleryReader(Reader):
    """Reads a whole gallery: all that is ready, in an order that holds."""

    @override
    def images_in(self, content: bytes) -> list[ShownImageBody]:
        body = ShownGalleryBody.model_validate_json(content)
        assert body.count == len(body.results)
        return body.results

    @override
    def _check_complete(self, shown: list[int], since: float, until: float) -> None:
        assert self._log.there(since, until) <= set(shown)
        orders = self._log.orders_within(since, until)
        assert not orders or any(_is_in_order(shown, order) for order in orders)


class PrimaryReader(Reader):
    """Reads what stands for the product: a picture, if there is one."""

    @override
    def images_in(self, content: bytes) -> list[ShownImageBody]:
        [result] = PrimariesBody.model_validate_json(content).results
        return [result.image] if result.image else []

    @override
    def _check_complete(self, shown: list[int], since: float, until: float) -> None:
        assert shown or not self._log.there(since, until)


def _is_in_order(shown: list[int], order: list[int]) -> bool:
    both = set(shown) & set(order)
    return [each for each in shown if each in both] == [each for each in order if each in both]


@pytest.mark.torture("answers of the storefront while pictures come, move and go")
def test_what_the_storefront_shows_was_true_when_it_was_asked_and_opens(
    shop: Shop, product_id: int, tried: Callable[[int], None]
) -> None:
    log, is_over = Log(), Event()
    staff = Staff(shop, product_id, log)
    readers = [
        GalleryReader(shop, f"products/{product_id}/images?limit=100", log),
        PrimaryReader(shop, f"primary-images?product_ids={product_id}", log),
    ]

    def until_over(act: Callable[[], None]) -> None:
        while not is_over.is_set():
            act()

    with ThreadPoolExecutor(5) as pool:
        at_work = [pool.submit(until_over, each) for each in (staff.change, staff.delete)]
        looking = [pool.submit(until_over, reader.read) for reader in readers]
        try:
            staff.upload()
        finally:
            is_over.set()
        for each in (*at_work, *looking):
            each.result()
    # Whatever was refused while others were at work is done alone.
    for act in (staff.change, staff.delete):
        act()
        for reader in readers:
            reader.read()
    left = log.ready.keys() - log.deleted.keys()
    [gallery, _] = readers
    assert {image.id for image in gallery.shown} == left
    assert log.orders
    assert log.deleted
    tried(sum(reader.answers for reader in readers))
