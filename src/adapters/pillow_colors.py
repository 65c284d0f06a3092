"""The colours of a picture, as sRGB: what a browser takes a file without a profile to mean."""

import io
from pathlib import Path

from PIL import Image, ImageCms

_SPACES = {"L": "GRAY", "RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}
"""Which colour space a profile must be of (ICC.1:2022, table 19), by Pillow's mode of the pixels."""
_USUAL_CMYK = Path(__file__).with_name("CGATS001Compat-v2-micro.icc")
"""What presses in America print (SWOP): 8,464 bytes, CC0.

From https://github.com/saucecontrol/Compact-ICC-Profiles, as npm's pdfjs-dist 6.5.438 has it.
"""


def usual_cmyk() -> bytes:
    """Return the profile of CMYK pixels that have none."""
    return _USUAL_CMYK.read_bytes()


class Colors:
    """Turns the pixels of one picture into sRGB, as its profile says.

    A profile that is broken, or of another colour space than the pixels, is as good as none. Without one,
    gray and RGB are sRGB already, and CMYK is what `cmyk` says.
    """

    def __init__(self, profile: bytes | None, cmyk: bytes) -> None:
        self._profiles = (profile, cmyk)
        self._transforms = dict[str, ImageCms.ImageCmsTransform | None]()

    def to_srgb(self, pixels: Image.Image) -> Image.Image:
        """Return pixels of mode L, LA, RGB, RGBA or CMYK as RGB, or as RGBA with the same alpha."""
        if pixels.mode == "LA":
            gray, alpha = pixels.split()
            colored = self.to_srgb(gray)
            colored.putalpha(alpha)
            return colored
        if pixels.mode not in self._transforms:
            # Made once for all frames of an animation.
            self._transforms[pixels.mode] = self._transform(pixels.mode)
        transform = self._transforms[pixels.mode]
        if transform:
            return transform.apply(pixels)
        return pixels if pixels.mode in {"RGB", "RGBA"} else pixels.convert("RGB")

    def _transform(self, mode: str) -> ImageCms.ImageCmsTransform | None:
        source = next((found for each in self._profiles if (found := _source(each, mode))), None)
        if source is None:
            return None
        try:
            return ImageCms.buildTransform(
                source,
                ImageCms.createProfile("sRGB"),
                mode,
                "RGBA" if mode == "RGBA" else "RGB",
                ImageCms.Intent.RELATIVE_COLORIMETRIC,
                ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
        except ImageCms.PyCMSError:  # pragma: no cover - no file is at hand that opens and is refused here
            return None


def _source(profile: bytes | None, mode: str) -> ImageCms.ImageCmsProfile | None:
    if not profile:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except OSError:
        return None
    return source if source.profile.xcolor_space.strip() == _SPACES[mode] else None
