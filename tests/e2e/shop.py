"""The service as its users have it: requests out, answers in, and a look at what became of a picture."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx

from domain.image import ProductImage
from local.system import State, wait_until
from openapi.bodies import GalleryBody, ImageBody, ListedImageBody, ReservedImageBody, UploadFormBody
from tests.builders import a_ref, an_image

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef


def _client() -> httpx.Client:
    # One for all requests, since making one takes longer than a request; a connection for each, as between
    # strangers.
    return httpx.Client(timeout=60, limits=httpx.Limits(max_keepalive_connections=0))


def _headers(idempotency_key: str | None, origin: str | None) -> dict[str, str]:
    sent = {"Idempotency-Key": idempotency_key, "Origin": origin}
    return {name: value for name, value in sent.items() if value is not None}


def alone(listed: ListedImageBody) -> ImageBody:
    """Return an image without the tag that it carries in a list."""
    return ImageBody(**listed.model_dump(exclude={"etag"}))


@dataclass(frozen=True, slots=True)
class Shop:
    """A running system, seen from outside."""

    state: State
    _http: httpx.Client = field(default_factory=_client)

    # --- Requests, as staff or with another key --------------------------------------------------------

    def request(
        self,
        method: str,
        url: str,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
        **content: Any,  # noqa: ANN401 - what httpx sends: json, files, data, params
    ) -> httpx.Response:
        """Send a request."""
        authorization = {"Authorization": f"Token {key or self.state.keys['staff']}"}
        return self._http.request(method, url, headers={**authorization, **(headers or {})}, **content)

    def upload(
        self,
        content: bytes,
        *,
        name: str = "picture.jpg",
        product_id: int | str = 123,
        key: str | None = None,
        idempotency_key: str | None = None,
        origin: str | None = None,
        **fields: str,
    ) -> httpx.Response:
        """Send a picture."""
        files = {"image": (name, content)}
        headers = _headers(idempotency_key, origin)
        return self.request("POST", self.url(product_id), key=key, headers=headers, files=files, data=fields)

    def reserve(
        self,
        announcement: object,
        *,
        product_id: int | str = 123,
        key: str | None = None,
        idempotency_key: str | None = None,
        origin: str | None = None,
    ) -> httpx.Response:
        """Ask for an upload form."""
        url = f"{self.url(product_id)}/uploads"
        headers = _headers(idempotency_key, origin)
        return self.request("POST", url, key=key, headers=headers, json=announcement)

    def fetch_from(
        self, wish: object, *, product_id: int | str = 123, idempotency_key: str | None = None
    ) -> httpx.Response:
        """Have a picture fetched by its address."""
        headers = _headers(idempotency_key, None)
        return self.request("POST", f"{self.url(product_id)}/fetch", headers=headers, json=wish)

    def send(self, form: UploadFormBody, content: bytes) -> httpx.Response:
        """Send a picture to S3 with its form; nobody's key is needed."""
        return self._http.post(form.url, data=form.fields, files={"file": content})

    def products(self, **query: int | str) -> httpx.Response:
        """Ask for a page of the products."""
        return self.request("GET", f"{self.state.api_url}/api/products", params=query)

    def product_url(self, product_id: int) -> str:
        """Return the address of a product."""
        return f"{self.state.api_url}/api/products/{product_id}"

    def page(self, product_id: int, **query: int | str) -> httpx.Response:
        """Ask for a page of the gallery."""
        return self.request("GET", self.url(product_id), params=query)

    def show(self, product_id: int, image_id: int, **headers: str) -> httpx.Response:
        """Ask for one picture."""
        return self.request("GET", self.image_url(product_id, image_id), headers=headers)

    def change(
        self, product_id: int, image_id: int, fields: object, *, if_match: str | None = None
    ) -> httpx.Response:
        """Change what is said of a picture."""
        headers = {"If-Match": if_match} if if_match else None
        return self.request("PATCH", self.image_url(product_id, image_id), headers=headers, json=fields)

    def reorder(self, product_id: int, image_ids: Sequence[int]) -> httpx.Response:
        """Put the gallery into a new order."""
        return self.request("PUT", f"{self.url(product_id)}/order", json={"image_ids": image_ids})

    def delete(self, product_id: int, image_id: int) -> httpx.Response:
        """Delete a picture."""
        return self.request("DELETE", self.image_url(product_id, image_id))

    def fetch(self, url: str) -> httpx.Response:
        """Open a picture as the public does, without a key."""
        return self._http.get(url)

    def visit(
        self, path: str, headers: Mapping[str, str] | None = None, **query: int | str
    ) -> httpx.Response:
        """Ask the storefront's routes as the public does, without a key."""
        url = f"{self.state.api_url}/api/storefront/{path}"
        # Without any, a query in the path stays.
        return self._http.get(url, params=query or None, headers=headers)

    def url(self, product_id: int | str = 123) -> str:
        """Return the URL of a product's images."""
        return f"{self.state.api_url}/api/products/{product_id}/images"

    def image_url(self, product_id: int | str, image_id: int | str) -> str:
        """Return the URL of one image."""
        return f"{self.url(product_id)}/{image_id}"

    # --- Requests that must succeed, and what comes of them --------------------------------------------

    def add(self, content: bytes, *, product_id: int, **fields: str) -> ImageBody:
        """Upload a picture and wait until it is ready."""
        answer = self.upload(content, product_id=product_id, **fields)
        assert answer.status_code == 201, answer.text
        return self.settled(ImageBody.model_validate_json(answer.content))

    def reserved(self, content: bytes, *, product_id: int, **announced: Any) -> ReservedImageBody:  # noqa: ANN401
        """Announce this picture, or other things of it, and return the reservation."""
        announcement = {"name": "picture.jpg", "size": len(content), **announced}
        answer = self.reserve(announcement, product_id=product_id)
        assert answer.status_code == 201, answer.text
        return ReservedImageBody.model_validate_json(answer.content)

    def shown(self, product_id: int, image_id: int) -> ImageBody:
        """Return a picture as it is now."""
        answer = self.show(product_id, image_id)
        assert answer.status_code == 200, answer.text
        return ImageBody.model_validate_json(answer.content)

    def gallery(self, product_id: int) -> list[ImageBody]:
        """Return all pictures of a product, up to 100, as each is shown alone."""
        answer = self.page(product_id, limit=100)
        assert answer.status_code == 200, answer.text
        return [alone(listed) for listed in GalleryBody.model_validate_json(answer.content).results]

    def primaries(self, product_id: int) -> list[int]:
        """Return the identifiers of the pictures that are shown as primary: one, or none."""
        return [image.id for image in self.gallery(product_id) if image.is_primary]

    def settled(self, created: ImageBody) -> ImageBody:
        """Wait until a picture is ready and rendered, and the primary if that was asked for."""

        def look() -> ImageBody | None:
            image = self.shown(created.product_id, created.id)
            assert image.status != "failed", image.error
            # Rendering changes what is shown of it, and with that its ETag.
            is_settled = image.status == "ready" and image.renditions is not None
            return image if is_settled and image.is_primary >= created.is_primary else None

        return wait_until(look, f"ready and rendered image {created.id}")

    # --- Behind the scenes -----------------------------------------------------------------------------

    def add_records(self, product_id: int, orders: Iterable[int]) -> None:
        """Put records of pending pictures, with identifiers from 1, straight into the catalogue.

        They are of this moment, so that no reconciler that another test runs has to see to them.
        """
        catalog, now = self.state.catalog, datetime.now(UTC)
        for image_id, order in enumerate(orders, start=1):
            ref = a_ref(image_id, product_id)
            catalog.reserve(an_image(ref=ref, order=order, created_at=now, updated_at=now))

    def finished(self, body: dict[str, Any]) -> ProductImage:
        """Wait until the picture of this 201 is ready or failed, and return its record."""
        return self.state.finished(body["product_id"], body["id"])

    def received_keys(self, product_id: int) -> set[str]:
        """Return the keys of what came in for a product, and was not dealt with."""
        return self._keys(f"incoming/{product_id}/")

    def public_keys(self, product_id: int) -> set[str]:
        """Return the keys of all that the public sees of a product's pictures."""
        return self._keys(f"media/{product_id}/")

    def public_copies(self, product_id: int) -> set[str]:
        """Return the keys of the public copies alone, without what was made of them."""
        return {key for key in self.public_keys(product_id) if key.count("/") == 2}

    def until_dealt_with(self, product_id: int) -> None:
        """Wait until nothing that came in for a product is left."""
        wait_until(lambda: self.received_keys(product_id) == set() or None, "removal of what came in")

    def until_removed(self, product_id: int) -> None:
        """Wait until no bytes of a product's pictures are left in S3."""
        self.until_dealt_with(product_id)
        assert self.public_keys(product_id) == set()

    def _keys(self, prefix: str) -> set[str]:
        listed = self.state.endpoint.client("s3").list_objects_v2(
            Bucket=self.state.resources.bucket, Prefix=prefix
        )
        return {item["Key"] for item in listed.get("Contents", [])}

    def invoke_metadata(self, key: str) -> str:
        """Let the metadata function handle the event of an object to its end; return what became of it."""
        answer = self.state.endpoint.client("lambda").invoke(
            FunctionName=self.state.resources.functions["extract_metadata"],
            Payload=json.dumps({"Records": [{"s3": {"object": {"key": key}}}]}),
        )
        result = json.load(answer["Payload"])
        assert "FunctionError" not in answer, result
        return str(result["images"][0]["outcome"])

    def cut_short(self, answer: httpx.Response) -> None:
        """Leave the key of a request as if its function had been killed before it could keep its answer."""
        client = self.state.endpoint.client("lambda")
        function = client.get_function_configuration(
            FunctionName=self.state.resources.functions["upload_image"]
        )
        table = function["Environment"]["Variables"]["IDEMPOTENCY_TABLE"]
        dynamodb = self.state.endpoint.client("dynamodb")
        [claim] = dynamodb.scan(
            TableName=table,
            FilterExpression="image_id = :id",
            ExpressionAttributeValues={":id": {"N": str(answer.json()["id"])}},
        )["Items"]
        dynamodb.update_item(
            TableName=table, Key={"id": claim["id"]}, UpdateExpression="REMOVE answer, held_until"
        )

    @contextmanager
    def fetching_from(self, port: int) -> Iterator[None]:
        """Let the function that fetches find a server of this machine by every name below `.test`."""
        client, name = self.state.endpoint.client("lambda"), self.state.resources.functions["fetch_image"]
        deployed = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        allowed = {**deployed, "FETCH_LOCAL_SERVER": str(port)}
        client.update_function_configuration(FunctionName=name, Environment={"Variables": allowed})
        try:
            yield
        finally:
            client.update_function_configuration(FunctionName=name, Environment={"Variables": deployed})

    @contextmanager
    def message_taken(self, body: str) -> Iterator["MessageTypeDef"]:
        """Send a message to the fetch queue and take it, so that the function does not, for a while."""
        client, sqs = self.state.endpoint.client("lambda"), self.state.endpoint.client("sqs")
        [mapping] = client.list_event_source_mappings()["EventSourceMappings"]
        queue = sqs.get_queue_url(QueueName=mapping["EventSourceArn"].rpartition(":")[2])["QueueUrl"]
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        try:
            sqs.send_message(QueueUrl=queue, MessageBody=body)
            yield wait_until(lambda: self._message(queue, body), "message in the fetch queue")
        finally:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    def _message(self, queue: str, body: str) -> "MessageTypeDef | None":
        sqs = self.state.endpoint.client("sqs")
        messages = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=60).get("Messages", [])
        return next((message for message in messages if message["Body"] == body), None)

    @contextmanager
    def events_lost(self) -> Iterator[None]:
        """Let the bucket tell nobody of new objects for a while."""
        s3, bucket = self.state.endpoint.client("s3"), self.state.resources.bucket
        configured = s3.get_bucket_notification_configuration(Bucket=bucket)
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
        try:
            yield
        finally:
            s3.put_bucket_notification_configuration(
                Bucket=bucket,
                NotificationConfiguration={
                    "LambdaFunctionConfigurations": configured["LambdaFunctionConfigurations"]
                },
            )

    def no_puts(self) -> dict[str, Any]:
        """Return a statement that keeps everybody from writing to the bucket."""
        objects = f"arn:aws:s3:::{self.state.resources.bucket}/*"
        return {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": objects}

    @contextmanager
    def bucket_policy(self, *statements: Mapping[str, Any]) -> Iterator[None]:
        """Give the bucket another policy for a while."""
        s3, bucket = self.state.endpoint.client("s3"), self.state.resources.bucket
        deployed = s3.get_bucket_policy(Bucket=bucket)["Policy"]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
        try:
            yield
        finally:
            s3.put_bucket_policy(Bucket=bucket, Policy=deployed)


def media_key(address: str) -> str:
    """Return the object key of the public copy at an address."""
    return httpx.URL(address).path.removeprefix("/")


def incoming_key(address: str) -> str:
    """Return the object key at which the file of a picture with this address comes in."""
    return media_key(address).replace("media/", "incoming/", 1).rpartition(".")[0]
