"""Runs in a fresh process: makes the ladder of one picture, and prints what CPU time and memory it took."""

import io
import json
import re
import resource
from collections.abc import Callable, Iterable
from pathlib import Path

_KIB = 1024
_MAX_PIXELS = 100_000_000


def ours(picture: Path, folder: Path) -> None:
    """Render as the render function does, without its child process: it is all that costs."""
    from adapters.pillow_image_renderer import PillowImageRenderer  # noqa: PLC0415 - each its own
    from domain.image_signature import detect_format  # noqa: PLC0415 - as above
    from domain.recipe import Recipe  # noqa: PLC0415 - as above

    renderer = PillowImageRenderer(_MAX_PIXELS)
    content = picture.read_bytes()

    def run() -> Iterable[tuple[str, bytes]]:
        rendered = renderer.render(content, detect_format(content), Recipe())
        return [(rendition.name, made) for rendition, made in rendered.files]

    _measure(run, folder)


def obvious(picture: Path, folder: Path, files: list[tuple[str, str, int]]) -> None:
    """Render as Pillow's tutorial does: decode all, make each size of that, save it with the defaults."""
    from PIL import Image  # noqa: PLC0415 - as above

    # Loads all plugins, which a function does once and not for each picture.
    Image.init()

    def run() -> Iterable[tuple[str, bytes]]:
        with Image.open(picture) as opened:
            for name, kind, width in files:
                height = round(opened.height * width / opened.width)
                file = io.BytesIO()
                opened.resize((width, height), Image.Resampling.LANCZOS).save(file, kind)
                yield name, file.getvalue()

    _measure(run, folder)


def _measure(run: Callable[[], Iterable[tuple[str, bytes]]], folder: Path) -> None:
    started = _cpu_seconds()
    made = list(run())
    spent = _cpu_seconds() - started
    peak = _peak_bytes()
    for name, content in made:
        (folder / name).write_bytes(content)
    print(json.dumps({"cpu_seconds": spent, "peak_bytes": peak}))


def _peak_bytes() -> int:
    # The usage that `getrusage` tells begins with that of the process that started this one.
    [kib] = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(kib) * _KIB


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
