"""The public copy of a JPEG, seen with a decoder: the same picture, and no more than it shows."""

import io
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image

from domain.public_copy.jpeg import copy
from tests.builders import PRIVATE, jpeg, picture, private_exif
from tests.jpeg_files import (
    SECRETS,
    checkered,
    exif_segment,
    phone_picture,
    profile_segments,
    read,
    segment,
    tiff,
    wide_profile,
    with_segments,
)
from tests.torture.results import size
from tests.traced import with_peak

SECRET = b"52.5200N 13.4050E"
KINDS: tuple[dict[str, Any], ...] = (
    {},
    {"mode": "L"},
    {"mode": "CMYK"},
    {"progressive": True},
    {"subsampling": 0, "icc_profile": wide_profile()},
    {"restart_marker_blocks": 2},
    {"progressive": True, "mode": "L", "width_px": 61, "height_px": 43},
)


def decoded(content: bytes) -> tuple[str, tuple[int, int], bytes]:
    with Image.open(io.BytesIO(content), formats=("JPEG", "MPO")) as opened:
        return opened.mode, opened.size, opened.tobytes()


def shown(content: bytes) -> dict[str, Any]:
    """Return what colours and place of a picture depend on, and what is told of it."""
    with Image.open(io.BytesIO(content), formats=("JPEG", "MPO")) as opened:
        exif = opened.getexif()
        tags = (ExifTags.Base.Orientation, ExifTags.Base.Artist, ExifTags.Base.Copyright)
        told = {tag.name: exif[tag] for tag in tags if tag in exif}
        return {"profile": opened.info.get("icc_profile"), **told}


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"mode": "CMYK"}, {"mode": "L"}])
def test_the_copy_of_a_phones_picture_is_the_same_picture(options: dict[str, Any]) -> None:
    sent = phone_picture(**options)
    copied = copy(sent)
    assert decoded(copied) == decoded(sent)
    assert shown(copied) == shown(sent)
    assert shown(copied) == {
        "profile": wide_profile(),
        "Orientation": 6,
        "Artist": "Ann Example",
        "Copyright": "(c) 2026 Ann Example",
    }
    assert not [secret for secret in SECRETS if secret in copied]


def test_what_a_camera_notes_is_gone_but_for_who_made_the_picture() -> None:
    copied = copy(jpeg(exif=private_exif()))
    assert [name for name in PRIVATE if name.encode() in copied] == ["WHO-MADE-IT"]


def test_of_several_pictures_in_one_file_the_first_is_left() -> None:
    sent = picture("MPO", frames=3)
    copied = copy(sent)
    assert len(copied) < len(sent) / 2
    assert decoded(copied) == decoded(sent)
    with Image.open(io.BytesIO(copied)) as opened:
        assert opened.format == "JPEG"


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_colours_that_an_adobe_segment_tells_are_told_on(mode: str) -> None:
    plain = jpeg(mode=mode)
    without_jfif = plain[:2] + plain[20:] if plain[3] == 0xE0 else plain
    for transform in range(3):
        sent = with_segments(
            without_jfif, segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([transform]) + b"more")
        )
        copied = copy(sent)
        assert b"more" not in copied
        assert decoded(copied) == decoded(sent)


@pytest.mark.parametrize("tail", [b"", b"SEFHe\xff\x01\0SEFT", SECRET * 50])
def test_an_end_marker_that_is_missing_changes_no_pixel(tail: bytes) -> None:
    for content in (*map(of_kind, range(len(KINDS))), checkered(quality=30, progressive=True)):
        copied = copy(content[:-2] + tail)
        assert copied == content


@cache
def of_kind(index: int) -> bytes:
    return jpeg(**KINDS[index])


def notes() -> st.SearchStrategy[bytes]:
    """Return segments that show nothing."""
    payloads = st.builds(
        lambda before, after: before + SECRET + after,
        st.sampled_from(
            [b"", b"JFXX\0", b"http://ns.adobe.com/xap/1.0/\0", b"MPF\0", b"\xff\xd9", b"\xff\xda"]
        ),
        st.sampled_from([0, 1, 30, 70, 300, 65_000]).map(bytes),
    )
    applications = st.sampled_from([0xE0, 0xE1, 0xE2, 0xE5, 0xEB, 0xED, 0xEE, 0xFE])
    segments = st.one_of(
        st.builds(segment, applications, payloads),
        st.sampled_from([1, 3, 2_000]).map(lambda times: segment(0xFE, b"a") * times),
        st.just(exif_segment(tiff({0x0112: 8, 0x010F: SECRET}))),
        st.just(segment(0xE2, b"ICC_PROFILE\0\x00\x09" + SECRET)),
        st.sampled_from([segment(0xE0), b"\xff\xef\0\0"]),
    )
    fill = st.sampled_from([0, 0, 1, 300]).map(lambda times: b"\xff" * times)
    return st.builds(bytes.__add__, fill, segments)


def strays() -> st.SearchStrategy[bytes]:
    """Return what belongs to no segment. Behind a scan it would belong to that."""
    return st.sampled_from([b"\xff\x01", b"\xff\xd5\xff\xd5", b"\xff\0", SECRET])


# Made once: to make strategies takes most of the time of drawing from them.
@cache
def others(*, is_behind_scan: bool) -> st.SearchStrategy[list[bytes]]:
    """Return what may stand between two segments."""
    return st.lists(notes() if is_behind_scan else notes() | strays(), max_size=3)


@st.composite
def containers(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Return a JPEG without secrets, and it with all sorts of things between and behind its segments."""
    plain = of_kind(draw(st.integers(0, len(KINDS) - 1)))
    found = read(plain)
    scans, sent = iter(found.scans), [plain[:2]]
    is_behind_scan = False
    for marker, payload in found.segments:
        more = draw(others(is_behind_scan=is_behind_scan))
        # Another profile would be as good as the picture's own.
        sent += [each for each in more if not (b"ICC_PROFILE" in plain and b"ICC_PROFILE" in each)]
        # Tables may be told twice.
        sent += [segment(marker, payload)] * (draw(st.integers(1, 3)) if marker in {0xDB, 0xC4, 0xDD} else 1)
        if marker == 0xDA:
            is_behind_scan = True
            sent.append(next(scans))
    sent.append(draw(st.sampled_from([b"", b"\xff", segment(0xFE, SECRET)])))
    sent.append(b"\xff\xd9" + draw(st.sampled_from([b"", SECRET, plain, bytes(99)])))
    return plain, b"".join(sent)


CONTAINERS = size(1_000, 60, "generated containers of a JPEG")


@pytest.mark.torture("public copies of pictures in generated containers")
@settings(
    max_examples=CONTAINERS,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(generated=containers())
def test_in_whatever_container_the_pixels_are_the_same_and_nothing_else_is_public(
    tried: Callable[[int], None], generated: tuple[bytes, bytes]
) -> None:
    tried(CONTAINERS)
    plain, sent = generated
    copied = copy(sent)
    assert decoded(copied) == decoded(plain)
    assert shown(copied)["profile"] == shown(plain)["profile"]
    assert SECRET not in copied
    assert read(copied).tail == b""
    assert read(copied).scans == read(plain).scans
    assert copy(copied) is copied


BYTES = size(50_000_000, 1_000_000, "bytes of tiny segments in a JPEG")


@pytest.mark.torture("public copies of pictures in generated containers")
@pytest.mark.parametrize(
    "unit",
    [
        pytest.param(segment(0xE1), id="empty segments"),
        pytest.param(segment(0xFE, b"a"), id="segments of a byte"),
        pytest.param(segment(0xE5, bytes(85)), id="segments of many bytes"),
        pytest.param(b"\xff\xff\xff\xe1\0\x02a", id="segments with something between them"),
        pytest.param(b"\xff\0a", id="what belongs to nothing"),
        pytest.param(b"\xff\x01\xff\xd0", id="markers without a segment"),
        pytest.param(b"\xff", id="fill bytes"),
    ],
)
def test_millions_of_segments_take_no_more_memory_than_the_copy(unit: bytes) -> None:
    plain = of_kind(0)
    sent = with_segments(plain, unit * (BYTES // len(unit)))
    copied, peak_bytes = with_peak(lambda: copy(sent))
    assert copied == plain
    assert peak_bytes < 1_000_000


def test_a_large_profile_in_the_most_parts_there_can_be_stays() -> None:
    profile = bytes(range(255)) * 40
    sent = with_segments(of_kind(0), *profile_segments(profile, parts=255))
    assert copy(sent) is sent
    assert shown(sent)["profile"] == profile
