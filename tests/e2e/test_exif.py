"""What a camera wrote into a picture, where it was taken above all, is told to nobody by the service."""

import json

import pytest

from local.system import wait_until
from tests.builders import PRIVATE, jpeg, private_exif
from tests.e2e.shop import Shop


def log_lines(shop: Shop) -> list[str]:
    """Return what all functions have logged."""
    logs = shop.state.endpoint.client("logs")
    pages = [
        page
        for group in logs.describe_log_groups()["logGroups"]
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
    ]
    return [event["message"] for page in pages for event in page["events"]]


@pytest.mark.parametrize("status", ["ready", "failed"])
def test_exif_data_is_neither_returned_nor_told_nor_logged(
    shop: Shop, product_id: int, told: str, status: str
) -> None:
    content = jpeg(exif=private_exif())
    if status == "failed":
        content = content[:-500]
    created = shop.upload(content, product_id=product_id)
    assert created.status_code == 201
    image_id = created.json()["id"]
    assert shop.finished(created.json()).status.value == status
    sqs = shop.state.endpoint.client("sqs")

    def event() -> str | None:
        for message in sqs.receive_message(QueueUrl=told, MaxNumberOfMessages=10).get("Messages", []):
            if json.loads(message["Body"])["detail"]["id"] == image_id:
                return message["Body"]
        return None

    def logs() -> str | None:
        # The line that tells the outcome is the last one of a picture.
        lines = log_lines(shop)
        is_told = any("image inspected" in line and f'"image_id":{image_id},' in line for line in lines)
        return "\n".join(lines) if is_told else None

    texts = {
        "201": created.text + str(created.headers),
        "picture": shop.show(product_id, image_id).text,
        "gallery": shop.page(product_id).text,
        "event": wait_until(event, f"event of image {image_id}"),
        "logs": wait_until(logs, f"log of image {image_id}"),
    }
    assert [(name, what) for name, text in texts.items() for what in PRIVATE if what in text] == []
    if status == "ready":
        # Kept is which way up it is, and who made it: what `Artist` says is there to be read.
        shown = shop.shown(product_id, image_id)
        assert (shown.width, shown.height) == (32, 48)
        served = shop.fetch(shown.f).content
        assert shown.size == len(served) < len(content)
        assert [what for what in PRIVATE if what.encode() in served] == ["WHO-MADE-IT"]
        numbers = [int(what).to_bytes(4) for what in PRIVATE if what.isdigit()]
        assert [number for number in numbers if number in served] == []


def test_the_pictures_of_these_tests_do_tell_something() -> None:
    written = private_exif()
    assert [text for text in PRIVATE if not text.isdigit() and text.encode() not in written] == []
    assert [text for text in PRIVATE if text.isdigit() and int(text).to_bytes(4) not in written] == []
