"""What is known of a product, and what may become of it: of two words on it the later one counts."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Self

from domain.moments import later


class Stage(StrEnum):
    """Where a product stands; one that was removed is remembered for a while."""

    UNKNOWN = "unknown"
    PRESENT = "present"
    BEING_REMOVED = "being_removed"
    REMOVED = "removed"


class ProductRecord(NamedTuple):
    """A product as it was read.

    `occurred_at` is when the latest word on it was said, None if no time was. One that is being removed
    `is_wanted` if it was named again since: it comes back, with its `title`, when its removal is done.
    """

    product_id: int
    stage: Stage
    title: str | None = None
    occurred_at: datetime | None = None
    is_wanted: bool = False

    def has_heard(self, at: datetime, title: str | None, *, is_deletion: bool) -> bool:
        """Tell whether the same, or a later word was heard already.

        Of two that were said at the same moment the same one counts, in whatever order they come.
        """
        if self.occurred_at is None:
            return False
        is_gone = self.stage is not Stage.PRESENT and not self.is_wanted
        heard = (self.occurred_at, is_gone, self.title or "")
        return heard >= (at, is_deletion, title or "")

    def heard_now(self, now: datetime) -> datetime:
        """Return when a word said by hand `now` counts: after all others, whose clock may be ahead."""
        return later(now, self.occurred_at) if self.occurred_at else now

    def put(self, title: str | None, at: datetime) -> Self:
        """Return the product as it is once somebody has named it."""
        told = self._replace(title=title, occurred_at=self._latest(at))
        if self.stage is Stage.BEING_REMOVED:
            return told._replace(is_wanted=True)
        return told._replace(stage=Stage.PRESENT)

    def removed(self, at: datetime) -> Self:
        """Return the product as it is once somebody has removed it."""
        told = self._replace(title=None, occurred_at=self._latest(at), is_wanted=False)
        has_belongings = self.stage in {Stage.PRESENT, Stage.BEING_REMOVED}
        return told._replace(stage=Stage.BEING_REMOVED if has_belongings else Stage.REMOVED)

    def without_belongings(self) -> Self:
        """Return the product as it is at the end of its removal."""
        stage = Stage.PRESENT if self.is_wanted else Stage.REMOVED
        return self._replace(stage=stage, is_wanted=False)

    def _latest(self, at: datetime) -> datetime:
        return max(self.occurred_at or at, at)
