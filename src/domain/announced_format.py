"""Tells the format of a picture that is still to come, by what a client says of it."""

from domain.errors import FieldFault, InvalidFieldsError, UnsupportedFormatError
from domain.foreign_formats import FOREIGN_FORMATS, ForeignFormat
from domain.image import ImageFormat

FORMAT_BY_EXTENSION = {image_format.extension: image_format for image_format in ImageFormat} | {
    "jpeg": ImageFormat.JPEG,
    "jpe": ImageFormat.JPEG,
    "jfif": ImageFormat.JPEG,
}
FORMAT_BY_MEDIA_TYPE = {image_format.media_type: image_format for image_format in ImageFormat} | {
    "image/apng": ImageFormat.PNG,
}
GENERIC_MEDIA_TYPES = frozenset(
    {
        "",
        "*/*",
        "application/octet-stream",
        "application/unknown",
        "application/x-octet-stream",
        "binary/octet-stream",
        "image",
        "image/*",
        "image/unknown",
    }
)
"""What clients say that do not know: `image` is what Expo's picker calls a picture."""
MISSPELT_MEDIA_TYPES = {
    "image/jpg": ImageFormat.JPEG,
    "image/jpe": ImageFormat.JPEG,
    "image/jfif": ImageFormat.JPEG,
    "image/pjpeg": ImageFormat.JPEG,
    "image/pjpg": ImageFormat.JPEG,
    "image/x-jpeg": ImageFormat.JPEG,
    "image/x-jpg": ImageFormat.JPEG,
    "image/x-citrix-jpeg": ImageFormat.JPEG,
    "image/x-png": ImageFormat.PNG,
    "image/x-citrix-png": ImageFormat.PNG,
    "image/x-gif": ImageFormat.GIF,
    "image/x-webp": ImageFormat.WEBP,
    "image/x-avif": ImageFormat.AVIF,
}
"""What browsers, scripts and proxies have made of the registered names: Internet Explorer `image/pjpeg`."""

_FOREIGN_BY_EXTENSION = {extension: each for each in FOREIGN_FORMATS for extension in each.extensions}
_FOREIGN_BY_MEDIA_TYPE = {media_type: each for each in FOREIGN_FORMATS for media_type in each.media_types}


def announced_format(content_type: str, name: str) -> ImageFormat:
    """Return the format that a media type and a file name announce; the bytes are held to it later.

    The media type has the last word, unless it says nothing or is misspelt: then the name has it, and a
    misspelling where the name tells nothing. Parameters of the media type do not count.

    Raises:
        UnsupportedFormatError: a format is announced that this service does not take.
        InvalidFieldsError: none is.

    """
    media_type = content_type.partition(";")[0].strip().lower()
    is_vague = media_type in GENERIC_MEDIA_TYPES or media_type in MISSPELT_MEDIA_TYPES
    told = FORMAT_BY_MEDIA_TYPE.get(media_type) or _FOREIGN_BY_MEDIA_TYPE.get(media_type)
    if is_vague:
        told = _told_by_name(name) or MISSPELT_MEDIA_TYPES.get(media_type)
    if isinstance(told, ForeignFormat):
        raise UnsupportedFormatError(told.advice)
    if told is None:
        supported = ", ".join(image_format.media_type for image_format in ImageFormat)
        message = (
            f"Name the media type ({supported}); the file name does not tell it."
            if is_vague
            else f"Must be one of {supported}."
        )
        raise InvalidFieldsError((FieldFault("content_type", message),))
    return told


def _told_by_name(name: str) -> ImageFormat | ForeignFormat | None:
    extension = name.rpartition(".")[2].strip().lower()
    return FORMAT_BY_EXTENSION.get(extension) or _FOREIGN_BY_EXTENSION.get(extension)
