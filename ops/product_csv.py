"""Reads products from a CSV file, and says of each bad row what is wrong with it."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ValidationError
from pydantic_core import PydanticCustomError

from domain.errors import InvalidFieldsError
from domain.identifiers import parse_identifiers
from domain.product_title import clean_title
from domain.text import clean_short_text
from ops.failures import OperatorError

COLUMN = "product_id"
TITLE_COLUMN = "title"


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was not taken: the line it begins on, counted from 1, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class ProductList:
    """What a file holds: each product once, in the order of the file, and the rows that were not taken.

    `titles` has a title by product, None where the file has none; of several the last one counts.
    """

    titles: Mapping[int, str | None]
    bad_rows: tuple[BadRow, ...]


def _product_id(text: str) -> int:
    try:
        return parse_identifiers({"product_id": text.strip()})["product_id"]
    except InvalidFieldsError as error:
        reason = f"{COLUMN} is '{clean_short_text(text)}'. {error.faults[0].message}"
        raise PydanticCustomError(COLUMN, "{reason}", {"reason": reason}) from error


def _title(text: str) -> str | None:
    try:
        return clean_title(text)
    except InvalidFieldsError as error:
        reason = f"{TITLE_COLUMN}: {error.faults[0].message}"
        raise PydanticCustomError(TITLE_COLUMN, "{reason}", {"reason": reason}) from error


class _ProductRow(BaseModel):
    product_id: Annotated[int, BeforeValidator(_product_id)]
    title: Annotated[str | None, BeforeValidator(_title)] = None


def read_product_csv(content: bytes, name: str) -> ProductList:
    """Read the columns `product_id` and, if it is there, `title`; others are ignored, as are blank lines.

    Raises:
        OperatorError: the file as a whole cannot be read; the message says what to do.

    """
    records = _records(_decode(content, name))
    header = _header(records, name)
    titles: dict[int, str | None] = {}
    bad_rows = []
    for line, cells in records:
        row = _read_row(header, line, cells)
        if isinstance(row, BadRow):
            bad_rows.append(row)
        else:
            titles[row.product_id] = row.title or titles.get(row.product_id)
    return ProductList(titles, tuple(bad_rows))


def _decode(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise OperatorError(f"{name} is not UTF-8 (line {line}). Save it as CSV UTF-8.") from error


def _records(text: str) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """Yield each record that is not blank with the line it begins on; in place of an unreadable one, why."""
    # Strict: otherwise a quote that is never closed swallows the rest of the file unnoticed.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
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


def _header(records: Iterator[tuple[int, list[str] | csv.Error]], name: str) -> list[str]:
    _, cells = next(records, (0, None))
    if cells is None:
        raise OperatorError(f"{name} is empty. Its first line must name the columns, one of them {COLUMN}.")
    header = [] if isinstance(cells, csv.Error) else [cell.strip() for cell in cells]
    if header.count(COLUMN) != 1 or header.count(TITLE_COLUMN) > 1:
        found = clean_short_text(", ".join(header))
        raise OperatorError(
            f"The first line of {name} must name exactly one column {COLUMN} and at most one {TITLE_COLUMN}, "
            "with commas between columns; "
            f"it reads: {found}"
        )
    return header


def _read_row(header: list[str], line: int, cells: list[str] | csv.Error) -> _ProductRow | BadRow:
    if isinstance(cells, csv.Error):
        return BadRow(line, f"It is not CSV: {cells}.")
    if any(cell.strip() for cell in cells[len(header) :]):
        # Perhaps 1,234 for 1234: to take the 1 would be worse than to refuse.
        return BadRow(line, f"It has {len(cells)} values, the first line {len(header)}.")
    padded = cells + [""] * (len(header) - len(cells))
    try:
        return _ProductRow.model_validate(dict(zip(header, padded, strict=False)))
    except ValidationError as error:
        return BadRow(line, error.errors()[0]["msg"])
