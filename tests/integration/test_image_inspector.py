from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from adapters.pillow_image_inspector import PillowImageInspector
from domain.errors import NotAPictureError
from domain.image import ImageFacts, ImageFormat
from domain.image_signature import detect_format
from domain.public_copy import public_copy
from tests.builders import exif, jpeg, picture
from tests.hostile_pictures import gif_that_grows

if TYPE_CHECKING:
    from domain.ports import ImageInspector

WHOLE = {
    "JPEG": jpeg(),
    "progressive JPEG": jpeg(progressive=True),
    "CMYK JPEG": jpeg(mode="CMYK"),
    "PNG": picture("PNG"),
    "palette PNG": picture("PNG", mode="P"),
    "WEBP": picture("WEBP"),
    "lossless WEBP": picture("WEBP", lossless=True),
    "animated WEBP": picture("WEBP", frames=3),
    "GIF": picture("GIF", mode="P"),
    "animated GIF": picture("GIF", mode="P", frames=3),
    "animated AVIF": picture("AVIF", frames=2),
    "AVIF": picture("AVIF"),
}


@pytest.fixture(autouse=True)
def pillows_own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give Pillow its limit back, which an inspector sets for the whole process."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)


def inspect(
    content: bytes, image_format: ImageFormat | None = None, max_pixels: int = 1_000_000
) -> ImageFacts:
    """Open the public copy of a picture: nothing else is ever opened."""
    inspector: ImageInspector = PillowImageInspector(max_pixels)
    image_format = image_format or detect_format(content)
    return inspector.inspect(public_copy(content, image_format), image_format)


@pytest.mark.parametrize(
    ("content", "mode"),
    [
        pytest.param(jpeg(), "RGB", id="JPEG"),
        pytest.param(jpeg(mode="L"), "L", id="grey JPEG"),
        pytest.param(jpeg(mode="CMYK"), "CMYK", id="CMYK JPEG"),
        pytest.param(jpeg(progressive=True), "RGB", id="progressive JPEG"),
        pytest.param(picture("MPO", frames=2), "RGB", id="phone JPEG"),
        pytest.param(picture("PNG"), "RGB", id="PNG"),
        pytest.param(picture("PNG", mode="P"), "P", id="palette PNG"),
        pytest.param(picture("PNG", mode="RGBA"), "RGBA", id="PNG with transparency"),
        pytest.param(picture("PNG", mode="I;16"), "I;16", id="16-bit PNG"),
        pytest.param(picture("PNG", mode="1"), "1", id="black and white PNG"),
        pytest.param(picture("PNG", frames=3), "RGB", id="animated PNG"),
        pytest.param(picture("WEBP"), "RGB", id="WEBP"),
        pytest.param(picture("WEBP", mode="RGBA", lossless=True), "RGBA", id="lossless WEBP"),
        pytest.param(picture("WEBP", mode="RGBA", frames=3), "RGBA", id="animated WEBP"),
        pytest.param(picture("GIF", mode="P"), "P", id="GIF"),
        pytest.param(picture("GIF", mode="P", frames=3), "P", id="animated GIF"),
        pytest.param(picture("AVIF"), "RGB", id="AVIF"),
        pytest.param(picture("AVIF", mode="RGBA", frames=2), "RGBA", id="animated AVIF"),
    ],
)
def test_a_picture_tells_its_size_and_mode(content: bytes, mode: str) -> None:
    assert inspect(content) == ImageFacts(48, 32, mode)


@pytest.mark.parametrize("width_px", [1, 7, 8, 9, 1000])
def test_a_picture_may_be_narrow(width_px: int) -> None:
    assert inspect(jpeg(width_px, 1)) == ImageFacts(width_px, 1, "RGB")


@pytest.mark.parametrize("pillow_format", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_what_browsers_show(pillow_format: str, orientation: int) -> None:
    facts = inspect(picture(pillow_format, exif=exif(orientation)))
    assert (facts.width_px, facts.height_px) == ((32, 48) if orientation >= 5 else (48, 32))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_webp_is_shown_as_it_lies_whatever_its_exif_data_says(orientation: int) -> None:
    assert inspect(picture("WEBP", exif=exif(orientation))) == ImageFacts(48, 32, "RGB")


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_an_avif_is_turned_by_its_own_properties(orientation: int) -> None:
    # Pillow's encoder writes the orientation as `irot` and `imir`.
    facts = inspect(picture("AVIF", exif=exif(orientation)))
    assert (facts.width_px, facts.height_px) == ((32, 48) if orientation >= 5 else (48, 32))


@pytest.mark.parametrize("pillow_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(b"Exif\0\0", id="empty"),
        pytest.param(b"Exif\0\0nonsense", id="no TIFF header"),
        pytest.param(exif(6)[:-8], id="cut short"),
        pytest.param(exif(0), id="no such orientation"),
        pytest.param(exif(9), id="no such orientation"),
        # The orientation's type is changed from SHORT to a text, and to a pair of numbers far off.
        pytest.param(exif(6).replace(b"\x01\x12\x00\x03", b"\x01\x12\x00\x02"), id="a text"),
        pytest.param(exif(6).replace(b"\x01\x12\x00\x03", b"\x01\x12\x00\x05"), id="out of bounds"),
    ],
)
def test_broken_exif_data_does_not_fail_a_picture(pillow_format: str, broken: bytes) -> None:
    assert inspect(picture(pillow_format, exif=broken)) == ImageFacts(48, 32, "RGB")


def test_a_jpeg_whose_colours_cannot_be_scaled_up_is_not_a_picture() -> None:
    # Brightness 3 wide, colours 2: libjpeg has no way from one to the other. Decoding to brightness alone,
    # a little cheaper, would not notice.
    content = bytearray(jpeg(subsampling=0))
    components = content.index(b"\xff\xc0") + 10
    for number, sampling in enumerate((0x31, 0x21, 0x21)):
        content[components + 3 * number + 1] = sampling
    with pytest.raises(NotAPictureError, match="damaged"):
        inspect(bytes(content), ImageFormat.JPEG)


@pytest.mark.parametrize("content", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("tenths", range(1, 10))
def test_a_picture_cut_short_is_not_a_picture(content: bytes, tenths: int) -> None:
    assert inspect(content)
    with pytest.raises(NotAPictureError, match="cut short") as caught:
        inspect(content[: len(content) * tenths // 10])
    assert caught.value.failure.code == "truncated"


@pytest.mark.parametrize("content", WHOLE.values(), ids=WHOLE)
@given(data=st.data())
def test_a_damaged_picture_is_a_picture_or_is_not_and_nothing_else_happens(
    content: bytes, data: st.DataObject
) -> None:
    damaged = bytearray(content)
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)):
        damaged[place] = data.draw(st.integers(0, 255))
    with suppress(NotAPictureError):
        facts = inspect(bytes(damaged), detect_format(content))
        assert facts.width_px * facts.height_px > 0


def test_a_phone_picture_may_be_cut_in_its_preview() -> None:
    content = picture("MPO", frames=2)
    second = content.rindex(b"\xff\xd8\xff")
    assert inspect(content[: second + 100]) == ImageFacts(48, 32, "RGB")
    with pytest.raises(NotAPictureError):
        inspect(content[: second // 2])


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("image_format", ImageFormat)
def test_a_picture_that_is_taken_for_one_in_another_format_is_none(
    name: str, image_format: ImageFormat
) -> None:
    if name.endswith(image_format.name):
        assert inspect(WHOLE[name], image_format)
        return
    with pytest.raises(NotAPictureError):
        inspect(WHOLE[name], image_format)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8\xff", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP"]
)
def test_a_signature_alone_is_not_a_picture(content: bytes) -> None:
    for image_format in ImageFormat:
        with pytest.raises(NotAPictureError):
            inspect(content, image_format)


@pytest.mark.parametrize("pillow_format", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
@pytest.mark.parametrize("max_pixels", [48 * 32 - 1, 500, 1])
def test_a_picture_with_too_many_pixels_is_refused(pillow_format: str, max_pixels: int) -> None:
    limit = f"more than {max_pixels / 1_000_000:g} megapixels"
    with pytest.raises(NotAPictureError, match=limit) as caught:
        inspect(picture(pillow_format), max_pixels=max_pixels)
    assert caught.value.failure.code == "too_many_pixels"


@pytest.mark.parametrize("pillow_format", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_a_picture_with_as_many_pixels_as_allowed_is_taken(pillow_format: str) -> None:
    assert inspect(picture(pillow_format), max_pixels=48 * 32).width_px == 48


@pytest.mark.parametrize(
    ("max_pixels", "frames_decoded"), [(48 * 32, 1), (48 * 32 * 3 - 1, 2), (48 * 32 * 3, 3)]
)
def test_an_animation_is_decoded_as_far_as_the_pixels_last(max_pixels: int, frames_decoded: int) -> None:
    assert decodes_with_its_last_frame_damaged(frames=3, max_pixels=max_pixels) == (frames_decoded < 3)


@pytest.mark.parametrize(("frames", "decodes"), [(500, False), (501, True)])
def test_an_animation_is_decoded_up_to_500_frames(frames: int, decodes: bool) -> None:
    assert decodes_with_its_last_frame_damaged(frames, max_pixels=1_000_000) is decodes


@pytest.mark.parametrize(("max_pixels", "decodes"), [(1 + 48 * 32 - 1, True), (1 + 48 * 32, False)])
def test_a_frame_that_is_larger_than_the_first_takes_more_of_the_pixels(
    max_pixels: int, decodes: bool
) -> None:
    content = bytearray(gif_that_grows(48, 32, frames=1))
    content[-20:-5] = b"\xff" * 15
    assert is_picture(bytes(content), max_pixels) is decodes


def decodes_with_its_last_frame_damaged(frames: int, max_pixels: int) -> bool:
    content = bytearray(picture("GIF", mode="P", frames=frames))
    content[-150:-100] = b"\xff" * 50
    return is_picture(bytes(content), max_pixels)


def is_picture(content: bytes, max_pixels: int) -> bool:
    try:
        inspect(content, max_pixels=max_pixels)
    except NotAPictureError:
        return False
    return True
