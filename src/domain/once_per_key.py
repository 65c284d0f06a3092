"""Safe retries: however often a request is sent with one key, it is done once and gets one answer."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from domain.begun import Begun
from domain.claim import BegunPicture, Claim
from domain.daily_quota import DailyQuota
from domain.errors import (
    DomainError,
    KeyInUseError,
    KeyReusedError,
    OutcomeUnknownError,
    UnavailableError,
)

if TYPE_CHECKING:
    from domain.ports import Clock, IdempotencyKeys

KEPT = timedelta(hours=24)
"""For how long a key belongs to its request."""

type Answer = Mapping[str, Any]
"""What a client is told: a JSON object."""
type Begin[A: Answer] = Callable[[BegunPicture | None], Begun[A]]
"""Checks a request, given the picture that an earlier try of it has begun, and makes nothing yet."""


class KeyedRequest(NamedTuple):
    """A request with a key: `key` is unique among all users, `request` tells whether two are the same.

    `time_left` is how long the function that handles it may still run.
    """

    key: str
    request: str
    time_left: timedelta


class Outcome[A: Answer](NamedTuple):
    """What a request is answered; `is_replayed` if an earlier one was answered so."""

    answer: A | Answer
    is_replayed: bool


class _Try[A: Answer](NamedTuple):
    """One try of a request, and whether an earlier one was counted and never given back."""

    begun: Begun[A]
    token: str
    is_first: bool = True
    is_counted: bool = False


class OncePerKey:
    """Does a request once for each key, and counts it once. Without a key, each is done and counted.

    Before anything else it writes a claim on the key, which names the picture. So a retry finds out what
    became of the picture, whatever happened to the first try: a lost reply, a store that failed, a function
    that was killed.
    """

    def __init__(
        self, keys: "IdempotencyKeys", quota: DailyQuota, clock: "Clock", new_token: Callable[[], str]
    ) -> None:
        self._keys = keys
        self._quota = quota
        self._clock = clock
        self._new_token = new_token

    def __call__[A: Answer](self, key_id: str, sent: KeyedRequest | None, begin: Begin[A]) -> Outcome[A]:
        """Return the answer of `begin`, or the one that was given when the key came first.

        `key_id` names the API key whose uploads are counted. What `begin` finds wrong with the request is
        neither counted nor kept.

        Raises:
            KeyInUseError: a request with this key is running.
            KeyReusedError: the key came with another request.
            QuotaExceededError: the API key has had its uploads for today.
            OutcomeUnknownError: the request was done, but that could not be kept; a retry finds it out.
            UnavailableError: the keys or the quota cannot be reached; nothing was done.

        Beside it, what `begin` and what it returns raise.

        """
        attempt = _Try(begin(None), self._new_token())
        if sent is None:
            return Outcome(self._run(key_id, None, attempt), is_replayed=False)
        now = self._clock()
        found = self._claim(sent, attempt, now)
        if found is not None:
            if found.expires_at > now:
                _check(found, sent, now)
                if found.answer is not None:
                    return Outcome(found.answer, is_replayed=True)
                attempt = self._take_over(sent, attempt, found, now, begin)
            else:
                self._claim_over(sent, attempt, now, found)
        answer = self._run(key_id, sent, attempt)
        try:
            self._keys.keep(sent.key, attempt.token, answer)
        except UnavailableError as error:
            # A retry may begin again. So nobody is told of a picture unless each retry is told the same.
            self._let_go(sent, attempt, is_counted=True)
            raise OutcomeUnknownError from error
        return Outcome(answer, is_replayed=False)

    def _take_over[A: Answer](
        self, sent: KeyedRequest, attempt: _Try[A], found: Claim, now: datetime, begin: Begin[A]
    ) -> _Try[A]:
        """Hold the key, then find out what became of the earlier picture.

        In this order, since that may take the picture back: no two retries must decide on it.
        """
        held = _Try(
            attempt.begun._replace(picture=found.picture),
            attempt.token,
            is_first=False,
            is_counted=found.is_counted,
        )
        self._claim_over(sent, held, now, found)
        try:
            resumed = held._replace(begun=begin(found.picture))
        except UnavailableError:
            self._let_go(sent, held, is_counted=found.is_counted)
            raise
        if resumed.begun.picture != found.picture:
            self._claim_over(sent, resumed, now, found._replace(token=held.token))
        return resumed

    def _claim_over(self, sent: KeyedRequest, attempt: _Try[Any], now: datetime, seen: Claim) -> None:
        if self._claim(sent, attempt, now, over=seen) is not None:
            # Another retry was quicker.
            raise KeyInUseError

    def _claim(
        self, sent: KeyedRequest, attempt: _Try[Any], now: datetime, over: Claim | None = None
    ) -> Claim | None:
        claim = Claim(
            request=sent.request,
            token=attempt.token,
            held_until=now + sent.time_left,
            picture=attempt.begun.picture,
            # As of the next step: should the function die after it, nobody would know.
            is_counted=True,
            answer=None,
            expires_at=now + KEPT,
        )
        try:
            return self._keys.claim(sent.key, claim, over)
        except UnavailableError:
            # It may be written all the same.
            self._let_go(sent, attempt, is_counted=attempt.is_counted)
            raise

    def _run[A: Answer](self, key_id: str, sent: KeyedRequest | None, attempt: _Try[A]) -> A:
        """Count the request and do it; what was not done is given back, and the key with it."""
        is_counted = attempt.is_counted
        try:
            if not is_counted:
                self._quota.take(key_id, attempt.token)
                is_counted = True
            return attempt.begun.finish()
        except Exception as error:
            # The picture of an unknown outcome may be there.
            if is_counted and not isinstance(error, OutcomeUnknownError):
                is_counted = not self._gave_back(key_id, attempt.token)
            if sent is not None:
                self._release(sent, attempt, error, is_counted=is_counted)
            raise

    def _gave_back(self, key_id: str, token: str) -> bool:
        try:
            self._quota.give_back(key_id, token)
        except UnavailableError:
            return False
        return True

    def _release(self, sent: KeyedRequest, attempt: _Try[Any], error: Exception, *, is_counted: bool) -> None:
        """Let the next request have the key: any one if this was refused, else this one again."""
        is_refused = isinstance(error, DomainError) and not isinstance(error, UnavailableError)
        if attempt.is_first and is_refused:
            with suppress(UnavailableError):
                self._keys.forget(sent.key, attempt.token)
        else:
            self._let_go(sent, attempt, is_counted=is_counted)

    def _let_go(self, sent: KeyedRequest, attempt: _Try[Any], *, is_counted: bool) -> None:
        # If this fails too, the claim ends with the time of its function.
        with suppress(UnavailableError):
            self._keys.let_go(sent.key, attempt.token, is_counted=is_counted)


def _check(found: Claim, sent: KeyedRequest, now: datetime) -> None:
    if found.request != sent.request:
        raise KeyReusedError
    if found.answer is None and found.held_until is not None and now < found.held_until:
        raise KeyInUseError
