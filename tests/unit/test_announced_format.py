import pytest

from domain.announced_format import (
    FORMAT_BY_MEDIA_TYPE,
    GENERIC_MEDIA_TYPES,
    MISSPELT_MEDIA_TYPES,
    announced_format,
)
from domain.errors import FieldFault, InvalidFieldsError, UnsupportedFormatError
from domain.foreign_formats import BMP, FOREIGN_FORMATS, HEIC, JPEG_XL, PDF, SVG, TIFF, ForeignFormat
from domain.image import ImageFormat

SUPPORTED = "image/jpeg, image/png, image/webp, image/gif, image/avif"


@pytest.mark.parametrize("content_type", ["", *sorted(GENERIC_MEDIA_TYPES), *sorted(MISSPELT_MEDIA_TYPES)])
@pytest.mark.parametrize(
    ("name", "image_format"),
    [
        ("a.jpg", ImageFormat.JPEG),
        ("a.JPEG", ImageFormat.JPEG),
        ("a.jpe", ImageFormat.JPEG),
        ("a.jfif", ImageFormat.JPEG),
        ("a.b.png", ImageFormat.PNG),
        ("a.webp", ImageFormat.WEBP),
        ("a.gif", ImageFormat.GIF),
        ("a.Avif ", ImageFormat.AVIF),
    ],
)
def test_the_name_tells_the_format_where_the_media_type_says_nothing_or_is_misspelt(
    content_type: str, name: str, image_format: ImageFormat
) -> None:
    assert announced_format(content_type, name) is image_format


@pytest.mark.parametrize(("content_type", "image_format"), MISSPELT_MEDIA_TYPES.items())
@pytest.mark.parametrize("name", ["shoe", "shoe.tmp", "shoe."])
def test_a_misspelling_tells_the_format_where_the_name_does_not(
    content_type: str, image_format: ImageFormat, name: str
) -> None:
    assert announced_format(content_type, name) is image_format


@pytest.mark.parametrize(("content_type", "image_format"), FORMAT_BY_MEDIA_TYPE.items())
@pytest.mark.parametrize("name", ["shoe", "shoe.jpg", "shoe.png", "shoe.heic"])
def test_a_media_type_outweighs_a_name_that_says_something_else(
    content_type: str, image_format: ImageFormat, name: str
) -> None:
    assert announced_format(content_type, name) is image_format


@pytest.mark.parametrize(
    "content_type", ["image/png; charset=binary", " IMAGE/PNG ", 'image/png;name="shoe.jpg"', "image/png;"]
)
def test_case_blanks_and_parameters_of_a_media_type_do_not_count(content_type: str) -> None:
    assert announced_format(content_type, "shoe.jpg") is ImageFormat.PNG


@pytest.mark.parametrize("foreign", FOREIGN_FORMATS)
def test_a_format_that_is_not_taken_is_refused_by_its_name_and_with_what_to_do(
    foreign: ForeignFormat,
) -> None:
    declared = [(media_type, "shoe.jpg") for media_type in foreign.media_types]
    named = [("", f"shoe.{extension.upper()}") for extension in foreign.extensions]
    for content_type, name in [*declared, *named]:
        with pytest.raises(UnsupportedFormatError) as caught:
            announced_format(content_type, name)
        assert str(caught.value) == foreign.advice


@pytest.mark.parametrize(
    ("foreign", "name"),
    [(HEIC, "HEIC"), (TIFF, "TIFF"), (BMP, "BMP"), (JPEG_XL, "JPEG XL"), (PDF, "PDF"), (SVG, "SVG")],
)
def test_what_the_sender_of_another_format_is_told_is_one_sentence(foreign: ForeignFormat, name: str) -> None:
    assert foreign.advice.startswith(f"{name} ")
    assert foreign.advice.index(".") == len(foreign.advice) - 1


@pytest.mark.parametrize("content_type", ["", "image/*"])
@pytest.mark.parametrize("name", ["shoe", "shoe.tmp", ".", "jpg.shoe"])
def test_a_name_that_does_not_tell_the_format_asks_for_the_media_type(content_type: str, name: str) -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        announced_format(content_type, name)
    message = f"Name the media type ({SUPPORTED}); the file name does not tell it."
    assert caught.value.faults == (FieldFault("content_type", message),)


@pytest.mark.parametrize("content_type", ["text/plain", "image/jp2", "video/mp4", "jpeg"])
def test_a_media_type_of_something_else_is_refused_whatever_the_name_says(content_type: str) -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        announced_format(content_type, "shoe.jpg")
    assert caught.value.faults == (FieldFault("content_type", f"Must be one of {SUPPORTED}."),)
