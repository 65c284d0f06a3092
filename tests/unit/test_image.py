from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.image import MAX_ID, TOKEN_BYTES, ImageFormat, ImageRef, human_readable_size, read_token
from domain.moments import iso_utc
from tests.builders import NOW, TOKEN

IDS = st.integers(1, MAX_ID)
UPLOADS = st.tuples(st.datetimes(datetime(2000, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)), IDS)  # noqa: DTZ001 - hypothesis wants naive bounds


def test_a_picture_lies_at_keys_made_of_identifiers_and_a_token() -> None:
    ref = ImageRef(42, 7, TOKEN)
    assert ref.incoming_key == f"incoming/42/7-{TOKEN}"
    assert ref.media_key(ImageFormat.JPEG) == f"media/42/7-{TOKEN}.jpg"
    assert ref.media_key(ImageFormat.AVIF).startswith(ref.media_prefix)


@given(IDS, IDS, st.binary(min_size=TOKEN_BYTES, max_size=TOKEN_BYTES))
def test_a_key_tells_which_picture_came_in(product_id: int, image_id: int, token: bytes) -> None:
    ref = ImageRef(product_id, image_id, token.hex())
    assert ImageRef.from_incoming_key(ref.incoming_key) == ref
    assert read_token(ref.token) == ref.token


@given(st.tuples(IDS, IDS), st.tuples(IDS, IDS))
def test_the_keys_of_one_picture_are_never_the_prefix_of_anothers(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    first, second = ImageRef(*one, TOKEN), ImageRef(*other, TOKEN)
    assert second.media_prefix.startswith(first.media_prefix) is (one == other)


@pytest.mark.parametrize(
    "text", ["", TOKEN[:-1], f"{TOKEN}0", TOKEN.upper(), f"{TOKEN}\n", "../../../../etc/x"]
)
def test_what_is_no_token_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="no token"):
        read_token(text)


@pytest.mark.parametrize(
    "key",
    [
        "",
        f"42/7-{TOKEN}",
        f"incoming/42/7-{TOKEN}/",
        f"incoming/42/7-{TOKEN}\n",
        f"incoming/42/7-{TOKEN}.jpg",
        f"incoming/42/7-{TOKEN[:-1]}",
        f"incoming/42/7-{TOKEN}0",
        f"incoming/42/7-{TOKEN.upper()}",
        f"incoming/42/7{TOKEN}",
        "incoming/42/7",
        f"incoming/42/07-{TOKEN}",
        f"incoming/0/7-{TOKEN}",
        f"incoming/-1/7-{TOKEN}",
        f"incoming/../7-{TOKEN}",
        f"incoming/42/\u0667-{TOKEN}",
        f"previews/incoming/42/7-{TOKEN}",
        f"media/42/7-{TOKEN}",
        f"incoming/42/12345678901234567-{TOKEN}",
        f"incoming/42/9007199254740992-{TOKEN}",
    ],
)
def test_another_key_is_none_of_ours(key: str) -> None:
    assert ImageRef.from_incoming_key(key) is None


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
