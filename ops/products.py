"""`product-images products`: adds, imports, lists and removes the products that may have images."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from pathlib import Path
from typing import Annotated

import typer

from domain.errors import InvalidFieldsError
from domain.identifiers import parse_identifiers
from domain.product_title import clean_title
from domain.text import clean_short_text
from ops.catalogue import DamagedRecordError, counted, product_items, titled
from ops.product_csv import COLUMN, TITLE_COLUMN, ProductList, read_product_csv
from ops.product_removal import ProductRemoval
from ops.target import PARALLEL_CALLS, Target, target_of
from ops.terminal import confirm, fail, note, progress_bar, say, say_json, show

_BATCH = 10 * PARALLEL_CALLS
"""Products between two moves of the bar; also what is still written after Ctrl-C or a failure."""

app = typer.Typer(
    no_args_is_help=True, help="Add, import, list and remove the products that may have images."
)


def _product_id(text: str) -> int:
    try:
        return parse_identifiers({"product_id": text})["product_id"]
    except InvalidFieldsError as error:
        raise typer.BadParameter(
            f"'{clean_short_text(text)}' is no product. {error.faults[0].message}"
        ) from error


def _title(text: str) -> str | None:
    try:
        return clean_title(text)
    except InvalidFieldsError as error:
        raise typer.BadParameter(error.faults[0].message) from error


_ProductIds = Annotated[
    list[int], typer.Argument(parser=_product_id, metavar="ID", help="Identifiers of products.")
]


@app.command()
def add(
    ctx: typer.Context,
    product_ids: _ProductIds,
    title: Annotated[
        str | None, typer.Option(parser=_title, metavar="TEXT", help="What staff find the product by.")
    ] = None,
) -> None:
    """Add products; one that is there already stays as it is, but for a title that is given.

    Examples:
        product-images products add 123 124
        product-images products add 125 --title "Red shoe"

    """
    if title and len(product_ids) > 1:
        raise typer.BadParameter("A title is one product's. Add it alone, or import a CSV with titles.")
    products = target_of(ctx).products
    for product_id in product_ids:
        say(f"Product {product_id}: {'added' if products.add(product_id, title) else 'there already'}.")


@app.command("import")
def import_csv(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help=f"CSV, in UTF-8, with columns {COLUMN} and, if you like, {TITLE_COLUMN}; - for stdin.",
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and count, but add nothing.")] = False,
) -> None:
    r"""Add the products of a CSV file, and set the titles that it names; safe to repeat.

    A bad row is reported and does not stop the good ones; the exit code is then 1.

    Examples:
        product-images products import catalogue.csv --dry-run
        printf 'product_id,title\n123,Red shoe\n124,\n' | product-images products import -

    """
    from_stdin = str(file) == "-"
    content = typer.get_binary_stream("stdin").read() if from_stdin else file.read_bytes()
    name = "stdin" if from_stdin else file.name
    products = read_product_csv(content, name)
    for row in products.bad_rows:
        fail(f"{name}, line {row.line}: {row.reason}")
    new = _count_new(target_of(ctx), products.titles, dry_run=dry_run)
    _report(new, products, dry_run=dry_run)
    if products.bad_rows:
        raise typer.Exit(1)


@app.command("list")
def list_products(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON, for scripts.")] = False,
) -> None:
    """List the products, how many pictures each has, and their titles; reads the whole table.

    It costs a read unit for each 8 KB of it, the pictures' records too: a million pictures cost a cent.

    Example:
        product-images products list

    """
    rows, damaged, units = [], False, 0.0
    for items, cost in product_items(target_of(ctx)):
        units += cost
        for item in items:
            try:
                rows.append((*counted(item), titled(item)))
            except DamagedRecordError as error:
                damaged = True
                fail(f"damaged record: {error}")
    rows.sort()
    if as_json:
        say_json([{"product_id": number, "images": images, "title": title} for number, images, title in rows])
    elif rows:
        show(
            ("Product", "Images", "Title"),
            ((str(number), f"{images:,}", title or "") for number, images, title in rows),
            folds="Title",
        )
    else:
        note("There are no products yet. Add one: product-images products add --help")
    note(f"Read units used: {units:,.1f}.")
    if damaged:
        raise typer.Exit(1)


@app.command()
def remove(
    ctx: typer.Context,
    product_ids: _ProductIds,
    with_images: Annotated[
        bool, typer.Option("--with-images", help="Remove all images of the products with them, for good.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove products; one that still has images is refused, unless they are to go with it.

    The products are gone at once. What is stopped with Ctrl-C goes on when the command is given again, or
    within two hours by itself.

    Examples:
        product-images products remove 123 124
        product-images products remove 123 --with-images

    """
    target = target_of(ctx)
    if not yes:
        names = ", ".join(str(product_id) for product_id in product_ids)
        what = "and all their images" if with_images else "from the products"
        confirm(f"Remove {names} {what} in {target.name}?")
    removal = ProductRemoval(target)
    removed = [removal(product_id, with_images=with_images) for product_id in product_ids]
    if not all(removed):
        raise typer.Exit(1)


def _count_new(target: Target, titles: Mapping[int, str | None], *, dry_run: bool) -> int:
    """Add the products, or only look; return how many were not there."""
    products = target.products

    def is_new(product_id: int) -> bool:
        return not products.exists(product_id) if dry_run else products.add(product_id, titles[product_id])

    new, label = 0, "Checking" if dry_run else "Importing"
    with progress_bar(label, len(titles)) as advance, ThreadPoolExecutor(PARALLEL_CALLS) as pool:
        for batch in batched(titles, _BATCH, strict=False):
            new += sum(pool.map(is_new, batch))
            advance(len(batch))
    return new


def _report(new: int, products: ProductList, *, dry_run: bool) -> None:
    there = len(products.titles) - new
    bad = len(products.bad_rows)
    refused = f"; {_count(bad, 'row')} refused, see above" if bad else ""
    if dry_run:
        say(f"Nothing was added. New: {new}, there already: {there}{refused}.")
    else:
        say(f"Added {_count(new, 'product')}; there already: {there}{refused}.")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
