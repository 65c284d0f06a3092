"""Every payload in events/, through the handlers with the stores faked."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger, Metrics

from adapters.pillow_image_inspector import PillowImageInspector
from adapters.pillow_image_renderer import PillowImageRenderer
from domain.authorize import Authorize
from domain.extract_metadata import ExtractMetadata
from domain.fetch_image import Fetched, FetchOutcome
from domain.follow_catalogue import FollowCatalogue
from domain.forget_image import ForgetImage
from domain.image import ImageFacts, ImageFormat
from domain.image_store import PublicCopy
from domain.recipe import Recipe
from domain.reconcile import Reconciliation
from domain.render_image import RenderImage
from events.record import (
    EVENTS,
    FOLLOWED_PRODUCT_ID,
    GALLERY_IMAGE,
    IMAGE,
    PRODUCT_ID,
    REMOVED_PRODUCT_ID,
    add_example_keys,
)
from handlers.authorize import AuthorizeHandler
from handlers.describe_api import DescribeApiHandler
from handlers.extract_metadata import ExtractMetadataHandler
from handlers.fetch_image import FetchImageHandler
from handlers.follow_catalogue import FollowCatalogueHandler
from handlers.forget_image import ForgetImageHandler
from handlers.gallery import GalleryHandler
from handlers.http_function import HttpFunction, Request
from handlers.idempotency import SafeRetries
from handlers.problems import HttpResponse
from handlers.products import ProductsHandler
from handlers.reconcile import ReconcileHandler
from handlers.remove_product import RemoveProductHandler
from handlers.render_image import RenderImageHandler
from handlers.request_fetch import RequestFetchHandler
from handlers.reserve_upload import ReserveUploadHandler
from handlers.staff_page import StaffPageHandler
from handlers.storefront import StorefrontHandler
from handlers.upload_image import UploadImageHandler
from local.sample import sample_jpeg
from local.template import ROOT
from openapi.document import build
from tests.builders import NOW, SHA256, a_context, a_file, an_image
from tests.catalog_fake import InMemoryImageCatalog, InMemoryStorefront
from tests.fakes import (
    InMemoryApiKeys,
    InMemoryImageEvents,
    InMemoryImageStore,
    InMemoryPublicCache,
    TickingClock,
)
from tests.product_fakes import InMemoryProducts, InMemoryRemovals
from tests.recorded_events import (
    AUTHORIZATIONS,
    CATALOGUE,
    DELETIONS,
    DESCRIPTIONS,
    FETCHES,
    GALLERY,
    MESSAGES,
    OBJECTS,
    PAGES,
    PRODUCTS,
    REMOVALS,
    RENDERINGS,
    RESERVATIONS,
    SCHEDULES,
    STOREFRONT,
    UPLOADS,
    check_answer,
    check_authorization,
    recorded,
)
from tests.use_cases import once_per_key_with, request_fetch_with, reserve_upload_with, upload_image_with


@pytest.mark.parametrize("case", AUTHORIZATIONS)
def test_the_authorizer_answers_each_payload(case: str) -> None:
    api_keys = InMemoryApiKeys()
    add_example_keys(api_keys)
    handler = AuthorizeHandler(Authorize(api_keys, lambda: NOW), Logger(service="authorize"))
    try:
        answer = handler(recorded("authorize", case), a_context())
    except Exception as error:  # noqa: BLE001 - as the runtime does, which tells API Gateway of it
        answer = {"errorMessage": str(error), "errorType": type(error).__name__}
    check_authorization(case, answer)


def answer_of(handler: Callable[[Request], HttpResponse], function: str, case: str) -> dict[str, Any]:
    http_function = HttpFunction(
        handler,
        allowed_origins="",
        rejections="Rejections",
        logger=Logger(service=function),
        metrics=Metrics(namespace="ProductImages", service=function),
    )
    return dict(http_function(recorded(function, case), a_context()))


@pytest.mark.parametrize("case", UPLOADS)
def test_the_upload_function_answers_each_payload(case: str) -> None:
    upload_image = upload_image_with(InMemoryImageCatalog(PRODUCT_ID))
    metrics = Metrics(namespace="ProductImages", service="upload_image")
    retries = SafeRetries(once_per_key_with())
    handler = UploadImageHandler(upload_image, retries, Logger(service="upload_image"), metrics)
    check_answer(answer_of(handler, "upload_image", case), UPLOADS[case])


@pytest.mark.parametrize("case", RESERVATIONS)
def test_the_function_that_reserves_uploads_answers_each_payload(case: str) -> None:
    reserve_upload = reserve_upload_with(InMemoryImageCatalog(PRODUCT_ID))
    metrics = Metrics(namespace="ProductImages", service="reserve_upload")
    retries = SafeRetries(once_per_key_with())
    handler = ReserveUploadHandler(reserve_upload, retries, Logger(service="reserve_upload"), metrics)
    check_answer(answer_of(handler, "reserve_upload", case), RESERVATIONS[case])


@pytest.mark.parametrize("case", FETCHES)
def test_the_function_that_takes_addresses_answers_each_payload(case: str) -> None:
    request_fetch = request_fetch_with(InMemoryImageCatalog(PRODUCT_ID))
    metrics = Metrics(namespace="ProductImages", service="request_fetch")
    retries = SafeRetries(once_per_key_with())
    handler = RequestFetchHandler(request_fetch, retries, Logger(service="request_fetch"), metrics)
    check_answer(answer_of(handler, "request_fetch", case), FETCHES[case])


@pytest.mark.parametrize("case", MESSAGES)
def test_the_function_that_fetches_answers_each_payload(case: str) -> None:
    handler = FetchImageHandler(
        lambda _ref: Fetched(FetchOutcome.CLOSED),
        lambda _receipt, _seconds: None,
        lambda: NOW,
        Logger(service="fetch_image"),
        Metrics(namespace="ProductImages", service="fetch_image"),
    )
    assert handler(recorded("fetch_image", case), a_context()) == {"batchItemFailures": []}


@pytest.mark.parametrize("case", GALLERY)
def test_the_gallery_function_answers_each_payload(case: str) -> None:
    catalog = InMemoryImageCatalog(GALLERY_IMAGE.product_id)
    catalog.reserve(an_image(ref=GALLERY_IMAGE))
    catalog.mark_ready(GALLERY_IMAGE, a_file(facts=ImageFacts(96, 64, "RGB")), NOW)
    handler = GalleryHandler(
        catalog=catalog,
        store=InMemoryImageStore(),
        events=InMemoryImageEvents(),
        clock=TickingClock(NOW),
        logger=Logger(service="gallery"),
        metrics=Metrics(namespace="ProductImages", service="gallery"),
    )
    check_answer(answer_of(handler, "gallery", case), GALLERY[case])


@pytest.mark.parametrize("case", STOREFRONT)
def test_the_storefronts_function_answers_each_payload(case: str) -> None:
    catalog = InMemoryImageCatalog(GALLERY_IMAGE.product_id)
    catalog.reserve(an_image(ref=GALLERY_IMAGE))
    catalog.mark_ready(GALLERY_IMAGE, a_file(facts=ImageFacts(96, 64, "RGB")), NOW)
    handler = StorefrontHandler(
        InMemoryStorefront(catalog),
        max_age=60,
        stale=60,
        logger=Logger(service="storefront"),
        metrics=Metrics(namespace="ProductImages", service="storefront"),
    )
    check_answer(answer_of(handler, "storefront", case), STOREFRONT[case])


@pytest.mark.parametrize("case", PRODUCTS)
def test_the_function_of_the_products_answers_each_payload(case: str) -> None:
    products = InMemoryProducts(InMemoryImageCatalog())
    products.add(PRODUCT_ID, "Red shoe")
    if case not in {"put", "put_bad_title"}:
        products.add(REMOVED_PRODUCT_ID, "Blue shoe")
    handler = ProductsHandler(
        product_list=products,
        products=products,
        removals=InMemoryRemovals(),
        clock=lambda: NOW,
        logger=Logger(service="products"),
    )
    check_answer(answer_of(handler, "products", case), PRODUCTS[case])


@pytest.mark.parametrize("case", DESCRIPTIONS)
def test_the_function_that_describes_the_api_answers_each_payload(case: str, tmp_path: Path) -> None:
    for name in ("swagger-ui-bundle.min.js", "swagger-ui.min.css"):
        (tmp_path / name).write_text("")
    handler = DescribeApiHandler(build(), tmp_path, "", Logger(service="describe_api"))
    check_answer(dict(handler(recorded("describe_api", case), a_context())), DESCRIPTIONS[case])


@pytest.mark.parametrize("case", OBJECTS)
def test_the_metadata_function_answers_each_payload(case: str) -> None:
    catalog, store = InMemoryImageCatalog(PRODUCT_ID), InMemoryImageStore()
    content = sample_jpeg(96, 64)
    image = an_image(ref=IMAGE, size_bytes=len(content))
    catalog.reserve(image)
    store.put(image, content)
    extract_metadata = ExtractMetadata(
        catalog=catalog,
        store=store,
        inspector=PillowImageInspector(1_000_000),
        events=InMemoryImageEvents(),
        clock=TickingClock(NOW),
    )
    metrics = Metrics(namespace="ProductImages", service="extract_metadata")
    handler = ExtractMetadataHandler(extract_metadata, Logger(service="extract_metadata"), metrics)
    images = handler(recorded("extract_metadata", case), a_context())["images"]
    assert [image["outcome"] for image in images] == OBJECTS[case]


@pytest.mark.parametrize("case", RENDERINGS)
def test_the_render_function_answers_each_payload(case: str) -> None:
    catalog, store = InMemoryImageCatalog(PRODUCT_ID), InMemoryImageStore()
    content = sample_jpeg(96, 64)
    catalog.reserve(an_image(ref=IMAGE))
    store.publish(IMAGE, PublicCopy(content, ImageFormat.JPEG, SHA256))
    catalog.mark_ready(IMAGE, a_file(), NOW)
    render_image = RenderImage(
        catalog=catalog,
        store=store,
        renderer=PillowImageRenderer(1_000_000),
        events=InMemoryImageEvents(),
        clock=TickingClock(NOW),
        recipe=Recipe(),
    )
    metrics = Metrics(namespace="ProductImages", service="render_image")
    handler = RenderImageHandler(render_image, Logger(service="render_image"), metrics)
    [image] = handler(recorded("render_image", case), a_context())["images"]
    assert image["outcome"] == RENDERINGS[case]


@pytest.mark.parametrize("case", SCHEDULES)
def test_the_reconciler_answers_each_payload(case: str) -> None:
    metrics = Metrics(namespace="ProductImages", service="reconcile")
    handler = ReconcileHandler(lambda _has_time: Reconciliation(), Logger(service="reconcile"), metrics)
    assert handler(recorded("reconcile", case), a_context())["is_complete"]


@pytest.mark.parametrize("case", DELETIONS)
def test_the_function_that_forgets_pictures_answers_each_payload(case: str) -> None:
    cache = InMemoryPublicCache()
    handler = ForgetImageHandler(ForgetImage(cache), cache.forget_product, Logger(service="forget_image"))
    [image] = handler(recorded("forget_image", case), a_context())["images"]
    assert image["outcome"] == DELETIONS[case]
    event = recorded("forget_image", case)
    forgotten = {"deleted": IMAGE, "taken_back": IMAGE, "product_removed": REMOVED_PRODUCT_ID}
    assert cache.forgotten == ([(forgotten[case], event["id"])] if case in forgotten else [])


@pytest.mark.parametrize("case", REMOVALS)
def test_the_function_that_removes_products_answers_each_payload(case: str) -> None:
    asked: list[int] = []

    def remove(product_id: int, *_: object) -> bool:
        asked.append(product_id)
        return True

    handler = RemoveProductHandler(remove, InMemoryRemovals(), Logger(service="remove_product"))
    assert handler(recorded("remove_product", case), a_context())["is_done"]
    assert asked == [REMOVED_PRODUCT_ID]


@pytest.mark.parametrize("case", CATALOGUE)
def test_the_function_that_follows_the_catalogue_answers_each_payload(case: str) -> None:
    follow = FollowCatalogue(
        InMemoryProducts(InMemoryImageCatalog()),
        InMemoryRemovals(),
        lambda: datetime(2026, 11, 24, 12, tzinfo=UTC),
    )
    handler = FollowCatalogueHandler(follow, Logger(service="follow_catalogue"))
    answer = handler(recorded("follow_catalogue", case), a_context())
    assert answer == {"product_id": FOLLOWED_PRODUCT_ID, "outcome": CATALOGUE[case]}


@pytest.mark.parametrize("case", PAGES)
def test_the_function_of_the_staffs_page_answers_each_payload(case: str) -> None:
    files = ROOT / "page/public"
    handler = StaffPageHandler(files, "https://bucket.example", Logger(service="staff_page"))
    check_answer(dict(handler(recorded("staff_page", case), a_context())), PAGES[case])


def test_every_payload_has_its_test() -> None:
    payloads = {str(path.relative_to(EVENTS).with_suffix("")) for path in EVENTS.glob("*/*.json")}
    tested = {f"authorize/{case}" for case in AUTHORIZATIONS}
    tested |= {f"upload_image/{case}" for case in UPLOADS}
    tested |= {f"reserve_upload/{case}" for case in RESERVATIONS}
    tested |= {f"request_fetch/{case}" for case in FETCHES}
    tested |= {f"fetch_image/{case}" for case in MESSAGES}
    tested |= {f"gallery/{case}" for case in GALLERY}
    tested |= {f"products/{case}" for case in PRODUCTS}
    tested |= {f"storefront/{case}" for case in STOREFRONT}
    tested |= {f"describe_api/{case}" for case in DESCRIPTIONS}
    tested |= {f"staff_page/{case}" for case in PAGES}
    tested |= {f"extract_metadata/{case}" for case in OBJECTS}
    tested |= {f"render_image/{case}" for case in RENDERINGS}
    tested |= {f"reconcile/{case}" for case in SCHEDULES}
    tested |= {f"forget_image/{case}" for case in DELETIONS}
    tested |= {f"remove_product/{case}" for case in REMOVALS}
    tested |= {f"follow_catalogue/{case}" for case in CATALOGUE}
    assert payloads == tested


def test_the_payloads_of_a_picture_speak_of_the_one_that_the_tests_make() -> None:
    paths = {case: recorded("gallery", case)["pathParameters"] for case in GALLERY}
    assert {each["product_id"] for each in paths.values()} == {str(GALLERY_IMAGE.product_id)}
    shown = {case: each["image_id"] for case, each in paths.items() if "image_id" in each}
    assert shown.pop("unknown_image") != str(GALLERY_IMAGE.image_id)
    assert set(shown.values()) == {str(GALLERY_IMAGE.image_id)}
    cases = ("put", "post", "duplicate", "reconciled")
    assert {_object(case)["key"] for case in cases} == {IMAGE.incoming_key}


@pytest.mark.parametrize(
    ("case", "name"),
    [("put", "ObjectCreated:Put"), ("post", "ObjectCreated:Post"), ("duplicate", "ObjectCreated:Put")],
)
def test_s3_tells_how_bytes_came(case: str, name: str) -> None:
    records = recorded("extract_metadata", case)["Records"]
    assert {record["eventName"] for record in records} == {name}


def test_an_object_that_is_told_twice_is_told_as_the_same_one() -> None:
    first, second = recorded("extract_metadata", "duplicate")["Records"]
    assert first == second


@pytest.mark.parametrize(
    ("function", "case"),
    [*(("describe_api", case) for case in DESCRIPTIONS), *(("storefront", case) for case in STOREFRONT)],
)
def test_what_is_open_to_all_is_asked_for_without_a_key(function: str, case: str) -> None:
    event = recorded(function, case)
    assert "authorization" not in event["headers"]
    assert "authorizer" not in event["requestContext"]


def _object(case: str) -> dict[str, Any]:
    described: dict[str, Any] = recorded("extract_metadata", case)["Records"][0]["s3"]["object"]
    return described
