"""A picture to try the system with."""

import io
import math

from PIL import Image, ImageDraw


def sample_jpeg(width_px: int = 1200, height_px: int = 800) -> bytes:
    """Return a photograph-like JPEG: a lit ball on a table, with some grain."""
    picture = Image.radial_gradient("L").resize((width_px, height_px))
    colours = Image.merge("RGB", [picture.point(lambda v, k=k: 255 - v // k) for k in (1, 2, 3)])
    draw = ImageDraw.Draw(colours)
    radius = height_px // 3
    for step in range(radius, 0, -2):
        light = round(255 * math.cos(step / radius * math.pi / 2))
        centre = (width_px // 2 - (radius - step) // 4, height_px // 2 - (radius - step) // 4)
        draw.circle(centre, step, fill=(200, light, light // 2))
    grain = Image.effect_noise((width_px, height_px), 24).convert("RGB")
    content = io.BytesIO()
    Image.blend(colours, grain, 0.1).save(content, "JPEG", quality=88)
    return content.getvalue()
