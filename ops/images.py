"""`product-images images`: pictures put in, taken out and rendered; a file for each command."""

import typer

from ops.image_export import export_images
from ops.image_import.command import import_images
from ops.image_render import render_images
from ops.shop_exports import convert_export

app = typer.Typer(no_args_is_help=True, help="Import, export and render images.")
app.command("import")(import_images)
app.command("export")(export_images)
app.command("convert")(convert_export)
app.command("render")(render_images)
