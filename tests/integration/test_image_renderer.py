"""What is made of pictures: sizes, formats, transparency, movement, and nothing private."""

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageSequence

from adapters.pillow_image_renderer import PillowImageRenderer
from domain.errors import NotRenderableError
from domain.image_signature import detect_format
from domain.ports import ImageRenderer, Rendered
from domain.recipe import Recipe
from tests.builders import PRIVATE, jpeg, picture, private_exif
from tests.color_profiles import DISPLAY_P3, rgb_profile
from tests.hostile_pictures import gif_that_grows

LOOP_FOR_EVER = b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
RED, GREEN, BLUE = (200, 30, 30), (30, 180, 30), (30, 30, 200)


@pytest.fixture(autouse=True)
def pillows_own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give Pillow its limit back, which a renderer sets for the whole process."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)


def render(content: bytes, recipe: Recipe | None = None, max_pixels: int = 10_000_000) -> Rendered:
    renderer: ImageRenderer = PillowImageRenderer(max_pixels)
    return renderer.render(content, detect_format(content), recipe or Recipe())


def saved(first: Image.Image, pillow_format: str, *others: Image.Image, **options: Any) -> bytes:  # noqa: ANN401 - as Pillow's
    content = io.BytesIO()
    if others:
        options |= {"save_all": True, "append_images": others}
    first.save(content, pillow_format, **options)
    return content.getvalue()


def opened(rendered: Rendered, name: str) -> Image.Image:
    return Image.open(io.BytesIO(next(made for each, made in rendered.files if each.name == name)))


def names(rendered: Rendered) -> list[str]:
    return [rendition.name for rendition, _ in rendered.files]


def test_a_photograph_is_made_in_every_size_and_format() -> None:
    rendered = render(jpeg(3000, 2000))
    assert names(rendered) == [
        *(f"{width}.avif" for width in (160, 320, 640, 1024, 1600, 2048)),
        *(f"{width}.jpg" for width in (320, 640, 1600)),
    ]
    assert (rendered.has_alpha, rendered.frames) == (False, 1)


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (159, 10), (161, 10), (333, 1000), (3000, 700)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_each_file_is_what_is_said_of_it(size: tuple[int, int], mode: str) -> None:
    rendered = render(picture("PNG", *size, mode=mode))
    for rendition, content in rendered.files:
        with Image.open(io.BytesIO(content)) as made:
            assert made.size == (rendition.width_px, rendition.height_px)
            assert made.format == rendition.image_format.name
            assert made.width <= size[0]
        assert rendition.size_bytes == len(content)


@pytest.mark.parametrize("pillow_format", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_no_file_holds_anything_but_pixels(pillow_format: str) -> None:
    content = picture(
        pillow_format,
        exif=private_exif(),
        xmp=b"<x>OWNER-OF-CAMERA</x>",
        icc_profile=rgb_profile(DISPLAY_P3),
        comment="WHO-MADE-IT",
    )
    for rendition, made in render(content).files:
        assert not any(word.encode() in made for word in (*PRIVATE, "Exif", "ICC_PROFILE", "xmp")), rendition
        with Image.open(io.BytesIO(made)) as opened_again:
            assert not {"exif", "icc_profile", "xmp", "comment"} & opened_again.info.keys()


def cut_out(mode: str = "RGBA") -> Image.Image:
    """Return a square of which the left half is there."""
    pixels = Image.new("RGBA", (48, 48), (*RED, 0))
    pixels.paste((*RED, 255), (0, 0, 24, 48))
    return pixels.convert(mode)


@pytest.mark.parametrize(
    ("pillow_format", "mode"),
    [("PNG", "RGBA"), ("PNG", "LA"), ("PNG", "P"), ("WEBP", "RGBA"), ("AVIF", "RGBA"), ("GIF", "RGBA")],
)
def test_transparency_stays(pillow_format: str, mode: str) -> None:
    rendered = render(saved(cut_out(mode), pillow_format))
    assert rendered.has_alpha
    assert names(rendered) == ["48.avif", "48.webp"]
    for name in names(rendered):
        alpha = opened(rendered, name).convert("RGBA").getchannel("A")
        assert alpha.getpixel((12, 24)) == pytest.approx(255, abs=2)
        assert alpha.getpixel((36, 24)) == pytest.approx(0, abs=2)


def test_an_alpha_channel_that_hides_nothing_is_left_out() -> None:
    rendered = render(saved(Image.new("RGBA", (200, 100), (*RED, 255)), "PNG"))
    assert not rendered.has_alpha
    assert names(rendered) == ["160.avif", "200.avif", "200.jpg"]


def test_what_is_transparent_lends_its_colour_to_nothing_around() -> None:
    pixels = Image.new("RGBA", (700, 700), (0, 255, 0, 0))
    pixels.paste((*RED, 255), (0, 0, 351, 700))
    edge = opened(render(saved(pixels, "PNG")), "320.avif").convert("RGBA").crop((158, 100, 163, 101))
    greens, alphas = edge.getchannel("G").tobytes(), edge.getchannel("A").tobytes()
    assert all(alpha < 40 or green < 60 for green, alpha in zip(greens, alphas, strict=True))
    assert min(alphas) < 40
    assert max(alphas) > 200


def frames_of(rendered: Rendered, name: str) -> list[tuple[tuple[int, ...], int]]:
    """Return the colour in the middle of each frame, rounded, and how long it is shown."""
    moving = opened(rendered, name)
    seen = []
    for frame in ImageSequence.Iterator(moving):
        frame.load()
        pixel = frame.convert("RGBA").getpixel((frame.width // 2, frame.height // 2))
        assert isinstance(pixel, tuple)
        seen.append((pixel, int(frame.info["duration"])))
    return seen


@pytest.mark.parametrize(
    ("pillow_format", "options"), [("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {}), ("AVIF", {})]
)
def test_what_moves_is_shown_still_and_moving(pillow_format: str, options: dict[str, Any]) -> None:
    first, *others = (Image.new("RGB", (800, 400), color) for color in (RED, GREEN, BLUE))
    rendered = render(saved(first, pillow_format, *others, duration=[50, 120, 200], loop=0, **options))
    assert rendered.frames == 3
    assert names(rendered)[-2:] == ["640-animated.avif", "640-animated.webp"]
    for name in names(rendered):
        still = opened(rendered, name)
        if "animated" not in name:
            assert getattr(still, "n_frames", 1) == 1
            middle = still.convert("RGB").getpixel((still.width // 2, still.height // 2))
            assert middle == pytest.approx(RED, abs=3)
    for name in names(rendered)[-2:]:
        assert opened(rendered, name).size == (640, 320)
        seen = frames_of(rendered, name)
        assert [duration for _, duration in seen] == [50, 120, 200]
        for (color, _), meant in zip(seen, (RED, GREEN, BLUE), strict=True):
            assert color[:3] == pytest.approx(meant, abs=4)


def gif_of(*frames: tuple[Image.Image, int]) -> bytes:
    """Return a GIF of frames, each with how it gives way to the next; all lie in the upper left corner."""
    (first, _), *_ = frames
    content = b"GIF89a" + struct.pack("<HHBBB", *first.size, 0x70, 0, 0) + LOOP_FOR_EVER
    for frame, disposal in frames:
        alone = saved(frame.quantize(2), "GIF")
        # Behind the header stands the palette, and behind the frame's descriptor its pixels.
        palette_bytes = 3 * 2 ** ((alone[10] & 7) + 1)
        palette, at = alone[13 : 13 + palette_bytes], alone.index(b",\0\0\0\0", 13 + palette_bytes)
        content += struct.pack("<BBBBHBB", 0x21, 0xF9, 4, disposal << 2, 10, 0, 0)
        content += alone[at : at + 9] + bytes([0x80 | alone[10] & 7]) + palette + alone[at + 10 : -1]
    return content + b";"


def test_a_frame_that_stays_is_seen_beside_the_next_and_one_that_goes_is_not() -> None:
    whole, half = Image.new("RGB", (60, 60), RED), Image.new("RGB", (30, 60), GREEN)
    stays, goes = (render(gif_of((whole, how), (half, 1))) for how in (1, 2))
    for rendered, beside in ((stays, RED), (goes, BLUE)):
        for name in ("60-animated.webp", "60-animated.avif"):
            moving = opened(rendered, name)
            moving.seek(1)
            second = Image.new("RGB", moving.size, BLUE)
            second.paste(moving, mask=moving.convert("RGBA"))
            assert second.getpixel((10, 30)) == pytest.approx(GREEN, abs=4)
            assert second.getpixel((50, 30)) == pytest.approx(beside, abs=4)


def test_what_moves_a_certain_number_of_times_does_so_as_webp_alone() -> None:
    frames = [Image.new("RGB", (40, 40), color) for color in (RED, GREEN)]
    once, thrice = (render(saved(frames[0], "GIF", frames[1], **loop)) for loop in ({}, {"loop": 2}))
    assert names(once) == names(thrice) == ["40.avif", "40.jpg", "40-animated.webp"]
    assert [opened(each, "40-animated.webp").info["loop"] for each in (once, thrice)] == [1, 3]
    of_png = render(saved(frames[0], "PNG", frames[1], loop=4))
    assert opened(of_png, "40-animated.webp").info["loop"] == 4


def test_a_frame_that_is_shown_for_no_time_is_shown_as_browsers_do() -> None:
    frames = [Image.new("RGB", (40, 40), color) for color in (RED, GREEN)]
    rendered = render(saved(frames[0], "GIF", frames[1], duration=[0, 20], loop=0))
    assert [duration for _, duration in frames_of(rendered, "40-animated.webp")] == [100, 20]


def test_the_picture_for_programs_that_cannot_move_it_is_no_frame() -> None:
    frames = [Image.new("RGB", (40, 40), color) for color in (BLUE, RED, GREEN)]
    rendered = render(saved(frames[0], "PNG", *frames[1:], default_image=True, duration=100, loop=0))
    assert rendered.frames == 2
    assert opened(rendered, "40.jpg").getpixel((20, 20)) == pytest.approx(RED, abs=3)
    assert len(frames_of(rendered, "40-animated.avif")) == 2


def test_an_animation_that_is_more_than_is_decoded_is_shown_still() -> None:
    content = picture("GIF", 100, 100, "P", frames=4, loop=0)
    assert "100-animated.avif" in names(render(content, max_pixels=40_000))
    assert names(render(content, max_pixels=39_999)) == ["100.avif", "100.jpg"]


def test_a_frame_that_is_larger_than_the_first_is_cut() -> None:
    content = gif_that_grows(40, 30, 3)
    rendered = render(content)
    with Image.open(io.BytesIO(content)) as original:
        assert opened(rendered, names(rendered)[-1]).size == original.size


def test_a_phones_further_pictures_are_no_frames() -> None:
    rendered = render(picture("MPO", frames=2))
    assert (rendered.frames, names(rendered)) == (1, ["48.avif", "48.jpg"])


def test_what_loads_meanwhile_is_a_blur_and_the_colour_of_what_is_there() -> None:
    packshot = Image.new("RGB", (300, 200), (250, 251, 252))
    packshot.paste((180, 40, 60), (120, 60, 180, 140))
    standing_in = render(saved(packshot, "PNG")).placeholder
    assert 5 < len(standing_in.thumbhash) <= 25
    red, green, blue = bytes.fromhex(standing_in.color[1:])
    assert (red, green, blue) == pytest.approx((180, 40, 60), abs=6)


@pytest.mark.parametrize(
    ("color", "expected"),
    [((255, 255, 255, 255), "#ffffff"), ((0, 0, 0, 0), "#ffffff"), ((*BLUE, 255), "#1e1ec8")],
    ids=["white", "nothing", "blue"],
)
def test_a_picture_of_one_colour_has_that_colour(color: tuple[int, ...], expected: str) -> None:
    assert render(saved(Image.new("RGBA", (40, 40), color), "PNG")).placeholder.color == expected


def test_other_settings_make_other_files() -> None:
    content = jpeg(700, 500)
    recipe = Recipe(widths=(200, 400), fallback_widths=(400,), avif_quality=30, avif_speed=9)
    small, usual = render(content, recipe), render(content)
    assert names(small) == ["200.avif", "400.avif", "400.jpg"]
    assert opened(usual, "640.avif").size == (640, 457)


def test_the_same_picture_gives_the_same_files() -> None:
    content = picture("GIF", 300, 200, "P", frames=2, loop=0)
    assert render(content) == render(content)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(jpeg()[:-200], id="cut short"),
        pytest.param(picture("PNG", 400, 400), id="too large"),
    ],
)
def test_what_cannot_be_decoded_cannot_be_rendered(content: bytes) -> None:
    with pytest.raises(NotRenderableError, match="decoding it ended with"):
        render(content, max_pixels=100_000)


def test_a_colour_profile_of_which_nothing_can_be_made_is_left_out() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # A curve that is not there under its name.
    broken = profile.replace(b"rTRC", b"xTRC")
    picture = Image.new("RGB", (8, 8), (200, 100, 50))
    with_it = saved(picture, "PNG", icc_profile=broken)
    assert opened(render(with_it), "8.avif").getpixel((4, 4)) == opened(
        render(saved(picture, "PNG")), "8.avif"
    ).getpixel((4, 4))


def test_the_one_transparent_colour_of_a_png_of_16_bits_is_transparent() -> None:
    hidden, shown = (0x1234, 0x5678, 0x9ABC), (0xFFFF, 0x0000, 0x0000)
    row = b"".join(value.to_bytes(2) for pixel in [hidden] * 4 + [shown] * 4 for value in pixel)
    rendered = render(png_of_16_bits(8, row, hidden))
    assert rendered.has_alpha
    alpha = opened(rendered, "8.avif").convert("RGBA").getchannel("A")
    # The encoder may round.
    assert max(alpha.crop((0, 0, 3, 8)).tobytes()) <= 16
    assert min(alpha.crop((5, 0, 8, 8)).tobytes()) >= 240


def png_of_16_bits(size: int, row: bytes, hidden: tuple[int, int, int]) -> bytes:
    """Return a square picture of equal rows, with a colour that is not to be seen (W3C PNG, 11.3.1.1)."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)

    header = size.to_bytes(4) * 2 + bytes((16, 2, 0, 0, 0))
    pixels = zlib.compress(b"".join(b"\0" + row for _ in range(size)))
    transparent = b"".join(value.to_bytes(2) for value in hidden)
    parts = ((b"IHDR", header), (b"tRNS", transparent), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)
