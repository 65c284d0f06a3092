"""Reads CSV files whose first line names the columns, and says of each bad row what is wrong with it."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from domain.errors import InvalidFieldsError
from domain.identifiers import parse_identifiers
from domain.text import clean_short_text
from ops.failures import OperatorError


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was not taken: the line it begins on, counted from 1, and why."""

    line: int
    reason: str


def read_rows(
    content: bytes, name: str, needed: Sequence[str], known: Sequence[str] = ()
) -> Iterator[tuple[int, Mapping[str, str]] | BadRow]:
    """Yield each row that is not blank: the line it begins on, and its values by column.

    `needed` are the columns that the first line must name, `known` those that it may name once at most.

    Raises:
        OperatorError: the file as a whole cannot be read; the message says what to do.

    """
    records = _records(_decode(content, name))
    header = _header(records, name, needed, known)
    for line, cells in records:
        yield _read_row(header, line, cells)


def product_id_of(text: str, column: str) -> int:
    """Read the identifier of a product.

    Raises:
        ValueError: it is none; the message names the column and says what it must be.

    """
    try:
        return parse_identifiers({column: text.strip()})[column]
    except InvalidFieldsError as error:
        raise ValueError(f"{column} is '{clean_short_text(text)}'. {error.faults[0].message}") from error


def _decode(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise OperatorError(f"{name} is not UTF-8 (line {line}). Save it as CSV UTF-8.") from error


def _records(text: str) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """Yield each record that is not blank with the line it begins on; in place of an unreadable one, why."""
    # Excel writes semicolons where a comma stands in numbers, as in German.
    first, _, _ = text.partition("\n")
    delimiter = ";" if ";" in first and "," not in first else ","
    # Strict: otherwise a quote that is never closed swallows the rest of the file unnoticed.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, error
        else:
            if any(cell.strip() for cell in cells):
                yield line, cells


def _header(
    records: Iterator[tuple[int, list[str] | csv.Error]],
    name: str,
    needed: Sequence[str],
    known: Sequence[str],
) -> list[str]:
    _, cells = next(records, (0, None))
    columns = " and ".join(needed)
    if cells is None:
        among = f", one of them {columns}" if needed else ""
        raise OperatorError(f"{name} is empty. Its first line must name the columns{among}.")
    header = [] if isinstance(cells, csv.Error) else [cell.strip() for cell in cells]
    if any(header.count(column) != 1 for column in needed) or any(
        header.count(column) > 1 for column in known
    ):
        found = clean_short_text(", ".join(header))
        others = f" and at most one {' and one '.join(known)}" if known else ""
        raise OperatorError(
            f"The first line of {name} must name exactly one column {columns}{others}, "
            f"with commas or semicolons between columns; it reads: {found}"
        )
    return header


def _read_row(
    header: Sequence[str], line: int, cells: list[str] | csv.Error
) -> tuple[int, Mapping[str, str]] | BadRow:
    if isinstance(cells, csv.Error):
        return BadRow(line, f"It is not CSV: {cells}.")
    if any(cell.strip() for cell in cells[len(header) :]):
        # Perhaps 1,234 for 1234: to take the 1 would be worse than to refuse.
        return BadRow(line, f"It has {len(cells)} values, the first line {len(header)}.")
    padded = cells + [""] * (len(header) - len(cells))
    return line, dict(zip(header, padded, strict=False))
