"""Pictures that people really have, each with a fault of one kind, and what becomes of them.

Each file of `tests/fixtures/pictures` was made for this. Sizes are what Chromium 156 and Firefox 153 show
(`naturalWidth` and `naturalHeight`, measured).
"""

from pathlib import Path
from typing import NamedTuple

import pytest

from adapters.pillow_image_inspector import PillowImageInspector
from domain.errors import NotAPictureError
from domain.failure import FailureCode
from domain.image_signature import detect_format
from domain.public_copy import public_copy

PICTURES = Path(__file__).parent.parent / "fixtures" / "pictures"


class Ready(NamedTuple):
    """What browsers show, and what must not be in the public copy."""

    width_px: int
    height_px: int
    mode: str = "RGB"
    gone: bytes = b"Exif says where it was"


EXPECTED: dict[str, Ready | FailureCode] = {
    # Turned as browsers turn it, and no further.
    "w_or6.webp": Ready(60, 40, gone=b"EXIF"),
    "j_or6.jpg": Ready(40, 60),
    "j_or6_long.jpg": Ready(60, 40, gone=b"Exif"),
    "j_or6_jfif_first.jpg": Ready(40, 60),
    "p_or6_before.png": Ready(40, 60),
    "p_or6_after.png": Ready(60, 40, gone=b"eXIf"),
    "a_irot1.avif": Ready(48, 64),
    "a_exif6_no_irot.avif": Ready(64, 48),
    # Damaged where no pixel depends on it.
    "p_badcrc_phys.png": Ready(60, 40, gone=b"pHYs"),
    "p_badcrc_iccp.png": Ready(60, 40, gone=b"iCCP"),
    "p_iccp_method.png": Ready(60, 40, gone=b"iCCP"),
    "p_iccp_2mb_valid.png": Ready(60, 40),
    "p_ztxt_2mb.png": Ready(60, 40, gone=b"zTXt"),
    "p_apng_frames_high.png": Ready(60, 40),
    "p_no_iend.png": Ready(60, 40),
    "j_exif_garbage.jpg": Ready(60, 40, gone=b"Exif"),
    "j_app_many.jpg": Ready(64, 64),
    "g_no_trailer.gif": Ready(60, 40, "P"),
    "w_riffsize_long.webp": Ready(60, 40),
    # Pixel data whose checksum is wrong and that unpacks to all its pixels is shown, as browsers do: the
    # checksum is set right (`domain.public_copy.png_pixels`).
    "p_badcrc_idat.png": Ready(60, 40),
    "p_bad_adler.png": Ready(60, 40),
    # More behind the picture than the picture.
    "j_samsung_no_eoi.jpg": Ready(60, 40),
    "j_motionphoto.jpg": Ready(40, 60, gone=b"ftyp"),
    "j_trailing_text.jpg": Ready(60, 40),
    "j_cmyk_adobe.jpg": Ready(60, 40, "CMYK"),
    # What one browser or none shows.
    "p_plte_missing.png": "unsupported_feature",
    "j_arithmetic.jpg": "unsupported_feature",
    "g_anim_lastcut.gif": "truncated",
    # It lacks three bytes of its pixels, not only the padding: Firefox does not decode it.
    "w_odd_nopad.webp": "truncated",
}


def test_every_file_has_its_row() -> None:
    assert {path.name for path in PICTURES.iterdir()} == EXPECTED.keys()


@pytest.mark.parametrize(
    ("name", "expected"),
    [(name, each) for name, each in EXPECTED.items() if isinstance(each, Ready)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_picture_that_browsers_show_is_ready_as_they_show_it(name: str, expected: Ready) -> None:
    content = (PICTURES / name).read_bytes()
    image_format = detect_format(content)
    copy = public_copy(content, image_format)
    facts = PillowImageInspector(1_000_000).inspect(copy, image_format)
    assert (facts.width_px, facts.height_px, facts.mode) == expected[:3]
    assert expected.gone not in copy
    assert public_copy(copy, image_format) == copy


@pytest.mark.parametrize(
    ("name", "code"), [(name, each) for name, each in EXPECTED.items() if isinstance(each, str)]
)
def test_a_picture_that_some_browser_does_not_show_fails_and_says_why(name: str, code: FailureCode) -> None:
    content = (PICTURES / name).read_bytes()
    with pytest.raises(NotAPictureError) as caught:
        public_copy(content, detect_format(content))
    assert caught.value.failure.code == code
