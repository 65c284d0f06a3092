"""The lines of `product-images` that README and docs/ print, run as they stand there, on the local system."""

import shlex
from pathlib import Path

import pytest

from tests.documents import PAGES, commands_of
from tests.e2e.operator import Operator

_PROGRAM = ".venv/bin/product-images"
COMMANDS = sorted(
    {command for page in PAGES for command in commands_of(page) if command.startswith(f"{_PROGRAM} ")}
    # Runs for a minute or two; tests/e2e/test_verify.py runs it.
    - {f"{_PROGRAM} verify"}
)


def test_there_are_commands_to_run() -> None:
    assert len(COMMANDS) >= 5


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_is_printed_runs_on_the_local_system(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [word for word in shlex.split(command)[1:] if word != "--local"]
    assert operator.succeeds(*words)
