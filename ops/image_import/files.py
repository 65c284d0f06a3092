"""Looks at a picture on this computer before it is sent."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from domain.errors import UnsupportedFormatError
from domain.image import ImageFormat
from domain.image_signature import detect_format

_BEGINNING_BYTES = 8_192 + 256
"""More than any signature takes (`domain.image_signature`)."""


class UnusableFileError(Exception):
    """A file cannot be put in; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A picture that is there: `sha256` in lower-case hexadecimal, the format told by its first bytes."""

    path: Path
    size_bytes: int
    sha256: str
    image_format: ImageFormat


def look_at(path: Path) -> FoundFile:
    """Read a file once, a piece at a time.

    Raises:
        UnusableFileError: it is not there, cannot be read, or is no picture that the service takes.

    """
    try:
        with path.open("rb") as stream:
            beginning = stream.read(_BEGINNING_BYTES)
            stream.seek(0)
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            size_bytes = stream.tell()
    except FileNotFoundError:
        slashes = " Write / between folders." if "\\" in str(path) else ""
        raise UnusableFileError(
            f"{path} is not there. Files are looked for beside the CSV.{slashes}"
        ) from None
    except ValueError:
        # A name with a NUL, of a CSV that is none.
        raise UnusableFileError(f"{path} is no name that a file can have. Look at the CSV.") from None
    except OSError as error:
        raise UnusableFileError(f"{path} cannot be read: {error.strerror}.") from error
    if not size_bytes:
        raise UnusableFileError(f"{path} is empty. Copy the image again.")
    try:
        return FoundFile(path, size_bytes, sha256, detect_format(beginning))
    except UnsupportedFormatError as error:
        raise UnusableFileError(str(error)) from error
