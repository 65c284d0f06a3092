import pytest

from domain.errors import UnsupportedFormatError
from domain.image import ImageFormat
from domain.image_signature import detect_format
from tests.builders import picture


def ftyp(major: bytes, *compatible: bytes, minor: bytes = b"\0\0\0\0") -> bytes:
    brands = major + minor + b"".join(compatible)
    return (8 + len(brands)).to_bytes(4) + b"ftyp" + brands


@pytest.mark.parametrize("image_format", ImageFormat)
def test_a_real_picture_is_known_by_its_first_bytes(image_format: ImageFormat) -> None:
    assert detect_format(picture(image_format.name)[:64]) is image_format


def test_a_phone_picture_counts_as_jpeg() -> None:
    assert detect_format(picture("MPO", frames=2)) is ImageFormat.JPEG


@pytest.mark.parametrize(
    ("content", "image_format"),
    [
        (b"GIF87a", ImageFormat.GIF),
        (b"GIF89a", ImageFormat.GIF),
        (ftyp(b"avif"), ImageFormat.AVIF),
        (ftyp(b"avis"), ImageFormat.AVIF),
        (ftyp(b"mif1", b"miaf", b"avif"), ImageFormat.AVIF),
    ],
)
def test_every_signature_of_a_format_is_known(content: bytes, image_format: ImageFormat) -> None:
    assert detect_format(content) is image_format


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xd8", id="JPEG cut in its signature"),
        pytest.param(b"\x89PNG\n", id="PNG with its line ends changed on the way"),
        pytest.param(b"RIFF\0\0\0\0WAVE", id="WAVE"),
        pytest.param(b"\xef\xbb\xbf\xff\xd8\xff", id="JPEG after a byte order mark"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", id="SVG"),
        pytest.param(b"BM\0\0\0\0", id="BMP"),
        pytest.param(b"II*\0", id="TIFF"),
        pytest.param(b"%PDF-1.7", id="PDF"),
        pytest.param(ftyp(b"heic", b"mif1", b"heix"), id="HEIC"),
        pytest.param(ftyp(b"isom", b"mp42"), id="MP4"),
        pytest.param(ftyp(b"isom", minor=b"avif"), id="brand in the place of the version"),
        pytest.param(ftyp(b"heic") + b"avif", id="brand behind the box"),
        pytest.param(ftyp(b"isom", *[b"mp42"] * 100, b"avif"), id="brand after hundreds of bytes"),
    ],
)
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(UnsupportedFormatError, match=r"JPEG, PNG, WEBP, GIF, AVIF"):
        detect_format(content)
