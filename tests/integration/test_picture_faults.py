"""What a person is told of a public copy that does not decode, and what to do."""

import pytest

from adapters.picture_faults import why_it_does_not_decode
from adapters.pillow_image_inspector import PillowImageInspector
from domain.errors import NotAPictureError
from domain.failure import Failure, FailureCode
from domain.image import ImageFormat
from domain.image_signature import detect_format
from domain.public_copy import public_copy
from tests.builders import picture
from tests.hostile_pictures import that_claims

WEBP, GIF, AVIF = picture("WEBP"), picture("GIF", mode="P"), picture("AVIF")


def damaged(what: str) -> str:
    return f"The image is damaged: {what}. Open it in an image editor, save it again, and send that."


def failure_of(content: bytes) -> Failure:
    image_format = detect_format(content)
    # Its container is whole: only a decoder can tell.
    copy = public_copy(content, image_format)
    with pytest.raises(NotAPictureError) as caught:
        PillowImageInspector(100_000_000).inspect(copy, image_format)
    assert str(caught.value) == caught.value.failure.reason
    assert caught.value.failure.reason.endswith(".")
    return caught.value.failure


def with_bytes(content: bytes, at: int, replacement: bytes) -> bytes:
    return content[:at] + replacement + content[at + len(replacement) :]


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        pytest.param(
            with_bytes(WEBP, WEBP.index(b"VP8 ") + 11, b"no"),
            "corrupt",
            damaged("its WEBP data does not decode"),
            id="WEBP with damaged pixels",
        ),
        pytest.param(
            with_bytes(GIF, len(GIF) - 60, b"\xff" * 30),
            "corrupt",
            damaged("its pixel data breaks off"),
            id="GIF with damaged pixels",
        ),
        pytest.param(
            with_bytes(AVIF, AVIF.index(b"mdat") + 6, b"\xff" * 40),
            "corrupt",
            damaged("its AVIF data does not decode"),
            id="AVIF with damaged pixels",
        ),
        pytest.param(
            that_claims(ImageFormat.AVIF, 65_535, 65_535),
            "too_many_pixels",
            "The image has more than 100 megapixels. Scale it down.",
            id="AVIF that is larger than its decoder takes",
        ),
    ],
)
def test_a_picture_that_does_not_decode_is_told_what_is_wrong_with_it(
    content: bytes, code: FailureCode, reason: str
) -> None:
    assert failure_of(content) == Failure(code, reason)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("image file is truncated (3 bytes not processed)", "truncated"),
        ("Truncated File Read", "truncated"),
        ("broken data stream when reading image file", "corrupt"),
        ("whatever a decoder of tomorrow may say", "corrupt"),
    ],
)
def test_what_a_decoder_says_is_put_in_our_words(said: str, code: FailureCode) -> None:
    failure = why_it_does_not_decode(ImageFormat.PNG, said)
    assert failure.code == code
    assert said not in failure.reason
