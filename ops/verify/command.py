"""The command: all checks in their order, a line for each, and everything that was made removed."""

import time
from collections.abc import Iterator, Sequence

import typer

from ops.target import Target, target_of
from ops.terminal import Cell, fail, note, progress_bar, show
from ops.verify.access import ACCESS
from ops.verify.api import http_client
from ops.verify.belongings import interruptible
from ops.verify.check import Check, Finding, Interruption, Result, run
from ops.verify.events import HEARD, LISTENING
from ops.verify.gallery import GALLERY
from ops.verify.operations import OPERATIONS
from ops.verify.products import PRODUCTS
from ops.verify.public import PUBLIC
from ops.verify.rights import RIGHTS
from ops.verify.trial import Trial
from ops.verify.uploads import UPLOADS

_MADE, *_OTHER_ACCESS = ACCESS
CHECKS: Sequence[Check[Trial]] = (
    # The rule first, since it may take a while until it works.
    *(_MADE, *LISTENING, *_OTHER_ACCESS, *UPLOADS, *PUBLIC, *PRODUCTS, *GALLERY, *HEARD, *OPERATIONS),
)
_STYLES = {Result.PASSED: "green", Result.FAILED: "red", Result.NOT_TRIED: "yellow", Result.NOT_LOCAL: "dim"}
_INTERRUPTED = 130
"""What a shell says of a command that Ctrl-C ended."""

_MAKES = (
    "It makes two products with numbers that no shop has, three keys that expire in an hour (one is an "
    "administrator's), and a rule and a queue that hear the service's events. It sends some 25 MB. All "
    "that it made is removed at the end, after Ctrl-C too, but for a record of an idempotency key, which "
    "goes by itself after a day. Until then the CDN may show its images, of one colour each. Who listens "
    "to the service's events hears of them as well."
)
HELP = f"""Prove that a deployment works: use it as a client does, and look whether all is in place.

{_MAKES}

The exit code is 1 if a check failed. The operator needs these rights: {", ".join(RIGHTS)}.

Examples:
    product-images verify
    product-images verify --stack product-images-test
    product-images verify --local

"""


def verify(ctx: typer.Context) -> None:
    """Run the checks and show what came of each."""
    target = target_of(ctx)
    findings: list[Finding] = []
    with interruptible() as interruption, progress_bar(f"Verifying {target.name}", len(CHECKS)) as advance:
        for finding in _findings(target, interruption):
            findings.append(finding)
            advance(1)
    show(("Check", "Result", "Seconds", "Seen"), map(_row, findings), folds="Seen")
    failed = [finding for finding in findings if finding.result in {Result.FAILED, Result.NOT_TRIED}]
    for finding in failed:
        if finding.advice:
            fail(f"{finding.check}: {_told(finding)}")
    if interruption.is_wanted:
        note("Ended before all checks were made.")
        raise typer.Exit(_INTERRUPTED)
    if failed:
        raise typer.Exit(1)


def _findings(target: Target, interruption: Interruption) -> Iterator[Finding]:
    with http_client(is_local=target.is_local) as http:
        trial = Trial(target, http, interruption)
        try:
            yield from run(CHECKS, trial, interruption)
        finally:
            removal = _removal(trial)
        yield removal


def _removal(trial: Trial) -> Finding:
    began = time.monotonic()
    left = trial.belongings.remove_all()
    seconds = time.monotonic() - began
    if left:
        return Finding("all removed", Result.FAILED, seconds, "; ".join(left), "Remove it by hand.")
    return Finding("all removed", Result.PASSED, seconds, "nothing is left")


def _row(finding: Finding) -> Sequence[Cell]:
    result = (str(finding.result), _STYLES[finding.result])
    return finding.check, result, f"{finding.seconds:.1f}", _told(finding)


def _told(finding: Finding) -> str:
    """Say what was seen and, where it failed, what to do."""
    return f"{finding.seen.rstrip('.')}. {finding.advice}" if finding.advice else finding.seen
