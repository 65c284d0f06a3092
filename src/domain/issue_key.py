"""Makes an API key for a user and keeps its record; the key itself is shown once and never again."""

from datetime import datetime

from domain.api_key import ApiKey, Role, generate_key, hash_key, key_id, shown_prefix
from domain.ports import ApiKeys, Clock
from domain.user import User


class IssueKey:
    """Issues keys in the name of an operator, which their records keep."""

    def __init__(self, api_keys: ApiKeys, clock: Clock, operator: str) -> None:
        self._api_keys = api_keys
        self._clock = clock
        self._operator = operator

    def __call__(self, user: User, role: Role, expires_at: datetime | None = None) -> tuple[str, ApiKey]:
        """Return a new key, in plain text, and its record, of which only the key's hash is a part."""
        key = generate_key()
        key_hash = hash_key(key)
        record = ApiKey(
            id=key_id(key_hash),
            user=user,
            role=role,
            is_active=True,
            expires_at=expires_at,
            created_at=self._clock(),
            prefix=shown_prefix(key),
            issued_by=self._operator,
        )
        self._api_keys.add(key_hash, record)
        return key, record
