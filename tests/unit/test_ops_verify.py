"""How `product-images verify` runs its checks, what it makes of answers, and what it removes."""

import io
import os
import signal
from collections.abc import Callable

import httpx
import pytest
from botocore.exceptions import ClientError
from PIL import Image

from ops.verify.api import Picture, expect, expect_problem
from ops.verify.belongings import Belongings, interruptible
from ops.verify.check import (
    Check,
    CheckError,
    Finding,
    InterruptedCheckError,
    Interruption,
    NotOnLocalSystemError,
    Result,
    run,
)
from ops.verify.command import CHECKS
from ops.verify.rights import RIGHTS
from ops.verify.sample import HEIGHT_PX, WIDTH_PX, sample_png

PROBLEM = {
    "type": "about:blank",
    "title": "Forbidden",
    "status": 403,
    "detail": "No.",
    "code": "access_denied",
    "request_id": "1",
}
DENIED = ClientError(
    {"Error": {"Code": "AccessDenied", "Message": "is not authorized to perform: s3:GetObject on x"}},
    "GetObject",
)


def failing(error: Exception) -> Callable[[None], str]:
    def look(_trial: None) -> str:
        raise error

    return look


def found(*checks: Check[None], interruption: Interruption | None = None) -> list[Finding]:
    return list(run(checks, None, interruption or Interruption()))


def passing(name: str, *needs: str) -> Check[None]:
    return Check(name, lambda _trial: f"saw {name}", "Do something.", needs)


# running


def test_a_check_that_passes_says_what_it_saw_and_advises_nothing() -> None:
    (finding,) = found(passing("a"))
    assert (finding.check, finding.result, finding.seen, finding.advice) == ("a", Result.PASSED, "saw a", "")


@pytest.mark.parametrize(
    ("error", "seen"),
    [
        (CheckError("404 instead of 200"), "404 instead of 200"),
        (httpx.ConnectTimeout("to 10.0.0.1"), "no answer (ConnectTimeout)"),
        (
            DENIED,
            "AWS denies s3:GetObject. Ask for a role that allows it, or choose another with AWS_PROFILE.",
        ),
    ],
)
def test_a_check_that_fails_says_what_it_saw_and_what_to_do_and_others_go_on(
    error: Exception, seen: str
) -> None:
    first, second = found(Check("a", failing(error), "Do something."), passing("b"))
    assert (first.result, first.seen, first.advice) == (Result.FAILED, seen, "Do something.")
    assert second.result is Result.PASSED


def test_an_answer_that_breaks_the_contract_names_the_member() -> None:
    look = lambda _trial: str(Picture.model_validate_json("{}"))  # noqa: E731 - the check under test
    (finding,) = found(Check("a", look, ""))
    assert finding.result is Result.FAILED
    assert (
        "the answer is not what the contract says: id: Field required; type: Field required" in finding.seen
    )


def test_a_check_that_needs_a_failed_one_is_not_tried() -> None:
    failed, needy, needier = found(
        Check("a", failing(CheckError("no")), ""), passing("b", "a"), passing("c", "b")
    )
    assert [failed.result, needy.result, needier.result] == [
        Result.FAILED,
        Result.NOT_TRIED,
        Result.NOT_TRIED,
    ]
    assert (needy.seen, needier.seen) == ("it needs: a", "it needs: b")


def test_what_the_local_system_lacks_counts_neither_as_passed_nor_as_failed() -> None:
    absent, needy = found(Check("a", failing(NotOnLocalSystemError("no alarms")), ""), passing("b", "a"))
    assert (absent.result, absent.seen) == (Result.NOT_LOCAL, "no alarms")
    assert needy.result is Result.NOT_TRIED


def test_a_fault_of_the_tool_itself_is_none_of_the_service() -> None:
    with pytest.raises(KeyError):
        found(Check("a", failing(KeyError("x")), ""))


def test_after_an_interruption_no_check_begins() -> None:
    interruption = Interruption()

    def interrupt(_trial: None) -> str:
        interruption.is_wanted = True
        return "done"

    findings = found(Check("a", interrupt, ""), passing("b"), interruption=interruption)
    assert [finding.check for finding in findings] == ["a"]


def test_a_wait_ends_at_once_when_an_end_is_wanted() -> None:
    interruption = Interruption(is_wanted=True)
    with pytest.raises(InterruptedCheckError):
        interruption.wait_until(lambda: None, "picture", 60)
    assert found(Check("a", failing(InterruptedCheckError()), "")) == []


def test_a_wait_that_is_over_names_what_did_not_come() -> None:
    moments = iter(range(100))
    interruption = Interruption(False, lambda: next(moments), lambda _seconds: None)
    with pytest.raises(CheckError, match="after 5 s there was still no picture"):
        interruption.wait_until(lambda: None, "picture", 5)


def test_a_wait_returns_what_was_waited_for() -> None:
    looks = iter([None, None, "ready"])
    assert (
        Interruption(_sleep=lambda _seconds: None).wait_until(lambda: next(looks), "picture", 60) == "ready"
    )


# what was made


def test_what_was_made_last_is_removed_first_and_once() -> None:
    removed: list[str] = []
    belongings = Belongings()
    for name in ("queue", "rule", "target"):
        belongings.add(name, lambda name=name: removed.append(name))  # type: ignore[misc]
    assert (belongings.remove_all(), removed) == ([], ["target", "rule", "queue"])
    assert belongings.remove_all() == []
    assert len(removed) == 3


def test_what_cannot_be_removed_is_named_and_the_rest_is_removed() -> None:
    removed: list[str] = []

    def fail() -> None:
        raise DENIED

    belongings = Belongings()
    belongings.add("product 7", lambda: removed.append("product 7"))
    belongings.add("key 1", fail)
    (left,) = belongings.remove_all()
    assert left.startswith("key 1: AWS denies s3:GetObject.")
    assert removed == ["product 7"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_order_to_end_is_a_wish_while_something_is_made_and_ends_the_process_afterwards(
    number: signal.Signals,
) -> None:
    before = signal.getsignal(number)
    with interruptible() as interruption:
        os.kill(os.getpid(), number)
        assert interruption.is_wanted
    assert signal.getsignal(number) is before


# answers


def test_another_status_is_told_with_its_code() -> None:
    answer = httpx.Response(403, json=PROBLEM, headers={"Content-Type": "application/problem+json"})
    with pytest.raises(CheckError, match=r"^403 access_denied instead of 201$"):
        expect(answer, 201)


def test_a_status_without_a_problem_is_told_by_its_name() -> None:
    with pytest.raises(CheckError, match=r"^502 Bad Gateway instead of 201$"):
        expect(httpx.Response(502), 201)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(403, json=PROBLEM),
        httpx.Response(
            403, json=PROBLEM | {"code": "other"}, headers={"Content-Type": "application/problem+json"}
        ),
        httpx.Response(
            403, json=PROBLEM | {"status": 401}, headers={"Content-Type": "application/problem+json"}
        ),
        httpx.Response(403, text="{", headers={"Content-Type": "application/problem+json"}),
        httpx.Response(404, json=PROBLEM, headers={"Content-Type": "application/problem+json"}),
    ],
)
def test_what_looks_like_the_problem_but_is_not_is_refused(answer: httpx.Response) -> None:
    with pytest.raises(CheckError, match="instead of 403"):
        expect_problem(answer, 403, "access_denied")


def test_the_problem_that_was_expected_passes() -> None:
    answer = httpx.Response(
        403, json=PROBLEM, headers={"Content-Type": "application/problem+json; charset=utf-8"}
    )
    assert expect_problem(answer, 403, "access_denied") == "403 access_denied"


# what is tried


def test_the_sample_is_a_picture_of_its_size_and_colour() -> None:
    picture = Image.open(io.BytesIO(sample_png(200, 60, 30)), formats=["PNG"])
    picture.load()
    assert (picture.size, picture.mode) == ((WIDTH_PX, HEIGHT_PX), "RGB")
    assert picture.getcolors() == [(WIDTH_PX * HEIGHT_PX, (200, 60, 30))]


def test_every_check_has_a_name_of_its_own_and_needs_only_earlier_ones() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    for number, check in enumerate(CHECKS):
        assert set(check.needs) <= set(names[:number]), check.name


def test_every_check_says_what_to_do_where_it_fails() -> None:
    assert [check.name for check in CHECKS if not check.advice.endswith((".", "?"))] == []


def test_rights_stand_in_their_order_and_once() -> None:
    assert list(RIGHTS) == sorted(set(RIGHTS))
