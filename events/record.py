"""Makes the payloads in events/ from real requests to the emulator, so that they stay true.

The stack is the real one; for the recording, functions whose event is wanted are replaced by one
that hands its event back, and the bucket's notification goes to a queue, where it can be read.
"""

import hashlib
import io
import json
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from adapters.dynamo_api_keys import DynamoApiKeys
from adapters.eventbridge_image_events import PRODUCT_REMOVED, SCHEMA_VERSION, SOURCE, TAKEN_BACK, detail_of
from adapters.eventbridge_removals import REMOVAL_REQUESTED
from adapters.lambda_renderings import ready_event
from bench.origin import origin
from domain.api_key import ApiKey, Role, assemble_key, hash_key, key_id, shown_prefix
from domain.follow_catalogue import CatalogueEventKind
from domain.image import ImageFacts, ImageFormat, ImageRef, ImageStatus, ProductImage
from domain.image_details import ImageDetails
from domain.image_events import ImageEventKind, ImageSummary
from domain.ports import ApiKeys
from domain.user import User
from local.build import build_packages
from local.changes import package_hash
from local.deployment import CODE_BUCKET, FUNCTIONS, PACKAGES, STACK, code_key
from local.sample import sample_jpeg
from local.system import LocalSystem, State, ignore_shell_settings, wait_until

EVENTS = Path(__file__).resolve().parent
PRODUCT_ID = 123
IMAGE = ImageRef(PRODUCT_ID, 4711, "9f86d081884c7d65")
GALLERY_IMAGE = ImageRef(140, 4714, "9f86d081884c7d66")
"""The one picture of a product that nothing else is done with."""

REMOVED_PRODUCT_ID, FOLLOWED_PRODUCT_ID = 141, 142
"""Products that no system has, so that nothing is lost where their payloads are tried."""

KEYS = {
    "good": assemble_key("EXAMPLEgoodEXAMPLEgoodEXAMPLEgoodEXAMPLE"),
    # Another one for uploads: the gateway keeps an authorizer's answer by its key.
    "uploader": assemble_key("EXAMPLEuploaderEXAMPLEuploaderEXAMPLE123"),
    "administrator": assemble_key("EXAMPLEadministratorEXAMPLEadministrator"),
    "customer": assemble_key("EXAMPLEcustomerEXAMPLEcustomerEXAMPLE123"),
    "revoked": assemble_key("EXAMPLErevokedEXAMPLErevokedEXAMPLE12345"),
    "unknown": assemble_key("EXAMPLEunknownEXAMPLEunknownEXAMPLE12345"),
}
"""Keys that open nothing but the emulator: their secrets say what they are."""

_ROLES = {"customer": Role.CUSTOMER, "administrator": Role.ADMIN}
_OPEN = {"storefront", "describe_api", "staff_page"}
_ECHO_BODY = """import json
def lambda_handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event)}
"""
_ECHO_CONTEXT = """import json
def lambda_handler(event, context):
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event["methodArn"]}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": "1", "policyDocument": policy, "context": {"event": json.dumps(event)}}
"""


def add_example_keys(api_keys: ApiKeys) -> None:
    """Add the records of the example keys."""
    for name, key in KEYS.items():
        if name == "unknown":
            continue
        record = ApiKey(
            id=key_id(hash_key(key)),
            user=User(7, "erin", "Erin Example"),
            role=_ROLES.get(name, Role.STAFF),
            is_active=name != "revoked",
            expires_at=None,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
            prefix=shown_prefix(key),
            issued_by="events/record.py",
        )
        api_keys.add(hash_key(key), record)


def record_uploads(state: State, picture: Path) -> None:
    """Send requests as clients do and keep what the upload function would have got."""
    url = f"{state.api_url}/api/products/{PRODUCT_ID}/images"
    headers = {"Authorization": f"Token {KEYS['uploader']}"}
    text = picture.with_name("not_a_picture.jpg")
    text.write_text("This is no picture.")

    def with_requests(url: str = url, file: Path = picture, **data: object) -> str:
        with file.open("rb") as image:
            return requests.post(url, headers=headers, files={"image": image}, data=data, timeout=30).text

    def with_curl() -> str:
        form = ["-F", f"image=@{picture}", "-F", "alt_text=Product front view", "-F", "is_primary=true"]
        command = ["curl", "-sS", "-X", "POST", url, "-H", f"Authorization: Token {KEYS['uploader']}"]
        return subprocess.check_output([*command, *form, "-F", "order=1"], text=True)  # noqa: S603

    def raw(body: bytes, content_type: str) -> str:
        sent = {**headers, "Content-Type": content_type}
        return requests.post(url, headers=sent, data=body, timeout=30).text

    cut = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n\xff\xd8\xff'
    cases: dict[str, Callable[[], str]] = {
        "curl": with_curl,
        "requests": lambda: with_requests(alt_text="Product front view", is_primary=True, order=1),
        "bad_fields": lambda: with_requests(is_primary="perhaps", order="first"),
        "no_image": lambda: (
            requests.post(url, headers=headers, files={"alt_text": (None, "Nothing")}, timeout=30).text
        ),
        "not_a_picture": lambda: with_requests(file=text),
        "unknown_product": lambda: with_requests(url=f"{state.api_url}/api/products/999999/images"),
        "bad_product_id": lambda: with_requests(url=f"{state.api_url}/api/products/shoe/images"),
        "json": lambda: raw(b'{"image": "?"}', "application/json"),
        "cut_short": lambda: raw(cut, "multipart/form-data; boundary=b"),
        "idempotent": lambda: (
            requests.post(
                url,
                headers={**headers, "Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"},
                files={"image": ("product_image.jpg", picture.read_bytes())},
                timeout=30,
            ).text
        ),
    }
    with _replaced(state, "upload_image", _ECHO_BODY):
        for name, send in cases.items():
            _write("upload_image", name, json.loads(send()))


def record_json_requests(state: State) -> None:
    """Send requests without a form and keep what their functions would have got."""
    images = f"{state.api_url}/api/products/{GALLERY_IMAGE.product_id}/images"
    product = f"{state.api_url}/api/products/{REMOVED_PRODUCT_ID}"
    image = f"{images}/{GALLERY_IMAGE.image_id}"
    uploads = f"{state.api_url}/api/products/{PRODUCT_ID}/images/uploads"
    shown = f"{state.api_url}/api/storefront"
    primaries, page = f"{shown}/primary-images", {"limit": 20, "offset": 0}
    product_id = GALLERY_IMAGE.product_id
    announced = {"name": "big.jpg", "size": 20_000_000, "alt_text": "Product front view", "is_primary": True}
    fetch = f"{state.api_url}/api/products/{PRODUCT_ID}/images/fetch"
    wished = {"url": "https://cdn.example.com/big.jpg?key=EXAMPLE-signature", "alt_text": "Product side view"}
    # As a browser asks before a page sends a PATCH.
    asked = {
        "Origin": "https://admin.example.com",
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization,content-type,if-match",
    }
    cases: dict[str, dict[str, tuple[str, str, dict[str, Any]]]] = {
        "reserve_upload": {
            "usual": ("POST", uploads, {"json": announced}),
            "bad_fields": ("POST", uploads, {"json": {"name": "", "size": "large", "colour": "red"}}),
            "too_large": ("POST", uploads, {"json": {**announced, "size": 50_000_001}}),
        },
        "request_fetch": {
            "usual": ("POST", fetch, {"json": wished}),
            "bad_fields": ("POST", fetch, {"json": {"url": "", "order": "first", "colour": "red"}}),
            "not_public": ("POST", fetch, {"json": {**wished, "url": "http://169.254.169.254/"}}),
        },
        "gallery": {
            "list": ("GET", images, {"params": {"limit": 2, "status": "ready"}}),
            "list_bad_limit": ("GET", images, {"params": {"limit": 101}}),
            "show": ("GET", image, {}),
            "show_not_modified": ("GET", image, {"headers": {"If-None-Match": "*"}}),
            "unknown_image": ("GET", f"{images}/1", {}),
            "change": ("PATCH", image, {"json": {"alt_text": "Product side view", "is_primary": True}}),
            "change_stale": ("PATCH", image, {"json": {"order": 2}, "headers": {"If-Match": '"stale"'}}),
            "reorder": ("PUT", f"{images}/order", {"json": {"image_ids": [GALLERY_IMAGE.image_id]}}),
            "delete": ("DELETE", image, {}),
        },
        "storefront": {
            "gallery": ("GET", f"{shown}/products/{product_id}/images", {"params": page}),
            "not_modified": (
                "GET",
                f"{shown}/products/{product_id}/images",
                {"headers": {"If-None-Match": "*"}},
            ),
            "unknown_product": ("GET", f"{shown}/products/999999/images", {}),
            "primaries": (
                "GET",
                primaries,
                {"params": {"product_ids": f"{GALLERY_IMAGE.product_id},999999"}},
            ),
            "bad_ids": ("GET", primaries, {"params": {"product_ids": f"{GALLERY_IMAGE.product_id},shoe"}}),
        },
        "products": {
            "list": ("GET", f"{state.api_url}/api/products", {"params": {"limit": 2}}),
            "search": ("GET", f"{state.api_url}/api/products", {"params": {"q": "red shoe", "after": 100}}),
            "list_bad_limit": ("GET", f"{state.api_url}/api/products", {"params": {"limit": 101}}),
            "show": ("GET", product, {}),
            "put": ("PUT", product, {"json": {"title": "Blue shoe"}}),
            "put_bad_title": ("PUT", product, {"json": {"title": 5}}),
            "remove_by_staff": ("DELETE", product, {}),
            "remove": ("DELETE", product, {"headers": {"Authorization": f"Token {KEYS['administrator']}"}}),
        },
        "describe_api": {
            "openapi": ("GET", f"{state.api_url}/api/openapi.json", {}),
            "docs": ("GET", f"{state.api_url}/api/docs", {}),
            "preflight": ("OPTIONS", image, {"headers": asked}),
            "method_not_allowed": ("PUT", images, {}),
        },
        "staff_page": {
            "page": ("GET", f"{state.api_url}/staff/", {}),
            "method_not_allowed": ("POST", f"{state.api_url}/staff/index.html", {}),
        },
    }
    for function, requests_ in cases.items():
        with _replaced(state, function, _ECHO_BODY):
            for name, (method, url, content) in requests_.items():
                # What is open to all comes without a key.
                is_open = function in _OPEN
                key = {} if is_open else {"Authorization": f"Token {KEYS['uploader']}"}
                headers = {**key, **content.pop("headers", {})}
                answer = requests.request(method, url, headers=headers, timeout=30, **content)
                _write(function, name, answer.json())


def record_authorizations(state: State) -> None:
    """Send requests with different keys and keep what the authorizer would have got."""
    good = KEYS["good"]
    tokens = {
        "good": f"Token {good}",
        "customer": f"Token {KEYS['customer']}",
        "revoked": f"Token {KEYS['revoked']}",
        "unknown": f"Token {KEYS['unknown']}",
        # One character wrong: the shape is right, the checksum is not.
        "malformed": f"Token {good[:-1]}{'0' if good[-1] != '0' else '1'}",
    }
    with _replaced(state, "authorize", _ECHO_CONTEXT), _replaced(state, "upload_image", _ECHO_BODY):
        for name, token in tokens.items():
            answer = requests.post(
                f"{state.api_url}/api/products/{PRODUCT_ID}/images",
                headers={"Authorization": token},
                timeout=30,
            )
            event = answer.json()["requestContext"]["authorizer"]["event"]
            _write("authorize", name, json.loads(event))


def record_objects(state: State, picture: bytes) -> None:
    """Put objects and keep what S3 tells of them."""
    s3, sqs = state.endpoint.client("s3"), state.endpoint.client("sqs")
    queue = sqs.create_queue(QueueName="recorded")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    s3.put_bucket_notification_configuration(
        Bucket=state.resources.bucket,
        NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]
        },
    )

    def receive() -> dict[str, Any] | None:
        messages = sqs.receive_message(QueueUrl=queue).get("Messages", [])
        bodies = [json.loads(message["Body"]) for message in messages]
        for message in messages:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return next((body for body in bodies if "Records" in body), None)

    def put(key: str) -> dict[str, Any]:
        s3.put_object(Bucket=state.resources.bucket, Key=key, Body=picture)
        return wait_until(receive, f"event of {key}")

    def post(key: str) -> dict[str, Any]:
        form = s3.generate_presigned_post(state.resources.bucket, key)
        requests.post(form["url"], data=form["fields"], files={"file": picture}, timeout=30)
        return wait_until(receive, f"event of {key}")

    event = put(IMAGE.incoming_key)
    _write("extract_metadata", "put", event)
    _write("extract_metadata", "post", post(IMAGE.incoming_key))
    _write("extract_metadata", "duplicate", {"Records": event["Records"] * 2})
    _write("extract_metadata", "foreign_key", put("incoming/read me.txt"))
    _write("extract_metadata", "url_encoded_key", put(f"incoming/{PRODUCT_ID}/früh & spät 1+1.jpg"))
    s3.delete_object(Bucket=state.resources.bucket, Key=IMAGE.incoming_key)
    never_sent = ImageRef(PRODUCT_ID, 4712, IMAGE.token)
    gone = json.loads(json.dumps(event).replace(IMAGE.incoming_key, never_sent.incoming_key))
    _write("extract_metadata", "bytes_gone", gone)
    # As the reconciler sends it.
    sent = {"eventSource": "product-images:reconcile", "s3": {"object": {"key": IMAGE.incoming_key}}}
    _write("extract_metadata", "reconciled", {"Records": [sent]})


def write_ready_picture(region: str) -> None:
    """Write what EventBridge makes of `ImageReady`, as AWS documents it, and what the reconciler sends."""
    sent = ready_event(_ready_image())
    _write(
        "render_image",
        "ready",
        {
            "version": "0",
            "id": "0d079340-135a-c8c6-95c2-41fb8f496c53",
            "account": "123456789012",
            "time": "2026-11-24T12:00:00Z",
            "region": region,
            "resources": [],
            **sent,
        },
    )
    _write("render_image", "reconciled", sent)
    gone = json.loads(json.dumps(sent).replace(IMAGE.path, ImageRef(PRODUCT_ID, 4712, IMAGE.token).path))
    _write("render_image", "gone", gone)
    _write("render_image", "foreign", {**sent, "detail": {"path": "/media/read me.txt"}})


def _ready_image() -> ProductImage:
    made_at = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
    return ProductImage(
        ref=IMAGE,
        image_format=ImageFormat.JPEG,
        user=User(7, "erin", "Erin Example"),
        name="product_image.jpg",
        size_bytes=1_234,
        details=ImageDetails(),
        primary_requested_at=None,
        announcement=None,
        status=ImageStatus.READY,
        facts=ImageFacts(96, 64, "RGB"),
        created_at=made_at,
        updated_at=made_at,
    )


def write_schedule(state: State) -> None:
    """Write what the schedule sends, as AWS documents it: the emulator's does not come for an hour."""
    rule = "ReconcileFunctionEveryHour"
    _write(
        "reconcile",
        "schedule",
        {
            "version": "0",
            "id": "89d1a02d-5ec7-412e-82f5-13505f849b41",
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": "123456789012",
            "time": "2026-11-24T12:00:00Z",
            "region": state.aws.region,
            "resources": [f"arn:aws:events:{state.aws.region}:123456789012:rule/{rule}"],
            "detail": {},
        },
    )


def write_deletions(state: State) -> None:
    """Write what the rule on `ImageDeleted` and others sends, in the envelope that EventBridge documents."""
    moment = datetime(2026, 11, 24, 12, tzinfo=UTC)
    image = ImageSummary(
        ref=IMAGE,
        image_format=ImageFormat.JPEG,
        size_bytes=118_663,
        status=ImageStatus.READY,
        facts=ImageFacts(1200, 800, "RGB"),
        failure=None,
        created_at=moment,
        updated_at=moment,
    )
    detail = {"schema_version": SCHEMA_VERSION, "stack": STACK, **detail_of(image)}
    event = _told(state, ImageEventKind.DELETED, SOURCE, detail)
    _write("forget_image", "deleted", event)
    taken_back: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "stack": STACK,
        "path": f"/{IMAGE.media_prefix}",
    }
    _write("forget_image", "taken_back", _told(state, TAKEN_BACK, SOURCE, taken_back))
    _write("forget_image", "foreign_path", {**event, "detail": {**detail, "path": "/media/*"}})


def write_products(state: State) -> None:
    """Write what the rules on products send, in the envelope that EventBridge documents."""
    product: dict[str, object] = {"stack": STACK, "product_id": REMOVED_PRODUCT_ID}
    removed = {"schema_version": SCHEMA_VERSION, **product, "path": f"/media/{REMOVED_PRODUCT_ID}/"}
    _write("remove_product", "requested", _told(state, REMOVAL_REQUESTED, SOURCE, product))
    _write("forget_image", "product_removed", _told(state, PRODUCT_REMOVED, SOURCE, removed))
    word: dict[str, object] = {
        "schema_version": "1",
        "product_id": FOLLOWED_PRODUCT_ID,
        "title": "Red shoe",
        "occurred_at": "2026-11-24T12:00:00.000Z",
    }
    for kind in CatalogueEventKind:
        _write("follow_catalogue", kind.name.lower(), _told(state, kind, "com.example.catalogue", word))


def _told(state: State, kind: str, source: str, detail: dict[str, object]) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": kind,
        "source": source,
        "account": "123456789012",
        "time": "2026-11-24T12:00:00Z",
        "region": state.aws.region,
        "resources": [],
        "detail": detail,
    }


def write_messages(state: State) -> None:
    """Write what the fetch queue sends, as AWS documents it: nobody hears what the function answers to it."""
    bodies = {"picture_gone": json.dumps({"fetch": ImageRef(PRODUCT_ID, 4713, IMAGE.token).path})}
    bodies["foreign_message"] = json.dumps({"hello": "world"})
    for name, body in bodies.items():
        message = {
            "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
            "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
            "body": body,
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": "1795521600000",
                "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                "ApproximateFirstReceiveTimestamp": "1795521600001",
            },
            "messageAttributes": {},
            "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:{state.aws.region}:123456789012:FetchQueue",
            "awsRegion": state.aws.region,
        }
        _write("fetch_image", name, {"Records": [message]})


def write_origin(recorded_from: str) -> None:
    """Say from which commit the payloads are; what JSON is sent to a function has no place for that."""
    (EVENTS / "README.md").write_text(
        "# Payloads for `sam local invoke`\n\n"
        f"Recorded {datetime.now(UTC):%Y-%m-%d} by `make events` from {recorded_from}; do not edit.\n"
    )


@contextmanager
def _replaced(state: State, function: str, code: str) -> Iterator[None]:
    """Run other code in a function for a while."""
    client = state.endpoint.client("lambda")
    name = state.resources.functions[function]
    with zipfile.ZipFile(archive := io.BytesIO(), "w") as file:
        file.writestr(f"handlers/{function}.py", code)
    client.update_function_code(FunctionName=name, ZipFile=archive.getvalue())
    try:
        yield
    finally:
        key = code_key(package_hash(PACKAGES / FUNCTIONS[function]))
        client.update_function_code(FunctionName=name, S3Bucket=CODE_BUCKET, S3Key=key)


def _write(function: str, case: str, event: dict[str, Any]) -> None:
    folder = EVENTS / function
    folder.mkdir(exist_ok=True)
    path = folder / f"{case}.json"
    path.write_text(json.dumps(event, indent=2, ensure_ascii=False) + "\n")
    print(f"wrote {path.relative_to(EVENTS.parent)}")


def main() -> None:
    """Record all events anew."""
    recorded_from = origin()
    ignore_shell_settings()
    build_packages()
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "product_image.jpg"
        picture.write_bytes(sample_jpeg(96, 64))
        # Not the address of this recording, which is another one each time.
        parameters = {"BaseUrl": "https://images.example.com"}
        system = LocalSystem(Path(folder) / "system", 0, print, parameters)
        state = system.start()
        try:
            dynamodb = state.endpoint.client("dynamodb")
            add_example_keys(DynamoApiKeys(dynamodb, state.resources.keys_table))
            for function in FUNCTIONS:
                shutil.rmtree(EVENTS / function, ignore_errors=True)
            record_uploads(state, picture)
            record_json_requests(state)
            record_authorizations(state)
            record_objects(state, picture.read_bytes())
            write_ready_picture(state.aws.region)
            write_schedule(state)
            write_deletions(state)
            write_products(state)
            write_messages(state)
            write_origin(recorded_from)
        finally:
            system.stop()


if __name__ == "__main__":
    main()
