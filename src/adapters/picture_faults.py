"""Why a public copy does not decode. Faults of its container were found before; decoders say little."""

from domain.failure import Failure
from domain.image import ImageFormat
from domain.public_copy.faults import corrupt, truncated


def claims_more_pixels(content: bytes, image_format: ImageFormat, max_pixels: int) -> bool:
    """Tell whether an AVIF claims to be larger; its decoder only says of one beyond its limit: no AVIF."""
    # Image spatial extents: name, version and flags, width, height (ISO/IEC 23008-12, 6.5.3).
    at = content.find(b"ispe") if image_format is ImageFormat.AVIF else -1
    if at < 0:
        return False
    width, height = int.from_bytes(content[at + 8 : at + 12]), int.from_bytes(content[at + 12 : at + 16])
    return width * height > max_pixels


def why_it_does_not_decode(image_format: ImageFormat, said: str) -> Failure:
    """Return what is wrong with a picture, by what the decoder `said`; its own words are not passed on."""
    if "runcated" in said:
        return truncated()
    is_broken = "broken data stream" in said
    return corrupt(
        "its pixel data breaks off" if is_broken else f"its {image_format.name} data does not decode"
    )
