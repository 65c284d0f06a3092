"""The service as whoever holds a key has it: waits and tries again as it says, and if the network fails."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import ExitStack, asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import typer
from pydantic import BaseModel

from ops.failures import OperatorError
from ops.target import PARALLEL_CALLS, TargetChoice, local_service

_TIMEOUT = httpx.Timeout(60, connect=10)
"""Seconds: longer than the gateway waits, and enough for five megabytes on a slow line."""
_TRIES = 9
"""With waits of 1, 2, 4 … 30 s between them: some two minutes."""
_LONGEST_WAIT_SECONDS = 30.0
_LONGEST_PAUSE_SECONDS = 900
"""What is to be waited for longer than this ends the command: the quota of a day, say."""
_PASSING = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
_FOR_ALL = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""What every further request would be answered too, so that all of them wait."""

type Sleep = Callable[[float], Awaitable[object]]


class Access(NamedTuple):
    """Where the service is, and the key to use."""

    base_url: str
    key: str
    is_local: bool


class FilePart(NamedTuple):
    """A file that a form sends, under a name of its own; its type is left to the receiver if it is empty."""

    field: str
    path: Path
    name: str
    media_type: str = ""

    def opened(self, stack: ExitStack) -> tuple[str, IO[bytes]] | tuple[str, IO[bytes], str]:
        """Return it as httpx takes it, open until the stack is closed."""
        stream = stack.enter_context(self.path.open("rb"))
        return (self.name, stream, self.media_type) if self.media_type else (self.name, stream)


class _FieldError(BaseModel):
    field: str
    message: str


class Problem(BaseModel):
    """What the service says of an error (RFC 9457)."""

    detail: str
    code: str
    errors: list[_FieldError] = []

    @property
    def told(self) -> str:
        """All of it on one line."""
        return " ".join((self.detail, *(f"{each.field}: {each.message}" for each in self.errors)))


class RefusedError(Exception):
    """The service does not take a request; the message is its sentence, `code` its name for it, or empty."""

    def __init__(self, detail: str, code: str, status: int) -> None:
        super().__init__(detail)
        self.code = code
        self.status = status


def access_of(ctx: typer.Context) -> Access:
    """Find where the service is, and the key.

    Raises:
        OperatorError: it is not said; the message says how to.

    """
    choice: TargetChoice = ctx.obj
    if choice.local:
        return Access(*local_service(), is_local=True)
    url, key = os.environ.get("PRODUCT_IMAGES_URL", ""), os.environ.get("PRODUCT_IMAGES_KEY", "")
    if not url or not key:
        settings = {"PRODUCT_IMAGES_URL": url, "PRODUCT_IMAGES_KEY": key}
        missing = " and ".join(name for name, value in settings.items() if not value)
        raise OperatorError(
            f"Set {missing}: the stack's output BaseUrl, and a key (product-images keys create). "
            "For the local system give --local."
        )
    return Access(url.rstrip("/"), key, is_local=False)


class Service:
    """Sends requests, several at once; one that is told to wait makes all others wait too."""

    def __init__(self, access: Access, http: httpx.AsyncClient, sleep: Sleep = asyncio.sleep) -> None:
        self._base_url = access.base_url
        self._authorization = {"Authorization": f"Token {access.key}"}
        self._http = http
        self._sleep = sleep
        self._free = asyncio.Semaphore(PARALLEL_CALLS)
        self._pauses: set[asyncio.Task[None]] = set()

    async def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        file: FilePart | None = None,
        **content: Any,  # noqa: ANN401 - what httpx sends: json, data, params
    ) -> httpx.Response:
        """Send a request with the key, as often as it takes, and return its answer.

        `path` begins with a slash, or is a URL that the service has named. A request that must not be done
        twice carries an idempotency key.

        Raises:
            RefusedError: the service does not take this request.
            OperatorError: it takes no requests at all, or cannot be reached.

        """
        # Of a URL only what is behind the host: the service names itself as the public reaches it.
        named = urlsplit(path)
        url = f"{self._base_url}{named.path}{'?' if named.query else ''}{named.query}"

        return await self._insist(method, url, {**self._authorization, **(headers or {})}, file, content)

    async def post_form(self, url: str, fields: Mapping[str, str], path: Path) -> None:
        """Send a file to the store with a form, in the same way: without the key, the fields first.

        Raises:
            RefusedError, OperatorError: as `ask`.

        """
        await self._insist("POST", url, {}, FilePart("file", path, path.name), {"data": fields})

    async def download(self, url: str, path: Path) -> None:
        """Write what is public at `url` to a file, in the same way: without the key.

        Raises:
            RefusedError, OperatorError: as `ask`.

        """
        await self._insist("GET", url, {"Accept-Encoding": "identity"}, None, {}, path)

    async def _insist(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        file: FilePart | None,
        content: Mapping[str, Any],
        into: Path | None = None,
    ) -> httpx.Response:
        for number in range(1, _TRIES + 1):
            wait = min(2.0 ** (number - 1), _LONGEST_WAIT_SECONDS)
            try:
                async with self._free:
                    # Not before: it may have waited for its turn until others were told to wait.
                    await self._paused()
                    answer = await self._send(method, url, headers, file, content, into)
            except httpx.TransportError as error:
                if number == _TRIES:
                    raise OperatorError(
                        f"{httpx.URL(url).host} cannot be reached ({type(error).__name__}). Check the "
                        "network and PRODUCT_IMAGES_URL, and give the same command again; what is done stays."
                    ) from error
            else:
                if answer.is_success:
                    return answer
                wait = self._wait_after(answer, wait, is_last=number == _TRIES)
                if answer.status_code in _FOR_ALL:
                    self._pause_all(wait)
                    continue
            await self._sleep(wait)
        raise AssertionError("The last try returns or raises.")

    async def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        file: FilePart | None,
        content: Mapping[str, Any],
        into: Path | None,
    ) -> httpx.Response:
        with ExitStack() as opened:
            # Opened anew for each try, and never in memory as a whole.
            files = {file.field: file.opened(opened)} if file else None
            request = self._http.build_request(method, url, headers=headers, files=files, **content)
            answer = await self._http.send(request, stream=True)
            try:
                if into and answer.is_success:
                    with into.open("wb") as stream:
                        async for piece in answer.aiter_bytes():
                            stream.write(piece)
                else:
                    await answer.aread()
            finally:
                await answer.aclose()
        return answer

    def _wait_after(self, answer: httpx.Response, wait: float, *, is_last: bool) -> float:
        """Return how many seconds to wait before the same request is sent again.

        Raises:
            RefusedError, OperatorError: it need not be sent again.

        """
        problem = _problem(answer)
        if answer.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} and problem.code:
            raise OperatorError(f"{problem.detail} PRODUCT_IMAGES_KEY must hold a key of staff or admin.")
        said = answer.headers.get("Retry-After", "")
        may_pass = answer.status_code in _PASSING or (answer.status_code == HTTPStatus.CONFLICT and said)
        if not may_pass or is_last:
            raise RefusedError(problem.told, problem.code, answer.status_code)
        seconds = float(said) if said.isdecimal() else wait
        if seconds > _LONGEST_PAUSE_SECONDS:
            raise OperatorError(
                f"{problem.detail} Give the same command again then; what is done stays done."
            )
        return seconds

    def _pause_all(self, seconds: float) -> None:
        pause = asyncio.ensure_future(self._wait(seconds))
        self._pauses.add(pause)
        pause.add_done_callback(self._pauses.discard)

    async def _wait(self, seconds: float) -> None:
        await self._sleep(seconds)

    async def _paused(self) -> None:
        """Wait until the last of all pauses is over."""
        while self._pauses:
            await asyncio.wait(self._pauses)


def run[Result](work: Coroutine[object, object, Result]) -> Result:
    """Run to the end; of what went wrong at the same time the first is raised alone."""
    try:
        return asyncio.run(work)
    except ExceptionGroup as group:
        error: Exception = group
        while isinstance(error, ExceptionGroup):
            error = error.exceptions[0]
        raise error from None


@asynccontextmanager
async def service_at(access: Access, sleep: Sleep = asyncio.sleep) -> AsyncIterator[Service]:
    """Yield the service; on this machine the shell's proxies have no say."""
    limits = httpx.Limits(max_connections=PARALLEL_CALLS)
    async with httpx.AsyncClient(timeout=_TIMEOUT, limits=limits, trust_env=not access.is_local) as http:
        yield Service(access, http, sleep)


def _problem(answer: httpx.Response) -> Problem:
    """Return what an error says; what comes from elsewhere, S3 or a proxy, only says its status."""
    try:
        return Problem.model_validate_json(answer.content)
    except ValueError:
        host = answer.request.url.host
        return Problem(detail=f"{host} answered {answer.status_code} {answer.reason_phrase}.", code="")
