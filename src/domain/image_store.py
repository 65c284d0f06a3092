"""The role of what keeps the bytes of pictures, and what it promises; see `domain.ports`."""

from typing import TYPE_CHECKING, NamedTuple, Protocol

from domain.image import (
    ImageFormat,
    ImageRef,
    ProductImage,
    UploadStamp,
)

if TYPE_CHECKING:
    # Most functions need none of them, and start sooner without.
    from domain.rendition import Rendition


class ReceivedFile(NamedTuple):
    """What came in for a picture; `stamp` is there if the upload function wrote it.

    What has none was sent with a form, which a client may use more than once, or put there by hand.
    """

    content: bytes
    stamp: UploadStamp | None


class PublicCopy(NamedTuple):
    """What the public sees of a picture, and the SHA-256 of the file that it was made of, in hexadecimal."""

    content: bytes
    image_format: ImageFormat
    sha256: str


class ImageStore(Protocol):
    """Keeps the bytes of pictures: what came in, which nobody sees, and the copies that the public sees."""

    def put(self, image: ProductImage, content: bytes) -> None:
        """Write what came in with an upload, with the record's stamp, unless an earlier try has.

        Raises:
            BytesRefusedError: certainly nothing was written.
            UnavailableError: the outcome is unknown; the bytes may be there.

        """
        ...

    def received(self, ref: ImageRef) -> ReceivedFile | None:
        """Return what came in last, or None if nothing lies there."""
        ...

    def publish(self, ref: ImageRef, copy: PublicCopy) -> PublicCopy:
        """Let the public see a copy, and return what it sees: if there was one in this format, that one.

        Raises:
            UnavailableError: it may not have been written; try again.

        """
        ...

    def public_copy(self, ref: ImageRef) -> PublicCopy | None:
        """Return what the public sees, in whatever format, or None."""
        ...

    def shown(self, image: ProductImage) -> PublicCopy | None:
        """Return the public copy of a picture that is ready, or None."""
        ...

    def add_rendition(
        self, ref: ImageRef, recipe: str, rendition: "Rendition", content: bytes
    ) -> "Rendition":
        """Let the public see a file that was made of a picture, and return what it sees: the first one.

        Raises:
            UnavailableError: it may not have been written; try again.

        """
        ...

    def has_all_made(self, image: ProductImage) -> bool:
        """Tell whether all is there that was made of a picture, as its record says."""
        ...

    def is_public(self, ref: ImageRef) -> bool:
        """Tell whether the public sees anything of a picture."""
        ...

    def is_there(self, ref: ImageRef) -> bool:
        """Tell whether anything came in, or the public sees anything."""
        ...

    def discard_received(self, ref: ImageRef) -> None:
        """Remove what came in. That it cannot be removed is no error: it goes by itself some days later."""
        ...

    def unpublish(self, ref: ImageRef, keep: ImageFormat | None = None) -> None:
        """Let the public see nothing of the picture, or nothing but the copy in one format.

        What was made of a copy that is kept stays too.
        """
        ...

    def delete(self, image: ProductImage) -> None:
        """Remove what came in, the public copy and all that was made of it; what is not there is no error."""
        ...
