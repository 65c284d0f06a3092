"""Times as they are kept: in UTC, to the microsecond."""

from datetime import UTC, datetime, timedelta

_TICK = timedelta(microseconds=1)
"""The smallest step of the times that are kept."""


def later(now: datetime, than: datetime) -> datetime:
    """Return `now`, or the next moment after `than` where this machine's clock is behind another's."""
    return max(now, than + _TICK)


def iso_utc(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC with microseconds, so that text sorts as time does."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
