import base64
import gc
import tracemalloc
from collections.abc import Iterator

import pytest

from domain.errors import DomainError, InvalidFieldsError
from handlers.form import Form, MalformedBodyError, NotMultipartError, read_form
from tests.builders import jpeg
from tests.forms import BOUNDARY, FORM_TYPE, file_part, form, part, upload_form

CONTENT = jpeg()

REQUESTS_BODY = b"""--4f6e7b2c1d\r
Content-Disposition: form-data; name="is_primary"\r
\r
True\r
--4f6e7b2c1d\r
Content-Disposition: form-data; name="order"\r
\r
1\r
--4f6e7b2c1d\r
Content-Disposition: form-data; name="image"; filename="shoe.jpg"\r
\r
%b\r
--4f6e7b2c1d--\r
"""
CURL_BODY = b"""--------------------------d74496d66958873e\r
Content-Disposition: form-data; name="image"; filename="shoe.jpg"\r
Content-Type: image/jpeg\r
\r
%b\r
--------------------------d74496d66958873e\r
Content-Disposition: form-data; name="is_primary"\r
\r
true\r
--------------------------d74496d66958873e--\r
"""
AIOHTTP_BODY = b"""--8f14e45fceea167a\r
Content-Type: image/jpeg\r
Content-Disposition: form-data; name="image"; filename="rote%%20Schuhe.jpg"\r
\r
%b\r
--8f14e45fceea167a\r
Content-Type: text/plain; charset=utf-8\r
Content-Disposition: form-data; name="alt_text"\r
\r
rote Sch\xc3\xbche\r
--8f14e45fceea167a--\r
"""


@pytest.mark.parametrize(
    ("body", "boundary", "expected"),
    [
        pytest.param(
            REQUESTS_BODY,
            "4f6e7b2c1d",
            Form(CONTENT, "shoe.jpg", {"is_primary": "True", "order": "1"}),
            id="requests",
        ),
        pytest.param(
            CURL_BODY,
            "------------------------d74496d66958873e",
            Form(CONTENT, "shoe.jpg", {"is_primary": "true"}),
            id="curl",
        ),
        pytest.param(
            AIOHTTP_BODY,
            "8f14e45fceea167a",
            Form(CONTENT, "rote Schuhe.jpg", {"alt_text": "rote Schühe"}),
            id="aiohttp",
        ),
    ],
)
def test_a_form_is_read_as_clients_send_it(body: bytes, boundary: str, expected: Form) -> None:
    assert read(body % CONTENT, f"multipart/form-data; boundary={boundary}") == expected


@pytest.mark.parametrize(
    "content_type",
    [
        'multipart/form-data; boundary="a-boundary"',
        "Multipart/Form-Data;BOUNDARY=a-boundary",
        "multipart/form-data; charset=utf-8; boundary=a-boundary",
    ],
)
def test_a_content_type_may_be_written_in_many_ways(content_type: str) -> None:
    assert read(upload_form(CONTENT), content_type).content == CONTENT


@pytest.mark.parametrize(
    "boundary", ["----=_Part_7_1234.5678", "=_a?b:c/d,e(f)'g'+h", "----WebKitFormBoundary7MA4YWxkTrZu0gW"]
)
def test_a_boundary_may_stand_without_quotes_whatever_it_is_made_of(boundary: str) -> None:
    body = upload_form(CONTENT).replace(BOUNDARY.encode(), boundary.encode())
    assert read(body, f"multipart/form-data; boundary={boundary}; charset=utf-8").content == CONTENT


def test_a_boundary_in_another_parameter_is_none() -> None:
    assert read(upload_form(CONTENT), f'multipart/form-data; a="; boundary=b"; boundary={BOUNDARY}').content


@pytest.mark.parametrize("blanks", [b" ", b"\t", b" \t  "])
@pytest.mark.parametrize("preamble", [b"", b"\r\n", b"This is a form.\r\n"])
def test_a_delimiter_line_may_end_with_blanks(preamble: bytes, blanks: bytes) -> None:
    delimiter = f"--{BOUNDARY}".encode()
    padded = upload_form(CONTENT, order="1").replace(delimiter + b"\r\n", delimiter + blanks + b"\r\n")
    end = padded.removesuffix(b"\r\n") + blanks + b"\r\n"
    assert read(preamble + end) == Form(CONTENT, "shoe.jpg", {"order": "1"})


def test_blanks_on_delimiter_lines_change_nothing_in_a_file() -> None:
    delimiter = f"--{BOUNDARY}".encode()
    content = b"x" + delimiter + b"  \r\n" + b"\r\n--a-boundar \r\n  "
    padded = upload_form(content).replace(delimiter + b"\r\nContent", delimiter + b" \r\nContent")
    assert read(padded).content == content


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "image/jpeg",
        "multipart/mixed; boundary=b",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary="\u00e9"',
        'multipart/form-data; boundary="\ud800"',
    ],
)
def test_a_body_that_is_no_form_is_refused(content_type: str) -> None:
    with pytest.raises(NotMultipartError, match="multipart/form-data with a boundary"):
        read(b"{}", content_type)


def test_a_form_of_ascii_survives_the_way_as_text() -> None:
    body = upload_form(b"x").decode()
    assert read_form(body, is_base64=False, content_type=FORM_TYPE) == Form(b"x", "shoe.jpg", {})


@pytest.mark.parametrize("damaged", ["GIF89a\ufffd", "\ud800", "\u00e9"])
def test_a_picture_that_arrives_as_text_is_refused_since_its_bytes_are_lost(damaged: str) -> None:
    body = upload_form(b"x").decode().replace("x", damaged)
    with pytest.raises(MalformedBodyError, match="as binary"):
        read_form(body, is_base64=False, content_type=FORM_TYPE)


@pytest.mark.parametrize("body", ["a", "!!!!", "YWJj\n", "Y W J j", "\u00e9\u00e9\u00e9\u00e9"])
def test_a_body_that_is_no_base64_is_refused(body: str) -> None:
    with pytest.raises(MalformedBodyError, match="base64"):
        read_form(body, is_base64=True, content_type=FORM_TYPE)


@pytest.mark.parametrize("character", ["a", "\u00e9", "\U0001f45f"])
def test_a_file_name_of_5_000_characters_is_read(character: str) -> None:
    name = character * 5_000
    assert read(upload_form(CONTENT, name)).file_name == name


def test_a_file_in_another_field_is_named_on_one_line_where_there_is_no_picture() -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        read(form(part(b"x", 'filename="a.jpg"', name="\u202epic\n\0ture")))
    (fault,) = caught.value.faults
    assert (fault.field, fault.message) == (
        "image",
        "This field is required. The file came in the field 'pic ture'; send it in image.",
    )


def test_every_byte_of_a_file_is_kept() -> None:
    content = bytes(range(256)) + b"\r\n--\r\n--a-boundar\r\n" * 3 + b"\r\n"
    assert read(upload_form(content)).content == content


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\r\nan epilogue", b"x" * 16_370])
def test_what_comes_after_the_last_boundary_does_not_matter(end: bytes) -> None:
    assert read(upload_form(CONTENT).removesuffix(b"\r\n") + end).content == CONTENT


@pytest.mark.parametrize(
    ("body", "advice"),
    [
        pytest.param(b"", "cut short", id="nothing"),
        pytest.param(b"{}", "cut short", id="something else"),
        pytest.param(upload_form(CONTENT)[:-20], "cut short", id="cut in the last boundary"),
        pytest.param(upload_form(CONTENT)[:100], "cut short", id="cut in the file"),
        pytest.param(upload_form(CONTENT) + b"x" * 16_384, "cut short", id="as much again behind the end"),
        pytest.param(
            upload_form(CONTENT).replace(b"a-boundary", b"another"), "cut short", id="another boundary"
        ),
        pytest.param(upload_form(CONTENT).replace(b"\r\n", b"\n"), "cut short", id="line ends changed"),
        pytest.param(
            form(b'Content-Disposition: form-data; filename="a.jpg"\r\n\r\nx'),
            "not well-formed",
            id="a part without a name",
        ),
        pytest.param(form(b"X-Other: 1\r\n\r\nx"), "not well-formed", id="a part without a disposition"),
        pytest.param(
            form(*[part(b"x", name=f"field{number}") for number in range(33)]),
            "more than 32 parts",
            id="too many parts",
        ),
        pytest.param(form(part(b"x", name="a" * 16_384)), "too long headers", id="too long a header"),
        pytest.param(
            form(*[part(b"x", name=f"{number}" * 700) for number in range(10, 30)]),
            "too long headers",
            id="too long headers together",
        ),
        pytest.param(
            upload_form(CONTENT, "caf\u00e9.jpg").replace("\u00e9".encode(), b"\xe9"),
            "not UTF-8. Rename the file",
            id="a file name in another charset",
        ),
    ],
)
def test_a_body_that_is_no_complete_form_is_refused_with_advice(body: bytes, advice: str) -> None:
    with pytest.raises(MalformedBodyError, match=advice) as refused:
        read(body)
    assert not [mark for mark in ("Error(", "b'", "\\x") if mark in str(refused.value)]


@pytest.fixture
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    tracemalloc.start()
    yield
    tracemalloc.stop()
    gc.enable()


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(upload_form(b"x" * 1_000_000)[:-20], id="cut short"),
        pytest.param(form(file_part(b"x" * 1_000_000), b"\xff: 1\r\n\r\n"), id="another charset"),
        pytest.param(form(file_part(b"x" * 1_000_000), b"Content-Length: 1a\r\n\r\n"), id="no length"),
        pytest.param(form(file_part(b"x" * 1_000_000), file_part(b"y")), id="two files"),
    ],
)
def test_nothing_of_a_refused_body_stays_in_memory(body: bytes) -> None:
    encoded = base64.b64encode(body).decode()
    before, _ = tracemalloc.get_traced_memory()
    with pytest.raises(DomainError):
        read_form(encoded, is_base64=True, content_type=FORM_TYPE)
    after, _ = tracemalloc.get_traced_memory()
    assert after - before < 100_000


@pytest.mark.parametrize(
    ("parameters", "file_name"),
    [
        (['filename="caf\u00e9.jpg"'], "caf\u00e9.jpg"),
        (["filename=shoe.jpg"], "shoe.jpg"),
        (['filename=""'], ""),
        (['filename="50%.jpg"'], "50%.jpg"),
        (['filename="a %22quoted%22 shoe.jpg"'], 'a "quoted" shoe.jpg'),
        (['filename="a \\"quoted\\" shoe.jpg"'], 'a "quoted" shoe.jpg'),
        (['filename="caf%C3%A9.jpg"'], "caf\u00e9.jpg"),
        (['filename="a%20%22caf%C3%A9%22%0A.jpg"'], 'a "caf\u00e9"\n.jpg'),
        (['filename="two\nlines.jpg"'], "two\nlines.jpg"),
        (["filename*=UTF-8''caf%C3%A9.jpg"], "caf\u00e9.jpg"),
        (['filename="cafe.jpg"', "filename*=utf-8''caf%C3%A9.jpg"], "caf\u00e9.jpg"),
        (["filename*=utf-8''caf%C3%A9.jpg", 'filename="cafe.jpg"'], "caf\u00e9.jpg"),
        (['filename="cafe.jpg"', "filename*=iso-8859-1''caf%E9.jpg"], "cafe.jpg"),
        (["FileName*=UTF-8'en'caf%C3%A9.jpg"], "caf\u00e9.jpg"),
        (["filename=\"; filename*=utf-8''evil.jpg\""], "; filename*=utf-8''evil.jpg"),
    ],
)
def test_a_file_name_is_read_in_all_the_ways_that_clients_write_it(
    parameters: list[str], file_name: str
) -> None:
    assert read(form(part(b"x", *parameters, name="image"))).file_name == file_name


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        pytest.param(form(part(b"1", name="order")), "image", "required", id="no file"),
        pytest.param(form(file_part(b"x"), file_part(b"y")), "image", "once", id="two files"),
        pytest.param(
            form(part(b"", name="image"), file_part(b"y")), "image", "once", id="one empty file of two"
        ),
        pytest.param(
            form(part(b"1", 'filename="a.txt"', name="order"), file_part(b"x")),
            "order",
            "takes no file",
            id="a text as a file",
        ),
        pytest.param(
            form(part(b"x", 'filename="a.jpg"', name="image[]")),
            "image",
            "came in the field 'image[]'",
            id="the file under another name",
        ),
        pytest.param(
            form(part(b"Gr\xfc\xdfe", name="alt_text")),
            "alt_text",
            "is not in UTF-8: it has the bytes FC at position 2",
            id="another charset",
        ),
        pytest.param(
            form(part(b"x", name="alt_text", headers=("Content-Type: text/plain; charset=ebcdic",))),
            "alt_text",
            "declared as ebcdic",
            id="an unknown charset",
        ),
        pytest.param(
            form(part(b"eA==", name="alt_text", headers=("Content-Transfer-Encoding: base64",))),
            "alt_text",
            "transfer encoding base64",
            id="a text in base64",
        ),
        pytest.param(
            form(
                part(
                    b"x",
                    'filename="a.jpg"',
                    name="image",
                    headers=("content-transfer-encoding: Quoted-Printable",),
                )
            ),
            "image",
            "transfer encoding Quoted-Printable",
            id="a file in quoted-printable",
        ),
        pytest.param(form(part(b"x" * 16_385, name="alt_text")), "alt_text", "16,384 bytes", id="too long"),
    ],
)
def test_a_field_that_breaks_a_rule_is_named(body: bytes, field: str, message: str) -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        read(body)
    (fault,) = caught.value.faults
    assert fault.field == field
    assert message in fault.message


def test_the_last_value_counts_of_a_field_that_comes_more_than_once() -> None:
    # As Rails and ASP.NET send a checkbox.
    body = form(part(b"0", name="is_primary"), part(b"1", name="is_primary"), file_part(CONTENT))
    assert read(body).fields == {"is_primary": "1"}


@pytest.mark.parametrize(
    "others",
    [
        [part(b"a", name="colour"), part(b"b", name="colour")],
        [part(b"\xff\xfe", name="colour"), part(b"", name="colour")],
        [part(b"x" * 20_000, name="colour")],
        [part(b"", 'filename=""', name="second_image"), part(b"x", 'filename="b.jpg"', name="second_image")],
        [part(b"x", 'filename="b.jpg"', name="image2", headers=("Content-Transfer-Encoding: base64",))],
        [part(b"x", name="")],
    ],
)
def test_a_field_that_is_not_ours_is_ignored_however_it_comes(others: list[bytes]) -> None:
    assert read(form(*others, file_part(CONTENT), *others)) == Form(CONTENT, "shoe.jpg", {})


def test_a_picture_without_a_file_name_is_taken() -> None:
    assert read(form(part(CONTENT, name="image"))) == Form(CONTENT, "", {})


@pytest.mark.parametrize("encoding", ["binary", "8bit", "7BIT", ""])
def test_a_part_may_say_that_it_is_not_encoded(encoding: str) -> None:
    sent = part(
        CONTENT, 'filename="a.jpg"', name="image", headers=(f"Content-Transfer-Encoding: {encoding}",)
    )
    assert read(form(sent)).content == CONTENT


@pytest.mark.parametrize(
    ("content", "charset"), [(b"Gr\xfc\xdfe", "ISO-8859-1"), ("Gr\u00fc\u00dfe".encode(), '"utf-8"')]
)
def test_a_text_is_read_in_the_encoding_that_its_part_declares(content: bytes, charset: str) -> None:
    # As Java's Apache HttpClient 4 sends texts.
    sent = part(content, name="alt_text", headers=(f"Content-Type: text/plain; charset={charset}",))
    assert read(form(sent, file_part(CONTENT))).fields == {"alt_text": "Gr\u00fc\u00dfe"}


def test_the_longest_text_that_is_allowed_is_read() -> None:
    assert read(upload_form(b"x", alt_text="x" * 16_384)).fields == {"alt_text": "x" * 16_384}


def test_no_cut_of_a_form_is_taken_for_a_whole() -> None:
    whole = upload_form(CONTENT, order="1").removesuffix(b"\r\n")
    for length in range(len(whole)):
        with pytest.raises(DomainError):
            read(whole[:length])


def read(body: bytes, content_type: str = FORM_TYPE) -> Form:
    return read_form(base64.b64encode(body).decode(), is_base64=True, content_type=content_type)
