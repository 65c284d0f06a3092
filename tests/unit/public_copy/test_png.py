"""The public copy of a PNG: what stays, what goes, what is mended, and what is refused."""

import struct
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import NotAPictureError
from domain.failure import Failure, FailureCode
from domain.public_copy import MAX_PROFILE_BYTES
from domain.public_copy.exif import MAX_TEXT_BYTES, kept_exif
from domain.public_copy.png import copy
from domain.public_copy.png_chunks import MAX_CHUNKS
from tests.png_files import (
    GREY,
    GREY_ALPHA,
    IDAT,
    IEND,
    IHDR,
    PALETTE,
    RGB_ALPHA,
    SIGNATURE,
    actl,
    chunk,
    data_of,
    fctl,
    fdat,
    header,
    iccp,
    names,
    pixels,
    png,
    profile,
    read,
)
from tests.torture.results import size
from tests.traced import with_peak

CUT = "The file is cut short: it ends before the image does. Send the whole file again"
PACKED = pixels()
HALF = len(PACKED) // 2
WRONG = 5
"""A checksum that is none of these chunks'."""
PLTE = chunk("PLTE", bytes(range(6)))
PRIVATE = b"taken at 48.137 N, 11.575 E"


def exif(**texts: str) -> bytes:
    """Return an Exif block of orientation 6, a camera's name, and these of Artist and Copyright."""
    tags = {
        0x010F: "Camera 4711",
        **{{"artist": 0x013B, "copyright": 0x8298}[k]: v for k, v in texts.items()},
    }
    count, entries, values = len(tags) + 1, b"", b""
    end = 10 + 12 * count + 4
    for tag in sorted([0x0112, *tags]):
        if tag == 0x0112:
            entries += struct.pack(">HHIHxx", tag, 3, 1, 6)
            continue
        value = tags[tag].encode() + b"\0"
        entries += struct.pack(">HHII", tag, 2, len(value), end + len(values))
        values += value
    return b"MM\0*\0\0\0\x08" + count.to_bytes(2) + entries + bytes(4) + values


def of_colour_type(colour_type: int, *before: bytes, depth: int = 8) -> bytes:
    return b"".join(
        [SIGNATURE, header(colour_type, depth=depth), *before, chunk("IDAT", pixels(colour_type)), IEND]
    )


def failure_of(content: bytes) -> Failure:
    with pytest.raises(NotAPictureError) as caught:
        copy(content)
    return caught.value.failure


def animated(frames: int = 2, *, announced: int | None = None, end: bytes = IEND) -> bytes:
    """Return an animation that begins with the picture itself."""
    further = b"".join(fctl(2 * index - 1) + fdat(2 * index) for index in range(1, frames))
    return png(actl(announced or frames), fctl(0), behind=(further,), end=end)


# --- What stays ----------------------------------------------------------------------------------------

COLOURS = (
    chunk("gAMA", bytes(4)),
    chunk("cHRM", bytes(32)),
    chunk("sRGB", b"\0"),
    iccp(profile()),
    chunk("cICP", b"\x0c\x0d\0\1"),
    chunk("mDCV", bytes(24)),
    chunk("cLLI", bytes(8)),
    chunk("sBIT", b"\x08\x08\x08"),
)
CLEAN = {
    "pixels": png(),
    "grey": of_colour_type(GREY, chunk("sBIT", b"\x08"), chunk("bKGD", bytes(2)), chunk("tRNS", bytes(2))),
    "grey, 16 bits": SIGNATURE + header(GREY, depth=16) + chunk("IDAT", pixels(GREY_ALPHA)) + IEND,
    "grey with alpha": of_colour_type(GREY_ALPHA, chunk("sBIT", b"\x08\x08"), chunk("bKGD", bytes(2))),
    "RGB with alpha": of_colour_type(RGB_ALPHA, chunk("sBIT", b"\x08" * 4), PLTE, chunk("bKGD", bytes(6))),
    "palette": of_colour_type(
        PALETTE, chunk("sBIT", b"\x08" * 3), PLTE, chunk("tRNS", b"\0"), chunk("bKGD", b"\1")
    ),
    "colours": png(*COLOURS, chunk("bKGD", bytes(6)), chunk("tRNS", bytes(6)), chunk("pHYs", bytes(9))),
    "suggested palette": png(PLTE),
    "interlaced": SIGNATURE + header(ways=(0, 0, 1)) + IDAT + IEND,
    "several chunks of pixels": png(
        idat=chunk("IDAT", PACKED[:HALF]) + chunk("IDAT") + chunk("IDAT", PACKED[HALF:])
    ),
    "animation": animated(),
    "animation, of one frame": animated(1),
    "animation, not of the picture": png(actl(1), behind=(fctl(0), fdat(1))),
    "animation, a frame in two chunks": png(
        actl(2, 3),
        fctl(0),
        behind=(fctl(1, size=(3, 2), at=(3, 2), ways=(2, 1)), fdat(2, PACKED[:HALF]), fdat(3, PACKED[HALF:])),
    ),
    "kept Exif": png(chunk("eXIf", kept_exif(exif(artist="A. Adams"), orientation=True))),
    "texts": png(
        chunk("tEXt", b"Author\0A. Adams"), chunk("iTXt", b"Copyright\0\0\0de\0Recht\0\xc2\xa9 Adams")
    ),
    "texts behind the pixels": png(behind=(chunk("tEXt", b"Copyright\0\xa9 Adams"),)),
}


@pytest.mark.parametrize("content", CLEAN.values(), ids=CLEAN)
def test_a_file_with_nothing_to_leave_out_is_its_own_copy(content: bytes) -> None:
    assert copy(content) is content


# --- What goes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["before", "behind"])
@pytest.mark.parametrize(
    "name",
    ["tEXt", "zTXt", "iTXt", "tIME", "sPLT", "hIST", "iDOT", "prVt", "caBX", "dSIG", "acTL", "fcTL", "fdAT"],
)
def test_what_a_picture_is_shown_without_is_not_public(name: str, where: str) -> None:
    private = chunk(name, b"Comment\0" + PRIVATE)
    content = png(private) if where == "before" else png(behind=(private,))
    assert copy(content) == png()


@pytest.mark.parametrize("tail", [PRIVATE, IEND, chunk("eXIf", exif()), b"PK\3\4" + bytes(100)])
def test_what_stands_behind_the_end_is_not_public(tail: bytes) -> None:
    assert copy(png() + tail) == png()


def test_what_stands_behind_the_pixels_within_their_chunks_is_not_public() -> None:
    behind = chunk("IDAT", PACKED[:-2]) + chunk("IDAT", PACKED[-2:] + PRIVATE) + chunk("IDAT", PRIVATE)
    copied = copy(png(idat=behind))
    assert data_of(copied, "IDAT") == PACKED
    assert PRIVATE not in copied


def test_what_stands_behind_a_colour_profile_within_its_chunk_is_not_public() -> None:
    assert copy(png(iccp(profile(), behind=PRIVATE))) == png(iccp(profile()))


@pytest.mark.parametrize(
    "described",
    [
        *COLOURS,
        PLTE,
        chunk("tRNS", bytes(6)),
        chunk("bKGD", bytes(6)),
        chunk("pHYs", bytes(9)),
        chunk("acTL", bytes(8)),
    ],
)
def test_what_describes_the_pixels_behind_them_counts_for_nothing(described: bytes) -> None:
    assert copy(png(behind=(described,))) == png()


# --- Who made it, and which way up ---------------------------------------------------------------------


def test_exif_before_the_pixels_keeps_who_made_it_and_which_way_up() -> None:
    copied = copy(png(chunk("eXIf", exif(artist="A. Adams", copyright="(c) Adams"))))
    assert names(copied) == ["IHDR", "eXIf", "IDAT", "IEND"]
    kept = data_of(copied, "eXIf")
    assert kept == kept_exif(exif(artist="A. Adams", copyright="(c) Adams"), orientation=True)
    assert b"A. Adams" in kept
    assert b"(c) Adams" in kept
    assert b"4711" not in kept


def test_exif_behind_the_pixels_keeps_who_made_it_alone() -> None:
    copied = copy(png(behind=(chunk("eXIf", exif(artist="A. Adams")),)))
    assert names(copied) == ["IHDR", "IDAT", "eXIf", "IEND"]
    assert data_of(copied, "eXIf") == kept_exif(exif(artist="A. Adams"), orientation=False)


def test_exif_of_which_nothing_is_kept_goes() -> None:
    assert copy(png(behind=(chunk("eXIf", exif()),))) == png()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        pytest.param("tEXt", b"Software\0" + PRIVATE, id="another keyword"),
        pytest.param("tEXt", b"author\0" + PRIVATE, id="another case"),
        pytest.param("tEXt", b"Author", id="no text"),
        pytest.param("tEXt", b"Author\0", id="an empty text"),
        pytest.param("tEXt", b"Author\0A\0" + PRIVATE, id="something behind the text"),
        pytest.param("tEXt", b"Author\0" + b"a" * (MAX_TEXT_BYTES - 6), id="long"),
        pytest.param("iTXt", b"Author\0\0\0\0\0" + b"a" * (MAX_TEXT_BYTES - 10), id="long, international"),
        pytest.param("iTXt", b"Author\0\1\0\0\0" + zlib.compress(PRIVATE), id="packed"),
        pytest.param("iTXt", b"Author\0\1\0\0\0A. Adams", id="said to be packed"),
        pytest.param("iTXt", b"Author\0\0\0\0\0A. \xe4dams", id="not in UTF-8"),
        pytest.param("iTXt", b"Author\0\0\0\0", id="too few parts"),
        pytest.param("iTXt", b"Author\0\0\0\0\0A\0B", id="too many parts"),
        pytest.param("iTXt", b"Author\0\0\0\0\0", id="empty, international"),
        pytest.param("zTXt", b"Author\0\0" + zlib.compress(b"A. Adams"), id="packed, Latin-1"),
        pytest.param("iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + PRIVATE, id="XMP"),
    ],
)
def test_only_short_plain_texts_of_who_made_it_are_kept(name: str, data: bytes) -> None:
    assert copy(png(chunk(name, data))) == png()
    assert copy(png(behind=(chunk(name, data),))) == png()


def test_a_text_may_be_as_long_as_one_of_exif() -> None:
    content = png(chunk("tEXt", b"Author\0" + b"a" * (MAX_TEXT_BYTES - 7)))
    assert copy(content) is content


# --- What is damaged -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damaged",
    [
        *(each[:-1] + b"\xff" for each in COLOURS),
        chunk("PLTE", bytes(6), checksum=WRONG),
        chunk("tRNS", bytes(6), checksum=WRONG),
        chunk("eXIf", exif(artist="A. Adams"), checksum=WRONG),
        chunk("tEXt", b"Author\0A. Adams", checksum=WRONG),
        chunk("gAMA", bytes(3)),
        chunk("cHRM", bytes(31)),
        chunk("sRGB"),
        chunk("pHYs", bytes(10)),
        chunk("sBIT", b"\x08"),
        chunk("tRNS", bytes(2)),
        chunk("bKGD", bytes(1)),
        chunk("PLTE", bytes(7)),
        chunk("PLTE"),
        chunk("PLTE", bytes(771)),
        iccp(profile(), method=b"\7"),
        chunk("iCCP", b"a profile\0\0" + zlib.compress(profile())[:-1]),
        chunk("iCCP", b"a profile\0\0no zlib"),
        chunk("iCCP", b"a profile\0"),
        chunk("iCCP", b"a profile"),
        chunk("iCCP", b"\0\0" + zlib.compress(profile())),
        chunk("iCCP", b"n" * 80 + b"\0\0" + zlib.compress(profile())),
        iccp(profile()[:131]),
        iccp(profile() + b"\0"),
        iccp(profile().replace(b"acsp", b"spca")),
        iccp(b""),
        iccp(profile(size_bytes=MAX_PROFILE_BYTES + 1)),
    ],
)
def test_what_is_damaged_beside_the_pixels_is_left_out(damaged: bytes) -> None:
    assert copy(png(damaged)) == png()


def test_a_colour_profile_may_be_as_large_as_browsers_take_it() -> None:
    content = png(iccp(profile(size_bytes=MAX_PROFILE_BYTES)))
    assert copy(content) is content


@pytest.mark.parametrize("colour_type", [GREY, GREY_ALPHA])
def test_a_palette_without_a_use_is_left_out(colour_type: int) -> None:
    assert copy(of_colour_type(colour_type, PLTE)) == of_colour_type(colour_type)


@pytest.mark.parametrize("early", [chunk("tRNS", b"\0"), chunk("bKGD", b"\1")])
def test_what_refers_to_a_palette_counts_behind_it_alone(early: bytes) -> None:
    assert copy(of_colour_type(PALETTE, early, PLTE)) == of_colour_type(PALETTE, PLTE)


def test_transparency_of_more_colours_than_there_are_is_left_out() -> None:
    assert copy(of_colour_type(PALETTE, PLTE, chunk("tRNS", bytes(3)))) == of_colour_type(PALETTE, PLTE)


@pytest.mark.parametrize("colour_type", [GREY_ALPHA, RGB_ALPHA])
def test_transparency_beside_an_alpha_channel_is_left_out(colour_type: int) -> None:
    assert copy(of_colour_type(colour_type, chunk("tRNS", bytes(6)))) == of_colour_type(colour_type)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(chunk("gAMA", b"\0\0\0\1"), chunk("gAMA", b"\0\0\0\2"), id="gAMA"),
        pytest.param(iccp(profile()), iccp(profile(b"GRAY")), id="iCCP"),
        pytest.param(PLTE, chunk("PLTE", bytes(9)), id="PLTE"),
        pytest.param(chunk("tEXt", b"Author\0A"), chunk("iTXt", b"Author\0\0\0\0\0B"), id="Author"),
    ],
)
def test_of_what_there_may_be_once_the_first_counts(first: bytes, second: bytes) -> None:
    assert copy(png(first, second)) == png(first)


def test_of_two_exif_blocks_the_first_counts_wherever_it_stands() -> None:
    one, other = chunk("eXIf", kept_exif(exif(artist="A"), orientation=True)), chunk("eXIf", exif(artist="B"))
    assert copy(png(one, behind=(other,))) == png(one)


@pytest.mark.parametrize(
    "ending",
    [
        pytest.param(b"", id="missing"),
        pytest.param(IEND[:5], id="cut in its name"),
        pytest.param(IEND[:-1], id="cut in its checksum"),
        pytest.param(chunk("IEND", checksum=WRONG), id="of a wrong checksum"),
        pytest.param(chunk("IEND", PRIVATE), id="with data"),
        pytest.param(bytes(40), id="zeros"),
        pytest.param(IEND.replace(b"IEND", b"KEND"), id="of another name"),
        pytest.param(chunk("tIME", bytes(7))[:-6], id="in the middle of a chunk without pixels"),
        pytest.param(b"\x7f\xff\xff\xfftEXtComment", id="in a chunk that never ends"),
    ],
)
def test_an_end_that_is_damaged_or_missing_is_put_right(ending: bytes) -> None:
    assert copy(png(end=ending)) == png()


# --- Checksums of the pixels ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "idat",
    [
        pytest.param(chunk("IDAT", PACKED, checksum=WRONG), id="CRC"),
        pytest.param(chunk("IDAT", PACKED)[:-2], id="CRC that is cut"),
        pytest.param(chunk("IDAT", PACKED[:-4] + b"nope"), id="Adler-32"),
        pytest.param(chunk("IDAT", PACKED[:-4] + b"nope", checksum=WRONG), id="both"),
        pytest.param(chunk("IDAT", PACKED[:-3]), id="Adler-32 that is cut"),
        pytest.param(chunk("IDAT", PACKED[:-4]), id="Adler-32 that is missing"),
    ],
)
def test_pixels_that_unpack_are_written_with_right_checksums(idat: bytes) -> None:
    end = b"" if len(idat) < len(chunk("IDAT", PACKED)) else IEND
    assert copy(png(idat=idat, end=end)) == png()


@pytest.mark.parametrize("size_bytes", [1, 2, 3, 7, 30])
@pytest.mark.parametrize("adler", [PACKED[-4:], b"nope"])
def test_checksums_are_put_right_wherever_the_pixels_are_parted(size_bytes: int, adler: bytes) -> None:
    sent = PACKED[:-4] + adler
    parts = [sent[at : at + size_bytes] for at in range(0, len(sent), size_bytes)]
    copied = copy(png(idat=b"".join(chunk("IDAT", each, checksum=WRONG) for each in parts)))
    assert data_of(copied, "IDAT") == PACKED
    assert all(each.is_sound for each in read(copied))


def test_checksums_of_large_pixels_are_put_right() -> None:
    # More than what is packed and unpacked at a time, of what hardly packs and of what packs very well.
    rows = bytes(value % 251 for value in range(300_000)) + bytes(3_000_000)
    packed = zlib.compress(rows, 0)
    copied = copy(png(idat=chunk("IDAT", packed[:-4] + b"nope")))
    assert data_of(copied, "IDAT") == packed
    packed = zlib.compress(rows, 9)
    assert copy(content := png(idat=chunk("IDAT", packed))) is content


def test_pixels_that_do_not_unpack_are_left_to_the_decoder() -> None:
    content = png(idat=chunk("IDAT", PACKED[:2] + b"\xff" * 40))
    assert copy(content) is content


def test_pixels_of_which_some_are_missing_before_the_end_are_left_to_the_decoder() -> None:
    content = png(idat=chunk("IDAT", PACKED[:HALF]))
    assert copy(content) is content


def test_pixels_beyond_what_any_picture_has_are_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.public_copy.png.MAX_UNPACKED_BYTES", 50)
    content = png(idat=chunk("IDAT", PACKED[:-4] + b"nope"))
    assert copy(content) is content


def test_pixels_of_a_picture_that_is_too_large_are_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.public_copy.png.MAX_UNPACKED_PIXELS", 0)
    content = png(idat=chunk("IDAT", PACKED[:-4] + b"nope"))
    # Their checksum would have been set right.
    assert copy(content) is content


def test_pixels_in_two_runs_end_with_the_first() -> None:
    # They may not be parted (5.6); decoders stop where the run does.
    parted = (chunk("tIME", bytes(7)), chunk("IDAT", PACKED[HALF:]))
    assert copy(png(idat=IDAT, behind=parted)) == png()


# --- Animations ----------------------------------------------------------------------------------------


def test_an_animation_announces_as_many_frames_as_it_has() -> None:
    assert copy(animated(3, announced=5)) == animated(3)


def test_frames_beyond_the_announced_are_left_out() -> None:
    assert copy(animated(4, announced=2)) == animated(2)


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(fctl(3) + fctl(4) + fdat(5), id="a frame without pixels"),
        pytest.param(fdat(3), id="pixels out of order"),
        pytest.param(fctl(4) + fdat(5), id="a number left out"),
        pytest.param(fctl(3) + fdat(5), id="a number left out before pixels"),
        pytest.param(fctl(3) + chunk("fdAT", b"\0\0\0"), id="pixels without a number"),
        pytest.param(fctl(3)[:-1] + b"\xff" + fdat(4), id="a wrong checksum"),
        pytest.param(fctl(3, size=(6, 0)) + fdat(4), id="nothing"),
        pytest.param(fctl(3, at=(1, 0)) + fdat(4), id="beside the picture"),
        pytest.param(fctl(3, size=(2**31, 4), at=(2**31 - 6, 0)) + fdat(4), id="far beside the picture"),
        pytest.param(fctl(3, ways=(3, 0)) + fdat(4), id="an unknown disposal"),
        pytest.param(fctl(3, ways=(0, 2)) + fdat(4), id="an unknown blending"),
        pytest.param(chunk("fcTL", bytes(25)) + fdat(4), id="a control that is short"),
    ],
)
def test_an_animation_ends_before_the_first_frame_that_is_damaged(damaged: bytes) -> None:
    whole: tuple[bytes, ...] = (fctl(1), fdat(2))
    if damaged == fdat(3):
        # Nothing tells to which frame it belongs, unless it goes on with one.
        whole, damaged = (), fdat(1)
    content = png(actl(4), fctl(0), behind=(*whole, damaged, fctl(5), fdat(6)))
    assert copy(content) == png(actl(1 + bool(whole)), fctl(0), behind=whole)


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        pytest.param((fctl(0),), (fctl(1), fdat(2)), id="not announced"),
        pytest.param((actl(0), fctl(0)), (fctl(1), fdat(2)), id="no frame announced"),
        pytest.param(
            (actl(2)[:-1] + b"\xff", fctl(0)), (fctl(1), fdat(2)), id="announced with a wrong checksum"
        ),
        pytest.param((chunk("acTL", bytes(7)), fctl(0)), (fctl(1), fdat(2)), id="announced in too few bytes"),
        pytest.param((fctl(0),), (actl(2), fctl(1), fdat(2)), id="announced behind the pixels"),
        pytest.param((actl(1),), (), id="no frame there"),
        pytest.param((actl(2), fctl(1)), (fctl(2), fdat(3)), id="first frame of another number"),
        pytest.param((actl(2), fctl(0, size=(3, 2))), (fctl(1), fdat(2)), id="first frame smaller"),
        pytest.param((actl(2), fctl(0), fctl(1)), (fctl(2), fdat(3)), id="two first frames"),
        pytest.param((actl(2), chunk("fcTL", bytes(26), checksum=WRONG)), (), id="first frame damaged"),
    ],
)
def test_where_nothing_moves_the_picture_stays_alone(
    before: tuple[bytes, ...], behind: tuple[bytes, ...]
) -> None:
    assert copy(png(*before, behind=behind)) == png()


def test_an_animation_announced_twice_is_what_was_announced_first() -> None:
    content = png(actl(2), actl(7), fctl(0), behind=(fctl(1), fdat(2)))
    assert copy(content) == animated()


def test_texts_between_the_frames_come_behind_them() -> None:
    author = chunk("tEXt", b"Author\0A. Adams")
    content = png(actl(2), fctl(0), behind=(fctl(1), fdat(2, PACKED[:HALF]), author, fdat(3, PACKED[HALF:])))
    parts = (fctl(1), fdat(2, PACKED[:HALF]), fdat(3, PACKED[HALF:]), author)
    assert copy(content) == png(actl(2), fctl(0), behind=parts)


def test_checksums_of_frames_follow_the_same_rule_as_those_of_the_picture() -> None:
    content = png(
        actl(3),
        fctl(0),
        behind=(
            *(fctl(1), fdat(2, PACKED[:-3], checksum=WRONG), fdat(3, b"no")),
            *(fctl(4), fdat(5, PACKED, checksum=WRONG)),
        ),
    )
    copied = copy(content)
    frames = [each.data for each in read(copied) if each.name in {"fcTL", "fdAT"}]
    assert [int.from_bytes(each[:4]) for each in frames] == [0, 1, 2, 3, 4, 5]
    assert frames[2][4:] + frames[3][4:] == frames[5][4:] == PACKED
    assert all(each.is_sound for each in read(copied))


# --- What is refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        pytest.param(b"", "not_a_picture", "The file is not a PNG picture. Convert", id="nothing"),
        pytest.param(b"\xff\xd8\xff", "not_a_picture", "The file is not a PNG picture.", id="a JPEG"),
        pytest.param(SIGNATURE, "truncated", CUT, id="cut behind the signature"),
        pytest.param(png()[:20], "truncated", CUT, id="cut in the header"),
        pytest.param(png()[:31], "truncated", CUT, id="cut in the header's checksum"),
        pytest.param(png(chunk("ABCD", bytes(9)))[:45], "truncated", CUT, id="cut in an unknown chunk"),
        pytest.param(SIGNATURE + IHDR, "truncated", CUT, id="cut before the pixels"),
        pytest.param(SIGNATURE + IHDR + IDAT[:-5], "truncated", CUT, id="cut in the pixels"),
        pytest.param(
            SIGNATURE + IHDR + chunk("IDAT", PACKED[:HALF]),
            "truncated",
            CUT,
            id="cut between chunks of pixels",
        ),
        pytest.param(
            SIGNATURE + IHDR + b"\x7f\xff\xff\xfftEXta" + IDAT, "truncated", CUT, id="a chunk that never ends"
        ),
        pytest.param(animated()[: -len(IEND) - 5], "truncated", CUT, id="cut in a frame"),
        pytest.param(
            png(actl(2), fctl(0), behind=(fctl(1), fdat(2, PACKED[:HALF])), end=b""),
            "truncated",
            CUT,
            id="cut between chunks of a frame",
        ),
        pytest.param(animated(2, announced=3, end=b""), "truncated", CUT, id="cut between frames"),
        pytest.param(
            png(actl(2), fctl(0), behind=(fctl(1)[:-6],), end=b""), "truncated", CUT, id="cut in a control"
        ),
        pytest.param(
            png(actl(1), behind=(fctl(0)[:-6],), end=b""), "truncated", CUT, id="cut in the first control"
        ),
        pytest.param(SIGNATURE + IHDR + IEND, "corrupt", "it has no pixels", id="no pixels"),
        pytest.param(SIGNATURE + IDAT + IEND, "corrupt", "the header of a PNG, chunk IHDR", id="no header"),
        pytest.param(
            SIGNATURE + chunk("tIME", bytes(7)) + IHDR + IDAT + IEND, "corrupt", "IHDR", id="late header"
        ),
        pytest.param(
            SIGNATURE + chunk("IHDR", bytes(12)) + IDAT + IEND, "corrupt", "IHDR", id="header of another size"
        ),
        pytest.param(SIGNATURE + IHDR[:-1] + b"\0" + IDAT + IEND, "corrupt", "IHDR", id="header damaged"),
        *(
            pytest.param(
                SIGNATURE + each + IDAT + IEND, "corrupt", "says what no PNG can be", id=f"header, {name}"
            )
            for name, each in {
                "depth": header(depth=4),
                "colour type": header(5),
                "packing": header(ways=(1, 0, 0)),
                "filtering": header(ways=(0, 1, 0)),
                "interlacing": header(ways=(0, 0, 2)),
                "no width": chunk("IHDR", struct.pack(">IIBBBBB", 0, 4, 8, 2, 0, 0, 0)),
                "height": chunk("IHDR", struct.pack(">IIBBBBB", 6, 2**31, 8, 2, 0, 0, 0)),
            }.items()
        ),
        pytest.param(
            png(chunk("\0\1\2\3")),
            "corrupt",
            "what should be a chunk of the PNG is none",
            id="something else",
        ),
        pytest.param(
            SIGNATURE + bytes(40), "corrupt", "a chunk of the PNG is none", id="nothing but something else"
        ),
        pytest.param(
            png(idat=chunk("IDAT", PACKED[:HALF]) + bytes(4)),
            "corrupt",
            "what should be a chunk of the PNG is none",
            id="something else among the pixels",
        ),
        pytest.param(
            of_colour_type(PALETTE),
            "unsupported_feature",
            "a PNG with colours of a palette, and without the palette, which browsers do not show. Save",
            id="no palette",
        ),
        pytest.param(
            of_colour_type(PALETTE, chunk("PLTE", bytes(6), checksum=WRONG)),
            "corrupt",
            "its palette, chunk PLTE, cannot be read",
            id="palette damaged",
        ),
        pytest.param(
            of_colour_type(PALETTE, chunk("PLTE", bytes(7))), "corrupt", "PLTE", id="palette of no colours"
        ),
        pytest.param(
            SIGNATURE + chunk("CgBI", bytes(4)) + IHDR + IDAT + IEND,
            "unsupported_feature",
            "The image is a PNG with a chunk CgBI, which browsers do not show. Save it again",
            id="as Apple's tools write it",
        ),
        pytest.param(
            png(chunk("ABCD")), "unsupported_feature", "a chunk ABCD", id="an unknown critical chunk"
        ),
        pytest.param(
            png(idat=IDAT.replace(b"IDAT", b"IDAU")),
            "corrupt",
            "its chunk IDAU cannot be read",
            id="damaged name",
        ),
        pytest.param(
            png(behind=(chunk("ABCD"),)), "unsupported_feature", "ABCD", id="an unknown critical chunk, late"
        ),
    ],
)
def test_what_cannot_be_shown_is_told_by_its_name_and_what_to_do(
    content: bytes, code: FailureCode, reason: str
) -> None:
    failure = failure_of(content)
    assert failure.code == code
    assert reason in failure.reason
    assert failure.reason.endswith(".")


@pytest.mark.parametrize("name", ["teXt", "IDAT"])
def test_a_file_of_more_chunks_than_any_picture_needs_is_too_complex(name: str) -> None:
    # Header, pixels and end are chunks, too.
    most = png(chunk(name) * (MAX_CHUNKS - 3))
    assert data_of(copy(most), "IDAT") == PACKED
    failure = failure_of(png(chunk(name) * (MAX_CHUNKS - 2)))
    assert failure == Failure(
        "too_complex",
        "The image has more than 50,000 chunks, which no image needs. "
        "Save it again in an image editor, and send that.",
    )


@pytest.mark.parametrize("checksum", [None, WRONG])
def test_small_chunks_take_less_memory_than_three_files(checksum: int | None) -> None:
    # As many for each byte as there may be in the largest file; the file itself was there before.
    content = png(
        idat=chunk("IDAT", bytes(988), checksum=checksum) * size(MAX_CHUNKS - 3, 2_000, "chunks of a PNG")
    )
    copied, peak_bytes = with_peak(lambda: copy(content))
    assert len(copied) == len(content)
    assert peak_bytes < 2 * len(content)


# --- Whatever it is ------------------------------------------------------------------------------------


@given(content=st.binary(max_size=200), is_png=st.booleans())
def test_of_any_bytes_there_is_a_copy_or_a_reason(content: bytes, is_png: bool) -> None:
    with suppress(NotAPictureError):
        copied = copy((SIGNATURE + IHDR if is_png else b"") + content)
        assert copy(copied) is copied


@given(data=st.data())
def test_of_any_damage_to_a_picture_there_is_a_copy_or_a_reason(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(list(CLEAN.values()))))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(NotAPictureError):
        copied = copy(bytes(content[: data.draw(st.integers(0, len(content)))]))
        assert copy(copied) is copied
        assert all(each.is_sound for each in read(copied))
