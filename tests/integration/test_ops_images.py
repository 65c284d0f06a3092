"""`product-images images render`: which pictures are rendered, what is said, and which files go."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from domain.image import ImageRef
from domain.recipe import Recipe
from domain.rendition import Look
from ops.target import Clients
from tests.builders import A_LOOK, DAMAGED, NOW, PRODUCT_ID, SHA256, a_file, a_ref, an_image
from tests.integration.faults import hook
from tests.integration.ops_operator import Operator, error_line, operator_of_a_stack

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TODAYS = A_LOOK._replace(recipe=Recipe().name)
OLD = A_LOOK._replace(recipe=Recipe(avif_quality=50).name)
LONG_AGO = NOW - timedelta(days=365)
OTHER_PRODUCT = PRODUCT_ID + 1


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    with operator_of_a_stack(monkeypatch) as operator:
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", operator.aws.url)
        operator.aws.function_ends({"images": [{"key": "", "outcome": "rendered"}]})
        operator.products.add(PRODUCT_ID)
        operator.products.add(OTHER_PRODUCT)
        yield operator


@pytest.fixture
def s3(operator: Operator) -> "S3Client":
    assert operator.aws.url
    return boto3.client("s3")


def add(operator: Operator, ref: ImageRef, look: Look | None = None) -> ImageRef:
    operator.catalog.reserve(an_image(ref=ref))
    operator.catalog.mark_ready(ref, a_file(), LONG_AGO)
    if look:
        operator.catalog.mark_rendered(ref, look, LONG_AGO)
        for rendition in look.renditions:
            key = f"media/{look.path(ref, rendition)}"
            boto3.client("s3").put_object(Bucket="images", Key=key, Body=b"file")
    return ref


def a_shop(operator: Operator) -> None:
    """Add four ready pictures: rendered, rendered by another recipe, not rendered, and of another product."""
    add(operator, a_ref(1), TODAYS)
    add(operator, a_ref(2), OLD)
    add(operator, a_ref(3))
    add(operator, ImageRef(OTHER_PRODUCT, 4, "f" * 16))
    operator.catalog.reserve(an_image(ref=a_ref(5)))
    operator.catalog.reserve(an_image(ref=a_ref(6)))
    operator.catalog.mark_failed(a_ref(6), DAMAGED, SHA256, NOW)


def rendered(operator: Operator) -> list[int]:
    """Return which pictures the function was invoked for."""
    events: list[dict[str, Any]] = [
        json.loads(call.body) for call in operator.aws.calls if call.operation == "Invoke"
    ]
    assert {event["detail-type"] for event in events} <= {"ImageReady"}
    return sorted(event["detail"]["id"] for event in events)


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        (("--product", str(PRODUCT_ID)), [2, 3]),
        (("--product", str(OTHER_PRODUCT)), [4]),
        (("--all",), [2, 3, 4]),
        (("--recipe",), [2]),
    ],
)
def test_ready_pictures_without_files_of_todays_recipe_are_rendered(
    operator: Operator, arguments: tuple[str, ...], ids: list[int]
) -> None:
    a_shop(operator)
    result = operator.runs("images", "render", *arguments)
    assert result.exit_code == 0, result.output
    assert rendered(operator) == ids
    assert f"rendered now: {len(ids)}, failed: 0." in result.stdout


def test_a_picture_of_which_a_file_is_gone_is_rendered_again(operator: Operator, s3: "S3Client") -> None:
    a_shop(operator)
    s3.delete_object(Bucket="images", Key=f"media/{TODAYS.path(a_ref(1), TODAYS.renditions[0])}")
    assert operator.runs("images", "render", "--product", str(PRODUCT_ID)).exit_code == 0
    assert rendered(operator) == [1, 2, 3]


def test_what_cannot_be_rendered_is_named_and_the_rest_is(operator: Operator) -> None:
    a_shop(operator)
    message = "The image cannot be rendered: it takes more than 70 s."
    operator.aws.function_ends({"errorMessage": message}, in_error=True)
    result = operator.runs("images", "render", "--all")
    assert result.exit_code == 1
    assert rendered(operator) == [2, 3, 4]
    assert f"Error: image 2 of product {PRODUCT_ID}: {message}" in result.stderr.splitlines()
    assert "rendered now: 0, failed: 3." in result.stdout


def test_a_call_that_is_refused_is_told(operator: Operator) -> None:
    a_shop(operator)
    operator.aws.answers["Invoke"] = (403, json.dumps({"message": "no"}))
    result = operator.runs("images", "render", "--recipe")
    assert result.exit_code == 1
    assert f"Error: image 2 of product {PRODUCT_ID}: " in result.stderr


def test_a_damaged_record_is_passed_by(operator: Operator) -> None:
    a_shop(operator)
    table = boto3.resource("dynamodb").Table("catalog")
    key = {"pk": f"PRODUCT#{PRODUCT_ID}", "sk": "IMAGE#" + "3".zfill(16)}
    table.update_item(Key=key, UpdateExpression="REMOVE #name", ExpressionAttributeNames={"#name": "name"})
    assert operator.runs("images", "render", "--all").exit_code == 0
    assert rendered(operator) == [2, 4]


def put_files(s3: "S3Client", ref: ImageRef, *recipes: str) -> None:
    for recipe in recipes:
        s3.put_object(Bucket="images", Key=f"media/{ref.path}/{recipe}/320.avif", Body=b"file")


def keys(s3: "S3Client") -> list[str]:
    return sorted(stored["Key"] for stored in s3.list_objects_v2(Bucket="images").get("Contents", []))


def test_files_of_an_earlier_recipe_go_when_no_record_has_pointed_to_them_for_an_hour(
    operator: Operator, s3: "S3Client"
) -> None:
    a_shop(operator)
    settled, old, other = a_ref(1), a_ref(2), ImageRef(OTHER_PRODUCT, 4, "f" * 16)
    s3.put_object(Bucket="images", Key=settled.media_key(a_file().image_format), Body=b"copy")
    put_files(s3, settled, TODAYS.recipe, OLD.recipe)
    put_files(s3, old, OLD.recipe)
    operator.catalog.mark_rendered(other, TODAYS, datetime.now(UTC))
    put_files(s3, other, TODAYS.recipe, OLD.recipe)
    before = set(keys(s3))
    result = operator.runs("images", "render", "--all")
    assert "Files of earlier recipes removed: 1." in result.stdout
    assert before - set(keys(s3)) == {f"media/{settled.path}/{OLD.recipe}/320.avif"}


def test_a_file_that_s3_does_not_remove_is_named_and_the_others_go(
    operator: Operator, s3: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = add(operator, a_ref(1), TODAYS)
    put_files(s3, ref, OLD.recipe)
    kept = f"media/{ref.path}/{OLD.recipe}/640.avif"
    s3.put_object(Bucket="images", Key=kept, Body=b"file")

    def refuse(parsed: dict[str, Any], **_: object) -> None:
        parsed["Errors"] = [{"Key": kept, "Code": "InternalError", "Message": "Please try again."}]

    hook(s3, "after-call.s3.DeleteObjects", refuse)
    monkeypatch.setattr(Clients, "s3", lambda _: s3)
    result = operator.runs("images", "render", "--recipe")
    line = f"Error: file of an earlier recipe that S3 did not remove (InternalError): {kept}"
    assert (result.exit_code, result.stderr.splitlines()) == (1, [line])
    assert "Files of earlier recipes removed: 1." in result.stdout


def test_files_that_were_made_just_now_stay_and_those_they_replace_too(
    operator: Operator, s3: "S3Client"
) -> None:
    ref = add(operator, a_ref(2), OLD)
    # The second as if the function had put it.
    put_files(s3, ref, OLD.recipe, Recipe().name)
    before = keys(s3)
    result = operator.runs("images", "render", "--recipe")
    assert rendered(operator) == [2]
    assert "Files of earlier recipes removed: 0." in result.stdout
    assert keys(s3) == before


def test_files_of_other_products_stay_where_one_is_asked_for(operator: Operator, s3: "S3Client") -> None:
    other = add(operator, ImageRef(OTHER_PRODUCT, 4, "f" * 16), TODAYS)
    before = keys(s3)
    put_files(s3, other, OLD.recipe)
    with_old = keys(s3)
    operator.runs("images", "render", "--product", str(PRODUCT_ID))
    assert keys(s3) == with_old
    operator.runs("images", "render", "--product", str(OTHER_PRODUCT))
    assert keys(s3) == before


@pytest.mark.parametrize("arguments", [(), ("--all", "--recipe"), ("--all", "--product", "1")])
def test_one_of_three_choices_is_needed(operator: Operator, arguments: tuple[str, ...]) -> None:
    result = operator.runs("images", "render", *arguments)
    assert "Give one of --product ID, --all and --recipe." in error_line(result)
    assert operator.aws.calls == []
