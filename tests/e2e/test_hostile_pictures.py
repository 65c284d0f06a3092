"""Pictures that are made to hurt, through the deployed functions: each ends, and disturbs no other."""

from collections.abc import Callable

import pytest

from domain.image import ImageFormat, ImageStatus, ProductImage
from openapi.bodies import ReservedImageBody
from tests.builders import jpeg, picture
from tests.e2e.problems import check_problem
from tests.e2e.shop import Shop, incoming_key
from tests.hostile_pictures import (
    POLYGLOTS,
    PRETENDERS,
    SCRIPT,
    jpeg_of,
    metadata_bomb,
    png,
)
from tests.torture.results import size

pytestmark = pytest.mark.torture("hostile pictures")

GOOD = jpeg()
HOSTILE = {
    "JPEG cut short": (jpeg(640, 480)[:-2000], "truncated"),
    "AVIF cut short": (picture("AVIF", 640, 480)[:-500], "truncated"),
    "PNG of 169 megapixels": (png(13_000, 13_000), "too_many_pixels"),
    "WEBP by its header alone": (picture("WEBP")[:20], "truncated"),
    "JPEG of thousands of scans": (jpeg_of(scans=2_000, side_px=10_000), "too_complex"),
}


def inspected(shop: Shop, product_id: int, send: Callable[[], tuple[int, str]]) -> ProductImage:
    """Send a picture whose event gets lost, and let it be inspected here; return its record.

    The inspection must return: what would be tried again, and end in the failure queue, is what it raises.
    """
    with shop.events_lost():
        image_id, address = send()
        shop.invoke_metadata(incoming_key(address))
    return shop.state.finished(product_id, image_id)


def by_upload(shop: Shop, content: bytes, product_id: int) -> tuple[int, str]:
    answer = shop.upload(content, product_id=product_id)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    return body["id"], body["f"]


def by_form(shop: Shop, content: bytes, product_id: int, **announced: str) -> ReservedImageBody:
    reservation = shop.reserved(content, product_id=product_id, **announced)
    assert shop.send(reservation.upload, content).status_code == 204
    return reservation


@pytest.mark.parametrize("name", size([*HOSTILE], ["PNG of 169 megapixels"], "hostile pictures uploaded"))
def test_a_hostile_picture_fails_with_a_reason_and_the_next_one_is_ready(
    shop: Shop, product_id: int, name: str
) -> None:
    content, code = HOSTILE[name]
    record = inspected(shop, product_id, lambda: by_upload(shop, content, product_id))
    assert (record.status, record.facts) == (ImageStatus.FAILED, None)
    shop.until_removed(product_id)
    shown = shop.shown(product_id, record.ref.image_id)
    assert (shown.status, shown.error_code) == ("failed", code)
    assert shown.error
    # Told once more, the function finds nothing to decode again.
    assert shop.invoke_metadata(record.ref.incoming_key) == "failed"
    assert shop.add(GOOD, product_id=product_id).status == "ready"


@pytest.mark.parametrize("kind", size(["zTXt", "iTXt", "iCCP"], ["iTXt"], "metadata bombs by form"))
def test_a_metadata_bomb_that_came_with_a_form_is_left_out_of_the_picture(
    shop: Shop, product_id: int, kind: str
) -> None:
    content = png(48, 32, metadata_bomb(kind))

    def send() -> tuple[int, str]:
        reservation = by_form(shop, content, product_id, content_type="image/png")
        return reservation.id, reservation.f

    record = inspected(shop, product_id, send)
    assert record.status is ImageStatus.READY
    assert record.size_bytes < len(content)


@pytest.mark.parametrize("name", size([*POLYGLOTS], ["PNG and HTML"], "polyglots uploaded"))
def test_of_a_picture_that_is_something_else_too_only_the_picture_is_served(
    shop: Shop, product_id: int, name: str
) -> None:
    created = shop.upload(POLYGLOTS[name], name="page.html", product_id=product_id)
    image = shop.settled(shop.shown(product_id, created.json()["id"]))
    image_format = ImageFormat[name.split(maxsplit=1)[0]]
    assert (image.type, image.width, image.height) == (image_format.name, 48, 32)
    served = shop.fetch(image.f)
    assert SCRIPT not in served.content
    assert len(served.content) == image.size < len(POLYGLOTS[name])
    assert served.headers["content-type"] == image_format.media_type
    assert served.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", size([*PRETENDERS], [*PRETENDERS][:1], "other formats uploaded"))
def test_another_format_named_jpg_is_refused_and_nothing_is_stored(
    shop: Shop, product_id: int, name: str
) -> None:
    answer = shop.upload(PRETENDERS[name], name="picture.jpg", product_id=product_id)
    check_problem(answer, 400, "unsupported_format")
    assert shop.gallery(product_id) == []
    assert shop.received_keys(product_id) == set()


@pytest.mark.parametrize("name", size([*PRETENDERS], [*PRETENDERS][:1], "other formats by form"))
def test_another_format_that_came_with_a_form_fails_and_is_removed(
    shop: Shop, product_id: int, name: str
) -> None:
    reservations: list[ReservedImageBody] = []

    def send() -> tuple[int, str]:
        reservations.append(by_form(shop, PRETENDERS[name], product_id))
        return reservations[0].id, reservations[0].f

    record = inspected(shop, product_id, send)
    assert (record.status, record.facts) == (ImageStatus.FAILED, None)
    assert record.failure
    assert record.failure.code == "not_a_picture"
    shop.until_removed(product_id)
    # Not even its text may be shown.
    served = shop.fetch(reservations[0].f)
    assert served.status_code == 404
    assert SCRIPT not in served.content
