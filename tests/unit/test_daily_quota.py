from datetime import timedelta
from itertools import count

import pytest

from domain.daily_quota import DailyQuota
from domain.errors import QuotaExceededError
from tests.builders import NOW
from tests.fakes import InMemoryQuotas


class Day:
    """A quota under a clock that is set by hand."""

    def __init__(self, limit: int) -> None:
        self.now = NOW
        self._quota = DailyQuota(InMemoryQuotas(), limit, lambda: self.now)
        self._tokens = map(str, count())

    def take(self, key_id: str) -> str:
        token = next(self._tokens)
        self._quota.take(key_id, token)
        return token

    def give_back(self, key_id: str, token: str) -> None:
        self._quota.give_back(key_id, token)


def test_a_key_may_upload_as_often_as_is_allowed_and_no_more() -> None:
    day = Day(2)
    day.take("one")
    day.take("one")
    with pytest.raises(QuotaExceededError, match="may upload 2 images a day"):
        day.take("one")


def test_each_key_has_a_quota_of_its_own() -> None:
    day = Day(1)
    day.take("one")
    day.take("other")


def test_a_new_day_in_utc_begins_a_new_count_and_the_error_says_when() -> None:
    day = Day(1)
    day.take("one")
    with pytest.raises(QuotaExceededError) as exceeded:
        day.take("one")
    wait = exceeded.value.retry_after_seconds
    assert wait is not None
    day.now = NOW + timedelta(seconds=wait)
    assert day.now.date() > NOW.date()
    day.take("one")


def test_what_is_given_back_may_be_taken_again() -> None:
    day = Day(1)
    for _ in range(3):
        day.give_back("one", day.take("one"))
    day.take("one")
    with pytest.raises(QuotaExceededError):
        day.take("one")


def test_no_limit_counts_nothing() -> None:
    day = Day(0)
    for _ in range(3):
        day.give_back("one", day.take("one"))
