"""docs/contributing.md, followed: what it names is there, and what it says of the history is so."""

import re
import shlex
import subprocess

import pytest

from local.template import ROOT

TEXT = (ROOT / "docs/contributing.md").read_text()
WORDS = " ".join(TEXT.split())
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
TARGETS = set(re.findall(r"`make ([a-z-]+)", WORDS))
PATHS = {
    *re.findall(r"`((?:src|tests|openapi|docs|events|local|packages)/[\w./]*)`", TEXT),
    *re.findall(r"`(Makefile|template\.yaml|pyproject\.toml|uv\.lock)`", TEXT),
    *(f"docs/{path}" for path in re.findall(r"\]\((\w+\.md)\)", TEXT)),
}
COMMITS = re.findall(r"`([0-9a-f]{7})` \"([^\"]+)\" ?(.*?)(?= `[0-9a-f]{7}` \"| ```|\Z)", WORDS)
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]


def run_git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def history() -> None:
    """Skip what needs the history where it was not fetched: in an archive, or in a shallow clone."""
    if run_git("rev-parse", "--is-shallow-repository").stdout.strip() != "false":
        pytest.skip("The history is not here.")


def test_there_is_something_to_follow() -> None:
    assert {"unit", "test", "lint", "local", "local-watch", "local-logs"} <= TARGETS
    assert SECTIONS.keys() >= {"The loop", "Add a field", "Add a route", "Add a function", "Add a permission"}
    assert len(PATHS) > 20
    assert len(COMMITS) >= 7


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_every_command_of_make_is_there_and_in_its_help(target: str) -> None:
    assert re.search(rf"^{target}:.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("path", sorted(PATHS))
def test_every_file_that_is_named_is_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("section", ["Add a field", "Add a route", "Add a function", "Add a permission"])
def test_every_way_to_add_something_has_an_example_from_the_history(section: str) -> None:
    assert any(commit in SECTIONS[section] for commit, _, _ in COMMITS)


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(("commit", "subject", "about"), COMMITS, ids=[commit for commit, _, _ in COMMITS])
def test_a_commit_is_what_it_is_said_to_be_and_touched_the_files_that_are_named(
    commit: str, subject: str, about: str
) -> None:
    first, *touched = run_git("show", "--format=%s", "--name-only", commit).stdout.splitlines()
    assert first == subject
    assert PATHS & set(re.findall(r"`([\w./]+)`", about)) <= set(touched)


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_in_a_block_can_be_run(command: str) -> None:
    program, *arguments = shlex.split(command)
    assert program == "git"
    done = run_git(*arguments)
    assert (done.returncode, bool(done.stdout)) == (0, True), done.stderr


def test_a_field_stands_where_it_is_said_to_stand_and_nowhere_else_in_src() -> None:
    places = set(re.findall(r"^\| `(src/[\w./]+)` \|", SECTIONS["Add a field"], re.MULTILINE))
    sources = {path.relative_to(ROOT).as_posix(): path.read_text() for path in (ROOT / "src").rglob("*.py")}
    assert places == {path for path, source in sources.items() if re.search(r"\balt_text\b", source)}
