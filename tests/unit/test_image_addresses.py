import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.image import MAX_ID, ImageFormat, ImageRef
from tests.builders import TOKEN

IDS = st.integers(1, MAX_ID)


@given(IDS, IDS, st.sampled_from(ImageFormat))
def test_an_address_tells_which_picture_is_shown_there(
    product_id: int, image_id: int, image_format: ImageFormat
) -> None:
    ref = ImageRef(product_id, image_id, TOKEN)
    assert ImageRef.from_address(f"/{ref.media_key(image_format)}") == ref
    assert ImageRef.from_address(f"/{ref.media_prefix}") == ref


@pytest.mark.parametrize(
    "address",
    [
        *("", "/", "/*", "/media/*", "/media/42/*", "/media/42/7*", f"/media/42/7-{TOKEN}*"),
        f"media/42/7-{TOKEN}.jpg",
        f"/incoming/42/7-{TOKEN}",
        f"/media/42/7-{TOKEN}.jpg*",
        f"/media/42/7-{TOKEN}/r1/320.avif",
        f"/media/42/{MAX_ID + 1}-{TOKEN}.jpg",
    ],
)
def test_any_other_path_is_no_pictures(address: str) -> None:
    assert ImageRef.from_address(address) is None


@pytest.mark.parametrize("image_format", ImageFormat)
def test_all_addresses_of_a_picture_begin_alike_and_those_of_no_other_do(image_format: ImageFormat) -> None:
    ref = ImageRef(42, 7, TOKEN)
    assert ref.addresses == f"/media/42/7-{TOKEN}*"
    assert f"/{ref.media_key(image_format)}".startswith(ref.addresses.removesuffix("*"))
