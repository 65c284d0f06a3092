"""Pictures that renditions are measured on: made, the same on every machine, and kept once made.

A photograph is a sum of noise at octaves from 4 pixels to a quarter of the width, the finer the weaker (as
the spectra of natural scenes are), in colours that change slowly. Over it lie 60 lines with sharp edges, soft
shadows, and the grain of a sensor. A packshot is a textured, shaded body with fine print on white paper; a
cutout is the same body with nothing around it.
"""

import random
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from bench.environments import FILES

_ASPECT = 3 / 2
_PACKSHOT = (3000, 3000)
_JPEG_QUALITY = 92
"""As cameras write them."""


def photograph(megapixels: int) -> Path:
    """Return a JPEG of so many megapixels."""
    height = round((megapixels * 1e6 / _ASPECT) ** 0.5)
    return _made(f"photograph-{megapixels}mp.jpg", lambda: _photograph(round(height * _ASPECT), height))


def packshot() -> Path:
    """Return a product on white, a JPEG of 9 megapixels."""
    return _made("packshot.jpg", lambda: _on_white(_product(_PACKSHOT)))


def cutout() -> Path:
    """Return the same product without a background, a PNG of 9 megapixels."""
    return _made("cutout.png", lambda: _product(_PACKSHOT))


def _made(name: str, make: Callable[[], Image.Image]) -> Path:
    path = FILES / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Of PNG it has none.
        make().save(path, quality=_JPEG_QUALITY)
    return path


def _photograph(width: int, height: int) -> Image.Image:
    dice = random.Random(1)  # noqa: S311 - not a secret
    scene = Image.merge("RGB", [_octaves(width, height, dice, finest=width // 32) for _ in range(3)])
    detail = _octaves(width, height, dice, finest=4)
    scene = ImageChops.overlay(scene, Image.merge("RGB", [detail] * 3))
    shadows = Image.new("L", (width, height), 255)
    for _ in range(60):
        box = _box(width, height, dice)
        ImageDraw.Draw(shadows).ellipse(box, fill=dice.randrange(120, 220))
    scene = ImageChops.multiply(
        scene, Image.merge("RGB", [shadows.filter(ImageFilter.GaussianBlur(width / 100))] * 3)
    )
    edges = ImageDraw.Draw(scene)
    for _ in range(60):
        color = tuple(dice.randrange(40, 220) for _ in range(3))
        edges.arc(_box(width, height, dice), 0, dice.randrange(90, 300), fill=color, width=width // 400)
    return _grained(scene, dice, strength=4)


def _octaves(width: int, height: int, dice: random.Random, finest: int) -> Image.Image:
    whole = Image.new("L", (width, height), 128)
    scale, strength = width // 4, 1.0
    while scale >= finest:
        noise = _noise(max(2, width // scale), max(2, height // scale), dice)
        layer = noise.resize((width, height), Image.Resampling.BICUBIC)
        whole = ImageChops.add(
            whole, layer.point(lambda value, by=strength: 128 + (value - 128) * by), 1, -128
        )
        scale, strength = scale // 2, strength * 0.7
    return whole


def _noise(width: int, height: int, dice: random.Random) -> Image.Image:
    return Image.frombytes("L", (width, height), dice.randbytes(width * height)).point(
        lambda value: 64 + value // 2
    )


def _grained(picture: Image.Image, dice: random.Random, strength: int) -> Image.Image:
    grain = Image.frombytes("L", picture.size, dice.randbytes(picture.width * picture.height)).point(
        lambda value: 128 + (value - 128) * strength // 128
    )
    return ImageChops.add(picture, Image.merge("RGB", [grain] * 3), 1, -128)


def _product(size: tuple[int, int]) -> Image.Image:
    dice = random.Random(2)  # noqa: S311 - not a secret
    width, height = size
    body = Image.new("L", size)
    box = (width // 5, height // 8, width * 4 // 5, height * 7 // 8)
    ImageDraw.Draw(body).rounded_rectangle(box, radius=width // 10, fill=255)
    light = Image.linear_gradient("L").rotate(90).resize(size).point(lambda value: 90 + value // 2)
    texture = _octaves(width, height, dice, finest=8).point(lambda value: 200 + value // 5)
    paint = Image.new("RGB", size, (190, 60, 50))
    paint = ImageChops.multiply(paint, Image.merge("RGB", [light] * 3))
    paint = ImageChops.multiply(paint, Image.merge("RGB", [texture] * 3))
    lines = ImageDraw.Draw(paint)
    for line in range(height // 3, height * 2 // 3, height // 60):
        at = width // 3
        while at < width * 2 // 3:
            word = dice.randrange(width // 100, width // 25)
            lines.rectangle((at, line, at + word, line + height // 150), fill=(240, 235, 225))
            at += word + width // 150
    paint.putalpha(body.filter(ImageFilter.GaussianBlur(1.5)))
    return paint


def _on_white(product: Image.Image) -> Image.Image:
    paper = Image.new("RGB", product.size, (252, 252, 253))
    shadow = product.getchannel("A").filter(ImageFilter.GaussianBlur(product.width / 60))
    paper.paste((205, 205, 210), (20, 40), shadow)
    paper.paste(product, mask=product)
    return _grained(paper, random.Random(3), strength=2)  # noqa: S311 - not a secret


def _box(width: int, height: int, dice: random.Random) -> tuple[int, int, int, int]:
    left, top = dice.randrange(width), dice.randrange(height)
    return (
        left,
        top,
        left + dice.randrange(width // 30, width // 3),
        top + dice.randrange(height // 30, height // 3),
    )
