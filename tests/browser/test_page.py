"""The page as a whole: who comes in, which products there are, in which language, for every hand and eye."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from adapters.dynamo_products import DynamoProducts
from domain.api_key import generate_key
from local.sample import sample_jpeg
from tests.browser.staff import Staff, pictures
from tests.e2e.shop import Shop
from tests.node import MODULES
from tests.running_system import new_product

AXE = (MODULES / "axe-core/axe.min.js").read_text()
SMALL = {"width": 360, "height": 740}


def violations(page: Page) -> list[str]:
    """Return what axe finds wrong, WCAG 2.2 AA and best practices."""
    page.evaluate(AXE)
    found = page.evaluate("""async () => (await axe.run()).violations.map(
        each => `${each.id}: ${each.nodes.map(node => node.target).join(" ")}`)""")
    return [str(each) for each in found]


@pytest.mark.every_browser
def test_a_key_is_taken_and_forgotten_again(staff: Staff, product_id: int) -> None:
    staff.page.goto(f"{staff.url}#/products/{product_id}")
    staff.sign_in()
    expect(staff.page.get_by_role("heading", name=f"Product {product_id}")).to_be_visible()
    staff.page.get_by_role("button", name="Sign out").click()
    expect(staff.page.get_by_label("API key")).to_be_visible()
    assert staff.page.evaluate(
        "Object.values(sessionStorage).concat(Object.values(localStorage)).join()"
    ) in {"", "[]"}
    assert "pik_" not in staff.page.url


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("pik_short", "This is no whole key"),
        (generate_key(), "unknown, was revoked, or has expired"),
        ("customer", "belongs to a customer"),
    ],
    ids=["malformed", "unknown", "a customer's"],
)
def test_another_key_says_what_it_is(staff: Staff, shop: Shop, key: str, said: str) -> None:
    staff.page.goto(staff.url)
    staff.sign_in(shop.state.keys.get(key, key))
    expect(staff.page.get_by_role("alert")).to_contain_text(said)
    expect(staff.page.get_by_label("API key")).to_have_attribute("aria-invalid", "true")


def test_products_are_found_by_title_and_number_and_opened(staff: Staff, shop: Shop) -> None:
    product_id = new_product(shop.state)
    title = f"Wellington boot {product_id}"
    products = DynamoProducts(shop.state.endpoint.client("dynamodb"), shop.state.resources.table)
    products.add(product_id + 500_000, title)
    staff.page.goto(staff.url)
    staff.sign_in()
    search = staff.page.get_by_label("Search by number or title")
    search.fill(f"wellington boot {product_id}")
    staff.page.get_by_role("link", name=title).click()
    expect(staff.page.get_by_role("heading", name=title)).to_be_visible()
    assert staff.page.url == f"{staff.url}#/products/{product_id + 500_000}"
    staff.page.get_by_role("link", name="All products").click()
    search.fill(str(product_id))
    expect(staff.page.get_by_role("link", name=f"Product {product_id}")).to_be_visible()


def test_a_products_picture_takes_the_place_of_its_thumbhash(staff: Staff) -> None:
    thumbnail = {"f": "/media/1/1/r2/160.avif", "width": 160, "height": 160}
    placeholder = {"thumbhash": "1QcSHQRnh493V4dIh4eXh1h4kJUI", "color": "#123456"}
    primary = {"thumbnail": thumbnail, "placeholder": placeholder}
    products = {"results": [{"product_id": 1, "title": None, "count": 1, "primary": primary}], "next": None}
    content = sample_jpeg(160, 160)
    staff.page.route("**/api/products?*", lambda route: route.fulfill(json=products))
    staff.page.route("**/r2/*", lambda route: route.fulfill(content_type="image/jpeg", body=content))
    staff.page.goto(staff.url)
    staff.sign_in()
    thumb = staff.page.locator(".products .thumb")
    expect(thumb.locator("img")).to_have_js_property("naturalWidth", 160)
    expect(thumb.locator("canvas")).to_have_count(0)


def test_a_product_that_is_not_there_is_told_so(staff: Staff, shop: Shop) -> None:
    key = shop.state.keys["staff"]
    staff.page.add_init_script(f"sessionStorage.setItem('product-images key', '{key}')")
    staff.page.goto(f"{staff.url}#/products/999999999")
    expect(staff.page.get_by_text("There is no such product.")).to_be_visible()


@pytest.mark.every_browser
def test_the_page_speaks_german_where_the_browser_does(browser: Browser, shop: Shop, product_id: int) -> None:
    context = browser.new_context(locale="de-AT")
    page = context.new_page()
    page.goto(f"{shop.state.api_url}/staff/#/products/{product_id}")
    expect(page.get_by_role("heading", name="Anmelden")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "de"
    page.get_by_label("API-Schlüssel").fill(shop.state.keys["staff"])
    page.get_by_role("button", name="Anmelden").click()
    expect(page.get_by_role("heading", name="Bilder hinzufügen")).to_be_visible()
    context.close()


@pytest.mark.every_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_view(
    staff: Staff, shop: Shop, product_id: int, tmp_path: Path, scheme: str
) -> None:
    shop.add(sample_jpeg(48, 32), product_id=product_id, alt_text="A shoe")
    staff.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    staff.page.goto(staff.url)
    expect(staff.page.get_by_label("API key")).to_be_visible()
    found = {"sign in": violations(staff.page)}
    staff.sign_in()
    expect(staff.page.get_by_role("link", name="Product 123", exact=False).first).to_be_visible()
    found["products"] = violations(staff.page)
    staff.open(product_id)
    staff.page.reload()
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(sample_jpeg(64, 48)[:-300])
    staff.choose([*pictures(tmp_path, 2), broken])
    expect(staff.line("broken.jpg")).to_contain_text("Failed:", timeout=60_000)
    expect(staff.summary).to_contain_text("2 of 3 ready, 1 failed", timeout=60_000)
    staff.cards.first.get_by_role("checkbox").check()
    found["product"] = violations(staff.page)
    assert found == {"sign in": [], "products": [], "product": []}


def test_on_a_small_phone_nothing_scrolls_sideways_and_targets_are_large(
    staff: Staff, shop: Shop, product_id: int, tmp_path: Path
) -> None:
    shop.add(sample_jpeg(48, 32), product_id=product_id, name=f"{'long' * 40}.jpg", alt_text="word" * 60)
    staff.page.set_viewport_size(SMALL)  # type: ignore[arg-type]
    staff.open(product_id)
    staff.choose(pictures(tmp_path, 1, pattern=f"{'name' * 30}{{}}.jpg"))
    staff.ready(1)
    expect(staff.cards).to_have_count(2)
    assert staff.page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]
    small = staff.page.evaluate("""[...document.querySelectorAll("button, a, input, textarea, .button")]
        .filter(each => !each.matches(".visually-hidden, h1 a"))
        .map(each => [each.getBoundingClientRect(), each])
        .filter(([box]) => box.width && (box.width < 24 || box.height < 24))
        .map(([box, each]) => `${each.outerHTML.slice(0, 80)} ${box.width} ${box.height}`)""")
    assert small == []


def test_arabic_titles_texts_and_names_run_from_the_right_and_what_stands_beside_them_does_not(
    staff: Staff, shop: Shop, tmp_path: Path
) -> None:
    product_id, title = new_product(shop.state) + 600_000, "حذاء أحمر 42"
    DynamoProducts(shop.state.endpoint.client("dynamodb"), shop.state.resources.table).add(product_id, title)
    image = shop.add(sample_jpeg(48, 32), product_id=product_id, alt_text="حذاء أحمر من الجانب")
    staff.open(product_id)
    staff.choose(pictures(tmp_path, 1, pattern="صورة-{}.jpg"))
    heading = staff.page.get_by_role("heading", name=title)
    expect(heading.locator("bdi")).to_have_css("direction", "rtl")
    expect(heading).to_have_css("direction", "ltr")
    expect(staff.alt_text(image.id)).to_have_css("direction", "rtl")
    line = staff.line("صورة-0.jpg")
    expect(line.locator("bdi")).to_have_css("direction", "rtl")
    expect(line.locator(".state")).to_have_css("direction", "ltr")


def test_forced_colours_show_controls_and_where_a_dragged_picture_would_stand(
    staff: Staff, shop: Shop, product_id: int
) -> None:
    for order in range(2):
        shop.add(sample_jpeg(48, 32), product_id=product_id, order=str(order))
    staff.page.emulate_media(forced_colors="active")
    staff.open(product_id)
    expect(staff.cards).to_have_count(2)
    staff.cards.nth(0).locator(".handle").hover()
    staff.page.mouse.down()
    staff.cards.nth(1).locator(".handle").hover()
    # Shadows, by which it is shown elsewhere, are not painted.
    expect(staff.cards.nth(1)).to_have_css("outline-style", "solid")
    staff.page.keyboard.press("Escape")
    staff.page.mouse.up()
    unseen = staff.page.evaluate("""[...document.querySelectorAll("button:enabled, .button, textarea")]
        .filter(each => getComputedStyle(each).borderTopColor === getComputedStyle(each).backgroundColor)
        .map(each => each.outerHTML.slice(0, 80))""")
    assert unseen == []
    assert violations(staff.page) == []


def test_the_documentation_of_the_api_runs_under_its_policy(page: Page, shop: Shop) -> None:
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if "Content Security" in said.text else None)
    page.goto(f"{shop.state.api_url}/api/docs")
    expect(page.get_by_text("/api/products/{product_id}/images/uploads")).to_be_visible()
    assert refused == []
