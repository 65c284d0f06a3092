"""JPEGs with all sorts of things in them, and a reader of them that shares nothing with the service's."""

import io
import struct
from typing import NamedTuple

from PIL import Image, ImageCms

from tests.builders import jpeg

SECRETS = (
    b"52.5200N 13.4050E",
    b"maker's note",
    b"serial 4711",
    b"2026:11:30 12:00:00",
    b"the thumbnail",
    b"xmp note",
    b"iptc note",
    b"a comment",
    b"ftypmp42",
    b"another picture",
)
"""What stands in each place of `phone_picture` that the public does not see."""


class Read(NamedTuple):
    """A JPEG as its segments, in order; `scans` are their data, `tail` is what stands behind the end."""

    segments: list[tuple[int, bytes]]
    scans: list[bytes]
    tail: bytes

    def all_of(self, marker: int) -> list[bytes]:
        return [payload for found, payload in self.segments if found == marker]

    @property
    def markers(self) -> set[int]:
        return {marker for marker, _ in self.segments}


def read(content: bytes) -> Read:
    """Read a JPEG of which every byte must belong to something."""
    assert content[:2] == b"\xff\xd8"
    at, found = 2, Read([], [], b"")
    while content[at : at + 2] != b"\xff\xd9":
        assert content[at] == 0xFF, "bytes that belong to nothing"
        length = struct.unpack_from(">H", content, at + 2)[0]
        found.segments.append((content[at + 1], content[at + 4 : at + 2 + length]))
        start = at = at + 2 + length
        if found.segments[-1][0] == 0xDA:
            while content[at] != 0xFF or content[at + 1] in {0, *range(0xD0, 0xD8)}:
                at += 1
            found.scans.append(content[start:at])
    return found._replace(tail=content[at + 2 :])


def segment(marker: int, payload: bytes = b"") -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def with_segments(content: bytes, *segments: bytes) -> bytes:
    """Return the JPEG with these before all others."""
    return content[:2] + b"".join(segments) + content[2:]


def exif_segment(tiff: bytes, signature: bytes = b"Exif\0\0") -> bytes:
    return segment(0xE1, signature + tiff)


def tiff(entries: dict[int, int | bytes], more: bytes = b"") -> bytes:
    """Return an Exif block with numbers and texts by their tags."""
    values, fields = b"", b""
    end = 8 + 2 + 12 * len(entries) + 4
    for tag, value in sorted(entries.items()):
        if isinstance(value, int):
            fields += struct.pack("<HHIHH", tag, 3, 1, value, 0)
        else:
            fields += struct.pack("<HHII", tag, 2, len(value) + 1, end + len(values))
            values += value + b"\0"
    return struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + fields + bytes(4) + values + more


def profile_segments(profile: bytes, parts: int = 1) -> list[bytes]:
    size = -(-len(profile) // parts)
    return [
        segment(0xE2, b"ICC_PROFILE\0" + bytes([part + 1, parts]) + profile[part * size : (part + 1) * size])
        for part in range(parts)
    ]


def wide_profile() -> bytes:
    """Return a profile that is another than sRGB, as a phone's Display P3 is."""
    lab: bytes = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    return lab


def phone_picture(mode: str = "RGB", *, progressive: bool = False) -> bytes:
    """Return a JPEG with everything that phones and editors put into one, held upright."""
    content = jpeg(48, 32, mode, progressive=progressive)
    note = tiff(
        {
            0x010F: b"Maker of phones",
            0x0112: 6,
            0x0132: b"2026:11:30 12:00:00",
            0x013B: b"Ann Example",
            0x8298: b"(c) 2026 Ann Example",
            0xA431: b"serial 4711",
        },
        more=b"52.5200N 13.4050E maker's note \xff\xd8 the thumbnail \xff\xd9",
    )
    profile = profile_segments(wide_profile(), parts=2)
    return b"".join(
        (
            content[:2],
            exif_segment(note),
            segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x>xmp note</x>"),
            segment(0xE2, b"MPF\0another picture \xff\xd9"),
            profile[0],
            segment(0xED, b"Photoshop 3.0\0iptc note"),
            profile[1],
            segment(0xFE, b"a comment"),
            content[2:],
            jpeg(8, 8, comment="another picture"),
            b"\0\0\0\x18ftypmp42" + bytes(200),
        )
    )


def checkered(**options: object) -> bytes:
    """Return a JPEG of black and white by turns, which has long runs of zeros among its coefficients."""
    squares = Image.frombytes("L", (32, 32), (bytes([0, 255]) * 16 + bytes([255, 0]) * 16) * 16)
    content = io.BytesIO()
    squares.save(content, "JPEG", **options)
    return content.getvalue()


def in_other_order(content: bytes, *order: int) -> bytes:
    """Return the JPEG with its scans, each with the Huffman tables before it, in this order."""
    at = content.index(b"\xff\xc4")
    beginning, scans, start = content[:at], list[bytes](), at
    while content[at : at + 2] != b"\xff\xd9":
        is_scan = content[at + 1] == 0xDA
        at += 2 + int.from_bytes(content[at + 2 : at + 4])
        if is_scan:
            while content[at] != 0xFF or content[at + 1] == 0:
                at += 1
            scans.append(content[start:at])
            start = at
    return beginning + b"".join(scans[index] for index in order) + content[at:]
