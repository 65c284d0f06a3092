"""What the public sees of a picture: its sizes and formats, and what stands in its place while it loads."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    # The record of a picture holds these.
    from domain.image import ImageFormat, ImageRef


# No dataclasses: see `domain.image.ImageRef`.
class Rendition(NamedTuple):
    """One file made of a picture: its size in pixels as a browser shows it, its format, its bytes."""

    width_px: int
    height_px: int
    image_format: "ImageFormat"
    size_bytes: int
    is_animated: bool = False

    @property
    def name(self) -> str:
        """Name of the file among the others of the same picture and recipe."""
        kind = "-animated" if self.is_animated else ""
        return f"{self.width_px}{kind}.{self.image_format.extension}"

    def path(self, ref: "ImageRef", recipe: str) -> str:
        """Path of the file below the media root: a folder for each picture, in it one for each recipe."""
        return f"{ref.path}/{recipe}/{self.name}"


class Placeholder(NamedTuple):
    """What is shown until a picture has loaded: its ThumbHash (25 bytes at most), and `#rrggbb`."""

    thumbhash: bytes
    color: str


class Look(NamedTuple):
    """What was made of a ready picture by one recipe: one value, on every way in and out.

    Stills come first, by format and then from narrow to wide; what moves, if the picture does, stands behind
    them. `frames` is how many the picture itself has.
    """

    recipe: str
    renditions: tuple[Rendition, ...]
    placeholder: Placeholder
    has_alpha: bool
    frames: int
    is_only: bool = True
    """Whether no other recipe ever made files of the picture, so that there are none but these."""

    def path(self, ref: "ImageRef", rendition: Rendition) -> str:
        """Path of a file below the media root."""
        return rendition.path(ref, self.recipe)
