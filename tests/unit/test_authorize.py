from datetime import datetime, timedelta
from typing import override

import pytest

from domain.api_key import ApiKey, Role, assemble_key, generate_key, hash_key
from domain.authorize import Authorize
from domain.errors import RoleNotAllowedError, UnavailableError, UnknownKeyError
from tests.builders import NOW, an_api_key
from tests.fakes import InMemoryApiKeys

KEY = assemble_key("EXAMPLEauthorizeEXAMPLEauthorizeEXAMPLE1")


class UnreachableApiKeys(InMemoryApiKeys):
    @override
    def find(self, key_hash: str) -> ApiKey | None:
        raise UnavailableError


def authorize(record: ApiKey, now: datetime = NOW) -> Authorize:
    api_keys = InMemoryApiKeys()
    api_keys.add(hash_key(KEY), record)
    return Authorize(api_keys, lambda: now)


@pytest.mark.parametrize("role", [Role.STAFF, Role.ADMIN, "staff", "admin"])
def test_staff_and_administrators_may_manage_pictures(role: str) -> None:
    record = an_api_key(role=role)
    assert authorize(record)(KEY) == record


@pytest.mark.parametrize("role", [Role.CUSTOMER, "customer", "ADMIN", "owner", ""])
def test_anyone_else_may_not(role: str) -> None:
    with pytest.raises(RoleNotAllowedError):
        authorize(an_api_key(role=role))(KEY)


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(UnknownKeyError):
        authorize(an_api_key())(generate_key())


@pytest.mark.parametrize("role", [Role.STAFF, Role.CUSTOMER])
def test_a_revoked_key_is_refused_whatever_its_role(role: Role) -> None:
    with pytest.raises(UnknownKeyError):
        authorize(an_api_key(is_active=False, role=role))(KEY)


def test_a_key_is_good_until_the_moment_it_expires() -> None:
    record = an_api_key(expires_at=NOW)
    assert authorize(record, NOW - timedelta(microseconds=1))(KEY) == record
    with pytest.raises(UnknownKeyError):
        authorize(record, NOW)(KEY)


@pytest.mark.parametrize("key", ["", "pik_", KEY[:-1], KEY + "x", "nonsense", "\u00e9\ud800"])
def test_a_malformed_key_is_refused_without_a_look_up(key: str) -> None:
    with pytest.raises(UnknownKeyError):
        Authorize(UnreachableApiKeys(), lambda: NOW)(key)


def test_a_well_formed_key_is_looked_up() -> None:
    with pytest.raises(UnavailableError):
        Authorize(UnreachableApiKeys(), lambda: NOW)(KEY)
