"""Reads a function's environment once, into a typed object."""

from collections.abc import Mapping
from dataclasses import dataclass, fields


class SettingsError(Exception):
    """The function's environment is incomplete; the message names the variable."""


@dataclass(frozen=True, slots=True)
class AuthorizeSettings:
    """What the authorizer needs to know."""

    keys_table: str


@dataclass(frozen=True, slots=True)
class UploadImageSettings:
    """What the upload function needs to know.

    `allowed_origins` are separated by commas; a `daily_upload_quota` of 0 is none.
    """

    table: str
    idempotency_table: str
    bucket: str
    stack: str
    allowed_origins: str
    max_direct_upload_bytes: int
    daily_upload_quota: int


@dataclass(frozen=True, slots=True)
class ReserveUploadSettings:
    """What the function that reserves uploads needs to know."""

    table: str
    idempotency_table: str
    bucket: str
    stack: str
    allowed_origins: str
    max_upload_bytes: int
    daily_upload_quota: int


@dataclass(frozen=True, slots=True)
class GallerySettings:
    """What the gallery function needs to know."""

    table: str
    bucket: str
    stack: str
    allowed_origins: str


@dataclass(frozen=True, slots=True)
class DescribeApiSettings:
    """What the function that describes the API needs to know."""

    allowed_origins: str


@dataclass(frozen=True, slots=True)
class ExtractMetadataSettings:
    """What the metadata function needs to know."""

    table: str
    bucket: str
    stack: str
    max_image_pixels: int


@dataclass(frozen=True, slots=True)
class ReconcileSettings:
    """What the reconciler needs to know."""

    table: str
    bucket: str
    stack: str
    extract_metadata_function: str


type Settings = (
    AuthorizeSettings
    | UploadImageSettings
    | ReserveUploadSettings
    | GallerySettings
    | DescribeApiSettings
    | ExtractMetadataSettings
    | ReconcileSettings
)


def read_settings[S: Settings](kind: type[S], environment: Mapping[str, str]) -> S:
    """Fill each field of `kind` from the variable of the same name in capitals.

    Raises:
        SettingsError: a variable is missing, or is no integer where one is needed.

    """
    values: dict[str, str | int] = {}
    for field in fields(kind):
        variable = field.name.upper()
        try:
            text = environment[variable]
            values[field.name] = int(text) if field.type is int else text
        except (KeyError, ValueError) as error:
            raise SettingsError(f"Set the environment variable {variable} of the function.") from error
    # Each value has the type that its field declares, which the type checker cannot see.
    return kind(**values)  # type: ignore[arg-type]
