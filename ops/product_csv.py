"""Reads products from a CSV file, and says of each bad row what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ValidationError
from pydantic_core import PydanticCustomError

from domain.errors import InvalidFieldsError
from domain.product_title import clean_title
from ops.csv_file import BadRow, product_id_of, read_rows

COLUMN = "product_id"
TITLE_COLUMN = "title"


@dataclass(frozen=True, slots=True)
class ProductList:
    """What a file holds: each product once, in the order of the file, and the rows that were not taken.

    `titles` has a title by product, None where the file has none; of several the last one counts.
    """

    titles: Mapping[int, str | None]
    bad_rows: tuple[BadRow, ...]


def _product_id(text: str) -> int:
    try:
        return product_id_of(text, COLUMN)
    except ValueError as error:
        raise PydanticCustomError(COLUMN, "{reason}", {"reason": str(error)}) from error


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
    titles: dict[int, str | None] = {}
    bad_rows = []
    for read in read_rows(content, name, (COLUMN,), (TITLE_COLUMN,)):
        row = read if isinstance(read, BadRow) else _read_row(*read)
        if isinstance(row, BadRow):
            bad_rows.append(row)
        else:
            titles[row.product_id] = row.title or titles.get(row.product_id)
    return ProductList(titles, tuple(bad_rows))


def _read_row(line: int, values: Mapping[str, str]) -> _ProductRow | BadRow:
    try:
        return _ProductRow.model_validate(values)
    except ValidationError as error:
        return BadRow(line, error.errors()[0]["msg"])
