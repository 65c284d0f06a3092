"""Builds the deployment packages for this machine."""

import fcntl
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from local.background_process import LocalSystemError
from local.template import ROOT

_DONE = "built "
"""With which the build of a package says that it is done (`packages.build`)."""


@contextmanager
def only_one_start() -> Iterator[None]:
    """Wait until no other start is under way: two would build into the same folder."""
    lock = ROOT / ".build" / "lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def build_packages(report: Callable[[str], None] = print) -> None:
    """Build the packages that are not up to date, and report each that was built.

    Raises:
        LocalSystemError: with what the build said.

    """
    said: list[str] = []
    with subprocess.Popen(
        ["make", "--no-print-directory", "--jobs=2", "--output-sync", "packages"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as make:
        for line in make.stdout or ():
            if line.startswith(_DONE):
                report(line.strip())
            else:
                said.append(line)
    if make.returncode:
        # What the first one that failed said, up to make's own words; others have failed for the same reason.
        reason = "".join(itertools.takewhile(lambda line: not line.startswith("make"), said))
        raise LocalSystemError(f"The packages were not built: {reason.strip() or ''.join(said).strip()}")


def write_description() -> None:
    """Write docs/openapi.json again from the models, which a package holds.

    Raises:
        LocalSystemError: with what the program said.

    """
    done = subprocess.run(
        [sys.executable, "-m", "openapi"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise LocalSystemError(f"docs/openapi.json was not written: {done.stderr.strip()}")
