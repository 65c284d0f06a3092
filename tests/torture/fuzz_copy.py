# /// script
# requires-python = "==3.13.*"
# dependencies = ["atheris==3.1.0", "pillow==13.0.0"]
# ///
"""Feeds the making of public copies with files that lead it into ever new branches (`make fuzz`).

Only the error that says why a file is no picture may leave it, and the copy of a copy must be that copy. It
runs in an environment of its own, pinned in `fuzz_copy.py.lock`; Pillow makes the files that it begins with.
"""

import argparse
import importlib
import io
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import atheris
from PIL import Image

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "src"))
with atheris.instrument_imports(include=["domain"]):
    from domain.errors import NotAPictureError

_FOUND = ROOT / ".build" / "fuzz_copy"
"""What was found to be of interest is kept here, so that a later run goes on from it."""
_ADVICE = """
Something escaped from the copy of a picture. `Test unit written to`, below, names the file that leads to it.
Run this script with the format and --again FILE, mend the cause, and add the case to the format's tests.
"""
_MOST_MORE_BYTES = 2_048
"""What a copy may have more than what was sent: an end marker, and padding for each chunk of a small file."""
_KINDS: dict[str, list[tuple[str, int, dict[str, object]]]] = {
    "avif": [("RGB", 1, {}), ("RGBA", 2, {})],
    "gif": [("P", 1, {}), ("P", 3, {"comment": b"a comment", "loop": 2})],
    "jpeg": [("RGB", 1, {}), ("CMYK", 1, {}), ("RGB", 1, {"progressive": True, "comment": b"a comment"})],
    "png": [("RGB", 1, {}), ("P", 1, {"transparency": 1}), ("I;16", 1, {}), ("RGBA", 3, {"dpi": (72, 72)})],
    "webp": [("RGB", 1, {}), ("RGBA", 1, {"lossless": True}), ("RGBA", 3, {})],
}
"""Mode, number of frames, and what else its encoder is told."""
_WORDS = {
    "avif": "ftyp avif meta iinf iloc iref iprp ipco ipma ispe irot clap mdat moov Exif mime hdlr pitm infe",
    "gif": r"GIF89a NETSCAPE2.0 \x21\xf9\x04 \x21\xff\x0b \x21\xfe ;",
    "jpeg": r"Exif\x00\x00 ICC_PROFILE\x00 Adobe JFIF\x00 MPF\x00 \xff\xda \xff\xd9 \xff\xc0 \xff\xc4",
    "png": "IHDR PLTE tRNS IDAT IEND iCCP eXIf tEXt iTXt acTL fcTL fdAT Author Copyright gAMA pHYs bKGD sBIT",
    "webp": r"VP8\x20 VP8L VP8X ALPH ANIM ANMF ICCP EXIF XMP\x20",
}
"""What mutation is unlikely to come upon by itself."""


def seeds(image_format: str) -> Iterator[bytes]:
    """Yield whole pictures, some of them with metadata."""
    exif = Image.Exif()
    exif[0x0112], exif[0x013B], exif[0x8298], exif[0x010F] = 6, "An artist", "A copyright", "A camera"
    for mode, frames, options in _KINDS[image_format]:
        first, *others = (
            Image.radial_gradient("L").rotate(9 * turn).resize((8, 6)) for turn in range(frames)
        )
        for metadata in ({}, {"exif": exif, "icc_profile": bytes(132)}):
            encoded = io.BytesIO()
            several = (
                {"save_all": True, "append_images": [each.convert(mode) for each in others]} if others else {}
            )
            first.convert(mode).save(encoded, image_format, **options, **metadata, **several)
            yield encoded.getvalue()


def with_right_checksums(content: bytes) -> bytes:
    """Return a PNG with the checksums that its chunks must have: few files would come past them by chance."""
    at, chunks = 8, [content[:8]]
    while at < len(content):
        end = at + 8 + int.from_bytes(content[at : at + 4])
        chunks += [content[at:end], zlib.crc32(content[at + 4 : end]).to_bytes(4)]
        at = end + 4
    return b"".join(chunks)


def target(image_format: str) -> Callable[[bytes], None]:
    """Return what copies a file of this format."""
    with atheris.instrument_imports(include=["domain"]):
        copy = importlib.import_module(f"domain.public_copy.{image_format}").copy

    def run(data: bytes) -> None:
        content = with_right_checksums(data) if image_format == "png" and len(data) % 2 else data
        try:
            copied = copy(content)
        except NotAPictureError:
            return
        if len(copied) > len(content) + _MOST_MORE_BYTES:
            raise AssertionError("The copy is longer than what was sent.")
        if copy(copied) != copied:
            raise AssertionError("The copy of the copy is another one.")

    return run


def main() -> None:
    """Fuzz for some seconds or runs; what breaks is left in a file, whose name is printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("format", choices=sorted(_KINDS))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--runs", type=int, default=-1, help="-1 for as many as the seconds allow")
    parser.add_argument("--again", type=Path, help="the file of a finding: run it alone")
    arguments = parser.parse_args()
    run = target(arguments.format)
    if arguments.again:
        run(arguments.again.read_bytes())
        return
    found = _FOUND / arguments.format
    found.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(arguments.format)):
        (found / f"seed_{number}").write_bytes(seed)
        # A file of the other parity.
        (found / f"seed_{number}_and_more").write_bytes(seed + b"\0")
    dictionary = found.with_suffix(".dict")
    dictionary.write_text("".join(f'"{word}"\n' for word in _WORDS[arguments.format].split()))
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={arguments.seconds}",
            f"-runs={arguments.runs}",
            f"-artifact_prefix={_FOUND}/finding_{arguments.format}_",
            f"-dict={dictionary}",
            "-max_len=4000",
            "-timeout=5",
            "-print_final_stats=1",
            str(found),
        ],
        told(run),
    )
    atheris.Fuzz()


def told(run: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """Return `run`, which says what to do about what escapes it."""

    def tell(data: bytes) -> None:
        try:
            run(data)
        except BaseException:
            sys.stderr.write(_ADVICE)
            raise

    return tell


if __name__ == "__main__":
    main()
