from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, override

import pytest

from domain.begun import Begun
from domain.claim import BegunPicture, Claim
from domain.errors import (
    DomainError,
    InvalidFieldsError,
    KeyInUseError,
    KeyReusedError,
    OutcomeUnknownError,
    ProductNotFoundError,
    QuotaExceededError,
    UnavailableError,
)
from domain.once_per_key import KEPT, KeyedRequest
from tests.builders import KEY_ID, NOW
from tests.fakes import InMemoryIdempotencyKeys, InMemoryQuotas
from tests.use_cases import once_per_key_with

TIME_LEFT = timedelta(seconds=28)
QUOTA = 3
FIRST, SECOND = BegunPicture(1, NOW), BegunPicture(2, NOW)
KILLED = KeyboardInterrupt
"""Not an `Exception`: nothing runs after it, as in a process that was killed."""


class FlakyKeys(InMemoryIdempotencyKeys):
    """Does what it is asked, or not, and cannot say so."""

    def __init__(self) -> None:
        super().__init__()
        self.lost_replies: set[str] = set()
        self.lost_requests: set[str] = set()

    @override
    def claim(self, key: str, claim: Claim, over: Claim | None = None) -> Claim | None:
        call = "claim over" if over else "claim"
        self._lose(self.lost_requests, call)
        found = super().claim(key, claim, over)
        self._lose(self.lost_replies, call)
        return found

    @override
    def keep(self, key: str, token: str, answer: Mapping[str, Any]) -> None:
        self._lose(self.lost_requests, "keep")
        super().keep(key, token, answer)
        self._lose(self.lost_replies, "keep")

    @override
    def let_go(self, key: str, token: str, *, is_counted: bool) -> None:
        self._lose(self.lost_requests, "let_go")
        super().let_go(key, token, is_counted=is_counted)

    @override
    def forget(self, key: str, token: str) -> None:
        self._lose(self.lost_requests, "forget")
        super().forget(key, token)

    @staticmethod
    def _lose(lost: set[str], call: str) -> None:
        if call in lost:
            raise UnavailableError


@dataclass
class Shop:
    """Requests with one key, which make pictures as they come, or end in the errors that are named."""

    keys: FlakyKeys = field(default_factory=FlakyKeys)
    quotas: InMemoryQuotas = field(default_factory=InMemoryQuotas)
    passed: timedelta = timedelta(0)
    errors: list[BaseException] = field(default_factory=list)
    done: list[BegunPicture] = field(default_factory=list)
    """The picture of each try that was not kept from running."""
    earlier: list[BegunPicture | None] = field(default_factory=list)
    begins_anew: bool = False
    """Whether nothing came of the earlier picture."""

    def __post_init__(self) -> None:
        self._once_per_key = once_per_key_with(self.keys, self.quotas, QUOTA, lambda: NOW + self.passed)

    def send(self, key: str | None = "a", request: str = "A") -> dict[str, Any]:
        sent = KeyedRequest(key, request, TIME_LEFT) if key else None
        answer, is_replayed = self._once_per_key(KEY_ID, sent, self._begin)
        return {**answer, "is_replayed": is_replayed}

    def send_and_fail(self, error: BaseException, key: str | None = "a") -> None:
        self.errors.append(error)
        with pytest.raises(type(error)):
            self.send(key)

    @property
    def counted(self) -> int:
        return self.quotas.counts[KEY_ID, NOW.date()]

    def _begin(self, earlier: BegunPicture | None) -> Begun[dict[str, Any]]:
        self.earlier.append(earlier)
        first = FIRST if FIRST not in self.done else SECOND
        picture = earlier if earlier and not self.begins_anew else first
        return Begun(picture, lambda: self._finish(picture))

    def _finish(self, picture: BegunPicture) -> dict[str, Any]:
        self.done.append(picture)
        if self.errors:
            raise self.errors.pop()
        return {"id": picture.image_id}


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_the_same_request_again_is_answered_as_before_and_not_done_again(shop: Shop) -> None:
    assert shop.send() == {"id": 1, "is_replayed": False}
    assert [shop.send(), shop.send()] == [{"id": 1, "is_replayed": True}] * 2
    assert (shop.done, shop.counted) == ([FIRST], 1)


def test_another_key_is_another_request(shop: Shop) -> None:
    assert [shop.send("a")["id"], shop.send("b")["id"]] == [1, 2]
    assert shop.counted == 2


def test_without_a_key_each_request_is_done_and_counted(shop: Shop) -> None:
    assert [shop.send(None)["id"], shop.send(None)["id"]] == [1, 2]
    assert (shop.keys.claims, shop.counted) == ({}, 2)


def test_another_request_with_the_same_key_is_refused(shop: Shop) -> None:
    shop.send()
    with pytest.raises(KeyReusedError):
        shop.send(request="B")
    assert (shop.done, shop.counted) == ([FIRST], 1)


def test_a_key_is_free_again_after_a_day(shop: Shop) -> None:
    shop.send()
    shop.passed = KEPT - timedelta(seconds=1)
    assert shop.send()["is_replayed"]
    shop.passed = KEPT
    assert shop.send(request="B") == {"id": 2, "is_replayed": False}
    assert shop.send(request="B") == {"id": 2, "is_replayed": True}
    # A new one, not one that it goes on with.
    assert FIRST not in shop.earlier


def test_a_request_whose_function_was_killed_is_gone_on_with_once_that_cannot_run_any_more(
    shop: Shop,
) -> None:
    shop.send_and_fail(KILLED())
    shop.passed = TIME_LEFT - timedelta(milliseconds=1)
    with pytest.raises(KeyInUseError):
        shop.send()
    shop.passed = TIME_LEFT
    assert shop.send() == {"id": 1, "is_replayed": False}
    assert shop.send() == {"id": 1, "is_replayed": True}
    assert shop.counted == 1


def test_another_request_does_not_get_the_key_of_one_whose_function_was_killed(shop: Shop) -> None:
    shop.send_and_fail(KILLED())
    shop.passed = TIME_LEFT
    with pytest.raises(KeyReusedError):
        shop.send(request="B")


@pytest.mark.parametrize("error", [UnavailableError(), OutcomeUnknownError(), RuntimeError()])
def test_a_request_that_failed_by_our_fault_is_gone_on_with_at_once(shop: Shop, error: Exception) -> None:
    shop.send_and_fail(error)
    shop.send_and_fail(error)
    assert shop.send() == {"id": 1, "is_replayed": False}
    assert (shop.done, shop.counted) == ([FIRST] * 3, 1)


def test_what_is_wrong_with_a_request_is_found_before_the_key_is_claimed(shop: Shop) -> None:
    def refuse(_earlier: BegunPicture | None) -> Begun[dict[str, Any]]:
        raise InvalidFieldsError(())

    once_per_key = once_per_key_with(shop.keys, shop.quotas, QUOTA)
    for sent in (KeyedRequest("a", "A", TIME_LEFT), None):
        with pytest.raises(InvalidFieldsError):
            once_per_key(KEY_ID, sent, refuse)
    assert (shop.keys.claims, shop.counted) == ({}, 0)


def test_a_request_that_is_refused_leaves_the_key_to_any_other(shop: Shop) -> None:
    shop.send_and_fail(ProductNotFoundError(43))
    assert shop.keys.claims == {}
    assert shop.send(request="B")["is_replayed"] is False
    assert shop.counted == 1


def test_a_retry_that_is_refused_does_not_forget_the_picture_that_was_begun(shop: Shop) -> None:
    shop.send_and_fail(OutcomeUnknownError())
    shop.send_and_fail(ProductNotFoundError(43))
    assert shop.send()["id"] == 1


@pytest.mark.parametrize("lost", ["lost_requests", "lost_replies"])
def test_a_claim_that_nobody_heard_of_holds_nobody_up(shop: Shop, lost: str) -> None:
    setattr(shop.keys, lost, {"claim"})
    with pytest.raises(UnavailableError):
        shop.send()
    assert (shop.done, shop.counted) == ([], 0)
    setattr(shop.keys, lost, set())
    assert shop.send()["id"] == 1
    assert shop.counted == 1


@pytest.mark.parametrize("lost", ["lost_requests", "lost_replies"])
def test_a_claim_for_a_retry_that_nobody_heard_of_keeps_picture_and_count(shop: Shop, lost: str) -> None:
    shop.send_and_fail(OutcomeUnknownError())
    setattr(shop.keys, lost, {"claim over"})
    with pytest.raises(UnavailableError):
        shop.send()
    setattr(shop.keys, lost, set())
    assert shop.send()["id"] == 1
    assert shop.counted == 1


@pytest.mark.parametrize("lost", ["lost_requests", "lost_replies"])
def test_an_answer_that_could_not_be_kept_is_found_out_by_a_retry(shop: Shop, lost: str) -> None:
    setattr(shop.keys, lost, {"keep"})
    with pytest.raises(OutcomeUnknownError):
        shop.send()
    setattr(shop.keys, lost, set())
    assert shop.send()["id"] == 1
    assert (set(shop.done), shop.counted) == ({FIRST}, 1)


@pytest.mark.parametrize("error", [UnavailableError(), ProductNotFoundError(43)])
def test_a_key_that_cannot_be_given_up_does_not_hide_what_became_of_the_request(
    shop: Shop, error: DomainError
) -> None:
    shop.keys.lost_requests = {"let_go", "forget"}
    shop.send_and_fail(error)
    with pytest.raises(KeyInUseError):
        shop.send()
    shop.passed = TIME_LEFT
    assert shop.send()["id"] == 1


def during_the_next_look(shop: Shop, do: Callable[[], object]) -> None:
    """Do something while a retry finds out what became of its picture."""
    begin = shop._begin  # noqa: SLF001 - what runs between two calls of the use case

    def begin_late(earlier: BegunPicture | None) -> Begun[dict[str, Any]]:
        if earlier:
            shop._begin = begin  # type: ignore[method-assign]  # noqa: SLF001
            do()
        return begin(earlier)

    shop._begin = begin_late  # type: ignore[method-assign]  # noqa: SLF001


def test_of_two_retries_at_once_one_alone_looks_at_what_became_of_the_picture(shop: Shop) -> None:
    shop.send_and_fail(OutcomeUnknownError())

    def send_another() -> None:
        shop.earlier.clear()
        with pytest.raises(KeyInUseError):
            shop.send()
        assert shop.earlier == [None]

    during_the_next_look(shop, send_another)
    assert shop.send() == {"id": 1, "is_replayed": False}
    assert (shop.done, shop.counted) == ([FIRST, FIRST], 1)


def test_a_retry_whose_picture_cannot_be_looked_for_lets_the_next_one_try(shop: Shop) -> None:
    shop.send_and_fail(OutcomeUnknownError())

    def fail() -> None:
        raise UnavailableError

    during_the_next_look(shop, fail)
    with pytest.raises(UnavailableError):
        shop.send()
    assert shop.send() == {"id": 1, "is_replayed": False}
    assert shop.counted == 1


def test_a_retry_that_begins_anew_is_known_by_its_new_picture(shop: Shop) -> None:
    shop.send_and_fail(OutcomeUnknownError())
    shop.begins_anew = True
    shop.send_and_fail(OutcomeUnknownError())
    assert shop.keys.claims["a"].picture == SECOND
    shop.begins_anew = False
    assert shop.send() == {"id": 2, "is_replayed": False}
    assert shop.counted == 1


def test_a_retry_that_took_too_long_to_begin_anew_leaves_the_key_to_the_quicker_one(shop: Shop) -> None:
    shop.send_and_fail(OutcomeUnknownError())
    shop.begins_anew = True

    def overtake() -> None:
        shop.passed = TIME_LEFT
        assert shop.send()["id"] == 2

    during_the_next_look(shop, overtake)
    with pytest.raises(KeyInUseError):
        shop.send()
    assert shop.send() == {"id": 2, "is_replayed": True}


# --- What counts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["a", None])
@pytest.mark.parametrize("error", [UnavailableError(), RuntimeError(), ProductNotFoundError(43)])
def test_a_request_that_came_to_nothing_does_not_count(shop: Shop, error: Exception, key: str | None) -> None:
    for _ in range(QUOTA + 1):
        shop.send_and_fail(error, key)
        assert shop.counted == 0


@pytest.mark.parametrize("key", ["a", None])
def test_a_request_of_an_unknown_outcome_counts(shop: Shop, key: str | None) -> None:
    shop.send_and_fail(OutcomeUnknownError(), key)
    assert shop.counted == 1


def test_a_key_that_has_had_its_uploads_for_today_does_not_claim_another(shop: Shop) -> None:
    for key in "abc":
        shop.send(key)
    with pytest.raises(QuotaExceededError):
        shop.send("d")
    assert shop.keys.claims.keys() == {*"abc"}
    assert (shop.send("a")["is_replayed"], shop.counted) == (True, QUOTA)


def test_a_retry_that_finds_the_day_used_up_does_not_forget_its_picture(shop: Shop) -> None:
    shop.send_and_fail(UnavailableError())
    for key in "bcd":
        shop.send(key)
    with pytest.raises(QuotaExceededError):
        shop.send()
    shop.passed = timedelta(hours=15)
    assert shop.send()["id"] == 1


def test_a_count_that_could_not_be_given_back_is_that_of_the_retry() -> None:
    class StickyQuotas(InMemoryQuotas):
        @override
        def give_back(self, *_arguments: object) -> None:
            raise UnavailableError

    sticky = Shop(quotas=StickyQuotas())
    sticky.send_and_fail(UnavailableError())
    assert sticky.send()["id"] == 1
    assert sticky.counted == 1


def test_a_quota_that_cannot_be_reached_keeps_nobody_from_trying_again() -> None:
    class DeadQuotas(InMemoryQuotas):
        is_dead = True

        @override
        def take(self, *arguments: Any) -> bool:
            if self.is_dead:
                raise UnavailableError
            return super().take(*arguments)

    quotas = DeadQuotas()
    unlucky = Shop(quotas=quotas)
    with pytest.raises(UnavailableError):
        unlucky.send()
    quotas.is_dead = False
    assert unlucky.send()["id"] == 1
    assert unlucky.counted == 1
