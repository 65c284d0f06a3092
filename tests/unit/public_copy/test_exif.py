"""What is kept of an Exif block, read by a reader of the test's own."""

import struct
from typing import Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.public_copy.exif import MAX_TEXT_BYTES, kept_exif

ORIENTATION, ARTIST, COPYRIGHT, EXIF, GPS = 0x0112, 0x013B, 0x8298, 0x8769, 0x8825
ASCII, SHORT, LONG, UNDEFINED, UTF_8 = 2, 3, 4, 7, 129
type Order = Literal["<", ">"]
type Entry = tuple[int, int, int, bytes]


def tiff(*entries: Entry, order: Order = "<", more: bytes = b"", at: int = 8) -> bytes:
    """Return a block with these entries: tag, type, count and value, which lies behind them if it is long."""
    end = at + 2 + 12 * len(entries) + 4
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", at) + bytes(at - 8)
    body, values = struct.pack(f"{order}H", len(entries)), b""
    for tag, kind, count, value in entries:
        field = value.ljust(4, b"\0")
        if len(value) > 4:
            field = struct.pack(f"{order}I", end + len(values))
            values += value
        body += struct.pack(f"{order}HHI", tag, kind, count) + field
    return head + body + bytes(4) + values + more


def short(tag: int, value: int, order: Order = "<", count: int = 1, kind: int = SHORT) -> Entry:
    return tag, kind, count, struct.pack(f"{order}H", value)


def text(tag: int, value: bytes, kind: int = ASCII) -> Entry:
    return tag, kind, len(value), value


def read(block: bytes) -> dict[int, int | bytes]:
    """Return what a block of ours says: no directory but one, no byte that belongs to no value."""
    assert block[:8] == b"MM\0*\0\0\0\x08"
    count = int.from_bytes(block[8:10])
    end = 10 + 12 * count
    assert block[end : end + 4] == bytes(4)
    found: dict[int, int | bytes] = {}
    covered = end + 4
    for start in range(10, end, 12):
        tag, kind, length = struct.unpack(">HHI", block[start : start + 8])
        field = block[start + 8 : start + 12]
        if kind == SHORT:
            assert length == 1
            found[tag] = int.from_bytes(field[:2])
            continue
        assert kind == ASCII
        value = field[:length]
        if length > 4:
            where = int.from_bytes(field)
            assert where == covered
            value = block[where : where + length]
            covered += length + length % 2
        assert value.endswith(b"\0")
        found[tag] = value[:-1]
    assert covered == len(block)
    assert list(found) == sorted(found)
    return found


@pytest.mark.parametrize("order", ["<", ">"])
def test_who_made_it_and_which_way_up_it_is_stay_and_all_else_goes(order: Order) -> None:
    block = tiff(
        text(0x010F, b"Maker of cameras\0"),
        short(ORIENTATION, 6, order),
        text(ARTIST, b"Ann Example\0"),
        text(COPYRIGHT, "© 2026 Ann".encode() + b"\0"),
        (EXIF, LONG, 1, struct.pack(f"{order}I", 8)),
        (GPS, LONG, 1, struct.pack(f"{order}I", 8)),
        order=order,
        more=b"serial 12345",
    )
    expected = {ORIENTATION: 6, ARTIST: b"Ann Example", COPYRIGHT: "© 2026 Ann".encode()}
    assert read(kept_exif(block, orientation=True)) == expected
    assert read(kept_exif(memoryview(block), orientation=False)) == {
        tag: value for tag, value in expected.items() if tag != ORIENTATION
    }


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(short(ORIENTATION, 1), id="upright"),
        pytest.param(short(ORIENTATION, 0), id="nought"),
        pytest.param(short(ORIENTATION, 9), id="beyond the last"),
        pytest.param(short(ORIENTATION, 6, kind=LONG), id="LONG"),
        pytest.param(short(ORIENTATION, 6, count=2), id="two of it"),
        pytest.param(text(ARTIST, b""), id="no text"),
        pytest.param(text(ARTIST, b"\0\0"), id="nothing but an end"),
        pytest.param(text(ARTIST, b" \t\r\n\x07\0"), id="nothing but controls"),
        pytest.param(text(ARTIST, b"Ann Example\0", kind=UNDEFINED), id="no text by its type"),
        pytest.param((ARTIST, ASCII, 5_000, b"Ann Example\0"), id="a text that ends behind the block"),
    ],
)
def test_nothing_is_kept_of_what_says_nothing(entry: Entry) -> None:
    assert kept_exif(tiff(entry), orientation=True) == b""


@pytest.mark.parametrize(
    ("entries", "more", "turned"),
    [
        pytest.param([short(ORIENTATION, 3), short(ORIENTATION, 6)], b"", 3, id="the first of two"),
        pytest.param([short(ORIENTATION, 9), short(ORIENTATION, 6)], b"", 6, id="the first that is one"),
        pytest.param([short(ORIENTATION, 6, kind=LONG), short(ORIENTATION, 8)], b"", 8, id="not the LONG"),
        pytest.param(
            [(EXIF, LONG, 1, struct.pack("<I", 38))],
            struct.pack("<H", 1) + struct.pack("<HHIHH", ORIENTATION, SHORT, 1, 5, 0),
            5,
            id="in the directory of Exif",
        ),
        pytest.param(
            [(EXIF, LONG, 1, struct.pack("<I", 26)), short(ORIENTATION, 4)],
            b"",
            4,
            id="behind a directory of Exif that says nothing",
        ),
    ],
)
def test_of_several_orientations_the_one_counts_that_chromium_takes(
    entries: list[Entry], more: bytes, turned: int
) -> None:
    block = tiff(*entries, more=b"" if not more else bytes(38 - len(tiff(*entries))) + more)
    assert read(kept_exif(block, orientation=True)) == {ORIENTATION: turned}


def test_an_upright_picture_is_not_turned_by_a_later_entry() -> None:
    block = tiff(short(ORIENTATION, 1), short(ORIENTATION, 6))
    assert kept_exif(block, orientation=True) == b""


def test_a_directory_that_is_cut_is_read_as_far_as_it_goes() -> None:
    block = tiff(short(ORIENTATION, 6), text(ARTIST, b"Ann\0"))
    assert read(kept_exif(block[:30], orientation=True)) == {ORIENTATION: 6}


def test_a_directory_may_stand_anywhere() -> None:
    assert read(kept_exif(tiff(short(ORIENTATION, 6), at=500), orientation=True)) == {ORIENTATION: 6}


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        pytest.param(b"Ann Example", b"Ann Example", id="without an end"),
        pytest.param(b"Ann\0", b"Ann", id="in the entry itself"),
        pytest.param(b"Ann\0\0\0\0\0\0", b"Ann", id="with a tail of zeros"),
        pytest.param(b"Ann \0\0\0\0", b"Ann", id="with a space behind"),
        pytest.param("Zoë\0".encode("latin-1"), "Zoë".encode(), id="in ISO-8859-1"),
        pytest.param(b"Ann\r\n\x1b[31m Example\0", b"Ann [31m Example", id="with controls"),
        pytest.param("Ann\u202eelpmaxE\0".encode(), b"AnnelpmaxE", id="turned about"),
        pytest.param(b"a" * 5_000, b"a" * MAX_TEXT_BYTES, id="too long"),
        pytest.param(
            b"a" + "é".encode() * 3_000, b"a" + "é".encode() * 499, id="too long, cut between letters"
        ),
    ],
)
def test_a_text_is_one_clean_line(written: bytes, kept: bytes) -> None:
    assert read(kept_exif(tiff(text(ARTIST, written)), orientation=True)) == {ARTIST: kept}


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (b"Ann, photographer\0Bob, editor\0", b"Ann, photographer\0Bob, editor"),
        (b" \0Bob, editor\0", b" \0Bob, editor"),
        (b"\0Bob, editor\0", b" \0Bob, editor"),
        (b"Ann, photographer\0 \0", b"Ann, photographer"),
        (b"Ann, photographer\0Bob, editor\0hidden\0", b"Ann, photographer\0Bob, editor"),
    ],
)
def test_a_copyright_names_photographer_and_editor(written: bytes, kept: bytes) -> None:
    assert read(kept_exif(tiff(text(COPYRIGHT, written)), orientation=True)) == {COPYRIGHT: kept}


def test_a_text_of_the_newer_type_is_kept() -> None:
    block = tiff(text(ARTIST, "Зоя Пример\0".encode(), kind=UTF_8))
    assert read(kept_exif(block, orientation=True)) == {ARTIST: "Зоя Пример".encode()}


@pytest.mark.parametrize(
    "block", [b"", b"II*\0", b"MM\0*\0\0\0", b"II\0*\x08\0\0\0", b"Exif\0\0II*\0", bytes(99)]
)
def test_what_is_no_tiff_has_nothing(block: bytes) -> None:
    assert kept_exif(block, orientation=True) == b""


ENTRIES = st.lists(
    st.tuples(
        st.sampled_from([ORIENTATION, ARTIST, COPYRIGHT, EXIF, GPS]),
        st.sampled_from([ASCII, SHORT, LONG, UTF_8, 0]),
        st.sampled_from([0, 1, 2, 3, 4, 5, 40, 2**32 - 1]),
        st.binary(max_size=60) | st.text(max_size=20).map(str.encode),
    )
)


@settings(deadline=None)
@given(ENTRIES, st.sampled_from(["<", ">"]), st.booleans(), st.integers(0, 300))
@example([(ARTIST, ASCII, 4, "A\u0300\u200d".encode()[:4])], "<", True, 300)
def test_what_is_kept_is_kept_the_same_again(
    entries: list[Entry], order: Order, orientation: bool, end: int
) -> None:
    kept = kept_exif(tiff(*entries, order=order)[:end], orientation=orientation)
    if kept:
        assert read(kept).keys() <= {ORIENTATION, ARTIST, COPYRIGHT}
        assert kept_exif(kept, orientation=orientation) == kept


def test_a_block_whose_every_entry_points_to_directories_takes_no_longer() -> None:
    # Sixty thousand directories of sixty thousand entries each would take minutes.
    pointers = [(EXIF, LONG, 1, struct.pack("<I", 8 + 12 * number)) for number in range(60_000)]
    assert kept_exif(tiff(*pointers), orientation=True) == b""
