"""What moves, as an AVIF and a WebP that move."""

from collections.abc import Iterator

from adapters.pillow_encoding import encoded_moving
from adapters.pillow_frames import Frames
from adapters.pillow_pictures import MAX_FRAMES
from domain.image import ImageFormat
from domain.recipe import Recipe, animation
from domain.rendition import Rendition

_TOO_SHORT_MS, _USUAL_MS = 10, 100
"""Browsers take times up to the first for a mistake, and show such a frame for the second."""


def moving(frames: Frames, recipe: Recipe, max_pixels: int) -> Iterator[tuple[Rendition, bytes]]:
    """Yield the files of an animation; none for what does not move, or is more than is decoded."""
    width, height = frames.size
    if not 1 < frames.count <= MAX_FRAMES or frames.count * width * height > max_pixels:
        return
    size = animation(width, height, frames.count)
    pictures, durations = [], list[int]()
    for index in range(frames.count):
        pictures.append(frames.frame(index, size))
        shown_ms = frames.duration_ms()
        durations.append(shown_ms if shown_ms > _TOO_SHORT_MS else _USUAL_MS)
    has_alpha = any(picture.mode == "RGBA" for picture in pictures)
    pictures = [picture.convert("RGBA" if has_alpha else "RGB") for picture in pictures]
    # Pillow's AVIF never stops.
    formats = (ImageFormat.WEBP,) if frames.plays else (ImageFormat.AVIF, ImageFormat.WEBP)
    for image_format in formats:
        content = encoded_moving(pictures, durations, frames.plays, image_format, recipe)
        yield Rendition(*size, image_format, len(content), is_animated=True), content
