"""Pictures too large for the direct route: reserved first, then sent to S3 with a form."""

import base64
import hashlib
import io
import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from domain.image import ImageStatus, ProductImage
from local.system import wait_until
from openapi.bodies import ImageBody, ReservedImageBody, UploadFormBody
from tests.builders import jpeg, picture
from tests.e2e.problems import check_problem, faulty_fields
from tests.e2e.shop import Shop

MAX_UPLOAD_BYTES = 50_000_000
PICTURE = jpeg(48, 32)
OTHER = jpeg(64, 32)
ANNOUNCED = {"name": "picture.jpg", "size": len(PICTURE)}

PUBLISHED_TAG = "<Tagging><TagSet><Tag><Key>status</Key><Value>ready</Value></Tag></TagSet></Tagging>"

type Send = Callable[[UploadFormBody, Path], int]


# --- The way of a large file ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A JPEG of 20 MB: noise, which no encoder makes small."""
    content = io.BytesIO()
    Image.effect_noise((6_000, 5_000), 120).save(content, "JPEG", quality=96)
    path = tmp_path_factory.mktemp("large") / "large.jpg"
    path.write_bytes(content.getvalue())
    return path


def _curl(form: UploadFormBody, path: Path) -> int:
    # As strings: a value that begins with @ or < must not be read as a file's name.
    fields = [part for name, value in form.fields.items() for part in ("--form-string", f"{name}={value}")]
    command = [
        "curl",
        "-sS",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        *fields,
        "-F",
        f"file=@{path}",
        form.url,
    ]
    return int(subprocess.check_output(command))


def _requests(form: UploadFormBody, path: Path) -> int:
    with path.open("rb") as file:
        return requests.post(form.url, data=form.fields, files={"file": file}, timeout=60).status_code


@pytest.mark.parametrize("send", [_curl, _requests])
def test_a_jpeg_of_20_mb_becomes_ready_and_is_served_byte_for_byte(
    shop: Shop, product_id: int, large_file: Path, send: Send
) -> None:
    content = large_file.read_bytes()
    assert len(content) >= 20_000_000
    sha256 = hashlib.sha256(content).hexdigest()
    reservation = shop.reserved(content, product_id=product_id, sha256=sha256, alt_text="Large", order=2)
    assert send(reservation.upload, large_file) == 204
    image = shop.settled(reservation)
    assert (image.size, image.human_readable_size[-2:]) == (len(content), "MB")
    assert (image.width, image.height, image.mode) == (6_000, 5_000, "L")
    assert (image.alt_text, image.order) == ("Large", 2)
    served = shop.fetch(image.f)
    assert hashlib.sha256(served.content).hexdigest() == sha256
    assert served.headers["content-type"] == "image/jpeg"
    assert served.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("size_bytes", [4_500_001, 5_000_000, 12_000_000])
def test_the_413_of_the_direct_route_names_this_way(shop: Shop, size_bytes: int) -> None:
    problem = check_problem(shop.upload(b"\xff\xd8\xff" + b"\0" * (size_bytes - 3)), 413, "file_too_large")
    assert "POST to /api/products/{product_id}/images/uploads" in problem.detail


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
    assert shop.request("GET", answer.headers["location"]).json() == image.model_dump(mode="json")
    # Rounded down to a second.
    lifetime = timedelta(minutes=15)
    assert before + lifetime - timedelta(seconds=1) < reservation.upload.expires_at <= after + lifetime


def test_the_form_is_good_for_one_key_one_type_and_a_range_of_sizes_until_it_expires(
    shop: Shop, product_id: int
) -> None:
    form = shop.reserved(PICTURE, product_id=product_id).upload
    policy = json.loads(base64.b64decode(form.fields["policy"]))
    assert ["content-length-range", 1, MAX_UPLOAD_BYTES] in policy["conditions"]
    exact = {k: v for each in policy["conditions"] if isinstance(each, dict) for k, v in each.items()}
    assert exact["key"] == form.fields["key"]
    assert exact["Content-Type"] == "image/jpeg"
    assert len(policy["conditions"]) == len(exact) + 1
    assert set(form.fields) == {*exact, "policy", "x-amz-signature"} - {"bucket"}
    expiration = datetime.fromisoformat(policy["expiration"])
    assert timedelta() <= expiration - form.expires_at < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("announced", "image_type"),
    [
        ({"name": "a.jpeg"}, "JPEG"),
        ({"name": "a.b.WebP"}, "WEBP"),
        ({"name": "a.avif"}, "AVIF"),
        ({"name": "a.gif", "content_type": None}, "GIF"),
        ({"name": "no extension", "content_type": "image/png"}, "PNG"),
        ({"name": "a.png", "content_type": "image/gif"}, "GIF"),
    ],
)
def test_the_media_type_tells_the_format_or_else_the_name_does(
    shop: Shop, announced: dict[str, str], image_type: str
) -> None:
    reservation = shop.reserved(PICTURE, product_id=123, **announced)
    assert reservation.type == image_type
    assert reservation.upload.fields["Content-Type"] == f"image/{image_type.lower()}"


@pytest.mark.parametrize(
    ("announced", "names"),
    [
        ({"name": "picture"}, ["content_type"]),
        ({"name": "picture.svg"}, ["content_type"]),
        ({"content_type": "image/svg+xml"}, ["content_type"]),
        ({"content_type": "text/html"}, ["content_type"]),
        ({"name": ""}, ["name"]),
        ({"size": 0}, ["size"]),
        ({"size": -1}, ["size"]),
        ({"size": "3"}, ["size"]),
        ({"sha256": "0" * 63}, ["sha256"]),
        ({"sha256": "g" * 64}, ["sha256"]),
        ({"order": 2**31, "is_primary": "true"}, ["is_primary", "order"]),
        ({"folder": "a", "key": "b"}, ["folder", "key"]),
    ],
)
def test_an_announcement_that_breaks_a_rule_is_a_400_that_names_each_field_and_reserves_nothing(
    shop: Shop, product_id: int, announced: dict[str, Any], names: list[str]
) -> None:
    answer = shop.reserve({**ANNOUNCED, **announced}, product_id=product_id)
    assert sorted(faulty_fields(check_problem(answer, 400, "invalid_fields"))) == names
    assert shop.gallery(product_id) == []


def test_an_announcement_needs_a_name_and_a_size(shop: Shop) -> None:
    problem = check_problem(shop.reserve({}), 400, "invalid_fields")
    assert faulty_fields(problem) == ["name", "size"]


def test_a_size_at_the_limit_is_taken_and_one_byte_more_is_a_413(shop: Shop, product_id: int) -> None:
    at_limit = shop.reserved(PICTURE, product_id=product_id, size=MAX_UPLOAD_BYTES)
    assert at_limit.size == MAX_UPLOAD_BYTES
    answer = shop.reserve({**ANNOUNCED, "size": MAX_UPLOAD_BYTES + 1}, product_id=product_id)
    assert "50,000,000" in check_problem(answer, 413, "file_too_large").detail


# --- What S3 does not take -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "originals/123/1.jpg"},
        {"key": "originals/123/picture.html"},
        {"Content-Type": "text/html"},
        {"Cache-Control": "no-store"},
        {"x-amz-meta-written-once": "originals/123/1.jpg"},
        {"x-amz-meta-created-at": "2026-03-14T09:26:53.589793Z"},
        {"x-amz-tagging": PUBLISHED_TAG},
        {"x-amz-signature": "0" * 64},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_s3_takes_no_form_that_was_changed(shop: Shop, product_id: int, changes: dict[str, str]) -> None:
    reservation = shop.reserved(PICTURE, product_id=product_id)
    changed = reservation.upload.model_copy(update={"fields": {**reservation.upload.fields, **changes}})
    assert shop.send(changed, PICTURE).status_code == 403
    assert shop.object_keys(product_id) == set()
    assert shop.shown(product_id, reservation.id).status == "pending"
    # The form itself is still good.
    assert shop.send(reservation.upload, PICTURE).status_code == 204
    assert shop.settled(reservation).width == 48


@pytest.mark.parametrize("size_bytes", [0, MAX_UPLOAD_BYTES + 1])
def test_s3_takes_no_file_that_is_empty_or_too_large(shop: Shop, product_id: int, size_bytes: int) -> None:
    reservation = shop.reserved(PICTURE, product_id=product_id)
    assert shop.send(reservation.upload, b"\0" * size_bytes).status_code == 400
    assert shop.object_keys(product_id) == set()
    assert shop.shown(product_id, reservation.id).status == "pending"


# --- What is sent is not what was announced ------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "announced", "reason"),
    [
        (
            PICTURE,
            {"size": len(PICTURE) + 1},
            f"{len(PICTURE):,} bytes; {len(PICTURE) + 1:,} had been announced",
        ),
        (PICTURE, {"sha256": hashlib.sha256(OTHER).hexdigest()}, "another SHA-256"),
        (PICTURE, {"content_type": "image/png"}, "is a JPEG picture; PNG had been announced"),
        (picture("GIF", mode="P"), {}, "is a GIF picture; JPEG had been announced"),
        (b"<html>No picture</html>", {}, "not a picture in a supported format"),
        (PICTURE[:-300], {}, "damaged or cut short"),
        (b"\xff\xd8\xff and no more", {}, "begins like a JPEG picture"),
    ],
    ids=["size", "SHA-256", "media type", "format", "no picture", "cut short", "signature alone"],
)
def test_other_bytes_than_announced_end_failed_with_the_reason_and_are_removed(
    shop: Shop, product_id: int, content: bytes, announced: dict[str, Any], reason: str
) -> None:
    old = shop.add(PICTURE, product_id=product_id, is_primary="true")
    shop_has = shop.object_keys(product_id)
    reservation = shop.reserved(content, product_id=product_id, is_primary=True, **announced)
    assert shop.send(reservation.upload, content).status_code == 204
    record = _finished(shop, reservation)
    assert (record.status, record.facts) == (ImageStatus.FAILED, None)
    wait_until(lambda: shop.object_keys(product_id) == shop_has or None, "removal of the bytes")
    image = shop.shown(product_id, reservation.id)
    assert image.status == "failed"
    assert image.error
    assert reason in image.error
    assert image.error.endswith(".")
    assert shop.fetch(image.f).status_code == 403
    assert shop.primaries(product_id) == [old.id]


def test_the_announced_sha256_may_be_in_capitals(shop: Shop, product_id: int) -> None:
    sha256 = hashlib.sha256(PICTURE).hexdigest().upper()
    reservation = shop.reserved(PICTURE, product_id=product_id, sha256=sha256)
    assert shop.send(reservation.upload, PICTURE).status_code == 204
    assert shop.settled(reservation).status == "ready"


# --- The form once more --------------------------------------------------------------------------------


def test_a_form_that_is_used_twice_never_replaces_the_picture(shop: Shop, product_id: int) -> None:
    reservation = shop.reserved(PICTURE, product_id=product_id)
    assert shop.send(reservation.upload, PICTURE).status_code == 204
    first = shop.settled(reservation)
    (version,) = shop.versions(product_id)
    assert shop.send(reservation.upload, OTHER).status_code == 204

    def only_the_first_is_left() -> bool | None:
        # Until then the second may hide the first, but it is never shown.
        served = shop.fetch(first.f)
        assert served.status_code == 403 or served.content == PICTURE
        return shop.versions(product_id) == [version] or None

    wait_until(only_the_first_is_left, "removal of the second version")
    assert shop.fetch(first.f).content == PICTURE
    assert shop.shown(product_id, first.id) == first


def test_of_a_form_that_is_used_many_times_at_once_one_picture_stays(shop: Shop, product_id: int) -> None:
    contents = [jpeg(40 + number, 24) for number in range(6)]
    # All of the announced size; what follows the end of a JPEG does not matter.
    size = max(map(len, contents))
    contents = [content.ljust(size, b"\0") for content in contents]
    reservation = shop.reserved(contents[0], product_id=product_id)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda content: shop.send(reservation.upload, content), contents))
    assert [answer.status_code for answer in answers] == [204] * 6
    image = shop.settled(reservation)
    wait_until(lambda: len(shop.versions(product_id)) == 1 or None, "removal of all versions but one")
    assert image.width
    assert shop.fetch(image.f).content == contents[image.width - 40]
    assert shop.shown(product_id, image.id) == image


def test_a_picture_that_came_with_a_form_becomes_primary_when_it_is_ready(
    shop: Shop, product_id: int
) -> None:
    old = shop.add(PICTURE, product_id=product_id, is_primary="true")
    reservation = shop.reserved(OTHER, product_id=product_id, is_primary=True)
    assert shop.shown(product_id, old.id).is_primary
    assert not shop.shown(product_id, reservation.id).is_primary
    assert shop.send(reservation.upload, OTHER).status_code == 204
    assert shop.settled(reservation).is_primary
    assert not shop.shown(product_id, old.id).is_primary


def _finished(shop: Shop, reservation: ReservedImageBody) -> ProductImage:
    return shop.state.finished(reservation.product_id, reservation.id)
