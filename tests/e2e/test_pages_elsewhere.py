"""What a browser sends for a page of somewhere else reaches neither the front nor the emulator."""

import http.client
from urllib.parse import urlsplit

import httpx
import pytest

from tests.builders import jpeg
from tests.e2e.origins import ALLOWED, OTHER
from tests.e2e.shop import Shop

FORM_OF = {"Origin": OTHER, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}


@pytest.mark.parametrize(
    "headers",
    [FORM_OF, {"Sec-Fetch-Site": "same-site"}, {"Host": "evil.example:8000"}],
    ids=["another origin", "another port", "another name of this machine"],
)
def test_the_front_refuses_it(shop: Shop, headers: dict[str, str]) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        answer = shop.request(method, shop.url(), headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (403, "text/plain; charset=utf-8")


def test_the_front_lets_in_an_origin_that_is_allowed_and_shows_pictures_to_any(shop: Shop) -> None:
    page = {**FORM_OF, "Origin": ALLOWED}
    assert shop.request("GET", shop.url(), headers=page).status_code == 200
    image = shop.add(jpeg(), product_id=127)
    assert httpx.get(image.f, headers=FORM_OF).status_code == 200


@pytest.mark.parametrize(
    "headers", [{"Origin": OTHER}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example:4566"}]
)
def test_the_emulator_refuses_it_whatever_it_asks_for(shop: Shop, headers: dict[str, str]) -> None:
    emulator = shop.state.aws.endpoint_url
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/lambda/aws4_request"}
    functions = f"{emulator}/2015-03-31/functions/"
    assert httpx.get(functions, headers=signed).status_code == 200
    for method, url in (("GET", functions), ("POST", functions), ("POST", f"{emulator}/_ministack/reset")):
        answer = httpx.request(method, url, headers={**signed, **headers})
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_page_that_may_not_use_the_api_can_send_a_form_that_it_was_given(shop: Shop) -> None:
    reservation = shop.reserved(jpeg(), product_id=127)
    form = reservation.upload
    sent = httpx.post(form.url, data=form.fields, files={"file": jpeg()}, headers=FORM_OF)
    assert sent.status_code == 204
    assert shop.settled(reservation).status == "ready"


@pytest.mark.parametrize("path", ["/api/../../../../../_ministack/reset", "/media/%2e%2e/incoming/1/2"])
def test_segments_of_dots_lead_nowhere(shop: Shop, path: str) -> None:
    for url in (shop.state.api_url, shop.state.aws.endpoint_url):
        # Other clients resolve such a path before they send it.
        connection = http.client.HTTPConnection(urlsplit(url).netloc)
        connection.request("POST", path)
        assert connection.getresponse().status == 403
        connection.close()
