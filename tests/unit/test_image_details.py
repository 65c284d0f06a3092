"""What staff may say of a picture, on each way in, and out again: none of its fields may get lost."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from domain.image_details import ImageDetails
from handlers.json_bodies import DetailsBody
from handlers.problems import HttpResponse
from tests.builders import (
    IMAGE_PATH,
    IMAGES_PATH,
    PRODUCT_ID,
    SAID,
    a_ref,
    an_image,
    api_event,
    jpeg,
    json_event,
    upload_event,
)
from tests.forms import upload_form
from tests.unit.hostile_service import Service

CONTENT = jpeg()
UNSAID = ImageDetails()
TEXTS = [name for name, value in SAID._asdict().items() if isinstance(value, str)]
every_field = pytest.mark.parametrize("name", ImageDetails._fields)
every_text = pytest.mark.parametrize("name", TEXTS)


def with_a_form(service: Service, said: Mapping[str, Any]) -> HttpResponse:
    fields = {name: str(value) for name, value in said.items()}
    return service.upload(upload_event(upload_form(CONTENT, **fields)))


def with_an_announcement(service: Service, said: Mapping[str, Any]) -> HttpResponse:
    announced = {"name": "shoe.jpg", "size": 1, **said}
    return service.reserve(json_event("POST", f"{IMAGES_PATH}/uploads", announced))


def with_a_change(service: Service, said: Mapping[str, Any]) -> HttpResponse:
    service.catalog.reserve(an_image(details=UNSAID))
    return service.gallery(json_event("PATCH", IMAGE_PATH, said, image_id=1))


type Way = Callable[[Service, Mapping[str, Any]], HttpResponse]

every_way = pytest.mark.parametrize("say", [with_a_form, with_an_announcement, with_a_change])


def kept(service: Service) -> ImageDetails:
    return service.catalog.images[PRODUCT_ID, 1].details


@pytest.fixture
def service() -> Service:
    return Service()


@every_way
@every_field
def test_each_is_kept_as_it_is_said_and_what_is_not_said_has_its_default(
    service: Service, say: Way, name: str
) -> None:
    value = getattr(SAID, name)
    assert say(service, {name: value})["statusCode"] in {200, 201}
    assert kept(service) == UNSAID._replace(**{name: value})


@every_way
def test_all_are_kept_and_answered_by_their_names(service: Service, say: Way) -> None:
    answer = json.loads(say(service, SAID._asdict())["body"])
    assert kept(service) == SAID
    assert {name: answer[name] for name in ImageDetails._fields} == SAID._asdict()


@every_way
@every_text
def test_each_text_is_cleaned(service: Service, say: Way, name: str) -> None:
    say(service, {name: " A\u202e red\n shoe\x00 "})
    assert getattr(kept(service), name) == "A red shoe"


@every_field
def test_a_change_leaves_what_it_does_not_name(service: Service, name: str) -> None:
    service.catalog.reserve(an_image(details=SAID))
    unsaid = getattr(UNSAID, name)
    service.gallery(json_event("PATCH", IMAGE_PATH, {name: unsaid}, image_id=1))
    assert kept(service) == SAID._replace(**{name: unsaid})


def test_a_new_order_of_the_gallery_changes_nothing_else(service: Service) -> None:
    for image_id in (1, 2):
        service.catalog.reserve(an_image(ref=a_ref(image_id), details=SAID))
    service.gallery(json_event("PUT", f"{IMAGES_PATH}/order", {"image_ids": [2, 1]}))
    assert kept(service) == SAID._replace(order=1)


@pytest.mark.parametrize(
    ("resource", "path"),
    [(IMAGES_PATH, {"product_id": PRODUCT_ID}), (IMAGE_PATH, {"product_id": PRODUCT_ID, "image_id": 1})],
    ids=["in a list", "alone"],
)
def test_all_are_shown(service: Service, resource: str, path: dict[str, int]) -> None:
    service.catalog.reserve(an_image(details=SAID))
    answer = json.loads(service.gallery(api_event("GET", resource, path=path))["body"])
    [shown] = answer.get("results", [answer])
    assert {name: shown[name] for name in ImageDetails._fields} == SAID._asdict()
    assert shown["description"] == SAID.alt_text


def test_the_body_of_every_request_has_each_field_with_its_default() -> None:
    described = {name: field.default for name, field in DetailsBody.model_fields.items()}
    assert described == UNSAID._asdict()
