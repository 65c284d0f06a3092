"""What tests are made of: records, pictures, requests, events, and empty stores to put them in."""

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from aws_lambda_powertools.utilities.typing import LambdaContext
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from adapters.dynamo_gallery import GALLERY_INDEX
from adapters.dynamo_image_catalog import OPEN_INDEX
from adapters.dynamo_product_list import PRODUCTS_INDEX
from domain.api_key import ApiKey, Role
from domain.claim import BegunPicture, Claim
from domain.contention import until_undisturbed
from domain.failure import Failure
from domain.image import ImageFacts, ImageFormat, ImageRef, ImageStatus, ProductImage, PublicFile
from domain.image_details import ImageDetails
from domain.product_record import ProductRecord, Stage
from domain.rendition import Look, Placeholder, Rendition
from domain.user import User
from tests.forms import FORM_TYPE

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

    from domain.product_ports import Products

NOW = datetime(2026, 3, 14, 9, 26, 53, 589793, tzinfo=UTC)
USER = User(7, "maria", "María López")
PRODUCT_ID = 42
REQUEST_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
REMAINING_MILLISECONDS = 28_000
TOKEN = "5eed0123456789ab"  # noqa: S105 - of addresses
SHA256 = "c0ffee" + 29 * "00"
KEY_ID = "0123456789abcdef"
OPERATOR = "arn:aws:iam::123456789012:user/ola"
TRY = "a try of a request"
BASE_URL = "https://shop.example"
DAMAGED = Failure("corrupt", "It is damaged.")
IMAGES_PATH = "/api/products/{product_id}/images"
IMAGE_PATH = f"{IMAGES_PATH}/{{image_id}}"
PRODUCTS_PATH = "/api/products"
PRODUCT_PATH = f"{PRODUCTS_PATH}/{{product_id}}"
STOREFRONT_PATH = "/api/storefront/products/{product_id}/images"
PRIMARIES_PATH = "/api/storefront/primary-images"


def a_ref(image_id: int = 1, product_id: int = PRODUCT_ID) -> ImageRef:
    return ImageRef(product_id, image_id, TOKEN)


def an_image(**changes: Any) -> ProductImage:  # noqa: ANN401 - any field of a record
    """Return a record as an upload makes it, with `changes` to its fields and its details."""
    image = ProductImage(
        ref=a_ref(),
        image_format=ImageFormat.JPEG,
        user=USER,
        name="shoe.jpg",
        size_bytes=2_621_440,
        details=ImageDetails(alt_text="A red shoe"),
        primary_requested_at=None,
        announcement=None,
        created_at=NOW,
        updated_at=NOW,
    )
    return with_changes(image, **changes)


def with_changes(image: ProductImage, **changes: Any) -> ProductImage:  # noqa: ANN401 - as `an_image`
    """Return the record with `changes` to its fields and its details."""
    details = {name: changes.pop(name) for name in ImageDetails._fields if name in changes}
    return replace(image, **{"details": image.details._replace(**details), **changes})


SAID = ImageDetails._make(
    f"A {name}" if isinstance(default, str) else default + 7
    for name, default in ImageDetails._field_defaults.items()
)
"""Every detail there is, none of them as it is where nothing is said, and none like another."""


def an_image_sent(at: datetime, *, is_primary: bool, **changes: Any) -> ProductImage:  # noqa: ANN401 - as `an_image`
    """Return a record as of the moment that the picture was sent, perhaps to be the primary."""
    requested_at = at if is_primary else None
    return an_image(primary_requested_at=requested_at, created_at=at, updated_at=at, **changes)


def a_file(**changes: Any) -> PublicFile:  # noqa: ANN401 - any field of a public file
    """Return what the metadata function finds the public copy to be."""
    file = PublicFile(ImageFormat.JPEG, 2_621_440, SHA256, ImageFacts(48, 32, "RGB"))
    return file._replace(**changes)


def a_ready_image(**changes: Any) -> ProductImage:  # noqa: ANN401 - as `an_image`
    ready = {"status": ImageStatus.READY, "facts": ImageFacts(48, 32, "RGB"), "sha256": SHA256}
    return an_image(**{**ready, **changes})


A_LOOK = Look(
    recipe="r1",
    renditions=(
        Rendition(320, 213, ImageFormat.AVIF, 7_204),
        Rendition(640, 427, ImageFormat.AVIF, 19_980),
        Rendition(320, 213, ImageFormat.JPEG, 17_411),
        Rendition(320, 213, ImageFormat.WEBP, 51_002, is_animated=True),
    ),
    placeholder=Placeholder(bytes(range(21)), "#b4533c"),
    has_alpha=False,
    frames=3,
)
"""What was made of a picture that moves."""


def an_api_key(**changes: Any) -> ApiKey:  # noqa: ANN401 - any field of a record
    key = ApiKey(
        id=KEY_ID,
        user=USER,
        role=Role.STAFF,
        is_active=True,
        expires_at=None,
        created_at=NOW,
        prefix="pik_abcdef",
        issued_by=OPERATOR,
    )
    return replace(key, **changes)


def a_claim(**changes: Any) -> Claim:  # noqa: ANN401 - any field of a claim
    """Return a claim that a function made which may still be running."""
    claim = Claim(
        request="POST /images 0123",
        token=TRY,
        held_until=NOW + timedelta(seconds=28),
        picture=BegunPicture(1, NOW),
        is_counted=True,
        answer=None,
        expires_at=NOW.replace(microsecond=0) + timedelta(hours=24),
    )
    return claim._replace(**changes)


def picture(
    pillow_format: str,
    width_px: int = 48,
    height_px: int = 32,
    mode: str = "RGB",
    frames: int = 1,
    **options: object,
) -> bytes:
    """Return a picture that differs from pixel to pixel and from frame to frame."""
    first, *others = (_frame(index, (width_px, height_px), mode) for index in range(frames))
    if others:
        options |= {"save_all": True, "append_images": others}
    content = io.BytesIO()
    first.save(content, pillow_format, **options)
    return content.getvalue()


def _frame(index: int, size: tuple[int, int], mode: str) -> Image.Image:
    gradient = Image.radial_gradient("L").rotate(index * 30).resize(size)
    frame = gradient.convert(mode)
    if mode == "RGBA":
        # Encoders drop an alpha channel that hides nothing.
        frame.putalpha(gradient)
    return frame


def jpeg(width_px: int = 48, height_px: int = 32, mode: str = "RGB", **options: object) -> bytes:
    return picture("JPEG", width_px, height_px, mode, frames=1, **options)


def exif(orientation: int) -> bytes:
    """Return EXIF data that says how a camera was held."""
    data = Image.Exif()
    data[ExifTags.Base.Orientation] = orientation
    return data.tobytes()


PRIVATE = (
    "OWNER-OF-CAMERA",
    "MAKER-NOTE",
    "SERIAL-0815",
    "WHO-MADE-IT",
    "PLACE-OF-PICTURE",
    "48858093",
    "2294693",
)
"""What `private_exif` holds, as it would show in a text."""


def private_exif() -> bytes:
    """Return EXIF data that says where a picture was taken, by whom and with what."""
    owner, maker_note, serial, artist, place, latitude, longitude = PRIVATE
    data = Image.Exif()
    data[ExifTags.Base.Orientation] = 6
    data[ExifTags.Base.Artist] = artist
    data[ExifTags.IFD.Exif] = {
        ExifTags.Base.CameraOwnerName: owner,
        ExifTags.Base.BodySerialNumber: serial,
        ExifTags.Base.MakerNote: maker_note.encode(),
    }
    data[ExifTags.IFD.GPSInfo] = {
        ExifTags.GPS.GPSLatitudeRef: "N",
        ExifTags.GPS.GPSLatitude: (IFDRational(int(latitude), 1_000_000), 0, 0),
        ExifTags.GPS.GPSLongitudeRef: "E",
        ExifTags.GPS.GPSLongitude: (IFDRational(int(longitude), 1_000_000), 0, 0),
        ExifTags.GPS.GPSAreaInformation: place.encode(),
    }
    return data.tobytes()


def api_event(
    method: str,
    resource: str,
    *,
    path: Mapping[str, int | str],
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    body: str | None = None,
    is_base64: bool = False,
    user: User = USER,
) -> dict[str, Any]:
    """Return what API Gateway makes of a request: headers as the client wrote them, context as strings."""
    return {
        "httpMethod": method,
        "resource": resource,
        "path": resource.format(**path),
        "pathParameters": {name: str(value) for name, value in path.items()},
        "queryStringParameters": dict(query) if query else None,
        "headers": dict(headers or {}),
        "stageVariables": {"base_url": BASE_URL},
        "requestContext": {
            "extendedRequestId": REQUEST_ID,
            "authorizer": {
                "user_id": str(user.id),
                "username": user.username,
                "full_name": user.full_name,
                "role": "staff",
                "key_id": KEY_ID,
            },
        },
        "body": body,
        "isBase64Encoded": is_base64,
    }


def upload_event(
    body: bytes,
    content_type: str = FORM_TYPE,
    product_id: str = str(PRODUCT_ID),
    headers: Mapping[str, str] | None = None,
    user: User = USER,
) -> dict[str, Any]:
    """Return what API Gateway makes of an upload."""
    return api_event(
        "POST",
        IMAGES_PATH,
        path={"product_id": product_id},
        headers={"Content-Type": content_type, **(headers or {})},
        body=base64.b64encode(body).decode(),
        is_base64=True,
        user=user,
    )


def json_event(
    method: str,
    resource: str,
    body: object,
    *,
    headers: Mapping[str, str] | None = None,
    user: User = USER,
    **path: int | str,
) -> dict[str, Any]:
    """Return what API Gateway makes of a request with a JSON body, to the product unless `path` says more.

    Bytes are sent as they are.
    """
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return api_event(
        method,
        resource,
        path={"product_id": PRODUCT_ID, **path},
        headers={"Content-Type": "application/json", **(headers or {})},
        body=base64.b64encode(content).decode(),
        is_base64=True,
        user=user,
    )


def object_created(*keys: str) -> dict[str, Any]:
    """Return what S3 tells of new objects; it writes their keys as in a URL's query."""
    objects = [{"key": quote_plus(key, safe="/")} for key in keys]
    return {"Records": [{"s3": {"object": described}} for described in objects]}


def a_context(remaining_ms: int = REMAINING_MILLISECONDS) -> LambdaContext:
    return _Context(remaining_ms)


class _Context(LambdaContext):
    _aws_request_id = REQUEST_ID

    def __init__(self, remaining_ms: int) -> None:
        self._remaining_ms = remaining_ms

    # powertools' class says that it is static, which the runtime's is not.
    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override]
        return self._remaining_ms


CATALOG_TABLE: dict[str, Any] = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "S"},
        {"AttributeName": "place", "AttributeType": "S"},
        {"AttributeName": "open_shard", "AttributeType": "S"},
        {"AttributeName": "open_since", "AttributeType": "S"},
        {"AttributeName": "listing", "AttributeType": "S"},
        {"AttributeName": "product_id", "AttributeType": "N"},
    ],
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "LocalSecondaryIndexes": [
        {
            "IndexName": GALLERY_INDEX,
            "KeySchema": [
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "place", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": OPEN_INDEX,
            "KeySchema": [
                {"AttributeName": "open_shard", "KeyType": "HASH"},
                {"AttributeName": "open_since", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        },
        {
            "IndexName": PRODUCTS_INDEX,
            "KeySchema": [
                {"AttributeName": "listing", "KeyType": "HASH"},
                {"AttributeName": "product_id", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["search"]},
        },
    ],
}
"""The catalogue's table; a test holds the template to it."""


def a_catalog_table(client: "DynamoDBClient") -> str:
    name = "catalog"
    client.create_table(TableName=name, **CATALOG_TABLE)
    return name


def a_keys_table(client: "DynamoDBClient") -> str:
    name = "keys"
    client.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "key_hash", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "key_hash", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


IDEMPOTENCY_TABLE: dict[str, Any] = {
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}
"""The table of idempotency keys and counts; a test holds the template to it."""


def an_idempotency_table(client: "DynamoDBClient") -> str:
    name = "idempotency"
    client.create_table(TableName=name, **IDEMPOTENCY_TABLE)
    return name


def a_bucket(client: "S3Client") -> str:
    name = "images"
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def a_distribution(client: "CloudFrontClient") -> str:
    """Make a CDN that shows nothing yet; return its identifier."""
    made = client.create_distribution(
        DistributionConfig={
            "CallerReference": "a test",
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [{"Id": "images", "DomainName": "images.example.com"}]},
            "DefaultCacheBehavior": {"TargetOriginId": "images", "ViewerProtocolPolicy": "https-only"},
        }
    )
    return made["Distribution"]["Id"]


def remove_product(products: "Products", product_id: int) -> bool:
    """Remove a product that has no pictures; return whether it was there."""

    def begin() -> ProductRecord | None:
        seen = products.look(product_id)
        if seen.stage is not Stage.PRESENT:
            return seen
        changed = seen.removed(NOW)
        return changed if products.write(seen, changed, is_empty=True) else None

    begun = until_undisturbed(begin)
    return begun.stage is Stage.BEING_REMOVED and products.write(begun, begun.without_belongings())
