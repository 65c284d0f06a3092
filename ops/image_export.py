"""`product-images images export`: each product's pictures into a folder, with a CSV that can be imported."""

import asyncio
import csv
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from pydantic import BaseModel

from domain.image import ImageFormat
from ops.failures import OperatorError
from ops.image_import.rows import COLUMNS, LIST_NAME, PictureRow, cells_of, read_source
from ops.service import Access, RefusedError, Service, access_of, run, service_at
from ops.terminal import fail, note, progress_bar, say

_INTERRUPTED = 130
_PRODUCTS_AT_ONCE = 8
"""Products whose galleries are read while the files of others still come."""
_PAGE_SIZE = 100


class _Picture(BaseModel):
    id: int
    type: str
    name: str
    f: str
    size: int
    alt_text: str
    is_primary: bool
    order: int
    status: str


class _Gallery(BaseModel):
    count: int
    next: str | None
    results: list[_Picture]


class _Product(BaseModel):
    product_id: int
    count: int


class _Products(BaseModel):
    next: str | None
    results: list[_Product]


class _Exported(NamedTuple):
    """What came of one product: the rows of its CSV, and how many pictures were not ready or not there."""

    rows: Sequence[PictureRow]
    not_ready: int
    failed: int


def export_images(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", file_okay=False, help="Folder to write into.")],
    product: Annotated[
        list[int] | None,
        typer.Option("--product", metavar="ID", min=1, help="Export this product alone; may be repeated."),
    ] = None,
) -> None:
    """Write the images as the public sees them, and images.csv; safe to repeat, and goes on where it was.

    To move a shop, import DIR into the other stack. Files that are there already are not fetched again.
    With --product, what images.csv says of other products stays.
    It needs PRODUCT_IMAGES_URL and PRODUCT_IMAGES_KEY, or --local. The exit code is 1 if a file is missing.

    Examples:
        product-images images export backup/
        product-images images export backup/ --product 123 --product 124

    """
    access = access_of(ctx)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        missing = run(_export(access, folder, product or []))
    except KeyboardInterrupt:
        note("Stopped. Give the same command again to go on.")
        raise typer.Exit(_INTERRUPTED) from None
    if missing:
        raise typer.Exit(1)


async def _export(access: Access, folder: Path, product_ids: Sequence[int]) -> int:
    """Export, say what was done, and return how many files are missing."""
    kept = _rows_of_others(folder / LIST_NAME, product_ids)
    async with service_at(access) as service:
        products = [each async for each in _products(service, product_ids)]
        exported = not_ready = missing = 0
        unfinished = folder / f"{LIST_NAME}.part"
        with (
            progress_bar("Exporting", sum(each.count for each in products)) as advance,
            unfinished.open("w", encoding="utf-8", newline="") as stream,
        ):
            writer = csv.writer(stream)
            writer.writerow(COLUMNS)
            writer.writerows(map(cells_of, kept))
            async for done in _in_turn(service, folder, products, advance):
                writer.writerows(map(cells_of, done.rows))
                exported += len(done.rows)
                not_ready += done.not_ready
                missing += done.failed
    # Only now: a list that is there is whole.
    unfinished.replace(folder / LIST_NAME)
    say(f"{folder / LIST_NAME}: {exported:,} images of {len(products):,} products; missing: {missing:,}.")
    if kept:
        note(f"Left in the list, images of other products: {len(kept):,}.")
    if not_ready:
        note(f"Left out, since they are not ready: {not_ready:,}. See them with: GET …/images?status=failed")
    return missing


def _rows_of_others(file: Path, product_ids: Sequence[int]) -> list[PictureRow]:
    """Return what a list says of products that are not exported; nothing if all are.

    Raises:
        OperatorError: a row cannot be read, and would be lost.

    """
    if not product_ids or not file.exists():
        return []
    source = read_source(file)
    if source.bad:
        bad = source.bad[0]
        raise OperatorError(
            f"{file}, {bad.place}: {bad.reason} Correct this row, or export into another folder."
        )
    return [row for row in source.rows if row.product_id not in product_ids]


async def _products(service: Service, product_ids: Sequence[int]) -> AsyncIterator[_Product]:
    """Yield the products that are to be exported, with how many pictures each has."""
    for product_id in dict.fromkeys(product_ids):
        gallery = await _page(service, f"{_images(product_id)}?limit=1")
        yield _Product(product_id=product_id, count=gallery.count)
    path: str | None = None if product_ids else f"/api/products?limit={_PAGE_SIZE}"
    while path:
        page = _Products.model_validate_json((await service.ask("GET", path)).content)
        for product in page.results:
            yield product
        path = page.next


async def _in_turn(
    service: Service, folder: Path, products: Iterable[_Product], advance: Callable[[int], None]
) -> AsyncIterator[_Exported]:
    """Export some products at once, and yield what came of each in their order."""
    begun: deque[asyncio.Task[_Exported]] = deque()
    try:
        for product in products:
            begun.append(asyncio.create_task(_export_product(service, folder, product.product_id, advance)))
            if len(begun) == _PRODUCTS_AT_ONCE:
                yield await begun.popleft()
        while begun:
            yield await begun.popleft()
    finally:
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)


async def _export_product(
    service: Service, folder: Path, product_id: int, advance: Callable[[int], None]
) -> _Exported:
    rows: list[PictureRow] = []
    not_ready = failed = 0
    path: str | None = f"{_images(product_id)}?limit={_PAGE_SIZE}"
    while path:
        gallery = await _page(service, path)
        ready = [each for each in gallery.results if each.status == "ready"]
        async with asyncio.TaskGroup() as tasks:
            fetched = [
                tasks.create_task(_fetch(service, folder, product_id, each, advance)) for each in ready
            ]
        rows += [row for task in fetched if (row := task.result())]
        failed += sum(task.result() is None for task in fetched)
        not_ready += len(gallery.results) - len(ready)
        advance(len(gallery.results) - len(ready))
        path = gallery.next
    return _Exported(rows, not_ready, failed)


async def _fetch(
    service: Service, folder: Path, product_id: int, picture: _Picture, advance: Callable[[int], None]
) -> PictureRow | None:
    """Write one picture's file unless it is there, and return its row; None if the file cannot be had."""
    name = f"{product_id}/{picture.id}.{ImageFormat[picture.type].extension}"
    file = folder / name
    # What lies at an address never changes, and a file has its name only once it is whole.
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        unfinished = file.with_suffix(".part")
        try:
            await service.download(picture.f, unfinished)
        except RefusedError as error:
            fail(f"Product {product_id}, image {picture.id}: {error}")
            advance(1)
            return None
        unfinished.replace(file)
    advance(1)
    return PictureRow(
        place=name,
        product_id=product_id,
        file=name,
        alt_text=picture.alt_text,
        is_primary=picture.is_primary,
        order=picture.order,
        name=picture.name,
    )


async def _page(service: Service, path: str) -> _Gallery:
    return _Gallery.model_validate_json((await service.ask("GET", path)).content)


def _images(product_id: int) -> str:
    return f"/api/products/{product_id}/images"
