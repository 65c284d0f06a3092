"""What the public is answered: ready pictures alone, nothing private, and for how long it may be kept."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from aws_lambda_powertools import Logger, Metrics

from domain.image import ImageStatus, Primary
from handlers.http_function import HttpFunction
from handlers.problems import HttpResponse
from handlers.storefront import ANY_ORIGIN, REFUSALS_KEPT, StorefrontHandler
from openapi.bodies import PrimariesBody, ShownGalleryBody
from tests.builders import (
    A_LOOK,
    BASE_URL,
    DAMAGED,
    NOW,
    PRIMARIES_PATH,
    PRODUCT_ID,
    SHA256,
    STOREFRONT_PATH,
    TOKEN,
    USER,
    a_context,
    a_file,
    a_ref,
    an_image,
    api_event,
)
from tests.catalog_fake import InMemoryImageCatalog, InMemoryStorefront
from tests.conftest import ColdStart
from tests.unit.conftest import Printed


class Window:
    """The function on a fake store, as somebody without a key asks it."""

    def __init__(self) -> None:
        self.catalog = InMemoryImageCatalog(PRODUCT_ID, PRODUCT_ID + 1)
        logger = Logger(service="storefront")
        metrics = Metrics(namespace="ProductImages", service="storefront")
        storefront = InMemoryStorefront(self.catalog)
        self._function = HttpFunction(
            StorefrontHandler(storefront, max_age=60, stale=30, logger=logger, metrics=metrics),
            allowed_origins=ANY_ORIGIN,
            rejections="RequestsRejected",
            logger=logger,
            metrics=metrics,
            refusals_kept=REFUSALS_KEPT,
        )

    def add(self, *image_ids: int, product_id: int = PRODUCT_ID) -> None:
        for image_id in image_ids:
            ref = a_ref(image_id, product_id)
            self.catalog.reserve(an_image(ref=ref, name="PRIVATE.jpg"))
            self.catalog.mark_ready(ref, a_file(), NOW)

    def gallery(self, headers: Mapping[str, str] | None = None, **query: str) -> HttpResponse:
        return self._answer(STOREFRONT_PATH, {"product_id": PRODUCT_ID}, query, headers)

    def gallery_of(self, product_id: int | str) -> HttpResponse:
        return self._answer(STOREFRONT_PATH, {"product_id": product_id}, {})

    def primaries(self, headers: Mapping[str, str] | None = None, **query: str) -> HttpResponse:
        return self._answer(PRIMARIES_PATH, {}, query, headers)

    def _answer(
        self,
        resource: str,
        path: Mapping[str, int | str],
        query: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        event = api_event("GET", resource, path=path, query=query, headers=headers)
        event["pathParameters"] = event["pathParameters"] or None
        del event["requestContext"]["authorizer"]
        return self._function(event, a_context())


@pytest.fixture
def window() -> Window:
    return Window()


def body(answer: HttpResponse) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(answer["body"])
    return read


def messages(answer: HttpResponse) -> list[tuple[str, str]]:
    assert (answer["statusCode"], body(answer)["code"]) == (400, "invalid_fields")
    return [(each["field"], each["message"]) for each in body(answer)["errors"]]


def test_a_gallery_shows_what_a_shop_window_needs_and_nothing_else(window: Window) -> None:
    window.add(1)
    window.catalog.mark_rendered(a_ref(1), A_LOOK, NOW)
    answer = window.gallery()
    assert ShownGalleryBody.model_validate_json(answer["body"]).count == 1
    [image] = body(answer)["results"]
    shown = {name: image[name] for name in image if name not in {"renditions", "placeholder"}}
    assert shown == {
        "id": 1,
        "product_id": PRODUCT_ID,
        "type": "JPEG",
        "f": f"{BASE_URL}/media/42/1-{TOKEN}.jpg",
        "size": 2_621_440,
        "width": 48,
        "height": 32,
        "alt_text": "A red shoe",
        "is_primary": True,
        "has_alpha": False,
        "frames": 3,
    }
    assert len(image["renditions"]) == len(A_LOOK.renditions)
    for private in ("PRIVATE", USER.username, USER.full_name, SHA256):
        assert private not in answer["body"]


def test_only_pictures_that_are_ready_are_shown(window: Window) -> None:
    window.add(1, 4)
    window.catalog.reserve(an_image(ref=a_ref(2)))
    window.catalog.reserve(an_image(ref=a_ref(3)))
    window.catalog.mark_failed(a_ref(3), DAMAGED, SHA256, NOW)
    assert [image["id"] for image in body(window.gallery())["results"]] == [1, 4]
    assert {image.status for image in window.catalog.images.values()} >= {ImageStatus.PENDING}


def test_pages_lead_to_each_other(window: Window) -> None:
    window.add(1, 2, 3)
    first, second = body(window.gallery(limit="2")), body(window.gallery(limit="2", offset="2"))
    url = f"{BASE_URL}/api/storefront/products/42/images"
    assert (first["count"], first["previous"], first["next"]) == (3, None, f"{url}?limit=2&offset=2")
    assert (second["count"], second["previous"], second["next"]) == (3, f"{url}?limit=2&offset=0", None)


@pytest.mark.parametrize(
    ("primary", "expected"),
    [(None, [1]), (Primary(None, NOW), [1]), (Primary(3, NOW), [3])],
    ids=["never set", "cleared", "set"],
)
def test_exactly_one_picture_of_a_gallery_is_the_primary_on_whichever_page(
    window: Window, primary: Primary | None, expected: list[int]
) -> None:
    window.add(1, 2, 3)
    window.catalog.primaries[PRODUCT_ID] = primary
    pages = [body(window.gallery(limit="1", offset=str(offset)))["results"] for offset in range(3)]
    assert [image["id"] for [image] in pages if image["is_primary"]] == expected


def test_one_picture_of_each_product_comes_in_the_order_that_was_asked_for(window: Window) -> None:
    window.add(1, 2)
    window.add(3, product_id=PRODUCT_ID + 1)
    answer = window.primaries(product_ids=f"99,{PRODUCT_ID + 1},{PRODUCT_ID}")
    assert PrimariesBody.model_validate_json(answer["body"])
    results = body(answer)["results"]
    assert [each["product_id"] for each in results] == [99, PRODUCT_ID + 1, PRODUCT_ID]
    assert [each["image"] and each["image"]["id"] for each in results] == [None, 3, 1]
    assert {each["image"]["is_primary"] for each in results if each["image"]} == {True}


def test_an_answer_may_be_kept_and_shown_for_a_while_by_anybody(window: Window) -> None:
    window.add(1)
    for answer in (window.gallery(), window.primaries(product_ids="42")):
        headers = answer["headers"]
        assert headers["Cache-Control"] == "public, max-age=60, stale-while-revalidate=30"
        assert headers["Access-Control-Allow-Origin"] == "*"
        # Or caches would keep one for each origin.
        assert "Vary" not in headers


def test_what_the_client_has_already_is_not_sent_again(window: Window) -> None:
    window.add(1)
    for ask in (window.gallery, lambda headers: window.primaries(headers, product_ids="42")):
        etag = ask({})["headers"]["ETag"]
        assert etag.startswith('"')
        # As a CDN that compresses sends it.
        again = ask({"If-None-Match": f"W/{etag}"})
        assert (again["statusCode"], again["body"]) == (304, "")
        assert again["headers"]["ETag"] == etag
        assert again["headers"]["Cache-Control"].startswith("public")
    window.catalog.mark_rendered(a_ref(1), A_LOOK, NOW + timedelta(seconds=1))
    assert window.gallery({"If-None-Match": etag})["statusCode"] == 200


def test_a_product_that_is_not_there_is_a_404_that_caches_keep_for_moments(window: Window) -> None:
    answer = window.gallery_of(99)
    assert (answer["statusCode"], body(answer)["code"]) == (404, "product_not_found")
    assert answer["headers"]["Cache-Control"] == "public, max-age=10"
    assert answer["headers"]["Access-Control-Allow-Origin"] == "*"


def test_bad_parameters_are_named(window: Window) -> None:
    assert [field for field, _ in messages(window.gallery(limit="101", offset="-1", status="failed"))] == [
        "limit",
        "offset",
        "status",
    ]
    assert [field for field, _ in messages(window.gallery_of("shoe"))] == ["product_id"]
    assert messages(window.primaries()) == [("product_ids", "Field required.")]


@pytest.mark.parametrize(
    ("product_ids", "ending"),
    [
        ("1,shoe,0", "not: shoe, 0."),
        ("", "not: (nothing)."),
        ("5,6,5", "doubled: 5."),
        (",".join(map(str, range(1, 102))), "Name at most 100 products; these are 101."),
    ],
)
def test_bad_products_are_named(window: Window, product_ids: str, ending: str) -> None:
    [(field, message)] = messages(window.primaries(product_ids=product_ids))
    assert field == "product_ids"
    assert message.endswith(ending)


def test_a_damaged_record_is_left_out_and_reported(printed: Printed) -> None:
    window = Window()
    window.add(1, 2)
    window.catalog.damaged.add((PRODUCT_ID, 1))
    assert [image["id"] for image in body(window.gallery())["results"]] == [2]
    assert body(window.primaries(product_ids="42"))["results"][0]["image"]["id"] == 2
    lines = printed()
    assert [line["image_id"] for line in lines if line.get("message") == "damaged record"] == [1, 1]
    assert [line["DamagedRecords"] for line in lines if "DamagedRecords" in line] == [[1], [1]]


def test_a_cold_start_reads_its_settings(cold_start: ColdStart) -> None:
    module = cold_start("storefront", TABLE="t", STACK="s", STOREFRONT_MAX_AGE="60", STOREFRONT_STALE="60")
    assert isinstance(module.lambda_handler, HttpFunction)
    with pytest.raises(AttributeError):
        module.nothing  # noqa: B018 - asking is what is tried
