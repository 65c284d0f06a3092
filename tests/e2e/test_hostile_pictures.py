"""Pictures that are made to hurt, through the deployed functions: each ends, and disturbs no other."""

import pytest

from domain.image import ImageFormat, ImageRef, ImageStatus
from openapi.bodies import ReservedImageBody
from tests.builders import jpeg, picture
from tests.e2e.problems import check_problem
from tests.e2e.shop import Shop
from tests.hostile_pictures import (
    POLYGLOTS,
    PRETENDERS,
    SCRIPT,
    gif_that_grows,
    jpeg_of,
    metadata_bomb,
    png,
)

pytestmark = pytest.mark.torture("hostile pictures")

GOOD = jpeg()
HOSTILE = {
    "JPEG cut short": (jpeg(640, 480)[:-2000], "damaged or cut short"),
    "AVIF cut short": (picture("AVIF", 640, 480)[:-500], "begins like a AVIF picture"),
    "PNG of 169 megapixels": (png(13_000, 13_000), "more than 100 megapixels"),
    "WEBP by its header alone": (picture("WEBP")[:20], "damaged or cut short"),
    "JPEG of thousands of scans": (jpeg_of(scans=2_000, side_px=10_000), "more than 8 s to decode"),
}


def failures_of(shop: Shop, product_id: int) -> list[str]:
    """Return the messages in the failure queue that speak of this product's pictures."""
    received = shop.state.endpoint.client("sqs").receive_message(
        QueueUrl=shop.state.resources.failure_queue, MaxNumberOfMessages=10, VisibilityTimeout=0
    )
    bodies = (message["Body"] for message in received.get("Messages", []))
    return [body for body in bodies if f"originals/{product_id}/" in body]


def by_form(shop: Shop, content: bytes, product_id: int, **announced: str) -> ReservedImageBody:
    reservation = shop.reserved(content, product_id=product_id, **announced)
    assert shop.send(reservation.upload, content).status_code == 204
    return reservation


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_picture_fails_with_a_reason_and_the_next_one_is_ready(
    shop: Shop, product_id: int, name: str
) -> None:
    content, reason = HOSTILE[name]
    created = shop.upload(content, product_id=product_id)
    assert created.status_code == 201, created.text
    record = shop.finished(created.json())
    assert (record.status, record.facts) == (ImageStatus.FAILED, None)
    shop.until_removed(product_id)
    shown = shop.shown(product_id, record.ref.image_id)
    assert shown.status == "failed"
    assert shown.error
    assert reason in shown.error
    assert shop.add(GOOD, product_id=product_id).status == "ready"
    assert failures_of(shop, product_id) == []


@pytest.mark.parametrize("kind", ["zTXt", "iTXt", "iCCP"])
def test_a_metadata_bomb_that_came_with_a_form_fails_with_a_reason(
    shop: Shop, product_id: int, kind: str
) -> None:
    content = png(48, 32, metadata_bomb(kind))
    reservation = by_form(shop, content, product_id, content_type="image/png")
    record = shop.state.finished(product_id, reservation.id)
    assert (record.status, record.facts) == (ImageStatus.FAILED, None)
    assert record.error
    assert "does not decode" in record.error
    shop.until_removed(product_id)
    assert failures_of(shop, product_id) == []


def test_a_picture_that_takes_too_long_is_not_tried_again(shop: Shop, product_id: int) -> None:
    content, _ = HOSTILE["JPEG of thousands of scans"]
    with shop.events_lost():
        body = shop.upload(content, product_id=product_id).json()
        ref = ImageRef(product_id, body["id"], ImageFormat.JPEG)
        (version,) = shop.versions(product_id)
        # The function returns: what would be tried again is what it raises.
        assert shop.invoke_metadata(ref.key, version) == "failed"
        # Told once more, it finds the outcome in the record, and does not decode again.
        assert shop.invoke_metadata(ref.key, version) == "failed"
    assert shop.object_keys(product_id) == set()


def test_a_gif_with_large_frames_behind_a_small_one_costs_no_more_than_is_allowed(
    shop: Shop, product_id: int
) -> None:
    image = shop.settled(
        by_form(shop, gif_that_grows(9_990, 9_990, 20), product_id, content_type="image/gif")
    )
    assert (image.width, image.height) == (1, 1)


@pytest.mark.parametrize("name", POLYGLOTS)
def test_a_picture_that_is_something_else_too_is_served_as_the_picture_it_is(
    shop: Shop, product_id: int, name: str
) -> None:
    created = shop.upload(POLYGLOTS[name], name="page.html", product_id=product_id)
    image = shop.settled(shop.shown(product_id, created.json()["id"]))
    image_format = ImageFormat[name.split(maxsplit=1)[0]]
    assert (image.type, image.width, image.height) == (image_format.name, 48, 32)
    served = shop.fetch(image.f)
    assert served.content == POLYGLOTS[name]
    assert served.headers["content-type"] == image_format.media_type
    assert served.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", PRETENDERS)
def test_another_format_named_jpg_is_refused_and_nothing_is_stored(
    shop: Shop, product_id: int, name: str
) -> None:
    answer = shop.upload(PRETENDERS[name], name="picture.jpg", product_id=product_id)
    check_problem(answer, 400, "unsupported_format")
    assert shop.gallery(product_id) == []
    assert shop.versions(product_id) == []


@pytest.mark.parametrize("name", PRETENDERS)
def test_another_format_that_came_with_a_form_fails_and_is_removed(
    shop: Shop, product_id: int, name: str
) -> None:
    reservation = by_form(shop, PRETENDERS[name], product_id)
    record = shop.state.finished(product_id, reservation.id)
    assert (record.status, record.facts) == (ImageStatus.FAILED, None)
    assert record.error
    assert "not a picture in a supported format" in record.error
    shop.until_removed(product_id)
    # Not even its text may be shown.
    served = shop.fetch(reservation.f)
    assert served.status_code == 403
    assert SCRIPT not in served.content
    assert failures_of(shop, product_id) == []
