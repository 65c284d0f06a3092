"""The example of a storefront, as a visitor has it: what it shows, what it weighs, and that nothing jumps."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Response

from local.system import State
from local.template import ROOT
from tests.browser.rendered import put_products

TILES = range(70_000, 70_040)
GALLERY = 70_100
_SHIFTS = """
window.shifted = 0;
new PerformanceObserver(list => { for (const each of list.getEntries()) window.shifted += each.value; })
  .observe({ type: "layout-shift", buffered: true });
"""


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files, and says nothing of it."""

    def log_message(self, *_: object) -> None:
        """Keep still."""


@pytest.fixture(scope="module")
def page_url(system: State) -> Iterator[str]:
    """The example's page on an origin of its own, as a shop's pages are."""
    put_products(system, TILES)
    put_products(system, [GALLERY], pictures=3)
    folder = ROOT / "examples/storefront"
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/index.html?base={system.api_url}"
    server.shutdown()
    thread.join()
    server.server_close()


class Visit:
    """A page that is open, with all that was loaded for it."""

    def __init__(self, browser: Browser, width_px: int, density: float) -> None:
        viewport: Any = {"width": width_px, "height": 800}
        self.page: Page = browser.new_page(viewport=viewport, device_scale_factor=density)
        self.page.add_init_script(_SHIFTS)
        self.errors: list[str] = []
        self._responses: list[Response] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        # Playwright marks what it is given, which a built-in method cannot be.
        self.page.on("response", lambda each: self._responses.append(each))  # noqa: PLW0108 - as said

    def open(self, url: str, tiles: int) -> None:
        """Open it, scroll to its end, and wait until every picture is there."""
        self.page.goto(url)
        self.page.wait_for_function(f"document.querySelectorAll('li img').length === {tiles}")
        for tile in self.page.locator("li img").all():
            tile.scroll_into_view_if_needed()
        self.page.wait_for_function(
            "[...document.querySelectorAll('li img')].every(img => img.complete && img.naturalWidth)"
        )

    def loaded_bytes(self) -> int:
        """Add up the bodies of all answers; an address that holds its data itself takes none."""
        return sum(len(response.body()) for response in self._responses if response.url.startswith("http"))

    def sizes(self) -> list[tuple[str, int]]:
        """Return what was loaded, and how large each was."""
        return [(response.url[:120], len(response.body())) for response in self._responses]

    def statuses(self) -> set[int]:
        """Return how requests were answered."""
        return {response.status for response in self._responses}

    def ask(self, expression: str) -> Any:  # noqa: ANN401 - whatever the page has
        """Evaluate an expression in the page."""
        return self.page.evaluate(expression)


@pytest.mark.parametrize(
    ("width_px", "density", "columns", "file_px", "most_bytes"),
    [(360, 1, 2, 160, 400_000), (1_440, 1, 8, 160, 400_000), (360, 2, 2, 320, 600_000)],
    ids=["a small window", "a large window", "a phone with two pixels to a dot"],
)
def test_forty_tiles_are_sharp_light_and_do_not_jump(
    browser: Browser,
    page_url: str,
    width_px: int,
    density: float,
    columns: int,
    file_px: int,
    most_bytes: int,
) -> None:
    visit = Visit(browser, width_px, density)
    visit.open(f"{page_url}&products={','.join(map(str, TILES))}", len(TILES))
    assert (visit.errors, visit.statuses()) == ([], {200})
    assert visit.loaded_bytes() < most_bytes, visit.sizes()
    shown = visit.ask(
        "[...document.querySelectorAll('li img')].map(img => [img.currentSrc, img.alt, img.offsetTop])"
    )
    assert [alt for _, alt, _ in shown] == [f"Product {product_id}" for product_id in TILES]
    assert all(source.endswith(f"/r2/{file_px}.avif") for source, _, _ in shown)
    tops = [top for _, _, top in shown]
    assert tops.count(tops[0]) == columns
    assert visit.ask("document.documentElement.scrollWidth") <= width_px
    assert visit.ask("window.shifted") == 0
    visit.page.close()


@pytest.mark.parametrize("width_px", [360, 1_440])
def test_a_gallery_shows_all_pictures_of_a_product_in_their_shape(
    browser: Browser, page_url: str, width_px: int
) -> None:
    visit = Visit(browser, width_px, 1)
    visit.open(f"{page_url}&product={GALLERY}", 3)
    assert (visit.errors, visit.statuses()) == ([], {200})
    shapes = visit.ask("[...document.querySelectorAll('li img')].map(img => img.width / img.height)")
    assert shapes == pytest.approx([4 / 3] * 3, abs=0.02)
    assert visit.ask("document.documentElement.scrollWidth") <= width_px
    visit.page.close()


def test_a_picture_that_loads_is_a_blurred_one_until_then(browser: Browser, page_url: str) -> None:
    visit = Visit(browser, 360, 1)
    # The files never come.
    visit.page.route("**/media/**", lambda _: None)
    visit.page.goto(f"{page_url}&product={GALLERY}")
    visit.page.wait_for_selector("li picture")
    blurred = visit.ask("getComputedStyle(document.querySelector('li picture')).backgroundImage")
    assert blurred.startswith('url("data:image/png;base64,')
    size = visit.ask(
        "(box => [box.width, box.height])(document.querySelector('li img').getBoundingClientRect())"
    )
    assert size[0] / size[1] == pytest.approx(4 / 3, abs=0.02)
    visit.page.close()


def test_a_visitor_is_told_what_is_wrong(browser: Browser, page_url: str) -> None:
    visit = Visit(browser, 360, 1)
    visit.page.goto(f"{page_url}&product=99999999&products=1,shoe")
    visit.page.wait_for_function("document.getElementById('gallery').textContent")
    assert "There is no product 99999999" in (visit.page.text_content("#gallery") or "")
    assert visit.errors == []
    visit.page.close()
