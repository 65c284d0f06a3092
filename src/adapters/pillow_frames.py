"""Frames of a picture as a browser shows them: 8 bits, upright, in sRGB, at the size that is asked for."""

from PIL import Image, ImageFile

from adapters.pillow_colors import Colors
from adapters.pillow_pictures import SIDEWAYS, frame_count, orientation
from domain.public_copy.avif import shown_size

_BITS_AT, _DEEP = 24, 16
"""Where a PNG says how many bits a sample has (W3C PNG, 11.2.1)."""
_OPAQUE = 255
_REDUCING_GAP = 3.0
"""How much larger than asked for a first, coarse step leaves the picture: with 3.0 the eye sees no difference
(Pillow's handbook)."""
_TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What an orientation asks for (Exif 2.32, 4.6.4, tag 0x0112)."""


def scaled(pixels: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return the pixels at this size; transparent ones do not colour those around."""
    if pixels.size == size:
        return pixels
    # Lanczos takes half as long again, and its files are no nearer to the picture (docs/performance.md).
    return pixels.resize(size, Image.Resampling.BICUBIC, reducing_gap=_REDUCING_GAP)


class Frames:
    """The frames of an opened picture, none of which is decoded yet."""

    def __init__(self, picture: ImageFile.ImageFile, content: bytes, cmyk: bytes) -> None:
        """Keep what all frames of `content` share; `cmyk` is the profile of pixels that have none."""
        self._picture = picture
        self._orientation = orientation(picture)
        aperture = shown_size(content) if picture.format == "AVIF" else None
        self._stored_size = self._turned(aperture) if aperture else picture.size
        # Browsers show no more than that of an AVIF, nor of a GIF frame that is larger than those before.
        self._may_be_larger = picture.format in {"AVIF", "GIF"}
        self._colors = Colors(picture.info.get("icc_profile"), cmyk)
        if picture.format == "PNG":
            _scale_hidden(picture, content[_BITS_AT])
        # Of some animated PNGs the first picture is for programs that cannot move it.
        self._first = 1 if picture.info.get("default_image") else 0
        self.count = frame_count(picture) - self._first

    @property
    def plays(self) -> int:
        """How many times an animation is shown; 0 for again and again."""
        info = self._picture.info
        if self._picture.format != "GIF":
            return int(info.get("loop", 0))
        # A GIF says how often it is shown anew, if it is.
        again = info.get("loop")
        return 1 if again is None else again + 1 if again else 0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels as a browser shows them."""
        return self._turned(self._stored_size)

    def frame(self, index: int, size: tuple[int, int]) -> Image.Image:
        """Decode a frame and return it in RGB or RGBA, with nothing beside its pixels."""
        picture = self._picture
        if index == 0:
            # JPEG's decoder shrinks at no cost.
            picture.draft(None, self._turned(size))
        if picture.tell() != index + self._first:
            picture.seek(index + self._first)
        picture.load()
        pixels = _plain(picture)
        if self._may_be_larger and pixels.size != self._stored_size:
            pixels = pixels.crop((0, 0, *self._stored_size))
        pixels = self._colors.to_srgb(scaled(pixels, self._turned(size)))
        if self._orientation in _TURNED:
            pixels = pixels.transpose(_TURNED[self._orientation])
        if pixels is picture:
            pixels = pixels.copy()
        # JPEG's encoder would write a comment that it finds there, and others a profile.
        pixels.info = {}
        return pixels

    def duration_ms(self) -> int:
        """Return for how long the frame is shown that was decoded last."""
        return int(self._picture.info.get("duration", 0))

    def _turned(self, size: tuple[int, int]) -> tuple[int, int]:
        return (size[1], size[0]) if self._orientation in SIDEWAYS else size


def _scale_hidden(picture: Image.Image, bits: int) -> None:
    """Write the colour that a PNG hides as Pillow decodes it: to 8 bits, and only gray of 16 bits to 16."""
    hidden = picture.info.get("transparency")
    if isinstance(hidden, tuple) and bits == _DEEP:
        picture.info["transparency"] = tuple(value >> 8 for value in hidden)
    elif picture.mode == "L" and hidden is not None:
        picture.info["transparency"] = hidden * _OPAQUE // (2**bits - 1)


def _plain(picture: Image.Image) -> Image.Image:
    """Return decoded pixels as L, LA, RGB, RGBA or CMYK."""
    mode, hides = picture.mode, "transparency" in picture.info
    if mode in {"CMYK", "LA", "RGBA"}:
        return picture
    if mode == "I;16":
        return _of_16_bits(picture)
    if mode in {"1", "L"}:
        return picture.convert("LA" if hides else "L")
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def _of_16_bits(picture: Image.Image) -> Image.Image:
    # A plain convert cuts off what is above 255.
    gray = picture.point(lambda value: value * (1 / 257) + 0.5).convert("L")
    hidden = picture.info.get("transparency")
    if hidden is not None:
        alphas = [_OPAQUE] * 2**16
        alphas[hidden] = 0
        gray.putalpha(picture.convert("I").point(alphas, "L"))
    return gray
