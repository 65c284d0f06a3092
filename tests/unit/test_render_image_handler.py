"""The render function's handler: which event is whose, what is counted, and what is told."""

from collections.abc import Callable

import boto3
import pytest
from aws_lambda_powertools import Logger, Metrics
from moto import mock_aws

from adapters.dynamo_image_catalog import DynamoImageCatalog
from adapters.dynamo_products import DynamoProducts
from adapters.lambda_renderings import ready_event
from adapters.s3_image_store import S3ImageStore
from domain.errors import NotRenderableError
from domain.image import ImageFacts, ImageFormat, ImageRef, PublicFile
from domain.image_store import PublicCopy
from domain.render_image import Rendering
from handlers.render_image import RenderImageHandler
from tests.builders import (
    NOW,
    PRODUCT_ID,
    SHA256,
    a_bucket,
    a_catalog_table,
    a_context,
    a_ready_image,
    a_ref,
    an_image,
    jpeg,
)
from tests.conftest import ColdStart
from tests.unit.conftest import Printed

EVENT = ready_event(a_ready_image())


def handle(event: dict[str, object], render: Callable[[ImageRef], Rendering]) -> str:
    handler = RenderImageHandler(
        render, Logger(service="render_image"), Metrics(namespace="ProductImages", service="render_image")
    )
    [image] = handler(event, a_context())["images"]
    return image["outcome"]


@pytest.mark.parametrize("outcome", Rendering)
def test_the_picture_of_the_event_is_rendered(outcome: Rendering, printed: Printed) -> None:
    seen = list[ImageRef]()

    def render(ref: ImageRef) -> Rendering:
        seen.append(ref)
        return outcome

    assert handle(EVENT, render) == outcome.value
    assert seen == [a_ref()]
    assert any("ImagesRendered" in line for line in printed()) == (outcome is Rendering.RENDERED)


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"detail": {}},
        {"detail": {"path": None}},
        {"detail": {"path": "/media/1/2.jpg"}},
        {"detail": {"path": "/media/0/2-0123456789abcdef.jpg"}},
        {"detail": {"path": f"/media/{2**53}/2-0123456789abcdef.jpg"}},
        {"detail": {"path": "media/1/2-0123456789abcdef.jpg"}},
        {"detail": {"path": "/media/1/2-0123456789abcdef/r1/320.avif"}},
    ],
)
def test_an_event_that_names_no_picture_of_ours_is_ignored(event: dict[str, object]) -> None:
    def render(ref: ImageRef) -> Rendering:
        raise AssertionError(ref)

    assert handle(event, render) == "ignored"


def test_a_picture_that_cannot_be_rendered_is_counted_and_rises_with_the_reason(printed: Printed) -> None:
    def render(_: ImageRef) -> Rendering:
        raise NotRenderableError("it takes more than 70 s")

    with pytest.raises(NotRenderableError, match="it takes more than 70 s"):
        handle(EVENT, render)
    counted, log = printed()
    assert counted["ImagesNotRendered"] == [1.0]
    assert (log["level"], log["reason"]) == ("WARNING", "it takes more than 70 s")


def test_the_deployed_function_puts_files_that_browsers_keep_and_completes_the_record(
    cold_start: ColdStart,
) -> None:
    content = jpeg(700, 400)
    with mock_aws():
        dynamodb, s3 = boto3.client("dynamodb"), boto3.client("s3")
        table, bucket = a_catalog_table(dynamodb), a_bucket(s3)
        catalog = DynamoImageCatalog(dynamodb, table)
        DynamoProducts(dynamodb, table).add(PRODUCT_ID)
        catalog.reserve(an_image())
        copy = PublicCopy(content, ImageFormat.JPEG, SHA256)
        S3ImageStore(s3, bucket).publish(a_ref(), copy)
        file = PublicFile(ImageFormat.JPEG, len(content), SHA256, ImageFacts(700, 400, "RGB"))
        ready = catalog.mark_ready(a_ref(), file, NOW)
        module = cold_start(
            "render_image",
            TABLE=table,
            BUCKET=bucket,
            STACK="shop",
            MAX_IMAGE_PIXELS="100000000",
            RENDITION_WIDTHS="640,320",
            FALLBACK_WIDTHS="640",
            AVIF_QUALITY="60",
            AVIF_SPEED="8",
        )
        outcomes = [module.lambda_handler(ready_event(ready), a_context()) for _ in range(2)]
        image = catalog.get(PRODUCT_ID, a_ref().image_id)
        assert image is not None
        assert image.look is not None
        paths = [image.look.path(a_ref(), each) for each in image.look.renditions]
        objects = [s3.get_object(Bucket=bucket, Key=f"media/{path}") for path in paths]
    assert [each["images"][0]["outcome"] for each in outcomes] == ["rendered", "was_rendered"]
    assert [path.rpartition("/")[2] for path in paths] == ["320.avif", "640.avif", "640.jpg"]
    assert [each["ContentType"] for each in objects] == ["image/avif", "image/avif", "image/jpeg"]
    assert {each["CacheControl"] for each in objects} == {"public, max-age=31536000, immutable"}
    assert [each["ContentLength"] for each in objects] == [each.size_bytes for each in image.look.renditions]
    assert module.lambda_handler is module.lambda_handler
    assert not hasattr(module, "anything_else")
