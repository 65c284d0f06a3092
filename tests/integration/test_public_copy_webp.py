"""The public copy of a WebP, seen with a decoder: the same picture, and no more than it shows."""

import io
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from domain.public_copy.webp import MAX_CHUNKS, MAX_FRAMES, copy
from tests.builders import PRIVATE, exif, picture, private_exif
from tests.torture.results import size
from tests.traced import with_peak
from tests.webp_files import (
    ALPHA,
    ANIMATION,
    EXIF,
    PROFILE,
    XMP,
    canvas,
    chunk,
    chunks,
    decoded,
    frame,
    image,
    loop,
    names,
    webp,
)

HIDDEN = b"N 48.137 E 11.575"
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LOSSY, LOSSLESS = image(), image(lossless=True)
TRANSPARENT = picture("WEBP", mode="RGBA")[30:]
"""Transparency and pixels."""
JUNK = chunk(b"junk", HIDDEN)
TIFF = private_exif().removeprefix(b"Exif\0\0")
PICTURES = {
    "lossy": picture("WEBP"),
    "lossless": picture("WEBP", lossless=True),
    "transparent": picture("WEBP", mode="RGBA"),
    "transparent and lossless": picture("WEBP", mode="RGBA", lossless=True),
    "animation": picture("WEBP", frames=3),
    "transparent animation": picture("WEBP", mode="RGBA", frames=3),
    "with a profile": picture("WEBP", icc_profile=ICC),
}


def has_private(content: bytes) -> bool:
    private = [HIDDEN, *(text.encode() for text in PRIVATE if text != "WHO-MADE-IT")]
    return any(text in content for text in private)


@pytest.mark.parametrize("content", PICTURES.values(), ids=PICTURES)
def test_a_picture_without_metadata_is_public_byte_for_byte(content: bytes) -> None:
    assert copy(content) is content
    assert decoded(content)


STILL = [JUNK, chunk(b"ICCP", ICC), JUNK, TRANSPARENT]
ANIMATED = [JUNK, chunk(b"ICCP", ICC), loop(), JUNK, frame(TRANSPARENT, JUNK), frame(LOSSY)]


@pytest.mark.parametrize(("flags", "body"), [(0, STILL), (ANIMATION, ANIMATED)], ids=["still", "animation"])
def test_of_a_picture_with_everything_the_public_sees_the_picture_and_who_made_it(
    flags: int, body: list[bytes]
) -> None:
    tags = chunk(b"EXIF", TIFF)
    everything = canvas(flags | ALPHA | PROFILE | EXIF | XMP)
    content = webp(everything, *body, tags, chunk(b"XMP ", HIDDEN), JUNK) + b"PK\3\4" + HIDDEN
    assert has_private(content)
    copied = copy(content)
    assert decoded(copied) == decoded(content)
    assert not has_private(copied)
    known = {b"VP8X", b"ICCP", b"ALPH", b"VP8 ", b"ANIM", b"ANMF", b"EXIF"}
    assert set(names(copied)) <= known
    assert dict(chunks(copied))[b"VP8X"][0] == flags | ALPHA | PROFILE | EXIF
    with Image.open(io.BytesIO(copied)) as opened:
        assert opened.info["icc_profile"] == ICC
        assert dict(opened.getexif()) == {0x013B: "WHO-MADE-IT"}
        assert "xmp" not in opened.info
    assert copy(copied) is copied


@pytest.mark.parametrize("orientation", range(1, 9))
def test_no_picture_is_turned_since_no_browser_turns_it(orientation: int) -> None:
    copied = copy(picture("WEBP", exif=exif(orientation)))
    with Image.open(io.BytesIO(copied)) as opened:
        assert not opened.getexif()
        assert opened.size == (48, 32)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(webp(LOSSY, said=20), id="a size that is too large"),
        pytest.param(webp(canvas(0), LOSSY, said=20), id="the same, extended"),
        pytest.param(webp(canvas(0, more=b"more"), LOSSY), id="a canvas that is too long"),
        pytest.param(webp(canvas(0), LOSSY, LOSSY), id="pixels twice"),
        pytest.param(webp(canvas(0), JUNK, LOSSY), id="an unknown chunk"),
        pytest.param(webp(chunk(b"VP8 ", LOSSY[8:] + b"\0", padding=b"")), id="no padding"),
        pytest.param(webp(chunk(b"VP8 ", LOSSY[8:] + b"\0", padding=b""), said=1), id="none, but counted"),
    ],
)
def test_a_picture_that_browsers_show_although_it_is_damaged_decodes(content: bytes) -> None:
    assert decoded(copy(content)) == decoded(webp(LOSSY))


AROUND = [b"junk", b"XMP ", b"EXIF", b"FRGM", b"vp8 "]
"""Chunks that may be around any picture; around a still one those of animations may be too."""


# Made once: to make strategies takes most of the time of drawing from them.
@cache
def noise(*kinds: bytes) -> st.SearchStrategy[bytes]:
    """Return some chunks of these kinds, each with a place in it."""
    with_place = st.builds(
        lambda kind, data: chunk(kind, data + HIDDEN), st.sampled_from(kinds), st.binary(max_size=40)
    )
    return st.lists(st.one_of(with_place, st.just(chunk(b"EXIF", TIFF))), max_size=4).map(b"".join)


@st.composite
def containers(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Return a picture in a container with anything that may be around it, and the same without."""
    pixels = draw(st.sampled_from([LOSSY, LOSSLESS, TRANSPARENT]))
    flags = ALPHA if pixels is TRANSPARENT else 0
    more_flags = draw(st.sampled_from([0, EXIF, XMP, EXIF | XMP, 0xC1]))
    tail = draw(st.binary(max_size=20))
    if draw(st.booleans()):
        number, around = draw(st.integers(1, 3)), noise(*AROUND, b"VP8 ")
        frames = [frame(pixels, draw(noise(b"junk"))) + draw(around) for _ in range(number)]
        head = canvas(flags | more_flags | ANIMATION)
        content = webp(head, draw(around), loop(), *frames, said=draw(st.integers(0, 9)))
        return content + tail, webp(canvas(flags | ANIMATION), loop(), *[frame(pixels)] * number)
    around = noise(*AROUND, b"ANIM", b"ANMF")
    content = webp(canvas(flags | more_flags), draw(around), pixels, draw(around))
    return content + tail, webp(canvas(flags), pixels)


CONTAINERS = size(2_000, 60, "generated containers of a WebP")


@pytest.mark.torture("public copies of pictures in generated containers")
@settings(max_examples=CONTAINERS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(generated=containers())
def test_pixels_are_what_they_were_in_any_container(
    tried: Callable[[int], None], generated: tuple[bytes, bytes]
) -> None:
    tried(CONTAINERS)
    content, plain = generated
    copied = copy(content)
    assert not has_private(copied)
    assert decoded(copied) == decoded(plain)
    assert copy(copied) is copied


BYTES = size(50_000_000, 1_000_000, "bytes of tiny chunks in a WebP")


@pytest.mark.torture("public copies of pictures in generated containers")
@pytest.mark.parametrize(
    ("flags", "unit", "most"),
    [
        pytest.param(0, JUNK, MAX_CHUNKS - 4, id="unknown chunks"),
        pytest.param(ANIMATION, frame(LOSSY), MAX_FRAMES, id="frames"),
        pytest.param(ANIMATION, frame(JUNK * 100, LOSSY), MAX_CHUNKS // 102, id="unknown chunks in frames"),
    ],
)
def test_tiny_chunks_take_less_memory_than_three_files(flags: int, unit: bytes, most: int) -> None:
    number = min(BYTES // len(unit), most)
    content = webp(canvas(flags), loop(), unit * number, LOSSY)
    copied, peak_bytes = with_peak(lambda: copy(content))
    assert len(decoded(copied)) == (number if flags else 1)
    # The file itself was there before.
    assert peak_bytes < 2 * len(content)
