"""Mixed load on a system of its own for a while: no answer but the expected, no memory that grows.

Run it with `make soak MINUTES=30`. It ends with a table of answers and of each function's memory, and with
the exit code 1 if one was unexpected, a picture is left pending, an event failed, or a function grew.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import psutil

from bench.origin import origin
from domain.image import ImageStatus
from local.build import build_packages
from local.deployment import FUNCTIONS
from local.sample import sample_jpeg
from local.system import LocalSystem, State, ignore_shell_settings, wait_until
from openapi.bodies import ReservedImageBody
from tests.e2e.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_GROWTH = 1.1
"""Of the last quarter's memory against the second's: the allocator's ups and downs were 2 %."""
_IDLE = {"storefront", "describe_api", "staff_page", "reconcile"}
"""What the load does not call: open to all, or once an hour."""
_USERS = 4
_SAMPLE_SECONDS = 5
_REPORT_SECONDS = 30
_GALLERY = 30
"""Pictures that a user keeps in a gallery before removing some."""


@dataclass(slots=True)
class Tally:
    """What was answered, and what should not have been."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)

    def add(self, action: str, answer: httpx.Response, expected: set[int]) -> None:
        self.answers[action, answer.status_code] += 1
        if answer.status_code not in expected:
            self.unexpected.append(f"{action}: {answer.status_code} {answer.text[:300]}")


class User:
    """A member of staff with one product, who does everything that can be done, in a seeded order."""

    def __init__(self, shop: Shop, product_id: int, tally: Tally) -> None:
        self._shop = shop
        self._product_id = product_id
        self._tally = tally
        self._random = random.Random(product_id)  # noqa: S311 - no secret is made of it
        self._pictures = [sample_jpeg(width, width * 2 // 3) for width in (60, 900, 2_400)]
        self._images: list[int] = []
        self._actions: dict[Callable[[], None], int] = {
            self._upload: 6,
            self._upload_what_is_broken: 1,
            self._upload_safely: 2,
            self._send_a_form: 2,
            self._list: 6,
            self._show: 6,
            self._change: 3,
            self._reorder: 1,
            self._delete: 4,
            self._upload_to_nowhere: 1,
            self._ask_without_a_key: 1,
        }

    def act(self, is_over: Event) -> None:
        while not is_over.is_set():
            if len(self._images) > _GALLERY:
                self._delete()
            [action] = self._random.choices([*self._actions], [*self._actions.values()])
            action()

    def _picture(self) -> bytes:
        return self._random.choice(self._pictures)

    def _upload(self) -> None:
        is_primary = self._random.choice(["true", "false"])
        answer = self._shop.upload(self._picture(), product_id=self._product_id, is_primary=is_primary)
        self._tally.add("upload", answer, {201})
        self._keep(answer)

    def _upload_what_is_broken(self) -> None:
        answer = self._shop.upload(self._picture()[:-300], product_id=self._product_id)
        self._tally.add("upload a broken picture", answer, {201})
        self._keep(answer)

    def _upload_safely(self) -> None:
        picture, key = self._picture(), str(uuid4())
        answers = [
            self._shop.upload(picture, product_id=self._product_id, idempotency_key=key) for _ in range(2)
        ]
        for answer in answers:
            self._tally.add("upload, and again with its idempotency key", answer, {201})
        if len({answer.json().get("id") for answer in answers}) > 1:
            self._tally.unexpected.append("two pictures for one idempotency key")
        self._keep(answers[0])

    def _send_a_form(self) -> None:
        picture = self._picture()
        announced = {"name": "picture.jpg", "size": len(picture)}
        answer = self._shop.reserve(announced, product_id=self._product_id)
        self._tally.add("reserve an upload", answer, {201})
        if answer.status_code == httpx.codes.CREATED:
            reserved = ReservedImageBody.model_validate_json(answer.content)
            self._tally.add("send a form", self._shop.send(reserved.upload, picture), {204})
            self._images.append(reserved.id)

    def _list(self) -> None:
        self._tally.add("list", self._shop.page(self._product_id, limit=20), {200})

    def _show(self) -> None:
        if self._images:
            answer = self._shop.show(self._product_id, self._random.choice(self._images))
            self._tally.add("show", answer, {200})

    def _change(self) -> None:
        if self._images:
            fields = {"alt_text": str(uuid4()), "is_primary": True}
            answer = self._shop.change(self._product_id, self._random.choice(self._images), fields)
            # A broken picture cannot be the primary.
            self._tally.add("change", answer, {200, 409})

    def _reorder(self) -> None:
        shown = self._shop.page(self._product_id, limit=100).json()["results"]
        ids = [image["id"] for image in shown]
        self._random.shuffle(ids)
        if ids:
            self._tally.add("reorder", self._shop.reorder(self._product_id, ids), {200})

    def _delete(self) -> None:
        if self._images:
            image_id = self._images.pop(self._random.randrange(len(self._images)))
            self._tally.add("delete", self._shop.delete(self._product_id, image_id), {204})

    def _upload_to_nowhere(self) -> None:
        self._tally.add("upload to no product", self._shop.upload(self._picture(), product_id=1), {404})

    def _ask_without_a_key(self) -> None:
        answer = self._shop.request("GET", self._shop.url(self._product_id), key="no-key")
        self._tally.add("ask without a key", answer, {401})

    def _keep(self, answer: httpx.Response) -> None:
        if answer.status_code == httpx.codes.CREATED:
            self._images.append(answer.json()["id"])


class Memory:
    """Resident megabytes of each function: its largest worker, sample by sample."""

    def __init__(self, state: State) -> None:
        self._names = {name: function for function, name in state.resources.functions.items()}
        self.samples: defaultdict[str, list[float]] = defaultdict(list)

    def sample(self) -> None:
        largest: defaultdict[str, float] = defaultdict(float)
        for process in psutil.process_iter():
            try:
                name = self._names.get(process.environ().get("AWS_LAMBDA_FUNCTION_NAME", ""))
                if name:
                    largest[name] = max(largest[name], process.memory_info().rss / 1_000_000)
            except psutil.Error:
                # It ended meanwhile, or is somebody else's.
                continue
        for name, megabytes in largest.items():
            self.samples[name].append(megabytes)

    def growth(self, name: str) -> tuple[float, float]:
        """Return the medians of the second and of the last quarter."""
        quarter = max(1, len(self.samples[name]) // 4)
        return (
            statistics.median(self.samples[name][quarter : 2 * quarter] or self.samples[name]),
            statistics.median(self.samples[name][-quarter:]),
        )


def soak(state: State, seconds: float) -> list[str]:
    """Run the load and return what went wrong."""
    shop, tally, memory, is_over = Shop(state), Tally(), Memory(state), Event()
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(_USERS) as pool:
        users = [User(shop, product_id, tally) for product_id in state.products[:_USERS]]
        acting = [pool.submit(user.act, is_over) for user in users]
        reported_at = time.monotonic()
        while not is_over.wait(min(_SAMPLE_SECONDS, max(0, until - time.monotonic()))):
            memory.sample()
            now = time.monotonic()
            if now >= until or any(each.done() for each in acting):
                is_over.set()
            elif now - reported_at > _REPORT_SECONDS:
                reported_at = now
                _progress(tally, until - now)
        for each in acting:
            each.result()
    return [*tally.unexpected, *_left(shop), *_report(tally, memory)]


def _progress(tally: Tally, left_seconds: float) -> None:
    print(
        f"{left_seconds / 60:5.1f} min left, {tally.answers.total():,} requests, "
        f"{len(tally.unexpected)} unexpected answers",
        flush=True,
    )


def _left(shop: Shop) -> list[str]:
    """Wait until every picture is settled; return what is not, and what failed."""
    state = shop.state

    def pending() -> list[int]:
        galleries = [state.catalog.gallery(product_id, 1_000_000) for product_id in state.products]
        images = [image for gallery in galleries for image in gallery.images]
        return [image.ref.image_id for image in images if image.status is ImageStatus.PENDING]

    wait_until(lambda: not pending() or None, "end of all inspections", seconds=120)
    queue = state.endpoint.client("sqs").get_queue_attributes(
        QueueUrl=state.resources.failure_queue, AttributeNames=["ApproximateNumberOfMessages"]
    )
    failed = int(queue["Attributes"]["ApproximateNumberOfMessages"])
    return [f"{failed} events in the failure queue"] if failed else []


def _report(tally: Tally, memory: Memory) -> list[str]:
    """Print the tables; return which functions grew."""
    print("\n| request | status | answers |\n|---|---|---|")
    for (action, status), count in sorted(tally.answers.items()):
        print(f"| {action} | {status} | {count:,} |")
    print("\n| function | MB, second quarter | MB, last quarter | growth |\n|---|---|---|---|")
    grown = []
    for name in sorted(FUNCTIONS.keys() - _IDLE):
        if not memory.samples[name]:
            grown.append(f"no process of {name} was found")
            continue
        before, after = memory.growth(name)
        print(f"| {name} | {before:.0f} | {after:.0f} | {after / before:.3f} |")
        if after / before > MAX_GROWTH:
            grown.append(f"{name} grew from {before:.0f} to {after:.0f} MB")
    return grown


def main() -> None:
    """Start a system, soak it, end it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    minutes = parser.parse_args().minutes
    ignore_shell_settings()
    print(f"Soaking {origin()}.", flush=True)
    build_packages()
    with tempfile.TemporaryDirectory() as folder:
        system = LocalSystem(Path(folder) / "system", 0, print)
        try:
            wrong = soak(system.start(), minutes * 60)
        finally:
            system.stop()
    for each in wrong:
        print(each, file=sys.stderr)
    if wrong:
        sys.exit(f"{len(wrong)} things went wrong; they are listed above.")


if __name__ == "__main__":
    main()
