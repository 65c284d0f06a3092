# /// script
# requires-python = "==3.13.*"
# dependencies = ["atheris==3.1.0", "multipart==2.0.1", "pybase64==1.5.1"]
# ///
"""Feeds the reading of forms with bodies that lead the parser into ever new branches (`make fuzz`).

Only the errors that a client is told may leave it. It runs in an environment of its own, pinned in
`fuzz_form.py.lock`: what it fuzzes is the functions' source with the parser that they are deployed with.
"""

import argparse
import base64
import sys
from collections.abc import Callable
from pathlib import Path

import atheris

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "src"))
with atheris.instrument_imports(include=["multipart", "handlers", "domain"]):
    from domain.errors import InvalidFieldsError, InvalidRequestError
    from handlers.form import read_form

_CONTENT_TYPES = (
    "multipart/form-data; boundary=b",
    'multipart/form-data; boundary="b c"',
    "multipart/form-data; boundary=" + "b" * 70,
)
_SEEDS = ROOT / ".build" / "fuzz_form"
"""What was found to be of interest is kept here, so that a later run goes on from it."""
_ADVICE = """
An error escaped from read_form. `Test unit written to`, below, names the file that leads to it. Run this
script with --again FILE, mend the cause, and add the case to tests/unit/test_form.py.
"""
_PART = b'--b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
_DICTIONARY = r"""
"\x0d\x0a--b"
"--b \x09\x0d\x0a"
"--b--"
"\x0d\x0a\x0d\x0a"
"Content-Disposition: form-data; name="
"Content-Length: 1"
"Content-Type: text/plain; charset=utf-16"
"Content-Transfer-Encoding: base64"
"filename="
"filename*=utf-8''%C3%A9"
"image"
"order"
"%22"
"""


def read(data: bytes) -> None:
    """Read a form: the first byte chooses a Content-Type and how the body came, the rest is the body."""
    choice, body = data[:1], data[1:]
    kind = choice[0] if choice else 0
    content_type = _CONTENT_TYPES[kind % len(_CONTENT_TYPES)]
    if kind < 192:
        text, is_base64 = base64.b64encode(body).decode(), True
    elif kind < 224:
        text, is_base64 = body.decode("latin-1"), True
    elif kind < 240:
        text, is_base64 = body.decode("latin-1"), False
    else:
        text, is_base64 = base64.b64encode(upload()).decode(), True
        content_type = body.decode("utf-8", "surrogateescape")
    try:
        form = read_form(text, is_base64=is_base64, content_type=content_type)
    except (InvalidFieldsError, InvalidRequestError):
        return
    if is_base64 and form.content not in base64.b64decode(text):
        raise AssertionError("The picture is not what was sent.")


def upload() -> bytes:
    """Return an honest form."""
    parts = [
        (b"image", b'; filename="a.jpg"', b"\xff\xd8\xff"),
        (b"order", b"", b"1"),
        (b"alt_text", b"", b"x"),
    ]
    return b"".join(_PART % each for each in parts) + b"--b--\r\n"


def main() -> None:
    """Fuzz for some seconds or runs; what breaks is left in a file, whose name is printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--runs", type=int, default=-1, help="-1 for as many as the seconds allow")
    parser.add_argument("--again", type=Path, help="the file of a finding: run it alone")
    arguments = parser.parse_args()
    if arguments.again:
        read(arguments.again.read_bytes())
        return
    _SEEDS.mkdir(parents=True, exist_ok=True)
    for name, seed in {"upload": upload(), "cut": upload()[:-9], "empty": b"--b--"}.items():
        (_SEEDS / name).write_bytes(b"\0" + seed)
    (_SEEDS / "type").write_bytes(b"\xff" + _CONTENT_TYPES[0].encode())
    dictionary = _SEEDS.with_suffix(".dict")
    dictionary.write_text(_DICTIONARY)
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={arguments.seconds}",
            f"-runs={arguments.runs}",
            f"-artifact_prefix={_SEEDS.parent}/fuzz_form_finding_",
            f"-dict={dictionary}",
            "-max_len=20000",
            "-timeout=5",
            "-print_final_stats=1",
            str(_SEEDS),
        ],
        told(read),
    )
    atheris.Fuzz()


def told(target: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """Return `target`, which says what to do about what escapes it."""

    def run(data: bytes) -> None:
        try:
            target(data)
        except BaseException:
            sys.stderr.write(_ADVICE)
            raise

    return run


if __name__ == "__main__":
    main()
