"""Which sizes and formats are made of a picture."""

import pytest

from domain.image import ImageFormat
from domain.recipe import Recipe, Still, animation, ladder, read_widths

USUAL = Recipe()


def widths(image_format: ImageFormat, width_px: int, height_px: int = 3000, **options: bool) -> list[int]:
    has_alpha = options.get("has_alpha", False)
    stills = USUAL.stills(width_px, height_px, has_alpha=has_alpha)
    return [still.width_px for still in stills if still.image_format is image_format]


@pytest.mark.parametrize(
    ("width_px", "expected"),
    [
        (1, [1]),
        (100, [100]),
        (159, [159]),
        (160, [160]),
        (161, [160]),
        (176, [160]),
        (177, [160, 177]),
        (1000, [160, 320, 640, 1000]),
        (1760, [160, 320, 640, 1024, 1600]),
        (1761, [160, 320, 640, 1024, 1600, 1761]),
        (2047, [160, 320, 640, 1024, 1600, 2047]),
        (2048, [160, 320, 640, 1024, 1600, 2048]),
        (6000, [160, 320, 640, 1024, 1600, 2048]),
    ],
)
def test_avif_is_made_in_steps_up_to_the_pictures_own_width(width_px: int, expected: list[int]) -> None:
    assert widths(ImageFormat.AVIF, width_px, 50) == expected


@pytest.mark.parametrize(
    ("width_px", "expected"),
    [(100, [100]), (320, [320]), (1000, [320, 640, 1000]), (6000, [320, 640, 1600])],
)
def test_other_browsers_are_given_jpeg_in_fewer_steps(width_px: int, expected: list[int]) -> None:
    assert widths(ImageFormat.JPEG, width_px) == expected
    assert widths(ImageFormat.WEBP, width_px) == []


def test_what_is_transparent_becomes_webp_instead_of_jpeg() -> None:
    assert widths(ImageFormat.WEBP, 1000, has_alpha=True) == [320, 640, 1000]
    assert widths(ImageFormat.JPEG, 1000, has_alpha=True) == []


def test_narrow_files_are_worth_more_quality() -> None:
    stills = [*USUAL.stills(700, 700, has_alpha=False), *USUAL.stills(700, 700, has_alpha=True)]
    assert {(still.image_format.name, still.width_px, still.quality) for still in stills} == {
        *(("AVIF", 160, 70), ("AVIF", 320, 70), ("AVIF", 640, 60)),
        *(("JPEG", 320, 85), ("JPEG", 640, 78)),
        *(("WEBP", 320, 85), ("WEBP", 640, 80)),
    }
    assert next(Recipe(avif_quality=95).stills(100, 100, has_alpha=False)).quality == 100


@pytest.mark.parametrize(
    ("size", "sizes"),
    [
        ((320, 240), [(160, 120), (320, 240)]),
        ((321, 241), [(160, 120), (320, 240)]),
        ((20_000, 1), [(160, 1), (320, 1), (640, 1), (1024, 1), (1600, 1), (2048, 1)]),
        # As high as a file may be, and no wider than one pixel.
        ((1, 20_000), [(1, 16_383)]),
        ((100, 20_000), [(81, 16_383)]),
        # 1600 would make 16,000,000 pixels.
        ((3000, 18_750), [(160, 1000), (320, 2000), (640, 4000), (1024, 6400)]),
    ],
)
def test_a_file_keeps_the_proportions_within_what_files_hold(
    size: tuple[int, int], sizes: list[tuple[int, int]]
) -> None:
    assert ladder(*size, USUAL.widths) == sizes


def test_where_no_step_fits_there_is_one_file_all_the_same() -> None:
    assert ladder(4000, 20_000, (2048,)) == [(1586, 7931)]


@pytest.mark.parametrize(
    ("recipe", "size", "base"),
    [
        (USUAL, (6000, 4000), (2048, 1365)),
        (USUAL, (1700, 1700), (1600, 1600)),
        (Recipe(fallback_widths=(3000,)), (6000, 4000), (3000, 2000)),
    ],
)
def test_all_files_are_made_from_one_of_the_largest_size(
    recipe: Recipe, size: tuple[int, int], base: tuple[int, int]
) -> None:
    assert recipe.base(*size) == base


@pytest.mark.parametrize(
    ("size", "frames", "expected"),
    [
        ((300, 200), 10, (300, 200)),
        ((1280, 720), 10, (640, 360)),
        # 40,000,000 pixels in all.
        ((640, 640), 500, (282, 282)),
        ((1, 20_000), 2, (1, 16_383)),
    ],
)
def test_what_moves_is_as_large_as_can_be_made_in_time(
    size: tuple[int, int], frames: int, expected: tuple[int, int]
) -> None:
    assert animation(*size, frames) == expected


def test_the_usual_recipe_has_a_name_that_changes_with_what_it_makes() -> None:
    # Whoever changes a default changes its name too: the addresses of its files last for a year.
    assert (USUAL.name, USUAL) == (
        "r2",
        ((160, 320, 640, 1024, 1600, 2048), (320, 640, 1600), 60, 8),
    )


def test_other_settings_are_another_recipe() -> None:
    recipes = [
        USUAL,
        Recipe(avif_speed=6),
        Recipe(avif_quality=61),
        Recipe(widths=(320, 640)),
        Recipe(fallback_widths=(640,)),
    ]
    names = {recipe.name for recipe in recipes}
    assert len(names) == len(recipes)
    assert all(name.startswith("r2-") for name in names - {"r2"})


def test_a_file_is_of_one_size_format_and_quality() -> None:
    assert list(USUAL.stills(100, 50, has_alpha=False)) == [
        Still(100, 50, ImageFormat.AVIF, 70),
        Still(100, 50, ImageFormat.JPEG, 85),
    ]


@pytest.mark.parametrize("text", ["", "9", "10000", "320, 640", "320,", "a", ",".join(["320"] * 17)])
def test_widths_that_cannot_be_are_told_with_how_to_write_them(text: str) -> None:
    with pytest.raises(ValueError, match="at most 16 widths of 10 to 9999 pixels"):
        read_widths(text)
