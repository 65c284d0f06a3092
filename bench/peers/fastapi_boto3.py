"""The upload with FastAPI and boto3, by FastAPI's tutorial ("Request Forms and Files")."""

import os
import uuid
from datetime import UTC, datetime
from typing import Annotated, Any

import boto3
from fastapi import Depends, FastAPI, File, Form, HTTPException, Request, UploadFile
from PIL import Image, UnidentifiedImageError
from pydantic import BaseModel

app = FastAPI()

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


def current_user(request: Request) -> User:
    """Return the user whom the layer before this one has let in."""
    return User(**request.scope["user"])


@app.post("/api/products/{product_id}/images", status_code=201)  # type: ignore[untyped-decorator]
def upload_image(
    product_id: int,
    user: Annotated[User, Depends(current_user)],
    image: Annotated[UploadFile, File()],
    alt_text: Annotated[str, Form()] = "",
    is_primary: Annotated[bool, Form()] = False,
    order: Annotated[int, Form()] = 0,
) -> ProductImage:
    """Store a picture of a product."""
    try:
        picture = Image.open(image.file)
    except UnidentifiedImageError as error:
        raise HTTPException(status_code=400, detail="The file is not a picture.") from error
    image.file.seek(0)
    content = image.file.read()
    image_id = uuid.uuid4().int >> 75
    key = f"originals/{product_id}/{image_id}"
    now = datetime.now(UTC)
    stored = ProductImage(
        id=image_id,
        type=str(picture.format),
        user=user,
        name=image.filename or "image",
        f=f"https://shop.example/media/{key}",
        size=len(content),
        description=alt_text,
        width=None,
        height=None,
        human_readable_size=f"{len(content) / 1024 / 1024:.1f} MB",
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
        raise HTTPException(status_code=404, detail="The product does not exist.") from error
    s3.put_object(
        Bucket=os.environ["BUCKET"], Key=key, Body=content, ContentType=f"image/{picture.format}".lower()
    )
    return stored
