"""The command: rows in, a line for each failure, and at the end what became of all."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from ops.failures import OperatorError
from ops.image_import.bring import Bringing, Tally
from ops.image_import.rows import Refused, Source, read_source, write_failed
from ops.service import Access, access_of, run, service_at
from ops.terminal import fail, note, progress_bar, say

_INTERRUPTED = 130
"""What a shell says of a command that Ctrl-C ended."""


def import_images(
    ctx: typer.Context,
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            exists=True,
            help="CSV with product_id and file or url, or a folder with a folder for each product.",
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check files and products, and count, but send nothing.")
    ] = False,
) -> None:
    """Put in images from this computer or from addresses; safe to repeat, and goes on where it was.

    It needs PRODUCT_IMAGES_URL, the service's address, and PRODUCT_IMAGES_KEY, a key of staff; or --local.
    What fails is told line by line, and written beside SOURCE as a CSV that can be imported again.
    The exit code is 0 if all images are ready, else 1, and 130 after Ctrl-C.

    Examples:
        product-images images import pictures.csv --dry-run
        product-images images import pictures.csv
        product-images images import folder/ --local

    """
    wanted = read_source(source)
    for refused in wanted.bad:
        _tell(wanted, refused)
    access = access_of(ctx)
    with progress_bar("Checking" if dry_run else "Importing", len(wanted.rows)) as advance:
        tally, error = _run(access, wanted, advance, dry_run=dry_run)
    failed = [*wanted.bad, *tally.failed]
    _report(tally, failed, wanted, dry_run=dry_run, is_over=error is None)
    if isinstance(error, KeyboardInterrupt):
        note("Stopped. Give the same command again to go on.")
        raise typer.Exit(_INTERRUPTED)
    if error:
        raise error
    if failed:
        raise typer.Exit(1)


def _run(
    access: Access, wanted: Source, advance: Callable[[int], None], *, dry_run: bool
) -> tuple[Tally, BaseException | None]:
    """Run to the end, or until there is an order to stop; return what was done, and what ended it early."""
    tally = Tally()

    async def bring() -> None:
        async with service_at(access) as service:
            bringing = Bringing(
                wanted, service, tally, tell=lambda refused: _tell(wanted, refused), advance=advance
            )
            await bringing.run(dry_run=dry_run)

    try:
        run(bring())
    except (KeyboardInterrupt, OperatorError) as error:
        return tally, error
    return tally, None


def _tell(wanted: Source, refused: Refused) -> None:
    fail(f"{wanted.name}, {refused.place}: {refused.reason}")


def _report(tally: Tally, failed: Sequence[Refused], wanted: Source, *, dry_run: bool, is_over: bool) -> None:
    counts = f"there already: {tally.there:,}; failed: {len(failed):,}"
    if dry_run:
        say(f"Nothing was sent. New: {tally.new:,}; {counts}.")
        return
    say(f"Ready: {tally.new:,}; {counts}.")
    if not is_over and wanted.failed_file.exists():
        # It may name rows that this run has not come to. What failed now, the next run tells again.
        note(f"{wanted.failed_file} is left as it is until a run comes to its end.")
    elif failed:
        write_failed(wanted.failed_file, failed)
        note(f"What failed stands in {wanted.failed_file}: mend it, and import that file.")
    else:
        # Of an earlier run; all of it is there now.
        wanted.failed_file.unlink(missing_ok=True)
