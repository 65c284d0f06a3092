"""What a person is told of a file that does not decode: each fault by its name, and what to do."""

from collections.abc import Callable

import pytest

from adapters.pillow_image_inspector import PillowImageInspector
from domain.errors import NotAPictureError
from domain.failure import Failure, FailureCode
from domain.image import ImageFacts, ImageFormat
from domain.image_signature import detect_format
from tests.builders import jpeg, picture
from tests.hostile_pictures import metadata_bomb, png, png_chunk, png_that_claims, that_claims

JPEG, PNG, WEBP, GIF, AVIF = (
    jpeg(),
    picture("PNG"),
    picture("WEBP"),
    picture("GIF", mode="P"),
    picture("AVIF"),
)
BASELINE = b"\xff\xc0"
MDAT = AVIF.index(b"mdat") - 4
"""Where the box of an AVIF's pixels begins; it is the last one."""
CUT = "The file is cut short: it ends before the picture does. Send the whole file again, or save it anew"


def damaged(what: str) -> str:
    return f"The picture is damaged: {what}. Open it in an image editor, save it anew, and send that."


def failure_of(content: bytes) -> Failure:
    with pytest.raises(NotAPictureError) as caught:
        PillowImageInspector(100_000_000).inspect(content, detect_format(content))
    assert str(caught.value) == caught.value.failure.reason
    assert caught.value.failure.reason.endswith(".")
    return caught.value.failure


def with_bytes(content: bytes, at: int, replacement: bytes) -> bytes:
    return content[:at] + replacement + content[at + len(replacement) :]


def with_chunk(kind: bytes, change: Callable[[bytes], bytes], content: bytes = PNG) -> bytes:
    """Return the PNG with other data in one chunk, its checksum right."""
    at = content.index(kind)
    size = int.from_bytes(content[at - 4 : at])
    data = content[at + 4 : at + 4 + size]
    return content[: at - 4] + png_chunk(kind, change(data)) + content[at + 8 + size :]


def with_large_box(content: bytes) -> bytes:
    """Return the AVIF with the size of its last box in eight bytes."""
    data = content[MDAT + 8 :]
    return content[:MDAT] + (1).to_bytes(4) + b"mdat" + (16 + len(data)).to_bytes(8) + data


@pytest.mark.parametrize(
    ("content", "feature"),
    [
        pytest.param(JPEG.replace(BASELINE, b"\xff\xc9"), "arithmetic coding", id="arithmetic"),
        pytest.param(JPEG.replace(BASELINE, b"\xff\xca"), "arithmetic coding", id="arithmetic, progressive"),
        pytest.param(JPEG.replace(BASELINE, b"\xff\xff\xff\xc9"), "arithmetic coding", id="fill bytes"),
        pytest.param(
            JPEG[:2] + b"\xff\x01" + JPEG[2:].replace(BASELINE, b"\xff\xc9"),
            "arithmetic coding",
            id="behind a marker without a segment",
        ),
        pytest.param(JPEG.replace(BASELINE, b"\xff\xc3"), "lossless compression", id="lossless"),
        pytest.param(JPEG.replace(BASELINE, b"\xff\xc5"), "hierarchical compression", id="hierarchical"),
        pytest.param(with_bytes(JPEG, JPEG.index(BASELINE) + 4, b"\x0c"), "12 bits a colour", id="12-bit"),
    ],
)
def test_a_jpeg_that_browsers_do_not_show_is_told_so_whether_it_decodes_or_not(
    content: bytes, feature: str
) -> None:
    what = f"The picture is a JPEG with {feature}, which browsers do not show."
    reason = f"{what} Save it anew as a usual JPEG or PNG."
    assert failure_of(content) == Failure("unsupported_feature", reason)


def test_a_png_with_a_chunk_that_must_be_understood_and_is_not_is_told_so() -> None:
    # As Apple's tools write it: the chunk, and pixels that are packed in another way.
    apples = PNG[:8] + png_chunk(b"CgBI", bytes(4)) + with_chunk(b"IDAT", lambda data: data[2:])[8:]
    failure = failure_of(apples)
    assert failure.code == "unsupported_feature"
    assert "a PNG with a chunk CgBI" in failure.reason


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        pytest.param(JPEG[:20], "truncated", CUT, id="JPEG before its pixels"),
        pytest.param(JPEG[:-100], "truncated", CUT, id="JPEG"),
        pytest.param(
            with_bytes(JPEG, JPEG.index(BASELINE) + 9, b"\x02"),
            "corrupt",
            damaged("its JPEG data does not decode"),
            id="JPEG that lacks a colour",
        ),
        pytest.param(PNG[:-100], "truncated", CUT, id="PNG in a chunk"),
        pytest.param(PNG[:-12][: PNG.index(b"IDAT") - 4], "truncated", CUT, id="PNG between chunks"),
        pytest.param(PNG[:8], "truncated", CUT, id="PNG by its signature alone"),
        pytest.param(
            PNG[:33] + b"\0\0\0\x09pHYs" + bytes(13) + PNG[33:],
            "corrupt",
            damaged("the checksum of its chunk pHYs is wrong"),
            id="PNG with a wrong checksum",
        ),
        pytest.param(
            PNG[:33] + png_chunk(b"iCCP", b"name\0\7") + PNG[33:],
            "corrupt",
            damaged("its colour profile, chunk iCCP, is packed in an unknown way"),
            id="PNG with a profile that is packed in an unknown way",
        ),
        pytest.param(
            PNG[:33] + png_chunk(b"\0\1\2\3", b"") + PNG[33:],
            "corrupt",
            damaged("what should be a chunk of the PNG is none"),
            id="PNG with something else in it",
        ),
        pytest.param(
            with_chunk(b"IDAT", lambda data: with_bytes(data, 10, b"\xff" * 40)),
            "corrupt",
            damaged("its pixel data breaks off"),
            id="PNG with damaged pixels",
        ),
        pytest.param(
            png_that_claims(48, 32),
            "corrupt",
            damaged("it has less pixel data than its size needs"),
            id="PNG with hardly a pixel",
        ),
        pytest.param(
            with_chunk(b"acTL", lambda data: (9).to_bytes(4) + data[4:], picture("PNG", frames=3)),
            "corrupt",
            damaged("it announces 9 frames of an animation and has 3"),
            id="PNG that announces more frames than it has",
        ),
        pytest.param(
            png(48, 32, metadata_bomb("zTXt", 2_000_000)),
            "too_complex",
            "A text or the colour profile in the file unpacks to more than 1 MB. Save it anew without that.",
            id="PNG with a long text",
        ),
        pytest.param(
            WEBP[:-10],
            "truncated",
            f"The file is cut short: it has {len(WEBP) - 10} bytes, and its header says {len(WEBP)}. Send",
            id="WEBP",
        ),
        pytest.param(
            with_bytes(WEBP, WEBP.index(b"VP8 ") + 11, b"no"),
            "corrupt",
            damaged("its WEBP data does not decode"),
            id="WEBP with damaged pixels",
        ),
        pytest.param(GIF[:12], "truncated", CUT, id="GIF in its header"),
        pytest.param(GIF[:-100], "truncated", CUT, id="GIF"),
        pytest.param(
            with_bytes(GIF, len(GIF) - 60, b"\xff" * 30),
            "corrupt",
            damaged("its pixel data breaks off"),
            id="GIF with damaged pixels",
        ),
        pytest.param(AVIF[:40], "truncated", CUT, id="AVIF in its header"),
        pytest.param(AVIF[:MDAT], "truncated", CUT, id="AVIF before its pixels"),
        pytest.param(AVIF[:-10], "truncated", CUT, id="AVIF"),
        pytest.param(with_large_box(AVIF)[:-20], "truncated", CUT, id="AVIF with a large box"),
        pytest.param(with_bytes(AVIF, MDAT, bytes(4))[:-10], "truncated", CUT, id="AVIF, box to its end"),
        pytest.param(
            with_bytes(AVIF, MDAT + 10, b"\xff" * 40),
            "corrupt",
            damaged("its AVIF data does not decode"),
            id="AVIF with damaged pixels",
        ),
        pytest.param(
            with_bytes(AVIF, AVIF.index(b"meta") - 4, (3).to_bytes(4)),
            "corrupt",
            damaged("its AVIF data does not decode"),
            id="AVIF with a box that is smaller than its header",
        ),
        pytest.param(
            that_claims(ImageFormat.AVIF, 65_535, 65_535),
            "too_many_pixels",
            "The picture has more than 100 megapixels. Scale it down.",
            id="AVIF that is larger than its decoder takes",
        ),
    ],
)
def test_a_file_that_does_not_decode_is_told_what_is_wrong_with_it(
    content: bytes, code: FailureCode, reason: str
) -> None:
    failure = failure_of(content)
    assert (failure.code, failure.reason[: len(reason)]) == (code, reason)


def test_what_browsers_do_not_show_is_no_matter_where_it_is_not_the_picture() -> None:
    # A thumbnail, or whatever stands behind the picture.
    exif = b"Exif\0\0\xff\xc9\0\x0b\x08\0\x10\0\x10\x01\x01\x11\0"
    segment = b"\xff\xe1" + (2 + len(exif)).to_bytes(2) + exif
    content = JPEG[:2] + segment + JPEG[2:] + JPEG.replace(BASELINE, b"\xff\xc9")
    assert PillowImageInspector(1_000_000).inspect(content, ImageFormat.JPEG) == ImageFacts(48, 32, "RGB")
