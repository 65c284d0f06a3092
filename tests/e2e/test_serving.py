"""What the public gets at a picture's URL: the very bytes, as the picture they are and as nothing else."""

import hashlib
import re
import shutil
from collections.abc import Iterator

import httpx
import pytest

from domain.image import ImageFormat
from local.sample import sample_jpeg
from local.system import State
from openapi.bodies import ImageBody
from tests.builders import TOKEN, picture
from tests.e2e.shop import Shop, incoming_key, media_key
from tests.hostile_pictures import POLYGLOTS, SCRIPT

PICTURES = {image_format: picture(image_format.name) for image_format in ImageFormat}
DISGUISED = POLYGLOTS["GIF and JavaScript"]

type Outputs = dict[str, str]


@pytest.mark.parametrize("image_format", ImageFormat)
def test_a_picture_of_each_format_is_served_byte_for_byte_with_its_type(
    shop: Shop, product_id: int, image_format: ImageFormat
) -> None:
    image = shop.add(PICTURES[image_format], product_id=product_id, name="picture.bin")
    assert image.type == image_format.name
    _check_served(shop.fetch(image.f), image, image_format, PICTURES[image_format])
    address = rf"/media/{product_id}/{image.id}-[0-9a-f]{{16}}\.{image_format.extension}"
    assert re.fullmatch(re.escape(shop.state.api_url) + address, image.f)


def test_a_client_that_only_asks_gets_the_headers_alone(shop: Shop, product_id: int) -> None:
    image = shop.add(PICTURES[ImageFormat.PNG], product_id=product_id)
    full, head = shop.fetch(image.f), httpx.head(image.f)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-length", "etag", "content-security-policy"):
        assert head.headers[name] == full.headers[name]


def test_a_picture_is_not_served_before_it_has_proven_to_be_one(shop: Shop, product_id: int) -> None:
    with shop.events_lost():
        created = shop.upload(PICTURES[ImageFormat.PNG], product_id=product_id).json()
    key = incoming_key(created["f"])
    assert (shop.received_keys(product_id), shop.public_keys(product_id)) == ({key}, set())
    assert shop.shown(product_id, created["id"]).status == "pending"
    _check_not_served(shop.fetch(created["f"]), 404)
    assert shop.invoke_metadata(key) == "ready"
    assert shop.shown(product_id, created["id"]).status == "ready"
    assert shop.fetch(created["f"]).content == PICTURES[ImageFormat.PNG]


def test_a_picture_whose_bytes_were_never_sent_is_not_served(shop: Shop, product_id: int) -> None:
    _check_not_served(shop.fetch(shop.reserved(b"-", product_id=product_id).f), 404)


def test_a_failed_picture_is_not_served_and_its_bytes_are_gone(shop: Shop, product_id: int) -> None:
    created = shop.upload(sample_jpeg(300, 200)[:-2_000], product_id=product_id).json()
    assert shop.finished(created).failure
    _check_not_served(shop.fetch(created["f"]), 404)
    shop.until_removed(product_id)


@pytest.mark.parametrize("path", ["", "1/2", "1/2.jpg", "../packages/x.zip", f"999999/1-{TOKEN}.jpg"])
def test_there_is_nothing_else_to_see_below_media(shop: Shop, path: str) -> None:
    assert httpx.get(f"{shop.state.api_url}/media/{path}").status_code == 404


@pytest.fixture
def cdn(shop: Shop, outputs: Outputs) -> Iterator[httpx.Client]:
    """The emulated CloudFront, asked over what counts as HTTPS."""
    if not shutil.which("node"):
        pytest.skip("Node.js is not on this machine, and the emulated CloudFront runs its functions with it")
    with httpx.Client(
        base_url=shop.state.aws.endpoint_url,
        headers={"Host": outputs["CdnDomainName"], "X-Forwarded-Proto": "https"},
    ) as client:
        yield client


def test_the_cdn_serves_a_picture_as_the_front_does(shop: Shop, product_id: int, cdn: httpx.Client) -> None:
    image = shop.add(DISGUISED, product_id=product_id, name="a.js")
    answer = cdn.get(httpx.URL(image.f).path)
    _check_served(answer, image, ImageFormat.GIF, shop.fetch(image.f).content)
    assert SCRIPT not in answer.content
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert answer.headers["server"] == "CloudFront"


def test_the_cdn_answers_over_https_alone(shop: Shop, product_id: int, cdn: httpx.Client) -> None:
    image = shop.add(PICTURES[ImageFormat.PNG], product_id=product_id)
    path = httpx.URL(image.f).path
    assert cdn.get(path).status_code == 200
    assert cdn.get(path, headers={"X-Forwarded-Proto": "http"}).status_code == 403


@pytest.mark.parametrize(
    "path", ["/media/", f"/media/999999/1-{TOKEN}.jpg", "/media/?list-type=2&prefix=media/"]
)
def test_the_cdn_which_may_list_the_bucket_lists_it_to_nobody(cdn: httpx.Client, path: str) -> None:
    answer = cdn.get(path)
    # The emulated CloudFront says 403 of a missing object whatever the policy says; S3 would say 404.
    assert answer.status_code in {403, 404}
    assert "<ListBucketResult" not in answer.text


@pytest.mark.parametrize(("written", "encoded"), [("/media/", "/media/%30"), ("/", "%2F"), (".", "%2E")])
def test_a_picture_has_one_address_and_its_other_spellings_are_404s(
    shop: Shop, product_id: int, written: str, encoded: str
) -> None:
    image = shop.add(PICTURES[ImageFormat.PNG], product_id=product_id)
    head, _, tail = image.f.rpartition(written)
    answer = shop.fetch(f"{head}{encoded}{tail}")
    assert (answer.status_code, answer.content) == (404, b"")


def test_only_the_cdn_may_read_the_bucket(shop: Shop, product_id: int, cdn: httpx.Client) -> None:
    image = shop.add(PICTURES[ImageFormat.PNG], product_id=product_id)
    direct = f"{shop.state.aws.endpoint_url}/{shop.state.resources.bucket}/{media_key(image.f)}"
    assert cdn.get(httpx.URL(image.f).path).status_code == 200
    assert httpx.get(direct).status_code == 403


def test_not_even_the_cdn_reads_what_came_in(shop: Shop, product_id: int, cdn: httpx.Client) -> None:
    with shop.events_lost():
        created = shop.upload(PICTURES[ImageFormat.PNG], product_id=product_id).json()
    (key,) = shop.received_keys(product_id)
    for path in (f"/{key}", f"/media/../{key}", f"/media/%2e%2e/{key}"):
        answer = cdn.get(path)
        assert answer.is_error, path
        assert PICTURES[ImageFormat.PNG] not in answer.content
    assert shop.invoke_metadata(incoming_key(created["f"])) == "ready"


def _check_served(
    answer: httpx.Response, image: ImageBody, image_format: ImageFormat, content: bytes
) -> None:
    assert answer.status_code == 200, answer.text
    assert hashlib.sha256(answer.content).hexdigest() == hashlib.sha256(content).hexdigest()
    assert answer.headers["content-type"] == image_format.media_type
    assert answer.headers["x-content-type-options"] == "nosniff"
    policy = re.split(r"; *", answer.headers["content-security-policy"])
    assert sorted(policy) == ["default-src 'none'", "sandbox"]
    name = f"{image.product_id}-{image.id}.{image_format.extension}"
    assert answer.headers["content-disposition"] == f'inline; filename="{name}"'
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["access-control-allow-origin"] == "*"


def _check_not_served(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/xml"
    assert "cache-control" not in answer.headers


def _bucket_policy(state: State) -> str:
    return state.endpoint.client("s3").get_bucket_policy(Bucket=state.resources.bucket)["Policy"]
