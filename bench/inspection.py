"""Runs in a fresh process: inspects one picture, and prints the CPU time and memory that this took.

What the process has loaded by then is not the picture's, so memory is what came on top of it.
"""

import hashlib
import io
import json
import re
import resource
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.child_process_inspector import ChildProcessInspector
    from domain.ports import ImageInspector

_KIB = 1024
_PEAK = re.compile(r"VmHWM:\s+(\d+)")
_RESIDENT = re.compile(r"VmRSS:\s+(\d+)")

_MAX_SECONDS = 8
_MAX_MEMORY_BYTES = 1_800_000_000
_MAX_PIXELS = 100_000_000
"""The metadata function's limits."""


def load_with_pillow(path: Path) -> None:
    """Decode a picture as Pillow's tutorial does."""
    from PIL import Image  # noqa: PLC0415 - each contender imports its own

    Image.preinit()
    _measure(lambda: _load(Image.open(path)), lambda: 0)


def _load(picture: object) -> None:
    picture.load()  # type: ignore[attr-defined]


def inspect(path: Path, image_format: str) -> None:
    """Inspect a picture as the metadata function does: read whole, copied, decoded by a child process."""
    from adapters.pillow_image_inspector import PillowImageInspector  # noqa: PLC0415 - as above
    from domain.errors import NotAPictureError  # noqa: PLC0415 - as above
    from domain.image import ImageFacts, ImageFormat  # noqa: PLC0415 - as above
    from domain.public_copy import public_copy  # noqa: PLC0415 - as above

    pillow = PillowImageInspector(_MAX_PIXELS)
    grown_bytes = 0

    class Watched:
        """The inspector, telling as the width how many KiB came on top in the child."""

        def inspect(self, content: bytes, image_format: ImageFormat) -> ImageFacts:
            before = _peak_of_process()
            # A refusal is an answer too, and what it costs is measured.
            with suppress(NotAPictureError):
                pillow.inspect(content, image_format)
            return ImageFacts(max(_peak_of_process() - before, 1), 1, "L")

    inspector = _limited(Watched())

    def run() -> None:
        nonlocal grown_bytes
        content = path.read_bytes()
        hashlib.sha256(content).hexdigest()
        copied = public_copy(content, ImageFormat[image_format])
        grown_bytes = inspector.inspect(copied, ImageFormat[image_format]).width_px * _KIB

    _measure(run, lambda: grown_bytes)


def _limited(inspector: "ImageInspector") -> "ChildProcessInspector":
    from adapters.child_process_inspector import ChildProcessInspector  # noqa: PLC0415 - as above

    return ChildProcessInspector(
        inspector, max_pixels=_MAX_PIXELS, max_seconds=_MAX_SECONDS, max_memory_bytes=_MAX_MEMORY_BYTES
    )


def copy(path: Path, image_format: str) -> None:
    """Make the public copy of a picture, and the SHA-256 of what was sent."""
    from domain.image import ImageFormat  # noqa: PLC0415 - as above
    from domain.public_copy import public_copy  # noqa: PLC0415 - as above

    content = path.read_bytes()
    kind = ImageFormat[image_format]
    _measure(lambda: (hashlib.sha256(content).hexdigest(), public_copy(content, kind)), lambda: 0)


def read(path: Path, _: str) -> None:
    """Read a picture as a whole, as an inspection has to."""
    _measure(path.read_bytes, lambda: 0)


def start_child(path: Path, image_format: str) -> None:
    """Start and end the decoder's child process beside a picture in memory, and decode nothing."""
    from domain.image import ImageFacts, ImageFormat  # noqa: PLC0415 - as above

    class Idle:
        """An inspector that knows the answer."""

        def inspect(self, content: bytes, _: ImageFormat) -> ImageFacts:
            return ImageFacts(len(content), 1, "L")

    content = path.read_bytes()
    inspector = _limited(Idle())
    _measure(lambda: inspector.inspect(content, ImageFormat[image_format]), lambda: 0)


def decode(path: Path, image_format: str) -> None:
    """Decode a picture in memory as an inspection does, in this process."""
    from adapters.pillow_image_inspector import PillowImageInspector  # noqa: PLC0415 - as above
    from domain.image import ImageFormat  # noqa: PLC0415 - as above

    content = path.read_bytes()
    inspector = PillowImageInspector(_MAX_PIXELS)
    _measure(lambda: inspector.inspect(content, ImageFormat[image_format]), lambda: 0)


def decode_luminance(path: Path, _: str) -> None:
    """Decode a JPEG in memory as small as an inspection does, and to luminance alone."""
    from PIL import Image  # noqa: PLC0415 - as above

    content = path.read_bytes()
    Image.preinit()

    def run() -> None:
        picture = Image.open(io.BytesIO(content))
        picture.draft("L", (1, 1))
        picture.load()

    _measure(run, lambda: 0)


def _measure(run: Callable[[], object], peak_of_child: Callable[[], int]) -> None:
    base = _reset_peak()
    started = _cpu_seconds()
    run()
    spent = _cpu_seconds() - started
    growth = _peak() - base + peak_of_child()
    print(json.dumps({"cpu_seconds": spent, "growth_bytes": growth, "peak_bytes": base + growth}))


def _cpu_seconds() -> float:
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _reset_peak() -> int:
    """Let the peak begin anew (proc(5), clear_refs) and return the resident memory now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status(_RESIDENT)


def _peak_of_process() -> int:
    """Return the peak in KiB, by a way that needs no file."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _peak() -> int:
    return _status(_PEAK)


def _status(figure: re.Pattern[str]) -> int:
    found = figure.search(Path("/proc/self/status").read_text())
    return int(found[1]) * _KIB if found else 0
