"""The public copy of a GIF, seen with a decoder: the same images, and no more than they show."""

import io
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from adapters.pillow_image_inspector import PillowImageInspector
from domain.errors import NotAPictureError
from domain.image import ImageFormat
from domain.public_copy.gif import MAX_NOTES, copy
from tests.builders import picture
from tests.torture.results import size
from tests.traced import with_peak

SECRET = b"52.5200N 13.4050E"
KINDS: tuple[dict[str, Any], ...] = (
    {"mode": "P"},
    {"mode": "L"},
    {"mode": "P", "frames": 4, "loop": 0, "duration": 70},
    {"mode": "P", "frames": 3, "loop": 5, "duration": [10, 20, 30], "disposal": 2, "transparency": 3},
    {"mode": "RGB", "frames": 3, "width_px": 61, "height_px": 43},
)


def decoded(content: bytes) -> list[tuple[bytes, object, object]]:
    """Return of each image what is shown, for how long, and how often all are repeated."""
    with Image.open(io.BytesIO(content), formats=("GIF",)) as opened:
        return [
            (image.convert("RGBA").tobytes(), image.info.get("duration"), image.info.get("loop"))
            for image in ImageSequence.Iterator(opened)
        ]


@cache
def of_kind(index: int) -> bytes:
    return copy(picture("GIF", **KINDS[index]))


def sub_blocks(data: bytes) -> bytes:
    chunks = (data[at : at + 255] for at in range(0, len(data), 255))
    return b"".join(bytes([len(chunk)]) + chunk for chunk in chunks) + b"\0"


def blocks_of(content: bytes) -> tuple[bytes, list[bytes], bytes]:
    """Return what stands before the first block, the blocks, and what stands behind the last one."""

    def end_of_chain(at: int) -> int:
        while content[at]:
            at += 1 + content[at]
        return at + 1

    def colours(flags: int) -> int:
        return 3 * 2 ** ((flags & 7) + 1) if flags >= 128 else 0

    start = at = 13 + colours(content[10])
    blocks = []
    while content[at] != 0x3B:
        behind = at + 2 if content[at] == 0x21 else at + 11 + colours(content[at + 9])
        end = end_of_chain(behind)
        blocks.append(content[at:end])
        at = end
    return content[:start], blocks, content[at + 1 :]


# Made once: to make strategies takes most of the time of drawing from them.
@cache
def notes() -> st.SearchStrategy[list[bytes]]:
    """Return some extensions that show nothing."""
    texts = st.sampled_from([SECRET, b"", SECRET * 40, b"\0;" + SECRET, bytes(300) + SECRET])
    introducers = st.sampled_from(
        [
            b"!\xfe",
            b"!\x01\x0c" + bytes(12),
            b"!\xff\x0bXMP DataXMP",
            b"!\xff\x0bICCRGBG1012",
            b"!\xff\x0bNETSCAPE2.0\x05\x02\1\1\1\1",
            b"!\x99",
        ]
    )
    times = st.sampled_from([1, 1, 1, 500])
    note = st.builds(lambda intro, text, n: (intro + sub_blocks(text)) * n, introducers, texts, times)
    return st.lists(note, max_size=3)


@st.composite
def containers(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Return a GIF without secrets, and it with all sorts of things between and behind its blocks."""
    plain = of_kind(draw(st.integers(0, len(KINDS) - 1)))
    header, blocks, _ = blocks_of(plain)
    sent = [header]
    for block in blocks:
        sent += draw(notes())
        # Of controls the last one counts, of repetitions the first.
        sent += [block] * (draw(st.integers(1, 3)) if block.startswith((b"!\xf9", b"!\xff")) else 1)
    sent += draw(notes())
    return plain, b"".join(sent) + draw(st.sampled_from([b";", b"", b"\0", b";" + SECRET, b";" + plain]))


def test_notes_colours_of_other_kinds_and_what_stands_behind_are_gone() -> None:
    plain = of_kind(3)
    header, blocks, _ = blocks_of(plain)
    notes_of_programs = (
        b"!\xfe" + sub_blocks(b"a comment"),
        b"!\xff\x0bXMP DataXMP" + sub_blocks(b"xmp note"),
        b"!\xff\x0bICCRGBG1012" + sub_blocks(b"a profile"),
        b"!\x01\x0c" + bytes(12) + sub_blocks(b"a text"),
    )
    sent = header + b"".join((*notes_of_programs, *blocks, *notes_of_programs)) + b";<script>"
    copied = copy(sent)
    assert copied == plain
    assert decoded(copied) == decoded(plain)


CONTAINERS = size(1_000, 60, "generated containers of a GIF")


@pytest.mark.torture("public copies of pictures in generated containers")
@settings(
    max_examples=CONTAINERS,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(generated=containers())
def test_in_whatever_container_the_images_are_the_same_and_nothing_else_is_public(
    tried: Callable[[int], None], generated: tuple[bytes, bytes]
) -> None:
    tried(CONTAINERS)
    plain, sent = generated
    copied = copy(sent)
    assert decoded(copied) == decoded(plain)
    assert SECRET not in copied
    assert blocks_of(copied) == blocks_of(plain)
    assert copy(copied) is copied


@pytest.mark.parametrize("index", range(len(KINDS)))
def test_wherever_a_gif_is_cut_it_fails_or_shows_all_its_pixels(index: int) -> None:
    plain = of_kind(index)
    _, blocks, _ = blocks_of(plain)
    for end in range(len(plain) - len(blocks[-1]), len(plain)):
        with suppress(NotAPictureError):
            copied = copy(plain[:end])
            PillowImageInspector(1_000_000).inspect(copied, ImageFormat.GIF)
            assert decoded(copied) == decoded(plain)[: len(decoded(copied))]


BYTES = size(50_000_000, 1_000_000, "bytes of tiny blocks in a GIF")


@pytest.mark.torture("public copies of pictures in generated containers")
@pytest.mark.parametrize(
    ("unit", "most"),
    [
        pytest.param(b"!\xfe\0", MAX_NOTES - 100, id="empty notes"),
        pytest.param(b"!\xfe\1a\1b\0", MAX_NOTES - 100, id="notes of tiny blocks"),
        pytest.param(b"!\x01\0!\xff\0", MAX_NOTES // 2 - 50, id="empty texts and applications"),
        pytest.param(b"!\xf9\4\0\0\0\0\0", BYTES, id="controls"),
    ],
)
def test_many_notes_take_no_more_memory_than_the_copy(unit: bytes, most: int) -> None:
    plain = of_kind(0)
    header, blocks, _ = blocks_of(plain)
    sent = header + unit * min(BYTES // len(unit), most) + b"".join(blocks) + b";"
    copied, peak_bytes = with_peak(lambda: copy(sent))
    assert [pixels for pixels, _, _ in decoded(copied)] == [pixels for pixels, _, _ in decoded(plain)]
    assert peak_bytes < 1_000_000
