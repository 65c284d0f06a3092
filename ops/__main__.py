"""`product-images`: puts the commands together. A further group of commands is one line here."""

from typing import Annotated

import typer

from ops import images, invoke_settings, keys, products, repair
from ops.command_line import OperatorCommands
from ops.target import DEFAULT_STACK, TargetChoice
from ops.verify.command import HELP, verify

app = typer.Typer(
    cls=OperatorCommands,
    no_args_is_help=True,
    add_completion=False,
    # A command's failure is one line; `OperatorCommands` writes it.
    pretty_exceptions_enable=False,
)
app.add_typer(keys.app, name="keys")
app.add_typer(products.app, name="products")
app.add_typer(images.app, name="images")
app.add_typer(repair.app, name="repair")
app.command("invoke-settings")(invoke_settings.write_settings)
app.command(help=HELP)(verify)


@app.callback()
def choose_target(
    ctx: typer.Context,
    stack: Annotated[
        str,
        typer.Option(
            envvar="PRODUCT_IMAGES_STACK",
            metavar="NAME",
            help="CloudFormation stack to work on, with the usual AWS credentials and region.",
        ),
    ] = DEFAULT_STACK,
    local: Annotated[
        bool, typer.Option("--local", help="Work on the local system (make local) instead of AWS.")
    ] = False,
) -> None:
    """Operate the product images service: its API keys, products, images and repairs; prove that it works.

    Examples:
        product-images keys list
        product-images products add 123 --stack product-images-test
        product-images verify --local

    """
    ctx.obj = TargetChoice(stack=stack, local=local)


if __name__ == "__main__":
    app()
