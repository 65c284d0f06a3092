"""Says from which commit something was measured or written."""

import os
import subprocess
from pathlib import Path

from bench.environments import ROOT

_SOURCES = (".", ":(exclude,glob)**/*.md", ":(exclude,glob)**/*.svg")
"""All but pages and their plots, from which nothing is made."""


def origin(folder: Path = ROOT) -> str:
    """Return the commit that a working tree stands on, and say so if its sources differ from that.

    A tree without a repository, as an archive has it, is of an unknown commit.
    """
    commit = _git(folder, "rev-parse", "--short", "HEAD")
    if commit is None:
        return "an unknown commit"
    changed = _git(folder, "status", "--porcelain", "--", *_SOURCES)
    return f"commit {commit} with uncommitted changes" if changed else f"commit {commit}"


def _git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints; nothing where it fails or is not installed."""
    # A repository that the tree merely lies in is not the tree's own.
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    command = ["git", *arguments]
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
