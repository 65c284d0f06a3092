"""How requests of the commands wait when the service tells them to."""

import asyncio
import itertools

import httpx

from ops.service import Access, Service
from ops.target import PARALLEL_CALLS

SECOND = 0.005
"""How long one that is said to be waited takes here."""


class Busy:
    """A service that tells its first requests to wait, each for as long as `waits` says, and notes when."""

    def __init__(self, *waits: int) -> None:
        self._waits = iter(waits)
        self.came: list[float] = []

    async def answer(self, _request: httpx.Request) -> httpx.Response:
        self.came.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0)
        wait = next(self._waits, None)
        if wait is None:
            return httpx.Response(200)
        return httpx.Response(429, headers={"Retry-After": str(wait)})

    def asked(self, requests: int) -> None:
        """Send so many requests at once."""

        async def ask() -> None:
            http = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))
            access = Access("https://images.example.com", "key", is_local=False)
            service = Service(access, http, lambda seconds: asyncio.sleep(seconds * SECOND))
            async with asyncio.TaskGroup() as tasks:
                for _ in range(requests):
                    tasks.create_task(service.ask("GET", "/api/products"))

        asyncio.run(ask())


def test_of_several_waits_the_one_that_ends_last_counts_for_all() -> None:
    for waits in itertools.permutations((1, 7, 30)):
        service = Busy(*waits)
        service.asked(3)
        assert len(service.came) == 6
        assert service.came[3] - service.came[2] >= 30 * SECOND


def test_a_request_whose_turn_comes_while_others_are_told_to_wait_waits_too() -> None:
    service = Busy(*[30] * PARALLEL_CALLS)
    service.asked(3 * PARALLEL_CALLS)
    first, *others = service.came[PARALLEL_CALLS - 1 :]
    assert len(others) == 3 * PARALLEL_CALLS
    assert min(others) - first >= 30 * SECOND
