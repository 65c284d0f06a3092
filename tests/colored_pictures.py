"""Pictures of one colour, each stored in another way, and what colour a browser has to show of each."""

import io
import struct
import zlib
from typing import Any, NamedTuple

from PIL import Image, ImageChops

from adapters.pillow_colors import usual_cmyk
from domain.image import ImageFormat
from tests.color_profiles import (
    ADOBE_RGB,
    DISPLAY_P3,
    PROPHOTO,
    REC2020,
    Primaries,
    as_srgb,
    gray_as_srgb,
    gray_profile,
    rgb_profile,
)

SIZE = (64, 48)
type Color = tuple[int, ...]


class Colored(NamedTuple):
    """A picture, and its colour: red, green, blue and alpha."""

    name: str
    content: bytes
    image_format: ImageFormat
    expected: tuple[int, int, int, int]


def colored(
    name: str,
    expected: Color,
    mode: str,
    color: Any,  # noqa: ANN401 - as Pillow's
    pillow_format: str = "PNG",
    **options: object,
) -> Colored:
    content = io.BytesIO()
    Image.new(mode, SIZE, color).save(content, pillow_format, **options)
    return _colored(name, expected, content.getvalue(), pillow_format)


def _colored(name: str, expected: Color, content: bytes, pillow_format: str = "PNG") -> Colored:
    red, green, blue, alpha = (*expected, 255)[:4]
    return Colored(name, content, ImageFormat[pillow_format], (red, green, blue, alpha))


def _gray(value: int) -> Color:
    return (value, value, value)


def png(bits: int, color_type: int, sample: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """Return a PNG of one colour, of kinds that Pillow does not write (W3C PNG, 11.2)."""
    width, height = SIZE
    row = sample * (width if bits >= 8 else width * bits // 8)
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, bits, color_type, 0, 0, 0)),
        *chunks,
        (b"IDAT", zlib.compress((b"\0" + row) * height)),
        (b"IEND", b""),
    ]
    chunked = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunked)


def cmyk_jpeg(color: Color, *, adobe: int | None = 0, profile: bytes = b"") -> bytes:
    """Return a CMYK JPEG as Photoshop writes it: ink counted from the other end, `adobe` its kind of colours.

    0 is CMYK, 2 YCCK, and None is one without Adobe's marker (Adobe technical note 5116).
    """
    content = io.BytesIO()
    options: dict[str, Any] = {"icc_profile": profile} if profile else {}
    pixels = Image.new("CMYK", SIZE, color)
    if adobe == 2:
        # The same ink by way of YCbCr, which Pillow does not write; what it turns round stays as it is.
        cyan, magenta, yellow, key = color
        light, blue, red = Image.new("RGB", SIZE, (cyan, magenta, yellow)).convert("YCbCr").split()
        turned = [ImageChops.invert(channel) for channel in (light, blue, red)]
        pixels = Image.merge("CMYK", [*turned, Image.new("L", SIZE, key)])
    pixels.save(content, "JPEG", quality=100, **options)
    return _with_marker(content.getvalue(), adobe)


def _with_marker(content: bytes, adobe: int | None) -> bytes:
    at = content.index(b"\xff\xee\x00\x0eAdobe")
    if adobe is None:
        return content[:at] + content[at + 16 :]
    return content[: at + 15] + bytes([adobe]) + content[at + 16 :]


P3, ADOBE = rgb_profile(DISPLAY_P3), rgb_profile(ADOBE_RGB)
LINEAR = gray_profile(1)
INK = (100, 20, 30, 40)
PRINTED = (132, 175, 188)
"""What `INK` is on a press (SWOP), by the profile that is used where a file has none."""

OF_THE_DESIGN = [
    colored("Display P3", (215, 93, 31), "RGB", (200, 100, 50), icc_profile=P3),
    colored("Adobe RGB, blue", (66, 151, 203), "RGB", (100, 150, 200), icc_profile=ADOBE),
    colored("Adobe RGB, red", (232, 57, 57), "RGB", (200, 60, 60), icc_profile=ADOBE),
    colored("linear gray", _gray(188), "L", 128, icc_profile=LINEAR),
    colored("16 bits, half", _gray(128), "I;16", 0x8000),
    colored("16 bits, dark", _gray(1), "I;16", 0x00FF),
    colored("Display P3 with alpha", (215, 93, 31, 128), "RGBA", (200, 100, 50, 128), icc_profile=P3),
    colored("a profile that is junk", (200, 100, 50), "RGB", (200, 100, 50), icc_profile=b"junk" * 50),
    colored("a gray profile of colours", (200, 100, 50), "RGB", (200, 100, 50), icc_profile=LINEAR),
    _colored("CMYK", PRINTED, cmyk_jpeg(INK), "JPEG"),
    _colored("CMYK with the profile", PRINTED, cmyk_jpeg(INK, profile=usual_cmyk()), "JPEG"),
    _colored("CMYK without Adobe's marker", PRINTED, cmyk_jpeg(INK, adobe=None), "JPEG"),
    _colored("YCCK", PRINTED, cmyk_jpeg(INK, adobe=2), "JPEG"),
]
"""The table of the design."""


def _wide(name: str, primaries: Primaries, color: tuple[int, int, int], pillow_format: str) -> Colored:
    options: dict[str, Any] = {"quality": 100, "subsampling": "4:4:4"} if pillow_format != "PNG" else {}
    if pillow_format == "WEBP":
        options = {"lossless": True}
    profile = rgb_profile(primaries)
    return colored(
        name, as_srgb(primaries, color), "RGB", color, pillow_format, icc_profile=profile, **options
    )


def _in_palette(name: str, expected: Color, color: Color, **options: object) -> Colored:
    pixels, content = Image.new("P", SIZE, 0), io.BytesIO()
    pixels.putpalette(color)
    pixels.save(content, "PNG", **options)
    return _colored(name, expected, content.getvalue())


OF_OUR_OWN = [
    _wide("ProPhoto", PROPHOTO, (100, 110, 120), "PNG"),
    _wide("Rec. 2020", REC2020, (120, 130, 140), "PNG"),
    _wide("Display P3, dark, in a JPEG", DISPLAY_P3, (30, 20, 40), "JPEG"),
    _wide("Adobe RGB, light, in a WEBP", ADOBE_RGB, (230, 225, 200), "WEBP"),
    _wide("Display P3, green, in an AVIF", DISPLAY_P3, (60, 180, 90), "AVIF"),
    colored("gray of a Macintosh", _gray(gray_as_srgb(1.8, 100)), "L", 100, icc_profile=gray_profile(1.8)),
    colored(
        "linear gray with alpha", (*_gray(gray_as_srgb(1, 64)), 100), "LA", (64, 100), icc_profile=LINEAR
    ),
    colored("16 bits, linear", _gray(gray_as_srgb(1, 0x4000 / 257)), "I;16", 0x4000, icc_profile=LINEAR),
    _in_palette("a palette in Display P3", as_srgb(DISPLAY_P3, (40, 90, 160)), (40, 90, 160), icc_profile=P3),
    _colored("16 bits of red, green and blue", (128, 64, 255), png(16, 2, b"\x80\x80\x40\x40\xff\xff")),
    _colored("2 bits of gray", _gray(170), png(2, 0, b"\xaa")),
    _colored("2 bits of gray, hidden", (*_gray(0), 0), png(2, 0, b"\xaa", (b"tRNS", b"\0\2"))),
    _colored("16 bits of gray, hidden", (*_gray(0), 0), png(16, 0, b"\x12\x34", (b"tRNS", b"\x12\x34"))),
    _colored("16 bits of gray, another hidden", _gray(18), png(16, 0, b"\x12\x34", (b"tRNS", b"\x12\x33"))),
    colored("black and white", _gray(255), "1", 1),
    colored("gray with alpha", (*_gray(90), 200), "LA", (90, 200)),
    colored("a GIF's palette", _gray(64), "L", 64, "GIF"),
    _in_palette(
        "a palette's colour that is half hidden", (40, 90, 160, 99), (40, 90, 160), transparency=b"\x63"
    ),
    _colored("black ink", (35, 31, 32), cmyk_jpeg((0, 0, 0, 255)), "JPEG"),
]
