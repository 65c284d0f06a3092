"""The service as an importing client meets it: the routes' contract, in memory, with a network that fails."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlencode

import httpx
from multipart import MultipartParser

from domain.image_signature import detect_format
from ops.service import Access, Service

BASE_URL = "https://images.example.com"
PUBLIC_URL = "https://pictures.example.com"
"""What the service calls itself in its answers."""
STORE_URL = "https://bucket.example.com/"
MAX_DIRECT_BYTES = 4_500_000
DAMAGED = b"\xff\xd8\xffdamaged"
"""Begins as a JPEG and ends failed."""


class Fault(Enum):
    """What goes wrong with a request."""

    CUT_BEFORE = "it never arrives"
    CUT_AFTER = "its answer gets lost"
    THROTTLED = "429"
    UNAVAILABLE = "503"


@dataclass(slots=True)
class FakeImageService:
    """Products and pictures; `fault` says of each request, counted from 1, what goes wrong with it."""

    products: set[int]
    fault: Callable[[int], Fault | None] = lambda _number: None
    broken_addresses: set[str] = field(default_factory=set)
    looks_until_settled: int = 1
    pictures: dict[int, dict[str, Any]] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    store_key: set[str] = field(default_factory=set)
    most_at_once: int = 0
    _at_once: int = 0
    _by_key: dict[str, tuple[str, int]] = field(default_factory=dict)
    _looks: dict[int, int] = field(default_factory=dict)
    _bytes: dict[int, bytes] = field(default_factory=dict)

    # --- What a test does with it -----------------------------------------------------------------------

    def client(self) -> Service:
        """Return the importing client's way to it, on which time passes at once."""
        http = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))
        return Service(Access(BASE_URL, "key", is_local=False), http, self.sleep)

    @asynccontextmanager
    async def at(self, _access: Access) -> AsyncIterator[Service]:
        """Yield the client, as `ops.service.service_at` does."""
        yield self.client()

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.waits.append(seconds)
        await asyncio.sleep(0)

    def gallery(self, product_id: int) -> list[dict[str, Any]]:
        """Return a product's pictures in the order in which they stand."""
        of_product = [each for each in self.pictures.values() if each["product_id"] == product_id]
        return sorted(of_product, key=lambda each: (each["order"], each["id"]))

    def names(self, product_id: int) -> list[str]:
        """Return the names of a product's pictures as they stand."""
        return [each["name"] for each in self.gallery(product_id)]

    def forget_keys(self) -> None:
        """Let a day pass, after which idempotency keys are forgotten."""
        self._by_key.clear()

    def sent(self, method: str, ending: str) -> list[httpx.Request]:
        """Return the requests that came."""
        return [each for each in self.requests if each.method == method and each.url.path.endswith(ending)]

    # --- The routes -------------------------------------------------------------------------------------

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            # A request is under way for a while, so that others come meanwhile.
            await asyncio.sleep(0)
            return await self._answer_or_break(request)
        finally:
            self._at_once -= 1

    async def _answer_or_break(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        match self.fault(len(self.requests)):
            case Fault.CUT_BEFORE:
                raise httpx.ConnectError("cut")
            case Fault.THROTTLED:
                return _problem(429, "throttled", {"Retry-After": "7"})
            case Fault.UNAVAILABLE:
                return _problem(503, "temporarily_unavailable", {"Retry-After": "1"})
            case Fault.CUT_AFTER:
                await self._route(request)
                raise httpx.ReadError("cut")
            case _:
                return await self._route(request)

    async def _route(self, request: httpx.Request) -> httpx.Response:
        if str(request.url) == STORE_URL:
            return self._store(request)
        path = request.url.path.split("/")
        if path[1] == "media":
            return self._media(request, int(path[2]))
        assert request.headers["Authorization"] == "Token key"
        if path[2:] == ["products"]:
            return self._list_products(request)
        _, _, _, number, *rest = path
        return self._route_of_pictures(request, int(number), rest)

    def _route_of_pictures(self, request: httpx.Request, product_id: int, rest: list[str]) -> httpx.Response:
        if product_id not in self.products:
            return _problem(404, "product_not_found")
        match (request.method, rest):
            case ("GET", ["images"]):
                return self._list(product_id, request.url.query.decode())
            case ("GET", ["images", image_id]):
                return self._show(int(image_id))
            case ("DELETE", ["images", image_id]):
                return self._delete(int(image_id))
            case ("POST", ["images"]):
                return self._upload(product_id, request)
            case ("POST", ["images", "uploads" | "fetch"]):
                return self._reserve(product_id, request, json.loads(request.content))
            case _:
                raise AssertionError(f"There is no route {request.method} {request.url}.")

    def _media(self, request: httpx.Request, image_id: int) -> httpx.Response:
        # What is public is asked for without the key.
        assert "Authorization" not in request.headers
        content = self._bytes.get(image_id) if self.pictures[image_id]["status"] == "ready" else None
        return httpx.Response(200, content=content) if content else httpx.Response(403)

    def _list_products(self, request: httpx.Request) -> httpx.Response:
        after = int(request.url.params.get("after", 0))
        limit = int(request.url.params["limit"])
        numbers = sorted(number for number in self.products if number > after)
        page = [{"product_id": number, "count": len(self.gallery(number))} for number in numbers[:limit]]
        behind = (
            f"{PUBLIC_URL}/api/products?limit={limit}&after={numbers[limit - 1]}" if numbers[limit:] else None
        )
        return httpx.Response(200, json={"next": behind, "results": page})

    def _store(self, request: httpx.Request) -> httpx.Response:
        fields = _form(request)
        self.store_key.add(request.headers.get("Authorization", ""))
        self._bytes[int(fields["key"])] = fields["file"]
        return httpx.Response(204)

    def _list(self, product_id: int, query: str) -> httpx.Response:
        wanted = {name: values[0] for name, values in parse_qs(query).items()}
        sha256s = wanted["sha256"].split(",") if "sha256" in wanted else None
        assert len(sha256s or ()) <= 50
        found = [each for each in self.gallery(product_id) if sha256s is None or each["sha256"] in sha256s]
        limit, offset = int(wanted["limit"]), int(wanted.get("offset", 0))
        behind = offset + limit
        query = urlencode({**wanted, "offset": behind})
        more = f"{PUBLIC_URL}/api/products/{product_id}/images?{query}" if found[behind:] else None
        return httpx.Response(200, json={"count": len(found), "next": more, "results": found[offset:behind]})

    def _show(self, image_id: int) -> httpx.Response:
        if image_id not in self.pictures:
            return _problem(404, "image_not_found")
        self._looks[image_id] = self._looks.get(image_id, 0) + 1
        if self._looks[image_id] >= self.looks_until_settled and image_id in self._bytes:
            self._settle(image_id)
        return httpx.Response(200, json=self.pictures[image_id])

    def _delete(self, image_id: int) -> httpx.Response:
        if self.pictures.pop(image_id, None) is None:
            return _problem(404, "image_not_found")
        return httpx.Response(204)

    def settle_all(self) -> None:
        """Look into all whose bytes have come, as the service does meanwhile."""
        for image_id in self._bytes:
            self._settle(image_id)

    def forget_bytes(self) -> None:
        """Look into all whose bytes have come, and keep neither these nor the requests that brought them."""
        self.settle_all()
        self._bytes.clear()
        self.requests.clear()

    def _settle(self, image_id: int) -> None:
        content = self._bytes[image_id]
        is_failed = content.startswith(DAMAGED)
        self.pictures[image_id] |= {
            "status": "failed" if is_failed else "ready",
            "error": "The file is damaged." if is_failed else None,
            "sha256": hashlib.sha256(content).hexdigest(),
        }

    def _upload(self, product_id: int, request: httpx.Request) -> httpx.Response:
        fields = _form(request)
        content = fields.pop("image")
        assert len(content) <= MAX_DIRECT_BYTES
        detect_format(content)
        fields["order"], fields["is_primary"] = int(fields["order"]), fields["is_primary"] == "True"
        answer = self._once(product_id, request, {**fields, "name": fields["filename"]}, content)
        if answer.status_code == 201:
            self._bytes[answer.json()["id"]] = content
        return answer

    def _reserve(self, product_id: int, request: httpx.Request, fields: dict[str, Any]) -> httpx.Response:
        answer = self._once(product_id, request, fields, request.content)
        if answer.status_code != 201:
            return answer
        body = answer.json()
        if "url" in fields:
            beginning = DAMAGED if fields["url"] in self.broken_addresses else b"\xff\xd8\xff"
            self._bytes[body["id"]] = beginning + fields["url"].encode()
            return answer
        form = {"url": STORE_URL, "fields": {"key": str(body["id"])}}
        return httpx.Response(201, headers=answer.headers, json={**body, "upload": form})

    def _once(
        self, product_id: int, request: httpx.Request, fields: Mapping[str, Any], content: bytes
    ) -> httpx.Response:
        key = request.headers["Idempotency-Key"]
        print_of = hashlib.sha256(repr((product_id, sorted(fields.items()))).encode() + content).hexdigest()
        if key in self._by_key:
            known, image_id = self._by_key[key]
            if known != print_of:
                return _problem(422, "idempotency_key_reused")
            first = self.pictures.get(image_id) or {"id": image_id, "status": "pending"}
            return httpx.Response(201, headers={"Idempotency-Replayed": "true"}, json=first)
        image_id = len(self._by_key) + 1 + len(self.pictures) * 1_000
        self._by_key[key] = print_of, image_id
        self.pictures[image_id] = {
            "id": image_id,
            "product_id": product_id,
            "name": fields.get("name"),
            "alt_text": fields["alt_text"],
            "order": fields["order"],
            "is_primary": fields["is_primary"],
            "status": "pending",
            "sha256": None,
            "error": None,
            "upload_expires_at": None,
            "type": "JPEG",
            "size": len(content),
            "f": f"{PUBLIC_URL}/media/{image_id}",
        }
        return httpx.Response(201, json=self.pictures[image_id])


def _form(request: httpx.Request) -> dict[str, Any]:
    """Read a form: texts, and the file's bytes and `filename`."""
    boundary = request.headers["Content-Type"].partition("boundary=")[2]
    fields: dict[str, Any] = {}
    for part in MultipartParser(BytesIO(request.content), boundary):
        fields[part.name] = part.raw if part.filename else part.value
        if part.filename:
            fields["filename"] = part.filename
    return fields


def _problem(status: int, code: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
    body = {"status": status, "code": code, "detail": f"A sentence about {code}."}
    return httpx.Response(status, headers=headers, json=body)
