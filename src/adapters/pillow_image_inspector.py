"""Opens public copies with Pillow: every byte decoded, at bounded cost."""

from PIL import Image

from adapters.picture_faults import claims_more_pixels, why_it_does_not_decode
from adapters.pillow_pictures import (
    BROKEN,
    MAX_FRAMES,
    TOO_LARGE,
    frame_count,
    limit_pixels,
    opened,
    upright_size,
)
from domain.errors import NotAPictureError
from domain.failure import Failure
from domain.image import ImageFacts, ImageFormat
from domain.public_copy import load

_DRAFT_SCALE = 8
"""libjpeg can decode at 1/8: it still reads the whole stream, at a fraction of time and memory."""


class PillowImageInspector:
    """Decodes pictures of at most `max_pixels`; the limit holds for the whole process."""

    def __init__(self, max_pixels: int) -> None:
        self._max_pixels = max_pixels
        limit_pixels(max_pixels)

    def inspect(self, content: bytes, image_format: ImageFormat) -> ImageFacts:
        """Decode all frames (at most 500, and `max_pixels` in sum) and return the facts of the first."""
        try:
            with opened(content, image_format) as picture:
                facts = self._decode(picture)
        except TOO_LARGE as error:
            raise NotAPictureError(self._too_large()) from error
        except BROKEN as error:
            if claims_more_pixels(content, image_format, self._max_pixels):
                raise NotAPictureError(self._too_large()) from error
            raise NotAPictureError(why_it_does_not_decode(image_format, str(error))) from error
        if image_format is not ImageFormat.AVIF:
            return facts
        shown: tuple[int, int] | None = load(image_format).shown_size(content)
        return ImageFacts(*shown, facts.mode) if shown else facts

    def _too_large(self) -> Failure:
        limit = f"{self._max_pixels / 1_000_000:g}"
        return Failure("too_many_pixels", f"The image has more than {limit} megapixels. Scale it down.")

    def _decode(self, picture: Image.Image) -> ImageFacts:
        (width, height), mode, upright = picture.size, picture.mode, upright_size(picture)
        picture.draft(None, (max(1, width // _DRAFT_SCALE), max(1, height // _DRAFT_SCALE)))
        picture.load()
        self._decode_further_frames(picture, self._max_pixels - width * height)
        return ImageFacts(*upright, mode)

    @staticmethod
    def _decode_further_frames(picture: Image.Image, affordable_pixels: int) -> None:
        # What is beyond the limits is trusted.
        for index in range(1, min(MAX_FRAMES, frame_count(picture))):
            # A frame of a GIF may be larger than those before it.
            picture.seek(index)
            affordable_pixels -= picture.width * picture.height
            if affordable_pixels < 0:
                return
            picture.load()
