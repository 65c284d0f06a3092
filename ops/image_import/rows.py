"""Reads which pictures to put in from a CSV file, or from a folder with a folder for each product."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from domain.errors import InvalidFieldsError
from domain.image_details import ORDER_LIMIT
from domain.upload_fields import parse_upload_fields
from ops.csv_file import BadRow, product_id_of, read_rows
from ops.failures import OperatorError

COLUMNS = ("product_id", "file", "url", "alt_text", "is_primary", "order", "name")
"""What a CSV of pictures may say; `product_id` must be there, and of each row `file` or `url`."""
PROBLEM_COLUMN = "problem"
LIST_NAME = "images.csv"
"""What an export calls its CSV; a folder that holds one is imported as this CSV says."""
_FAILED = ".failed"
"""What the name of the CSV ends with that holds what failed."""
_NOT_PICTURES = frozenset({"thumbs.db", "desktop.ini"})
"""What Windows lays beside pictures; other systems begin the names of such files with a dot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRow:
    """A picture to put in: `file` on this computer, or the address `url`; the other one is empty.

    `place` is how a person finds the row: its line, or its path. `order` is where it is to stand, None as
    long as only the row's place among the others says that.
    """

    place: str
    product_id: int
    file: str = ""
    url: str = ""
    alt_text: str = ""
    is_primary: bool = False
    order: int | None = None
    name: str = ""


class Refused(NamedTuple):
    """A row that is not put in: where it is, why, and its values in the order of `COLUMNS`, if it has any."""

    place: str
    reason: str
    cells: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """What is to be put in: rows by product, of each in the order of the file.

    `folder` is where relative files lie. `bad` are the rows that are not taken. `failed_file` is where to
    write what could not be put in, `done_file` where to note addresses that were: the same for a CSV and for
    what failed of it, so that no address is put in by both.
    """

    name: str
    folder: Path
    rows: Sequence[PictureRow]
    bad: Sequence[Refused]
    failed_file: Path
    done_file: Path


def read_source(source: Path) -> Source:
    """Read a CSV file or a folder.

    Raises:
        OperatorError: it cannot be read as a whole; the message says what to do.

    """
    if source.is_dir() and (source / LIST_NAME).is_file():
        source /= LIST_NAME
    if not source.is_dir():
        read = list(_csv_rows(source.read_bytes(), source.name))
        return _source(source.name, source.parent, read, source.with_suffix(""))
    read = list(_folder_rows(source))
    if not read:
        raise OperatorError(
            f"{source} holds no folder. Lay the images of product 123 into {source / '123'}, "
            "or name a CSV file."
        )
    return _source(source.name or str(source), source, read, source / "images")


def write_failed(file: Path, refused: Iterable[Refused]) -> None:
    """Write rows that have values, and what was wrong with each, as a CSV that can be imported again."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow((*COLUMNS, PROBLEM_COLUMN))
        writer.writerows((*each.cells, each.reason) for each in refused if each.cells)


def cells_of(row: PictureRow) -> tuple[str, ...]:
    """Return the row's values in the order of `COLUMNS`."""
    order = "" if row.order is None else str(row.order)
    is_primary = "true" if row.is_primary else "false"
    return str(row.product_id), row.file, row.url, row.alt_text, is_primary, order, row.name


def _source(name: str, folder: Path, read: Sequence[PictureRow | Refused], stem: Path) -> Source:
    rows = [row for row in read if isinstance(row, PictureRow)]
    bad = [row for row in read if not isinstance(row, PictureRow)]
    taken, more_bad = _with_one_primary(rows)
    return Source(
        name,
        folder,
        list(_in_order(taken)),
        [*bad, *more_bad],
        stem.with_name(f"{stem.name}{_FAILED}.csv"),
        stem.with_name(f"{_origin(stem.name)}.done"),
    )


def _origin(name: str) -> str:
    """Return the name of the CSV of which this one, or one before it, holds what failed."""
    while name.endswith(_FAILED):
        name = name.removesuffix(_FAILED)
    return name


def _csv_rows(content: bytes, name: str) -> Iterator[PictureRow | Refused]:
    for read in read_rows(content, name, ("product_id",), COLUMNS[1:]):
        if isinstance(read, BadRow):
            yield Refused(f"line {read.line}", read.reason)
        else:
            line, values = read
            yield _row(f"line {line}", values)


def _row(place: str, values: Mapping[str, str]) -> PictureRow | Refused:
    cells = [values.get(column, "") for column in COLUMNS]
    refused = partial(Refused, place, cells=cells)
    file, url = values.get("file", "").strip(), values.get("url", "").strip()
    if bool(file) == bool(url):
        both = "It names a file and a url; leave one of them out." if file else "It names no file and no url."
        return refused(both)
    try:
        product_id = product_id_of(values["product_id"], "product_id")
        fields = parse_upload_fields(values)
    except InvalidFieldsError as error:
        return refused(" ".join(f"{fault.field}: {fault.message}" for fault in error.faults))
    except ValueError as error:
        return refused(str(error))
    return PictureRow(
        place=place,
        product_id=product_id,
        file=file,
        url=url,
        alt_text=fields.details.alt_text,
        is_primary=fields.is_primary,
        order=fields.details.order if values.get("order", "").strip() else None,
        name=values.get("name", "").strip(),
    )


def _folder_rows(folder: Path) -> Iterator[PictureRow | Refused]:
    for product in sorted((each for each in folder.iterdir() if each.is_dir()), key=_as_people_count):
        if product.name.startswith("."):
            continue
        try:
            product_id = product_id_of(product.name, "folder")
        except ValueError as error:
            yield Refused(product.name, str(error))
            continue
        for file in sorted(filter(_is_wanted, product.iterdir()), key=_as_people_count):
            place = f"{product.name}/{file.name}"
            yield PictureRow(place=place, product_id=product_id, file=place)


def _is_wanted(file: Path) -> bool:
    return file.is_file() and not file.name.startswith(".") and file.name.lower() not in _NOT_PICTURES


def _as_people_count(path: Path) -> list[tuple[int, str]]:
    """Return what sorts 2.jpg before 10.jpg."""
    parts = re.split(r"([0-9]+)", path.name.lower())
    return [(int(part), "") if number % 2 else (0, part) for number, part in enumerate(parts)]


def _with_one_primary(rows: Sequence[PictureRow]) -> tuple[list[PictureRow], list[Refused]]:
    """Return the rows, and those that would be the second primary of their product."""
    primaries: dict[int, str] = {}
    taken, bad = [], []
    for row in rows:
        first = primaries.setdefault(row.product_id, row.place) if row.is_primary else row.place
        if first == row.place:
            taken.append(row)
        else:
            reason = f"{first} is the primary of product {row.product_id} already. Leave one of them."
            bad.append(Refused(row.place, reason, cells_of(row)))
    return taken, bad


def _in_order(rows: Sequence[PictureRow]) -> Iterator[PictureRow]:
    """Yield the rows product by product, each with an order of its own.

    Files arrive in any order, and equal ones would stand as they arrived. So a row without an order gets one
    more than the row before it, beginning with 0 as a new order of a gallery does; and of those that have the
    same, each but the first gets one more.
    """
    products: dict[int, list[PictureRow]] = {}
    for row in rows:
        products.setdefault(row.product_id, []).append(row)
    for of_product in products.values():
        before = -1
        said = []
        for row in of_product:
            before = before + 1 if row.order is None else row.order
            said.append(before)
        given: dict[int, int] = {}
        highest = -ORDER_LIMIT - 1
        for position in sorted(range(len(said)), key=said.__getitem__):
            highest = given[position] = max(said[position], highest + 1)
        yield from (replace(row, order=given[position]) for position, row in enumerate(of_product))
