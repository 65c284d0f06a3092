"""The public copy of a PNG, seen with a decoder: the same picture, and no more than it shows."""

import io
import re
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from adapters.pillow_image_inspector import PillowImageInspector
from domain.image import ImageFacts, ImageFormat
from domain.public_copy import MAX_PROFILE_BYTES
from domain.public_copy.png import copy
from tests.builders import exif, picture
from tests.png_files import SIGNATURE, actl, chunk, data_of, fctl, fdat, iccp, names, profile, read
from tests.torture.results import size

DESCRIBING = ("gAMA", "cHRM", "sRGB", "iCCP", "cICP", "mDCV", "cLLI", "sBIT", "bKGD", "pHYs")
KEPT = frozenset({"IHDR", "PLTE", "tRNS", "IDAT", "IEND", "acTL", "fcTL", "fdAT", "eXIf", *DESCRIBING})
PRIVATE = b"N 48.137 E 11.575"


@pytest.fixture(autouse=True)
def pillows_own_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give Pillow its limits back, which an inspector sets for the whole process."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
    monkeypatch.setattr(PngImagePlugin, "MAX_TEXT_CHUNK", MAX_PROFILE_BYTES)


def parts(content: bytes) -> tuple[bytes, bytes, bytes]:
    """Return what stands before the pixels of a still picture, the pixels, and what stands behind them."""
    written = [chunk(each.name, each.data) for each in read(content)]
    first = names(content).index("IDAT")
    return SIGNATURE + b"".join(written[:first]), data_of(content, "IDAT"), written[-1]


def decoded(content: bytes) -> list[tuple[str, tuple[int, int], bytes]]:
    """Return mode, size and samples of each frame."""
    with Image.open(io.BytesIO(content), formats=("PNG",)) as opened:
        frames = []
        for index in range(getattr(opened, "n_frames", 1)):
            opened.seek(index)
            shown = opened.convert("RGBA") if opened.mode in {"P", "RGB", "L"} else opened
            frames.append((opened.mode, opened.size, shown.tobytes()))
        return frames


def inspect(content: bytes) -> ImageFacts:
    return PillowImageInspector(1_000_000).inspect(content, ImageFormat.PNG)


def interlaced() -> bytes:
    """Return a grey picture in the seven passes of Adam7 (W3C PNG, 8.1)."""
    passes = (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    )
    rows = b"".join(
        bytes([0, *(16 * x + y for x in range(left, 13, across))])
        for left, top, across, down in passes
        for y in range(top, 11, down)
    )
    head = chunk("IHDR", struct.pack(">IIBBBBB", 13, 11, 8, 0, 0, 0, 1))
    return SIGNATURE + head + chunk("IDAT", zlib.compress(rows)) + chunk("IEND")


PICTURES = {
    **{mode: picture("PNG", mode=mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")},
    "palette with transparency": picture("PNG", mode="P", transparency=bytes(range(200))),
    "RGB with transparency": picture("PNG", transparency=(0, 0, 0)),
    "interlaced": interlaced(),
    "16 bits a sample": SIGNATURE
    + chunk("IHDR", struct.pack(">IIBBBBB", 2, 2, 16, 6, 0, 0, 0))
    + chunk("IDAT", zlib.compress((b"\0" + bytes(range(16))) * 2))
    + chunk("IEND"),
    "animation": picture("PNG", frames=3),
    "animation with transparency": picture("PNG", mode="RGBA", frames=3),
}


@pytest.mark.parametrize("content", PICTURES.values(), ids=PICTURES)
def test_a_picture_without_metadata_is_public_byte_for_byte(content: bytes) -> None:
    assert copy(content) is content
    assert decoded(content)


def private_chunks() -> bytes:
    """Return what cameras and programs write beside a picture, each with a place in it."""
    return b"".join(
        [
            chunk("eXIf", exif_with_a_place()),
            chunk("iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta>" + PRIVATE + b"</x:xmpmeta>"),
            chunk("iTXt", b"Description\0\1\0en\0\0" + zlib.compress(PRIVATE)),
            chunk("tEXt", b"Comment\0" + PRIVATE),
            chunk("tEXt", b"Author\0A. Adams"),
            chunk("zTXt", b"Raw profile type exif\0\0" + zlib.compress(PRIVATE.hex().encode())),
            chunk("tIME", b"\x07\xea\x0b\x1e\x16\x1e\0"),
            chunk("caBX", b"jumb" + PRIVATE),
            chunk("prVt", PRIVATE),
        ]
    )


def exif_with_a_place() -> bytes:
    """Return Exif with orientation 6, an artist, a camera and where the picture was taken."""
    tags = Image.Exif()
    tags[0x0112], tags[0x013B], tags[0x010F] = 6, "A. Adams", PRIVATE.decode()
    tags.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 13.2), 3: "E", 4: (11.0, 34.0, 30.0)})
    return tags.tobytes().removeprefix(b"Exif\0\0")


def test_of_a_picture_with_everything_the_public_sees_the_picture_and_who_made_it() -> None:
    icc_profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    head, pixels, end = parts(picture("PNG", dpi=(300, 300), icc_profile=icc_profile))
    behind = chunk("eXIf", exif_with_a_place()) + chunk("tEXt", b"Software\0" + PRIVATE)
    content = head + private_chunks() + chunk("IDAT", pixels) + behind + end + b"PK\3\4" + PRIVATE
    copied = copy(content)
    assert names(copied) == ["IHDR", "iCCP", "pHYs", "eXIf", "tEXt", "IDAT", "IEND"]
    assert decoded(copied) == decoded(content)
    # Nothing private, as it stands there or unpacked.
    unpacked = copied + b"".join(inflated(each.data) for each in read(copied))
    assert PRIVATE not in unpacked
    assert PRIVATE.hex().encode() not in unpacked
    with Image.open(io.BytesIO(copied)) as opened:
        assert opened.info["icc_profile"] == icc_profile
        assert dict(opened.getexif()) == {0x0112: 6, 0x013B: "A. Adams"}
        assert not opened.getexif().get_ifd(0x8825)
        assert opened.info["Author"] == "A. Adams"
    assert (inspect(copied).width_px, inspect(copied).height_px) == (32, 48)
    assert copy(copied) is copied


def inflated(data: bytes) -> bytes:
    """Return what unpacks of the data of a chunk, from wherever it begins to."""
    found = b""
    for begin in re.finditer(b"\x78[\x01\x5e\x9c\xda]", data):
        with suppress(zlib.error):
            found += zlib.decompressobj().decompress(data[begin.start() :])
    return found


@pytest.mark.parametrize("where", ["before", "behind"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_by_what_stands_before_its_pixels(orientation: int, where: str) -> None:
    head, pixels, end = parts(picture("PNG"))
    tags = chunk("eXIf", exif(orientation).removeprefix(b"Exif\0\0"))
    before, behind = (tags, b"") if where == "before" else (b"", tags)
    facts = inspect(copy(head + before + chunk("IDAT", pixels) + behind + end))
    is_sideways = orientation >= 5 and where == "before"
    assert (facts.width_px, facts.height_px) == ((32, 48) if is_sideways else (48, 32))


HEAD, PIXELS, END = parts(picture("PNG"))
ANIMATED = read(picture("PNG", frames=3))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            HEAD + chunk("pHYs", bytes(9), checksum=5) + chunk("IDAT", PIXELS) + END, id="CRC of pHYs"
        ),
        pytest.param(HEAD + chunk("gAMA", b"\0") + chunk("IDAT", PIXELS) + END, id="a short gAMA"),
        pytest.param(HEAD + iccp(bytes(132), method=b"\7") + chunk("IDAT", PIXELS) + END, id="iCCP's method"),
        pytest.param(
            HEAD + iccp(profile(size_bytes=MAX_PROFILE_BYTES)) + chunk("IDAT", PIXELS) + END,
            id="a large profile",
        ),
        pytest.param(
            HEAD + chunk("zTXt", b"a\0\0" + zlib.compress(bytes(9_000_000))) + chunk("IDAT", PIXELS) + END,
            id="a large text",
        ),
        pytest.param(HEAD + chunk("IDAT", PIXELS), id="no end"),
        pytest.param(HEAD + chunk("IDAT", PIXELS, checksum=5) + END, id="CRC of pixels"),
        pytest.param(HEAD + chunk("IDAT", PIXELS[:-4] + b"nope") + END, id="Adler-32 of pixels"),
        pytest.param(HEAD + chunk("IDAT", PIXELS[:-4]) + chunk("IDAT", b"nope") + END, id="Adler-32, parted"),
    ],
)
def test_a_picture_that_browsers_show_although_it_is_damaged_decodes(content: bytes) -> None:
    assert decoded(copy(content)) == decoded(picture("PNG"))
    assert inspect(copy(content)) == ImageFacts(48, 32, "RGB")


@pytest.mark.parametrize("announced", [4, 2_000_000_000])
def test_an_animation_that_announces_too_many_frames_decodes_as_far_as_it_goes(announced: int) -> None:
    content = picture("PNG", frames=3)
    copied = copy(content.replace(actl(3), actl(announced)))
    assert copied == content
    assert len(decoded(copied)) == 3


def test_an_animation_with_a_damaged_frame_decodes_up_to_it() -> None:
    frames = picture("PNG", frames=3)
    last = next(each for each in reversed(read(frames)) if each.name == "fcTL")
    copied = copy(frames.replace(chunk("fcTL", last.data), chunk("fcTL", last.data, checksum=5)))
    assert decoded(copied) == decoded(frames)[:2]


def test_a_frame_whose_checksum_is_wrong_decodes() -> None:
    first, second = PIXELS, zlib.compress(bytes((48 * 3 + 1) * 32))
    sent = (
        fctl(0, size=(48, 32)),
        chunk("IDAT", first),
        fctl(1, size=(48, 32)),
        fdat(2, second[:-2]),
        fdat(3, b"no"),
        END,
    )
    assert len(decoded(copy(HEAD + actl(2) + b"".join(sent)))) == 2


# --- Generated containers ------------------------------------------------------------------------------

OTHERS = ("tRNS", "eXIf", "tEXt", "zTXt", "iTXt", "tIME", "acTL", "fcTL", "fdAT", "prVt", "caBX")
"""What goes, in whatever form it is made here."""


@st.composite
def beside(draw: st.DrawFn) -> bytes:
    """Return chunks of any number, order and length, none of which is transparency that counts."""
    written = b""
    for name in draw(st.lists(st.sampled_from([*DESCRIBING, *OTHERS]), max_size=8)):
        # What describes pixels is kept if it has the right size, and may say anything.
        held = b"" if name in DESCRIBING else draw(st.sampled_from([b"", PRIVATE]))
        checksum = 5 if name == "tRNS" else draw(st.sampled_from([None, 5]))
        written += chunk(name, draw(st.binary(max_size=40)) + held, checksum=checksum) * draw(
            st.integers(1, 3)
        )
    return written


@st.composite
def containers(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Return a picture, and the same pixels in a container of any other kind."""
    content = draw(st.sampled_from([each for name, each in PICTURES.items() if "animation" not in name]))
    head, pixels, end = parts(content)
    cuts = sorted(draw(st.lists(st.integers(0, len(pixels)), max_size=6)))
    pieces = [pixels[begin:stop] for begin, stop in zip([0, *cuts], [*cuts, len(pixels)], strict=True)]
    idat = b"".join(chunk("IDAT", each, checksum=draw(st.sampled_from([None, 5]))) for each in pieces)
    ending = draw(st.sampled_from([end, b"", end[:7], end + PRIVATE, chunk("IEND", PRIVATE)]))
    return content, head + draw(beside()) + idat + draw(beside()) + ending


CONTAINERS = size(2_000, 100, "generated containers of a PNG")


@pytest.mark.torture("public copies of pictures in generated containers")
@settings(
    max_examples=CONTAINERS, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(generated=containers())
def test_in_whatever_container_the_pixels_are_the_same_and_nothing_else_is_public(
    tried: Callable[[int], None], generated: tuple[bytes, bytes]
) -> None:
    tried(CONTAINERS)
    content, in_a_container = generated
    copied = copy(in_a_container)
    assert decoded(copied) == decoded(content)
    assert PRIVATE not in copied
    assert set(names(copied)) <= KEPT | {"tEXt", "iTXt"}
    assert all(each.is_sound for each in read(copied))
    assert copy(copied) is copied
