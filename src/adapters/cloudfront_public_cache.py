"""The CDN's cache: what CloudFront keeps of the pictures that it has shown."""

from typing import TYPE_CHECKING

from adapters.aws import passing_errors_as_unavailable, with_patience
from domain.image import ImageRef

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

_TOO_MANY = "TooManyInvalidationsInProgress"
"""15 paths with a wildcard may be under way in a distribution (CloudFront developer guide, "Concurrent
invalidation request maximum")."""


class CloudFrontPublicCache:
    """Invalidates one path for each picture, which is what CloudFront counts and bills."""

    def __init__(self, client: "CloudFrontClient", distribution_id: str) -> None:
        self._client = client
        self._distribution_id = distribution_id

    def forget(self, ref: ImageRef, reason: str) -> None:
        """Invalidate all addresses of the picture."""
        self._invalidate(ref.addresses, reason)

    def forget_product(self, product_id: int, removal: str) -> None:
        """Invalidate what lies below the product, as one path."""
        self._invalidate(f"/media/{product_id}/*", removal)

    def _invalidate(self, path: str, reference: str) -> None:
        """Create an invalidation, or meet the earlier one with the same reference.

        CloudFront answers a second request with it by the invalidation of the first one (its API reference,
        CreateInvalidation).
        """
        with passing_errors_as_unavailable():
            with_patience(
                lambda: self._client.create_invalidation(
                    DistributionId=self._distribution_id,
                    InvalidationBatch={
                        "Paths": {"Quantity": 1, "Items": [path]},
                        "CallerReference": reference,
                    },
                ),
                _TOO_MANY,
            )
