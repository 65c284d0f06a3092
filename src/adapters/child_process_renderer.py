"""Renders each picture in a process of its own, so that no picture can take the function with it."""

import base64
import re
from collections.abc import Iterator
from typing import Any

from adapters.child_process import Answer, ChildProcess, TookTooLongError
from domain.errors import NotRenderableError, UnsupportedFormatError
from domain.image import ImageFormat
from domain.image_signature import detect_format
from domain.ports import ImageRenderer, Rendered
from domain.recipe import MAX_HEIGHT_PX, Recipe
from domain.rendition import Placeholder, Rendition
from domain.text import clean_short_text

MAX_ANSWER_BYTES = 100_000_000
"""Of all files of a picture: twice what noise was seen to take, which cannot be compressed."""
_FORMATS = {each.name: each for each in (ImageFormat.AVIF, ImageFormat.JPEG, ImageFormat.WEBP)}
_MAX_HASH_BYTES = 25
_COLOR = re.compile(r"#[0-9a-f]{6}")


class ChildProcessRenderer:
    """Runs a renderer within the limits of a child process."""

    def __init__(self, renderer: ImageRenderer, *, max_seconds: float, max_memory_bytes: int) -> None:
        self._renderer = renderer
        self._child = ChildProcess(
            max_seconds=max_seconds, max_memory_bytes=max_memory_bytes, max_answer_bytes=MAX_ANSWER_BYTES
        )

    def render(self, content: bytes, image_format: ImageFormat, recipe: Recipe) -> Rendered:
        """Return what the renderer makes.

        Raises:
            NotRenderableError: it cannot be done, or not within the limits; the error says why.

        """
        try:
            answer = self._child.run(lambda: self.answer(content, image_format, recipe))
        except TookTooLongError:
            raise NotRenderableError(f"it takes more than {self._child.max_seconds:g} s") from None
        return _read(answer, recipe)

    def answer(self, content: bytes, image_format: ImageFormat, recipe: Recipe) -> Answer:
        """Render, and return the files with what they are, or why there are none (in the child)."""
        try:
            rendered = self._renderer.render(content, image_format, recipe)
        except NotRenderableError as error:
            return Answer({"why": error.why})
        except MemoryError:
            return Answer({"why": "it needs too much memory"})
        said = {
            "files": [
                [each.width_px, each.height_px, each.image_format.name, each.size_bytes, each.is_animated]
                for each, _ in rendered.files
            ],
            "thumbhash": base64.b64encode(rendered.placeholder.thumbhash).decode(),
            "color": rendered.placeholder.color,
            "has_alpha": rendered.has_alpha,
            "frames": rendered.frames,
        }
        return Answer(said, b"".join(content for _, content in rendered.files))


def _read(answer: Answer | None, recipe: Recipe) -> Rendered:
    """Read what the child said, and trust nothing in it."""
    why = "it breaks the decoder, or needs too much memory"
    match answer.said if answer else None:
        case {"why": str(said)} if told := clean_short_text(said):
            why = told
        case {
            "files": list(files),
            "thumbhash": str(thumbhash),
            "color": str(color),
            "has_alpha": bool(has_alpha),
            "frames": int(frames),
        } if _COLOR.fullmatch(color) and _are_numbers(frames):
            try:
                placeholder = Placeholder(_hash(thumbhash), color)
                read = tuple(_files(files, memoryview(answer.content), recipe)) if answer else ()
                return Rendered(read, placeholder, has_alpha, frames)
            except (ValueError, UnsupportedFormatError):
                pass
    raise NotRenderableError(why)


def _hash(text: str) -> bytes:
    thumbhash = base64.b64decode(text, validate=True)
    if len(thumbhash) > _MAX_HASH_BYTES:
        raise ValueError(text)
    return thumbhash


def _files(files: list[Any], content: memoryview, recipe: Recipe) -> Iterator[tuple[Rendition, bytes]]:
    """Yield the files that lie in `content`, one after the other; each must be what it is said to be.

    Raises:
        ValueError, UnsupportedFormatError: one is not, or they are not all that lies there.

    """
    names = set[str]()
    for said in files:
        rendition = _rendition(said, recipe)
        own, content = bytes(content[: rendition.size_bytes]), content[rendition.size_bytes :]
        if len(own) != rendition.size_bytes or detect_format(own) is not rendition.image_format:
            raise ValueError(rendition)
        names.add(rendition.name)
        yield rendition, own
    if content or not names or len(names) != len(files):
        raise ValueError(names)


def _rendition(said: object, recipe: Recipe) -> Rendition:
    match said:
        case [int(width), int(height), str(name), int(size_bytes), bool(is_animated)] if name in _FORMATS:
            is_small = width <= recipe.widest_px and height <= MAX_HEIGHT_PX
            if _are_numbers(width, height, size_bytes) and is_small:
                return Rendition(width, height, _FORMATS[name], size_bytes, is_animated)
    raise ValueError(said)


def _are_numbers(*values: int) -> bool:
    # To Python, truth values are integers.
    return all(value > 0 and not isinstance(value, bool) for value in values)
