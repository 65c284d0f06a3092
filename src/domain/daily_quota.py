"""Limits what one API key may upload in a day, against a script gone wild and a key that leaked.

What came to nothing does not count: an outage must not use up what a shop may upload.
"""

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from domain.errors import QuotaExceededError

if TYPE_CHECKING:
    from domain.ports import Clock, Quotas


class DailyQuota:
    """Counts uploads of each key by day, in UTC. A limit of 0 is none."""

    def __init__(self, quotas: "Quotas", limit: int, clock: "Clock") -> None:
        self._quotas = quotas
        self._limit = limit
        self._clock = clock

    def take(self, key_id: str, token: str) -> None:
        """Count one upload, known by its token.

        Raises:
            QuotaExceededError: the key has had its uploads for today.
            UnavailableError: it could not be counted.

        """
        if not self._limit:
            return
        now = self._clock().astimezone(UTC)
        if not self._quotas.take(key_id, now.date(), self._limit, token):
            midnight = datetime.combine(now.date() + timedelta(days=1), time(tzinfo=UTC))
            raise QuotaExceededError(self._limit, midnight - now)

    def give_back(self, key_id: str, token: str) -> None:
        """Take an upload that came to nothing off today's count.

        Raises:
            UnavailableError: it may still be counted.

        """
        if self._limit:
            self._quotas.give_back(key_id, self._clock().astimezone(UTC).date(), token)
