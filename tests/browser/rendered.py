"""Products with pictures and their renditions, put straight where the functions put them: forty at a time."""

import io
from collections.abc import Sequence
from functools import cache

from PIL import Image

from adapters.dynamo_products import DynamoProducts
from adapters.pillow_image_renderer import PillowImageRenderer
from domain.image import ImageFacts, ImageFormat
from domain.ports import Rendered
from domain.recipe import Recipe
from domain.rendition import Look
from local.system import State
from tests.builders import NOW, a_file, a_ref, an_image

_RECIPE = Recipe()
_SIZE = (1_200, 900)
_DETAIL = {150: 0.4, 60: 0.3, 25: 0.2, 10: 0.12, 5: 0.08, 2: 0.05}
"""How much of it is noise of so many pixels."""
_COLOURED = 25
_KINDS = 5
"""Different photographs among those that are put."""


def put_products(system: State, product_ids: Sequence[int], pictures: int = 1) -> None:
    """Add products with so many ready pictures each, as after their rendering."""
    products = DynamoProducts(system.endpoint.client("dynamodb"), system.resources.table)
    for product_id in product_ids:
        products.add(product_id)
        for number in range(pictures):
            _put_picture(system, product_id, product_id * 10 + number)


def _put_picture(system: State, product_id: int, image_id: int) -> None:
    s3, ref = system.endpoint.client("s3"), a_ref(image_id, product_id)
    original, made = _photograph(image_id % _KINDS)
    files = dict(made.files)
    system.catalog.reserve(an_image(ref=ref, alt_text=f"Product {product_id}"))
    facts = ImageFacts(*_SIZE, "RGB")
    system.catalog.mark_ready(ref, a_file(size_bytes=len(original), facts=facts), NOW)
    look = Look(_RECIPE.name, tuple(files), made.placeholder, has_alpha=made.has_alpha, frames=made.frames)
    assert system.catalog.mark_rendered(ref, look, NOW)
    written = {f"media/{look.path(ref, each)}": (each.image_format, files[each]) for each in files}
    written[ref.media_key(ImageFormat.JPEG)] = (ImageFormat.JPEG, original)
    for key, (image_format, content) in written.items():
        s3.put_object(
            Bucket=system.resources.bucket, Key=key, Body=content, ContentType=image_format.media_type
        )


@cache
def _photograph(kind: int) -> tuple[bytes, Rendered]:
    """Return a picture with detail on every scale, the less the finer it is, and what is made of it.

    So it is with photographs. Their files have the size that those of photographs have: some 12 KB at 320 px.
    """
    picture = Image.radial_gradient("L").rotate(40 * kind).resize(_SIZE).convert("RGB")
    for scale, share in _DETAIL.items():
        width, height = (length // scale for length in _SIZE)
        light = Image.effect_noise((width, height), 60)
        # Colours change more slowly than light does.
        channels = (
            [light] * 3 if scale < _COLOURED else [Image.effect_noise((width, height), 60) for _ in "RGB"]
        )
        grain = Image.merge("RGB", channels)
        picture = Image.blend(picture, grain.resize(_SIZE, Image.Resampling.BICUBIC), share)
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=85)
    original = content.getvalue()
    return original, PillowImageRenderer(_SIZE[0] * _SIZE[1]).render(original, ImageFormat.JPEG, _RECIPE)
