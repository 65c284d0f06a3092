"""What an operator sees: results on stdout, for people and pipes; all else on stderr.

Everything goes through here, so that no text of others can do anything to a terminal but be read.
"""

import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

_MAX_LINE = 10_000
"""Characters of a row in a pipe or a file, where each row stays on one line."""
_NOT_SHOWN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of characters that command a terminal, break a line, or disguise what stands beside them."""
_JOINERS = frozenset("\u200c\u200d")
"""Of category Cf, but needed to write Persian, Hindi and emoji."""

type Cell = str | tuple[str, str]
"""A text, alone or with a style of rich."""


def harmless(text: str) -> str:
    r"""Return `text` on one line, with each character that is no text written as JSON does: `\u001b`."""
    return "".join(map(_shown, text))


def say(line: str) -> None:
    """Write a result."""
    typer.echo(harmless(line))


def say_json(value: object) -> None:
    """Write a result for scripts."""
    lines = json.dumps(value, indent=2, ensure_ascii=False).split("\n")
    typer.echo("\n".join(map(harmless, lines)))


def note(line: str) -> None:
    """Write what is good to know but no result."""
    typer.echo(harmless(line), err=True)


def fail(message: str) -> None:
    """Write what went wrong, on one line; nothing, if there is nothing to write."""
    line = harmless(" ".join(message.split()))
    if line:
        typer.echo(f"{typer.style('Error:', fg='red')} {line}", err=True)


def end_line() -> None:
    """End the line of a question that got no answer."""
    typer.echo(err=True)


def confirm(question: str) -> None:
    """Ask, and go on only after a yes.

    Raises:
        typer.Abort: the answer was another, or there was none.

    """
    typer.confirm(harmless(question), abort=True, err=True)


def show(columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, folds: str) -> None:
    """Write a table; on a narrow terminal the column `folds` alone takes several lines."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column != folds, overflow="fold")
    for row in rows:
        table.add_row(*map(_text, row))
    console = Console()
    if not console.is_terminal:
        console.width = _MAX_LINE
        console.width = Measurement.get(console, console.options, table).maximum
    console.print(table)


@contextmanager
def progress_bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar while the block runs, if stderr is a terminal; yield what moves it on by some steps."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield partial(progress.advance, progress.add_task(label, total=total))


def _shown(character: str) -> str:
    if character in _JOINERS or unicodedata.category(character) not in _NOT_SHOWN:
        return character
    return json.dumps(character)[1:-1]


def _text(cell: Cell) -> Text:
    # Not markup: a name may hold square brackets.
    text, style = (cell, "") if isinstance(cell, str) else cell
    return Text(harmless(text), style)
