"""Where the pixels of a JPEG end that has no end marker, and whether they are all there."""

from typing import Any

import pytest

from domain.errors import NotAPictureError
from domain.failure import FailureCode
from domain.public_copy import jpeg_entropy
from domain.public_copy.jpeg import copy
from tests.builders import jpeg
from tests.jpeg_files import checkered, in_other_order, segment

KINDS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "optimised": {"optimize": True},
    "gray": {"mode": "L"},
    "CMYK": {"mode": "CMYK"},
    "subsampled": {"subsampling": 2},
    "not subsampled": {"subsampling": 0},
    "restarts": {"restart_marker_blocks": 1},
    "fine": {"quality": 100},
    "coarse": {"quality": 1},
    "progressive": {"progressive": True},
    "progressive, gray": {"mode": "L", "progressive": True},
    "progressive, not subsampled": {"progressive": True, "subsampling": 0, "quality": 100},
    "progressive, coarse": {"progressive": True, "quality": 5},
    "progressive, restarts": {"progressive": True, "restart_marker_blocks": 2},
    "progressive, odd size": {"progressive": True, "width_px": 61, "height_px": 43},
}
PLAIN, PROGRESSIVE = jpeg(), jpeg(progressive=True)
TAILS = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"\0\x01some text", id="text"),
    pytest.param(b"\xff", id="half a marker"),
    pytest.param(b"\0\0\0\x18ftypmp42\xff\x10\xff\xd9rest", id="a video with what reads as an end"),
    pytest.param(jpeg(8, 8), id="another picture"),
    pytest.param(b"\xff\xe1\xff\xffcut", id="a segment that is cut"),
    pytest.param(b"\xff\xdb\0\x03a", id="a table that is none"),
    pytest.param(b"\xff\xc9\0\x03a", id="a frame of another kind"),
]


def code_of(content: bytes) -> FailureCode | None:
    with pytest.raises(NotAPictureError) as caught:
        copy(content)
    return caught.value.failure.code


def without_table(content: bytes, table: int) -> bytes:
    """Return the JPEG, its end too, without one of its Huffman tables."""
    at = (
        content.index(b"\xff\xc4")
        if table == 0
        else content.index(b"\xff\xc4", content.index(b"\xff\xc4") + 1)
    )
    return content[:at] + content[at + 2 + int.from_bytes(content[at + 2 : at + 4]) : -2]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tail", TAILS)
def test_an_end_is_added_right_behind_the_pixels(kind: str, tail: bytes) -> None:
    content = jpeg(**KINDS[kind])
    assert copy(content[:-2] + tail) == content


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_lacks_pixels_gets_no_end(kind: str) -> None:
    content = jpeg(**KINDS[kind])
    for missing in (8, 20, len(content) // 8):
        assert code_of(content[: -2 - missing]) == "truncated"


def test_a_byte_of_ones_that_lost_the_zero_behind_it_is_cut() -> None:
    # Pixels whose last bits are ones, found by trying.
    content = next(
        candidate
        for size in range(1, 200)
        if (candidate := jpeg(size, 8, mode="L", quality=100)).endswith(b"\xff\0\xff\xd9")
    )
    assert copy(content[:-2]) == content
    assert code_of(content[:-3]) == "truncated"


def test_a_picture_whose_last_scans_are_missing_gets_no_end() -> None:
    second = PROGRESSIVE.index(b"\xff\xda", PROGRESSIVE.index(b"\xff\xda") + 2)
    assert code_of(PROGRESSIVE[:second]) == "truncated"


def test_a_restart_that_is_missing_is_a_cut() -> None:
    content = jpeg(restart_marker_blocks=1)
    assert code_of(content[: content.index(b"\xff\xd0")]) == "truncated"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(without_table(PLAIN, 0), id="without a table of DC"),
        pytest.param(without_table(PLAIN, 1), id="without a table of AC"),
        pytest.param(PLAIN[:-2].replace(b"\xff\xc0", b"\xff\xe9"), id="without a frame"),
        pytest.param(PLAIN[:-2].replace(b"\x01\x22\0", b"\x01\x02\0"), id="with no blocks across"),
        pytest.param(
            PLAIN[:2] + segment(0xC0, b"\x08\0\x20\0\x30\0") + PLAIN[2:-2].replace(b"\xff\xc0", b"\xff\xe9"),
            id="without colours",
        ),
        pytest.param(
            PLAIN[:-2].replace(b"\xff\xda\0\x0c\x03\x01", b"\xff\xda\0\x0c\x03\x09"), id="with another colour"
        ),
        pytest.param(
            PLAIN[:-2]
            .replace(b"\xff\xc4\0\x1f\0" + bytes([0, 1]), b"\xff\xc4\0\x1f\0" + bytes([3, 0]), 1)
            .replace(b"\x05\x01\x01\x01", b"\x03\x01\x01\x01", 1),
            id="with too many codes",
        ),
    ],
)
def test_what_cannot_be_followed_gets_no_end(content: bytes) -> None:
    assert code_of(content) in {"truncated", "corrupt"}


def test_a_scan_of_several_colours_has_no_ac_coefficients() -> None:
    last = PROGRESSIVE.rindex(b"\xff\xda")
    header = b"\xff\xda\0\x0a\x02\x01\x00\x02\x00\x01\x3f\x00"
    assert code_of(PROGRESSIVE[:last] + header + PROGRESSIVE[last + 10 : -2]) == "truncated"


@pytest.mark.parametrize("limit", ["MAX_DATA_BYTES", "MAX_BLOCKS"])
def test_more_is_not_followed_than_takes_seconds(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jpeg_entropy, limit, 5)
    assert copy(PLAIN) is PLAIN
    assert code_of(PLAIN[:-2]) == "truncated"


@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=["baseline", "progressive"])
@pytest.mark.parametrize("quality", [30, 100])
def test_long_runs_of_zeros_are_followed(options: dict[str, Any], quality: int) -> None:
    content = checkered(quality=quality, **options)
    assert copy(content[:-2] + b"tail") == content


def test_the_last_scan_may_be_one_of_dc_coefficients() -> None:
    # As libjpeg writes a gray picture: DC, two bands, their last bits but one, the last of DC, the last bits.
    gray = jpeg(mode="L", progressive=True)
    refined_last = in_other_order(gray, 0, 1, 2, 3, 5, 4)
    assert copy(refined_last[:-2] + b"tail") == refined_last
    # The number of the lowest bit is the last byte of a scan's header.
    at = gray.index(b"\xff\xda")
    whole = gray[: at + 9] + b"\0" + gray[at + 10 :]
    at_once_last = in_other_order(whole, 1, 2, 3, 5, 0)
    assert copy(at_once_last[:-2] + b"tail") == at_once_last


def test_a_scan_that_ends_well_is_left_alone_whatever_is_in_it() -> None:
    # Damage, and no trailer: a decoder has the last word.
    at = PLAIN.index(b"\xff\xda") + 100
    damaged = PLAIN[:at] + b"\xff\x10" + PLAIN[-2:]
    assert copy(damaged) is damaged
