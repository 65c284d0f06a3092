"""Sends a request on each route through the deployed functions' own handlers, in this process."""

import contextlib
import importlib
import io
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import batched
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import boto3
from botocore.session import get_session

from adapters.dynamo_api_keys import DynamoApiKeys
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_items import (
    file_to_attributes,
    image_to_item,
    look_to_attributes,
    product_key,
    product_to_item,
    recency,
)
from adapters.dynamo_products import DynamoProducts
from bench.capacity import Meter, Report
from domain.api_key import Role
from domain.image import ImageFacts, ProductImage
from domain.issue_key import IssueKey
from domain.recipe import Recipe
from domain.rendition import Look, Placeholder, Rendition
from tests.builders import (
    IMAGE_PATH,
    IMAGES_PATH,
    NOW,
    PRIMARIES_PATH,
    PRODUCT_PATH,
    PRODUCTS_PATH,
    STOREFRONT_PATH,
    USER,
    a_bucket,
    a_catalog_table,
    a_context,
    a_file,
    a_keys_table,
    a_ready_image,
    a_ref,
    an_idempotency_table,
    api_event,
    jpeg,
    object_created,
    upload_event,
)
from tests.forms import upload_form

PRODUCT_ID = 1_234_567
"""With as many figures as those of a large shop, since they count in the size of each record."""
FIRST_STORED_ID = 1_000_000_000
"""Records that are put straight into the table; far from what the counter gives out."""
_BATCH = 25
"""What one BatchWriteItem takes."""
_REORDERED = 100
_FUNCTIONS = (
    *("authorize", "upload_image", "reserve_upload", "gallery", "products", "storefront"),
    *("follow_catalogue", "extract_metadata", "render_image"),
)
_WARMING_PRODUCT = 1
_FIRST_LISTED, _LISTED = 2, 10
"""Products of a page of their list; each has a primary. The warming one stands before them."""
_WIDTH_PX, _HEIGHT_PX = 2_400, 60
"""As wide as a picture of which every size is made, and no higher than it must be."""


class RouteError(Exception):
    """A request was not answered as it should be, so that its cost means nothing."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request on a route took."""

    route: str
    reports: Sequence[Report]


def ready_record(product_id: int, image_id: int) -> dict[str, Any]:
    """Return the record of a rendered picture that was to be the primary, with texts of usual length."""
    image = a_ready_image(
        ref=a_ref(image_id, product_id),
        name="product_image.jpg",
        alt_text="Product front view",
        primary_requested_at=NOW,
        order=image_id % FIRST_STORED_ID,
    )
    item = {name: value for name, value in image_to_item(image).items() if not name.startswith("open_")}
    facts = ImageFacts(3600, 2400, "RGB")
    return {**item, **file_to_attributes(a_file(facts=facts)), **look_to_attributes(_look(facts))}


def _look(facts: ImageFacts) -> Look:
    recipe = Recipe()
    # A photograph's files have about a byte for ten pixels.
    renditions = tuple(
        Rendition(still.width_px, still.height_px, still.image_format, still.width_px * still.height_px // 10)
        for still in recipe.stills(facts.width_px, facts.height_px, has_alpha=False)
    )
    return Look(recipe.name, renditions, Placeholder(bytes(25), "#a1b2c3"), has_alpha=False, frames=1)


class Routes:
    """Tables and a bucket of its own, and the functions on them, wherever the SDK's variables lead.

    It sets the variables of this process as the template does.
    """

    def __init__(self) -> None:
        self.dynamodb, self._s3 = boto3.client("dynamodb"), boto3.client("s3")
        self.table, self._bucket = a_catalog_table(self.dynamodb), a_bucket(self._s3)
        keys_table = a_keys_table(self.dynamodb)
        issue_key = IssueKey(DynamoApiKeys(self.dynamodb, keys_table), partial(datetime.now, UTC), "bench")
        self._key, _ = issue_key(USER, Role.STAFF)
        os.environ |= {
            "TABLE": self.table,
            "IDEMPOTENCY_TABLE": an_idempotency_table(self.dynamodb),
            "KEYS_TABLE": keys_table,
            "BUCKET": self._bucket,
            "STACK": "growth",
            "ALLOWED_ORIGINS": "",
            "STOREFRONT_MAX_AGE": "60",
            "STOREFRONT_STALE": "60",
            "DAILY_UPLOAD_QUOTA": "0",
            "MAX_DIRECT_UPLOAD_BYTES": "4500000",
            "MAX_UPLOAD_BYTES": "50000000",
            "MAX_IMAGE_PIXELS": "100000000",
            "RENDITION_WIDTHS": ",".join(map(str, Recipe().widths)),
            "FALLBACK_WIDTHS": ",".join(map(str, Recipe().fallback_widths)),
            "AVIF_QUALITY": str(Recipe().avif_quality),
            "AVIF_SPEED": str(Recipe().avif_speed),
            "POWERTOOLS_METRICS_NAMESPACE": "ProductImages",
        }
        session = get_session()
        # moto keeps a checksum only if its algorithm is named; S3 keeps every one that it has checked.
        # The SDK's published types do not know that handlers may answer.
        session.register("provide-client-params.s3.PutObject", _name_checksum)  # type: ignore[arg-type]
        self._meter = Meter(session, self.dynamodb)
        with _quiet(), patch("adapters.aws.session", lambda: session):
            self._functions = {name: _load(name) for name in _FUNCTIONS}
        self._content = jpeg(_WIDTH_PX, _HEIGHT_PX)
        # What is there already is no change.
        self._texts = map("Product front view, {}".format, itertools.count(1))
        # As in an execution environment that is not new, the identifiers are leased already.
        DynamoProducts(self.dynamodb, self.table).add(_WARMING_PRODUCT)
        self._upload(_WARMING_PRODUCT)
        self._reserve(_WARMING_PRODUCT)
        self._add_listed()

    def add_products(self, first: int, count: int) -> None:
        """Put products straight into the table."""
        self._put(map(product_to_item, _upto(first, count)))

    def add_pictures(self, product_id: int, first: int, count: int) -> None:
        """Put records of pictures that are ready straight into the table."""
        self._put(ready_record(product_id, number) for number in _upto(FIRST_STORED_ID + first, count))
        self.dynamodb.update_item(
            TableName=self.table,
            Key=product_key(product_id),
            UpdateExpression="SET head = if_not_exists(head, :head) ADD image_count :count",
            ExpressionAttributeValues={
                ":count": {"N": str(count)},
                ":head": ready_record(product_id, FIRST_STORED_ID + first)["place"],
            },
        )

    def _add_listed(self) -> None:
        """Put the products of a page into the table, each with a picture, which is its primary."""
        # One more stands behind them: there is a next page.
        self.add_products(_FIRST_LISTED, _LISTED + 1)
        for product_id in _upto(_FIRST_LISTED, _LISTED + 1):
            image_id = FIRST_STORED_ID - product_id
            self._put([ready_record(product_id, image_id)])
            self.dynamodb.update_item(
                TableName=self.table,
                Key=product_key(product_id),
                UpdateExpression="SET primary_image_id = :id, primary_recency = :recency",
                ExpressionAttributeValues={":id": {"N": str(image_id)}, ":recency": recency(NOW, image_id)},
            )

    def costs(self, product_id: int, pictures: int, stored: int = FIRST_STORED_ID) -> Iterator[Cost]:
        """Send a request on each route to a product with so many pictures, and yield what each took.

        `stored` is the first of its pictures that were put into the table.

        The gallery is as large as before when all is done.
        """
        gallery = partial(self._json, "gallery")
        yield self._cost("authorize", self._authorize)
        yield self._cost("list", lambda: gallery("GET", IMAGES_PATH, product_id=product_id))
        window = partial(self._json, "storefront", "GET")
        yield self._cost("storefront gallery", lambda: window(STOREFRONT_PATH, product_id=product_id))
        query = {"product_ids": str(product_id)}
        yield self._cost("storefront primaries", lambda: window(PRIMARIES_PATH, query=query))
        yield self._cost("show", lambda: gallery("GET", IMAGE_PATH, product_id=product_id, image_id=stored))
        page_of_products = {"limit": str(_LISTED), "after": str(_WARMING_PRODUCT)}
        products = partial(self._json, "products", "GET", PRODUCTS_PATH, query=page_of_products)
        yield self._cost("products", products)
        changes = {"change": {"alt_text": next(self._texts)}, "change the primary": {"is_primary": True}}
        for route, change in changes.items():
            patch = partial(gallery, "PATCH", IMAGE_PATH, change, product_id=product_id, image_id=stored)
            yield self._cost(route, patch)
        if pictures <= _REORDERED:
            page = gallery("GET", IMAGES_PATH, product_id=product_id, query={"limit": str(_REORDERED)})
            # The other way round, so that each of an even number moves.
            order = {"image_ids": [image["id"] for image in reversed(page["results"])]}
            put = partial(gallery, "PUT", f"{IMAGES_PATH}/order", order, product_id=product_id)
            yield self._cost("reorder", put)
        yield from self._uploads(product_id)

    def costs_of_a_product(self, product_id: int) -> Iterator[Cost]:
        """Put a product that is new, show one that has a primary, follow an event, and remove the new one."""
        product = partial(self._json, "products", path=PRODUCT_PATH)
        yield self._cost("put", lambda: product("PUT", body={"title": "Red shoe"}, product_id=product_id))
        yield self._cost("show", lambda: product("GET", product_id=_FIRST_LISTED))
        yield self._cost("follow", lambda: self._follow(product_id))
        event = api_event("DELETE", PRODUCT_PATH, path={"product_id": product_id})
        event["requestContext"]["authorizer"]["role"] = Role.ADMIN
        yield self._cost("remove", lambda: self._answer("products", event))

    def _follow(self, product_id: int) -> None:
        detail = {
            "product_id": product_id,
            "title": "Blue shoe",
            "occurred_at": datetime.now(UTC).isoformat(),
        }
        with _quiet():
            report = self._functions["follow_catalogue"](
                {"detail-type": "ProductChanged", "detail": detail}, a_context()
            )
        if report["outcome"] != "put":
            raise RouteError(f"The event about product {product_id} ended with {report}.")

    def _uploads(self, product_id: int) -> Iterator[Cost]:
        uploaded: list[int] = []
        with_key = {"Idempotency-Key": str(uuid4())}
        yield self._cost("upload", lambda: uploaded.append(self._upload(product_id)))
        yield self._cost("upload with a key", lambda: self._upload(product_id, with_key))
        yield self._cost("upload replayed", lambda: uploaded.append(self._upload(product_id, with_key)))
        yield self._cost("reserve", lambda: uploaded.append(self._reserve(product_id)))
        primary = self._upload(product_id, is_primary="true")
        plain, with_key_id, form = uploaded
        key = self._incoming_key(product_id, form)
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=self._content)
        yield self._cost("metadata", lambda: self._inspect(product_id, plain))
        yield self._cost("metadata of a form", lambda: self._inspect(product_id, form))
        yield self._cost("metadata of a primary", lambda: self._inspect(product_id, primary))
        self._inspect(product_id, with_key_id)
        yield self._cost("render", lambda: self._render(product_id, primary))
        delete = partial(self._json, "gallery", "DELETE", IMAGE_PATH, None, product_id=product_id)
        yield self._cost("delete", lambda: delete(image_id=primary))
        for image_id in uploaded:
            delete(image_id=image_id)

    def _incoming_key(self, product_id: int, image_id: int) -> str:
        return self._record(product_id, image_id).ref.incoming_key

    def _record(self, product_id: int, image_id: int) -> ProductImage:
        image = DynamoImageCatalog(self.dynamodb, self.table).get(product_id, image_id)
        if image is None:
            raise RouteError(f"There is no record of image {image_id}.")
        return image

    def _cost(self, route: str, request: Callable[[], object]) -> Cost:
        self._meter.take()
        request()
        return Cost(route, self._meter.take())

    def _authorize(self) -> None:
        with _quiet():
            self._functions["authorize"](
                {
                    "type": "TOKEN",
                    "authorizationToken": f"Token {self._key}",
                    "methodArn": "arn:aws:execute-api:eu-central-1:123456789012:api/v1/GET/api/products",
                },
                a_context(),
            )

    def _upload(self, product_id: int, headers: dict[str, str] | None = None, **fields: str) -> int:
        body = upload_form(self._content, **fields)
        event = upload_event(body, product_id=str(product_id), headers=headers)
        return int(self._answer("upload_image", event)["id"])

    def _reserve(self, product_id: int) -> int:
        body = {"name": "shoe.jpg", "size": len(self._content)}
        path = f"{IMAGES_PATH}/uploads"
        return int(self._json("reserve_upload", "POST", path, body, product_id=product_id)["id"])

    def _inspect(self, product_id: int, image_id: int) -> None:
        key = self._incoming_key(product_id, image_id)
        event = object_created(key)
        with _quiet():
            answer = self._functions["extract_metadata"](event, a_context())
        if answer != {"images": [{"key": key, "outcome": "ready"}]}:
            raise RouteError(f"The inspection of {key} ended with {answer}.")

    def _render(self, product_id: int, image_id: int) -> None:
        path = f"/{self._record(product_id, image_id).media_key}"
        with _quiet():
            answer = self._functions["render_image"]({"detail": {"path": path}}, a_context())
        if answer != {"images": [{"key": path, "outcome": "rendered"}]}:
            raise RouteError(f"The rendering of {path} ended with {answer}.")

    def _json(
        self,
        function: str,
        method: str,
        path: str,
        body: object = None,
        query: dict[str, str] | None = None,
        **ids: int,
    ) -> dict[str, Any]:
        text = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"}
        event = api_event(method, path, path=ids, headers=headers, query=query, body=text)
        return self._answer(function, event)

    def _answer(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        with _quiet():
            response = self._functions[function](event, a_context())
        if response["statusCode"] not in {200, 201, 202, 204}:
            raise RouteError(f"{event['httpMethod']} {event['path']} was answered with {response}.")
        answer: dict[str, Any] = json.loads(response["body"] or "{}")
        return answer

    def _put(self, items: Iterable[dict[str, Any]]) -> None:
        for batch in batched(items, _BATCH, strict=False):
            puts: Any = [{"PutRequest": {"Item": item}} for item in batch]
            left = self.dynamodb.batch_write_item(RequestItems={self.table: puts})["UnprocessedItems"]
            if left:
                raise RouteError("The table did not take all that was put into it.")


def _name_checksum(params: dict[str, Any], **_: object) -> dict[str, Any]:
    return {**params, "ChecksumAlgorithm": "CRC32"}


def _upto(first: int, count: int) -> range:
    return range(first, first + count)


def _load(function: str) -> Callable[[dict[str, Any], object], Any]:
    """Load a function as a new execution environment does, on the clients of the present session."""
    sys.modules.pop(f"handlers.{function}", None)
    handler: Callable[[dict[str, Any], object], Any] = importlib.import_module(
        f"handlers.{function}"
    ).lambda_handler
    return handler


def _quiet() -> contextlib.AbstractContextManager[object]:
    """Keep the functions' logs and metrics out of what is printed here."""
    return contextlib.redirect_stdout(io.StringIO())
