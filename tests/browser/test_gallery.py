"""The pictures that are there: put in order, described, removed, beside what others do."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from local.sample import sample_jpeg
from local.system import wait_until
from tests.browser.staff import Staff
from tests.e2e.shop import Shop

THUMBHASH = "1QcSHQRnh493V4dIh4eXh1h4kJUI"
HOSTILE = "<img src=x onerror=alert(1)>\"'&amp;<script>alert(2)</script>"


@pytest.fixture
def image_ids(shop: Shop, product_id: int) -> list[int]:
    """Four pictures of a product of the test's own, whose files are of no matter."""
    shop.add_records(product_id, range(4))
    return [1, 2, 3, 4]


@pytest.fixture
def colleague(browser: Browser, shop: Shop) -> Iterator[Staff]:
    """Another one, at another machine."""
    context = browser.new_context(locale="en-GB")
    yield Staff(context.new_page(), shop, [])
    context.close()


def centre(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def until_stored(staff: Staff, product_id: int, image_ids: list[int]) -> None:
    """Wait until the page shows this order, and the service has it."""
    shown = [f"[data-id='{each}']" for each in image_ids]
    for place, selector in enumerate(shown):
        expect(staff.cards.nth(place)).to_have_attribute("data-id", re.sub(r"\D", "", selector))
    wait_until(lambda: staff.stored(product_id) == image_ids or None, f"order {image_ids}")


def until_text(staff: Staff, product_id: int, image_id: int, text: str) -> None:
    """Wait until the service has this text."""
    wait_until(lambda: staff.shop.shown(product_id, image_id).alt_text == text or None, f"text {text!r}")


@pytest.mark.every_browser
def test_arrow_keys_move_a_picture_keep_the_focus_and_say_its_new_place(
    staff: Staff, product_id: int, image_ids: list[int]
) -> None:
    a, b, c, d = image_ids
    staff.open(product_id)
    staff.handle(a).focus()
    staff.page.keyboard.press("ArrowRight")
    expect(staff.page.get_by_role("status")).to_have_text("Now 2 of 4")
    expect(staff.handle(a)).to_be_focused()
    staff.page.keyboard.press("End")
    expect(staff.page.get_by_role("status")).to_have_text("Now 4 of 4")
    expect(staff.handle(a)).to_be_focused()
    until_stored(staff, product_id, [b, c, d, a])


def test_buttons_move_a_picture(staff: Staff, product_id: int, image_ids: list[int]) -> None:
    a, b, c, d = image_ids
    staff.open(product_id)
    earlier = staff.page.locator(f"[data-id='{d}']").get_by_role("button", name="Earlier")
    earlier.click()
    expect(earlier).to_be_focused()
    earlier.click()
    until_stored(staff, product_id, [a, d, b, c])


@pytest.mark.every_browser
def test_a_mouse_moves_a_picture(staff: Staff, product_id: int, image_ids: list[int]) -> None:
    a, b, c, d = image_ids
    staff.open(product_id)
    staff.page.mouse.move(*centre(staff.handle(d)))
    staff.page.mouse.down()
    staff.page.mouse.move(*centre(staff.handle(b)), steps=5)
    expect(staff.page.locator(f"[data-id='{b}']")).to_have_class(re.compile("drop-before"))
    staff.page.mouse.up()
    until_stored(staff, product_id, [a, d, b, c])


def test_escape_takes_a_move_back(staff: Staff, product_id: int, image_ids: list[int]) -> None:
    staff.open(product_id)
    staff.page.mouse.move(*centre(staff.handle(image_ids[3])))
    staff.page.mouse.down()
    staff.page.mouse.move(*centre(staff.handle(image_ids[0])), steps=5)
    staff.page.keyboard.press("Escape")
    staff.page.mouse.up()
    until_stored(staff, product_id, image_ids)


def test_a_finger_moves_a_picture_and_the_page_does_not_scroll_away(
    browser: Browser, shop: Shop, product_id: int, image_ids: list[int]
) -> None:
    a, b, c, d = image_ids
    context = browser.new_context(
        locale="en-GB", has_touch=True, is_mobile=True, viewport={"width": 700, "height": 900}
    )
    staff = Staff(context.new_page(), shop, [])
    staff.open(product_id)
    staff.handle(a).scroll_into_view_if_needed()
    scrolled = staff.page.evaluate("scrollY")
    line = context.new_cdp_session(staff.page)
    (x, y), (to_x, to_y) = centre(staff.handle(a)), centre(staff.handle(b))

    def touch(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y} for x, y in points]
        line.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    touch("touchStart", (x, y))
    for step in range(1, 6):
        touch("touchMove", (x + (to_x - x) * step / 5, y + (to_y - y) * step / 5))
    touch("touchEnd")
    until_stored(staff, product_id, [b, a, c, d])
    assert staff.page.evaluate("scrollY") == scrolled
    context.close()


def test_two_who_order_at_once_both_have_their_way(
    staff: Staff, colleague: Staff, product_id: int, image_ids: list[int]
) -> None:
    a, b, c, d = image_ids
    staff.open(product_id)
    colleague.open(product_id)
    expect(colleague.cards).to_have_count(4)
    staff.handle(a).press("End")
    until_stored(staff, product_id, [b, c, d, a])
    # Whose page may not know of that yet.
    colleague.handle(d).press("Home")
    until_stored(colleague, product_id, [d, b, c, a])


@pytest.mark.every_browser
def test_text_is_saved_when_one_leaves_it_with_its_characters_counted(
    staff: Staff, product_id: int, image_ids: list[int]
) -> None:
    staff.open(product_id)
    text = staff.alt_text(image_ids[0])
    text.fill("Ein Schuh 👟")
    expect(staff.cards.first).to_contain_text("11 of 1,000")
    text.blur()
    until_text(staff, product_id, image_ids[0], "Ein Schuh 👟")


def test_an_edit_by_somebody_else_is_shown_and_not_overwritten(
    staff: Staff, colleague: Staff, product_id: int, image_ids: list[int]
) -> None:
    image_id = image_ids[0]
    staff.open(product_id)
    colleague.open(product_id)
    text = staff.alt_text(image_id)
    text.fill("Mine")
    colleague.alt_text(image_id).fill("Theirs")
    colleague.alt_text(image_id).blur()
    until_text(colleague, product_id, image_id, "Theirs")
    text.blur()
    conflict = staff.cards.first.get_by_role("alert")
    expect(conflict).to_contain_text("Theirs")
    expect(text).to_have_value("Mine")
    assert staff.shop.shown(product_id, image_id).alt_text == "Theirs"
    conflict.get_by_role("button", name="Save mine").click()
    expect(conflict).to_be_hidden()
    until_text(staff, product_id, image_id, "Mine")


def test_markup_in_texts_and_file_names_stays_text(staff: Staff, shop: Shop, product_id: int) -> None:
    image = shop.add(sample_jpeg(48, 32), product_id=product_id, name=f"{HOSTILE}.jpg", alt_text=HOSTILE)
    staff.open(product_id)
    expect(staff.alt_text(image.id)).to_have_value(HOSTILE)
    staff.choose([{"name": f"{HOSTILE}.heic", "mimeType": "image/heic", "buffer": b"x"}])
    expect(staff.page.get_by_text(f"{HOSTILE}.heic")).to_be_visible()
    assert staff.page.locator("#app script, #app [onerror]").count() == 0


def test_one_picture_is_made_the_primary(staff: Staff, shop: Shop, product_id: int) -> None:
    first, second = (shop.add(sample_jpeg(48, 32), product_id=product_id, order=each).id for each in "01")
    staff.open(product_id)
    expect(staff.page.locator(f"[data-id='{first}']")).to_be_visible()
    card = staff.page.locator(f"[data-id='{second}']")
    card.get_by_role("button", name="Make primary").click()
    expect(card.get_by_text("Primary", exact=True)).to_be_visible()
    assert staff.shop.primaries(product_id) == [second]


def test_what_is_removed_can_be_brought_back(staff: Staff, product_id: int, image_ids: list[int]) -> None:
    staff.open(product_id)
    staff.cards.first.get_by_role("button", name="Remove").click()
    expect(staff.cards).to_have_count(3)
    staff.page.get_by_role("button", name="Undo").click()
    expect(staff.cards).to_have_count(4)
    assert staff.stored(product_id) == image_ids


@pytest.mark.every_browser
def test_what_is_removed_is_gone_when_the_page_is_left(
    staff: Staff, product_id: int, image_ids: list[int], page: Page
) -> None:
    staff.open(product_id)
    staff.cards.first.get_by_role("button", name="Remove").click()
    expect(staff.cards).to_have_count(3)
    assert len(staff.stored(product_id)) == 4
    page.goto(f"{staff.shop.state.api_url}/api/openapi.json")
    wait_until(lambda: staff.stored(product_id) == image_ids[1:] or None, "removal")


def test_several_are_removed_together(staff: Staff, product_id: int, image_ids: list[int]) -> None:
    staff.open(product_id)
    staff.page.clock.install()
    for image_id in image_ids[1:3]:
        staff.page.locator(f"[data-id='{image_id}']").get_by_role("checkbox").check()
    toolbar = staff.page.get_by_role("toolbar", name="2 selected")
    with staff.page.expect_response(lambda answer: answer.request.method == "DELETE"):
        toolbar.get_by_role("button", name="Remove").click()
        expect(staff.cards).to_have_count(2)
        staff.page.clock.run_for(9_000)
    remaining = [image_ids[0], image_ids[3]]
    wait_until(lambda: staff.stored(product_id) == remaining or None, "removal of two")


def test_a_gallery_of_150_loads_as_one_scrolls_and_is_put_in_order_too(
    staff: Staff, shop: Shop, product_id: int
) -> None:
    shop.add_records(product_id, range(150))
    staff.open(product_id)
    expect(staff.cards).to_have_count(100)
    staff.cards.last.scroll_into_view_if_needed()
    expect(staff.cards).to_have_count(150)
    staff.handle(150).press("Home")
    expect(staff.page.get_by_role("status")).to_have_text("Now 1 of 150")
    wait_until(lambda: shop.page(product_id, limit=1).json()["results"][0]["id"] == 150 or None, "its place")


def test_the_end_of_a_gallery_that_does_not_load_is_asked_for_again_and_not_without_a_pause(
    staff: Staff, shop: Shop, product_id: int
) -> None:
    shop.add_records(product_id, range(150))
    asked: list[str] = []

    def lose(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    rest = "**/images?*offset=100*"
    staff.page.route(rest, lose)
    staff.open(product_id)
    staff.page.locator(".end").scroll_into_view_if_needed()
    expect(staff.page.get_by_role("alert")).to_contain_text("The service does not answer.")
    staff.page.wait_for_timeout(3_000)
    assert 1 < len(asked) < 10
    staff.page.unroute(rest)
    expect(staff.cards).to_have_count(150)


@pytest.mark.every_browser
def test_renditions_take_the_place_of_the_thumbhash_of_the_picture_and_originals_never_do(
    staff: Staff, product_id: int, image_ids: list[int], context: BrowserContext
) -> None:
    fetched: list[str] = []
    context.on("request", lambda request: fetched.append(request.url))
    sizes = (160, 320, 640, 1024)

    def with_renditions(route: Route) -> None:
        page = route.fetch().json()
        for image in page["results"]:
            folder = image["f"].rpartition(".")[0] + "/r2"
            image["renditions"] = [
                {"width": px, "height": px, "type": kind, "f": f"{folder}/{px}.{kind.lower()}", "size": 1}
                for px in sizes
                for kind in ("AVIF", "JPEG")
            ]
            image["placeholder"] = {"thumbhash": THUMBHASH, "color": "#123456"}
        route.fulfill(json=page)

    content = sample_jpeg(160, 160)
    staff.page.route("**/images?*", with_renditions)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    staff.page.route("**/r2/*", hold)
    staff.open(product_id)
    placeholder = staff.cards.first.locator("canvas")
    expect(placeholder).to_be_visible()
    assert placeholder.evaluate("""canvas => [
        canvas.width, canvas.height, ...canvas.getContext("2d").getImageData(0, 0, 1, 1).data
    ]""") == [23, 32, 64, 77, 113, 255]
    staff.page.route("**/r2/*", lambda route: route.fulfill(content_type="image/jpeg", body=content))
    for route in held:
        route.fulfill(content_type="image/jpeg", body=content)
    # Without a text it has no role of its own.
    shown = staff.cards.first.locator("img")
    expect(shown).to_have_js_property("complete", True)
    # By how much depends on how wide it stood when it was chosen.
    expect(shown).not_to_have_js_property("naturalWidth", 0)
    assert shown.evaluate("img => img.currentSrc").endswith(".avif")
    assert shown.evaluate("img => img.loading") == "lazy"
    expect(placeholder).to_have_count(0)
    originals = {staff.shop.shown(product_id, each).f for each in image_ids}
    assert originals & set(fetched) == set()
    assert not [url for url in fetched if url.endswith("/1024.avif")]
