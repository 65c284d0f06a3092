import hashlib
import re
import string
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.api_key import generate_key, hash_key, is_well_formed, key_id, shown_prefix
from tests.builders import NOW, an_api_key

LETTERS = string.ascii_letters + string.digits


def test_a_new_key_has_a_prefix_a_secret_and_a_checksum() -> None:
    assert re.fullmatch(r"pik_[0-9A-Za-z]{40}[0-9A-Za-z]{6}", generate_key())


@given(st.builds(generate_key))
def test_every_new_key_is_well_formed(key: str) -> None:
    assert is_well_formed(key)


def test_no_key_comes_twice() -> None:
    assert len({generate_key() for _ in range(100)}) == 100


@given(st.builds(generate_key), st.integers(0, 49), st.sampled_from(LETTERS + "_-\u00e9"))
def test_a_key_with_one_character_changed_is_not_well_formed(key: str, place: int, character: str) -> None:
    changed = key[:place] + character + key[place + 1 :]
    assert is_well_formed(changed) == (changed == key)


@given(st.text(max_size=60))
def test_a_text_that_is_no_key_is_not_well_formed(text: str) -> None:
    assert not is_well_formed(text)


@pytest.mark.parametrize(
    "change", [str.lower, str.upper, lambda key: key[:-1], lambda key: key + "\n", lambda key: " " + key]
)
def test_a_key_that_was_mangled_on_the_way_is_not_well_formed(change: Callable[[str], str]) -> None:
    assert not is_well_formed(change("pik_" + "aB" * 20 + "000000"))
    key = generate_key()
    assert not is_well_formed(change(key))


def test_a_key_is_kept_by_its_sha_256_and_named_by_the_beginning_of_it() -> None:
    key_hash = hash_key("pik_abc")
    assert key_hash == hashlib.sha256(b"pik_abc").hexdigest()
    assert key_id(key_hash) == key_hash[:16]


def test_people_see_six_characters_of_a_secret() -> None:
    assert shown_prefix("pik_abcdefghij") == "pik_abcdef"


@pytest.mark.parametrize(
    ("is_active", "expires_in", "is_valid"),
    [
        (True, None, True),
        (True, timedelta(microseconds=1), True),
        (True, timedelta(0), False),
        (True, timedelta(days=-1), False),
        (False, None, False),
        (False, timedelta(days=1), False),
    ],
)
def test_a_key_is_valid_while_it_is_active_and_not_expired(
    is_active: bool, expires_in: timedelta | None, is_valid: bool
) -> None:
    expires_at = None if expires_in is None else NOW + expires_in
    assert an_api_key(is_active=is_active, expires_at=expires_at).is_valid(NOW) is is_valid
