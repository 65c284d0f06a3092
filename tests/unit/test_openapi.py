"""The API's description: current, valid, and of every route that there is."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from domain import errors
from domain.announced_format import announced_format
from domain.errors import DomainError, InvalidFieldsError, UnsupportedFormatError
from domain.image import ImageFormat, ImageSnapshot, ImageStatus
from domain.image_details import ORDER_LIMIT, ImageDetails
from domain.list_images import MAX_PAGE_SIZE
from domain.upload_fields import FALSE, TRUE, parse_upload_fields
from handlers.image_json import image_json, shown_json
from handlers.json_bodies import AnnounceBody, ChangeBody, FetchBody, OrderBody, PutProductBody
from handlers.problems import problem_response
from local.template import ROOT, Template, translate
from openapi.bodies import (
    GalleryBody,
    ImageBody,
    PrimariesBody,
    ProblemBody,
    ProductBody,
    ProductsBody,
    ReservedImageBody,
    ShownGalleryBody,
    ShownImageBody,
)
from openapi.document import PATH, build, render
from tests.builders import A_LOOK, REQUEST_ID, a_ready_image, an_image
from tests.infrastructure.api import STOREFRONT

if TYPE_CHECKING:
    from pydantic import BaseModel

type Json = dict[str, Any]

OPERATIONS: dict[str, Json] = {
    operation["operationId"]: {"path": path, **operation}
    for path, item in build()["paths"].items()
    for name, operation in item.items()
    if name != "parameters"
}
EACH_OPERATION = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
MODELS: dict[str, "type[BaseModel]"] = {
    f"#/components/schemas/{model.__name__}": model
    for model in (
        AnnounceBody,
        FetchBody,
        ChangeBody,
        GalleryBody,
        ProductBody,
        ProductsBody,
        PutProductBody,
        ImageBody,
        OrderBody,
        PrimariesBody,
        ProblemBody,
        ReservedImageBody,
        ShownGalleryBody,
    )
}
WITH_RETRY_AFTER = {"throttled", "temporarily_unavailable", "request_in_progress", "product_being_removed"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return build()


@pytest.fixture(scope="module")
def template() -> Template:
    return translate({}, {})


def test_the_committed_description_is_current() -> None:
    assert PATH.read_text() == render(), "Write it again: make openapi"


def test_it_is_a_valid_openapi_3_1_document(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_it_describes_every_route_of_the_template_and_no_other(
    document: dict[str, Any], template: Template
) -> None:
    paths = template["Resources"]["Api"]["Properties"]["Body"]["paths"]
    # What pages load is no part of the API.
    deployed = {path: item for path, item in paths.items() if "{file" not in path}
    any_method = {"x-amazon-apigateway-any-method", "parameters"}
    assert {path: set(item) - any_method for path, item in document["paths"].items()} == {
        path: set(item) - any_method for path, item in deployed.items()
    }


def test_only_the_storefront_and_the_description_itself_need_no_key(document: dict[str, Any]) -> None:
    open_to_all = {
        path
        for path, item in document["paths"].items()
        for name, operation in item.items()
        if name != "parameters" and operation.get("security") == []
    }
    assert open_to_all == {*STOREFRONT, "/api/openapi.json", "/api/docs"}
    assert document["security"] == [{"apiKey": []}]


def test_every_operation_says_how_it_may_fail(document: dict[str, Any]) -> None:
    for item in document["paths"].values():
        for name, operation in item.items():
            if name == "parameters":
                continue
            failures = {status for status in operation["responses"] if status >= "400"}
            assert failures >= {"429", "500"}, operation["operationId"]
            for status in failures:
                assert operation["responses"][status]["content"].keys() == {"application/problem+json"}


@pytest.mark.parametrize(
    "image",
    [an_image(), a_ready_image(), a_ready_image(look=A_LOOK)],
    ids=["pending", "ready", "with renditions"],
)
def test_the_json_of_a_picture_is_what_is_described(image: Any) -> None:  # noqa: ANN401 - a record
    snapshot = ImageSnapshot(image, None)
    body = image_json(snapshot.image, base_url="https://shop.example", is_primary=snapshot.is_primary)
    assert ImageBody.model_validate_json(json.dumps(body)).id == image.ref.image_id
    assert body.keys() == ImageBody.model_fields.keys()


@pytest.mark.parametrize("image", [a_ready_image(), a_ready_image(look=A_LOOK)], ids=["new", "rendered"])
def test_what_the_public_sees_of_a_picture_is_what_is_described(image: Any) -> None:  # noqa: ANN401 - a record
    body = shown_json(image, base_url="https://shop.example", is_primary=True)
    assert ShownImageBody.model_validate_json(json.dumps(body)).id == image.ref.image_id
    assert body.keys() == ShownImageBody.model_fields.keys()


def test_the_formats_that_are_described_are_those_of_the_service() -> None:
    described = ImageBody.model_json_schema()["properties"]["type"]["enum"]
    assert described == [image_format.name for image_format in ImageFormat]


@pytest.mark.parametrize("name", ["shoe.jpg", "shoe.JFIF", "shoe.b.png", "shoe", "shoe.jpg.tmp", "shoe.heic"])
@pytest.mark.parametrize(
    "content_type",
    [
        *(None, "", "image/jpeg", "IMAGE/PNG", "image/webp; charset=binary", "application/octet-stream"),
        *("image/*", "image/heic", "text/plain", "image/jpeg2", "x image/jpeg", "imageXjpeg", "*"),
    ],
)
def test_the_description_tells_which_announcements_are_taken(
    document: Json, content_type: str | None, name: str
) -> None:
    by_type, by_name = (
        kind["properties"] for kind in document["components"]["schemas"]["AnnounceBody"]["anyOf"]
    )
    vague, _ = by_name["content_type"]["anyOf"]
    described = matches(by_type["content_type"], content_type) or (
        (content_type is None or matches(vague, content_type)) and matches(by_name["name"], name)
    )
    assert described == is_announcement(content_type, name)


def matches(schema: Json, text: str | None) -> bool:
    return text is not None and bool(re.search(schema["pattern"], text))


def is_announcement(content_type: str | None, name: str) -> bool:
    try:
        announced_format(content_type or "", name)
    except (InvalidFieldsError, UnsupportedFormatError):
        return False
    return True


def test_the_limits_of_a_page_are_described(document: dict[str, Any]) -> None:
    [limit] = [
        parameter
        for parameter in document["paths"]["/api/products/{product_id}/images"]["get"]["parameters"]
        if parameter["name"] == "limit"
    ]
    assert (limit["schema"]["minimum"], limit["schema"]["maximum"]) == (1, MAX_PAGE_SIZE)


@pytest.mark.parametrize("seed", ["1", "2"])
def test_it_does_not_depend_on_the_order_of_sets(seed: str) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", "from openapi.document import render; print(render(), end='')"],
        env={"PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}/src:{ROOT}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout == PATH.read_text()


def test_every_operation_has_a_name_of_its_own(document: Json) -> None:
    operations = [set(item) - {"parameters"} for item in document["paths"].values()]
    assert len(OPERATIONS) == sum(map(len, operations))


@EACH_OPERATION
def test_every_operation_says_what_it_does(operation: Json) -> None:
    assert operation["summary"]
    assert operation["description"].endswith(".")


@EACH_OPERATION
def test_every_example_is_one_that_its_model_takes(operation: Json) -> None:
    for holder in (operation.get("requestBody", {}), *operation["responses"].values()):
        for content in holder.get("content", {}).values():
            if "example" in content:
                MODELS[content["schema"]["$ref"]].model_validate_json(json.dumps(content["example"]))


@EACH_OPERATION
def test_every_error_has_a_code_that_comes_with_its_status(operation: Json, template: Template) -> None:
    for status, example in problems(operation):
        assert (example["status"], example["title"]) == (status, HTTPStatus(status).phrase)
        assert example["code"] in codes(status, template)


@EACH_OPERATION
def test_every_error_that_says_how_long_to_wait_is_described_so(operation: Json) -> None:
    for status, example in problems(operation):
        headers = operation["responses"][str(status)].get("headers", {})
        assert ("Retry-After" in headers) == (example["code"] in WITH_RETRY_AFTER), status


@EACH_OPERATION
def test_every_link_leads_to_an_operation_with_its_parameters(operation: Json) -> None:
    for response in operation["responses"].values():
        for link in response.get("links", {}).values():
            path = OPERATIONS[link["operationId"]]["path"]
            assert set(re.findall(r"{(\w+)}", path)) == link["parameters"].keys()


def test_a_new_picture_leads_on_to_all_that_can_be_done_with_it() -> None:
    for name in ("uploadImage", "reserveUpload"):
        links = OPERATIONS[name]["responses"]["201"]["links"]
        assert links.keys() == {"showImage", "changeImage", "deleteImage"}


def test_a_picture_is_described_in_every_state_but_that_of_being_deleted(document: Json) -> None:
    described = document["components"]["schemas"]["ImageBody"]["properties"]["status"]["enum"]
    assert set(described) == set(ImageStatus) - {ImageStatus.DELETING}


@pytest.mark.parametrize(
    "text",
    [
        *(spell(word) for word in sorted(TRUE | FALSE) for spell in (str.lower, str.upper, str.title)),
        *("", "yEs", "2", "truee", "y", "null", "-1", "on off"),
    ],
)
def test_the_form_describes_exactly_the_booleans_that_are_taken(text: str) -> None:
    _, spelling = form_fields()["is_primary"]["anyOf"]
    assert bool(re.search(spelling["pattern"], text)) == is_accepted(is_primary=text)


@pytest.mark.parametrize("order", [-ORDER_LIMIT - 1, -ORDER_LIMIT, -1, 0, 1, ORDER_LIMIT - 1, ORDER_LIMIT])
def test_the_form_describes_exactly_the_orders_that_are_taken(order: int) -> None:
    number, _ = form_fields()["order"]["anyOf"]
    assert (number["minimum"] <= order <= number["maximum"]) == is_accepted(order=str(order))


def test_the_form_describes_all_that_may_be_said_of_a_picture_with_its_default() -> None:
    described = form_fields()
    assert described.keys() == {"image", "is_primary", *ImageDetails._fields}
    defaults = {name: described[name]["default"] for name in ImageDetails._fields}
    assert defaults == ImageDetails()._asdict()


def test_the_largest_picture_that_is_described_is_the_templates(template: Template) -> None:
    largest = template["Parameters"]["MaxDirectUploadBytes"]["Default"]
    assert f"{largest:,} bytes" in form_fields()["image"]["description"]


def form_fields() -> Json:
    content = OPERATIONS["uploadImage"]["requestBody"]["content"]
    fields: Json = content["multipart/form-data"]["schema"]["properties"]
    return fields


def is_accepted(**fields: str) -> bool:
    try:
        parse_upload_fields(fields)
    except InvalidFieldsError:
        return False
    return True


def problems(operation: Json) -> Iterator[tuple[int, Json]]:
    """Yield status and example of each error."""
    for status, response in operation["responses"].items():
        if int(status) >= HTTPStatus.BAD_REQUEST:
            yield int(status), response["content"]["application/problem+json"]["example"]


def codes(status: int, template: Template) -> set[str]:
    """Return the codes with which the functions or the gateway answer this status."""
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DomainError)
    ]
    by_functions = {kind.code for kind in kinds if status_of(kind) == status}
    body = template["Resources"]["Api"]["Properties"]["Body"]
    by_gateway = {
        json.loads(response["responseTemplates"]["application/json"])["code"]
        for response in body["x-amazon-apigateway-gateway-responses"].values()
        if response.get("statusCode") == str(status)
    }
    return by_functions | by_gateway


def status_of(kind: type[DomainError]) -> int:
    # The kind decides; making one as the service does needs other arguments for each.
    error = kind.__new__(kind)
    if isinstance(error, InvalidFieldsError):
        error.faults = ()
    return problem_response(error, REQUEST_ID)["statusCode"]
