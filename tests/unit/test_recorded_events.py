"""Every payload in events/, through the handlers with the stores faked."""

import json

import pytest
from aws_lambda_powertools import Logger, Metrics

from adapters.pillow_image_inspector import PillowImageInspector
from domain.authorize import Authorize
from domain.extract_metadata import ExtractMetadata
from events.record import EVENTS, IMAGE, PRODUCT_ID, add_example_keys
from handlers.authorize import AuthorizeHandler
from handlers.extract_metadata import ExtractMetadataHandler
from handlers.upload_image import UploadImageHandler
from local.sample import sample_jpeg
from tests.builders import NOW, a_context, an_image
from tests.fakes import (
    InMemoryApiKeys,
    InMemoryImageCatalog,
    InMemoryImageStore,
    TickingClock,
    upload_image_with,
)
from tests.recorded_events import AUTHORIZATIONS, OBJECTS, UPLOADS, check_authorization, recorded


@pytest.mark.parametrize("case", AUTHORIZATIONS)
def test_the_authorizer_answers_each_payload(case: str) -> None:
    api_keys = InMemoryApiKeys()
    add_example_keys(api_keys)
    handler = AuthorizeHandler(Authorize(api_keys, lambda: NOW), Logger(service="authorize"))
    try:
        answer = handler(recorded("authorize", case), a_context())
    except Exception as error:  # noqa: BLE001 - as the runtime does, which tells API Gateway of it
        answer = {"errorMessage": str(error), "errorType": type(error).__name__}
    check_authorization(case, answer)


@pytest.mark.parametrize("case", UPLOADS)
def test_the_upload_function_answers_each_payload(case: str) -> None:
    upload_image = upload_image_with(InMemoryImageCatalog(PRODUCT_ID))
    metrics = Metrics(namespace="ProductImages", service="upload_image")
    handler = UploadImageHandler(
        upload_image, "https://media.example.com", Logger(service="upload_image"), metrics
    )
    answer = handler(recorded("upload_image", case), a_context())
    assert (answer["statusCode"], json.loads(answer["body"]).get("code")) == UPLOADS[case]


@pytest.mark.parametrize("case", OBJECTS)
def test_the_metadata_function_answers_each_payload(case: str) -> None:
    catalog, store = InMemoryImageCatalog(PRODUCT_ID), InMemoryImageStore()
    catalog.reserve(an_image(ref=IMAGE))
    store.put(IMAGE, sample_jpeg(96, 64))
    extract_metadata = ExtractMetadata(
        catalog=catalog,
        store=store,
        inspector=PillowImageInspector(1_000_000),
        clock=TickingClock(NOW),
    )
    metrics = Metrics(namespace="ProductImages", service="extract_metadata")
    handler = ExtractMetadataHandler(extract_metadata, Logger(service="extract_metadata"), metrics)
    images = handler(recorded("extract_metadata", case), a_context())["images"]
    assert [image["outcome"] for image in images] == OBJECTS[case]


def test_every_payload_has_its_test() -> None:
    payloads = {str(path.relative_to(EVENTS).with_suffix("")) for path in EVENTS.glob("*/*.json")}
    tested = {f"authorize/{case}" for case in AUTHORIZATIONS}
    tested |= {f"upload_image/{case}" for case in UPLOADS}
    tested |= {f"extract_metadata/{case}" for case in OBJECTS}
    assert payloads == tested
