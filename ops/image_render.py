"""`product-images images render`: makes what storefronts show of pictures that are there already."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING, Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from adapters.lambda_renderings import ready_event
from domain.image import ProductImage
from domain.recipe import Recipe
from ops.failures import explain
from ops.renditions import old_files, public_keys, ready_images, recipe_of, remove_files
from ops.target import PARALLEL_CALLS, Target, target_of
from ops.terminal import fail, progress_bar, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_lambda import LambdaClient


def render_images(
    ctx: typer.Context,
    product_id: Annotated[
        int | None, typer.Option("--product", min=1, metavar="ID", help="The images of one product.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="The images of all products.")] = False,
    recipe: Annotated[
        bool, typer.Option("--recipe", help="Those alone of which another recipe made files.")
    ] = False,
) -> None:
    """Make the files of ready images that have none by today's recipe, and remove what is left of others.

    Run it after a change of RenditionWidths, FallbackWidths, AvifQuality or AvifSpeed, and once where there
    were pictures before there were renditions. Safe to repeat, and to stop. The files of an earlier recipe go
    an hour after their pictures were rendered anew: run it once more then. The exit code is 1 if a picture
    cannot be rendered, or a file cannot be removed.

    Examples:
        product-images images render --product 123
        product-images images render --recipe

    """
    if [product_id is not None, everything, recipe].count(True) != 1:
        raise typer.BadParameter("Give one of --product ID, --all and --recipe.")
    target = target_of(ctx)
    current = recipe_of(target.parameters)
    images = list(ready_images(target, product_id))
    keys = public_keys(target, product_id)
    due = [image for image in images if _is_due(image, current, keys, anew_alone=recipe)]
    failed = _render(target, due)
    old = old_files(target, images, product_id, current, datetime.now(UTC))
    stay = remove_files(target, old)
    for key, code in stay.items():
        fail(f"file of an earlier recipe that S3 did not remove ({code}): {key}")
    say(f"Ready: {len(images)}, rendered now: {len(due) - failed}, failed: {failed}.")
    say(f"Files of earlier recipes removed: {len(old) - len(stay)}.")
    if failed or stay:
        raise typer.Exit(1)


def _is_due(image: ProductImage, recipe: Recipe, keys: frozenset[str], *, anew_alone: bool) -> bool:
    if image.look and image.look.recipe != recipe.name:
        return True
    return not anew_alone and (image.look is None or not keys.issuperset(image.made_keys))


def _render(target: Target, images: list[ProductImage]) -> int:
    """Have pictures rendered, some at once, and wait for it; return how many could not be."""
    function = target.asynchronous_functions["render-image"]
    send: Callable[[ProductImage], str | None] = partial(_send, target.clients.functions(), function)
    failed = 0
    with progress_bar("Rendering", len(images)) as advance, ThreadPoolExecutor(PARALLEL_CALLS) as pool:
        # No more than these few are still sent after Ctrl-C.
        for few in batched(images, PARALLEL_CALLS, strict=False):
            for image, fault in zip(few, pool.map(send, few), strict=True):
                if fault:
                    failed += 1
                    fail(f"image {image.ref.image_id} of product {image.ref.product_id}: {fault}")
            advance(len(few))
    return failed


def _send(functions: "LambdaClient", function: str, image: ProductImage) -> str | None:
    """Have one picture rendered; return what went wrong."""
    try:
        answer = functions.invoke(FunctionName=function, Payload=json.dumps(ready_event(image)).encode())
        result: Any = json.load(answer["Payload"])
    except (BotoCoreError, ClientError) as error:
        return explain(error)
    if "FunctionError" in answer:
        return str(result.get("errorMessage") or "the function did not say why")
    return None
