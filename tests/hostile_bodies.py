"""Bodies of uploads that were made to cost much or to be misread, each of about the same size."""

import base64
import random
from collections.abc import Iterator
from typing import NamedTuple

from tests.forms import BOUNDARY, FORM_TYPE, file_part, form, part, upload_form


class Body(NamedTuple):
    """A body as API Gateway passes it on, and the Content-Type that came with it."""

    text: str
    content_type: str = FORM_TYPE


def an_honest_body(size_bytes: int) -> Body:
    """Return the form of a picture without two equal halves."""
    return _encoded(upload_form(_noise(size_bytes)))


def hostile_bodies(size_bytes: int) -> dict[str, Body]:
    """Return each kind; all but the small ones have `size_bytes` of content or a little more."""
    forms = (*_forms(size_bytes), *_forms_without_an_end(size_bytes))
    return {name: _encoded(form) for name, form in forms} | _not_base64(size_bytes)


def bodies_against_the_search(size_bytes: int) -> dict[str, Body]:
    """Return bodies whose boundary was chosen so that the search for it can skip nothing."""
    bodies = {}
    for name, boundary, filling in [
        ("the last character but one of the boundary", BOUNDARY, BOUNDARY[-2]),
        ("the boundary's beginning, 70 characters", "a" * 69 + "b", "a" * 69),
        ("the boundary's beginning, 1,000 characters", "a" * 999 + "b", "a" * 999),
    ]:
        content = _filled(filling.encode(), size_bytes)
        whole = upload_form(content).replace(BOUNDARY.encode(), boundary.encode())
        bodies[name] = _encoded(whole, f"multipart/form-data; boundary={boundary}")
    return bodies


def _forms(size_bytes: int) -> Iterator[tuple[str, bytes]]:
    picture = file_part(_noise(size_bytes))
    parameters = "".join(f";{chr(97 + number % 26)}=1" for number in range(1_000))
    headers = [
        f'Content-Disposition: form-data; name="{number}"{parameters}\r\n'.encode() for number in range(31)
    ]
    yield "thousands of parts", form(*[part(b"", name=str(number)) for number in range(size_bytes // 60)])
    yield "32 parts", form(*[part(b"x", name=str(number)) for number in range(31)], picture)
    yield "33 parts", form(*[part(b"x", name=str(number)) for number in range(32)], picture)
    yield "1 MB of headers", form(*[header * 8 + b"\r\n" for header in headers], picture)
    yield "a header of 1 MB", form(b"X: " + b"x" * 1_000_000 + b"\r\n\r\n", picture)
    yield "headers up to their limit", form(headers[0] * 4 + b"\r\n", picture)
    yield (
        "headers up to a line's limit",
        form(("X: " + "\U0001f45f" * 8_000 + "\r\n").encode() * 8 + b"\r\n", picture),
    )
    yield "nothing but headers", form(b"A:\r\n" * (size_bytes // 4))
    for name, filling in [
        ("CR", b"\r"),
        ("LF", b"\n"),
        ("CRLF", b"\r\n"),
        ("CRLF--", b"\r\n--"),
        ("NUL", b"\0"),
        ("dashes", b"-"),
        ("boundaries cut short", f"\r\n--{BOUNDARY[:-1]}".encode()),
        ("boundaries with another end", f"\r\n--{BOUNDARY[:-1]}!".encode()),
        ("boundaries that go on", f"\r\n--{BOUNDARY}x".encode()),
        ("boundaries without line ends", f"--{BOUNDARY}".encode()),
        ("boundaries after LF alone", f"\n--{BOUNDARY}".encode()),
        ("halves of boundaries", f"\r\n--{BOUNDARY[: len(BOUNDARY) // 2]}".encode()),
    ]:
        yield f"{name} all through the file", upload_form(_filled(filling, size_bytes))
        yield f"{name} before the form", _filled(filling, size_bytes) + upload_form(b"x")
    padded = f"--{BOUNDARY} \r\n".encode()
    yield "padded boundaries all through the file", upload_form(_filled(b"\r\n" + padded, size_bytes))
    yield "padded boundaries all through the form", padded + _filled(padded, size_bytes) + form()
    yield "a padded boundary before a line of blanks", padded + _filled(b" ", size_bytes) + form()
    inner = upload_form(_noise(size_bytes)).replace(BOUNDARY.encode(), b"inner")
    nested = b'Content-Disposition: form-data; name="image"; filename="a.jpg"\r\n'
    yield "a form in a form", form(nested + b"Content-Type: multipart/mixed; boundary=inner\r\n\r\n" + inner)
    yield "a form in a form with its boundary", form(file_part(upload_form(_noise(size_bytes))))
    yield "a text field as large as a file", upload_form(b"x", alt_text="x" * size_bytes)
    field = _filled(b"\r\n", size_bytes // 31)
    yield "31 large fields", form(*[part(field, name=str(number)) for number in range(31)])


def _forms_without_an_end(size_bytes: int) -> Iterator[tuple[str, bytes]]:
    delimiter, disposition = f"--{BOUNDARY}\r\n".encode(), b"Content-Disposition: form-data; name="
    yield "boundaries all through the body", _filled(delimiter, size_bytes)
    yield "cut short", upload_form(_noise(size_bytes))[:-20]
    yield "cut in the last boundary", upload_form(_noise(size_bytes))[:-5]
    yield "no boundary at all", _noise(size_bytes)
    yield "a file of one letter without an end", upload_form(_filled(b"x", size_bytes))[:-20]
    yield "nothing but line ends", _filled(b"\r\n", size_bytes)
    yield "parts without headers", _filled(delimiter + b"\r\n\r\n", size_bytes)
    yield "the same field again and again", _filled(delimiter + disposition + b"1\r\n\r\nx\r\n", size_bytes)
    yield "one endless header", delimiter + disposition + _filled(b"a", size_bytes)
    yield "headers of quotes", delimiter + disposition + _filled(b'"\\', size_bytes)
    yield "an end, and as much again behind it", upload_form(b"x") + _filled(b"x", size_bytes)


def _not_base64(size_bytes: int) -> dict[str, Body]:
    text = an_honest_body(size_bytes).text
    lines = "\n".join(text[start : start + 76] for start in range(0, len(text), 76))
    return {
        "wrong base64 at the beginning": Body("!" + text[1:]),
        "wrong base64 at the end": Body(text[:-1] + "!"),
        "base64 without its end": Body(text[:-1]),
        "base64 with newlines": Body(lines),
        "base64 with one newline at the end": Body(text + "\n"),
        "base64 for URLs": Body(text[:-5] + "-_-_" + text[-1:]),
        "base64 with an emoji": Body(text[:-1] + "\U0001f45f"),
        "nothing but padding": Body("=" * len(text)),
    }


def _noise(size_bytes: int) -> bytes:
    # As various as a picture, and the same in every run.
    return random.Random(1).randbytes(size_bytes)  # noqa: S311 - no secret


def _filled(filling: bytes, size_bytes: int) -> bytes:
    return filling * (size_bytes // len(filling))


def _encoded(form: bytes, content_type: str = FORM_TYPE) -> Body:
    return Body(base64.b64encode(form).decode(), content_type)
