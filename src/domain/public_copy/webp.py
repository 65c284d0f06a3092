"""The public copy of a WebP: its pixels, animation and colour profile in a clean container (RFC 9649)."""

import io
import struct
from collections.abc import Iterator

from domain.errors import NotAPictureError
from domain.public_copy.exif import kept_exif
from domain.public_copy.faults import corrupt, too_complex, truncated

MAX_FRAMES = 100_000
"""Frames of an animation, which is more than two hours of it; each costs some microseconds."""
MAX_CHUNKS = 4 * MAX_FRAMES
"""Chunks of a file that are read, those within frames among them: a frame with transparency has three."""
_HEADER_BYTES, _CHUNK_BYTES = 12, 8
_CANVAS_BYTES, _LOOP_BYTES, _FRAME_BYTES = 10, 6, 16
"""What readers know of VP8X, ANIM and the head of ANMF (RFC 9649, 2.7.1); the rest of these is not kept."""
_PROFILE, _ALPHA, _EXIF, _ANIMATION = 0x20, 0x10, 0x08, 0x02
"""Flags of VP8X; that of XMP and the reserved ones are not kept (RFC 9649, figure 7)."""
_FRAME_FLAGS = 0x03
_IMAGES = frozenset({b"VP8 ", b"VP8L"})
_EXIF_PREFIX = b"Exif\0\0"
"""What JPEG has before its TIFF; some programs carry it over."""
_chunk_head = struct.Struct("<4sI").unpack_from

type _Chunk = tuple[bytes, int, int]
"""Its name, and where its data begin and end; a NamedTuple costs three times as much."""


def copy(content: bytes) -> bytes:
    """Return the WebP with its pixels, animation and profile, and of the rest `Artist` and `Copyright`.

    The orientation in its Exif goes, since browsers show a WebP as it lies. Unknown chunks go, and what is
    behind the picture. Of chunks that may be there once the first counts, as in browsers. Where all pixels
    are there, a wrong size in the header is set right, and padding that is missing is added. If there is
    nothing to do, `content` itself is returned.

    Raises:
        NotAPictureError: pixels are missing, or cannot be found; or there are more than `MAX_FRAMES`, or more
            than `MAX_CHUNKS`.

    """
    copied = _Copy(content)
    first = next(copied.chunks(_HEADER_BYTES, len(content), {b"VP8X", *_IMAGES}), None)
    if first is None or first[1] != _HEADER_BYTES + _CHUNK_BYTES:
        what = "it does not begin as a WebP does"
        raise NotAPictureError(corrupt(what) if len(content) > _HEADER_BYTES + _CHUNK_BYTES else truncated())
    result = copied.of(first)
    return content if result == content else result


class _Copy:
    """A copy that is being written."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._view = memoryview(content)
        self._said = _CHUNK_BYTES + int.from_bytes(content[4:8], "little")
        self._end = min(self._said, len(content))
        self._out = io.BytesIO()
        self._out.write(b"RIFF\0\0\0\0WEBP")
        self._chunks_left = MAX_CHUNKS

    def chunks(self, at: int, end: int, wanted: set[bytes]) -> Iterator[_Chunk]:
        """Yield the wanted chunks that begin before `end`; what is wanted may change in between."""
        while at + _CHUNK_BYTES <= end:
            self._chunks_left -= 1
            if self._chunks_left < 0:
                raise NotAPictureError(too_complex(f"more than {MAX_CHUNKS:,} chunks"))
            kind, size = _chunk_head(self._content, at)
            at += _CHUNK_BYTES
            if kind in wanted:
                yield kind, at, at + size
            at += size + (size & 1)

    def of(self, first: _Chunk) -> bytes:
        """Return the copy of a picture that begins with this chunk."""
        if first[0] == b"VP8X":
            self._write_extended(first)
        else:
            # There is nothing else in a WebP of this kind (RFC 9649, 2.5 and 2.6).
            self._write_image(first, self._end)
        self._set_size(0)
        return self._out.getvalue()

    def _write_extended(self, canvas: _Chunk) -> None:
        _, start, end = canvas
        if not _CANVAS_BYTES <= end - start <= self._end - start:
            raise self._broken(end, "its canvas has no size")
        flags = self._content[start]
        kept = flags & (_ALPHA | _ANIMATION)
        self._write(b"VP8X", bytes(4) + self._content[start + 4 : start + _CANVAS_BYTES])
        images = {b"ANIM", b"ANMF"} if flags & _ANIMATION else {b"ALPH", *_IMAGES}
        profile = {b"ICCP"} if flags & _PROFILE else set[bytes]()
        exif, has_profile = self._write_body(end + (end & 1), {b"EXIF", *images, *profile})
        if has_profile:
            kept |= _PROFILE
        if exif:
            self._write(b"EXIF", exif)
            kept |= _EXIF
        self._out.getbuffer()[_HEADER_BYTES + _CHUNK_BYTES] = kept

    def _write_body(self, at: int, wanted: set[bytes]) -> tuple[bytes, bool]:
        """Write what follows the canvas; return what is kept of the Exif, and whether there is a profile."""
        exif, has_profile, frames, has_image = b"", False, 0, False
        for chunk in self.chunks(at, self._end, wanted):
            kind, start, end = chunk
            if kind == b"ANMF":
                frames += 1
                if frames > MAX_FRAMES:
                    raise NotAPictureError(too_complex(f"more than {MAX_FRAMES:,} frames"))
                self._write_frame(chunk)
                continue
            wanted.discard(kind)
            if kind in _IMAGES:
                self._write_image(chunk, self._end)
                has_image = True
                wanted -= {b"ALPH", *_IMAGES}
            elif end > self._end:
                # No pixels can follow; if they were all there before, it is not missed.
                break
            elif kind == b"EXIF":
                exif = kept_exif(self._tiff(start, end), orientation=False)
            else:
                self._write(kind, self._view[start : start + _LOOP_BYTES if kind == b"ANIM" else end])
                has_profile |= kind == b"ICCP"
        if not (frames or has_image):
            raise self._broken(self._said, "it has no pixels")
        return exif, has_profile

    def _write_frame(self, frame: _Chunk) -> None:
        """Write a frame of an animation: its head, its transparency, its pixels (RFC 9649, 2.7.1.1)."""
        kind, start, end = frame
        if end > self._end:
            raise self._broken(end, "a frame of it goes beyond its end")
        at = self._out.tell()
        head = bytearray(self._view[start : start + _FRAME_BYTES])
        head[-1:] = bytes(flags & _FRAME_FLAGS for flags in head[-1:])
        self._write(kind, head)
        wanted = {b"ALPH", *_IMAGES}
        for chunk in self.chunks(start + _FRAME_BYTES, end, wanted):
            self._write_image(chunk, end)
            if chunk[0] in _IMAGES:
                self._set_size(at)
                return
            wanted.discard(b"ALPH")
        raise NotAPictureError(corrupt("a frame of it has no pixels"))

    def _write_image(self, chunk: _Chunk, limit: int) -> None:
        kind, start, end = chunk
        if end > limit:
            raise self._broken(end, "its pixels go beyond their place")
        self._write(kind, self._view[start:end])

    def _tiff(self, start: int, end: int) -> memoryview:
        has_prefix = self._content.startswith(_EXIF_PREFIX, start, end)
        return self._view[start + len(_EXIF_PREFIX) * has_prefix : end]

    def _write(self, kind: bytes, data: bytes | bytearray | memoryview) -> None:
        self._out.write(struct.pack("<4sI", kind, len(data)))
        self._out.write(data)
        self._out.write(bytes(len(data) & 1))

    def _set_size(self, at: int) -> None:
        """Say in the head of the chunk at `at` that it is as long as what was written behind it."""
        size = self._out.tell() - at - _CHUNK_BYTES
        self._out.getbuffer()[at + 4 : at + _CHUNK_BYTES] = struct.pack("<I", size)

    def _broken(self, end: int, what: str) -> NotAPictureError:
        """Return that the file is cut, if it ends before `end`; else what is wrong."""
        return NotAPictureError(truncated() if end > len(self._content) else corrupt(what))
