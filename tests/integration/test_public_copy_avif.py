"""The public copy of an AVIF, seen with a decoder: the same picture, and no more than it shows."""

import io
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from domain.public_copy.avif import copy
from domain.public_copy.boxes import MAX_PARTS
from tests.avif_files import (
    ALPHA_URN,
    Avif,
    Item,
    box,
    boxes,
    data_of,
    decoded,
    encoded,
    full,
    located,
    reference,
)
from tests.builders import PRIVATE, picture, private_exif
from tests.torture.results import size
from tests.traced import with_peak

HIDDEN = b"N 48.137 E 11.575"
XMP = b"<x:xmpmeta>" + HIDDEN + b"</x:xmpmeta>"
STILL, TRANSPARENT = encoded(), encoded("RGBA")
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PICTURES = {
    "still": picture("AVIF"),
    "transparent": picture("AVIF", mode="RGBA"),
    "grey": picture("AVIF", mode="L"),
    "with a profile": picture("AVIF", icc_profile=PROFILE),
    "built": STILL.written(),
    "built, transparent": TRANSPARENT.written(),
}


def exif_item(tiff: bytes, **how: Any) -> Item:  # noqa: ANN401 - any field of an item
    return replace(Item(b"Exif", b"\0\0\0\6Exif\0\0" + tiff), **how)


def tiff() -> bytes:
    return private_exif().removeprefix(b"Exif\0\0")


def has_private(content: bytes) -> bool:
    private = [HIDDEN, *(text.encode() for text in PRIVATE if text != "WHO-MADE-IT")]
    return any(text in content for text in private)


@pytest.mark.parametrize("content", PICTURES.values(), ids=PICTURES)
def test_a_picture_without_metadata_is_public_byte_for_byte(content: bytes) -> None:
    assert copy(content) is content
    assert decoded(content)


def everything(mode: str = "RGB", **options: bytes) -> Avif:
    """Return an AVIF with all that cameras and programs write beside a picture, each with a place in it."""
    avif = encoded(mode, **options)
    first = len(avif.items) + 1
    size_of_picture = avif.items[0].properties[0]
    depth = Item(b"av01", HIDDEN, b"Depth", [size_of_picture, (len(avif.properties) + 1, False)])
    return replace(
        avif,
        items=[
            *avif.items,
            exif_item(tiff(), name=b"Exif " + HIDDEN),
            Item(b"mime", XMP, b"XMP", more=b"application/rdf+xml\0" + HIDDEN + b"\0"),
            Item(b"av01", HIDDEN, b"Thumbnail", [size_of_picture]),
            Item(b"tmap", HIDDEN, b"GMap", in_idat=True),
            depth,
            Item(b"uri ", HIDDEN, HIDDEN, more=HIDDEN),
        ],
        properties=[*avif.properties, full(b"auxC", b"urn:com:photo:aux:depth\0"), full(b"udes", HIDDEN)],
        references=[
            *avif.references,
            reference(b"cdsc", first, 1),
            reference(b"cdsc", first + 1, 1),
            reference(b"thmb", first + 2, 1),
            reference(b"dimg", first + 3, 1, first + 2),
            reference(b"auxl", first + 4, 1),
        ],
        handler_name=HIDDEN,
        in_meta=box(b"grpl", full(b"altr", bytes(4), struct.pack(">III", 2, first + 3, 1)))
        + box(b"uuid", bytes(16), HIDDEN),
        before=box(b"free", HIDDEN),
        between=box(b"uuid", bytes(16), HIDDEN) + box(b"moov", box(b"udta", HIDDEN)),
        behind=box(b"mpvd", box(b"ftyp", b"mp42"), HIDDEN) + box(b"mdat", HIDDEN) + b"PK\3\4" + HIDDEN,
        gap=HIDDEN,
    )


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_of_a_picture_with_everything_the_public_sees_the_picture_and_who_made_it(mode: str) -> None:
    content = everything(mode, icc_profile=PROFILE).written()
    assert has_private(content)
    copied = copy(content)
    assert decoded(copied) == decoded(content) == decoded(encoded(mode).written())
    assert not has_private(copied)
    assert b"xmpmeta" not in copied
    with Image.open(io.BytesIO(copied)) as opened:
        assert opened.info["icc_profile"] == PROFILE
        assert dict(opened.getexif()) == {0x013B: "WHO-MADE-IT"}
        assert not opened.info.get("xmp")
    # What is left of the rest says nothing.
    kinds = {kind for kind, *_ in boxes(copied)}
    assert kinds.isdisjoint({b"uuid", b"udes", b"grpl", b"moov", b"mpvd"})
    assert not any(any(copied[data:end]) for kind, _, data, end in boxes(copied) if kind == b"free")
    first_gone = len(encoded(mode).items) + 2
    assert not any(any(data) for number, data in located(copied).items() if number >= first_gone)
    assert copy(copied) is copied


def test_what_nothing_refers_to_is_blank() -> None:
    avif = replace(STILL, gap=HIDDEN, items=[replace(STILL.items[0], pieces=3)])
    mdat = data_of(copy(avif.written()), b"mdat")
    pieces = located(avif.written())[1]
    assert mdat.replace(bytes(len(HIDDEN)), b"") == pieces.replace(bytes(len(HIDDEN)), b"")
    assert decoded(copy(avif.written())) == decoded(STILL.written())


def animation(mode: str) -> bytes:
    """Return an animation with a comment and a place in it."""
    content = picture("AVIF", mode=mode, frames=3)
    moov = next(each for each in boxes(content) if each[0] == b"moov")
    # In front of what the offsets count from, so only behind the frames is there room.
    return content + box(b"udta", HIDDEN) + content[moov[1] : moov[3]]


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_an_animation_keeps_its_frames_and_not_when_it_was_made(mode: str) -> None:
    content = animation(mode)
    copied = copy(content)
    assert len(decoded(copied)) == 3
    assert decoded(copied) == decoded(content)
    assert HIDDEN not in copied
    moments = [
        copied[data + 4 : data + 20] for kind, _, data, _ in boxes(copied) if kind in {b"mvhd", b"mdhd"}
    ]
    assert moments
    assert not any(map(any, moments))
    assert copy(copied) is copied


BYTES_OF_IT = st.binary(max_size=40).map(lambda data: data + HIDDEN)
IN_IDAT, PIECES = st.booleans(), st.integers(1, 4)
MORE = st.lists(
    st.one_of(
        st.builds(exif_item, st.one_of(BYTES_OF_IT, st.just(tiff())), in_idat=IN_IDAT, pieces=PIECES),
        st.builds(Item, st.just(b"Exif"), st.binary(min_size=1, max_size=30), in_idat=IN_IDAT),
        st.builds(Item, st.just(b"mime"), BYTES_OF_IT, BYTES_OF_IT, in_idat=IN_IDAT, pieces=PIECES),
        st.builds(Item, st.just(b"uri "), BYTES_OF_IT, in_idat=IN_IDAT),
    ).map(lambda item: replace(item, name=item.name.replace(b"\0", b""))),
    max_size=3,
)
JUNK = st.lists(
    st.builds(
        lambda kind, data, large: box(kind, data, large=large),
        st.sampled_from([b"free", b"skip", b"uuid", b"junk", b"mdat", b"wide"]),
        BYTES_OF_IT,
        st.booleans(),
    ),
    max_size=3,
).map(b"".join)


@st.composite
def containers(draw: st.DrawFn) -> Avif:
    """Return a picture in a container of any kind that the standard knows, with any metadata."""
    base = draw(st.sampled_from([STILL, TRANSPARENT]))
    return replace(
        base,
        items=[
            *(replace(item, pieces=draw(PIECES), in_idat=draw(IN_IDAT)) for item in base.items),
            *draw(MORE),
        ],
        iloc_version=draw(st.sampled_from([1, 2])),
        infe_version=draw(st.sampled_from([2, 3])),
        base_bytes=draw(st.sampled_from([0, 4, 8])),
        offset_bytes=draw(st.sampled_from([4, 8])),
        length_bytes=draw(st.sampled_from([4, 8])),
        gap=draw(BYTES_OF_IT),
        large=draw(st.booleans()),
        open_end=draw(st.booleans()),
        before=draw(JUNK),
        between=draw(JUNK),
        in_meta=draw(JUNK),
    )


CONTAINERS = size(2_000, 60, "generated containers of an AVIF")


@pytest.mark.torture("public copies of pictures in generated containers")
@settings(
    max_examples=CONTAINERS,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(avif=containers())
def test_pixels_are_what_they_were_in_any_container(tried: Callable[[int], None], avif: Avif) -> None:
    tried(CONTAINERS)
    copied = copy(avif.written())
    assert not has_private(copied)
    plain = TRANSPARENT if ALPHA_URN in b"".join(avif.properties) else STILL
    assert decoded(copied) == decoded(plain.written())
    assert copy(copied) is copied


MOST = size(MAX_PARTS - 100, 1_000, "boxes of an AVIF")


@pytest.mark.torture("public copies of pictures in generated containers")
@pytest.mark.parametrize("where", ["before", "between", "behind", "in_meta"])
def test_small_boxes_take_less_memory_than_three_files(where: str) -> None:
    # As many for each byte as there may be in the largest file.
    more: Any = {where: box(b"junk", HIDDEN * 58) * MOST}
    content = replace(STILL, **more).written()
    copied, peak_bytes = with_peak(lambda: copy(content))
    assert not has_private(copied)
    assert decoded(copied) == decoded(STILL.written())
    # The file itself was there before.
    assert peak_bytes < 2 * len(content)
