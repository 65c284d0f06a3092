"""The table of results, of tests that run in two processes as those of `make torture` do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.template import ROOT

PLACE = "<!-- Results: written by `make torture` -->\nold\n<!-- End of the results -->"
CONFTEST = """
from pathlib import Path
from tests.torture import results

pytest_plugins = ["tests.torture.results"]
results.DOCUMENT = Path(__file__).with_name("reliability.md")
"""
TESTS = """
import os

import pytest

from tests.torture.results import size

@pytest.mark.torture("faults")
@pytest.mark.parametrize("point", range(size(6, 2, "faults at calls")))
def test_fault(point):
    assert point != 4

@pytest.mark.torture("races")
def test_races(tried):
    tried(1_200)

@pytest.mark.torture("endings")
def test_ending():
    if "ENDS" in os.environ:
        os._exit(1)
"""


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """The document beside tests of its own."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_some.py").write_text(TESTS)
    document = tmp_path / "reliability.md"
    document.write_text(PLACE)
    return document


def torture(folder: Path, **variables: str) -> str:
    command = [sys.executable, "-m", "pytest", "--rootdir", str(folder), "-n", "2", "-p", "no:randomly"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TORTURE": "all", **variables}
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    return done.stdout


def test_what_two_processes_tried_is_one_table(document: Path) -> None:
    told = torture(document.parent)
    written = document.read_text()
    assert "| faults | 6 | 5 | 1 |" in written
    assert "| races | 1,200 | 1,200 | 0 |" in written
    assert "| all | 1,207 | 1,206 | 1 |" in written
    assert "as many as the brackets say: 6 faults at calls (2)." in told
    written = written.replace("| races | 1,200 | 1,200 |", "| races | 7 | 7 |")
    document.write_text(written)
    torture(document.parent, ROWS="faults;endings")
    assert document.read_text().replace("| all | 14 | 13 |", "| all | 1,207 | 1,206 |") == written


def test_a_process_that_ends_amid_a_test_leaves_the_table_as_it_was(document: Path) -> None:
    told = torture(document.parent, ENDS="yes")
    assert document.read_text() == PLACE
    assert "reliability.md is left as it was" in told
