"""What is kept of a GIF, which control of an image counts, and what is told of one that is not whole."""

import pytest

from domain.errors import NotAPictureError
from domain.failure import Failure, FailureCode
from domain.public_copy.gif import copy

HEADER = b"GIF89a\x02\0\x01\0\x80\0\0" + bytes(6)
CONTROL = b"!\xf9\x04\x05\x0a\0\x01\0"
OTHER_CONTROL = b"!\xf9\x04\x00\x14\0\x01\0"
IMAGE = b",\0\0\0\0\x02\0\x01\0\0\x02\x02\x44\x01\0"
OWN_COLOURS = b",\0\0\0\0\x02\0\x01\0\x81" + bytes(range(12)) + b"\x02\x02\x44\x01\0"
LOOP = b"!\xff\x0bNETSCAPE2.0\x03\x01\x05\0\0"
COMMENT = b"!\xfe\x09a comment\0"
TEXT = b"!\x01\x0c" + bytes(12) + b"\x04text\0"
XMP = b"!\xff\x0bXMP DataXMP\x08xmp note\x03abc\0"
ICC = b"!\xff\x0bICCRGBG1012\x07profile\0"
CUT = "The file is cut short: it ends before the image does."


def gif(*blocks: bytes) -> bytes:
    return HEADER + b"".join(blocks) + b";"


def failure_of(content: bytes) -> Failure:
    with pytest.raises(NotAPictureError) as caught:
        copy(content)
    return caught.value.failure


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(gif(IMAGE), id="one image"),
        pytest.param(b"GIF87a\x02\0\x01\0\0\0\0" + OWN_COLOURS + b";", id="an image with colours of its own"),
        pytest.param(gif(LOOP, CONTROL, IMAGE, OTHER_CONTROL, OWN_COLOURS), id="an animation"),
        pytest.param(gif(CONTROL, IMAGE, LOOP), id="an animation that says last how often"),
        pytest.param(gif(IMAGE[:11] + b"\xff" + bytes(255) + b"\x01a\x7f" + bytes(128)), id="long data"),
    ],
)
def test_a_gif_that_has_nothing_to_hide_stays_the_very_same(content: bytes) -> None:
    assert copy(content) is content


@pytest.mark.parametrize("note", [COMMENT, TEXT, XMP, ICC, b"!\xfe\0", b"!\x42\x01a\0", b"!\xf9\x01a\0"])
def test_what_shows_nothing_goes_wherever_it_stands(note: bytes) -> None:
    blocks = [LOOP, CONTROL, IMAGE, OTHER_CONTROL, OWN_COLOURS]
    for at in range(len(blocks) + 1):
        assert copy(gif(*blocks[:at], note, note, *blocks[at:])) == gif(*blocks)


@pytest.mark.parametrize("tail", [b"<script>", b"\0", b"GIF89a", gif(IMAGE), b";"])
def test_what_stands_behind_the_end_goes(tail: bytes) -> None:
    assert copy(gif(IMAGE) + tail) == gif(IMAGE)


def test_of_a_gif_that_is_also_a_script_no_script_is_left() -> None:
    # Its width and height read as the beginning of a comment, which its note ends.
    header = b"GIF89a/*" + HEADER[8:]
    copied = copy(header + b"!\xfe\x10*/=1;alert(1)/*;\0" + IMAGE + b";*/alert(2)")
    assert copied == header + IMAGE + b";"


@pytest.mark.parametrize(
    ("blocks", "kept"),
    [
        pytest.param([CONTROL, OTHER_CONTROL, IMAGE], [OTHER_CONTROL, IMAGE], id="the last of two"),
        pytest.param([CONTROL, COMMENT, OTHER_CONTROL, IMAGE], [OTHER_CONTROL, IMAGE], id="behind a note"),
        pytest.param([CONTROL, LOOP, IMAGE], [LOOP, CONTROL, IMAGE], id="before the repetition"),
        pytest.param([CONTROL, COMMENT, IMAGE, IMAGE], [CONTROL, IMAGE, IMAGE], id="for one image"),
        pytest.param([CONTROL, LOOP, OTHER_CONTROL, IMAGE], [LOOP, OTHER_CONTROL, IMAGE], id="replaced"),
        pytest.param([IMAGE, CONTROL], None, id="for no image, at the end of the file"),
    ],
)
def test_the_last_control_before_an_image_counts(blocks: list[bytes], kept: list[bytes] | None) -> None:
    assert copy(gif(*blocks)) == gif(*(kept or blocks[:-1]))


@pytest.mark.parametrize(
    ("loop", "kept"),
    [
        pytest.param(LOOP.replace(b"NETSCAPE2.0", b"ANIMEXTS1.0"), LOOP, id="of another name"),
        pytest.param(LOOP[:-1] + b"\x05notes\0", LOOP, id="with more behind"),
        pytest.param(LOOP + LOOP.replace(b"\x05", b"\x07"), LOOP, id="twice"),
        pytest.param(LOOP.replace(b"\x03\x01", b"\x03\x02"), b"", id="that says something else"),
        pytest.param(LOOP[:14] + b"\0", b"", id="that says nothing"),
    ],
)
def test_how_often_it_is_repeated_stays_and_nothing_else(loop: bytes, kept: bytes) -> None:
    assert copy(gif(loop, IMAGE)) == gif(kept, IMAGE)


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(b"", id="without a trailer"),
        pytest.param(b"\0\0\0", id="with zeros in its place"),
        pytest.param(b"anything", id="with anything in its place"),
    ],
)
def test_a_trailer_is_added_behind_the_last_image(end: bytes) -> None:
    assert copy(gif(CONTROL, IMAGE)[:-1] + end) == gif(CONTROL, IMAGE)


def test_data_that_lacks_nothing_but_its_end_gets_it() -> None:
    for blocks in ([IMAGE], [CONTROL, IMAGE], [CONTROL, COMMENT, OWN_COLOURS]):
        kept = [block for block in blocks if block is not COMMENT]
        assert copy(gif(*blocks)[:-2]) == gif(*kept)


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        pytest.param(b"", "not_a_picture", "The file is not a GIF picture.", id="nothing"),
        pytest.param(b"GIF88a" + bytes(20), "not_a_picture", "The file is not a GIF picture.", id="no GIF"),
        pytest.param(HEADER[:10], "truncated", CUT, id="cut in its header"),
        pytest.param(HEADER[:16], "truncated", CUT, id="cut in its colours"),
        pytest.param(HEADER, "truncated", CUT, id="cut before its image"),
        pytest.param(gif(IMAGE)[:-4], "truncated", CUT, id="cut in its data"),
        pytest.param(gif(IMAGE, CONTROL, OWN_COLOURS)[:-9], "truncated", CUT, id="cut in its second image"),
        pytest.param(HEADER + IMAGE + OWN_COLOURS[:15], "truncated", CUT, id="cut in an image's colours"),
        pytest.param(HEADER + IMAGE + CONTROL, "truncated", CUT, id="cut behind a control"),
        pytest.param(HEADER + IMAGE + CONTROL[:5], "truncated", CUT, id="cut in a control"),
        pytest.param(HEADER + IMAGE + COMMENT[:5], "truncated", CUT, id="cut in a note"),
        pytest.param(gif(COMMENT), "corrupt", "The image is damaged: it has no frame.", id="no image"),
        pytest.param(gif(b"\0", IMAGE), "corrupt", "The image is damaged: it has no frame.", id="no block"),
        pytest.param(
            gif(*[IMAGE, COMMENT] * 20_001),
            "too_complex",
            "The image has notes between its images more than 20,000 times.",
            id="notes without end",
        ),
    ],
)
def test_a_gif_that_cannot_be_copied_is_told_what_is_wrong(
    content: bytes, code: FailureCode, reason: str
) -> None:
    failure = failure_of(content)
    assert (failure.code, failure.reason[: len(reason)]) == (code, reason)
