"""What an operator sees: results on stdout, for people and pipes; all else on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

_PIPE_WIDTH = 240
"""Characters of a line in a pipe or a file: enough that each row of a table stays on one line."""


def say(line: str) -> None:
    """Write a result."""
    typer.echo(line)


def note(line: str) -> None:
    """Write what is good to know but no result."""
    typer.echo(line, err=True)


def fail(message: str) -> None:
    """Write what went wrong, on one line; nothing, if there is nothing to write."""
    line = " ".join(message.split())
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
    typer.confirm(question, abort=True, err=True)


def show(table: Table) -> None:
    """Write a table."""
    console = Console()
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    console.print(table)


@contextmanager
def progress_bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar while the block runs, if stderr is a terminal; yield what moves it on by some steps."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield partial(progress.advance, progress.add_task(label, total=total))
