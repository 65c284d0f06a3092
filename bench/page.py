"""Pieces of the pages that the benchmarks write."""

import inspect
import re
import textwrap
from collections.abc import Sequence

_WIDTH = 112


def paragraph(text: str) -> str:
    """Return a text on lines of even length.

    An empty line in it begins another paragraph, a dash an item of a list.
    """
    blocks = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join("\n".join(map(_fill, re.split(r"\n(?=- )", block))) for block in blocks) + "\n"


def _fill(text: str) -> str:
    indent = "  " if text.startswith("- ") else ""
    return textwrap.fill(
        " ".join(text.split()),
        _WIDTH,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, align: str = "---:") -> str:
    """Return a table, its columns set to the right as figures are, or as `align` says."""
    lines = [heads, [align] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def section(head: str, before: str, figures: str, after: str) -> str:
    """Return a chapter: what its table shows, the table, and what follows from it."""
    return "\n".join([f"## {head}\n", paragraph(before), figures, paragraph(after)])
