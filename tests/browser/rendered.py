"""Products with pictures and their renditions, put straight where the functions put them: forty at a time."""

import base64
import io
from collections.abc import Sequence
from functools import cache

from PIL import Image

from adapters.dynamo_products import DynamoProducts
from domain.image import ImageFacts, ImageFormat
from domain.rendition import Look, Placeholder, Rendition
from local.system import State
from tests.builders import NOW, a_file, a_ref, an_image

_WIDTHS = {ImageFormat.AVIF: (160, 320, 640, 1024), ImageFormat.JPEG: (320, 640)}
_QUALITIES = {ImageFormat.AVIF: {"quality": 70, "speed": 8}, ImageFormat.JPEG: {"quality": 85}}
_SIZE = (1_200, 900)
_PLACEHOLDER = Placeholder(base64.b64decode("3OcRJYB4d3h/iIeHeEh3eIhw+j2w"), "#b4533c")
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
    original, files = _photograph(image_id % _KINDS)
    system.catalog.reserve(an_image(ref=ref, alt_text=f"Product {product_id}"))
    facts = ImageFacts(*_SIZE, "RGB")
    system.catalog.mark_ready(ref, a_file(size_bytes=len(original), facts=facts), NOW)
    look = Look("r2", tuple(files), _PLACEHOLDER, has_alpha=False, frames=1)
    assert system.catalog.mark_rendered(ref, look, NOW)
    written = {f"media/{look.path(ref, each)}": (each.image_format, files[each]) for each in files}
    written[ref.media_key(ImageFormat.JPEG)] = (ImageFormat.JPEG, original)
    for key, (image_format, content) in written.items():
        s3.put_object(
            Bucket=system.resources.bucket, Key=key, Body=content, ContentType=image_format.media_type
        )


@cache
def _photograph(kind: int) -> tuple[bytes, dict[Rendition, bytes]]:
    """Return a picture with detail on every scale, the less the finer it is, and what is made of it.

    So it is with photographs. Their files have the size that those of photographs have: some 8 KB at 320 px.
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
    files = {}
    for image_format, widths in _WIDTHS.items():
        for width in widths:
            height = round(_SIZE[1] * width / _SIZE[0])
            content = _encoded(picture.resize((width, height)), image_format)
            files[Rendition(width, height, image_format, len(content))] = content
    return _encoded(picture, ImageFormat.JPEG), files


def _encoded(picture: Image.Image, image_format: ImageFormat) -> bytes:
    content = io.BytesIO()
    picture.save(content, image_format.name, **_QUALITIES[image_format])
    return content.getvalue()
