"""The upload with Django REST framework and django-storages: an API view, a form with an `ImageField`."""

import os
import uuid
from datetime import UTC, datetime
from typing import Any

import boto3
import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["api.shop.example"],
    INSTALLED_APPS=["rest_framework", "storages"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="bench",  # noqa: S106 - nothing is signed with it
    STORAGES={
        "default": {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {"bucket_name": os.environ["BUCKET"], "querystring_auth": False},
        }
    },
    REST_FRAMEWORK={
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
    },
    USE_TZ=True,
)
django.setup()

# They read the settings when they are imported.
from django.core.files.storage import default_storage  # noqa: E402
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import serializers, status  # noqa: E402
from rest_framework.authentication import BaseAuthentication  # noqa: E402
from rest_framework.exceptions import NotFound  # noqa: E402
from rest_framework.parsers import MultiPartParser  # noqa: E402
from rest_framework.permissions import BasePermission  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

dynamodb = boto3.resource("dynamodb").meta.client


class GivenUser(BaseAuthentication):  # type: ignore[misc] # published without types
    """The user whom the layer before this one has let in."""

    def authenticate(self, request: Request) -> tuple[dict[str, Any], None]:
        """Return the user and no further credentials."""
        return request.META["given_user"], None


class IsStaff(BasePermission):  # type: ignore[misc] # published without types
    """Lets staff in."""

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 - the framework's
        """Tell whether the user may upload."""
        return bool(request.user["role"] == "staff")


class UploadSerializer(serializers.Serializer):  # type: ignore[misc] # published without types
    """The form."""

    image = serializers.ImageField()
    alt_text = serializers.CharField(required=False, default="", allow_blank=True)
    is_primary = serializers.BooleanField(required=False, default=False)
    order = serializers.IntegerField(required=False, default=0)


class UserSerializer(serializers.Serializer):  # type: ignore[misc] # published without types
    """Who uploaded the picture."""

    id = serializers.IntegerField()
    username = serializers.CharField()
    full_name = serializers.CharField()


class ProductImageSerializer(serializers.Serializer):  # type: ignore[misc] # published without types
    """The answer."""

    id = serializers.IntegerField()
    type = serializers.CharField()
    user = UserSerializer()
    name = serializers.CharField()
    f = serializers.CharField()
    size = serializers.IntegerField()
    description = serializers.CharField()
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    human_readable_size = serializers.CharField()
    mode = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ProductImages(APIView):  # type: ignore[misc] # published without types
    """A product's pictures."""

    authentication_classes = (GivenUser,)
    permission_classes = (IsStaff,)
    parser_classes = (MultiPartParser,)

    def post(self, request: Request, product_id: int) -> Response:
        """Store a picture of a product."""
        serializer = UploadSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        form = serializer.validated_data
        image = form["image"]
        image_id = uuid.uuid4().int >> 75
        name = f"originals/{product_id}/{image_id}"
        now = datetime.now(UTC)
        stored = ProductImageSerializer(
            {
                "id": image_id,
                "type": image.image.format,
                "user": request.user,
                "name": image.name,
                "f": default_storage.url(name),
                "size": image.size,
                "description": form["alt_text"],
                "width": None,
                "height": None,
                "human_readable_size": f"{image.size / 1024 / 1024:.1f} MB",
                "mode": None,
                "created_at": now,
                "updated_at": now,
            }
        ).data
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
                **stored,
                "is_primary": form["is_primary"],
                "order": form["order"],
            },
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        try:
            dynamodb.transact_write_items(TransactItems=[{"Put": record}, {"Update": count}])
        except dynamodb.exceptions.TransactionCanceledException as error:
            raise NotFound("The product does not exist.") from error
        default_storage.save(name, image)
        return Response(stored, status=status.HTTP_201_CREATED)


urlpatterns = [path("api/products/<int:product_id>/images", ProductImages.as_view())]
application = WSGIHandler()
