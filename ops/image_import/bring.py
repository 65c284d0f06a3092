"""Puts pictures in, several at once, each once, and waits until the service has looked into them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import batched, groupby
from typing import NamedTuple

from pydantic import BaseModel

from ops.image_import.done import DoneAddresses
from ops.image_import.files import FoundFile, UnusableFileError, look_at
from ops.image_import.rows import PictureRow, Refused, Source, cells_of
from ops.image_import.sending import Sent, SentPicture, send
from ops.service import RefusedError, Service, Sleep

_UNDER_WAY = 64
"""Pictures that are sent or waited for at once: more than calls, since looking into one takes longer."""
_ASKED_AT_ONCE = 50
"""SHA-256s that a list looks for (docs/use-the-api.md, "List, show, change, order, delete")."""
_LONGEST_WAIT_SECONDS = 8.0
_LOOKS = 80
"""Times to look whether a picture is ready: in ten minutes."""


class _Page(BaseModel):
    next: str | None
    results: list[SentPicture]


class Found(NamedTuple):
    """A row whose file was looked at; None for an address."""

    row: PictureRow
    file: FoundFile | None

    @property
    def identity(self) -> str:
        """What tells it from the other pictures of its product."""
        return self.file.sha256 if self.file else self.row.url


@dataclass(slots=True)
class Tally:
    """What became of the rows so far."""

    new: int = 0
    there: int = 0
    failed: list[Refused] = field(default_factory=list)


class Bringing:
    """One run: tells each failure as it comes, and each row that is dealt with."""

    def __init__(
        self,
        source: Source,
        service: Service,
        tally: Tally,
        sleep: Sleep = asyncio.sleep,
        *,
        tell: Callable[[Refused], None],
        advance: Callable[[int], None],
    ) -> None:
        self._tally = tally
        self._service = service
        self._source = source
        self._done = DoneAddresses(source.done_file)
        self._sleep = sleep
        self._tell = tell
        self._advance = advance
        self._free = asyncio.Semaphore(_UNDER_WAY)

    async def run(self, *, dry_run: bool) -> None:
        """Deal with each row: put it in, or only look whether that would go well.

        Raises:
            OperatorError: the service takes no requests, or cannot be reached.

        """
        async with asyncio.TaskGroup() as tasks:
            for rows in _by_product(self._source.rows):
                async for found in self._missing(rows):
                    if dry_run:
                        self._end(new=1)
                        continue
                    await self._free.acquire()
                    tasks.create_task(self._bring(found))

    async def _missing(self, rows: Iterable[PictureRow]) -> AsyncIterator[Found]:
        """Yield those rows of a product whose picture is not there yet; the others are dealt with."""
        met: set[str] = set()
        for batch in batched(rows, _ASKED_AT_ONCE, strict=False):
            looked_at = [found for row in batch if (found := await self._look_at(row))]
            try:
                there = await self._there(batch[0].product_id, looked_at)
            except RefusedError as error:
                for found in looked_at:
                    self._fail(found.row, _advice(error, found.row))
                continue
            for found in looked_at:
                if self._is_missing(found, there, met):
                    yield found

    async def _look_at(self, row: PictureRow) -> Found | None:
        if row.url:
            return Found(row, None)
        try:
            return Found(row, await asyncio.to_thread(look_at, self._source.folder / row.file))
        except UnusableFileError as error:
            self._fail(row, str(error))
            return None

    async def _there(self, product_id: int, batch: Sequence[Found]) -> dict[str, SentPicture]:
        """Return which of the files the product has already, by SHA-256: of several a ready one."""
        wanted = ",".join(dict.fromkeys(found.file.sha256 for found in batch if found.file))
        # Of addresses it is only asked whether the product is there.
        query = {"limit": 100, "sha256": wanted} if wanted else {"limit": 1}
        answer = await self._service.ask("GET", f"/api/products/{product_id}/images", params=query)
        page = _Page.model_validate_json(answer.content)
        there: dict[str, SentPicture] = {}
        while True:
            for picture in page.results:
                if picture.sha256 and (picture.status == "ready" or picture.sha256 not in there):
                    there[picture.sha256] = picture
            if page.next is None or not wanted:
                return there
            page = _Page.model_validate_json((await self._service.ask("GET", page.next)).content)

    def _is_missing(self, found: Found, there: Mapping[str, SentPicture], met: set[str]) -> bool:
        """Tell whether to put it in; `met` are those of its product that were met before, and it is added."""
        picture = there.get(found.identity)
        if picture and picture.status == "failed":
            self._fail(found.row, f"It is there as image {picture.id}, which failed. {picture.error}")
            return False
        # A file that one product has twice is one picture.
        if picture or found.identity in met or self._done.has(found.row):
            self._end(there=1)
            return False
        met.add(found.identity)
        return True

    async def _bring(self, found: Found) -> None:
        try:
            picture = await self._settled(found)
        except RefusedError as error:
            self._fail(found.row, _advice(error, found.row))
        except OSError as error:
            self._fail(found.row, f"{error.filename} cannot be read: {error.strerror}.")
        else:
            if picture.status == "ready":
                self._done.note(found.row)
                self._end(new=1)
            else:
                self._fail(found.row, _reason(picture))
        finally:
            self._free.release()

    async def _settled(self, found: Found) -> SentPicture:
        """Send a picture, and return it as it is once it was looked into."""
        instead_of: int | None = None
        while True:
            sent = await send(self._service, found.row, found.file, instead_of)
            picture = await self._wait_for(found.row.product_id, sent)
            # What an earlier run has sent and was deleted since, or failed, is no answer: its bytes came
            # damaged, or what stands at its address may be mended now.
            if picture and not (sent.is_replayed and picture.status == "failed"):
                return picture
            if not sent.is_replayed:
                raise RefusedError("It was deleted while it was looked into.", "", HTTPStatus.NOT_FOUND)
            if picture:
                await self._delete(found.row.product_id, picture.id)
            instead_of = sent.picture.id

    async def _delete(self, product_id: int, image_id: int) -> None:
        try:
            await self._service.ask("DELETE", f"/api/products/{product_id}/images/{image_id}")
        except RefusedError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    async def _wait_for(self, product_id: int, sent: Sent) -> SentPicture | None:
        """Return the picture once it is no longer pending, or after ten minutes; None if it is gone."""
        path, wait = f"/api/products/{product_id}/images/{sent.picture.id}", 0.5
        picture = sent.picture
        for _ in range(_LOOKS):
            try:
                answer = await self._service.ask("GET", path)
            except RefusedError as error:
                if error.code == "image_not_found":
                    return None
                raise
            picture = SentPicture.model_validate_json(answer.content)
            if picture.status != "pending":
                return picture
            await self._sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
        return picture

    def _fail(self, row: PictureRow, reason: str) -> None:
        refused = Refused(row.place, reason, cells_of(row))
        self._tally.failed.append(refused)
        self._tell(refused)
        self._advance(1)

    def _end(self, *, new: int = 0, there: int = 0) -> None:
        self._tally.new += new
        self._tally.there += there
        self._advance(1)


def _by_product(rows: Iterable[PictureRow]) -> Iterator[Iterable[PictureRow]]:
    """Yield the rows of one product after the other."""
    for _, of_product in groupby(rows, key=lambda row: row.product_id):
        yield of_product


def _advice(error: RefusedError, row: PictureRow) -> str:
    if error.code == "product_not_found":
        return f"{error} Add it: product-images products add {row.product_id}"
    return str(error)


def _reason(picture: SentPicture) -> str:
    if picture.status == "pending":
        return f"Image {picture.id} is still pending. Import the row again later; that makes no second image."
    return f"Image {picture.id} failed: {picture.error} Delete it, and import the row with another file."
