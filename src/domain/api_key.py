"""API keys: how one is made, checked without a look-up, and what its record says."""

import hashlib
import re
import secrets
import string
import zlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.user import User

_PREFIX = "pik_"
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET_LENGTH = 40
"""40 characters of 62 carry 238 bits of entropy; OWASP ASVS 5 (V6.5.3) asks for 128 at least."""
_CHECKSUM_LENGTH = 6
"""Six characters of 62 hold a CRC32, which notices every single mistyped character."""
_SHOWN_LENGTH = len(_PREFIX) + 6
_SHAPE = re.compile(rf"{_PREFIX}[0-9A-Za-z]{{{_SECRET_LENGTH + _CHECKSUM_LENGTH}}}")


class Role(StrEnum):
    """What the user of a key is to the shop."""

    ADMIN = "admin"
    STAFF = "staff"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """The record of a key. `prefix` is the part that people see; `expires_at` None means never.

    `issued_by` and `revoked_by` name operators; None of both, and of `revoked_at`, is what is not known of
    keys from before they were noted.
    """

    id: str
    user: User
    role: str
    is_active: bool
    expires_at: datetime | None
    created_at: datetime
    prefix: str
    issued_by: str | None
    revoked_by: str | None = None
    revoked_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Tell whether the key is active and has not expired at `now`."""
        return self.is_active and (self.expires_at is None or now < self.expires_at)


def generate_key() -> str:
    """Return a new key from the system's source of randomness."""
    return assemble_key("".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH)))


def assemble_key(secret: str) -> str:
    """Return the key around `secret`, which has 40 characters of 0-9, A-Z, a-z."""
    return f"{_PREFIX}{secret}{_checksum(secret)}"


def is_well_formed(key: str) -> bool:
    """Tell whether `key` has the shape and the checksum of one that `generate_key` made."""
    if not _SHAPE.fullmatch(key):
        return False
    return _checksum(key[len(_PREFIX) : -_CHECKSUM_LENGTH]) == key[-_CHECKSUM_LENGTH:]


def hash_key(key: str) -> str:
    """Return the SHA-256 of `key` in hexadecimal.

    A plain hash suffices: with 238 random bits there is nothing to guess (OWASP Cryptographic Storage).
    """
    return hashlib.sha256(key.encode()).hexdigest()


def key_id(key_hash: str) -> str:
    """Return the name of a key for operators: the beginning of its hash, 64 bits."""
    return key_hash[:16]


def shown_prefix(key: str) -> str:
    """Return the part of `key` by which a person recognises it."""
    return key[:_SHOWN_LENGTH]


def _checksum(secret: str) -> str:
    number, digits = zlib.crc32(secret.encode()), ""
    for _ in range(_CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
