"""A check, and how checks are run: one after the other, each timed, whatever came of those before."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import httpx
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from domain.errors import DomainError
from ops.failures import explain


class CheckError(Exception):
    """What a check saw is not what it should be; the message says what it saw."""


class NotOnLocalSystemError(Exception):
    """The local system lacks what a check looks at; the message says why."""


class InterruptedCheckError(Exception):
    """The operator wants an end."""


class Result(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_TRIED = "not tried"
    NOT_LOCAL = "not on the local system"


@dataclass(frozen=True, slots=True)
class Check[Subject]:
    """One thing that is tried.

    `look` returns what it saw, in a few words, or raises. `advice` says what to do where it fails; `needs`
    names the checks without whose success it makes no sense.
    """

    name: str
    look: Callable[[Subject], str]
    advice: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of a check, and how long it took."""

    check: str
    result: Result
    seconds: float
    seen: str
    advice: str = ""


@dataclass(slots=True)
class Interruption:
    """Whether the operator wants an end: a check ends at its next wait, and no other begins."""

    is_wanted: bool = False
    _clock: Callable[[], float] = field(default=time.monotonic)
    _sleep: Callable[[float], None] = field(default=time.sleep)

    def wait_until[T](self, look: Callable[[], T | None], what: str, seconds: float) -> T:
        """Call `look` until it returns something.

        Raises:
            CheckError: it did not within `seconds`.
            InterruptedCheckError: the operator wants an end.

        """
        deadline = self._clock() + seconds
        while True:
            found = look()
            if found is not None:
                return found
            if self.is_wanted:
                raise InterruptedCheckError
            if self._clock() > deadline:
                raise CheckError(f"after {seconds:.0f} s there was still no {what}")
            self._sleep(_PAUSE_SECONDS)


_PAUSE_SECONDS = 0.2
_FORESEEN = (BotoCoreError, CheckError, ClientError, DomainError, httpx.HTTPError, ValidationError)
"""What a check may fail with; anything else is a fault of this tool."""


def run[Subject](
    checks: Sequence[Check[Subject]], subject: Subject, interruption: Interruption
) -> Iterator[Finding]:
    """Run the checks in their order, until the operator wants an end."""
    passed: set[str] = set()
    for check in checks:
        if interruption.is_wanted:
            return
        missing = [name for name in check.needs if name not in passed]
        if missing:
            yield Finding(check.name, Result.NOT_TRIED, 0, f"it needs: {', '.join(missing)}")
            continue
        try:
            finding = _tried(check, subject)
        except InterruptedCheckError:
            return
        if finding.result is Result.PASSED:
            passed.add(check.name)
        yield finding


def _tried[Subject](check: Check[Subject], subject: Subject) -> Finding:
    began = time.monotonic()
    advice = ""
    try:
        result, seen = Result.PASSED, check.look(subject)
    except NotOnLocalSystemError as error:
        result, seen = Result.NOT_LOCAL, str(error)
    except _FORESEEN as error:
        result, seen, advice = Result.FAILED, _seen(error), check.advice
    return Finding(check.name, result, time.monotonic() - began, seen, advice)


def _seen(error: Exception) -> str:
    if isinstance(error, CheckError):
        return str(error)
    if isinstance(error, ValidationError):
        faults = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        return f"the answer is not what the contract says: {'; '.join(faults)}"
    if isinstance(error, httpx.HTTPError):
        return f"no answer ({type(error).__name__})"
    return explain(error)
