import base64
import contextlib
import gc
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import DomainError
from handlers.form import read_form
from tests.builders import jpeg, upload_event
from tests.forms import BOUNDARY, FORM_TYPE, file_part, form, part, upload_form
from tests.hostile_bodies import Body, an_honest_body, bodies_against_the_search, hostile_bodies
from tests.torture.results import size
from tests.unit.hostile_service import EXAMPLES, MANY_EXAMPLES, Service
from tests.use_cases import MAX_BYTES

CONTENT = jpeg()
DELIMITER = f"\r\n--{BOUNDARY}".encode()
hostile = pytest.mark.torture("hostile bodies")


def event_of(body: Body) -> dict[str, Any]:
    return upload_event(b"", body.content_type) | {"body": body.text}


def headed(*lines: str, content: bytes = CONTENT) -> bytes:
    """Return a part with these header lines as they stand."""
    return "\r\n".join([*lines, "", ""]).encode() + content


IMAGE = 'Content-Disposition: form-data; name="image"; filename="a.jpg"'
MALFORMED, FIELDS, NO_FORM = (400, "malformed_body"), (400, "invalid_fields"), (400, "not_multipart")
FORMAT, TOO_LARGE = (400, "unsupported_format"), (413, "file_too_large")
NESTED = form(
    headed(IMAGE, "Content-Type: multipart/mixed; boundary=inner", content=b"--inner\r\n\r\n--inner--")
)


@hostile
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(upload_form(CONTENT)[:-10], MALFORMED, id="truncated"),
        pytest.param(upload_form(CONTENT).removesuffix(b"--\r\n"), MALFORMED, id="no closing boundary"),
        pytest.param(upload_form(CONTENT).removesuffix(b"-\r\n"), MALFORMED, id="half a closing boundary"),
        pytest.param(b"", MALFORMED, id="nothing"),
        pytest.param(form(), FIELDS, id="no parts"),
        pytest.param(upload_form(CONTENT + DELIMITER + b"!"), MALFORMED, id="a boundary with a byte behind"),
        pytest.param(form(file_part(CONTENT), file_part(CONTENT)), FIELDS, id="two images"),
        pytest.param(
            form(*[part(b"", name=str(n)) for n in range(5_000)], file_part(CONTENT)),
            MALFORMED,
            id="thousands of parts",
        ),
        pytest.param(form(*[file_part(CONTENT)] * 5_000), FIELDS, id="thousands of images"),
        pytest.param(form(headed("X: " + "x" * 1_000_000, IMAGE)), MALFORMED, id="a header of 1 MB"),
        pytest.param(form(headed(*["X: x"] * 200_000, IMAGE)), MALFORMED, id="1 MB of headers"),
        pytest.param(
            form(headed(IMAGE + ";a=b" * 250_000)), MALFORMED, id="a disposition of 1 MB of parameters"
        ),
        pytest.param(
            form(*[headed(*[f'{IMAGE[:39]}{n}"{";a=b" * 900}'] * 8) for n in range(31)], file_part(CONTENT)),
            MALFORMED,
            id="1 MB of parameters",
        ),
        pytest.param(NESTED, FORMAT, id="a nested form"),
        pytest.param(form(file_part(upload_form(CONTENT))), FORMAT, id="a form in itself"),
        pytest.param(form(headed(IMAGE.replace("image", "ima\0ge"))), FIELDS, id="NUL in a field's name"),
        pytest.param(form(headed(IMAGE.replace("image", "ima\nge"))), FIELDS, id="LF in a field's name"),
        pytest.param(form(headed(f"X\0: y\r\n{IMAGE}")), MALFORMED, id="NUL in a header's name"),
        pytest.param(form(headed(f"X\nY: z\r\n{IMAGE}")), MALFORMED, id="LF in a header's name"),
        pytest.param(form(headed(IMAGE, " folded")), MALFORMED, id="a folded header"),
        pytest.param(form(headed(IMAGE, "Content-Length: 1")), MALFORMED, id="a part longer than it says"),
        pytest.param(
            form(headed(IMAGE, "Content-Length: 9999")), MALFORMED, id="a part shorter than it says"
        ),
        pytest.param(form(headed(IMAGE, "Content-Length: -1")), MALFORMED, id="a length below zero"),
        pytest.param(
            form(headed(IMAGE, f"Content-Length: {'9' * 5_000}")), MALFORMED, id="a length of digits"
        ),
        pytest.param(
            form(part(b"1", 'filename="1.txt"', name="order"), file_part(CONTENT)),
            FIELDS,
            id="a field as a file",
        ),
        pytest.param(
            form(headed(IMAGE, "Content-Transfer-Encoding: base64")),
            FIELDS,
            id="a file in a transfer encoding",
        ),
        pytest.param(
            form(file_part(CONTENT)).replace(b"a-boundary\r\n", b"a-boundary \n"), MALFORMED, id="a padded LF"
        ),
        pytest.param(
            form(file_part(CONTENT)).replace(b"a-boundary\r\n", b"a-boundary \0\r\n"),
            MALFORMED,
            id="padding of NUL",
        ),
        pytest.param(form(file_part(CONTENT.ljust(MAX_BYTES + 1))), TOO_LARGE, id="one byte too many"),
        pytest.param(upload_form(CONTENT, alt_text="x" * 16_385), FIELDS, id="too long a text"),
        pytest.param(upload_form(CONTENT, order="9" * 10_000), FIELDS, id="a number of 10,000 digits"),
        pytest.param(upload_form(CONTENT, order="\u0663"), FIELDS, id="a digit of another script"),
        pytest.param(upload_form(CONTENT).replace(b"\r\n", b"\n"), MALFORMED, id="LF alone"),
        pytest.param(upload_form(CONTENT).replace(b"\r\n", b"\r"), MALFORMED, id="CR alone"),
    ],
)
def test_a_hostile_form_is_refused_and_leaves_nothing(body: bytes, expected: tuple[int, str]) -> None:
    assert Service().refuse(upload_event(body)) == expected


@hostile
@pytest.mark.parametrize(
    "content_type",
    [
        "",
        ";",
        "image/jpeg",
        "multipart/mixed; boundary=a-boundary",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        'multipart/form-data; boundary="a-boundary',
        'multipart/form-data; boundary="a-boundary\ud800"',
        'multipart/form-data; boundary="\U0001f45f"',
        f"multipart/form-data, {FORM_TYPE}",
        "multipart/form-data" + "; a" * 3_000,
        'multipart/form-data; a="' + '\\"' * 5_000,
    ],
)
def test_a_form_whose_content_type_is_wrong_is_refused(content_type: str) -> None:
    assert Service().refuse(upload_event(upload_form(CONTENT), content_type)) == NO_FORM


@hostile
@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data; boundary=another",
        "multipart/form-data; boundary=a-boundary; boundary=another",
        'multipart/form-data; boundary="a-boundary\r\n"',
        'multipart/form-data; boundary="a-boundary\0"',
        "multipart/form-data; boundary=" + "a" * 5_000,
    ],
)
def test_a_form_with_another_boundary_than_it_says_is_refused(content_type: str) -> None:
    assert Service().refuse(upload_event(upload_form(CONTENT), content_type)) == MALFORMED


@hostile
def test_a_form_without_a_content_type_is_refused() -> None:
    assert Service().refuse(upload_event(upload_form(CONTENT)) | {"headers": {}}) == NO_FORM


ENCODED = base64.b64encode(upload_form(CONTENT)).decode()


@hostile
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("!" + ENCODED[1:], id="a wrong first character"),
        pytest.param(ENCODED[:-1] + "!", id="a wrong last character"),
        pytest.param(ENCODED + "=", id="padding too much"),
        pytest.param(ENCODED[:-1], id="a character too few"),
        pytest.param(ENCODED + "\n", id="a newline at the end"),
        pytest.param("\n".join(ENCODED[at : at + 76] for at in range(0, len(ENCODED), 76)), id="lines"),
        pytest.param("-_" + ENCODED[2:], id="the alphabet for URLs"),
        pytest.param("\u0391" + ENCODED[1:], id="a letter of another script"),
        pytest.param("\ud800" + ENCODED[1:], id="a lone surrogate"),
        pytest.param("\0" + ENCODED[1:], id="NUL"),
    ],
)
def test_a_body_in_wrong_base64_is_refused(text: str) -> None:
    assert Service().refuse(event_of(Body(text))) == MALFORMED


@hostile
@pytest.mark.parametrize(
    ("name", "kept"),
    [
        pytest.param("two\nlines.jpg", "two lines.jpg", id="a raw LF, as curl sends it"),
        pytest.param("cut\0off.jpg", "cut off.jpg", id="NUL"),
        pytest.param("tab\tand\x7fmore.jpg", "tab and more.jpg", id="controls"),
        pytest.param("a\rb.jpg", "a b.jpg", id="CR"),
    ],
)
def test_a_file_name_with_controls_is_taken_and_cleaned(name: str, kept: str) -> None:
    assert Service().take(upload_event(upload_form(CONTENT, name)), CONTENT)["name"] == kept


FRAGMENTS = st.sampled_from(
    [
        *(DELIMITER[:length] for length in range(1, len(DELIMITER))),
        DELIMITER[:-1] + b"Y",
        DELIMITER.upper(),
        DELIMITER[1:],
        DELIMITER[2:],
        DELIMITER[2:] + b" \t\r\n",
        b"\r" + DELIMITER[1:].replace(b"\n", b"\r"),
        b"--\r\n",
        b"\r\n\r\n",
        b"\0",
        b'\r\nContent-Disposition: form-data; name="image"; filename="b.jpg"\r\n\r\n',
    ]
)
LOOK_ALIKES = st.lists(FRAGMENTS | st.binary(max_size=8), max_size=40).map(b"".join)


@hostile
@MANY_EXAMPLES
@given(tail=LOOK_ALIKES)
def test_a_picture_full_of_look_alikes_of_the_boundary_is_kept_byte_by_byte(
    tried: Callable[[int], None], tail: bytes
) -> None:
    tried(EXAMPLES)
    content = CONTENT + tail
    if DELIMITER not in content:
        Service().take(upload_event(upload_form(content, alt_text="x")), content)


NAMES = st.sampled_from(["image", "order", "is_primary", "alt_text", "", "a\0b", "image[]"]) | st.text(
    max_size=5
)
CONTENTS = st.sampled_from(
    [CONTENT, b"", b"1", b"true", b"\xff\xfe", b"x" * 16_385, CONTENT.ljust(MAX_BYTES + 1)]
)
HEADERS = st.lists(
    st.sampled_from(
        [
            "Content-Type: image/jpeg",
            "Content-Type: multipart/mixed; boundary=a-boundary",
            "Content-Transfer-Encoding: base64",
            "Content-Length: 3",
            f"Content-Length: {len(CONTENT)}",
            "Content-Disposition: attachment",
            'Content-Disposition: form-data; name="image"',
            "X",
            ": y",
            " folded",
            "X: \0",
            "",
        ]
    ),
    max_size=3,
)


@st.composite
def forms(draw: st.DrawFn) -> bytes:
    """Return a form that clients would not send, perhaps damaged on its way."""
    parts = []
    for _ in range(draw(st.integers(0, 5))):
        disposition = f'Content-Disposition: form-data; name="{draw(NAMES)}"'
        if draw(st.booleans()):
            disposition += f'; filename="{draw(st.text(max_size=8))}"'
        lines = [disposition, *draw(HEADERS)]
        content = draw(CONTENTS | LOOK_ALIKES.map(lambda tail: CONTENT + tail))
        parts.append(headed(*draw(st.permutations(lines)), content=content))
    body = form(*parts)
    for _ in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, len(body)))
        end = draw(st.integers(start, min(len(body), start + 30)) | st.just(len(body)))
        body = body[:start] + draw(FRAGMENTS | st.just(b"") | st.binary(max_size=4)) + body[end:]
    return body


@hostile
@MANY_EXAMPLES
@given(body=forms())
def test_whatever_a_form_looks_like_a_picture_is_kept_whole_or_not_at_all(
    tried: Callable[[int], None], body: bytes
) -> None:
    tried(EXAMPLES)
    service = Service()
    response = service.upload(upload_event(body))
    if response["statusCode"] == 201:
        (content,) = service.store.given
        # Found without the parser: the bytes lie between a head and the next boundary, with none in them.
        assert DELIMITER not in content
        ends = (b"\r\n", b"--", b" ", b"\t")
        assert any(b"\r\n\r\n" + content + DELIMITER + end in body for end in ends)
    else:
        assert Service().refuse(upload_event(body)) in (MALFORMED, FIELDS, FORMAT, TOO_LARGE)


@hostile
@MANY_EXAMPLES
@given(content_type=st.text(max_size=60).map(FORM_TYPE.__add__) | st.text(st.characters(codec=None)))
def test_whatever_a_content_type_says_a_picture_is_kept_whole_or_not_at_all(
    tried: Callable[[int], None], content_type: str
) -> None:
    tried(EXAMPLES)
    service = Service()
    response = service.upload(upload_event(upload_form(CONTENT), content_type))
    if response["statusCode"] == 201:
        assert service.store.given == [CONTENT]
    else:
        assert Service().refuse(upload_event(upload_form(CONTENT), content_type)) in (MALFORMED, NO_FORM)


@hostile
@MANY_EXAMPLES
@given(text=st.text(st.characters(codec=None), max_size=40), at=st.integers(0, len(ENCODED)))
def test_whatever_a_body_holds_beside_base64_it_is_refused(
    tried: Callable[[int], None], text: str, at: int
) -> None:
    tried(EXAMPLES)
    damaged = ENCODED[:at] + text + ENCODED[at:]
    service = Service()
    response = service.upload(event_of(Body(damaged)))
    if response["statusCode"] == 201:
        # Only letters of the alphabet, put where no form is cut: as an epilogue or in the picture.
        assert base64.b64decode(damaged, validate=True).count(service.store.given[0]) == 1
    else:
        assert Service().refuse(event_of(Body(damaged)))[0] in (400, 413)


def read(body: Body) -> None:
    """Read a body, or refuse it."""
    with contextlib.suppress(DomainError):
        read_form(body.text, is_base64=True, content_type=body.content_type)


def calls_of(work: Callable[[], object]) -> int:
    """Count the calls of functions, in Python and in C, that `work` makes."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    # Hypothesis is called at each collection of garbage, whenever that comes.
    gc.disable()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
        gc.enable()
    return calls


def all_hostile_bodies(size_bytes: int) -> dict[str, Body]:
    return hostile_bodies(size_bytes) | bodies_against_the_search(size_bytes)


# Made for this module's time alone: a decoder's child inherits what lies in memory, and has a limit.
@pytest.fixture(scope="module")
def small_bodies() -> dict[str, Body]:
    return all_hostile_bodies(size(450_000, 100_000, "bytes of hostile bodies in memory"))


@pytest.fixture(scope="module")
def large_bodies() -> dict[str, Body]:
    return all_hostile_bodies(size(4_500_000, 1_000_000, "bytes of hostile bodies"))


@hostile
@pytest.mark.parametrize("kind", all_hostile_bodies(1_000))
def test_a_hostile_body_makes_no_more_work_for_being_larger(
    kind: str, small_bodies: dict[str, Body], large_bodies: dict[str, Body]
) -> None:
    # Calls, for time is not to be asserted: `make bench BENCH=body` measures it. What one call costs grows
    # with the body, as it does for an honest one. What is made once is made by the first reading.
    read(small_bodies[kind])
    assert calls_of(lambda: read(large_bodies[kind])) <= calls_of(lambda: read(small_bodies[kind]))


@hostile
def test_a_hostile_body_makes_at_most_as_much_work_as_its_headers_may_be_long(
    large_bodies: dict[str, Body],
) -> None:
    honest = calls_of(lambda: read(an_honest_body(4_500_000)))
    most = max(calls_of(lambda body=body: read(body)) for body in large_bodies.values())  # type: ignore[misc]
    assert honest < 200
    # A header's parameter takes four characters at least, and three calls.
    assert most < honest + 16_384 / 4 * 3


def test_the_fuzzer_reads_forms_with_the_parser_that_is_deployed() -> None:
    root = Path(__file__).parents[2]
    fuzzed, deployed = (
        {package["name"]: package["version"] for package in tomllib.loads(lock.read_text())["package"]}
        for lock in (root / "tests/torture/fuzz_form.py.lock", root / "uv.lock")
    )
    for package in ("multipart", "pybase64"):
        assert fuzzed[package] == deployed[package]
