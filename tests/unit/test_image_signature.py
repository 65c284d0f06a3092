import pytest

from domain.errors import UnsupportedFormatError
from domain.foreign_formats import BMP, HEIC, JPEG_XL, PDF, SVG, TIFF, ForeignFormat
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
        pytest.param(b"<html><svg/></html>", id="drawing in a page"),
        pytest.param(b"<?xml version='1.0'?><html/>", id="XML"),
        pytest.param(b"<!--" + b" " * 10_000 + b"--><svg/>", id="drawing after kilobytes"),
        pytest.param(b"\xff\xfe\0", id="half a character after a byte order mark"),
        pytest.param(ftyp(b"isom", b"mp42"), id="MP4"),
        pytest.param(ftyp(b"isom", minor=b"avif"), id="brand in the place of the version"),
        pytest.param(ftyp(b"isom") + b"avif", id="brand behind the box"),
        pytest.param(ftyp(b"isom", *[b"mp42"] * 100, b"avif"), id="brand after hundreds of bytes"),
    ],
)
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(UnsupportedFormatError, match=r"JPEG, PNG, WEBP, GIF, AVIF"):
        detect_format(content)


DRAWING = "<svg xmlns='http://www.w3.org/2000/svg'/>"
ILLUSTRATOR = (
    "<?xml version='1.0'?>\n<!-- Generator: Adobe Illustrator -->\n"
    "<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' "
    "'http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd' [\n<!ENTITY ns 'http://ns.adobe.com/'>\n]>\n"
)


@pytest.mark.parametrize(
    ("content", "foreign"),
    [
        pytest.param(ftyp(b"heic", b"mif1", b"heix"), HEIC, id="HEIC"),
        pytest.param(ftyp(b"mif1", b"heic"), HEIC, id="HEIC among further brands"),
        pytest.param(ftyp(b"msf1", b"hevc"), HEIC, id="sequence of HEIC"),
        pytest.param(ftyp(b"mif1"), HEIC, id="HEIF of no codec"),
        pytest.param(ftyp(b"heic") + b"avif", HEIC, id="HEIC with an AVIF brand behind the box"),
        pytest.param(b"II*\0", TIFF, id="TIFF"),
        pytest.param(b"MM\0*", TIFF, id="TIFF, big-endian"),
        pytest.param(b"II+\0", TIFF, id="BigTIFF"),
        pytest.param(b"MM\0+", TIFF, id="BigTIFF, big-endian"),
        pytest.param(b"BM\0\0\0\0", BMP, id="BMP"),
        pytest.param(b"\xff\x0a\xfa", JPEG_XL, id="JPEG XL, naked"),
        pytest.param(b"\0\0\0\x0cJXL \r\n\x87\n", JPEG_XL, id="JPEG XL in boxes"),
        pytest.param(b"%PDF-1.7", PDF, id="PDF"),
        pytest.param(b"\xef\xbb\xbf\n%PDF-1.7", PDF, id="PDF after a byte order mark"),
        pytest.param(DRAWING.encode(), SVG, id="SVG"),
        pytest.param(b"<svg:svg xmlns:svg='http://www.w3.org/2000/svg'/>", SVG, id="SVG with a prefix"),
        pytest.param(f"\n\t <?xml version='1.0'?>\r\n{DRAWING}".encode(), SVG, id="SVG after a declaration"),
        pytest.param(f"<!-- <a> --><!-- - -->{DRAWING}".encode(), SVG, id="SVG after comments"),
        pytest.param(f"{ILLUSTRATOR}{DRAWING}".encode(), SVG, id="SVG after a document type"),
        pytest.param(f"\ufeff{DRAWING}".encode(), SVG, id="SVG after a byte order mark"),
        pytest.param(DRAWING.encode("utf-16"), SVG, id="SVG in UTF-16"),
        pytest.param(f"\ufeff{DRAWING}".encode("utf-16-be"), SVG, id="SVG in UTF-16, big-endian"),
        pytest.param(f"<!-- Größe -->{DRAWING}".encode("latin-1"), SVG, id="SVG in ISO-8859-1"),
    ],
)
def test_a_format_that_is_not_taken_is_refused_by_its_name(content: bytes, foreign: ForeignFormat) -> None:
    with pytest.raises(UnsupportedFormatError) as caught:
        detect_format(content)
    assert str(caught.value) == foreign.advice
