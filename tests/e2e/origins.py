"""Pages of other origins, and what an answer tells the browsers that run them."""

import httpx

from tests.builders import jpeg
from tests.e2e.shop import Shop

ALLOWED = "https://admin.example.com"
ALSO_ALLOWED = "https://shop.example.com"
OTHER = "https://evil.example.com"


def preflight(url: str, origin: str, method: str) -> httpx.Response:
    """Ask as a browser does before it sends a page's request."""
    return httpx.options(url, headers={"Origin": origin, "Access-Control-Request-Method": method})


def listed(answer: httpx.Response, header: str) -> set[str]:
    """Return the items of a header that is a list."""
    return {each.strip() for each in answer.headers.get(header, "").split(",")}


def cors_headers(answer: httpx.Response) -> dict[str, str]:
    """Return what an answer says of other origins."""
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


def check_that_no_page_is_let_in(shop: Shop) -> None:
    """Check that no answer says anything of other origins."""
    origin = {"Origin": ALLOWED}
    created = shop.upload(jpeg(), origin=ALLOWED)
    for answer, status in (
        (created, 201),
        (shop.request("GET", shop.url(), headers=origin), 200),
        (shop.request("GET", shop.image_url(123, 2**53 - 1), headers=origin), 404),
        (httpx.get(f"{shop.state.api_url}/api/openapi.json", headers=origin), 200),
        (preflight(shop.url(), ALLOWED, "POST"), 204),
    ):
        assert answer.status_code == status
        assert cors_headers(answer) == {}
