"""Has the public's cache forget a picture that was deleted, long before its time there is up."""

from domain.image import ImageRef
from domain.ports import PublicCache


class ForgetImage:
    """Has pictures forgotten, by their address. Safe to repeat: what is forgotten costs nothing more."""

    def __init__(self, public_cache: PublicCache) -> None:
        self._public_cache = public_cache

    def __call__(self, address: str) -> ImageRef | None:
        """Return the picture whose addresses are forgotten; None for an address that is none of a picture.

        Nothing else is passed on: one wrong address could empty the whole cache, and each is paid for.

        Raises:
            UnavailableError: the cache takes no more for now; try again.

        """
        ref = ImageRef.from_address(address)
        if ref is not None:
            self._public_cache.forget(ref)
        return ref
