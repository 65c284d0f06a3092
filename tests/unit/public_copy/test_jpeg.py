"""What is kept of a JPEG, which of several segments counts, and what is told of one that no browser shows."""

from typing import Any

import pytest

from domain.errors import NotAPictureError
from domain.failure import Failure, FailureCode
from domain.public_copy.jpeg import copy
from tests.builders import jpeg
from tests.jpeg_files import (
    SECRETS,
    exif_segment,
    phone_picture,
    profile_segments,
    read,
    segment,
    tiff,
    wide_profile,
    with_segments,
)

PLAIN = jpeg()
PROGRESSIVE = jpeg(progressive=True)
START_OF_SCAN = PLAIN.index(b"\xff\xda")
JFIF = PLAIN[2:20]
TURNED, UPRIGHT = tiff({0x0112: 6}), tiff({0x0112: 1})
KEPT_TURNED = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
CUT = "The file is cut short: it ends before the image does."


def failure_of(content: bytes) -> Failure:
    with pytest.raises(NotAPictureError) as caught:
        copy(content)
    return caught.value.failure


def with_frame(marker: int, bits: int = 8, height: bytes = b"\0\x20") -> bytes:
    at = PLAIN.index(b"\xff\xc0")
    return PLAIN[: at + 1] + bytes([marker, 0, 17, bits]) + height + PLAIN[at + 7 :]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(PLAIN, id="baseline"),
        pytest.param(PROGRESSIVE, id="progressive"),
        pytest.param(jpeg(mode="L"), id="gray"),
        pytest.param(jpeg(mode="CMYK"), id="CMYK"),
        pytest.param(jpeg(icc_profile=wide_profile()), id="with a profile"),
        pytest.param(jpeg(restart_marker_blocks=1), id="with restarts"),
        pytest.param(PLAIN[:-2] + segment(0xDC, b"\0\x20") + PLAIN[-2:], id="with its height told again"),
        pytest.param(with_segments(PLAIN, segment(0xE1, KEPT_TURNED)), id="that was copied before"),
    ],
)
def test_a_jpeg_that_has_nothing_to_hide_stays_the_very_same(content: bytes) -> None:
    assert copy(content) is content


@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=["baseline", "progressive"])
def test_nothing_private_is_in_the_copy_of_a_phones_picture(options: dict[str, Any]) -> None:
    sent = phone_picture(**options)
    assert all(secret in sent for secret in SECRETS)
    copied = copy(sent)
    assert not [secret for secret in SECRETS if secret in copied]
    found = read(copied)
    assert found.tail == b""
    assert found.markers <= {0xE0, 0xE1, 0xE2, 0xDB, 0xC0, 0xC2, 0xC4, 0xDA}
    assert b"".join(part[14:] for part in found.all_of(0xE2)) == wide_profile()
    (kept,) = found.all_of(0xE1)
    assert b"Ann Example\0" in kept
    assert b"(c) 2026 Ann Example\0" in kept
    assert b"\x01\x12\0\x03\0\0\0\x01\0\x06" in kept
    assert found.scans == read(jpeg(48, 32, **options)).scans
    assert copy(copied) is copied


@pytest.mark.parametrize(
    ("segments", "kept"),
    [
        pytest.param([exif_segment(TURNED)], [KEPT_TURNED], id="alone"),
        pytest.param([exif_segment(TURNED, b"Exif\0\xff")], [KEPT_TURNED], id="with another byte of padding"),
        pytest.param([exif_segment(UPRIGHT), exif_segment(TURNED)], [], id="behind one that says upright"),
        pytest.param([exif_segment(b"no TIFF"), exif_segment(TURNED)], [], id="behind one that is none"),
        pytest.param([exif_segment(b""), exif_segment(TURNED)], [KEPT_TURNED], id="behind an empty one"),
        pytest.param([segment(0xE1, b"http:\0"), exif_segment(TURNED)], [KEPT_TURNED], id="behind XMP"),
        pytest.param([segment(0xE2, b"Exif\0\0" + TURNED)], [], id="in a segment of another kind"),
    ],
)
def test_the_orientation_counts_that_chromium_reads(segments: list[bytes], kept: list[bytes]) -> None:
    assert read(copy(with_segments(PLAIN, *segments))).all_of(0xE1) == kept


@pytest.mark.parametrize("at", [20, START_OF_SCAN], ids=["behind JFIF", "right before the pixels"])
def test_the_orientation_may_stand_behind_other_segments(at: int) -> None:
    copied = copy(PLAIN[:at] + exif_segment(TURNED) + PLAIN[at:])
    assert read(copied).all_of(0xE1) == [KEPT_TURNED]


def test_what_stands_between_or_behind_scans_is_of_no_use() -> None:
    late = (
        exif_segment(TURNED) + b"".join(profile_segments(wide_profile())) + segment(0xEE, b"Adobe" + bytes(7))
    )
    second = PROGRESSIVE.rindex(b"\xff\xda")
    assert copy(PROGRESSIVE[:second] + late + PROGRESSIVE[second:-2] + late + b"\xff\xd9") == PROGRESSIVE


def test_a_thumbnail_of_jfif_goes_and_its_extension_too() -> None:
    with_thumbnail = segment(0xE0, JFIF[4:16] + b"\x02\x01" + b"pixels")
    sent = PLAIN[:2] + with_thumbnail + segment(0xE0, b"JFXX\0\x13pixels") + PLAIN[20:]
    assert copy(sent) == PLAIN


def test_of_several_jfif_segments_one_stays_and_a_short_one_is_none() -> None:
    short = segment(0xE0, b"JFIF\0\1\1")
    assert copy(with_segments(PLAIN, short, JFIF)) == PLAIN


def test_the_last_adobe_segment_counts_without_what_it_has_too_much() -> None:
    adobe = [segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([transform])) for transform in range(2)]
    longer = segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01more")
    assert copy(with_segments(PLAIN, adobe[0], longer)) == with_segments(PLAIN, adobe[1])
    assert copy(with_segments(PLAIN, segment(0xEE, b"Adobe\0\x64\0\0\0\0"))) == PLAIN


PROFILE = profile_segments(b"some profile or other", parts=3)


@pytest.mark.parametrize(
    ("segments", "kept"),
    [
        pytest.param(PROFILE, PROFILE, id="whole"),
        pytest.param(PROFILE[::-1], PROFILE[::-1], id="in another order"),
        pytest.param([*PROFILE, PROFILE[0]], PROFILE, id="with a part behind the last one"),
        pytest.param([segment(0xE2, b"ICC_PROFILE\0\1\1"), *PROFILE], PROFILE, id="with an empty part"),
        pytest.param(PROFILE[:2], [], id="without its last part"),
        pytest.param([PROFILE[0], PROFILE[0], *PROFILE[1:]], [], id="with a part twice"),
        pytest.param(
            [PROFILE[0], *profile_segments(b"p"), *PROFILE[1:]], [], id="with a part of another one"
        ),
        pytest.param([segment(0xE2, b"ICC_PROFILE\0\0\3x"), *PROFILE], [], id="with a part 0"),
        pytest.param([segment(0xE2, b"ICC_PROFILE\0\1\0x"), *PROFILE], [], id="of no parts"),
    ],
)
def test_a_colour_profile_stays_if_browsers_would_use_it(segments: list[bytes], kept: list[bytes]) -> None:
    assert copy(with_segments(PLAIN, *segments)) == with_segments(PLAIN, *kept)


@pytest.mark.parametrize(
    "between",
    [
        pytest.param(b"junk\0", id="bytes that belong to nothing"),
        pytest.param(b"\xff\0\xff\0", id="zeros behind ones"),
        pytest.param(b"\xff\xff\xff", id="fill bytes"),
        pytest.param(b"\xff\x01\xff\xd3", id="markers without a segment"),
        pytest.param(segment(0xE5) + b"\xff\xe6\0\0" + b"\xff\xfe\0\1", id="empty segments"),
        pytest.param(segment(0xEB, bytes(200)), id="a long segment"),
        pytest.param(segment(0xCC, b"\0\x10"), id="conditions of another coding"),
        pytest.param(segment(0xDC, b"\0\x20\xff"), id="a height that is none"),
        pytest.param(segment(0xFE, b"\xff\xd8\xff\xd9\xff\xda"), id="markers in a comment"),
    ],
)
def test_what_decoders_pass_over_goes(between: bytes) -> None:
    for at in (2, 20, START_OF_SCAN):
        assert copy(PLAIN[:at] + between + PLAIN[at:]) == PLAIN


@pytest.mark.parametrize(
    ("content", "feature"),
    [
        pytest.param(with_frame(0xC9), "with arithmetic coding", id="arithmetic"),
        pytest.param(with_frame(0xCA), "with arithmetic coding", id="arithmetic, progressive"),
        pytest.param(with_frame(0xC3), "with lossless compression", id="lossless"),
        pytest.param(
            with_segments(PLAIN, segment(0xF7, bytes(9))), "with lossless compression", id="JPEG-LS"
        ),
        pytest.param(with_frame(0xC5), "with hierarchical compression", id="hierarchical"),
        pytest.param(
            with_segments(PLAIN, segment(0xDE)), "with hierarchical compression", id="hierarchical, too"
        ),
        pytest.param(with_frame(0xC1, bits=12), "with 12 bits a colour", id="12-bit"),
        pytest.param(
            with_frame(0xC0, height=b"\0\0"), "that tells its height behind its pixels", id="late height"
        ),
    ],
)
def test_a_jpeg_that_browsers_do_not_show_is_told_so(content: bytes, feature: str) -> None:
    what = f"The image is a JPEG {feature}, which browsers do not show."
    assert failure_of(content) == Failure(
        "unsupported_feature", f"{what} Save it again as a usual JPEG or PNG."
    )


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        pytest.param(b"", "not_a_picture", "The file is not a JPEG picture.", id="nothing"),
        pytest.param(b"GIF89a", "not_a_picture", "The file is not a JPEG picture.", id="another format"),
        pytest.param(b"\xff\xd8\xff", "truncated", CUT, id="cut in its first marker"),
        pytest.param(PLAIN[:30], "truncated", CUT, id="cut in a segment"),
        pytest.param(PLAIN[:START_OF_SCAN], "truncated", CUT, id="cut before its pixels"),
        pytest.param(PLAIN[:START_OF_SCAN] + b"\xff\xd9", "truncated", CUT, id="without pixels"),
        pytest.param(PLAIN[:-100], "truncated", CUT, id="cut in its pixels"),
        pytest.param(PROGRESSIVE[:-100], "truncated", CUT, id="cut in the last of its scans"),
        pytest.param(
            PROGRESSIVE[: PROGRESSIVE.rindex(b"\xff\xda")], "truncated", CUT, id="cut before its last scan"
        ),
        pytest.param(
            with_segments(PLAIN, segment(0xF0)),
            "corrupt",
            "The image is damaged: it has a marker FFF0, which means nothing.",
            id="with a marker that nobody knows",
        ),
        pytest.param(
            PLAIN[:2] + PLAIN,
            "corrupt",
            "The image is damaged: another image begins before its end.",
            id="that begins twice",
        ),
        pytest.param(
            with_segments(PLAIN, segment(0xDB, bytes(66))),
            "corrupt",
            "The image is damaged: a table of it has a wrong length.",
            id="with quantisation tables that are cut",
        ),
        pytest.param(
            with_segments(PLAIN, segment(0xC4, b"\0" + bytes([2]) + bytes(15) + b"a")),
            "corrupt",
            "The image is damaged: a table of it has a wrong length.",
            id="with Huffman tables that are cut",
        ),
        pytest.param(
            with_segments(PLAIN, segment(0xDD, b"\0")),
            "corrupt",
            "The image is damaged: a table of it has a wrong length.",
            id="with an interval that is cut",
        ),
        pytest.param(
            with_segments(PLAIN, segment(0xC0, b"\x08\0\x20\0\x30\3")),
            "corrupt",
            "The image is damaged: its frame has a header of a wrong length.",
            id="with a frame that is cut",
        ),
        pytest.param(
            with_segments(PLAIN, segment(0xC0)),
            "corrupt",
            "The image is damaged: its frame has a header of a wrong length.",
            id="with an empty frame",
        ),
        pytest.param(
            with_segments(PLAIN, segment(0xDA)),
            "corrupt",
            "The image is damaged: a scan of it has a header of a wrong length.",
            id="with an empty header of a scan",
        ),
    ],
)
def test_a_jpeg_that_cannot_be_copied_is_told_what_is_wrong(
    content: bytes, code: FailureCode, reason: str
) -> None:
    failure = failure_of(content)
    assert (failure.code, failure.reason[: len(reason)]) == (code, reason)


def test_tables_of_sixteen_bits_are_tables() -> None:
    content = with_segments(PLAIN, segment(0xDB, b"\x13" + bytes(128)))
    assert copy(content) is content


def test_more_tables_than_any_picture_has_are_too_many() -> None:
    failure = failure_of(with_segments(PLAIN, segment(0xDD, b"\0\0") * 10_001))
    assert (failure.code, "more than 10,000 segments" in failure.reason) == ("too_complex", True)
