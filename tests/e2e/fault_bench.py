"""The use cases with real adapters on the emulator, and a fault at any one of their calls to AWS.

Its bucket has no notification: the events of the bytes are delivered here, so that each run is the same.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from secrets import token_hex
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError

from adapters.aws import (
    cloudfront_client,
    dynamodb_client,
    eventbridge_client,
    lambda_client,
    s3_client,
    sqs_client,
)
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_items import image_from_item, product_to_item
from adapters.dynamo_products import DynamoProducts
from adapters.eventbridge_image_events import EventBridgeImageEvents
from adapters.eventbridge_removals import EventBridgeRemovals
from adapters.lambda_inspections import LambdaInspections
from adapters.lambda_renderings import LambdaRenderings
from adapters.pillow_image_inspector import PillowImageInspector
from adapters.pillow_image_renderer import PillowImageRenderer
from adapters.s3_image_store import S3ImageStore
from adapters.sqs_fetch_queue import SqsFetchQueue
from domain.begun import Begun
from domain.claim import BegunPicture
from domain.delete_image import DeleteImage
from domain.errors import DomainError
from domain.extract_metadata import ExtractMetadata
from domain.gallery import Page
from domain.image import TOKEN_BYTES, ImageRef, ImageStatus, ProductImage
from domain.leased_ids import LeasedIds
from domain.recipe import Recipe
from domain.reconcile import PATIENCE, Reconcile
from domain.render_image import RenderImage
from domain.upload_image import Upload, UploadImage
from local.sample import sample_jpeg
from local.system import State
from tests.builders import USER, a_catalog_table, a_ref, an_idempotency_table, an_image_sent
from tests.integration.faults import hook

PRODUCT_ID = 42
CONTENT = sample_jpeg(60, 40)
BROKEN = sample_jpeg(300, 200)[:2_000]
FORM_IMAGE_ID = 1_000_000
"""Of a picture that came by a form: far above those that uploads have."""
OPEN_SHARDS = 4
"""As many as matter for faults, and not hundreds of calls that find nothing."""
LAMBDA_TRIES = 3
"""How often Lambda runs an asynchronous function before it hands the event to the failure queue."""


class When(StrEnum):
    BEFORE = "before"
    AFTER = "after"


class Fault(StrEnum):
    KILLED = "killed"
    THROTTLED = "throttled"
    HTTP_500 = "http 500"
    REPLY_LOST = "reply lost"


class KilledError(BaseException):
    """The process ends here: nothing in it may catch this."""


@dataclass(frozen=True, slots=True)
class FaultPoint:
    """One call of one use case, and what befalls it, or it and all that follow."""

    call: int
    when: When
    fault: Fault
    is_outage: bool = False

    def befalls(self, call: int) -> bool:
        return call == self.call or (self.is_outage and call > self.call)


@dataclass(slots=True)
class Interference:
    """Counts calls to AWS, each with all its tries, and spoils the one that is chosen."""

    calls: list[str] = field(default_factory=list)
    point: FaultPoint | None = None

    def spoil(self, client: BaseClient, request: AWSPreparedRequest) -> AWSResponse | None:
        """Let the chosen fault befall a request."""
        point = self.point
        if point is None or not point.befalls(len(self.calls) - 1):
            return None
        if point.when is When.AFTER:
            # What botocore does next.
            client._endpoint.http_session.send(request)  # type: ignore[attr-defined]  # noqa: SLF001
        return _befall(point.fault, request, client.meta.service_model.service_name)


@dataclass(slots=True)
class Interleaving(Interference):
    """Lets something else happen from its beginning to its end before or after the chosen call.

    The process goes on after that, or ends there if `is_killed`.
    """

    meanwhile: Callable[[], object] = lambda: None
    is_killed: bool = False
    resume: Callable[[], object] = lambda: None
    """Called when that has happened: calls from then on are again those of the process itself."""

    def spoil(self, client: BaseClient, request: AWSPreparedRequest) -> AWSResponse | None:
        """Let it happen once."""
        point = self.point
        if point is None or not point.befalls(len(self.calls) - 1):
            return None
        self.point = None
        answer: AWSResponse | None = None
        if point.when is When.AFTER:
            answer = client._endpoint.http_session.send(request)  # type: ignore[attr-defined]  # noqa: SLF001
        self.meanwhile()
        self.resume()
        if self.is_killed:
            raise KilledError
        return answer


def _befall(fault: Fault, request: AWSPreparedRequest, service: str) -> AWSResponse:
    if fault is Fault.KILLED:
        raise KilledError
    if fault is Fault.REPLY_LOST:
        raise ConnectionClosedError(endpoint_url=request.url)
    return refusal(fault, request.url, service)


def refusal(fault: Fault, url: str, service: str) -> AWSResponse:
    """Return what a service answers that is overloaded or broken."""
    if service == "s3":
        code, status = ("SlowDown", 503) if fault is Fault.THROTTLED else ("InternalError", 500)
        body = f"<Error><Code>{code}</Code></Error>".encode()
    elif service == "cloudfront":
        code, status = ("Throttling", 400) if fault is Fault.THROTTLED else ("InternalError", 500)
        body = f"<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>".encode()
    else:
        code, status = ("ThrottlingException", 400) if fault is Fault.THROTTLED else ("InternalFailure", 500)
        body = json.dumps({"__type": code, "message": "by a test"}).encode()
    return _error(url, status, code, body)


def throttled_transaction(url: str) -> AWSResponse:
    """Return what DynamoDB answers to a transaction that exceeds a partition's throughput.

    Unlike `refusal`, the SDK does not try it again.
    """
    code = "TransactionCanceledException"
    reasons = [{"Code": "None"}, {"Code": "ThrottlingError"}]
    body = json.dumps({"__type": code, "Message": "by a test", "CancellationReasons": reasons}).encode()
    return _error(url, 400, code, body)


def _error(url: str, status: int, code: str, body: bytes) -> AWSResponse:
    headers = {"x-amzn-errortype": code, "content-length": str(len(body))}
    return AWSResponse(url, status, HTTPHeaders.from_dict(headers), _Raw(body))


class _Raw:
    """A body that has arrived."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        yield self._body


class Bench:
    """A table and a bucket of its own, and the use cases on them."""

    def __init__(self, state: State, bucket: str = "faults") -> None:
        self._functions = state.resources.functions
        self._s3, self._dynamodb = state.endpoint.client("s3"), state.endpoint.client("dynamodb")
        self._interference = Interference()
        self._watched = self._watched_clients()
        self.bucket = bucket
        self.now = datetime.now(UTC)
        location: Any = {"LocationConstraint": state.aws.region}
        self._s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=location)
        self._s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        a_catalog_table(self._dynamodb)
        an_idempotency_table(self._dynamodb)
        DynamoProducts(self._dynamodb, "catalog").add(PRODUCT_ID)

    @property
    def catalog(self) -> DynamoImageCatalog:
        """The catalogue, undisturbed."""
        return DynamoImageCatalog(self._dynamodb, "catalog")

    def write(self, ref: ImageRef, content: bytes) -> None:
        """Write a picture's bytes, as a form does."""
        self._s3.put_object(Bucket=self.bucket, Key=ref.incoming_key, Body=content)

    def put(self, image: ProductImage, content: bytes) -> None:
        """Write a picture's bytes, as the upload function does."""
        S3ImageStore(self._s3, self.bucket).put(image, content)

    def clients_under(self, interference: Interference) -> Mapping[str, Any]:
        """Return the clients of what runs next, whose calls meet this."""
        self._interference = interference
        return self._watched

    def clock(self) -> datetime:
        """Tell the time, which passes a little."""
        self.now += timedelta(milliseconds=1)
        return self.now

    # --- What runs: each time with nothing in memory, as after a crash --------------------------------

    def upload(
        self, interference: Interference, content: bytes = CONTENT, *, is_primary: bool = True
    ) -> ImageRef:
        clients = self.clients_under(interference)
        return self.begin_upload(clients, content, is_primary=is_primary)(None).finish().ref

    def begin_upload(
        self, clients: Mapping[str, Any], content: bytes = CONTENT, *, is_primary: bool = True
    ) -> Callable[[BegunPicture | None], Begun[ProductImage]]:
        """Return what begins an upload, given the picture that an earlier try has begun."""
        catalog = DynamoImageCatalog(clients["dynamodb"], "catalog")
        upload = UploadImage(
            catalog=catalog,
            store=S3ImageStore(clients["s3"], self.bucket),
            ids=LeasedIds(catalog),
            new_token=partial(token_hex, TOKEN_BYTES),
            clock=self.clock,
            max_bytes=1_000_000,
        )
        fields = {"is_primary": str(is_primary).lower()}
        sent = Upload(product_id=PRODUCT_ID, user=USER, content=content, file_name="a.jpg", fields=fields)
        return lambda earlier: upload(sent, earlier)

    def ready_picture(self) -> ImageRef:
        """Take a picture in to its end."""
        ref = self.upload(Interference(), is_primary=False)
        self.extract(ref, Interference())
        return ref

    def send_form(self) -> ImageRef:
        """Take a picture in that comes by an upload form."""
        ref = a_ref(FORM_IMAGE_ID, PRODUCT_ID)
        self.catalog.reserve(an_image_sent(self.clock(), is_primary=True, ref=ref, size_bytes=len(CONTENT)))
        self.write(ref, CONTENT)
        return ref

    def extract(self, ref: ImageRef, interference: Interference) -> None:
        clients = self.clients_under(interference)
        extract = ExtractMetadata(
            catalog=DynamoImageCatalog(clients["dynamodb"], "catalog"),
            store=S3ImageStore(clients["s3"], self.bucket),
            inspector=PillowImageInspector(1_000_000),
            events=EventBridgeImageEvents(clients["events"], "faults"),
            clock=self.clock,
        )
        extract(ref)

    def render(self, ref: ImageRef, interference: Interference) -> None:
        clients = self.clients_under(interference)
        render = RenderImage(
            catalog=DynamoImageCatalog(clients["dynamodb"], "catalog"),
            store=S3ImageStore(clients["s3"], self.bucket),
            renderer=PillowImageRenderer(1_000_000),
            events=EventBridgeImageEvents(clients["events"], "faults"),
            clock=self.clock,
            recipe=Recipe(),
        )
        render(ref)

    def delete(self, ref: ImageRef, interference: Interference) -> None:
        clients = self.clients_under(interference)
        delete = DeleteImage(
            DynamoImageCatalog(clients["dynamodb"], "catalog"),
            S3ImageStore(clients["s3"], self.bucket),
            EventBridgeImageEvents(clients["events"], "faults"),
            self.clock,
        )
        delete(ref.product_id, ref.image_id)

    def reconcile(self, interference: Interference) -> None:
        clients = self.clients_under(interference)
        # The deployed function: it finds neither record nor bytes, and `deliver_events` does its work.
        function = self._functions["extract_metadata"]
        reconcile = Reconcile(
            catalog=DynamoImageCatalog(clients["dynamodb"], "catalog"),
            store=S3ImageStore(clients["s3"], self.bucket),
            inspections=LambdaInspections(clients["lambda"], function),
            # None of its pictures is fetched by its address.
            fetches=SqsFetchQueue(clients["sqs"], "fetch"),
            renderings=LambdaRenderings(clients["lambda"], self._functions["render_image"]),
            events=EventBridgeImageEvents(clients["events"], "faults"),
            products=DynamoProducts(clients["dynamodb"], "catalog"),
            removals=EventBridgeRemovals(clients["events"], "faults"),
            clock=self.clock,
        )
        reconcile(lambda: True)

    # --- What AWS does by itself ------------------------------------------------------------------------

    @staticmethod
    def run_as_lambda_does(run: Callable[[Interference], object], interference: Interference) -> None:
        """Run an asynchronous function until it succeeds; the fault befalls its first try only."""
        for attempt in range(LAMBDA_TRIES):
            if outcome(partial(run, interference if attempt == 0 else Interference())) is None:
                return

    def deliver_events(self, interference: Interference | None = None) -> None:
        """Deliver an event for all that came in, as S3 does, and for all that is public, as it may again."""
        for ref in self.objects():
            self.run_as_lambda_does(partial(self.extract, ref), interference or Interference())

    def let_time_pass_and_reconcile(self) -> None:
        """Let the reconciler run every hour until nothing is open, and its inspections after it."""
        for _ in range(3):
            self.now += PATIENCE + timedelta(minutes=1)
            self.run_as_lambda_does(self.reconcile, Interference())
            self.deliver_events()

    # --- What is there ------------------------------------------------------------------------------------

    def objects(self) -> set[ImageRef]:
        """Return the pictures of which there are any bytes."""
        return self.received() | {picture_of(key) for key in self.public_keys()}

    def received(self) -> set[ImageRef]:
        """Return the pictures whose file came in, and was not dealt with."""
        return {picture_of(key) for key in self._keys("incoming/")}

    def public_keys(self) -> list[str]:
        """Return the keys of all that the CDN may read."""
        return self._keys("media/")

    def _keys(self, prefix: str) -> list[str]:
        listed = self._s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [each["Key"] for each in listed.get("Contents", [])]

    def images(self) -> list[ProductImage]:
        items = self._dynamodb.scan(TableName="catalog", ConsistentRead=True)["Items"]
        return [image_from_item(item) for item in items if "image_id" in item]

    def records(self) -> dict[ImageRef, ImageStatus]:
        return {image.ref: image.status for image in self.images()}

    def content(self, key: str) -> bytes:
        stored = self._s3.get_object(Bucket=self.bucket, Key=key)
        return stored["Body"].read()

    def primary(self) -> int | None:
        primary = self.catalog.gallery(PRODUCT_ID, 100).primary
        return primary.image_id if primary else None

    def count(self) -> int:
        """Return how many pictures the product counts; its records and its pages must agree."""
        page, gallery = self.catalog.page(PRODUCT_ID, 100, 0), self.catalog.gallery(PRODUCT_ID, 100)
        assert page == Page(len(gallery.images), gallery.snapshots())
        return page.count

    def counted(self) -> int:
        """Return how many uploads count against the quota."""
        items = self._dynamodb.scan(TableName="idempotency")["Items"]
        return sum(int(item["uploads"]["N"]) for item in items if "uploads" in item)

    def clear(self) -> None:
        """Remove every picture, key and count, and set the clock right."""
        self.now = datetime.now(UTC)
        versions = self._s3.list_object_versions(Bucket=self.bucket)
        for each in [*versions.get("Versions", []), *versions.get("DeleteMarkers", [])]:
            self._s3.delete_object(Bucket=self.bucket, Key=each["Key"], VersionId=each["VersionId"])
        for item in self._dynamodb.scan(TableName="catalog")["Items"]:
            if "image_id" in item:
                self._dynamodb.delete_item(TableName="catalog", Key={"pk": item["pk"], "sk": item["sk"]})
        self._dynamodb.put_item(TableName="catalog", Item=product_to_item(PRODUCT_ID))
        for item in self._dynamodb.scan(TableName="idempotency")["Items"]:
            self._dynamodb.delete_item(TableName="idempotency", Key={"id": item["id"]})

    def _watched_clients(self) -> Mapping[str, Any]:
        """Make the clients once: that takes longer than most use cases do."""
        clients: dict[str, Any] = {
            "dynamodb": dynamodb_client(),
            "s3": s3_client(),
            "events": eventbridge_client(),
            "lambda": lambda_client(),
            "cloudfront": cloudfront_client(),
            "sqs": sqs_client(),
        }
        for client in clients.values():
            self._watch(client)
        return clients

    def _watch(self, client: BaseClient) -> None:
        def count(model: Any, **_: object) -> None:  # noqa: ANN401 - botocore's own
            self._interference.calls.append(f"{client.meta.service_model.service_id}.{model.name}")

        def spoil(request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
            return self._interference.spoil(client, request)

        hook(client, "before-call", count)
        hook(client, "before-send", spoil)


def picture_of(key: str) -> ImageRef:
    """Return the picture whose file or public copy, or what was made of that, lies at a key."""
    _, product, name = key.split("/")[:3]
    ref = ImageRef.from_incoming_key(f"incoming/{product}/{name.partition('.')[0]}")
    assert ref, key
    return ref


def fault_points(calls: int) -> list[FaultPoint]:
    """Return every way in which one of so many calls can go wrong."""
    return [FaultPoint(call, when, fault) for call in range(calls) for when in When for fault in Fault]


def outcome(run: Callable[[], object]) -> BaseException | None:
    """Run, and return how it ended: None for well."""
    try:
        run()
    except (KilledError, DomainError) as error:
        return error
    return None
