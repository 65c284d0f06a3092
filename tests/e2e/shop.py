"""The service as its users have it: requests out, answers in, and a look at what became of a picture."""

import hashlib
from dataclasses import dataclass
from typing import Any

import httpx

from domain.image import ImageFormat, ImageRef, ProductImage
from local.system import State


@dataclass(frozen=True, slots=True)
class Shop:
    """A running system, seen from outside."""

    state: State

    def upload(
        self,
        content: bytes,
        *,
        name: str = "picture.jpg",
        product_id: int | str = 123,
        key: str | None = None,
        **fields: str,
    ) -> httpx.Response:
        """Send a picture as staff, or with another key."""
        return httpx.post(
            self.url(product_id),
            headers={"Authorization": f"Token {key or self.state.keys['staff']}"},
            files={"image": (name, content)},
            data=fields,
            timeout=60,
        )

    def url(self, product_id: int | str = 123) -> str:
        """Return the URL of a product's images."""
        return f"{self.state.api_url}/api/products/{product_id}/images"

    def finished(self, body: dict[str, Any]) -> ProductImage:
        """Wait until the picture of this 201 is ready or failed, and return its record."""
        return self.state.finished(body["product_id"], body["id"])

    def stored_sha256(self, body: dict[str, Any]) -> str:
        """Return the SHA-256 of the bytes in S3."""
        ref = ImageRef(body["product_id"], body["id"], ImageFormat[body["type"]])
        s3 = self.state.endpoint.client("s3")
        stored = s3.get_object(Bucket=self.state.resources.bucket, Key=ref.key)["Body"].read()
        return hashlib.sha256(stored).hexdigest()
