"""README.md and docs/ as tests read them."""

import re

from local.template import ROOT

PAGES = sorted(path.relative_to(ROOT).as_posix() for path in [ROOT / "README.md", *ROOT.glob("docs/*.md")])
"""Paths below the root."""


def blocks_of(page: str, language: str) -> list[str]:
    """Return the blocks of code that a page has in one language, without their fences."""
    text = (ROOT / page).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands_of(page: str) -> list[str]:
    """Return the commands of a page's blocks for a shell, each on one line, without comments."""
    text = re.sub(r"\s+# .*$", "", "\n".join(blocks_of(page, "sh")), flags=re.MULTILINE)
    # What stands in quotes may have lines of its own.
    pieces = re.split(r"('[^']*'|\"(?:[^\"\\]|\\.)*\")", text.replace("\\\n", " "))
    pieces[::2] = [piece.replace(" && ", "\n") for piece in pieces[::2]]
    commands: list[str] = [""]
    for number, piece in enumerate(pieces):
        first, *others = [piece] if number % 2 else piece.split("\n")
        commands[-1] += first
        commands += others
    return [" ".join(command.split()) for command in commands if command.strip()]
