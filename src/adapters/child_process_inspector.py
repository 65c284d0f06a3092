"""Opens each picture in a process of its own, so that no picture can take the function with it."""

from typing import TYPE_CHECKING

from adapters.child_process import Answer, ChildProcess, TookTooLongError
from domain.errors import NotAPictureError
from domain.failure import Failure, read_failure_code
from domain.image import ImageFacts, ImageFormat
from domain.public_copy import load
from domain.text import clean_short_text

if TYPE_CHECKING:
    from domain.ports import ImageInspector

_SAVE_ANEW = "Save it again, smaller or with simpler settings."
_BROKEN = Failure("too_complex", f"The image breaks the decoder, or needs too much memory. {_SAVE_ANEW}")
_MAX_ANSWER_BYTES = 4096
"""Of facts, or of a sentence."""
_MODES = frozenset(
    "1 L P RGB RGBA CMYK YCbCr LAB HSV I F LA PA RGBX RGBa La I;16 I;16L I;16B I;16N".split()  # noqa: SIM905 - one line
)
"""All that Pillow knows (its handbook, "Concepts", "Modes")."""


class ChildProcessInspector:
    """Runs an inspector within the limits of a child process."""

    def __init__(
        self, inspector: "ImageInspector", *, max_pixels: int, max_seconds: float, max_memory_bytes: int
    ) -> None:
        """Take an answer for true only if it is of at most `max_pixels`, the limit of `inspector`."""
        self._inspector = inspector
        self._max_pixels = max_pixels
        self._child = ChildProcess(
            max_seconds=max_seconds, max_memory_bytes=max_memory_bytes, max_answer_bytes=_MAX_ANSWER_BYTES
        )

    def inspect(self, content: bytes, image_format: ImageFormat) -> ImageFacts:
        """Return what the inspector says.

        Raises:
            NotAPictureError: it does not decode, or not within the limits; its failure says why.

        """
        load(image_format)
        try:
            answer = self._child.run(lambda: self.answer(content, image_format))
        except TookTooLongError:
            reason = f"The image takes more than {self._child.max_seconds:g} s to decode. {_SAVE_ANEW}"
            raise NotAPictureError(Failure("too_complex", reason)) from None
        return self._read(answer)

    def answer(self, content: bytes, image_format: ImageFormat) -> Answer:
        """Inspect and return the facts, or why there are none (in the child)."""
        try:
            return Answer(self._inspector.inspect(content, image_format)._asdict())
        except NotAPictureError as error:
            return Answer(error.failure._asdict())
        except MemoryError:
            reason = f"The image needs too much memory to decode. {_SAVE_ANEW}"
            return Answer(Failure("too_complex", reason)._asdict())

    def _read(self, answer: Answer | None) -> ImageFacts:
        """Read what the child said, and trust nothing in it."""
        failure = _BROKEN
        match answer.said if answer else None:
            case {"code": str(code), "reason": str(said)} if reason := clean_short_text(said):
                failure = _failure(code, reason)
            case {"width_px": int(width), "height_px": int(height), "mode": str(mode)} if self._may_be(
                width, height, mode
            ):
                return ImageFacts(width, height, mode)
        raise NotAPictureError(failure)

    def _may_be(self, width: int, height: int, mode: str) -> bool:
        # To Python, truth values are integers.
        are_numbers = not isinstance(width, bool) and not isinstance(height, bool)
        if not are_numbers or min(width, height) < 1:
            return False
        return width * height <= self._max_pixels and mode in _MODES


def _failure(code: str, reason: str) -> Failure:
    try:
        return Failure(read_failure_code(code), reason)
    except ValueError:
        return _BROKEN
