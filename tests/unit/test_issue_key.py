from datetime import timedelta

from domain.api_key import Role, hash_key, is_well_formed
from domain.authorize import Authorize
from domain.issue_key import IssueKey
from tests.builders import NOW, OPERATOR, USER, an_api_key
from tests.fakes import InMemoryApiKeys


def test_an_issued_key_opens_what_its_role_may() -> None:
    api_keys = InMemoryApiKeys()
    key, record = IssueKey(api_keys, lambda: NOW, OPERATOR)(USER, Role.STAFF)
    assert is_well_formed(key)
    assert Authorize(api_keys, lambda: NOW)(key) == record


def test_the_record_says_whose_the_key_is_and_how_people_recognise_it() -> None:
    expires_at = NOW + timedelta(days=90)
    key, record = IssueKey(InMemoryApiKeys(), lambda: NOW, OPERATOR)(USER, Role.ADMIN, expires_at)
    assert record == an_api_key(
        id=hash_key(key)[:16], role=Role.ADMIN, expires_at=expires_at, prefix=key[:10]
    )


def test_the_key_itself_is_never_kept() -> None:
    api_keys = InMemoryApiKeys()
    key, record = IssueKey(api_keys, lambda: NOW, OPERATOR)(USER, Role.STAFF)
    assert key not in repr(record)
    assert (api_keys.find(key), api_keys.find(hash_key(key))) == (None, record)
