"""What was made of pictures for storefronts: which lack it, and which files nothing points to any more."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import batched

from adapters.dynamo_items import image_from_item, is_product
from domain.errors import ImageRecordDamagedError
from domain.image import ImageStatus, ProductImage
from domain.recipe import Recipe, read_widths
from ops.catalogue import items, items_of
from ops.target import Target

POINTED_TO = timedelta(hours=1)
"""How long pages that were loaded before may still ask for the files of an earlier recipe."""
_RENDITION_KEY = re.compile(r"(media/[0-9]+/[0-9]+-[0-9a-f]{16})/([^/]+)/[^/]+")
_KEYS_PER_CALL = 1_000
"""The most that S3 deletes at once (S3 API reference, DeleteObjects)."""


def recipe_of(parameters: Mapping[str, str]) -> Recipe:
    """Return the recipe that a stack with these parameters makes files by."""
    return Recipe(
        read_widths(parameters["RenditionWidths"]),
        read_widths(parameters["FallbackWidths"]),
        int(parameters["AvifQuality"]),
        int(parameters["AvifSpeed"]),
    )


def ready_images(target: Target, product_id: int | None) -> Iterator[ProductImage]:
    """Read the pictures that are ready, of one product or of all; those that cannot be read are left out."""
    for item in items_of(target, product_id) if product_id else items(target):
        if is_product(item):
            continue
        try:
            image = image_from_item(item)
        except (ImageRecordDamagedError, ValueError):
            # `product-images repair audit` names them.
            continue
        if image.status is ImageStatus.READY:
            yield image


def public_keys(target: Target, product_id: int | None) -> frozenset[str]:
    """Return the keys of all that is public, of one product or of all."""
    prefix = f"media/{product_id}/" if product_id else "media/"
    pages = target.clients.s3().get_paginator("list_objects_v2").paginate(Bucket=target.bucket, Prefix=prefix)
    return frozenset(stored["Key"] for page in pages for stored in page.get("Contents", []))


def old_files(
    target: Target, images: Sequence[ProductImage], product_id: int | None, recipe: Recipe, now: datetime
) -> list[str]:
    """Return the keys of files that another recipe made, to which no record has pointed for an hour.

    Only pictures count that had files of this recipe when they were read: of any other they may have been
    made since, and its record points to them by now.
    """
    settled = {
        image.ref.media_prefix
        for image in images
        if image.look and image.look.recipe == recipe.name and image.updated_at < now - POINTED_TO
    }
    keys = sorted(public_keys(target, product_id))
    matches = filter(None, map(_RENDITION_KEY.fullmatch, keys))
    return [match[0] for match in matches if match[1] in settled and match[2] != recipe.name]


def remove_files(target: Target, keys: Sequence[str]) -> dict[str, str]:
    """Remove objects; as everything public, they can be brought back for some days.

    Returns the keys of those that S3 did not remove, each with S3's code for why.
    """
    s3, stay = target.clients.s3(), dict[str, str]()
    for some in batched(keys, _KEYS_PER_CALL, strict=False):
        answer = s3.delete_objects(
            Bucket=target.bucket, Delete={"Objects": [{"Key": key} for key in some], "Quiet": True}
        )
        # The answer is a 200 whatever became of each key.
        stay |= {error["Key"]: error["Code"] for error in answer.get("Errors", [])}
    return stay
