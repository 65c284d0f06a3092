"""The public copy of an AVIF: what is blanked, what is cut off, and what is refused."""

import struct
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import NotAPictureError
from domain.failure import Failure
from domain.public_copy import boxes as public_boxes
from domain.public_copy.avif import copy, shown_size
from domain.public_copy.exif import kept_exif
from tests.avif_files import Item, box, boxes, data_of, encoded, full, located, reference
from tests.builders import picture, private_exif

HIDDEN = b"N 48.137 E 11.575"
TIFF = private_exif().removeprefix(b"Exif\0\0")
KEPT = kept_exif(TIFF, orientation=False)
EMPTY = bytes.fromhex("4d4d002a00000008000000000000")
STILL, TRANSPARENT = encoded(), encoded("RGBA")
PIXELS = STILL.items[0]
WHOLE = STILL.written()
ANIMATION = picture("AVIF", frames=2)


def failure_of(content: bytes) -> Failure:
    with pytest.raises(NotAPictureError) as caught:
        copy(content)
    return caught.value.failure


def changed(old: bytes, new: bytes, content: bytes = WHOLE) -> bytes:
    assert content.count(old) == 1
    return content.replace(old, new)


def with_items(*items: Item) -> bytes:
    return replace(STILL, items=[PIXELS, *items]).written()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(WHOLE, id="still"),
        pytest.param(TRANSPARENT.written(), id="transparent"),
        pytest.param(replace(STILL, items=[replace(PIXELS, in_idat=True, pieces=3)]).written(), id="idat"),
        pytest.param(replace(STILL, iloc_version=2, infe_version=3).written(), id="wide numbers"),
        pytest.param(replace(STILL, iloc_version=0, base_bytes=8).written(), id="the first version"),
        pytest.param(replace(STILL, large=True).written(), id="a large size"),
        pytest.param(replace(STILL, open_end=True).written(), id="a size to the end"),
        pytest.param(replace(STILL, index_bytes=4).written(), id="numbered pieces"),
        pytest.param(replace(STILL, before=box(b"free", bytes(9))).written(), id="room"),
        pytest.param(with_items(Item(b"Exif", bytes(4) + EMPTY)), id="empty Exif"),
        pytest.param(with_items(Item(b"Exif", bytes(4) + KEPT)), id="artist"),
        pytest.param(with_items(Item(b"free", bytes(9))), id="an item that was blanked"),
    ],
)
def test_a_picture_without_metadata_is_public_byte_for_byte(content: bytes) -> None:
    assert copy(content) is content


@pytest.mark.parametrize("in_idat", [False, True])
@pytest.mark.parametrize("pieces", [1, 2, 7])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"\0\0\0\0" + TIFF, KEPT, id="a TIFF"),
        pytest.param(b"\0\0\0\6Exif\0\0" + TIFF, KEPT, id="a TIFF behind a name"),
        pytest.param(b"\0\0\0\0" + HIDDEN, EMPTY, id="no TIFF"),
        pytest.param(b"\xff\xff\xff\xff" + HIDDEN, EMPTY, id="a TIFF far behind"),
    ],
)
def test_of_exif_the_artist_stays_where_it_lay(
    data: bytes, expected: bytes, pieces: int, in_idat: bool
) -> None:
    content = with_items(Item(b"Exif", data, in_idat=in_idat, pieces=pieces))
    copied = copy(content)
    assert len(copied) == len(content)
    assert located(copied)[2] == (bytes(4) + expected).ljust(len(data), b"\0")
    assert data_of(copied, b"iinf") == data_of(content, b"iinf")


def test_what_is_kept_of_exif_gives_way_to_an_empty_one_where_it_does_not_fit() -> None:
    tiny = b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHI4s", 0x013B, 2, 4, b"Ann\0")
    content = with_items(Item(b"Exif", bytes(4) + tiny))
    assert len(kept_exif(tiny, orientation=False)) > len(tiny)
    assert located(copy(content))[2].startswith(bytes(4) + EMPTY)


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(Item(b"Exif", HIDDEN), id="Exif that is too short for a TIFF"),
        pytest.param(Item(b"mime", HIDDEN, b"XMP", more=b"application/rdf+xml\0" + HIDDEN), id="XMP"),
        pytest.param(Item(b"uri ", HIDDEN, HIDDEN, more=HIDDEN), id="of somebody's own"),
        pytest.param(Item(b"av01", HIDDEN, HIDDEN), id="a picture that nothing shows"),
    ],
)
def test_an_item_that_goes_is_none_that_a_reader_knows(item: Item) -> None:
    copied = copy(with_items(item))
    assert HIDDEN not in copied
    assert not any(located(copied)[2])
    entry = [copied[data + 8 : end] for kind, _, data, end in boxes(copied) if kind == b"infe"][1]
    assert entry.rstrip(b"\0") == b"free"


def test_of_several_items_of_exif_the_first_counts() -> None:
    copied = copy(with_items(Item(b"Exif", bytes(4) + TIFF), Item(b"Exif", bytes(4) + TIFF)))
    assert located(copied)[2].startswith(bytes(4) + KEPT)
    assert located(copied)[3].rstrip(b"\0") == (bytes(4) + EMPTY).rstrip(b"\0")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(replace(STILL, gap=HIDDEN).written(), id="in mdat"),
        pytest.param(
            replace(STILL, gap=HIDDEN, items=[replace(PIXELS, in_idat=True, pieces=3)]).written(),
            id="in idat",
        ),
        pytest.param(replace(STILL, before=box(b"free", HIDDEN)).written(), id="in a free box"),
        pytest.param(replace(STILL, between=box(b"uuid", HIDDEN, large=True)).written(), id="in a large box"),
        pytest.param(replace(STILL, in_meta=box(b"grpl", HIDDEN)).written(), id="in meta"),
        pytest.param(
            replace(STILL, properties=[*STILL.properties, full(b"udes", HIDDEN)]).written(), id="udes"
        ),
        pytest.param(replace(STILL, handler_name=HIDDEN).written(), id="as the handler's name"),
        pytest.param(replace(STILL, items=[replace(PIXELS, name=HIDDEN)]).written(), id="as an item's name"),
        pytest.param(replace(STILL, between=box(b"moov", HIDDEN)).written(), id="in a movie that is none"),
        pytest.param(
            changed(b"hdlr", b"abcd", replace(STILL, handler_name=HIDDEN).written()), id="in no handler"
        ),
        pytest.param(replace(STILL, between=full(b"meta", HIDDEN)).written(), id="in a second box of a kind"),
    ],
)
def test_what_nothing_refers_to_is_blank_and_nothing_moves(content: bytes) -> None:
    copied = copy(content)
    assert len(copied) == len(content)
    assert HIDDEN not in copied
    assert located(copied)[1] == PIXELS.data
    assert copy(copied) is copied


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param(HIDDEN * 9, id="text"),
        pytest.param(box(b"mpvd", HIDDEN), id="a video"),
        pytest.param(box(b"mdat", HIDDEN), id="data of nothing"),
        pytest.param(box(b"uuid", HIDDEN)[:-3], id="a box that is cut"),
        pytest.param(bytes(40), id="zeros"),
        pytest.param(b"PK", id="two bytes"),
        pytest.param(b"\0\0\0\1uuid\0\0\0\0\0\0\0\7", id="a size that is too small"),
    ],
)
def test_what_is_behind_the_last_box_that_is_needed_is_cut_off(tail: bytes) -> None:
    assert copy(WHOLE + tail) == WHOLE


def test_pixels_in_a_box_that_nobody_knows_stay_in_one_that_readers_pass_over() -> None:
    content = WHOLE.replace(b"mdat", b"abcd")
    assert copy(content) == WHOLE.replace(b"mdat", b"free")


def test_tiles_and_the_transparency_of_what_they_make_stay() -> None:
    grid = Item(b"grid", bytes(8), properties=PIXELS.properties, in_idat=True)
    tile = replace(PIXELS, name=b"")
    alpha = replace(TRANSPARENT.items[1], properties=[(len(STILL.properties) + 1, True)])
    urn = full(b"auxC", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0")
    avif = replace(
        STILL,
        items=[grid, tile, tile, alpha, replace(tile, data=HIDDEN)],
        properties=[*STILL.properties, urn],
        references=[
            reference(b"dimg", 1, 2, 3, 2),
            reference(b"auxl", 4, 1),
            reference(b"auxl", 5, 1),
            reference(b"thmb", 5, 1),
        ],
    )
    assert [data for _, data in sorted(located(copy(avif.written())).items())] == [
        bytes(8),
        tile.data,
        tile.data,
        alpha.data,
        bytes(len(HIDDEN)),
    ]


LOCATION = data_of(WHOLE, b"iloc")
PLACE = LOCATION[-8:]


def at(start: int, length: int = 4, more: Item | None = None) -> bytes:
    """Return a file whose last item is said to lie there."""
    content = with_items(more) if more else WHOLE
    place = data_of(content, b"iloc")[-8:]
    return changed(place, struct.pack(">II", start, length), content)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(WHOLE[:-1], id="a byte of the pixels"),
        pytest.param(WHOLE[:100], id="what says where they are"),
        pytest.param(WHOLE[:28], id="all but the beginning"),
        pytest.param(b"", id="all"),
        pytest.param(at(len(WHOLE) - 4, 5), id="what is at the end"),
        pytest.param(ANIMATION[:-1], id="a byte of the last frame"),
        pytest.param(
            changed(data_of(ANIMATION, b"stco"), bytes(7) + b"\1\0\1\0\0", ANIMATION), id="frames far away"
        ),
    ],
)
def test_pixels_that_are_cut_short_are_refused(content: bytes) -> None:
    assert failure_of(content).code == "truncated"


EXIF = Item(b"Exif", bytes(40))
PRIMARY = full(b"pitm", b"\0\1")
INFE = full(b"infe", b"\0\1\0\0av01Color\0", version=2)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        pytest.param(at(8), "lies where none can be", id="pixels in ftyp"),
        pytest.param(at(8, more=EXIF), "lies where none can be", id="Exif in ftyp"),
        pytest.param(at(WHOLE.index(PIXELS.data) + 60, 20, EXIF), "among its pixels", id="Exif in pixels"),
        pytest.param(changed(LOCATION, LOCATION[:-10] + bytes(10)), "no pixels", id="no part at all"),
        pytest.param(at(0, 0), "how long a part of it is", id="a part without a length"),
        pytest.param(changed(PRIMARY, full(b"pitm", b"\0\7")), "that it names is not there", id="no primary"),
        pytest.param(changed(PRIMARY, full(b"free", b"\0\1")), "no box pitm", id="nothing primary"),
        pytest.param(
            changed(PRIMARY, full(b"pitm", b"\0\1", version=1)), "fit into", id="a box that is short"
        ),
        pytest.param(
            replace(STILL, in_meta=PRIMARY).written(),
            "more than one box pitm",
            id="two of what is there once",
        ),
        pytest.param(replace(STILL, in_meta=b"junk").written(), "fit into each other", id="no box"),
        pytest.param(replace(STILL, in_meta=b"\0\0\0\x09junk").written(), "fit into", id="a long box"),
        pytest.param(changed(INFE, INFE[:8] + b"\1" + INFE[9:]), "an item of it is none", id="an old item"),
        pytest.param(
            changed(
                full(b"infe", b"\0\2\0\0Exif\0", version=2),
                full(b"infe", b"\0\1\0\0Exif\0", version=2),
                with_items(EXIF),
            ),
            "two items of one number",
            id="two items",
        ),
        pytest.param(
            replace(STILL, items=[PIXELS, PIXELS])
            .written()
            .replace(b"\0\2\0\0\0\0\0\1", b"\0\1\0\0\0\0\0\1"),
            "twice where",
            id="two places",
        ),
        pytest.param(
            changed(LOCATION, b"\3" + LOCATION[1:]), "in an unknown way", id="another kind of place"
        ),
        pytest.param(changed(b"ipco", b"ipcc"), "how it is decoded", id="no properties"),
        pytest.param(changed(b"ipma", b"ipmm"), "how it is decoded", id="no associations"),
        pytest.param(
            replace(STILL, items=[replace(PIXELS, properties=[(99, True)])]).written(),
            "a property that it names",
            id="no such property",
        ),
        pytest.param(
            changed(WHOLE[:28], box(b"ftyp", b"avif" * 300)),
            "more brands than there are",
            id="a thousand brands",
        ),
        pytest.param(
            changed(b"stsc", b"free", ANIMATION), "where its frames lie", id="no chunks of an animation"
        ),
        pytest.param(
            changed(b"stsc\0\0\0\0\0\0\0\1\0\0\0\1", b"stsc\0\0\0\0\0\0\0\1\0\0\0\2", ANIMATION),
            "where all of its frames",
            id="no first chunk",
        ),
        pytest.param(
            changed(
                b"stsc\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\2", b"stsc\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\1", ANIMATION
            ),
            "where all of its frames",
            id="a frame in no chunk",
        ),
    ],
)
def test_what_does_not_say_where_its_pixels_are_is_refused(content: bytes, what: str) -> None:
    failure = failure_of(content)
    assert failure.code == "corrupt"
    assert what in failure.reason


def test_metadata_that_lie_over_each_other_are_refused() -> None:
    number = len(WHOLE) // 40 + 2
    content = with_items(*[replace(EXIF, data=bytes(60))] * number)
    assert "over each other" in failure_of(overlapping(content, number)).reason


def overlapping(content: bytes, number: int) -> bytes:
    """Return the file with all items of Exif over all of the data that is no pixels'."""
    start = content.index(PIXELS.data) + len(PIXELS.data)
    length = len(content) - start
    iloc = data_of(content, b"iloc")
    places = iloc[: -number * 16]
    for item in range(number):
        old = iloc[len(iloc) - (number - item) * 16 :][:16]
        places += old[:8] + struct.pack(">II", start, length)
    return changed(iloc, places, content)


@pytest.mark.parametrize(
    "location",
    [
        pytest.param(LOCATION[:8] + b"\0\1\0\2" + LOCATION[12:], id="in another item"),
        pytest.param(LOCATION[:12] + b"\0\1" + LOCATION[14:], id="in another file"),
    ],
)
def test_what_lies_elsewhere_is_refused(location: bytes) -> None:
    failure = failure_of(changed(LOCATION, location))
    assert failure.code == "unsupported_feature"
    assert "Save it again" in failure.reason


def test_metadata_that_lie_elsewhere_are_no_more() -> None:
    content = at(len(WHOLE) * 9, more=Item(b"Exif", HIDDEN))
    assert HIDDEN not in copy(content)
    assert copy(copy(content)) == copy(content)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(replace(STILL, before=box(b"free") * 200).written(), id="boxes"),
        pytest.param(replace(STILL, items=[replace(PIXELS, pieces=120)]).written(), id="pieces"),
        pytest.param(ANIMATION, id="boxes of an animation"),
    ],
)
def test_a_picture_has_an_end(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    assert copy(content)
    monkeypatch.setattr(public_boxes, "MAX_PARTS", 40)
    assert failure_of(content).code == "too_complex"


def test_moments_and_names_in_an_animation_are_blank() -> None:
    copied = copy(changed(b"\x0aAOM Coding", b"\x0bN 48.137 E1"[:11], picture("AVIF", frames=2)))
    assert b"N 48" not in copied
    for kind in (b"mvhd", b"tkhd", b"mdhd"):
        assert not any(data_of(copied, kind)[4:20])
    assert copy(copied) is copied


def renamed(kind: bytes, content: bytes = ANIMATION) -> bytes:
    """Return the animation with a box of a name that is not known instead of this one."""
    return changed(kind, b"abcd", content)


@pytest.mark.parametrize(
    ("content", "gone"),
    [
        pytest.param(renamed(b"edts"), b"abcd", id="a box of a track"),
        pytest.param(renamed(b"ccst"), b"abcd", id="a box of a frame's description"),
        pytest.param(renamed(b"meta"), b"pitm", id="a picture beside its frames"),
        pytest.param(changed(b"url \0\0\0\1", b"url \0\0\0\0", ANIMATION), b"dref", id="an address"),
    ],
)
def test_what_an_animation_does_not_need_goes(content: bytes, gone: bytes) -> None:
    copied = copy(content)
    assert gone not in copied
    assert len(copied) == len(content)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(changed(b"av01\0\0\0\0\0\0\0\1", b"mp4a\0\0\0\0\0\0\0\1", ANIMATION), id="sound"),
        pytest.param(
            ANIMATION.replace(b"pict", b"soun").replace(b"soun", b"pict", 1), id="sound, as it says"
        ),
        pytest.param(renamed(b"stsd"), id="nothing"),
    ],
)
def test_a_track_that_is_no_picture_goes(content: bytes) -> None:
    copied = copy(content)
    assert b"trak" not in copied
    assert b"stbl" not in copied


def test_a_track_may_have_large_offsets_and_frames_of_one_size() -> None:
    size = struct.unpack(">I", data_of(ANIMATION, b"stsz")[12:16])[0]
    sizes = struct.pack(">4xII", size, 1).ljust(20, b"\0")
    once = changed(data_of(ANIMATION, b"stsz"), sizes, ANIMATION)
    offset = data_of(ANIMATION, b"stco")[8:]
    # What says which frames stand alone is not needed, and makes room.
    old = full(b"stco", b"\0\0\0\1" + offset) + full(b"stss", b"\0\0\0\1\0\0\0\1")
    new = full(b"co64", b"\0\0\0\1\0\0\0\0" + offset)
    content = changed(old, new + box(b"free", bytes(len(old) - len(new) - 8)), once)
    start = int.from_bytes(offset)
    assert copy(content)[start : start + size] == content[start : start + size]
    assert not any(copy(content)[start + size :])


def test_a_second_description_of_frames_goes() -> None:
    data = data_of(ANIMATION, b"stsd")
    entry = data[8:]
    # The box that says how frames were compared makes room.
    small = changed(full(b"ccst", bytes.fromhex("7c000000")), b"", data)
    second = box(b"text", bytes(len(data) - len(small) - 8))
    shorter = struct.pack(">I", len(entry) - 16) + small[12:]
    content = changed(data, data[:8] + shorter + second, ANIMATION)
    assert b"text" not in copy(content)


CORNER = box(b"clap", struct.pack(">8i", 32, 1, 24, 1, -16, 2, -8, 2))


def cut(clap: bytes = CORNER, *more: bytes) -> bytes:
    """Return a picture of 48 x 32 pixels with a clean aperture."""
    properties = [*STILL.properties, clap, *more]
    mine = [(number, number > len(STILL.properties)) for number in range(1, len(properties) + 1)]
    return replace(STILL, items=[replace(PIXELS, properties=mine)], properties=properties).written()


@pytest.mark.parametrize(
    ("content", "size"),
    [
        pytest.param(WHOLE, None, id="none"),
        pytest.param(ANIMATION, None, id="animation"),
        pytest.param(cut(), (32, 24), id="from the corner on"),
        pytest.param(cut(CORNER, box(b"irot", b"\0")), (32, 24), id="not turned"),
        pytest.param(cut(CORNER, box(b"irot", b"\1")), (24, 32), id="turned"),
        pytest.param(cut(CORNER, box(b"irot", b"\2")), (32, 24), id="upside down"),
        pytest.param(cut(box(b"clap", struct.pack(">8i", 32, 1, 24, 1, 0, 2, 0, 2))), None, id="the middle"),
        pytest.param(cut(box(b"clap", struct.pack(">8i", 32, 1, 24, 1, -16, 2, 0, 2))), None, id="left"),
        pytest.param(cut(box(b"clap", struct.pack(">8i", 49, 1, 32, 1, 1, 2, 0, 2))), None, id="too wide"),
        pytest.param(cut(box(b"clap", struct.pack(">8i", 0, 1, 32, 1, -48, 2, 0, 2))), None, id="empty"),
        pytest.param(cut(box(b"clap", struct.pack(">8i", 65, 2, 24, 1, -16, 2, -8, 2))), None, id="half"),
        pytest.param(cut(box(b"clap", struct.pack(">8i", 32, 0, 24, 1, -16, 2, -8, 2))), None, id="by zero"),
    ],
)
def test_browsers_cut_a_picture_to_what_begins_at_its_corner(
    content: bytes, size: tuple[int, int] | None
) -> None:
    assert shown_size(content) == size
    assert copy(cut()) == cut()


@settings(deadline=None)
@given(st.data())
def test_whatever_is_sent_is_copied_or_is_no_picture(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from([WHOLE, TRANSPARENT.written(), ANIMATION, cut()])))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.sampled_from([0, 1, 2, 4, 255, content[place] ^ 1]))
    with suppress(NotAPictureError):
        copied = copy(bytes(content))
        assert copy(copied) is copied
        assert len(copied) <= len(content)
        shown_size(copied)
