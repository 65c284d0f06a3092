"""The browser that the other tests of this folder need."""

from playwright.sync_api import Page

from tests.browser.browsers import NONE_FOUND, find_browsers
from tests.builders import jpeg
from tests.e2e.shop import Shop


def test_a_browser_is_there() -> None:
    assert find_browsers(), NONE_FOUND


def test_it_shows_a_picture_that_the_service_published(shop: Shop, product_id: int, page: Page) -> None:
    image = shop.add(jpeg(), product_id=product_id)
    page.goto(image.f)
    [picture] = page.locator("img").all()
    shown = picture.evaluate(
        "async img => { await img.decode(); return [img.naturalWidth, img.naturalHeight]; }"
    )
    assert shown == [image.width, image.height]
