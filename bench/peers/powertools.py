"""The upload with Powertools for AWS Lambda: its event handler, `File` and `Form` parameters, validation."""

import io
import os
import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.exceptions import BadRequestError, NotFoundError
from aws_lambda_powertools.event_handler.openapi.params import File, Form, UploadFile
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from PIL import Image, UnidentifiedImageError
from pydantic import BaseModel

tracer = Tracer()
logger = Logger()
metrics = Metrics()
app = APIGatewayRestResolver(enable_validation=True)

dynamodb = boto3.resource("dynamodb").meta.client
s3 = boto3.client("s3")


class User(BaseModel):
    """Who uploaded the picture."""

    id: int
    username: str
    full_name: str


class ProductImage(BaseModel):
    """The answer."""

    id: int
    type: str
    user: User
    name: str
    f: str
    size: int
    description: str
    width: int | None
    height: int | None
    human_readable_size: str
    mode: str | None
    created_at: datetime
    updated_at: datetime


@app.post("/api/products/<product_id>/images")
@tracer.capture_method
def upload_image(
    product_id: int,
    image: Annotated[UploadFile, File()],
    alt_text: Annotated[str, Form()] = "",
    is_primary: Annotated[bool, Form()] = False,
    order: Annotated[int, Form()] = 0,
) -> tuple[ProductImage, int]:
    """Store a picture of a product."""
    try:
        picture = Image.open(io.BytesIO(image.content))
    except UnidentifiedImageError as error:
        raise BadRequestError("The file is not a picture.") from error
    authorizer = app.current_event.request_context.authorizer
    user = User(
        id=int(authorizer["user_id"]), username=authorizer["username"], full_name=authorizer["full_name"]
    )
    image_id = uuid.uuid4().int >> 75
    key = f"originals/{product_id}/{image_id}"
    now = datetime.now(UTC)
    stored = ProductImage(
        id=image_id,
        type=str(picture.format),
        user=user,
        name=image.filename or "image",
        f=f"https://shop.example/media/{key}",
        size=len(image.content),
        description=alt_text,
        width=None,
        height=None,
        human_readable_size=f"{len(image.content) / 1024 / 1024:.1f} MB",
        mode=None,
        created_at=now,
        updated_at=now,
    )
    item: dict[str, Any] = stored.model_dump(mode="json")
    count: Any = {
        "TableName": os.environ["TABLE"],
        "Key": {"pk": f"PRODUCT#{product_id}", "sk": "PRODUCT"},
        "UpdateExpression": "ADD image_count :one",
        "ConditionExpression": "attribute_exists(pk)",
        "ExpressionAttributeValues": {":one": 1},
    }
    record: Any = {
        "TableName": os.environ["TABLE"],
        "Item": {
            "pk": f"PRODUCT#{product_id}",
            "sk": f"IMAGE#{image_id}",
            **item,
            "is_primary": is_primary,
            "order": order,
        },
        "ConditionExpression": "attribute_not_exists(pk)",
    }
    try:
        dynamodb.transact_write_items(TransactItems=[{"Put": record}, {"Update": count}])
    except dynamodb.exceptions.TransactionCanceledException as error:
        raise NotFoundError("The product does not exist.") from error
    s3.put_object(
        Bucket=os.environ["BUCKET"],
        Key=key,
        Body=image.content,
        ContentType=f"image/{picture.format}".lower(),
    )
    metrics.add_metric(name="Uploads", unit=MetricUnit.Count, value=1)
    logger.info("image stored", image_id=image_id)
    return stored, 201


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer an event of API Gateway."""
    return app.resolve(event, context)
