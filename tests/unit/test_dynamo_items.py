"""How records look in DynamoDB: nothing gets lost on the way, and what is missing costs little."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from adapters.aws import dynamodb_client
from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_items import (
    Item,
    count_from_item,
    details_to_attributes,
    failure_to_attributes,
    image_from_item,
    image_key,
    image_to_item,
    images_from_items,
    look_from_item,
    look_to_attributes,
    product_to_item,
)
from domain.errors import ImageRecordDamagedError
from domain.failure import Failure
from domain.image import (
    Announcement,
    Fetch,
    ImageFacts,
    ImageFormat,
    ImageSnapshot,
    ImageStatus,
    ProductImage,
)
from domain.image_details import ImageDetails
from domain.rendition import Rendition
from tests.builders import A_LOOK, DAMAGED, NOW, PRODUCT_ID, SAID, SHA256, an_image, with_changes
from tests.integration.faults import hook

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LATER = NOW + timedelta(seconds=1)
UNSAID = ImageDetails()
FETCH = Fetch("https://example.com/a.jpg", tries=3, next_at=LATER, slow_tries=2)
NEW = an_image(
    details=SAID, primary_requested_at=NOW, announcement=Announcement("0" * 64, LATER), fetch=FETCH
)
COMPLETED = replace(
    NEW,
    status=ImageStatus.READY,
    facts=ImageFacts(48, 32, "RGB"),
    look=A_LOOK,
    failure=DAMAGED,
    sha256=SHA256,
)
ITEM: Item = {
    **image_to_item(NEW),
    "status": {"S": "ready"},
    "width": {"N": "48"},
    "height": {"N": "32"},
    "mode": {"S": "RGB"},
    **look_to_attributes(A_LOOK),
    "recipes": {"SS": [A_LOOK.recipe]},
    "error": {"S": "It is damaged."},
    "error_code": {"S": "corrupt"},
    "sha256": {"S": SHA256},
}
"""An item with every attribute there is."""

DEMANDED = {
    "token",
    "type",
    "user_id",
    "username",
    "full_name",
    "name",
    "size",
    "created_at",
    "updated_at",
}
"""What the first contract promises, without a null."""
KEY = {"pk", "sk"}
CHANGED_BY_MISSING: dict[str, dict[str, object]] = {
    **{name: {name: default} for name, default in UNSAID._asdict().items()},
    "primary_requested_at": {"primary_requested_at": None},
    "form_expires_at": {"announcement": None},
    "announced_sha256": {"announcement": Announcement(None, LATER)},
    "fetch_url": {"fetch": None},
    "fetch_tries": {"fetch": FETCH._replace(tries=0)},
    "fetch_slow_tries": {"fetch": FETCH._replace(slow_tries=0)},
    "fetch_next_at": {"fetch": FETCH._replace(next_at=None)},
    "status": {"status": ImageStatus.PENDING},
    **{name: {"facts": None} for name in ("width", "height", "mode")},
    **{name: {"look": None} for name in look_to_attributes(A_LOOK)},
    "recipes": {"look": A_LOOK._replace(is_only=False)},
    "error": {"failure": None},
    "error_code": {"failure": DAMAGED._replace(code=None)},
    "sha256": {"sha256": None},
    **{name: {} for name in ("product_id", "image_id", "place", "open_shard", "open_since")},
}
"""By attribute what is different in a record that lacks it."""


def test_every_attribute_is_either_demanded_or_has_a_default() -> None:
    assert ITEM.keys() == KEY | DEMANDED | CHANGED_BY_MISSING.keys()


def test_a_new_record_comes_back_as_it_was_written() -> None:
    assert image_from_item(image_to_item(NEW)) == NEW


def test_a_completed_record_is_read_in_full() -> None:
    assert image_from_item(ITEM) == COMPLETED


@pytest.mark.parametrize("failure", [DAMAGED, DAMAGED._replace(code=None)])
def test_why_a_picture_failed_comes_back_as_it_was_written(failure: Failure) -> None:
    item = {**image_to_item(NEW), **failure_to_attributes(failure)}
    assert image_from_item(item).failure == failure


def test_what_was_made_of_a_picture_is_kept_shortly() -> None:
    files = tuple(Rendition(width, width, ImageFormat.AVIF, 50 * width) for width in range(160, 1_600, 120))
    item = look_to_attributes(A_LOOK._replace(renditions=files))
    assert len(files) == 12
    assert sum(len(name) + len(str(value)) for name, value in item.items()) < 420
    assert look_from_item({**item, "recipes": ITEM["recipes"]}) == A_LOOK._replace(renditions=files)


def test_a_picture_of_which_no_file_was_made_is_not_one_that_waits_for_them() -> None:
    look = A_LOOK._replace(renditions=())
    assert look_from_item({**look_to_attributes(look), "recipes": ITEM["recipes"]}) == look


@pytest.mark.parametrize("name", ImageDetails._fields)
def test_each_detail_has_an_attribute_of_its_own(name: str) -> None:
    image = an_image(details=UNSAID._replace(**{name: getattr(SAID, name)}))
    item = {**image_to_item(an_image(details=UNSAID)), **details_to_attributes(image)}
    assert image_from_item(item) == image


@pytest.mark.parametrize(("name", "changes"), CHANGED_BY_MISSING.items(), ids=CHANGED_BY_MISSING)
def test_a_record_from_before_an_attribute_reads_with_its_default(
    name: str, changes: dict[str, object]
) -> None:
    assert image_from_item(without(name)) == with_changes(COMPLETED, **changes)


@pytest.mark.parametrize("name", sorted(DEMANDED))
def test_a_record_without_what_was_always_there_is_damaged_and_says_where(name: str) -> None:
    with pytest.raises(ImageRecordDamagedError) as caught:
        image_from_item(without(name))
    error = caught.value
    assert (error.product_id, error.image_id, error.attribute) == (PRODUCT_ID, 1, name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("type", {"S": "TIFF"}),
        ("status", {"S": "lost"}),
        ("size", {"N": "1.5"}),
        ("size", {"S": "1"}),
        ("alt_text", {"NULL": True}),
        ("order", {"S": "first"}),
        ("width", {"N": "wide"}),
        ("created_at", {"S": "yesterday"}),
        ("updated_at", {"S": "2026-03-14T09:26:53"}),
        ("form_expires_at", {"S": ""}),
        ("error_code", {"S": "out of luck"}),
        ("renditions", {"S": "r1 320.AVIF"}),
        ("renditions", {"S": "r1 320x213.TIFF:7204"}),
        ("renditions", {"N": "1"}),
        ("placeholder", {"S": "no base64#b4533c"}),
        ("has_alpha", {"S": "no"}),
        ("frames", {"S": "3"}),
    ],
)
def test_an_attribute_that_holds_what_it_cannot_hold_is_damage_and_no_default(
    name: str, value: Mapping[str, object]
) -> None:
    with pytest.raises(ImageRecordDamagedError) as caught:
        image_from_item({**ITEM, name: value})
    assert caught.value.attribute == name


def test_a_key_that_names_no_picture_is_damage() -> None:
    with pytest.raises(ImageRecordDamagedError) as caught:
        image_from_item({**ITEM, "sk": {"S": "IMAGE#front"}})
    error = caught.value
    assert (error.product_id, error.image_id, error.attribute) == (PRODUCT_ID, 0, "sk")


def test_a_damaged_record_does_not_keep_the_others_from_being_read() -> None:
    items = [ITEM, without("size"), without("alt_text")]
    images, damaged = images_from_items(items)
    assert images == [COMPLETED, with_changes(COMPLETED, alt_text=UNSAID.alt_text)]
    assert [error.attribute for error in damaged] == ["size"]


def test_a_product_that_counts_nothing_yet_has_counted_none() -> None:
    product = product_to_item(PRODUCT_ID)
    assert count_from_item({**product, "image_count": {"N": "3"}}) == 3
    del product["image_count"]
    assert count_from_item(product) == 0


# --- What the catalogue sends ------------------------------------------------------------------------------


def change(catalog: DynamoImageCatalog, seen: ProductImage, changed: ProductImage) -> bool:
    return catalog.change(ImageSnapshot(seen, None), ImageSnapshot(changed, None))


def reorder(catalog: DynamoImageCatalog, seen: ProductImage, changed: ProductImage) -> bool:
    return catalog.reorder([seen], [changed])


@pytest.mark.parametrize("write", [change, reorder])
def test_whatever_writes_a_record_again_writes_every_detail(
    write: Callable[[DynamoImageCatalog, ProductImage, ProductImage], bool],
) -> None:
    seen, changed = an_image(details=UNSAID), an_image(details=SAID, updated_at=LATER)
    client = dynamodb_client()
    sent = record(client)
    assert write(DynamoImageCatalog(client, "t"), seen, changed)
    [params] = [each for each in sent if "TransactItems" in each]
    # The product's item, beside it, says where the gallery begins.
    [written] = [
        each["Update"]
        for each in params["TransactItems"]
        if each.get("Update", {}).get("Key") == image_key(PRODUCT_ID, seen.ref.image_id)
    ]
    assert image_from_item({**image_to_item(seen), **set_by(written)}) == changed


def record(client: "DynamoDBClient") -> list[dict[str, Any]]:
    """Let each call succeed without being made; return what each is given."""
    sent: list[dict[str, Any]] = []
    hook(client, "provide-client-params", lambda params, **_: sent.append(params))
    hook(client, "before-call", lambda **_: (AWSResponse("", 200, HTTPHeaders(), None), {"Items": []}))
    return sent


def set_by(update: Mapping[str, Any]) -> Item:
    """Return the attributes that an update sets."""
    names, values = update["ExpressionAttributeNames"], update["ExpressionAttributeValues"]
    pairs = re.findall(r"(#\w+) = (:\w+)", update["UpdateExpression"])
    return {names[name]: values[value] for name, value in pairs}


def without(name: str) -> Item:
    return {other: value for other, value in ITEM.items() if other != name}
