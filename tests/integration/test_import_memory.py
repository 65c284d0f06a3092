"""An import of many files takes no more memory than one of few: the command itself, over HTTP.

What was measured stands in docs/moving.md, by this:

TORTURE=1 .venv/bin/pytest -s tests/integration/test_import_memory.py
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local.template import ROOT
from tests.image_service import FakeImageService
from tests.torture.results import size

FILES = size(10_000, 600, "files of 200 KB of an import whose memory is measured")
FIRST = min(1_000, FILES // 2)
FILE_BYTES = 200_000
PRODUCTS = 10
MAY_GROW = 1.1
"""What it is at most, against what it was at most while the first files came."""


class Served:
    """The service on a port, which notes at each picture that comes how much memory its client has."""

    def __init__(self) -> None:
        self.service = FakeImageService(set(range(1, PRODUCTS + 1)))
        self.client: psutil.Process | None = None
        self.memory_bytes: list[int] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        asked = httpx.Request(
            request.method, str(request.url), headers=request.headers.raw, content=await request.body()
        )
        answer = await self.service.answer(asked)
        if request.method == "POST":
            self.service.forget_bytes()
            assert self.client
            self.memory_bytes.append(self.client.memory_info().rss)
        await Response(answer.content, answer.status_code, dict(answer.headers))(scope, receive, send)


@contextmanager
def serving(served: Served) -> Iterator[str]:
    """Let it be reached, and yield where."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(served, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def write_source(folder: Path) -> Path:
    rows = ["product_id,file"]
    for number in range(FILES):
        with (folder / f"{number}.jpg").open("wb") as stream:
            stream.write(b"\xff\xd8\xff" + f"picture {number}".encode())
            # The rest takes no room on the disk.
            stream.truncate(FILE_BYTES)
        rows.append(f"{1 + number * PRODUCTS // FILES},{number}.jpg")
    source = folder / "pictures.csv"
    source.write_text("\n".join(rows))
    return source


@pytest.mark.long
@pytest.mark.torture("files of 200 KB that an import puts in, with memory that does not grow")
def test_the_memory_of_an_import_does_not_grow_with_its_files(
    tmp_path: Path, tried: Callable[[int], None]
) -> None:
    tried(FILES)
    source, served = write_source(tmp_path), Served()
    with serving(served) as url:
        began = time.monotonic()
        running = subprocess.Popen(
            [sys.executable, "-m", "ops", "images", "import", str(source)],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PRODUCT_IMAGES_URL": url, "PRODUCT_IMAGES_KEY": "key"},
            text=True,
            stdout=subprocess.PIPE,
        )
        served.client = psutil.Process(running.pid)
        said, _ = running.communicate()
        rate = FILES / (time.monotonic() - began)
    assert said == f"Ready: {FILES:,}; there already: 0; failed: 0.\n"
    first, peak = (max(part) / 1e6 for part in (served.memory_bytes[:FIRST], served.memory_bytes))
    sys.stdout.write(
        f"\n{FILES:,} files: {first:.0f} MB at {FIRST:,}, at most {peak:.0f} MB, {rate:.0f} a second\n"
    )
    assert peak <= MAY_GROW * first
