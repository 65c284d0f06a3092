"""Pictures that are made to hurt, under the limits that the metadata function gives a picture."""

import random
import resource
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from PIL import Image

from adapters.child_process_inspector import ChildProcessInspector
from adapters.pillow_image_inspector import PillowImageInspector
from domain.errors import NotAPictureError, UnsupportedFormatError
from domain.failure import FAILURE_CODES, FailureCode
from domain.image import ImageFacts, ImageFormat
from domain.image_signature import detect_format
from domain.public_copy import public_copy
from handlers.extract_metadata import DECODER_MEMORY_BYTES, DECODER_SECONDS
from tests.builders import picture
from tests.hostile_pictures import (
    GIGABYTE,
    POLYGLOTS,
    PRETENDERS,
    SCRIPT,
    blank,
    gif_of,
    gif_that_grows,
    jpeg_of,
    metadata_bomb,
    png,
    that_claims,
)
from tests.torture.results import size

type Tried = Callable[[int], None]

pytestmark = pytest.mark.torture("hostile pictures")

MAX_PIXELS = 100_000_000
FUNCTION_MEMORY_BYTES = 2048 * 1024**2


@pytest.fixture(autouse=True)
def pillows_own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give Pillow its limit back, which an inspector sets for the whole process."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)


def inspect(content: bytes, image_format: ImageFormat, *, seconds: float = DECODER_SECONDS) -> ImageFacts:
    inspector = ChildProcessInspector(
        PillowImageInspector(MAX_PIXELS),
        max_pixels=MAX_PIXELS,
        max_seconds=seconds,
        max_memory_bytes=DECODER_MEMORY_BYTES,
    )
    return inspector.inspect(public_copy(content, image_format), image_format)


def outcome(content: bytes, image_format: ImageFormat) -> ImageFacts | FailureCode | None:
    """Return the facts, or why there are none; anything else rises."""
    try:
        return inspect(content, image_format)
    except NotAPictureError as error:
        return error.failure.code


def weigh(content: bytes, image_format: ImageFormat) -> int:
    """Return how many bytes the process that opened the picture had in memory at most."""
    inspector = ChildProcessInspector(
        Weighed(),
        max_pixels=MAX_PIXELS,
        max_seconds=DECODER_SECONDS,
        max_memory_bytes=DECODER_MEMORY_BYTES,
    )
    return inspector.inspect(content, image_format).width_px * 1024


class Weighed:
    """Tells as the width how many KiB the process that opened the picture had in memory at most."""

    def inspect(self, content: bytes, image_format: ImageFormat) -> ImageFacts:
        facts = PillowImageInspector(MAX_PIXELS).inspect(content, image_format)
        return ImageFacts(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 1, facts.mode)


# --- Damaged -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("image_format", ImageFormat)
def test_a_picture_cut_at_any_tenth_is_not_a_picture(
    tried: Tried, image_format: ImageFormat, frames: int
) -> None:
    # Phones join JPEGs to one file, and there only the first is the picture; see test_image_inspector.
    frames = 1 if image_format is ImageFormat.JPEG else frames
    content = picture(image_format.name, 320, 240, "RGB", frames)
    assert inspect(content, image_format).width_px == 320
    cuts = size(tuple(range(1, 10)), (1, 5, 9), "places at which a picture is cut")
    tried(len(cuts))
    for tenths in cuts:
        assert outcome(content[: len(content) * tenths // 10], image_format) == "truncated"


@pytest.mark.parametrize("image_format", ImageFormat)
def test_a_picture_with_bits_flipped_is_one_or_is_none_and_never_takes_its_time(
    tried: Tried, image_format: ImageFormat
) -> None:
    chance = random.Random(image_format.name)  # noqa: S311 - the same flips in each run
    content = picture(image_format.name, 64, 48)
    points = size(2_000, 20, "pictures with flipped bits")
    tried(points)
    outcomes = Counter[str]()
    for _ in range(points):
        flipped = bytearray(content)
        for bit in chance.sample(range(len(content) * 8), chance.randint(1, 8)):
            flipped[bit // 8] ^= 1 << bit % 8
        result = outcome(bytes(flipped), image_format)
        outcomes[result if isinstance(result, str) else "facts"] += 1
    assert outcomes.keys() <= {"facts", *FAILURE_CODES} - {"wrong_size", "wrong_digest"}


# --- Bombs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("image_format", ImageFormat)
def test_a_header_that_claims_65535_pixels_a_side_is_refused_unopened(image_format: ImageFormat) -> None:
    assert outcome(that_claims(image_format, 65_535, 65_535), image_format) == "too_many_pixels"


# Each, or all but two that decode for seconds: JPEG, WEBP and AVIF have no checksum, and decoders make up, or
# scale up, what is not there.
@pytest.mark.parametrize(
    "image_format",
    size(
        list(ImageFormat),
        [ImageFormat.JPEG, ImageFormat.PNG, ImageFormat.GIF],
        "formats that claim all pixels",
    ),
)
def test_a_header_that_claims_all_pixels_there_may_be_stays_in_the_limits(image_format: ImageFormat) -> None:
    result = outcome(that_claims(image_format, 10_000, 10_000), image_format)
    assert isinstance(result, ImageFacts) or result in {"truncated", "corrupt", "too_complex"}


def test_a_png_of_169_megapixels_is_refused() -> None:
    assert outcome(png(13_000, 13_000), ImageFormat.PNG) == "too_many_pixels"


def test_a_png_of_99_megapixels_is_a_picture() -> None:
    assert inspect(png(9_950, 9_950), ImageFormat.PNG) == ImageFacts(9_950, 9_950, "L")


# Each, or one that is quick to decode.
@pytest.mark.parametrize(
    "image_format", size(list(ImageFormat), [ImageFormat.PNG], "formats of 99 megapixels")
)
def test_a_picture_of_99_megapixels_decodes_within_the_functions_memory(image_format: ImageFormat) -> None:
    # From a process as small as the function's: what the child inherits counts against its limit.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        peak_bytes = pool.submit(weigh, blank(image_format, 9_950), image_format).result()
    assert peak_bytes < FUNCTION_MEMORY_BYTES


def outcome_within(memory_bytes: int, content: bytes, image_format: ImageFormat) -> str | None:
    inspector = ChildProcessInspector(
        PillowImageInspector(MAX_PIXELS),
        max_pixels=MAX_PIXELS,
        max_seconds=DECODER_SECONDS,
        max_memory_bytes=memory_bytes,
    )
    try:
        return str(inspector.inspect(content, image_format))
    except NotAPictureError as error:
        return error.failure.code


# Each, or one of a decoder that tells.
@pytest.mark.parametrize(
    "image_format", size(list(ImageFormat), [ImageFormat.JPEG], "formats that need more memory than they may")
)
def test_a_picture_that_needs_more_memory_than_it_may_have_fails_with_a_reason(
    image_format: ImageFormat,
) -> None:
    # From a new process: what this one has given back lies about in its heap, and a child could use it.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        content = blank(image_format, 9_950)
        code = pool.submit(outcome_within, 2_000_000, content, image_format).result()
    # The decoders of WEBP and AVIF say no more than that they failed.
    is_told = image_format not in {ImageFormat.WEBP, ImageFormat.AVIF}
    assert code in ({"too_complex"} if is_told else {"too_complex", "corrupt"})


@pytest.mark.parametrize("kind", ["zTXt", "iTXt", "iCCP"])
@pytest.mark.parametrize("times", [1, 4])
def test_metadata_that_inflates_to_hundreds_of_times_its_size_is_left_out(kind: str, times: int) -> None:
    bomb = metadata_bomb(kind, size(GIGABYTE, 50_000_000, "bytes of metadata"))
    assert inspect(png(48, 32, *[bomb] * times), ImageFormat.PNG) == ImageFacts(48, 32, "L")


def test_a_gif_of_100_000_frames_is_opened_and_not_decoded_to_its_end() -> None:
    frames = size(1_000_000, 100_000, "frames of a GIF")
    assert inspect(gif_of(frames), ImageFormat.GIF) == ImageFacts(48, 32, "P")


def test_a_gif_that_grows_from_frame_to_frame_is_decoded_as_far_as_the_pixels_last() -> None:
    assert inspect(gif_that_grows(9_990, 9_990, frames=200), ImageFormat.GIF) == ImageFacts(1, 1, "P")


@pytest.mark.parametrize("image_format", [ImageFormat.PNG, ImageFormat.WEBP, ImageFormat.AVIF])
def test_an_animation_of_many_frames_is_a_picture(image_format: ImageFormat) -> None:
    frames = size(2_000, 60, "frames of an animation")
    assert inspect(picture(image_format.name, 64, 48, "RGB", frames), image_format).width_px == 64


def test_a_jpeg_of_hundreds_of_scans_is_ended_by_the_clock() -> None:
    seconds = size(DECODER_SECONDS, 0.2, "seconds of decoding")
    content = jpeg_of(scans=2_000, side_px=size(10_000, 3_000, "pixels of a slow picture's side"))
    with pytest.raises(NotAPictureError, match=f"takes more than {seconds:g} s to decode") as caught:
        inspect(content, ImageFormat.JPEG, seconds=seconds)
    assert caught.value.failure.code == "too_complex"


# --- Not what they seem --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", POLYGLOTS)
def test_a_picture_that_is_something_else_too_is_judged_as_the_picture_it_is(name: str) -> None:
    image_format = ImageFormat[name.split(maxsplit=1)[0]]
    assert detect_format(POLYGLOTS[name]) is image_format
    facts = inspect(POLYGLOTS[name], image_format)
    assert (facts.width_px, facts.height_px) == (48, 32)
    assert SCRIPT not in public_copy(POLYGLOTS[name], image_format)


@pytest.mark.parametrize("name", PRETENDERS)
def test_a_file_in_another_format_is_known_as_none_of_ours_and_never_decodes(tried: Tried, name: str) -> None:
    with pytest.raises(UnsupportedFormatError):
        detect_format(PRETENDERS[name])
    tried(1 + len(ImageFormat))
    for image_format in ImageFormat:
        # Even if it came to that.
        assert outcome(PRETENDERS[name], image_format) in FAILURE_CODES
