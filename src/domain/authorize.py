"""Decides whether the holder of an API key may manage pictures."""

from typing import TYPE_CHECKING

from domain.api_key import ApiKey, Role, hash_key, is_well_formed
from domain.errors import RoleNotAllowedError, UnknownKeyError

if TYPE_CHECKING:
    # Not at run time: making the protocols of pictures would slow down the authorizer's cold starts.
    from domain.ports import ApiKeys, Clock

_ALLOWED_ROLES = frozenset({Role.STAFF, Role.ADMIN})


class Authorize:
    """Looks a key up by its hash and checks that it is good and its user allowed."""

    def __init__(self, api_keys: "ApiKeys", clock: "Clock") -> None:
        self._api_keys = api_keys
        self._clock = clock

    def __call__(self, key: str) -> ApiKey:
        """Return the record of a key whose user may manage pictures.

        Raises:
            UnknownKeyError: malformed (refused without a look-up), unknown, revoked or expired.
            RoleNotAllowedError: a good key of a user who is neither staff nor admin.

        """
        record = self._api_keys.find(hash_key(key)) if is_well_formed(key) else None
        if record is None or not record.is_valid(self._clock()):
            raise UnknownKeyError("The API key is not valid.")
        if record.role not in _ALLOWED_ROLES:
            raise RoleNotAllowedError(record.id)
        return record
