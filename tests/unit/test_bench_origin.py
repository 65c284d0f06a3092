import re
import subprocess
from pathlib import Path

import pytest

from bench.environments import ROOT
from bench.origin import origin

PAGES = ["docs/cost.md", "docs/growth.md", "docs/performance.md", "docs/reliability.md", "events/README.md"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A working tree with one commit."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "page.md").touch()
    (tree / "source.py").touch()
    git(tree, "init", "--quiet")
    git(tree, "add", ".")
    author = ("-c", "user.name=Erin", "-c", "user.email=erin@example.com")
    git(tree, *author, "commit", "--quiet", "--message", "Begin")
    return tree


def git(tree: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=tree, capture_output=True, text=True, check=True).stdout


def commit_of(tree: Path) -> str:
    return f"commit {git(tree, 'rev-parse', '--short', 'HEAD').strip()}"


def test_what_is_made_is_from_the_commit_that_the_tree_stands_on(tree: Path) -> None:
    assert origin(tree) == commit_of(tree)


@pytest.mark.parametrize("name", ["source.py", "new.py"])
def test_a_source_that_was_changed_or_is_new_is_told(tree: Path, name: str) -> None:
    (tree / name).write_text("changed")
    assert origin(tree) == f"{commit_of(tree)} with uncommitted changes"


def test_a_page_that_was_changed_is_no_change_to_what_is_made(tree: Path) -> None:
    (tree / "page.md").write_text("changed")
    assert origin(tree) == commit_of(tree)


def test_a_tree_without_a_repository_is_of_an_unknown_commit_wherever_it_lies(tree: Path) -> None:
    archive = tree / "archive"
    archive.mkdir()
    assert origin(archive) == "an unknown commit"


def test_a_machine_without_git_knows_no_commit(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert origin(tree) == "an unknown commit"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_is_measured_or_counted_says_from_which_commit_it_is(page: str) -> None:
    assert re.search(r"\bfrom commit [0-9a-f]{7,}\b", (ROOT / page).read_text())
