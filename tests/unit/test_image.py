from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.image import MAX_ID, ImageFormat, ImageRef, human_readable_size
from domain.moments import iso_utc
from tests.builders import NOW

IDS = st.integers(1, MAX_ID)
UPLOADS = st.tuples(st.datetimes(datetime(2000, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)), IDS)  # noqa: DTZ001 - hypothesis wants naive bounds


def test_a_picture_lies_at_a_key_made_of_identifiers() -> None:
    ref = ImageRef(42, 7, ImageFormat.JPEG)
    assert (ref.path, ref.key) == ("42/7.jpg", "originals/42/7.jpg")


@given(IDS, IDS, st.sampled_from(ImageFormat))
def test_a_key_tells_which_picture_lies_there(
    product_id: int, image_id: int, image_format: ImageFormat
) -> None:
    ref = ImageRef(product_id, image_id, image_format)
    assert ImageRef.from_key(ref.key) == ref


@pytest.mark.parametrize(
    "key",
    [
        "",
        "42/7.jpg",
        "originals/42/7.jpg/",
        "originals/42/7.jpg\n",
        "originals/42/7.svg",
        "originals/42/7.jpeg",
        "originals/42/7.JPG",
        "originals/42/07.jpg",
        "originals/0/7.jpg",
        "originals/-1/7.jpg",
        "originals/../7.jpg",
        "originals/42/\u0667.jpg",
        "previews/originals/42/7.jpg",
        "originals/42/12345678901234567.jpg",
        "originals/42/9007199254740992.jpg",
    ],
)
def test_another_key_is_none_of_ours(key: str) -> None:
    assert ImageRef.from_key(key) is None


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOW, "2026-03-14T09:26:53.589793Z"),
        (NOW.replace(microsecond=0), "2026-03-14T09:26:53.000000Z"),
        (NOW.astimezone(timezone(timedelta(hours=5, minutes=30))), "2026-03-14T09:26:53.589793Z"),
    ],
)
def test_a_moment_is_written_in_utc_with_microseconds(moment: datetime, text: str) -> None:
    assert iso_utc(moment) == text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (812, "812 B"),
        (1023, "1023 B"),
        (1024, "1.0 KB"),
        (1536, "1.5 KB"),
        (1_048_524, "1023.9 KB"),
        (1_048_575, "1.0 MB"),
        (2_621_440, "2.5 MB"),
        (4_500_000, "4.3 MB"),
        (1024**3 - 1, "1.0 GB"),
        (3 * 1024**3, "3.0 GB"),
        (5000 * 1024**3, "5000.0 GB"),
    ],
)
def test_a_size_is_written_for_a_person(size_bytes: int, text: str) -> None:
    assert human_readable_size(size_bytes) == text


@pytest.mark.parametrize(
    ("image_format", "media_type"),
    [
        (ImageFormat.JPEG, "image/jpeg"),
        (ImageFormat.PNG, "image/png"),
        (ImageFormat.WEBP, "image/webp"),
        (ImageFormat.GIF, "image/gif"),
        (ImageFormat.AVIF, "image/avif"),
    ],
)
def test_a_format_has_its_registered_media_type(image_format: ImageFormat, media_type: str) -> None:
    assert image_format.media_type == media_type
