"""`product-images images convert`: another shop system's export of products, as a CSV of pictures.

Sources of the column names: Shopify Help Center, "Using CSV files to import and export products" (the old
names and those since 2025); WooCommerce's "Product CSV Import Schema"; BigCommerce Support, "Supported
Product Fields" (an Item in each row) and its legacy export (an Item Type in each row).
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from ops.csv_file import BadRow, product_id_of, read_rows
from ops.failures import OperatorError
from ops.image_import.rows import COLUMNS, PictureRow, cells_of
from ops.terminal import fail, note, say


class ShopSystem(StrEnum):
    """Whose export it is."""

    SHOPIFY = "shopify"
    WOOCOMMERCE = "woocommerce"
    BIGCOMMERCE = "bigcommerce"


class _Listed(NamedTuple):
    """A picture as an export lists it: of the product with these names, by column, and at this address."""

    line: int
    product: Mapping[str, str]
    url: str
    alt_text: str = ""
    position: str = ""
    is_primary: bool = False


type _Rows = Iterator[tuple[int, Mapping[str, str]]]

_HANDLES = ("Handle", "URL handle")
_SLOT = re.compile(r"Product Image URL - ([0-9]+)")
_OWN_NUMBERS = {
    ShopSystem.SHOPIFY: (),
    ShopSystem.WOOCOMMERCE: ("ID",),
    ShopSystem.BIGCOMMERCE: ("ID", "Product ID"),
}
"""Columns with numbers that a product may have here too."""
_NAMES = {
    ShopSystem.SHOPIFY: _HANDLES,
    ShopSystem.WOOCOMMERCE: ("ID", "SKU"),
    ShopSystem.BIGCOMMERCE: ("ID", "Product ID", "SKU", "Product Code/SKU"),
}
"""Columns that tell products apart, any of which the list of products may have."""


def convert_export(
    export: Annotated[
        Path, typer.Argument(metavar="EXPORT", exists=True, dir_okay=False, help="The shop system's CSV.")
    ],
    pictures: Annotated[Path, typer.Argument(metavar="CSV", help="File to write, for images import.")],
    system: Annotated[ShopSystem, typer.Option("--from", help="The shop system.")],
    products: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="CSV that says which product_id a Handle, SKU or ID has.",
        ),
    ] = None,
) -> None:
    """Make a CSV for images import of another shop system's export of products.

    The exit code is 1 if a picture's product is not known; the others are written all the same.

    Examples:
        product-images images convert products_export.csv pictures.csv --from shopify --products products.csv
        product-images images convert wc-export.csv pictures.csv --from woocommerce

    """
    number_of = _numbers(system, products)
    rows, unknown = [], Counter[str]()
    for listed in _READERS[system](_read(export, system)):
        product_id = number_of(listed)
        if product_id is None:
            unknown[" / ".join(filter(None, (listed.product.get(name) for name in _NAMES[system])))] += 1
        else:
            rows.append(_row(product_id, listed))
    with pictures.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows(map(cells_of, rows))
    for name, count in unknown.items():
        fail(f"Product {name or '(no name)'} has no number: {count} images left out. Name it in --products.")
    say(f"{pictures}: {len(rows):,} pictures of {len({row.product_id for row in rows}):,} products.")
    if not rows:
        note(f"Is {export.name} an export of {system}? No address of an image was found in it.")
    if unknown:
        raise typer.Exit(1)


class _Numbers:
    """Tells the number that a listed product has here."""

    def __init__(self, system: ShopSystem, column: str | None, numbers: Mapping[str, int]) -> None:
        self._columns = (column,) if column else _OWN_NUMBERS[system]
        self._numbers = numbers if column else None

    def __call__(self, listed: _Listed) -> int | None:
        """Return it, or None if it is not known."""
        name = next((listed.product[each] for each in self._columns if listed.product.get(each)), "")
        if self._numbers is not None:
            return self._numbers.get(name)
        try:
            return product_id_of(name, "ID")
        except ValueError:
            return None


def _numbers(system: ShopSystem, products: Path | None) -> _Numbers:
    """Read the list of products, if there is one.

    Raises:
        OperatorError: it is needed, or cannot be read.

    """
    if products is None:
        if not _OWN_NUMBERS[system]:
            raise OperatorError(
                f"An export of {system} has no numbers of products. Give --products FILE, a CSV with the "
                f"columns product_id and {_NAMES[system][0]}."
            )
        return _Numbers(system, None, {})
    rows = list(_good_rows(products, ("product_id",), _NAMES[system]))
    column = next((name for name in _NAMES[system] if rows and name in rows[0][1]), None)
    if column is None:
        raise OperatorError(
            f"{products.name} has no column that tells the products of {system} apart. Beside product_id it "
            f"must have one of: {', '.join(_NAMES[system])}."
        )
    numbers = {}
    for line, values in rows:
        try:
            numbers[values[column].strip()] = product_id_of(values["product_id"], "product_id")
        except ValueError as error:
            raise OperatorError(f"{products.name}, line {line}: {error}") from error
    return _Numbers(system, column, numbers)


def _read(export: Path, system: ShopSystem) -> _Rows:
    """Read the export; that of WooCommerce and Shopify in whichever names of columns it has."""
    return _good_rows(export, (), _NAMES[system])


def _good_rows(file: Path, needed: Sequence[str], known: Sequence[str]) -> _Rows:
    for read in read_rows(file.read_bytes(), file.name, needed, known):
        if isinstance(read, BadRow):
            raise OperatorError(f"{file.name}, line {read.line}: {read.reason}")
        yield read


def _shopify(rows: _Rows) -> Iterator[_Listed]:
    """Yield the picture of each row; the rows of a product have its handle."""
    for line, values in rows:
        url = values.get("Image Src") or values.get("Product image URL") or ""
        if url.strip():
            yield _Listed(
                line,
                values,
                url.strip(),
                values.get("Image Alt Text") or values.get("Image alt text") or "",
                values.get("Image Position") or values.get("Image position") or "",
            )


def _woocommerce(rows: _Rows) -> Iterator[_Listed]:
    """Yield the addresses in each product's cell; those of variations are their own and are left out."""
    for line, values in rows:
        if "variation" in values.get("Type", "").lower():
            continue
        for url in values.get("Images", "").split(","):
            if url.strip():
                yield _Listed(line, values, url.strip())


def _bigcommerce(rows: _Rows) -> Iterator[_Listed]:
    """Yield the rows of pictures behind their product, or the groups of columns of the legacy export."""
    product: Mapping[str, str] = {}
    for line, values in rows:
        item = values.get("Item") or values.get("Item Type") or ""
        if item.strip() == "Product":
            product = values
        for number in sorted(int(match[1]) for name in values if (match := _SLOT.fullmatch(name))):
            url = values[f"Product Image URL - {number}"].strip()
            if url and item.strip() in {"", "Product"}:
                yield _Listed(
                    line,
                    values,
                    url,
                    values.get(f"Product Image Description - {number}", ""),
                    values.get(f"Product Image Sort - {number}", ""),
                    _is_yes(values.get(f"Product Image Is Thumbnail - {number}", "")),
                )
        url = values.get("Internal Image URL (Export)") or values.get("Image URL (Import)") or ""
        if item.strip() == "Image" and url.strip():
            yield _Listed(
                line,
                product,
                url.strip(),
                values.get("Image Description", ""),
                values.get("Image Sort Order", ""),
                _is_yes(values.get("Image is Thumbnail", "")),
            )


_READERS = {
    ShopSystem.SHOPIFY: _shopify,
    ShopSystem.WOOCOMMERCE: _woocommerce,
    ShopSystem.BIGCOMMERCE: _bigcommerce,
}


def _row(product_id: int, listed: _Listed) -> PictureRow:
    position = listed.position.strip()
    return PictureRow(
        place=f"line {listed.line}",
        product_id=product_id,
        url=listed.url,
        alt_text=listed.alt_text.strip(),
        is_primary=listed.is_primary,
        order=int(position) if position.isascii() and position.isdecimal() else None,
    )


def _is_yes(text: str) -> bool:
    return text.strip().lower() in {"true", "y", "yes", "1"}
