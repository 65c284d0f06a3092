# /// script
# requires-python = "==3.13.*"
# dependencies = ["atheris==3.1.0"]
# ///
"""Feeds the making of public copies with files that lead it into ever new branches (`make fuzz`).

    fuzz_copy.py [FORMAT ...]       every format that has a module, if none is named

It runs in an environment of its own, pinned in `fuzz_copy.py.lock`. What must hold of any bytes: there is a
copy or a failure that says what to do, a copy is hardly longer than what was sent, and is its own copy.
"""

import argparse
import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import atheris

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "src"))
with atheris.instrument_imports(include=["domain"]):
    from domain.errors import NotAPictureError
    from domain.public_copy import exif

    COPIES: dict[str, Callable[[bytes], bytes]] = {
        path.stem: importlib.import_module(f"domain.public_copy.{path.stem}").copy
        for path in sorted(Path(exif.__file__).parent.glob("*.py"))
        if path.stem in {"avif", "gif", "jpeg", "png", "webp"}
    }

_MAX_MORE_BYTES = 64
"""What a copy may have more than what was sent: an end marker, and an Exif block in another order."""
_BUILD = ROOT / ".build"
_ADVICE = """
{fault} `Test unit written to`, below, names the file that leads to it. Run this script with
{format} --again FILE, mend the cause, and add the case to tests/unit/public_copy/test_{format}.py.
"""
_DICTIONARIES = {
    "jpeg": r"""
"\xff\xd8"
"\xff\xd9"
"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
"\xff\xc0\x00\x0b\x08"
"\xff\xc2\x00\x0b\x08"
"\xff\xc4"
"\xff\xdd\x00\x04"
"\xff\xe1"
"\xff\xe2"
"\xff\xee\x00\x0eAdobe"
"\xff\xd0"
"Exif\x00\x00MM\x00*\x00\x00\x00\x08"
"ICC_PROFILE\x00\x01\x01"
"JFIF\x00"
""",
    "gif": r"""
"GIF89a"
"!\xf9\x04"
"!\xfe"
"!\x01"
"!\xff\x0bNETSCAPE2.0\x03\x01"
"!\xff\x0bXMP DataXMP"
","
"\x00;"
""",
    "png": r"""
"\x89PNG\x0d\x0a\x1a\x0a"
"IHDR"
"PLTE"
"IDAT"
"IEND"
"tRNS"
"eXIf"
"iCCP"
"acTL"
"fcTL"
"fdAT"
""",
    "webp": r"""
"RIFF"
"WEBP"
"VP8X"
"VP8 "
"VP8L"
"ALPH"
"ANIM"
"ANMF"
"ICCP"
"EXIF"
"XMP "
""",
    "avif": r"""
"ftypavif"
"meta"
"iinf"
"infe"
"iloc"
"iref"
"iprp"
"mdat"
"Exif"
"mime"
""",
}
_SEEDS = {
    "jpeg": (
        "ffd8ffe000104a46494600010100000100010000ffe1001a457869660000"
        "4d4d002a000000080000010112000300000001000600000000"
        "ffdb004300" + "01" * 64 + "ffc0000b080008000801011100"
        "ffc4001400010000000000000000000000000000000000"
        "ffc4001410010000000000000000000000000000000000"
        "ffda0008010100003f003fffd9"
    ),
    "gif": (
        "47494638396108000800800000000000ffffff21ff0b4e45545343415045322e300301000000"
        "21fe03616263" + "00" + "21f9040001000000" + "2c00000000080008000002078c8f" + "a9cbed5100003b"
    ),
}
"""Small files of the formats, in hexadecimal; others begin from what their dictionary gives."""


def check(copy: Callable[[bytes], bytes]) -> Callable[[bytes], None]:
    """Return what holds the copies of one format to what must hold."""

    def run(data: bytes) -> None:
        try:
            copied = copy(data)
        except NotAPictureError as error:
            if not error.failure.reason.endswith("."):
                raise AssertionError("The failure does not say what to do.") from None
            return
        if len(copied) > len(data) + _MAX_MORE_BYTES:
            raise AssertionError("The copy is longer than what was sent.")
        if copy(copied) != copied:
            raise AssertionError("The copy of a copy is another.")

    return run


def fuzz(image_format: str, arguments: argparse.Namespace) -> None:
    """Fuzz one format for some seconds or runs; what breaks is left in a file, whose name is printed."""
    corpus = _BUILD / f"fuzz_copy_{image_format}"
    corpus.mkdir(parents=True, exist_ok=True)
    if image_format in _SEEDS:
        (corpus / "seed").write_bytes(bytes.fromhex(_SEEDS[image_format]))
    for path in arguments.seeds:
        (corpus / path.name).write_bytes(path.read_bytes())
    dictionary = corpus.with_suffix(".dict")
    dictionary.write_text(_DICTIONARIES[image_format])
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={arguments.seconds}",
            f"-runs={arguments.runs}",
            f"-artifact_prefix={_BUILD}/fuzz_copy_{image_format}_finding_",
            f"-dict={dictionary}",
            "-max_len=20000",
            "-timeout=5",
            "-print_final_stats=1",
            str(corpus),
        ],
        told(check(COPIES[image_format]), image_format),
    )
    atheris.Fuzz()


def told(target: Callable[[bytes], None], image_format: str) -> Callable[[bytes], None]:
    """Return `target`, which says what to do about what escapes it."""

    def run(data: bytes) -> None:
        try:
            target(data)
        except BaseException as error:
            sys.stderr.write(_ADVICE.format(fault=error, format=image_format))
            raise

    return run


def main() -> None:
    """Fuzz the one format that is named, or each in a process of its own: the fuzzer ends the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("formats", nargs="*", choices=COPIES, metavar="FORMAT")
    parser.add_argument("--seconds", type=int, default=60, help="for each format")
    parser.add_argument("--runs", type=int, default=-1, help="-1 for as many as the seconds allow")
    parser.add_argument("--seeds", type=Path, nargs="*", default=[], help="files to begin from")
    parser.add_argument("--again", type=Path, help="the file of a finding: run it alone")
    arguments = parser.parse_args()
    formats = arguments.formats or list(COPIES)
    if arguments.again:
        check(COPIES[formats[0]])(arguments.again.read_bytes())
    elif len(formats) == 1:
        fuzz(formats[0], arguments)
    else:
        limits = [f"--seconds={arguments.seconds}", f"--runs={arguments.runs}"]
        for image_format in formats:
            subprocess.run([sys.executable, __file__, image_format, *limits], check=True)


if __name__ == "__main__":
    main()
