"""The modules of the staff's page that know no document, in Node."""

from pathlib import Path

import pytest

from tests.node import run_node

TESTS = sorted(Path(__file__).with_name("page").glob("*.test.js"))


@pytest.mark.parametrize("file", TESTS, ids=lambda path: path.stem)
def test_a_module_of_the_page_does_what_its_own_tests_say(file: Path) -> None:
    done = run_node("--test", "--test-reporter=spec", file)
    assert done.returncode == 0, done.stdout
