"""The public copy of a WebP: what stays, what goes, what is mended, and what is refused."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import NotAPictureError
from domain.failure import Failure
from domain.public_copy import webp as public_webp
from domain.public_copy.exif import kept_exif
from domain.public_copy.webp import copy
from tests.builders import private_exif
from tests.webp_files import (
    ALPHA,
    ANIMATION,
    EXIF,
    PROFILE,
    XMP,
    canvas,
    chunk,
    chunks,
    frame,
    image,
    loop,
    names,
    webp,
)

LOSSY, LOSSLESS = image(), image(lossless=True)
TRANSPARENCY = chunk(b"ALPH", b"\1" + bytes(20))
ICC = chunk(b"ICCP", b"a profile")
JUNK = chunk(b"junk", b"N 48.137")
TIFF = private_exif().removeprefix(b"Exif\0\0")
KEPT = chunk(b"EXIF", kept_exif(TIFF, orientation=False))


def failure_of(content: bytes) -> Failure:
    with pytest.raises(NotAPictureError) as caught:
        copy(content)
    return caught.value.failure


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(webp(LOSSY), id="lossy"),
        pytest.param(webp(LOSSLESS), id="lossless"),
        pytest.param(webp(canvas(0), LOSSY), id="extended"),
        pytest.param(webp(canvas(ALPHA | PROFILE), ICC, TRANSPARENCY, LOSSY), id="profile and transparency"),
        pytest.param(webp(canvas(EXIF), LOSSY, KEPT), id="artist"),
        pytest.param(webp(canvas(ANIMATION), loop(), frame(LOSSY), frame(LOSSLESS)), id="animation"),
        pytest.param(webp(canvas(ANIMATION), loop(), frame(TRANSPARENCY, LOSSY)), id="a transparent frame"),
    ],
)
def test_a_picture_without_metadata_is_public_byte_for_byte(content: bytes) -> None:
    assert copy(content) is content


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(webp(LOSSY, JUNK, KEPT), webp(LOSSY), id="behind the one chunk of a simple one"),
        pytest.param(webp(LOSSY) + b"PK\3\4", webp(LOSSY), id="behind the end"),
        pytest.param(webp(canvas(0), JUNK, LOSSY, JUNK), webp(canvas(0), LOSSY), id="unknown chunks"),
        pytest.param(
            webp(canvas(XMP), LOSSY, chunk(b"XMP ", b"<x/>")), webp(canvas(0), LOSSY), id="XMP and its flag"
        ),
        pytest.param(webp(canvas(0x41, reserved=7), LOSSY), webp(canvas(0), LOSSY), id="reserved bits"),
        pytest.param(webp(canvas(0, more=b"N 48"), LOSSY), webp(canvas(0), LOSSY), id="behind the canvas"),
        pytest.param(
            webp(canvas(EXIF), LOSSY, chunk(b"EXIF", b"N 48")), webp(canvas(0), LOSSY), id="Exif that is none"
        ),
        pytest.param(
            webp(canvas(PROFILE), LOSSY), webp(canvas(0), LOSSY), id="the flag of a profile that is missing"
        ),
        pytest.param(
            webp(canvas(0), ICC, LOSSY), webp(canvas(0), LOSSY), id="a profile that no flag announces"
        ),
        pytest.param(
            webp(canvas(0), loop(), LOSSY, frame(LOSSY)),
            webp(canvas(0), LOSSY),
            id="an animation without flag",
        ),
        pytest.param(
            webp(canvas(ANIMATION), loop(more=b"N 48"), LOSSY, frame(LOSSY, reserved=5)),
            webp(canvas(ANIMATION), loop(), frame(LOSSY)),
            id="what stands around the frames",
        ),
        pytest.param(
            webp(canvas(ANIMATION), loop(), frame(JUNK, LOSSY, JUNK)),
            webp(canvas(ANIMATION), loop(), frame(LOSSY)),
            id="unknown chunks in a frame",
        ),
    ],
)
def test_what_no_browser_needs_goes(content: bytes, expected: bytes) -> None:
    assert copy(content) == expected
    assert copy(expected) is expected


@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
def test_of_exif_the_artist_stays_and_the_orientation_goes(prefix: bytes) -> None:
    content = webp(canvas(EXIF), LOSSY, chunk(b"EXIF", prefix + TIFF))
    assert copy(content) == webp(canvas(EXIF), LOSSY, KEPT)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(webp(canvas(0), LOSSY, LOSSLESS), webp(canvas(0), LOSSY), id="pixels"),
        pytest.param(webp(canvas(0), canvas(ALPHA), LOSSY), webp(canvas(0), LOSSY), id="canvas"),
        pytest.param(
            webp(canvas(ALPHA), TRANSPARENCY, chunk(b"ALPH", b"x"), LOSSY, TRANSPARENCY),
            webp(canvas(ALPHA), TRANSPARENCY, LOSSY),
            id="transparency",
        ),
        pytest.param(
            webp(canvas(PROFILE), ICC, chunk(b"ICCP", b"x"), LOSSY),
            webp(canvas(PROFILE), ICC, LOSSY),
            id="profile",
        ),
        pytest.param(
            webp(canvas(EXIF), LOSSY, KEPT, chunk(b"EXIF", b"x")), webp(canvas(EXIF), LOSSY, KEPT), id="Exif"
        ),
        pytest.param(
            webp(canvas(ANIMATION), loop(), chunk(b"ANIM", b"\1" * 6), frame(LOSSY, LOSSLESS)),
            webp(canvas(ANIMATION), loop(), frame(LOSSY)),
            id="in an animation",
        ),
        pytest.param(
            webp(canvas(ANIMATION), loop(), frame(TRANSPARENCY, chunk(b"ALPH", b"x"), LOSSY)),
            webp(canvas(ANIMATION), loop(), frame(TRANSPARENCY, LOSSY)),
            id="in a frame",
        ),
    ],
)
def test_of_what_may_be_there_once_the_first_counts(content: bytes, expected: bytes) -> None:
    assert copy(content) == expected


ODD = chunk(b"VP8L", b"\x2f" + bytes(8))
UNPADDED = chunk(b"VP8L", b"\x2f" + bytes(8), padding=b"")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(webp(LOSSY, said=100), webp(LOSSY), id="a size that is too large"),
        pytest.param(webp(canvas(0), LOSSY, said=9), webp(canvas(0), LOSSY), id="the same, extended"),
        pytest.param(webp(UNPADDED), webp(ODD), id="no padding"),
        pytest.param(webp(UNPADDED, said=1), webp(ODD), id="no padding, and counted"),
        pytest.param(webp(ODD, said=-1), webp(ODD), id="padding, and not counted"),
        pytest.param(
            webp(canvas(ANIMATION), loop(), frame(UNPADDED)),
            webp(canvas(ANIMATION), loop(), frame(ODD)),
            id="no padding in a frame",
        ),
        pytest.param(webp(canvas(0), LOSSY, b"junk"), webp(canvas(0), LOSSY), id="half a chunk behind"),
        pytest.param(
            webp(canvas(EXIF), LOSSY, chunk(b"EXIF", TIFF))[:-20],
            webp(canvas(0), LOSSY),
            id="Exif that is cut short",
        ),
    ],
)
def test_a_container_is_mended_if_all_pixels_are_there(content: bytes, expected: bytes) -> None:
    assert copy(content) == expected


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"RIFF\0\0\0\0WEBP", id="nothing"),
        pytest.param(webp(LOSSY)[:-1], id="a byte of the pixels"),
        pytest.param(webp(canvas(0))[:-4], id="the canvas"),
        pytest.param(webp(canvas(0), LOSSY)[:34], id="all pixels"),
        pytest.param(webp(canvas(ALPHA), TRANSPARENCY, LOSSY)[:48], id="transparency"),
        pytest.param(webp(canvas(ANIMATION), loop(), frame(LOSSY), frame(LOSSY))[:-9], id="a frame"),
    ],
)
def test_pixels_that_are_cut_short_are_refused(content: bytes) -> None:
    assert failure_of(content).code == "truncated"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(webp(JUNK, LOSSY), id="another chunk first"),
        pytest.param(webp(chunk(b"VP8X", bytes(8)), LOSSY), id="half a canvas"),
        pytest.param(webp(canvas(0), JUNK), id="no pixels"),
        pytest.param(webp(canvas(ANIMATION), loop(), LOSSY), id="no frames"),
        pytest.param(webp(canvas(ANIMATION), loop(), frame(JUNK)), id="an empty frame"),
        pytest.param(webp(canvas(ANIMATION), loop(), chunk(b"ANMF", b"")), id="a frame without a head"),
        pytest.param(
            webp(canvas(ANIMATION), loop(), frame(LOSSY[:-50]), frame(LOSSY)), id="pixels behind their frame"
        ),
        pytest.param(webp(LOSSY, said=-2), id="pixels behind the end that the header says"),
    ],
)
def test_what_holds_no_pixels_is_refused(content: bytes) -> None:
    failure = failure_of(content)
    assert failure.code == "corrupt"
    assert failure.reason.startswith("The image is damaged: ")


def test_an_animation_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_webp, "MAX_FRAMES", 2)
    assert copy(webp(canvas(ANIMATION), loop(), *[frame(LOSSY)] * 2))
    assert failure_of(webp(canvas(ANIMATION), loop(), *[frame(LOSSY)] * 3)).code == "too_complex"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(webp(*[chunk(b"junk", b"")] * 10), id="before the picture"),
        pytest.param(webp(canvas(0), *[chunk(b"junk", b"")] * 10, LOSSY), id="before the pixels"),
        pytest.param(
            webp(canvas(ANIMATION), loop(), *[frame(*[chunk(b"junk", b"")] * 3, LOSSY)] * 2),
            id="in its frames",
        ),
    ],
)
def test_a_file_of_chunks_has_an_end(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_webp, "MAX_CHUNKS", 9)
    assert failure_of(content).reason.startswith("The image has more than 9 chunks. Save it again")


def test_as_many_frames_as_may_be_have_as_many_chunks_as_they_need() -> None:
    most = [frame(TRANSPARENCY, LOSSY)] * public_webp.MAX_FRAMES
    content = webp(canvas(ANIMATION | ALPHA), loop(), *most)
    assert copy(content) is content


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                [LOSSY, LOSSLESS, TRANSPARENCY, ICC, JUNK, KEPT, loop(), frame(LOSSY), canvas(0)]
            ),
            st.builds(canvas, st.integers(0, 255)),
            st.builds(
                lambda kind, data, padding: chunk(kind, data, padding=padding),
                st.sampled_from([b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANMF", b"EXIF", b"ICCP"]),
                st.binary(max_size=30),
                st.sampled_from([b"", b"\0", b"x"]),
            ),
            st.binary(max_size=12),
        ),
        max_size=6,
    ),
    st.integers(-40, 40),
)
def test_whatever_is_sent_is_copied_or_is_no_picture(parts: list[bytes], said: int) -> None:
    content = webp(*parts)
    content = content[:4] + max(0, len(content) - 8 + said).to_bytes(4, "little") + content[8:]
    with suppress(NotAPictureError):
        copied = copy(content)
        assert copy(copied) is copied
        known = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP", b"EXIF"}
        assert set(names(copied)) <= known
        assert all(data in content for kind, data in chunks(copied) if kind in {b"VP8 ", b"VP8L", b"ICCP"})
