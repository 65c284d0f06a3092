"""Pictures too large for the direct route: reserved first, then sent to S3 with a form."""

import hashlib
import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from PIL import Image

from domain.image import ImageStatus, ProductImage
from local.system import wait_until
from openapi.bodies import ImageBody, ReservedImageBody
from tests.builders import TOKEN, jpeg, picture
from tests.e2e.problems import check_problem
from tests.e2e.shop import Shop, media_key
from tests.torture.results import size

MAX_UPLOAD_BYTES = 50_000_000
FORMS = size(20, 2, "forms that are used ten times at once")
PICTURE = jpeg(48, 32)
# Of the same size, and less to show: what follows the end of a JPEG is not published.
OTHER = jpeg(40, 24).ljust(len(PICTURE), b"\0")
ANNOUNCED = {"name": "picture.jpg", "size": len(PICTURE)}


# --- The way of a large file ---------------------------------------------------------------------------


def large_jpeg() -> bytes:
    """Return a JPEG of 20 MB: noise, which no encoder makes small."""
    content = io.BytesIO()
    Image.effect_noise((6_000, 5_000), 120).save(content, "JPEG", quality=96)
    return content.getvalue()


def test_a_jpeg_of_20_mb_becomes_ready_and_is_served_byte_for_byte(shop: Shop, product_id: int) -> None:
    content = large_jpeg()
    assert len(content) >= 20_000_000
    sha256 = hashlib.sha256(content).hexdigest()
    reservation = shop.reserved(content, product_id=product_id, sha256=sha256, alt_text="Large", order=2)
    assert shop.send(reservation.upload, content).status_code == 204
    image = shop.settled(reservation)
    assert (image.size, image.human_readable_size[-2:]) == (len(content), "MB")
    assert image.sha256 == sha256
    assert (image.width, image.height, image.mode) == (6_000, 5_000, "L")
    assert (image.alt_text, image.order) == ("Large", 2)
    served = shop.fetch(image.f)
    assert hashlib.sha256(served.content).hexdigest() == sha256
    assert served.headers["content-type"] == "image/jpeg"
    assert served.headers["cache-control"] == "public, max-age=31536000, immutable"


# --- The announcement ----------------------------------------------------------------------------------


def test_the_201_is_the_pending_image_as_everywhere_and_its_form(shop: Shop, product_id: int) -> None:
    before = datetime.now(UTC)
    answer = shop.reserve({**ANNOUNCED, "name": "C:\\fakepath\\Schuh.JPG"}, product_id=product_id)
    after = datetime.now(UTC)
    assert answer.status_code == 201
    reservation = ReservedImageBody.model_validate_json(answer.content)
    image = ImageBody.model_validate_json(
        json.dumps({k: v for k, v in answer.json().items() if k != "upload"})
    )
    assert (image.type, image.name, image.status) == ("JPEG", "Schuh.JPG", "pending")
    assert (image.alt_text, image.is_primary, image.order) == ("", False, 0)
    assert (image.width, image.height, image.mode, image.error) == (None, None, None, None)
    assert shop.gallery(product_id) == [image]
    shown = shop.request("GET", answer.headers["location"])
    assert ImageBody.model_validate_json(shown.content) == image
    assert image.upload_expires_at == reservation.upload.expires_at
    # Rounded down to a second.
    lifetime = timedelta(minutes=15)
    assert before + lifetime - timedelta(seconds=1) < reservation.upload.expires_at <= after + lifetime


def test_a_size_at_the_limit_is_taken_and_one_byte_more_is_a_413(shop: Shop, product_id: int) -> None:
    at_limit = shop.reserved(PICTURE, product_id=product_id, size=MAX_UPLOAD_BYTES)
    assert at_limit.size == MAX_UPLOAD_BYTES
    answer = shop.reserve({**ANNOUNCED, "size": MAX_UPLOAD_BYTES + 1}, product_id=product_id)
    assert "50,000,000" in check_problem(answer, 413, "file_too_large").detail


# --- What S3 does not take -----------------------------------------------------------------------------


def test_s3_takes_no_form_that_was_changed(shop: Shop, product_id: int) -> None:
    reservation = shop.reserved(PICTURE, product_id=product_id)
    form = reservation.upload
    for changes in (
        {"key": f"incoming/123/1-{TOKEN}"},
        {"key": f"media/123/1-{TOKEN}.jpg"},
        {"Content-Type": "text/html"},
        {"Cache-Control": "no-store"},
        {"x-amz-meta-created-at": "2026-03-14T09:26:53.589793Z"},
        {"x-amz-signature": "0" * 64},
        {"success_action_status": "303"},
    ):
        changed = form.model_copy(update={"fields": {**form.fields, **changes}})
        assert shop.send(changed, PICTURE).status_code == 403, changes
        assert shop.received_keys(product_id) == set()
    assert shop.shown(product_id, reservation.id).status == "pending"
    # The form itself is still good, also with another status for its success.
    chosen = form.model_copy(update={"fields": {**form.fields, "success_action_status": "201"}})
    assert shop.send(chosen, PICTURE).status_code == 201
    assert shop.settled(reservation).width == 48


@pytest.mark.parametrize("size_bytes", [0, len(PICTURE) - 1, len(PICTURE) + 1, MAX_UPLOAD_BYTES])
def test_s3_takes_no_file_of_another_size_than_announced(
    shop: Shop, product_id: int, size_bytes: int
) -> None:
    reservation = shop.reserved(PICTURE, product_id=product_id)
    assert shop.send(reservation.upload, b"\0" * size_bytes).status_code == 400
    assert shop.received_keys(product_id) == set()
    assert shop.shown(product_id, reservation.id).status == "pending"


# --- What is sent is not what was announced ------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "announced", "code"),
    [
        (PICTURE, {"sha256": hashlib.sha256(OTHER).hexdigest()}, "wrong_digest"),
        (PICTURE[:-300], {}, "truncated"),
    ],
    ids=["SHA-256", "cut short"],
)
def test_other_bytes_than_announced_end_failed_with_the_reason_and_are_removed(
    shop: Shop, product_id: int, content: bytes, announced: dict[str, Any], code: str
) -> None:
    old = shop.add(PICTURE, product_id=product_id, is_primary="true")
    public = shop.public_copies(product_id)
    reservation = shop.reserved(content, product_id=product_id, is_primary=True, **announced)
    assert shop.send(reservation.upload, content).status_code == 204
    record = _finished(shop, reservation)
    assert (record.status, record.facts) == (ImageStatus.FAILED, None)
    shop.until_dealt_with(product_id)
    assert shop.public_copies(product_id) == public
    image = shop.shown(product_id, reservation.id)
    assert (image.status, image.error_code) == ("failed", code)
    assert image.error
    assert image.error.endswith(".")
    assert shop.fetch(image.f).status_code == 404
    assert shop.primaries(product_id) == [old.id]


def test_a_png_that_is_announced_as_a_jpeg_becomes_a_png(shop: Shop, product_id: int) -> None:
    content = picture("PNG")
    reservation = shop.reserved(content, product_id=product_id, name="photo.jpg")
    assert reservation.type == "JPEG"
    assert shop.fetch(reservation.f).status_code == 404
    assert shop.send(reservation.upload, content).status_code == 204
    image = shop.settled(reservation)
    assert (image.type, image.name) == ("PNG", "photo.jpg")
    assert image.f == reservation.f.removesuffix(".jpg") + ".png"
    served = shop.fetch(image.f)
    assert (served.headers["content-type"], served.content) == ("image/png", content)
    assert shop.public_copies(product_id) == {media_key(image.f)}


# --- The form once more --------------------------------------------------------------------------------


@pytest.mark.parametrize("second", [OTHER, picture("PNG", 20, 10).ljust(len(PICTURE), b"\0")])
def test_a_form_that_is_used_again_never_replaces_the_picture(
    shop: Shop, product_id: int, second: bytes
) -> None:
    reservation = shop.reserved(PICTURE, product_id=product_id)
    assert shop.send(reservation.upload, PICTURE).status_code == 204
    first = shop.settled(reservation)
    shop.until_dealt_with(product_id)
    assert shop.send(reservation.upload, second).status_code == 204
    shop.until_dealt_with(product_id)
    assert shop.public_copies(product_id) == {media_key(first.f)}
    assert shop.fetch(first.f).content == PICTURE
    assert shop.shown(product_id, first.id) == first


@pytest.mark.torture("forms that are used ten times at once")
@pytest.mark.usefixtures("alone")
def test_of_a_form_that_is_used_ten_times_at_once_one_picture_stays(
    shop: Shop, product_id: int, tried: Callable[[int], None]
) -> None:
    tried(10 * FORMS)
    sizes = range(40, 45)
    pictures = {
        **{jpeg(width, 24): (width, "JPEG") for width in sizes},
        **{picture("PNG", width, 24): (width, "PNG") for width in sizes},
    }
    # All of the announced size: what follows the end of a picture is not published.
    size_bytes = max(map(len, pictures))
    sent = [content.ljust(size_bytes, b"\0") for content in pictures]
    for _ in range(FORMS):
        reservation = shop.reserved(sent[0], product_id=product_id)
        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(partial(shop.send, reservation.upload), sent))
        assert {answer.status_code for answer in answers} == {204}
        image = shop.settled(reservation)
        shop.until_dealt_with(product_id)
        # What events that came later found there is gone by now, or goes with the last of them.
        only = {media_key(image.f)}
        wait_until(lambda only=only: shop.public_copies(product_id) == only or None, "one public copy")  # type: ignore[misc]
        served = shop.fetch(image.f).content
        assert pictures[served] == (image.width, image.type)
        assert shop.shown(product_id, image.id) == image
        shop.delete(product_id, image.id)


def _finished(shop: Shop, reservation: ReservedImageBody) -> ProductImage:
    return shop.state.finished(reservation.product_id, reservation.id)
