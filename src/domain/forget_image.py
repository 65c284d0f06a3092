"""Makes the CDN forget a picture that was deleted, before its copy there would expire."""

from domain.image import ImageRef
from domain.ports import PublicCache


class ForgetImage:
    """Makes the CDN forget pictures, by their address. Safe to repeat."""

    def __init__(self, public_cache: PublicCache) -> None:
        self._public_cache = public_cache

    def __call__(self, address: str, reason: str) -> ImageRef | None:
        """Return the picture whose addresses are forgotten; None if `address` is not a picture's.

        With the same `reason` nothing more is done; another one forgets what was kept since.
        Only a picture's address is passed on: a wrong one could empty the whole cache, and each costs money.

        Raises:
            UnavailableError: the cache takes no more for now; try again.

        """
        ref = ImageRef.from_address(address)
        if ref is not None:
            self._public_cache.forget(ref, reason)
        return ref
