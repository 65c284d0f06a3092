from datetime import timedelta
from typing import Any

import pytest

from domain.image import Announcement, ImageFormat, ImageStatus
from handlers.image_json import image_json
from tests.builders import A_LOOK, DAMAGED, NOW, SHA256, TOKEN, a_ready_image, a_ref, an_image

BASE_URL = "https://shop.example"

PENDING = {
    "id": 1,
    "type": "JPEG",
    "user": {"id": 7, "username": "maria", "full_name": "María López"},
    "name": "shoe.jpg",
    "f": f"https://shop.example/media/42/1-{TOKEN}.jpg",
    "size": 2_621_440,
    "description": "A red shoe",
    "width": None,
    "height": None,
    "human_readable_size": "2.5 MB",
    "mode": None,
    "created_at": "2026-03-14T09:26:53.589793Z",
    "updated_at": "2026-03-14T09:26:53.589793Z",
    "product_id": 42,
    "alt_text": "A red shoe",
    "is_primary": False,
    "order": 0,
    "status": "pending",
    "sha256": None,
    "error": None,
    "error_code": None,
    "renditions": None,
    "placeholder": None,
    "has_alpha": None,
    "frames": None,
    "upload_expires_at": None,
}


def test_a_pending_picture_has_all_keys_and_no_size_in_pixels() -> None:
    assert image_json(an_image(), base_url=BASE_URL, is_primary=False) == PENDING


def test_a_ready_picture_has_its_size_and_mode() -> None:
    image = a_ready_image(updated_at=NOW + timedelta(seconds=1))
    assert image_json(image, base_url=BASE_URL, is_primary=False) == PENDING | {
        "width": 48,
        "height": 32,
        "mode": "RGB",
        "updated_at": "2026-03-14T09:26:54.589793Z",
        "status": "ready",
        "sha256": SHA256,
    }


def test_what_was_made_of_a_picture_for_the_public_is_listed_with_addresses() -> None:
    body = image_json(a_ready_image(look=A_LOOK), base_url=BASE_URL, is_primary=False)
    renditions: Any = body["renditions"]
    still, _, _, animated = renditions
    assert still == {
        "width": 320,
        "height": 213,
        "type": "AVIF",
        "f": f"https://shop.example/media/42/1-{TOKEN}/r1/320.avif",
        "size": 7_204,
        "is_animated": False,
    }
    assert animated == {
        "width": 320,
        "height": 213,
        "type": "WEBP",
        "f": f"https://shop.example/media/42/1-{TOKEN}/r1/320-animated.webp",
        "size": 51_002,
        "is_animated": True,
    }
    assert body["placeholder"] == {"thumbhash": "AAECAwQFBgcICQoLDA0ODxAREhMU", "color": "#b4533c"}
    assert (body["has_alpha"], body["frames"]) == (False, 3)


def test_a_failed_picture_says_why() -> None:
    image = an_image(status=ImageStatus.FAILED, failure=DAMAGED, sha256=SHA256)
    assert image_json(image, base_url=BASE_URL, is_primary=False) == PENDING | {
        "status": "failed",
        "sha256": SHA256,
        "error": "It is damaged.",
        "error_code": "corrupt",
    }


def test_a_picture_that_failed_before_there_were_codes_says_why_to_a_person_alone() -> None:
    image = an_image(status=ImageStatus.FAILED, failure=DAMAGED._replace(code=None))
    body = image_json(image, base_url=BASE_URL, is_primary=False)
    assert (body["error"], body["error_code"]) == ("It is damaged.", None)


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (ImageStatus.PENDING, "2026-03-14T09:41:53.589793Z"),
        (ImageStatus.READY, None),
        (ImageStatus.FAILED, None),
    ],
)
def test_a_form_is_told_of_with_its_expiry_as_long_as_bytes_are_waited_for(
    status: ImageStatus, shown: str | None
) -> None:
    announcement = Announcement(None, NOW + timedelta(minutes=15))
    image = an_image(status=status, announcement=announcement)
    assert image_json(image, base_url=BASE_URL, is_primary=False)["upload_expires_at"] == shown


def test_whether_it_is_the_primary_is_not_the_records_to_say() -> None:
    image = an_image(primary_requested_at=NOW, order=3)
    assert image_json(image, base_url=BASE_URL, is_primary=True) == PENDING | {
        "is_primary": True,
        "order": 3,
    }


def test_the_type_and_the_address_follow_the_format() -> None:
    image = an_image(ref=a_ref(8, 9), image_format=ImageFormat.WEBP)
    body = image_json(image, base_url=BASE_URL, is_primary=False)
    assert (body["type"], body["f"]) == ("WEBP", f"https://shop.example/media/9/8-{TOKEN}.webp")
