"""Shows records: one line each, a crash in red with its traceback."""

import json
import textwrap
from typing import Any

from rich.console import Console
from rich.text import Text

from local.logs.records import Record

_STYLES = {"DEBUG": "dim", "INFO": "green", "WARNING": "yellow", "ERROR": "bold red", "CRITICAL": "bold red"}
_FUNCTION_WIDTH = 16
"""As long as the longest name, so that messages stand below each other."""
_LEVEL_WIDTH = 8


def show(console: Console, record: Record) -> None:
    """Write a record; colour is for terminals, and not for those who set NO_COLOR (no-color.org)."""
    console.print(format_record(record), soft_wrap=True, highlight=False)


def format_record(record: Record) -> Text:
    """Return the line of a record: time in UTC, level, function, message, what else it has."""
    loud = "red" if record.is_failure else ""
    text = Text()
    text.append(f"{record.at:%H:%M:%S}.{record.at.microsecond // 1000:03} ", "dim")
    text.append(f"{record.level or '-':<{_LEVEL_WIDTH}} ", _STYLES.get(record.level, ""))
    text.append(f"{record.function:<{_FUNCTION_WIDTH}} ", "cyan")
    text.append(_printable(record.message), loud)
    for name, value in record.fields.items():
        text.append(f" {name}=", "dim")
        text.append(_printable(_format_value(value)), loud)
    if record.traceback:
        lines = "\n".join(_printable(line) for line in record.traceback.splitlines())
        text.append("\n" + textwrap.indent(lines, "    "), loud)
    return text


def _format_value(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    plain = isinstance(value, str) and value and not set(value) & set(" \"'=")
    return value if plain else json.dumps(value, ensure_ascii=False)


def _printable(text: str) -> str:
    """Escape what would end the line or steer the terminal: a client may have sent it."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )
