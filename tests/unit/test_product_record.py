from datetime import timedelta

from domain.product_record import ProductRecord, Stage
from tests.builders import NOW

AHEAD = NOW + timedelta(hours=1)


def test_a_word_by_hand_is_said_now() -> None:
    assert ProductRecord(42, Stage.UNKNOWN).heard_now(NOW) == NOW
    assert ProductRecord(42, Stage.REMOVED, occurred_at=NOW - timedelta(days=1)).heard_now(NOW) == NOW


def test_a_word_by_hand_comes_after_one_of_a_clock_that_is_ahead() -> None:
    deleted = ProductRecord(42, Stage.PRESENT).removed(AHEAD).without_belongings()
    again = deleted.put("Shoe", deleted.heard_now(NOW))
    assert again.occurred_at == AHEAD + timedelta(microseconds=1)
    assert again.has_heard(AHEAD, None, is_deletion=True)
