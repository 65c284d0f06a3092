"""The bytes and the name that each client sends are the bytes and the name that are kept."""

import asyncio
import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
import requests
import urllib3

from local.sample import sample_jpeg
from tests.e2e.shop import Shop

NAME = "Schöner Schuh, 1.jpg"
FIELDS = {"alt_text": "Grün & gut", "is_primary": "true", "order": "3"}

type Send = Callable[[str, dict[str, str], Path], dict[str, Any]]


def _curl(url: str, headers: dict[str, str], path: Path) -> dict[str, Any]:
    form = [part for name, value in FIELDS.items() for part in ("--form-string", f"{name}={value}")]
    sent = [argument for name, value in headers.items() for argument in ("-H", f"{name}: {value}")]
    command = ["curl", "-sS", url, *sent, *form, "-F", f'image=@"{path}"']
    return dict(json.loads(subprocess.check_output(command)))


def _requests(url: str, headers: dict[str, str], path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        answer = requests.post(url, headers=headers, data=FIELDS, files={"image": file}, timeout=30)
    return dict(answer.json())


def _httpx(url: str, headers: dict[str, str], path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return dict(httpx.post(url, headers=headers, data=FIELDS, files={"image": file}, timeout=30).json())


def _aiohttp(url: str, headers: dict[str, str], path: Path) -> dict[str, Any]:
    async def send() -> dict[str, Any]:
        form = aiohttp.FormData(FIELDS)
        with path.open("rb") as file:
            form.add_field("image", file, filename=path.name)
            async with (
                aiohttp.ClientSession() as session,
                session.post(url, headers=headers, data=form) as got,
            ):
                return dict(await got.json())

    return asyncio.run(send())


def _urllib3(url: str, headers: dict[str, str], path: Path) -> dict[str, Any]:
    fields: dict[str, str | tuple[str, bytes]] = {**FIELDS, "image": (path.name, path.read_bytes())}
    return dict(urllib3.request("POST", url, headers=headers, fields=fields).json())


def _node(url: str, headers: dict[str, str], path: Path) -> dict[str, Any]:
    if not shutil.which("node"):
        pytest.skip("Node.js is not on this machine, so its fetch cannot be tried")
    script = """
        const [url, headers, fields, path, name] = process.argv.slice(1);
        const form = new FormData();
        for (const [key, value] of Object.entries(JSON.parse(fields))) form.append(key, value);
        const bytes = require("fs").readFileSync(path);
        form.append("image", new Blob([bytes]), name);
        fetch(url, {method: "POST", headers: JSON.parse(headers), body: form})
          .then((answer) => answer.text()).then((text) => console.log(text));
    """
    arguments = [url, json.dumps(headers), json.dumps(FIELDS), str(path), path.name]
    return dict(json.loads(subprocess.check_output(["node", "-e", script, *arguments])))


@pytest.mark.parametrize("send", [_curl, _requests, _httpx, _aiohttp, _urllib3, _node])
def test_bytes_and_texts_arrive_as_the_client_sent_them(shop: Shop, tmp_path: Path, send: Send) -> None:
    content = sample_jpeg(300, 200) + b"\r\n--boundary--\r\n\r\n"
    path = tmp_path / NAME
    path.write_bytes(content)
    body = send(shop.url(124), {"Authorization": f"Token {shop.state.keys['staff']}"}, path)
    assert body.get("size") == len(content), body
    assert shop.finished(body).sha256 == hashlib.sha256(content).hexdigest()
    assert (body["name"], body["alt_text"]) == (NAME, "Grün & gut")
    assert (body["is_primary"], body["order"]) == (True, 3)
