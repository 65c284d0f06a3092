"""Every right of every role is needed: without it, and with all others, something a shop does fails.

A probe is the smallest use of a function that needs a right. It says in a few words what came of it, once
with the role as it is deployed and once without that right. The emulator looks at the role at each call, so
that workers may stay warm.
"""

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import httpx
import pytest

from adapters.dynamo_api_keys import DynamoApiKeys
from adapters.dynamo_items import product_key
from adapters.dynamo_products import DynamoProducts
from adapters.lambda_renderings import ready_event
from adapters.s3_image_store import S3ImageStore
from domain.api_key import Role
from domain.follow_catalogue import CatalogueEventKind
from domain.image import Fetch, ImageFacts, ImageFormat, ImageRef, ProductImage
from domain.image_store import PublicCopy
from domain.issue_key import IssueKey
from domain.reconcile import PATIENCE
from domain.user import User
from local.sample import sample_jpeg
from local.system import State, wait_until
from local.template import ROOT
from tests.builders import OPERATOR, a_file, a_ready_image, a_ref, an_image
from tests.e2e.roles import Right, Roles
from tests.e2e.shop import Shop
from tests.picture_server import serving
from tests.torture.results import size

PICTURE = sample_jpeg(48, 32)
_ADDRESS = {"url": "https://shop.test/picture.jpg"}
DOCUMENT = ROOT / "docs" / "security.md"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a probe in a few words, and all that was answered."""

    what: str
    answer: str = ""


type Probe = Callable[[Shop, int], Outcome]


# --- What a shop does, through the API -----------------------------------------------------------------


def a_request_with_a_new_api_key(shop: Shop, product_id: int) -> Outcome:
    # A new one, since the gateway keeps what the authorizer said of a key.
    state = shop.state
    table = DynamoApiKeys(state.endpoint.client("dynamodb"), state.resources.keys_table)
    key, _ = IssueKey(table, partial(datetime.now, UTC), OPERATOR)(User(5, "pro", "Pro Be"), Role.STAFF)
    return _of(shop.request("GET", shop.url(product_id), key=key))


def an_upload(shop: Shop, product_id: int) -> Outcome:
    return _of(shop.upload(PICTURE, product_id=product_id))


def an_upload_with_an_idempotency_key(shop: Shop, product_id: int) -> Outcome:
    return _of(shop.upload(PICTURE, product_id=product_id, idempotency_key=str(uuid4())))


def an_upload_whose_bytes_are_refused(shop: Shop, product_id: int) -> Outcome:
    with shop.bucket_policy(shop.no_puts()):
        return _of(shop.upload(PICTURE, product_id=product_id))


def an_upload_whose_product_is_named_rightly_the_second_time(shop: Shop, product_id: int) -> Outcome:
    key = str(uuid4())
    shop.upload(PICTURE, product_id=999_999, idempotency_key=key)
    return _of(shop.upload(PICTURE, product_id=product_id, idempotency_key=key))


def an_upload_that_was_cut_short_sent_again_with_its_idempotency_key(shop: Shop, product_id: int) -> Outcome:
    key = str(uuid4())
    shop.cut_short(shop.upload(PICTURE, product_id=product_id, idempotency_key=key))
    return _of(shop.upload(PICTURE, product_id=product_id, idempotency_key=key))


def a_reservation(shop: Shop, product_id: int) -> Outcome:
    return _of(shop.reserve(_announcement(), product_id=product_id))


def a_reservation_with_an_idempotency_key(shop: Shop, product_id: int) -> Outcome:
    return _of(shop.reserve(_announcement(), product_id=product_id, idempotency_key=str(uuid4())))


def a_reservation_whose_product_is_named_rightly_the_second_time(shop: Shop, product_id: int) -> Outcome:
    key = str(uuid4())
    shop.reserve(_announcement(), product_id=999_999, idempotency_key=key)
    return _of(shop.reserve(_announcement(), product_id=product_id, idempotency_key=key))


def a_reservation_that_was_cut_short_sent_again_with_its_idempotency_key(
    shop: Shop, product_id: int
) -> Outcome:
    key = str(uuid4())
    shop.cut_short(shop.reserve(_announcement(), product_id=product_id, idempotency_key=key))
    return _of(shop.reserve(_announcement(), product_id=product_id, idempotency_key=key))


def an_address(shop: Shop, product_id: int) -> Outcome:
    return _of(shop.fetch_from(_ADDRESS, product_id=product_id))


def an_address_with_an_idempotency_key(shop: Shop, product_id: int) -> Outcome:
    return _of(shop.fetch_from(_ADDRESS, product_id=product_id, idempotency_key=str(uuid4())))


def an_address_whose_product_is_named_rightly_the_second_time(shop: Shop, product_id: int) -> Outcome:
    key = str(uuid4())
    shop.fetch_from(_ADDRESS, product_id=999_999, idempotency_key=key)
    return _of(shop.fetch_from(_ADDRESS, product_id=product_id, idempotency_key=key))


def an_address_that_was_cut_short_sent_again_with_its_idempotency_key(shop: Shop, product_id: int) -> Outcome:
    key = str(uuid4())
    shop.cut_short(shop.fetch_from(_ADDRESS, product_id=product_id, idempotency_key=key))
    return _of(shop.fetch_from(_ADDRESS, product_id=product_id, idempotency_key=key))


def a_form_that_is_sent(shop: Shop, product_id: int) -> Outcome:
    answer = shop.send(shop.reserved(PICTURE, product_id=product_id).upload, PICTURE)
    code = re.search("<Code>(.*)</Code>", answer.text)
    return Outcome(f"{answer.status_code} {code[1] if code else ''}".strip(), answer.text)


def a_look_at_a_gallery(shop: Shop, product_id: int) -> Outcome:
    return _of(shop.page(product_id))


def a_visit_to_a_gallery(shop: Shop, product_id: int) -> Outcome:
    return _of(shop.visit(f"products/{product_id}/images"))


def a_visit_to_a_category(shop: Shop, product_id: int) -> Outcome:
    return _of(shop.visit("primary-images", product_ids=str(product_id)))


def a_list_of_products(shop: Shop, _: int) -> Outcome:
    return _of(shop.products(limit=1))


def a_product_that_is_put(shop: Shop, _: int) -> Outcome:
    return _of(shop.request("PUT", shop.product_url(_unused_id()), json={"title": "Red shoe"}))


def a_title_that_is_changed(shop: Shop, product_id: int) -> Outcome:
    return _of(shop.request("PUT", shop.product_url(product_id), json={"title": "Red shoe"}))


def a_product_that_is_removed(shop: Shop, _: int) -> Outcome:
    url = shop.product_url(_product(shop, _unused_id()))
    return _of(shop.request("DELETE", url, key=shop.state.keys["admin"]))


def a_look_at_a_picture(shop: Shop, product_id: int) -> Outcome:
    return _of(shop.show(product_id, _pending(shop, product_id).ref.image_id))


def a_change(shop: Shop, product_id: int) -> Outcome:
    return _of(shop.change(product_id, _pending(shop, product_id).ref.image_id, {"order": 1}))


def a_new_order_of_a_gallery_that_is_counted_wrongly(shop: Shop, product_id: int) -> Outcome:
    image_id = _pending(shop, product_id).ref.image_id
    shop.state.endpoint.client("dynamodb").update_item(
        TableName=shop.state.resources.table,
        Key=product_key(product_id),
        UpdateExpression="ADD image_count :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    return _of(shop.reorder(product_id, [image_id]))


def a_wish_that_is_taken_back(shop: Shop, product_id: int) -> Outcome:
    image_id = _pending(shop, product_id, primary_requested_at=datetime.now(UTC)).ref.image_id
    return _of(shop.change(product_id, image_id, {"is_primary": False}))


def a_deletion(shop: Shop, product_id: int) -> Outcome:
    return _of(shop.delete(product_id, shop.add(PICTURE, product_id=product_id).id))


def a_deletion_of_what_was_not_rendered(shop: Shop, product_id: int) -> Outcome:
    ref = _pending(shop, product_id).ref
    shop.state.catalog.mark_ready(ref, a_file(), datetime.now(UTC))
    return _of(shop.delete(product_id, ref.image_id))


def a_deletion_of_what_is_pending(shop: Shop, product_id: int) -> Outcome:
    return _of(shop.delete(product_id, _pending(shop, product_id).ref.image_id))


# --- What the service does by itself -------------------------------------------------------------------


def the_event_of_a_picture(shop: Shop, product_id: int) -> Outcome:
    return _inspected(shop, _arrived(shop, product_id, PICTURE))


def the_event_of_a_picture_that_came_by_a_form(shop: Shop, product_id: int) -> Outcome:
    ref = _pending(shop, product_id, size_bytes=len(PICTURE)).ref
    _write(shop, ref, PICTURE)
    return _inspected(shop, ref)


def the_event_of_a_picture_that_was_wished_to_be_primary_after_it_was_sent(
    shop: Shop, product_id: int
) -> Outcome:
    ref = _arrived(shop, product_id, PICTURE)
    assert _of(shop.change(product_id, ref.image_id, {"is_primary": True})).what == "200"
    return _inspected(shop, ref)


def a_message_of_a_picture_that_is_to_be_fetched(shop: Shop, product_id: int) -> Outcome:
    # A host of its own: others have no turn at it.
    with serving() as server, shop.fetching_from(server.port):
        return _fetched(shop, product_id, f"http://{uuid4()}.test/picture")


def a_message_of_a_picture_whose_host_is_busy(shop: Shop, product_id: int) -> Outcome:
    with serving() as server, shop.fetching_from(server.port):
        return _fetched(shop, product_id, f"http://{uuid4()}.test/status?status=503")


def a_message_of_no_picture(shop: Shop, product_id: int) -> Outcome:
    return _fetched(shop, product_id, "http://127.0.0.1/")


def the_event_of_no_picture(shop: Shop, product_id: int) -> Outcome:
    return _inspected(shop, _arrived(shop, product_id, PICTURE[:-500]))


def the_event_of_a_picture_that_empties_the_drop_box(shop: Shop, product_id: int) -> Outcome:
    ref = _arrived(shop, product_id, PICTURE)
    outcome = _inspected(shop, ref)
    return Outcome(f"{outcome.what}, {_left(shop, product_id)}", outcome.answer)


def the_event_of_a_picture_whose_copy_is_there(shop: Shop, product_id: int) -> Outcome:
    ref = _arrived(shop, product_id, PICTURE)
    _publish(shop, ref)
    return _inspected(shop, ref)


def the_event_of_a_picture_whose_record_is_gone(shop: Shop, product_id: int) -> Outcome:
    ref = a_ref(_unused_id(), product_id)
    _publish(shop, ref)
    return _inspected(shop, ref)


def the_event_of_a_picture_that_is_gone(shop: Shop, product_id: int) -> Outcome:
    return _inspected(shop, a_ref(_unused_id(), product_id))


def reconciling_a_picture_whose_event_was_lost(shop: Shop, product_id: int) -> Outcome:
    ref = _arrived(shop, product_id, PICTURE, **_long_ago())
    return _reconciled(shop, lambda: shop.state.finished(product_id, ref.image_id).status)


def the_event_of_a_deleted_picture(shop: Shop, product_id: int) -> Outcome:
    address = f"/{a_ref(_unused_id(), product_id).media_key(ImageFormat.JPEG)}"
    answer = shop.state.endpoint.client("lambda").invoke(
        FunctionName=shop.state.resources.functions["forget_image"],
        Payload=json.dumps(
            {"id": str(uuid4()), "detail-type": "ImageDeleted", "detail": {"path": address}}
        ).encode(),
    )
    report = answer["Payload"].read().decode()
    return Outcome(ENDS if "FunctionError" in answer else json.loads(report)["images"][0]["outcome"], report)


def the_removal_of_what_belonged_to_a_product(shop: Shop, _: int) -> Outcome:
    return _removed(shop, _being_removed(shop, is_wanted=False))


def the_removal_of_what_belonged_to_a_product_that_is_wanted_again(shop: Shop, _: int) -> Outcome:
    return _removed(shop, _being_removed(shop, is_wanted=True))


def the_event_of_a_product_that_is_created(shop: Shop, _: int) -> Outcome:
    return _followed(shop, _unused_id(), CatalogueEventKind.CREATED)


def the_event_of_a_product_that_is_changed(shop: Shop, product_id: int) -> Outcome:
    return _followed(shop, product_id, CatalogueEventKind.CHANGED)


def the_event_of_a_product_that_is_deleted(shop: Shop, _: int) -> Outcome:
    return _followed(shop, _product(shop, _unused_id()), CatalogueEventKind.DELETED)


def reconciling_a_picture_whose_message_was_lost(shop: Shop, product_id: int) -> Outcome:
    ref = _pending(shop, product_id, fetch=Fetch("http://127.0.0.1/"), **_long_ago()).ref
    return _reconciled(shop, lambda: shop.state.finished(product_id, ref.image_id).status)


def reconciling_an_upload_without_bytes(shop: Shop, product_id: int) -> Outcome:
    image_id = _pending(shop, product_id, **_long_ago()).ref.image_id
    return _reconciled(shop, lambda: "left" if shop.state.catalog.get(product_id, image_id) else "removed")


def reconciling_a_picture_that_was_not_rendered(shop: Shop, product_id: int) -> Outcome:
    image = _ready(shop, product_id, **_long_ago())

    def look() -> str:
        def is_rendered() -> str | None:
            found = shop.state.catalog.get(product_id, image.ref.image_id)
            return "rendered" if found and found.look else None

        return wait_until(is_rendered, "the files of a picture")

    return _reconciled(shop, look)


def the_event_of_a_picture_that_is_to_be_rendered(shop: Shop, product_id: int) -> Outcome:
    return _rendered(shop, _ready(shop, product_id))


def the_event_of_a_picture_that_went_while_it_was_to_be_rendered(shop: Shop, product_id: int) -> Outcome:
    ref = a_ref(_unused_id(), product_id)
    _publish(shop, ref)
    return _rendered(shop, a_ready_image(ref=ref))


# --- All rights, and what proves each ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Proof:
    """A right, and what comes of a probe with it and without it."""

    right: Right
    probe: Probe
    with_it: str
    without_it: str


def _proof(function: str, action: str, resource: str, probe: Probe, with_it: str, without_it: str) -> Proof:
    return Proof(Right(function, action, resource), probe, with_it, without_it)


CATALOG, KEYS, IDEMPOTENCY = "CatalogTable", "KeysTable", "IdempotencyTable"
INCOMING, MEDIA, BUS = "ImagesBucket/incoming/*", "ImagesBucket/media/*", "event-bus/default"
INTERNAL, UNAVAILABLE = "500 internal_error", "503 temporarily_unavailable"
REUSED = "422 idempotency_key_reused"
ENDS = "ends in an error"

PROOFS = [
    _proof("authorize", "dynamodb:GetItem", KEYS, a_request_with_a_new_api_key, "200", INTERNAL),
    _proof("upload_image", "dynamodb:PutItem", CATALOG, an_upload, "201", INTERNAL),
    _proof("upload_image", "dynamodb:UpdateItem", CATALOG, an_upload, "201", INTERNAL),
    _proof(
        "upload_image",
        "dynamodb:DeleteItem",
        CATALOG,
        an_upload_whose_bytes_are_refused,
        UNAVAILABLE,
        INTERNAL,
    ),
    _proof(
        "upload_image", "dynamodb:PutItem", IDEMPOTENCY, an_upload_with_an_idempotency_key, "201", INTERNAL
    ),
    _proof(
        "upload_image",
        "dynamodb:UpdateItem",
        IDEMPOTENCY,
        an_upload_with_an_idempotency_key,
        "201",
        INTERNAL,
    ),
    _proof(
        "upload_image",
        "dynamodb:DeleteItem",
        IDEMPOTENCY,
        an_upload_whose_product_is_named_rightly_the_second_time,
        "201",
        REUSED,
    ),
    _proof(
        "upload_image",
        "dynamodb:GetItem",
        CATALOG,
        an_upload_that_was_cut_short_sent_again_with_its_idempotency_key,
        "201",
        INTERNAL,
    ),
    _proof("upload_image", "s3:PutObject", INCOMING, an_upload, "201", UNAVAILABLE),
    _proof("reserve_upload", "dynamodb:PutItem", CATALOG, a_reservation, "201", INTERNAL),
    _proof("reserve_upload", "dynamodb:UpdateItem", CATALOG, a_reservation, "201", INTERNAL),
    _proof(
        "reserve_upload",
        "dynamodb:PutItem",
        IDEMPOTENCY,
        a_reservation_with_an_idempotency_key,
        "201",
        INTERNAL,
    ),
    _proof(
        "reserve_upload",
        "dynamodb:UpdateItem",
        IDEMPOTENCY,
        a_reservation_with_an_idempotency_key,
        "201",
        INTERNAL,
    ),
    _proof(
        "reserve_upload",
        "dynamodb:DeleteItem",
        IDEMPOTENCY,
        a_reservation_whose_product_is_named_rightly_the_second_time,
        "201",
        REUSED,
    ),
    _proof(
        "reserve_upload",
        "dynamodb:GetItem",
        CATALOG,
        a_reservation_that_was_cut_short_sent_again_with_its_idempotency_key,
        "201",
        INTERNAL,
    ),
    _proof("reserve_upload", "s3:PutObject", INCOMING, a_form_that_is_sent, "204", "403 AccessDenied"),
    _proof("request_fetch", "dynamodb:PutItem", CATALOG, an_address, "201", INTERNAL),
    _proof("request_fetch", "dynamodb:UpdateItem", CATALOG, an_address, "201", INTERNAL),
    _proof("request_fetch", "sqs:SendMessage", "FetchQueue", an_address, "201", INTERNAL),
    _proof(
        "request_fetch",
        "dynamodb:PutItem",
        IDEMPOTENCY,
        an_address_with_an_idempotency_key,
        "201",
        INTERNAL,
    ),
    _proof(
        "request_fetch",
        "dynamodb:UpdateItem",
        IDEMPOTENCY,
        an_address_with_an_idempotency_key,
        "201",
        INTERNAL,
    ),
    _proof(
        "request_fetch",
        "dynamodb:DeleteItem",
        IDEMPOTENCY,
        an_address_whose_product_is_named_rightly_the_second_time,
        "201",
        REUSED,
    ),
    _proof(
        "request_fetch",
        "dynamodb:GetItem",
        CATALOG,
        an_address_that_was_cut_short_sent_again_with_its_idempotency_key,
        "201",
        INTERNAL,
    ),
    *(
        _proof("fetch_image", action, resource, a_message_of_a_picture_that_is_to_be_fetched, "done", without)
        for action, resource, without in (
            ("dynamodb:GetItem", CATALOG, ENDS),
            ("dynamodb:UpdateItem", IDEMPOTENCY, ENDS),
            ("s3:PutObject", INCOMING, "put off"),
        )
    ),
    _proof(
        "fetch_image",
        "sqs:ChangeMessageVisibility",
        "FetchQueue",
        a_message_of_a_picture_whose_host_is_busy,
        "put off",
        ENDS,
    ),
    _proof("fetch_image", "dynamodb:UpdateItem", CATALOG, a_message_of_no_picture, "done", ENDS),
    _proof("fetch_image", "events:PutEvents", BUS, a_message_of_no_picture, "done", ENDS),
    _proof("gallery", "dynamodb:Query", f"{CATALOG}/index/gallery", a_look_at_a_gallery, "200", INTERNAL),
    _proof(
        "gallery",
        "dynamodb:Query",
        CATALOG,
        a_new_order_of_a_gallery_that_is_counted_wrongly,
        "200",
        INTERNAL,
    ),
    _proof("gallery", "dynamodb:BatchGetItem", CATALOG, a_look_at_a_picture, "200", INTERNAL),
    _proof("gallery", "dynamodb:UpdateItem", CATALOG, a_change, "200", INTERNAL),
    _proof("gallery", "dynamodb:ConditionCheckItem", CATALOG, a_wish_that_is_taken_back, "200", INTERNAL),
    _proof("gallery", "dynamodb:DeleteItem", CATALOG, a_deletion, "204", INTERNAL),
    _proof(
        "gallery",
        "s3:ListBucket",
        "ImagesBucket",
        a_deletion_of_what_was_not_rendered,
        "204",
        INTERNAL,
    ),
    _proof("gallery", "s3:DeleteObject", MEDIA, a_deletion, "204", INTERNAL),
    _proof("gallery", "s3:DeleteObject", INCOMING, a_deletion_of_what_is_pending, "204", INTERNAL),
    _proof("gallery", "events:PutEvents", BUS, a_deletion, "204", INTERNAL),
    _proof("storefront", "dynamodb:Query", f"{CATALOG}/index/gallery", a_visit_to_a_gallery, "200", INTERNAL),
    _proof("storefront", "dynamodb:BatchGetItem", CATALOG, a_visit_to_a_category, "200", INTERNAL),
    _proof("extract_metadata", "s3:GetObject", INCOMING, the_event_of_a_picture, "ready", ENDS),
    _proof("extract_metadata", "s3:PutObject", MEDIA, the_event_of_a_picture, "ready", ENDS),
    _proof("products", "dynamodb:Query", f"{CATALOG}/index/products", a_list_of_products, "200", INTERNAL),
    _proof("products", "dynamodb:BatchGetItem", CATALOG, a_list_of_products, "200", INTERNAL),
    _proof("extract_metadata", "dynamodb:UpdateItem", CATALOG, the_event_of_a_picture, "ready", ENDS),
    _proof("extract_metadata", "events:PutEvents", BUS, the_event_of_a_picture, "ready", ENDS),
    _proof(
        "extract_metadata",
        "dynamodb:ConditionCheckItem",
        CATALOG,
        the_event_of_a_picture_that_was_wished_to_be_primary_after_it_was_sent,
        "ready",
        ENDS,
    ),
    _proof(
        "extract_metadata",
        "s3:DeleteObject",
        INCOMING,
        the_event_of_a_picture_that_empties_the_drop_box,
        "ready, nothing left",
        "ready, its file left",
    ),
    _proof(
        "extract_metadata", "s3:GetObject", MEDIA, the_event_of_a_picture_whose_copy_is_there, "ready", ENDS
    ),
    _proof(
        "extract_metadata",
        "s3:DeleteObject",
        MEDIA,
        the_event_of_a_picture_whose_record_is_gone,
        "gone",
        ENDS,
    ),
    _proof("extract_metadata", "s3:ListBucket", "ImagesBucket", the_event_of_no_picture, "failed", ENDS),
    _proof(
        "extract_metadata",
        "dynamodb:GetItem",
        CATALOG,
        the_event_of_a_picture_that_came_by_a_form,
        "ready",
        ENDS,
    ),
    _proof(
        "forget_image",
        "cloudfront:CreateInvalidation",
        "Cdn",
        the_event_of_a_deleted_picture,
        "forgotten",
        ENDS,
    ),
    *(
        _proof(
            "render_image",
            action,
            resource,
            the_event_of_a_picture_that_is_to_be_rendered,
            "rendered",
            ENDS,
        )
        for action, resource in (
            ("dynamodb:GetItem", CATALOG),
            ("s3:GetObject", MEDIA),
            ("s3:PutObject", MEDIA),
            ("dynamodb:UpdateItem", CATALOG),
            ("events:PutEvents", BUS),
        )
    ),
    *(
        _proof(
            "render_image",
            action,
            resource,
            the_event_of_a_picture_that_went_while_it_was_to_be_rendered,
            "gone",
            ENDS,
        )
        for action, resource in (("s3:ListBucket", "ImagesBucket"), ("s3:DeleteObject", MEDIA))
    ),
    _proof("products", "dynamodb:PutItem", CATALOG, a_product_that_is_put, "201", INTERNAL),
    _proof("products", "dynamodb:ConditionCheckItem", CATALOG, a_product_that_is_put, "201", INTERNAL),
    _proof("products", "dynamodb:UpdateItem", CATALOG, a_title_that_is_changed, "200", INTERNAL),
    _proof("products", "dynamodb:DeleteItem", CATALOG, a_product_that_is_removed, "202", INTERNAL),
    _proof("products", "events:PutEvents", BUS, a_product_that_is_removed, "202", INTERNAL),
    *(
        _proof("remove_product", action, resource, the_removal_of_what_belonged_to_a_product, "removed", ENDS)
        for action, resource in (
            ("dynamodb:Query", CATALOG),
            ("dynamodb:BatchGetItem", CATALOG),
            ("dynamodb:BatchWriteItem", CATALOG),
            ("dynamodb:PutItem", CATALOG),
            ("dynamodb:UpdateItem", CATALOG),
            ("dynamodb:ConditionCheckItem", CATALOG),
            ("s3:ListBucket", "ImagesBucket"),
            ("s3:DeleteObject", INCOMING),
            ("s3:DeleteObject", MEDIA),
            ("events:PutEvents", BUS),
        )
    ),
    _proof(
        "remove_product",
        "dynamodb:DeleteItem",
        CATALOG,
        the_removal_of_what_belonged_to_a_product_that_is_wanted_again,
        "removed",
        ENDS,
    ),
    *(
        _proof("follow_catalogue", action, CATALOG, the_event_of_a_product_that_is_created, "put", ENDS)
        for action in ("dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:ConditionCheckItem")
    ),
    _proof(
        "follow_catalogue",
        "dynamodb:UpdateItem",
        CATALOG,
        the_event_of_a_product_that_is_changed,
        "put",
        ENDS,
    ),
    *(
        _proof("follow_catalogue", action, resource, the_event_of_a_product_that_is_deleted, "removed", ENDS)
        for action, resource in (("dynamodb:DeleteItem", CATALOG), ("events:PutEvents", BUS))
    ),
    *(
        _proof(
            "reconcile",
            action,
            resource,
            reconciling_a_picture_whose_event_was_lost,
            "ready",
            ENDS,
        )
        for action, resource in (
            ("dynamodb:Query", f"{CATALOG}/index/open"),
            ("dynamodb:GetItem", CATALOG),
            ("dynamodb:UpdateItem", CATALOG),
            ("s3:ListBucket", "ImagesBucket"),
            ("lambda:InvokeFunction", "ExtractMetadataFunction"),
        )
    ),
    _proof(
        "reconcile",
        "lambda:InvokeFunction",
        "RenderImageFunction",
        reconciling_a_picture_that_was_not_rendered,
        "rendered",
        ENDS,
    ),
    _proof(
        "reconcile",
        "sqs:SendMessage",
        "FetchQueue",
        reconciling_a_picture_whose_message_was_lost,
        "failed",
        ENDS,
    ),
    *(
        _proof("reconcile", action, resource, reconciling_an_upload_without_bytes, "removed", ENDS)
        for action, resource in (
            ("dynamodb:DeleteItem", CATALOG),
            ("s3:DeleteObject", INCOMING),
            ("s3:DeleteObject", MEDIA),
            ("events:PutEvents", BUS),
        )
    ),
]
"""One for each right that the emulator watches."""

_HANDS_ON = "Lambda sends to the queue in the role's name; the emulator puts the message there itself"
_TAKES = "Lambda takes messages in the role's name; the emulator takes them itself"
_LOGS = "Lambda writes the log in the role's name; the emulator writes it itself"
UNPROVEN = {
    Right("extract_metadata", "sqs:SendMessage", "FailureQueue"): _HANDS_ON,
    Right("render_image", "sqs:SendMessage", "FailureQueue"): _HANDS_ON,
    Right("reconcile", "sqs:SendMessage", "FailureQueue"): _HANDS_ON,
    Right("forget_image", "sqs:SendMessage", "FailureQueue"): _HANDS_ON,
    Right("remove_product", "sqs:SendMessage", "FailureQueue"): _HANDS_ON,
    Right("follow_catalogue", "sqs:SendMessage", "FailureQueue"): _HANDS_ON,
    **{
        Right("fetch_image", f"sqs:{action}", "FetchQueue"): _TAKES
        for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    },
    **{
        Right(function, action, group): _LOGS
        for function, group in (
            ("authorize", "AuthorizeLogGroup"),
            ("upload_image", "UploadImageLogGroup"),
            ("reserve_upload", "ReserveUploadLogGroup"),
            ("request_fetch", "RequestFetchLogGroup"),
            ("fetch_image", "FetchImageLogGroup"),
            ("gallery", "GalleryLogGroup"),
            ("storefront", "StorefrontLogGroup"),
            ("products", "ProductsLogGroup"),
            ("remove_product", "RemoveProductLogGroup"),
            ("follow_catalogue", "FollowCatalogueLogGroup"),
            ("describe_api", "DescribeApiLogGroup"),
            ("staff_page", "StaffPageLogGroup"),
            ("extract_metadata", "ExtractMetadataLogGroup"),
            ("render_image", "RenderImageLogGroup"),
            ("reconcile", "ReconcileLogGroup"),
            ("forget_image", "ForgetImageLogGroup"),
        )
        for action in ("logs:CreateLogStream", "logs:PutLogEvents")
    },
}
"""Rights that nothing on the emulator fails without, and why: they are not proven here."""


def _cells(right: Right) -> str:
    return f"`{right.function}` | `{right.action}` | `{right.resource}`"


@pytest.fixture(scope="module")
def roles(system: State, shop: Shop) -> Iterator[Roles]:
    yield Roles(system)
    # What a denied reconciler left open, it now closes: other tests count what is open.
    assert _reconciled(shop, lambda: "done").what == "done"


def one_of_each_probe() -> list[Proof]:
    """Return as few proofs as use every probe, so that all that needs a right is done with it."""
    return list({proof.probe: proof for proof in reversed(PROOFS)}.values())[::-1]


@pytest.mark.torture("permissions removed one at a time")
@pytest.mark.parametrize(
    "proof",
    size(PROOFS, one_of_each_probe(), "permissions removed"),
    ids=lambda proof: f"{proof.right.function} {proof.right.action} {proof.right.resource}",
)
def test_without_one_right_of_its_role_a_function_is_denied_what_it_does_with_it(
    shop: Shop, product_id: int, roles: Roles, proof: Proof
) -> None:
    outcome = proof.probe(shop, product_id)
    assert outcome.what == proof.with_it, outcome.answer
    since = time.time()
    with roles.without(proof.right):
        outcome = proof.probe(shop, product_id)
        assert outcome.what == proof.without_it, outcome.answer
        if "AccessDenied" not in outcome.what and not _denies(outcome.answer, proof.right.action):

            def look() -> bool | None:
                if _is_logged(shop.state, proof.right, since):
                    return True
                # What a function wrote later than the emulator waits for it comes with its next invocation.
                proof.probe(shop, product_id)
                return None

            wait_until(look, f"denial of {proof.right} in the log")


def test_every_right_of_every_role_is_proven_or_named_with_the_reason_why_not(roles: Roles) -> None:
    proven = [proof.right for proof in PROOFS]
    assert len(proven) == len(set(proven))
    assert set(proven) & UNPROVEN.keys() == set()
    assert set(proven) | UNPROVEN.keys() == roles.rights()


def test_no_role_but_those_of_the_functions_and_none_with_a_managed_policy(roles: Roles) -> None:
    # The one that API Gateway writes logs with is no function's.
    assert (roles.of_no_function, roles.attached()) == (["GatewayRole"], [])


@pytest.mark.parametrize(
    ("mark", "rows"),
    [
        (
            "<!-- Proofs -->\n",
            [
                "| function | action | on | tried with | with it | without it |",
                "|---|---|---|---|---|---|",
                *(
                    f"| {_cells(proof.right)} | {proof.probe.__name__.replace('_', ' ')} "
                    f"| {proof.with_it} | {proof.without_it} |"
                    for proof in PROOFS
                ),
            ],
        ),
        (
            "<!-- Not proven -->\n",
            [
                "| function | action | on | why it is not proven |",
                "|---|---|---|---|",
                *(f"| {_cells(right)} | {reason} |" for right, reason in UNPROVEN.items()),
            ],
        ),
    ],
    ids=["proven", "not proven"],
)
def test_the_document_shows_what_is_tried_here(mark: str, rows: list[str]) -> None:
    _, _, rest = DOCUMENT.read_text().partition(mark)
    shown = rest.partition("<!--")[0].strip().splitlines()
    assert shown == rows, "\n".join(rows)


# --- What the probes need ------------------------------------------------------------------------------


def _of(answer: httpx.Response) -> Outcome:
    code = answer.json()["code"] if answer.is_error else ""
    return Outcome(f"{answer.status_code} {code}".strip(), answer.text)


def _announcement() -> dict[str, object]:
    return {"name": "picture.jpg", "size": len(PICTURE)}


def _unused_id() -> int:
    # Far beyond those of the counter, all below 2^53.
    return time.time_ns() // 1_000


def _pending(shop: Shop, product_id: int, **changes: object) -> ProductImage:
    """Put a record of a pending picture into the catalogue."""
    now = datetime.now(UTC)
    facts = {"created_at": now, "updated_at": now, "size_bytes": len(PICTURE), **changes}
    image = an_image(ref=a_ref(_unused_id(), product_id), **facts)
    shop.state.catalog.reserve(image)
    return image


def _long_ago() -> dict[str, object]:
    moment = datetime.now(UTC) - PATIENCE - timedelta(minutes=1)
    return {"created_at": moment, "updated_at": moment}


def _arrived(shop: Shop, product_id: int, content: bytes, **changes: object) -> ImageRef:
    """Let bytes of an upload arrive whose event is lost; return their place."""
    image = _pending(shop, product_id, size_bytes=len(content), **changes)
    with shop.events_lost():
        S3ImageStore(shop.state.endpoint.client("s3"), shop.state.resources.bucket).put(image, content)
    return image.ref


def _write(shop: Shop, ref: ImageRef, content: bytes) -> None:
    """Write bytes as a form does; their event is lost."""
    s3 = shop.state.endpoint.client("s3")
    with shop.events_lost():
        s3.put_object(Bucket=shop.state.resources.bucket, Key=ref.incoming_key, Body=content)


def _publish(shop: Shop, ref: ImageRef) -> None:
    """Write a public copy, as the metadata function does before it completes a record."""
    store = S3ImageStore(shop.state.endpoint.client("s3"), shop.state.resources.bucket)
    sha256 = hashlib.sha256(PICTURE).hexdigest()
    store.publish(ref, PublicCopy(PICTURE, ImageFormat.JPEG, sha256))


def _ready(shop: Shop, product_id: int, **changes: object) -> ProductImage:
    """Make a picture ready whose event is lost."""
    image = _pending(shop, product_id, **changes)
    _publish(shop, image.ref)
    file = a_file(size_bytes=len(PICTURE), facts=ImageFacts(48, 32, "RGB"))
    return shop.state.catalog.mark_ready(image.ref, file, datetime.now(UTC))


def _rendered(shop: Shop, image: ProductImage) -> Outcome:
    answer = shop.state.endpoint.client("lambda").invoke(
        FunctionName=shop.state.resources.functions["render_image"], Payload=json.dumps(ready_event(image))
    )
    result = answer["Payload"].read().decode()
    return Outcome(ENDS if "FunctionError" in answer else json.loads(result)["images"][0]["outcome"], result)


def _product(shop: Shop, product_id: int) -> int:
    _products(shop).add(product_id)
    return product_id


def _products(shop: Shop) -> DynamoProducts:
    return DynamoProducts(shop.state.endpoint.client("dynamodb"), shop.state.resources.table)


def _being_removed(shop: Shop, *, is_wanted: bool) -> int:
    """Begin the removal of a product with a ready picture and one that only came in; its event is lost."""
    products, product_id = _products(shop), _product(shop, _unused_id())
    _ready(shop, product_id)
    _arrived(shop, product_id, PICTURE)
    now = datetime.now(UTC)
    seen = products.look(product_id)
    assert products.write(seen, seen.removed(now))
    if is_wanted:
        seen = products.look(product_id)
        assert products.write(seen, seen.put(None, now))
    return product_id


def _removed(shop: Shop, product_id: int) -> Outcome:
    answer = shop.state.endpoint.client("lambda").invoke(
        FunctionName=shop.state.resources.functions["remove_product"],
        Payload=json.dumps({"detail": {"product_id": product_id}}).encode(),
    )
    report = answer["Payload"].read().decode()
    if "FunctionError" in answer:
        return Outcome(ENDS, report)
    return Outcome("removed" if json.loads(report)["is_done"] else "not done", report)


def _followed(shop: Shop, product_id: int, kind: CatalogueEventKind) -> Outcome:
    detail = {"product_id": product_id, "title": "Shoe", "occurred_at": datetime.now(UTC).isoformat()}
    answer = shop.state.endpoint.client("lambda").invoke(
        FunctionName=shop.state.resources.functions["follow_catalogue"],
        Payload=json.dumps({"detail-type": kind, "detail": detail}).encode(),
    )
    report = answer["Payload"].read().decode()
    return Outcome(ENDS if "FunctionError" in answer else json.loads(report)["outcome"], report)


def _left(shop: Shop, product_id: int) -> str:
    return "its file left" if shop.received_keys(product_id) else "nothing left"


def _inspected(shop: Shop, ref: ImageRef) -> Outcome:
    try:
        return Outcome(shop.invoke_metadata(ref.incoming_key))
    except AssertionError as error:
        return Outcome(ENDS, str(error))


def _reconciled(shop: Shop, look: Callable[[], str]) -> Outcome:
    answer = shop.state.endpoint.client("lambda").invoke(
        FunctionName=shop.state.resources.functions["reconcile"], Payload=b"{}"
    )
    report = answer["Payload"].read().decode()
    return Outcome(ENDS if "FunctionError" in answer else look(), report)


def _fetched(shop: Shop, product_id: int, url: str) -> Outcome:
    """Hand a message about a picture to the function that fetches; say whether that has done with it."""
    ref = _pending(shop, product_id, size_bytes=0, fetch=Fetch(url)).ref
    client = shop.state.endpoint.client("lambda")
    with shop.message_taken(json.dumps({"fetch": ref.path})) as message:
        record = {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
        }
        answer = client.invoke(
            FunctionName=shop.state.resources.functions["fetch_image"],
            Payload=json.dumps({"Records": [record]}),
        )
        told = answer["Payload"].read().decode()
    if "FunctionError" in answer:
        return Outcome(ENDS, told)
    return Outcome("put off" if json.loads(told)["batchItemFailures"] else "done", told)


def _denies(text: str, action: str) -> bool:
    by_name = "AccessDenied" in text and f"perform: {action} " in text
    # Of several keys S3 says of each what became of it, and of which right it lacks nothing.
    of_several = "(AccessDenied) when calling the DeleteObjects operation" in text
    left = "stays until it expires: AccessDenied" in text
    return by_name or (action == "s3:DeleteObject" and (of_several or left))


def _is_logged(state: State, right: Right, since: float) -> bool:
    logs = state.endpoint.client("logs")
    group = f"/product-images/product-images-local/{right.function.replace('_', '-')}"
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=int(since * 1000))
    return any(_denies(event["message"], right.action) for page in pages for event in page["events"])
