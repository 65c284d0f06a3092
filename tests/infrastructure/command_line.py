"""Runs the project's commands as its Makefile does."""

import os
import shlex
import subprocess

from local.template import ROOT

# A make around the tests hands its flags down, and they would change what a make below prints.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS"}}


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the project's folder with more environment variables; its output is text."""
    # The SAM command line reports each use to AWS unless told not to.
    environment = {**_ENVIRONMENT, "SAM_CLI_TELEMETRY": "0", **variables}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def makefile_command(variable: str) -> list[str]:
    """Return the command that a variable of the Makefile holds, as `env` starts it."""
    printed = subprocess.run(
        ["make", "--silent", "--file", "Makefile", "--file", "-", "print"],
        input=f"print:\n\t@echo '$({variable})'\n",
        cwd=ROOT,
        env=_ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    return ["env", *shlex.split(printed.stdout)]


def report(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a command printed, for the message of an assertion."""
    return f"\n{done.stdout}{done.stderr}"
