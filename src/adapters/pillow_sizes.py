"""One picture at many sizes."""

from PIL import Image

from adapters.pillow_frames import scaled

_ENOUGH = 2
"""From how many times the wanted size on nothing is seen of a step in between (docs/performance.md)."""


class Sizes:
    """Scales a picture to one size after the other, each from the smallest before it that is large enough."""

    def __init__(self, pixels: Image.Image) -> None:
        """Start with RGB or RGBA pixels of the largest size that is wanted."""
        self._pixels = pixels
        # As `resize` would turn all of it for each size anew: what is transparent has no part in the colours.
        self._scaled = [pixels.convert("RGBa") if pixels.mode == "RGBA" else pixels]

    @property
    def largest(self) -> tuple[int, int]:
        """Width and height that it started with, in pixels."""
        return self._pixels.size

    def at(self, size: tuple[int, int]) -> Image.Image:
        """Return it at this size, in the mode that it started with."""
        if size == self.largest:
            return self._pixels
        pixels = scaled(self._source(size), size)
        self._scaled.append(pixels)
        return pixels.convert("RGBA") if pixels.mode == "RGBa" else pixels

    def _source(self, size: tuple[int, int]) -> Image.Image:
        large = [each for each in self._scaled if _is_enough(each.size, size)]
        return min(large, key=lambda each: each.size, default=self._scaled[0])


def _is_enough(size: tuple[int, int], wanted: tuple[int, int]) -> bool:
    return all(side >= _ENOUGH * other for side, other in zip(size, wanted, strict=True))
