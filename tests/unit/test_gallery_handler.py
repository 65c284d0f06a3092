import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, override
from urllib.parse import parse_qs, parse_qsl, urlsplit

import boto3
import pytest
from aws_lambda_powertools import Logger, Metrics
from moto import mock_aws

from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_products import DynamoProducts
from domain.errors import UnavailableError
from domain.image import MAX_ID, ImageFacts, ImageFormat, Primary, ProductImage
from domain.image_details import ALT_TEXT_LIMIT, ORDER_LIMIT
from domain.list_images import MAX_REACH, MAX_SHA256S
from domain.rendition import Look, Placeholder, Rendition
from domain.reorder_images import MAX_IMAGES
from domain.text import MAX_SHORT_BYTES
from domain.user import User
from handlers.gallery import GalleryHandler
from handlers.http_function import HttpFunction
from handlers.problems import HttpResponse
from tests.builders import (
    BASE_URL,
    DAMAGED,
    IMAGE_PATH,
    IMAGES_PATH,
    KEY_ID,
    NOW,
    PRODUCT_ID,
    REQUEST_ID,
    SHA256,
    a_bucket,
    a_catalog_table,
    a_context,
    a_file,
    a_ref,
    an_image,
    api_event,
    json_event,
)
from tests.catalog_fake import InMemoryImageCatalog
from tests.conftest import ColdStart
from tests.fakes import InMemoryImageEvents, InMemoryImageStore, TickingClock
from tests.unit.conftest import Printed


class Gallery:
    """The function on fake stores."""

    def __init__(self, store: InMemoryImageStore | None = None, allowed_origins: str = "") -> None:
        self.catalog = InMemoryImageCatalog(PRODUCT_ID)
        self.store = store or InMemoryImageStore()
        logger = Logger(service="gallery")
        metrics = Metrics(namespace="ProductImages", service="gallery")
        handler = GalleryHandler(
            catalog=self.catalog,
            store=self.store,
            events=InMemoryImageEvents(),
            clock=TickingClock(NOW),
            logger=logger,
            metrics=metrics,
        )
        self._function = HttpFunction(
            handler,
            allowed_origins=allowed_origins,
            rejections="RequestsRejected",
            logger=logger,
            metrics=metrics,
        )

    def add(self, *image_ids: int) -> None:
        for image_id in image_ids:
            image = an_image(ref=a_ref(image_id))
            self.catalog.reserve(image)
            self.catalog.mark_ready(image.ref, a_file(), NOW)
            self.store.put(image, b"picture")

    def add_pending(self, image_id: int) -> None:
        self.catalog.reserve(an_image(ref=a_ref(image_id)))

    def primaries(self) -> list[int]:
        """Return the pictures that the list calls the primary."""
        return [image["id"] for image in body(self.page({}))["results"] if image["is_primary"]]

    def answer(self, event: dict[str, Any]) -> HttpResponse:
        return self._function(event, a_context())

    def page(self, query: Mapping[str, str], headers: Mapping[str, str] | None = None) -> HttpResponse:
        path = {"product_id": PRODUCT_ID}
        return self.answer(api_event("GET", IMAGES_PATH, path=path, query=query, headers=headers))

    def show(self, image_id: int, headers: Mapping[str, str] | None = None) -> HttpResponse:
        path = {"product_id": PRODUCT_ID, "image_id": image_id}
        return self.answer(api_event("GET", IMAGE_PATH, path=path, headers=headers))

    def patch(
        self, body: object, headers: Mapping[str, str] | None = None, image_id: int = 1
    ) -> HttpResponse:
        return self.answer(json_event("PATCH", IMAGE_PATH, body, headers=headers, image_id=image_id))

    def order(self, *image_ids: int, if_match: str | None = None) -> HttpResponse:
        headers = {"If-Match": if_match} if if_match else None
        return self.answer(
            json_event("PUT", f"{IMAGES_PATH}/order", {"image_ids": image_ids}, headers=headers)
        )

    def delete(self, image_id: int | str, if_match: str | None = None) -> HttpResponse:
        path = {"product_id": PRODUCT_ID, "image_id": image_id}
        headers = {"If-Match": if_match} if if_match else None
        return self.answer(api_event("DELETE", IMAGE_PATH, path=path, headers=headers))


@pytest.fixture
def gallery() -> Gallery:
    return Gallery()


def body(response: HttpResponse) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(response["body"])
    return parsed


def problem(response: HttpResponse) -> tuple[int, str, list[str]]:
    parsed = body(response)
    assert response["headers"]["Content-Type"] == "application/problem+json"
    return response["statusCode"], parsed["code"], [e["field"] for e in parsed.get("errors", [])]


# --- Lists ----------------------------------------------------------------------------------------------


def test_pages_lead_to_each_other_by_urls_that_work_as_they_stand(gallery: Gallery) -> None:
    gallery.add(*range(1, 6))
    first = body(gallery.page({"limit": "2"}))
    assert (first["count"], first["previous"], [i["id"] for i in first["results"]]) == (5, None, [1, 2])
    seen, url = [1, 2], first["next"]
    while url:
        assert url.startswith(f"{BASE_URL}/api/products/42/images?")
        query = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
        page = body(gallery.page(query))
        seen += [image["id"] for image in page["results"]]
        url = page["next"]
    assert seen == [1, 2, 3, 4, 5]
    assert page["previous"] == f"{BASE_URL}/api/products/42/images?limit=2&offset=2"


def test_the_page_before_begins_at_the_first_picture_at_least(gallery: Gallery) -> None:
    gallery.add(1, 2)
    assert body(gallery.page({"limit": "10", "offset": "3"}))["previous"].endswith("?limit=10&offset=0")


@pytest.mark.parametrize(("limit", "offset"), [("2", "0"), ("1", "1"), ("3", "0"), ("1", "2"), ("1", "9")])
def test_behind_the_last_picture_there_is_no_next_page(gallery: Gallery, limit: str, offset: str) -> None:
    gallery.add(1, 2)
    page = body(gallery.page({"limit": limit, "offset": offset}))
    assert (page["count"], page["next"]) == (2, None)


def test_a_page_has_ten_pictures_unless_another_number_is_asked_for(gallery: Gallery) -> None:
    gallery.add(*range(1, 13))
    assert len(body(gallery.page({}))["results"]) == 10
    assert len(body(gallery.page({"limit": "100"}))["results"]) == 12


def test_each_picture_of_a_list_carries_the_tag_that_it_has_alone(gallery: Gallery) -> None:
    gallery.add(1, 2)
    gallery.patch({"is_primary": True})
    listed = body(gallery.page({}))["results"]
    ordered = body(gallery.order(1, 2))["results"]
    for shown in (listed, ordered):
        assert [image["id"] for image in shown] == [1, 2]
    assert [image["etag"] for image in listed] != [image["etag"] for image in ordered]
    assert [image["etag"] for image in ordered] == [gallery.show(id_)["headers"]["ETag"] for id_ in (1, 2)]


@pytest.mark.parametrize("query", [{}, {"limit": "1", "offset": "1"}, {"status": "ready"}])
def test_a_list_is_not_sent_again_to_who_has_it(gallery: Gallery, query: dict[str, str]) -> None:
    gallery.add(1, 2)
    seen = {"If-None-Match": gallery.page(query)["headers"]["ETag"]}
    again = gallery.page(query, seen)
    assert (again["statusCode"], again["body"]) == (304, "")
    assert again["headers"]["ETag"] == seen["If-None-Match"]
    gallery.patch({"alt_text": "Neu"}, image_id=2)
    assert gallery.page(query, seen)["statusCode"] == 200


def test_a_status_filters_the_pages_and_stays_in_their_urls(gallery: Gallery) -> None:
    gallery.add(1, 2)
    gallery.add_pending(3)
    page = body(gallery.page({"limit": "1", "status": "ready"}))
    assert (page["count"], page["next"]) == (
        2,
        f"{BASE_URL}/api/products/42/images?limit=1&offset=1&status=ready",
    )
    assert body(gallery.page({"status": "pending"}))["count"] == 1
    assert body(gallery.page({"status": "failed"}))["results"] == []


def test_files_are_looked_for_by_their_sha256_in_any_case(gallery: Gallery) -> None:
    gallery.add(1, 2)
    gallery.add_pending(3)
    wanted = f"{'0' * 64},{SHA256.upper()}"
    page = body(gallery.page({"limit": "1", "sha256": wanted}))
    assert [image["sha256"] for image in page["results"]] == [SHA256]
    assert (page["count"], page["next"]) == (
        2,
        f"{BASE_URL}/api/products/42/images?limit=1&offset=1&sha256={wanted}",
    )
    assert body(gallery.page({"sha256": "0" * 64}))["results"] == []
    assert body(gallery.page({"sha256": SHA256, "status": "failed"}))["count"] == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"sha256": ""}, "sha256"),
        ({"sha256": SHA256[1:]}, "sha256"),
        ({"sha256": f"{SHA256} {SHA256}"}, "sha256"),
        ({"sha256": ",".join([SHA256] * (MAX_SHA256S + 1))}, "sha256"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"offset": "1.5"}, "offset"),
        ({"offset": str(MAX_REACH + 1)}, "offset"),
        ({"status": "deleting"}, "status"),
        ({"status": "READY"}, "status"),
        ({"sort": "name"}, "sort"),
    ],
)
def test_a_parameter_that_breaks_a_rule_or_is_unknown_is_named(
    gallery: Gallery, query: dict[str, str], field: str
) -> None:
    assert problem(gallery.page(query)) == (400, "invalid_fields", [field])


def test_a_parameter_against_caches_is_ignored(gallery: Gallery) -> None:
    gallery.add(1)
    assert body(gallery.page({"_": "1764529200000"}))["count"] == 1


# --- One picture ----------------------------------------------------------------------------------------


def test_a_picture_is_shown_with_its_tag_and_not_again_to_who_has_it(gallery: Gallery) -> None:
    gallery.add(1)
    shown = gallery.show(1)
    assert (shown["statusCode"], body(shown)["status"]) == (200, "ready")
    again = gallery.show(1, {"If-None-Match": shown["headers"]["ETag"]})
    assert (again["statusCode"], again["body"]) == (304, "")
    assert again["headers"]["ETag"] == shown["headers"]["ETag"]
    assert gallery.show(1, {"If-None-Match": '"another"'})["statusCode"] == 200


@pytest.mark.parametrize(
    ("condition", "status"),
    [("W/{tag}", 304), ('"another", {tag}', 304), ("*", 304), ('"another", W/"third"', 200), ("", 200)],
)
def test_a_tag_may_be_weak_or_one_of_many_or_any(gallery: Gallery, condition: str, status: int) -> None:
    gallery.add(1)
    tag = gallery.show(1)["headers"]["ETag"]
    assert gallery.show(1, {"If-None-Match": condition.format(tag=tag)})["statusCode"] == status


def test_a_picture_that_is_gone_is_404_whatever_the_client_has(gallery: Gallery) -> None:
    assert problem(gallery.show(1, {"If-None-Match": "*"})) == (404, "image_not_found", [])


def test_a_tag_changes_when_another_picture_becomes_the_primary(gallery: Gallery) -> None:
    gallery.add(1, 2)
    gallery.catalog.primaries[PRODUCT_ID] = Primary(1, NOW)
    before = gallery.show(1)
    gallery.catalog.primaries[PRODUCT_ID] = Primary(2, NOW)
    after = gallery.show(1, {"If-None-Match": before["headers"]["ETag"]})
    assert (after["statusCode"], body(before)["is_primary"], body(after)["is_primary"]) == (200, True, False)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ({"product_id": 42, "image_id": 9}, (404, "image_not_found", [])),
        ({"product_id": 43, "image_id": 1}, (404, "product_not_found", [])),
        ({"product_id": "x", "image_id": "0"}, (400, "invalid_fields", ["product_id", "image_id"])),
        ({"product_id": 42, "image_id": 2**53}, (400, "invalid_fields", ["image_id"])),
    ],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_what_is_not_there_is_404_and_what_is_no_identifier_400(
    gallery: Gallery, method: str, path: dict[str, int | str], expected: tuple[int, str, list[str]]
) -> None:
    gallery.add(1)
    assert problem(gallery.answer(api_event(method, IMAGE_PATH, path=path))) == expected


# --- Changes --------------------------------------------------------------------------------------------


def test_a_change_is_answered_with_the_picture_and_its_new_tag(gallery: Gallery) -> None:
    gallery.add(1)
    answer = gallery.patch({"alt_text": " Neu\u200e ", "order": 3, "is_primary": True})
    assert answer["statusCode"] == 200
    changed = body(answer)
    assert (changed["alt_text"], changed["description"]) == ("Neu", "Neu")
    assert (changed["order"], changed["is_primary"]) == (3, True)
    shown = gallery.show(1)
    assert (body(shown), shown["headers"]["ETag"]) == (changed, answer["headers"]["ETag"])


def test_the_text_of_a_picture_is_never_logged(printed: Printed) -> None:
    gallery = Gallery()
    gallery.add(1)
    gallery.patch({"alt_text": "Neu"})
    _, log = printed()
    assert log["fields"] == ["alt_text"]
    assert "Neu" not in json.dumps(log)


@pytest.mark.parametrize("add", [Gallery.add, Gallery.add_pending])
def test_a_picture_is_taken_whole_as_it_was_read(
    add: Callable[[Gallery, int], None], printed: Printed
) -> None:
    gallery = Gallery()
    add(gallery, 1)
    read = body(gallery.show(1))
    answer = gallery.patch(read | {"alt_text": "Neu", "order": 3})
    assert answer["statusCode"] == 200
    changed = {"alt_text": "Neu", "description": "Neu", "order": 3, "updated_at": body(answer)["updated_at"]}
    assert body(answer) == read | changed
    _, log = printed()
    assert log["fields"] == ["alt_text", "is_primary", "order"]


def test_what_cannot_be_changed_is_named_where_it_differs(gallery: Gallery) -> None:
    gallery.add(1)
    read = body(gallery.show(1))
    answer = gallery.patch(read | {"alt_text": "Neu", "name": "new.jpg", "user": {}, "colour": "red"})
    assert problem(answer) == (400, "invalid_fields", ["user", "name", "colour"])
    cannot = "Cannot be changed. Leave it out, or send it as it is."
    assert [e["message"] for e in body(answer)["errors"]] == [cannot, cannot, "There is no such field."]
    assert body(gallery.show(1)) == read


def test_a_field_that_there_never_was_is_refused_whatever_the_picture_has_become(gallery: Gallery) -> None:
    gallery.add(1)
    answer = gallery.patch({"order": 2, "colour": "red"}, {"If-Match": '"another"'})
    assert problem(answer) == (400, "invalid_fields", ["colour"])


def test_a_picture_that_changed_since_it_was_read_is_stale_first(gallery: Gallery) -> None:
    gallery.add_pending(1)
    pending = gallery.show(1)
    gallery.catalog.mark_ready(a_ref(1), a_file(), NOW)
    whole = body(pending) | {"alt_text": "Neu"}
    assert problem(gallery.patch(whole, {"If-Match": pending["headers"]["ETag"]}))[0] == 412
    assert problem(gallery.patch(whole)) == (
        400,
        "invalid_fields",
        ["width", "height", "mode", "status", "sha256"],
    )


def test_fields_that_are_not_sent_stay(gallery: Gallery) -> None:
    gallery.add(1)
    gallery.patch({"alt_text": "Neu", "order": 3})
    assert body(gallery.patch({"is_primary": True}))["alt_text"] == "Neu"
    assert body(gallery.patch({"alt_text": ""}))["order"] == 3


def test_a_change_on_condition_is_made_once(gallery: Gallery) -> None:
    gallery.add(1)
    tag = {"If-Match": gallery.show(1)["headers"]["ETag"]}
    assert gallery.patch({"order": 1}, tag)["statusCode"] == 200
    assert problem(gallery.patch({"order": 2}, tag)) == (412, "stale_image", [])
    assert body(gallery.show(1))["order"] == 1


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("{tag}", 200),
        ('"another", {tag}', 200),
        ("*", 200),
        ("W/{tag}", 200),
        ('"another"', 412),
        ("tag", 400),
    ],
)
def test_a_change_heeds_its_condition(gallery: Gallery, condition: str, status: int) -> None:
    gallery.add(1)
    tag = gallery.show(1)["headers"]["ETag"]
    answer = gallery.patch({"order": 2}, {"If-Match": condition.format(tag=tag)})
    assert (answer["statusCode"], body(gallery.show(1))["order"]) == (status, 2 if status == 200 else 0)


@pytest.mark.parametrize("add", [Gallery.add, Gallery.add_pending])
def test_a_change_of_nothing_changes_nothing(gallery: Gallery, add: Callable[[Gallery, int], None]) -> None:
    add(gallery, 1)
    shown = gallery.show(1)
    answer = gallery.patch({})
    assert (answer["statusCode"], answer["body"]) == (200, shown["body"])
    assert answer["headers"]["ETag"] == shown["headers"]["ETag"]
    assert problem(gallery.patch({}, {"If-Match": '"another"'})) == (412, "stale_image", [])


def test_the_primary_is_set_moved_and_cleared(gallery: Gallery) -> None:
    gallery.add(1, 2)
    assert body(gallery.patch({"is_primary": True}))["is_primary"]
    assert body(gallery.patch({"is_primary": True}, image_id=2))["is_primary"]
    assert gallery.primaries() == [2]
    assert not body(gallery.patch({"is_primary": False}))["is_primary"]
    assert gallery.primaries() == [2]
    assert not body(gallery.patch({"is_primary": False}, image_id=2))["is_primary"]
    assert gallery.primaries() == []


def test_a_pending_picture_is_not_the_primary_before_it_is_ready(gallery: Gallery) -> None:
    gallery.add_pending(1)
    answer = gallery.patch({"is_primary": True})
    assert (answer["statusCode"], body(answer)["is_primary"]) == (200, False)
    ready = gallery.catalog.mark_ready(a_ref(1), a_file(), NOW)
    assert gallery.catalog.move_primary(ready)
    assert gallery.primaries() == [1]


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({"name": "b.jpg", "colour": "red"}, ["name", "colour"]),
        ({"order": "first", "is_primary": "yes"}, ["order", "is_primary"]),
        ({"alt_text": None}, ["alt_text"]),
        ({"is_primary": 1}, ["is_primary"]),
        ({"is_primary": None}, ["is_primary"]),
        ({"order": None}, ["order"]),
        ({"order": "1"}, ["order"]),
        ({"order": 1.5}, ["order"]),
        ({"order": True}, ["order"]),
        ({"order": 2**31}, ["order"]),
        ({"order": -(2**31) - 1}, ["order"]),
        ({"alt_text": 1}, ["alt_text"]),
        ({"alt_text": "x" * 1_001}, ["alt_text"]),
        ([], ["body"]),
        ("text", ["body"]),
    ],
)
def test_a_field_that_breaks_a_rule_or_is_unknown_is_named(
    gallery: Gallery, sent: object, fields: list[str]
) -> None:
    gallery.add(1)
    assert problem(gallery.patch(sent)) == (400, "invalid_fields", fields)


def test_a_whole_number_may_be_written_with_a_point(gallery: Gallery) -> None:
    gallery.add(1)
    assert body(gallery.patch({"order": 3.0}))["order"] == 3


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "multipart/form-data; boundary=b"])
def test_a_body_that_is_not_declared_as_json_is_refused(gallery: Gallery, content_type: str | None) -> None:
    gallery.add(1)
    event = json_event("PATCH", IMAGE_PATH, {}, image_id=1)
    event["headers"] = {"Content-Type": content_type} if content_type is not None else None
    assert problem(gallery.answer(event)) == (400, "not_json", [])


@pytest.mark.parametrize(
    ("sent", "cause"),
    [
        (b"", "The body is no JSON: EOF while parsing a value at line 1 column 0."),
        (b"{", "The body is no JSON: EOF while parsing an object at line 1 column 1."),
        (b"{'order': 1}", "The body is no JSON: key must be a string at line 1 column 2."),
        (b"\x00", "The body is no JSON: expected value at line 1 column 1."),
        (b'{"alt_text": "\\u12"}', "The body is no JSON: "),
        (b'{"alt_text": "\\ud83d\\udc5f \\ud800"}', "The body has half a character: a surrogate"),
        (b'{"alt_text": "\\ud83d x"}', "The body has half a character: a surrogate"),
        (b'{"alt_text": "\\udc5f"}', "The body has half a character: a surrogate"),
        (b'{"alt_text": "Gr\xfc\xdfe"}', "The body is not in UTF-8: it has the bytes FC at position 16."),
        (b"\xff\xfe{\x00}", "The body is not in UTF-16-LE: it has the bytes 7D at position 2."),
    ],
)
def test_a_body_that_is_no_json_is_refused_by_its_cause(gallery: Gallery, sent: bytes, cause: str) -> None:
    gallery.add(1)
    answer = gallery.answer(json_event("PATCH", IMAGE_PATH, sent, image_id=1))
    assert problem(answer) == (400, "malformed_body", [])
    assert body(answer)["detail"].startswith(cause)


def test_a_lone_half_of_a_character_is_told_where_it_stands(gallery: Gallery) -> None:
    gallery.add(1)
    answer = gallery.answer(json_event("PATCH", IMAGE_PATH, b'{"alt_text": "\\ud800"}', image_id=1))
    assert "at position 14." in body(answer)["detail"]


def test_a_body_that_is_no_base64_is_refused(gallery: Gallery) -> None:
    gallery.add(1)
    answer = gallery.answer(json_event("PATCH", IMAGE_PATH, {}, image_id=1) | {"body": "!"})
    assert problem(answer) == (400, "malformed_body", [])


@pytest.mark.parametrize(
    ("sent", "content_type"),
    [
        ('{"alt_text": "Gr\u00fc\u00dfe"}'.encode(), "application/json"),
        ('{"alt_text": "Gr\u00fc\u00dfe"}'.encode("utf-8-sig"), "application/json"),
        ('{"alt_text": "Gr\u00fc\u00dfe"}'.encode("utf-16"), "application/json"),
        ('{"alt_text": "Gr\u00fc\u00dfe"}'.encode("latin-1"), "application/json; charset=ISO-8859-1"),
        (b'{"alt_text": "Gr\\u00fc\\u00dfe"}', "application/json;charset=utf-8"),
    ],
)
def test_a_body_is_read_in_the_encoding_that_it_tells(
    gallery: Gallery, sent: bytes, content_type: str
) -> None:
    gallery.add(1)
    event = json_event("PATCH", IMAGE_PATH, sent, image_id=1, headers={"Content-Type": content_type})
    assert body(gallery.answer(event))["alt_text"] == "Gr\u00fc\u00dfe"


def test_a_body_that_came_as_text_is_read_as_well(gallery: Gallery) -> None:
    gallery.add(1)
    event = json_event("PATCH", IMAGE_PATH, {}, image_id=1)
    event |= {"body": '{"order": 5}', "isBase64Encoded": False}
    assert body(gallery.answer(event))["order"] == 5


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_a_media_type_may_have_parameters_and_any_case(gallery: Gallery, content_type: str) -> None:
    gallery.add(1)
    event = json_event("PATCH", IMAGE_PATH, {"order": 5}, image_id=1)
    event["headers"] = {"content-type": content_type}
    assert body(gallery.answer(event))["order"] == 5


def test_the_name_of_an_unknown_field_is_told_in_one_safe_line(gallery: Gallery) -> None:
    gallery.add(1)
    answer = gallery.patch({"a\u202e\nb": 1})
    assert problem(answer) == (400, "invalid_fields", ["a b"])
    [error] = body(answer)["errors"]
    assert error["message"] == "There is no such field."


@pytest.mark.parametrize(
    "send",
    [
        lambda gallery: gallery.patch({f"x{number}": 1 for number in range(5_000)}),
        lambda gallery: gallery.answer(
            json_event("PUT", f"{IMAGES_PATH}/order", {f"x{number}": 1 for number in range(4_999)})
        ),
        lambda gallery: gallery.page({f"x{number}": "1" for number in range(5_000)}),
    ],
    ids=["change", "order", "query"],
)
def test_of_many_faults_twenty_are_named_and_the_others_counted(
    gallery: Gallery, send: Callable[[Gallery], HttpResponse]
) -> None:
    gallery.add(1)
    answer = send(gallery)
    status, code, fields = problem(answer)
    assert (status, code, len(fields)) == (400, "invalid_fields", 20)
    assert body(answer)["detail"].endswith(f"{fields[-1]}, and 4,980 more.")


@pytest.mark.parametrize("is_text", [False, True])
def test_a_body_above_the_limit_is_not_looked_into(gallery: Gallery, *, is_text: bool) -> None:
    def send(size_bytes: int) -> HttpResponse:
        event = json_event("PATCH", IMAGE_PATH, b"\xc3\xbc" * (size_bytes // 2), image_id=1)
        if is_text:
            event |= {"body": "\u00fc" * (size_bytes // 2), "isBase64Encoded": False}
        return gallery.answer(event)

    gallery.add(1)
    assert problem(send(65_536)) == (400, "malformed_body", [])
    refused = send(65_538)
    assert problem(refused) == (413, "body_too_large", [])
    assert "has 65,538 bytes; JSON may have at most 65,536" in body(refused)["detail"]


def test_a_picture_with_the_longest_texts_may_come_back_whole_however_it_is_written(gallery: Gallery) -> None:
    add_longest(gallery, 1)
    answer = gallery.patch(body(gallery.show(1)))
    assert answer["statusCode"] == 200


def test_a_list_of_the_longest_texts_is_an_answer_below_one_megabyte(gallery: Gallery) -> None:
    add_longest(gallery, *range(MAX_ID - 100, MAX_ID))
    # Not all of them fit: the next page goes on where this one ends.
    query: dict[str, str] = {"limit": "100"}
    seen: list[int] = []
    sizes: list[int] = []
    while query:
        page = gallery.page(query)
        sizes.append(len(page["body"].encode()))
        assert {image["alt_text"] for image in body(page)["results"]} == {LONGEST_TEXT}
        seen += [image["id"] for image in body(page)["results"]]
        query = dict(parse_qsl(urlsplit(body(page)["next"] or "").query))
    assert seen == list(range(MAX_ID - 100, MAX_ID))
    assert len(sizes) == 2
    assert 900_000 < sizes[0] < 1_000_000


def test_a_new_order_of_the_longest_texts_is_answered_with_as_many_as_fit_below_one_megabyte(
    gallery: Gallery,
) -> None:
    image_ids = list(range(MAX_ID - MAX_IMAGES, MAX_ID))
    add_longest(gallery, *image_ids)
    answer = gallery.order(*reversed(image_ids))
    assert len(answer["body"].encode()) < 1_000_000
    shown = [image["id"] for image in body(answer)["results"]]
    behind = body(gallery.page(dict(parse_qsl(urlsplit(body(answer)["next"]).query))))["results"]
    assert [*shown, *(image["id"] for image in behind)] == image_ids[::-1]
    # The tag is that of the whole order.
    assert gallery.order(*image_ids, if_match=answer["headers"]["ETag"])["statusCode"] == 200


LONGEST_TEXT = "\U0001f45f" * ALT_TEXT_LIMIT
LONGEST_NAME = "\U0001f45f" * (MAX_SHORT_BYTES // 4)


def add_longest(gallery: Gallery, *image_ids: int) -> None:
    """Add pictures of which everything takes as much as it may, in bytes."""
    for image_id in image_ids:
        image = an_image(
            ref=a_ref(image_id),
            image_format=ImageFormat.WEBP,
            user=User(MAX_ID, LONGEST_NAME, LONGEST_NAME),
            name=LONGEST_NAME,
            size_bytes=50_000_000,
            alt_text=LONGEST_TEXT,
            order=-ORDER_LIMIT,
        )
        gallery.catalog.reserve(image)
        facts = ImageFacts(16_384, 16_384, "I;16B")
        gallery.catalog.mark_ready(image.ref, a_file(image_format=ImageFormat.WEBP, facts=facts), NOW)
        gallery.catalog.mark_rendered(image.ref, LARGEST_LOOK, NOW)


LARGEST_LOOK = Look(
    "r1234567",
    tuple(Rendition(2_048, 2_048, ImageFormat.AVIF, 9_999_999, is_animated=True) for _ in range(12)),
    Placeholder(bytes(25), "#ffffff"),
    has_alpha=False,
    frames=500,
)
"""More files than any picture has."""


def test_a_failed_picture_cannot_become_the_primary(gallery: Gallery) -> None:
    gallery.catalog.reserve(an_image())
    gallery.catalog.mark_failed(a_ref(), DAMAGED, SHA256, NOW)
    assert problem(gallery.patch({"is_primary": True})) == (409, "image_not_ready", [])


# --- Order ----------------------------------------------------------------------------------------------


def test_a_new_order_is_answered_with_the_gallery_in_it(gallery: Gallery) -> None:
    gallery.add(1, 2, 3)
    answer = gallery.order(3, 1, 2)
    assert answer["statusCode"] == 200
    assert body(answer) == body(gallery.page({"limit": "100"}))
    assert [(image["id"], image["order"]) for image in body(answer)["results"]] == [(3, 0), (1, 1), (2, 2)]


@pytest.mark.parametrize("query", [{}, {"limit": "2"}, {"limit": "2", "offset": "1"}])
def test_an_order_is_made_on_the_condition_of_the_one_that_was_seen(
    gallery: Gallery, query: dict[str, str]
) -> None:
    gallery.add(1, 2, 3)
    seen = gallery.page(query)["headers"]["ETag"]
    gallery.patch({"alt_text": "Neu"}, image_id=2)
    answer = gallery.order(3, 2, 1, if_match=seen)
    assert answer["statusCode"] == 200
    assert problem(gallery.order(1, 2, 3, if_match=seen)) == (412, "stale_order", [])
    assert gallery.order(1, 2, 3, if_match=answer["headers"]["ETag"])["statusCode"] == 200


@pytest.mark.parametrize("query", [{"status": "ready"}, {"sha256": SHA256}])
def test_a_list_of_some_images_tells_nothing_of_the_order(gallery: Gallery, query: dict[str, str]) -> None:
    gallery.add(1, 2)
    seen = gallery.page(query)["headers"]["ETag"]
    assert problem(gallery.order(2, 1, if_match=seen)) == (412, "stale_order", [])


def test_an_order_that_does_not_fit_the_gallery_says_why(gallery: Gallery) -> None:
    gallery.add(1, 2)
    answer = gallery.order(1, 1, 9)
    assert problem(answer) == (400, "invalid_fields", ["image_ids"] * 3)
    assert [error["message"].rpartition(" ")[2] for error in body(answer)["errors"]] == ["1.", "2.", "9."]


@pytest.mark.parametrize("image_ids", [["1"], [0], [2**53], [None], "1", None, [1.5]])
def test_an_order_of_anything_but_identifiers_is_refused(gallery: Gallery, image_ids: object) -> None:
    gallery.add(1)
    event = json_event("PUT", f"{IMAGES_PATH}/order", {"image_ids": image_ids})
    status, code, [field] = problem(gallery.answer(event))
    assert (status, code, field.partition(".")[0]) == (400, "invalid_fields", "image_ids")


def test_a_gallery_that_is_too_large_for_one_step_is_told_so(gallery: Gallery) -> None:
    gallery.add(*range(1, 102))
    assert problem(gallery.order(*range(1, 102))) == (409, "gallery_too_large", [])


# --- Deletions ------------------------------------------------------------------------------------------


def test_a_deletion_is_answered_with_nothing_and_the_next_one_with_404(gallery: Gallery) -> None:
    gallery.add(1)
    answer = gallery.delete(1)
    assert (answer["statusCode"], answer["body"]) == (204, "")
    assert gallery.store.content(a_ref()) is None
    assert problem(gallery.delete(1)) == (404, "image_not_found", [])


@pytest.mark.parametrize(
    ("condition", "status"), [("{tag}", 204), ("W/{tag}", 204), ("*", 204), ('"another"', 412), ("tag", 400)]
)
def test_a_deletion_heeds_its_condition(gallery: Gallery, condition: str, status: int) -> None:
    gallery.add(1)
    tag = gallery.show(1)["headers"]["ETag"]
    assert gallery.delete(1, condition.format(tag=tag))["statusCode"] == status
    assert gallery.show(1)["statusCode"] == (404 if status == 204 else 200)


def test_a_deletion_that_cannot_be_finished_now_says_so_and_the_next_one_finishes_it() -> None:
    class UnreachableImageStore(InMemoryImageStore):
        failures = 1

        @override
        def delete(self, image: ProductImage) -> None:
            if self.failures:
                self.failures -= 1
                raise UnavailableError
            super().delete(image)

    gallery = Gallery(UnreachableImageStore())
    gallery.add(1)
    answer = gallery.delete(1)
    assert problem(answer) == (503, "temporarily_unavailable", [])
    assert answer["headers"]["Retry-After"] == "5"
    assert body(gallery.page({}))["count"] == 0
    assert problem(gallery.show(1)) == (404, "image_not_found", [])
    assert problem(gallery.patch({"order": 1})) == (404, "image_not_found", [])
    assert problem(gallery.delete(1)) == (404, "image_not_found", [])
    assert (gallery.catalog.images, gallery.store.content(a_ref())) == ({}, None)


def test_a_pending_picture_is_deleted_for_every_reader(gallery: Gallery) -> None:
    gallery.add_pending(1)
    assert gallery.delete(1)["statusCode"] == 204
    assert body(gallery.page({}))["results"] == []
    assert problem(gallery.show(1)) == (404, "image_not_found", [])
    assert problem(gallery.delete(1)) == (404, "image_not_found", [])


# --- A record that is damaged ---------------------------------------------------------------------------


def a_damaged_gallery() -> Gallery:
    """Return a gallery of three, the second of which cannot be read."""
    gallery = Gallery()
    gallery.add(1, 2, 3)
    gallery.catalog.damaged.add((PRODUCT_ID, 2))
    return gallery


def damage_told(printed: Printed) -> list[tuple[float, int, int]]:
    """Return of each report of damage how many records it counts, and which the log names."""
    lines = printed()
    counts = [line["DamagedRecords"][0] for line in lines if "DamagedRecords" in line]
    logs = [line for line in lines if line.get("message") == "damaged record"]
    assert all((log["level"], log["attribute"]) == ("ERROR", "name") for log in logs)
    return [(n, log["product_id"], log["image_id"]) for n, log in zip(counts, logs, strict=True)]


@pytest.mark.parametrize(
    ("act", "count", "shown"),
    [
        (lambda gallery: gallery.page({}), 3, [1, 3]),
        (lambda gallery: gallery.page({"limit": "1", "offset": "1"}), 3, []),
        (lambda gallery: gallery.page({"status": "ready"}), 3, [1, 3]),
        (lambda gallery: gallery.order(3, 1), 2, [3, 1]),
    ],
    ids=["list", "its own page", "list by status", "reorder"],
)
def test_a_damaged_record_is_left_out_counted_and_named_in_the_log(
    printed: Printed,
    act: Callable[[Gallery], HttpResponse],
    count: int,
    shown: list[int],
) -> None:
    answer = act(a_damaged_gallery())
    assert answer["statusCode"] == 200
    page = body(answer)
    assert (page["count"], [image["id"] for image in page["results"]]) == (count, shown)
    assert damage_told(printed) == [(1.0, PRODUCT_ID, 2)]


def test_a_page_without_damage_tells_of_none(printed: Printed) -> None:
    a_damaged_gallery().page({"limit": "1"})
    assert damage_told(printed) == []


@pytest.mark.parametrize(
    "act",
    [
        lambda gallery: gallery.show(2),
        lambda gallery: gallery.patch({"order": 1}, image_id=2),
        lambda gallery: gallery.delete(2),
    ],
    ids=["show", "change", "delete"],
)
def test_a_damaged_record_itself_is_a_fault_of_ours_that_says_so(
    printed: Printed, act: Callable[[Gallery], HttpResponse]
) -> None:
    gallery = a_damaged_gallery()
    before = gallery.catalog.images.copy()
    answer = act(gallery)
    assert problem(answer) == (500, "image_record_damaged", [])
    assert body(answer)["detail"].startswith("The record of image 2 of product 42 is damaged.")
    assert "attribute" not in body(answer)
    assert damage_told(printed) == [(1.0, PRODUCT_ID, 2)]
    assert gallery.catalog.images == before


# --- All of them ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "metric", "message", "details"),
    [
        (
            lambda gallery: gallery.patch({"order": 1}),
            "ImagesChanged",
            "image changed",
            {"image_id": 1, "fields": ["order"]},
        ),
        (lambda gallery: gallery.order(2, 1), "GalleriesReordered", "gallery reordered", {"count": 2}),
        (lambda gallery: gallery.delete(1), "ImagesDeleted", "image deleted", {"image_id": 1}),
    ],
    ids=["change", "reorder", "delete"],
)
def test_what_changes_a_gallery_is_counted_and_logged_with_the_key_that_did_it(
    printed: Printed,
    act: Callable[[Gallery], HttpResponse],
    metric: str,
    message: str,
    details: dict[str, object],
) -> None:
    gallery = Gallery()
    gallery.add(1, 2)
    act(gallery)
    metrics, log = printed()
    assert metrics[metric] == [1.0]
    expected = {
        "message": message,
        "request_id": REQUEST_ID,
        "key_id": KEY_ID,
        "product_id": PRODUCT_ID,
        **details,
    }
    assert {name: log[name] for name in expected} == expected


def test_an_answer_is_kept_by_nobody_but_the_client(gallery: Gallery) -> None:
    gallery.add(1)
    for answer in (gallery.page({}), gallery.show(1), gallery.patch({"order": 1}), gallery.order(1)):
        assert answer["headers"]["Cache-Control"] == "private, no-cache"
    assert gallery.delete(1)["headers"]["Cache-Control"] == "no-store"


def test_the_deployed_function_takes_a_picture_through_its_life(
    cold_start: ColdStart, printed: Printed
) -> None:
    with mock_aws():
        dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
        table, bucket = a_catalog_table(dynamodb), a_bucket(s3)
        DynamoProducts(dynamodb, table).add(PRODUCT_ID)
        catalog = DynamoImageCatalog(dynamodb, table)
        catalog.reserve(an_image())
        catalog.mark_ready(a_ref(), a_file(), NOW + timedelta(seconds=1))
        s3.put_object(Bucket=bucket, Key=an_image().media_key, Body=b"picture")
        module = cold_start("gallery", TABLE=table, BUCKET=bucket, STACK="shop", ALLOWED_ORIGINS="")
        path = {"product_id": PRODUCT_ID, "image_id": 1}
        events = {
            "list": api_event("GET", IMAGES_PATH, path={"product_id": PRODUCT_ID}),
            "show": api_event("GET", IMAGE_PATH, path=path),
            "change": json_event("PATCH", IMAGE_PATH, {"is_primary": True}, image_id=1),
            "reorder": json_event("PUT", f"{IMAGES_PATH}/order", {"image_ids": [1]}),
            "delete": api_event("DELETE", IMAGE_PATH, path=path),
        }
        answers = {name: module.lambda_handler(event, a_context()) for name, event in events.items()}
        left = catalog.get(PRODUCT_ID, 1), s3.list_objects_v2(Bucket=bucket)["KeyCount"]
    assert {name: answer["statusCode"] for name, answer in answers.items()} == {
        "list": 200,
        "show": 200,
        "change": 200,
        "reorder": 200,
        "delete": 204,
    }
    assert body(answers["change"])["is_primary"]
    metrics, log, *_ = printed()
    assert (metrics["stack"], metrics["service"], log["service"]) == ("shop", "gallery", "gallery")
    assert left == (None, 0)
    assert module.lambda_handler is module.lambda_handler
    assert not hasattr(module, "anything_else")
