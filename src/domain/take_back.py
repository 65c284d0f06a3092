"""Takes back what the public sees of a picture that is gone, because a run that was slow wrote it."""

from typing import TYPE_CHECKING

from domain.image import ImageRef

if TYPE_CHECKING:
    from domain.image_store import ImageStore
    from domain.ports import ImageEvents


def take_back(ref: ImageRef, store: "ImageStore", events: "ImageEvents") -> None:
    """Let the public see nothing of a picture that is gone, or going, and its cache forget it once more.

    The deletion was told before, perhaps, and the cache may have kept what came after that. It is told first,
    and takes effect some seconds later: a try that ends in between leaves bytes, which the next one finds.

    Raises:
        UnavailableError: it may still be public; try again.

    """
    if store.is_public(ref):
        events.send_taken_back(ref)
        store.unpublish(ref)
