"""Why a picture does not decode, as its container tells: decoders say little of it, or nothing."""

import zlib
from collections.abc import Callable, Iterator

from domain.errors import UnsupportedFormatError
from domain.failure import Failure
from domain.image import ImageFormat
from domain.image_signature import detect_format

_USUAL_BITS = 8
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a segment (ITU T.81, table B.1)."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_FEATURES = {
    **dict.fromkeys((0xC9, 0xCA), "arithmetic coding"),
    **dict.fromkeys((0xC3, 0xCB), "lossless compression"),
    **dict.fromkeys((0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF), "hierarchical compression"),
}
"""What frames of other kinds than baseline and progressive need (same table)."""
_PNG_SIGNATURE_BYTES, _PNG_CHUNK_BYTES, _CHECKSUM_BYTES = 8, 12, 4
_CRITICAL_CHUNKS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_BOX_HEADER_BYTES = 8


def unsupported_feature(content: bytes, image_format: ImageFormat) -> Failure | None:
    """Return which feature of a JPEG browsers do not have, though a decoder may; None if it needs none."""
    if image_format is not ImageFormat.JPEG:
        return None
    frame = next(((marker, at) for marker, at in _jpeg_segments(content) if marker in _FRAMES), None)
    if frame is None:
        return None
    marker, at = frame
    if marker in _FEATURES:
        return _unsupported(f"a JPEG with {_FEATURES[marker]}")
    bits = int.from_bytes(content[at + 2 : at + 3])
    return None if bits in {0, _USUAL_BITS} else _unsupported(f"a JPEG with {bits} bits a colour")


def claims_more_pixels(content: bytes, image_format: ImageFormat, max_pixels: int) -> bool:
    """Tell whether an AVIF says that it is larger: its decoder calls what is beyond its own limit no AVIF."""
    # Image spatial extents: name, version and flags, width, height (ISO/IEC 23008-12, 6.5.3).
    at = content.find(b"ispe") if image_format is ImageFormat.AVIF else -1
    if at < 0:
        return False
    width, height = int.from_bytes(content[at + 8 : at + 12]), int.from_bytes(content[at + 12 : at + 16])
    return width * height > max_pixels


def why_it_does_not_decode(content: bytes, image_format: ImageFormat, said: str) -> Failure:
    """Return what is wrong with bytes of which the decoder `said` this, which itself is not passed on."""
    name = image_format.name
    try:
        is_other = detect_format(content) is not image_format
    except UnsupportedFormatError:
        is_other = True
    if is_other:
        return Failure("not_a_picture", f"The file is not a {name} picture. Convert it to one.")
    failure = _FAULTS[image_format](content, said)
    is_broken = "broken data stream" in said
    return failure or _corrupt(
        "its pixel data breaks off" if is_broken else f"its {name} data does not decode"
    )


def _jpeg_fault(content: bytes, said: str) -> Failure | None:
    markers = {marker for marker, _ in _jpeg_segments(content)}
    return _truncated() if "runcated" in said or _START_OF_SCAN not in markers else None


def _jpeg_segments(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield the marker of each segment before the pixels, and where its length stands."""
    at = content.find(b"\xff", 2)
    while 0 <= at < len(content) - 1:
        marker = content[at + 1]
        if marker in {0x00, 0xFF} or marker in _BARE:
            # What fills up, or stands for itself.
            at = content.find(b"\xff", at + (1 if marker == 0xFF else 2))  # noqa: PLR2004 - a byte of ones
            continue
        yield marker, at + 2
        if marker in {_START_OF_SCAN, _END_OF_IMAGE}:
            return
        at = content.find(b"\xff", at + 2 + int.from_bytes(content[at + 2 : at + 4]))


def _png_fault(content: bytes, said: str) -> Failure | None:
    if "too large" in said or "Too much memory" in said:
        what = "A text or the colour profile in the file unpacks to more than 1 MB."
        return Failure("too_complex", f"{what} Save it anew without that.")
    announced, frames = 0, 0
    for kind, data, checksum in _png_chunks(content):
        fault = _chunk_fault(kind, data, checksum)
        if fault:
            return fault
        announced = int.from_bytes(data[:4]) if kind == b"acTL" else announced
        frames += kind == b"fcTL"
        if kind == b"IEND":
            break
    else:
        return _truncated()
    if announced > frames:
        return _corrupt(f"it announces {announced:,} frames of an animation and has {frames:,}")
    return _corrupt("it has less pixel data than its size needs") if "runcated" in said else None


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, memoryview, bytes]]:
    """Yield name, data and checksum of each chunk as far as the file goes (W3C PNG, 5.3)."""
    at, view = _PNG_SIGNATURE_BYTES, memoryview(content)
    while at + _PNG_CHUNK_BYTES <= len(content):
        end = at + 8 + int.from_bytes(view[at : at + 4])
        yield content[at + 4 : at + 8], view[at + 8 : end], content[end : end + 4]
        at = end + 4


def _chunk_fault(kind: bytes, data: memoryview, checksum: bytes) -> Failure | None:
    if len(checksum) < _CHECKSUM_BYTES:
        return _truncated()
    if not kind.isalpha():
        return _corrupt("what should be a chunk of the PNG is none")
    if kind[:1].isupper() and kind not in _CRITICAL_CHUNKS:
        return _unsupported(f"a PNG with a chunk {kind.decode()}")
    if zlib.crc32(data, zlib.crc32(kind)) != int.from_bytes(checksum):
        return _corrupt(f"the checksum of its chunk {kind.decode()} is wrong")
    # Name, end of name, 0 for the one compression method there is (W3C PNG, 11.3.2.3).
    if kind == b"iCCP" and bytes(data).partition(b"\0")[2][:1] != b"\0":
        return _corrupt("its colour profile, chunk iCCP, is packed in an unknown way")
    return None


def _webp_fault(content: bytes, _said: str) -> Failure | None:
    # The header counts from behind itself (RFC 9649, 2.3).
    size = int.from_bytes(content[4:8], "little") + 8
    told = f"it has {len(content):,} bytes, and its header says {size:,}"
    return _truncated(told) if size > len(content) else None


def _gif_fault(content: bytes, said: str) -> Failure | None:
    return _truncated() if "runcated" in said or not content.rstrip(b"\0").endswith(b";") else None


def _avif_fault(content: bytes, said: str) -> Failure | None:
    at, boxes = 0, set[bytes]()
    while at + _BOX_HEADER_BYTES <= len(content):
        size, kind = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        boxes.add(kind)
        if size == 1:
            size = int.from_bytes(content[at + 8 : at + 16])
        if size == 0:
            # To the end (ISO/IEC 14496-12, 4.2).
            size = len(content) - at
        if size < _BOX_HEADER_BYTES:
            return None
        at += size
    is_cut = at != len(content) or not boxes >= {b"meta", b"mdat"}
    return _truncated() if is_cut or "runcated" in said else None


_FAULTS: dict[ImageFormat, Callable[[bytes, str], Failure | None]] = {
    ImageFormat.JPEG: _jpeg_fault,
    ImageFormat.PNG: _png_fault,
    ImageFormat.WEBP: _webp_fault,
    ImageFormat.GIF: _gif_fault,
    ImageFormat.AVIF: _avif_fault,
}


def _truncated(what: str = "it ends before the picture does") -> Failure:
    return Failure(
        "truncated",
        f"The file is cut short: {what}. Send the whole file again, or save it anew if this is all of it.",
    )


def _corrupt(what: str) -> Failure:
    advice = "Open it in an image editor, save it anew, and send that."
    return Failure("corrupt", f"The picture is damaged: {what}. {advice}")


def _unsupported(what: str) -> Failure:
    reason = f"The picture is {what}, which browsers do not show. Save it anew as a usual JPEG or PNG."
    return Failure("unsupported_feature", reason)
