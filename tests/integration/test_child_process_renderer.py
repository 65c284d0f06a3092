"""Rendering in a process of its own: out of it come files, or a reason, and nothing else is believed."""

import base64
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from adapters.child_process import Answer, ChildProcess
from adapters.child_process_renderer import ChildProcessRenderer
from adapters.pillow_image_renderer import PillowImageRenderer
from domain.errors import NotRenderableError
from domain.image import ImageFormat
from domain.ports import ImageRenderer, Rendered
from domain.recipe import Recipe
from domain.rendition import Placeholder, Rendition
from handlers.render_image import RENDERER_MEMORY_BYTES, RENDERER_SECONDS
from tests.builders import jpeg, picture
from tests.torture.results import size

PLENTY = 4_000_000_000
AVIF, JPEG = picture("AVIF"), jpeg()
RENDERED = Rendered(
    (
        (Rendition(48, 32, ImageFormat.AVIF, len(AVIF)), AVIF),
        (Rendition(48, 32, ImageFormat.JPEG, len(JPEG)), JPEG),
    ),
    Placeholder(bytes(range(21)), "#b4533c"),
    has_alpha=False,
    frames=1,
)


class Misbehaving:
    """Does what is asked for when it is to render a picture."""

    def __init__(self, act: str = "work") -> None:
        self._act = act

    def render(self, *_: object) -> Rendered:
        match self._act:
            case "hang":
                time.sleep(60)
            case "swallow":
                bytearray(8_000_000_000)
            case "break":
                raise RuntimeError
            case "give up":
                why = "decoding it ended with OSError"
                raise NotRenderableError(why)
        return RENDERED


def limited(renderer: ImageRenderer, seconds: float = 60) -> ChildProcessRenderer:
    return ChildProcessRenderer(renderer, max_seconds=seconds, max_memory_bytes=PLENTY)


def render(renderer: ImageRenderer, seconds: float = 60) -> Rendered:
    return limited(renderer, seconds).render(JPEG, ImageFormat.JPEG, Recipe())


def test_files_come_out_of_a_process_of_their_own() -> None:
    assert render(Misbehaving()) == RENDERED


def test_megabytes_come_out_whole() -> None:
    class Large(Misbehaving):
        def render(self, *_: object) -> Rendered:
            content = AVIF + bytes(5_000_000)
            return RENDERED._replace(
                files=((Rendition(48, 32, ImageFormat.AVIF, len(content)), content), *RENDERED.files[1:])
            )

    assert render(Large()) == Large().render()


def test_pillow_renders_in_it() -> None:
    assert render(PillowImageRenderer(1_000_000)) == PillowImageRenderer(1_000_000).render(
        JPEG, ImageFormat.JPEG, Recipe()
    )


def test_what_moves_may_be_wider_than_every_still() -> None:
    frames = [Image.new("RGB", (300, 20), color) for color in ("red", "blue")]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], loop=0)
    recipe = Recipe(widths=(160,), fallback_widths=(160,))
    rendered = limited(PillowImageRenderer(1_000_000)).render(file.getvalue(), ImageFormat.GIF, recipe)
    assert [(each.width_px, each.is_animated) for each, _ in rendered.files] == [
        *[(160, False)] * 2,
        *[(300, True)] * 2,
    ]


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ("hang", "it takes more than 0.2 s"),
        ("swallow", "it needs too much memory"),
        ("break", "it breaks the decoder, or needs too much memory"),
        ("give up", "decoding it ended with OSError"),
    ],
)
def test_a_picture_that_misbehaves_is_not_rendered_and_does_no_harm(act: str, reason: str) -> None:
    with pytest.raises(NotRenderableError) as caught:
        render(Misbehaving(act), 0.2 if act == "hang" else 60)
    assert str(caught.value) == f"The image cannot be rendered: {reason}."


def test_what_the_child_answers_is_files_or_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhaust(*_: object) -> Rendered:
        raise MemoryError

    full = Misbehaving()
    monkeypatch.setattr(full, "render", exhaust)
    answers = [
        limited(each).answer(JPEG, ImageFormat.JPEG, Recipe())
        for each in (Misbehaving(), Misbehaving("give up"), full)
    ]
    assert answers[0].content == AVIF + JPEG
    assert [answer.said for answer in answers[1:]] == [
        {"why": "decoding it ended with OSError"},
        {"why": "it needs too much memory"},
    ]


SAID: dict[str, Any] = {
    "files": [[48, 32, "AVIF", len(AVIF), False]],
    "thumbhash": base64.b64encode(bytes(21)).decode(),
    "color": "#b4533c",
    "has_alpha": False,
    "frames": 1,
}


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Callable[[object, bytes], Rendered]:
    """Return what is read of a child that says something, with bytes behind it."""

    def read(said: object, content: bytes = AVIF) -> Rendered:
        words = said if isinstance(said, bytes) else json.dumps(said).encode() + b"\n"
        monkeypatch.setattr(ChildProcess, "_receive", lambda *_: words + content)
        return render(Misbehaving())

    return read


def test_a_usual_answer_is_believed(says: Callable[..., Rendered]) -> None:
    read = says(SAID)
    assert read.files == RENDERED.files[:1]
    assert says({**SAID, "files": [[2048, 16_383, "AVIF", len(AVIF), True]]}).files[0][0].is_animated


@pytest.mark.parametrize(
    ("said", "content"),
    [
        (b"", b""),
        (b"garbage", AVIF),
        ({}, AVIF),
        ({**SAID, "files": []}, AVIF),
        ({**SAID, "files": []}, b""),
        ({**SAID, "files": SAID["files"] * 2}, AVIF * 2),
        (SAID, AVIF + b"more"),
        (SAID, AVIF[:-1]),
        (SAID, b"<html>" + AVIF[6:]),
        (SAID, JPEG.ljust(len(AVIF), b"\0")[: len(AVIF)]),
        ({**SAID, "files": [[0, 32, "AVIF", len(AVIF), False]]}, AVIF),
        ({**SAID, "files": [[2049, 32, "AVIF", len(AVIF), False]]}, AVIF),
        ({**SAID, "files": [[48, 16_384, "AVIF", len(AVIF), False]]}, AVIF),
        ({**SAID, "files": [[True, 32, "AVIF", len(AVIF), False]]}, AVIF),
        ({**SAID, "files": [[48, 32, "AVIF", -1, False]]}, AVIF),
        ({**SAID, "files": [[48, 32, "GIF", len(AVIF), False]]}, AVIF),
        ({**SAID, "files": [[48, 32, "AVIF", len(AVIF), 1]]}, AVIF),
        ({**SAID, "files": ["AVIF"]}, AVIF),
        ({**SAID, "thumbhash": "!"}, AVIF),
        ({**SAID, "thumbhash": base64.b64encode(bytes(26)).decode()}, AVIF),
        ({**SAID, "color": "red"}, AVIF),
        ({**SAID, "color": "#b4533c\n"}, AVIF),
        ({**SAID, "has_alpha": 1}, AVIF),
        ({**SAID, "frames": 0}, AVIF),
        ({**SAID, "frames": True}, AVIF),
        ({"why": ""}, b""),
        ({"why": 1}, b""),
        ({"broke": "RuntimeError"}, b""),
    ],
    ids=repr,
)
def test_an_answer_that_cannot_be_is_a_picture_that_breaks_the_decoder(
    says: Callable[..., Rendered], said: object, content: bytes
) -> None:
    with pytest.raises(NotRenderableError, match="it breaks the decoder"):
        says(said, content)


def test_what_the_child_says_in_words_is_one_short_line(says: Callable[..., Rendered]) -> None:
    with pytest.raises(NotRenderableError) as caught:
        says({"why": "it is\n\x1b[31mred\u202e" + "o" * 3000})
    assert caught.value.why.startswith("it is [31mredoo")
    assert len(caught.value.why) == 255


def test_more_than_may_be_answered_is_no_answer() -> None:
    child = ChildProcess(max_seconds=30, max_memory_bytes=PLENTY, max_answer_bytes=100_000)
    assert child.run(lambda: Answer("small", bytes(90_000))) == Answer("small", bytes(90_000))
    assert child.run(lambda: Answer("large", bytes(100_000))) is None


_RENDER_ALL = """
import json, os, sys
from pathlib import Path
from adapters.child_process_renderer import ChildProcessRenderer
from adapters.pillow_image_renderer import PillowImageRenderer
from domain.image import ImageFormat
from domain.recipe import Recipe

pictures = [(ImageFormat[path.suffix[1:]], path.read_bytes()) for path in sorted(Path(sys.argv[1]).iterdir())]
renderer = ChildProcessRenderer(PillowImageRenderer(10**6), max_seconds=60, max_memory_bytes=10**9)
if os.geteuid() == 0:
    os.setuid(65_534)
print(json.dumps([len(renderer.render(content, format, Recipe()).files) for format, content in pictures]))
"""


def test_pillow_has_loaded_all_that_it_needs_and_needs_no_thread(tmp_path: Path) -> None:
    # In a process where no other test has loaded anything, as a user who may start nothing.
    pictures = [
        *((each.name, each.name, mode, 1) for each in ImageFormat for mode in ("RGB", "L")),
        *((name, name, "RGBA", frames) for name in ("PNG", "WEBP", "AVIF") for frames in (1, 3)),
        *(("GIF", "GIF", "P", 3), ("MPO", "JPEG", "RGB", 2), ("JPEG", "JPEG", "CMYK", 1)),
    ]
    for number, (name, suffix, mode, frames) in enumerate(pictures):
        (tmp_path / f"{number:02}.{suffix}").write_bytes(picture(name, 640, 480, mode, frames))
    done = subprocess.run(
        [sys.executable, "-c", _RENDER_ALL, tmp_path],
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, "PYTHONPATH": "src"},
    )
    assert done.returncode == 0, done.stderr
    counted = json.loads(done.stdout)
    # Three of AVIF and two for other browsers; and one or two that move.
    assert [min(count, 6) for count in counted] == [
        5 if each[3] == 1 or each[0] == "MPO" else 6 for each in pictures
    ]


LARGE = [
    ("WEBP", (1, 16_383)),
    ("JPEG", (1, 20_000)),
    ("JPEG", (20_000, 1)),
    ("WEBP", (12_000, 8_333)),
    ("JPEG", (12_000, 8_333)),
    ("PNG", (10_000, 10_000)),
    ("AVIF", (12_000, 8_333)),
]
"""Format, width and height: what is long, and what has as many pixels as are taken."""


@pytest.mark.torture("pictures of 100 megapixels, or 20,000 pixels long, that are rendered")
@pytest.mark.parametrize(("name", "extent"), size(LARGE, LARGE[:3], "large pictures that are rendered"))
def test_the_largest_picture_is_rendered_within_what_the_function_has(
    name: str, extent: tuple[int, int]
) -> None:
    content = io.BytesIO()
    fast = {"method": 0, "speed": 10}
    Image.linear_gradient("L").resize(extent).convert("RGB").save(content, name, **fast)
    renderer = ChildProcessRenderer(
        PillowImageRenderer(100_000_000),
        max_seconds=RENDERER_SECONDS,
        max_memory_bytes=RENDERER_MEMORY_BYTES,
    )
    rendered = renderer.render(content.getvalue(), ImageFormat[name], Recipe())
    assert {(each.width_px, each.height_px) for each, _ in rendered.files} >= {Recipe().base(*extent)}
