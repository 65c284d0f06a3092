"""One whole visit, from signing in to signing out, and a picture of each step for docs/staff-page.md."""

import colorsys
import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import expect

from local.system import wait_until
from local.template import ROOT
from tests.browser.staff import Staff

STEPS = ROOT / ".build/browser/visit"
FILES = 40
SIZE = {"width": 1_000, "height": 860}


def a_photograph(number: int) -> bytes:
    """Return a product on a light ground, told from others by its colour and its number."""
    picture = Image.new("RGB", (320, 240), "#e9e6e0")
    draw = ImageDraw.Draw(picture)
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(number / FILES, 0.6, 0.75))
    draw.ellipse((40, 190, 280, 225), fill="#c9c4ba")
    draw.rounded_rectangle((60, 60, 260, 205), 40, fill=(red, green, blue))
    draw.text((160, 130), str(number + 1), "white", ImageFont.load_default(72), anchor="mm")
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=85)
    return content.getvalue()


class Recording:
    """Numbered pictures of what a visitor sees."""

    def __init__(self, staff: Staff) -> None:
        """Begin anew."""
        self._page = staff.page
        self._count = 0
        STEPS.mkdir(parents=True, exist_ok=True)
        for old in STEPS.glob("*.webp"):
            old.unlink()

    def show(self, step: str) -> None:
        """Keep what the window shows now."""
        self._count += 1
        self._page.evaluate("scrollTo(0, 0)")
        shot = Image.open(io.BytesIO(self._page.screenshot()))
        shot.save(STEPS / f"{self._count:02}-{step}.webp", quality=60, method=6)


def test_one_visit_puts_forty_files_in_as_they_were_chosen_and_arranges_describes_and_removes_them(
    staff: Staff, product_id: int, tmp_path: Path
) -> None:
    page, recording = staff.page, Recording(staff)
    page.set_viewport_size(SIZE)  # type: ignore[arg-type]
    page.goto(staff.url)
    expect(page.get_by_label("API key")).to_be_visible()
    recording.show("sign-in")

    staff.sign_in()
    page.get_by_label("Search by number or title").fill(str(product_id))
    link = page.get_by_role("link", name=f"Product {product_id}")
    expect(link).to_be_visible()
    recording.show("products")

    link.click()
    expect(page.get_by_text("No images yet.")).to_be_visible()
    recording.show("empty-product")

    files = [tmp_path / f"box-{number + 1:02}.jpg" for number in range(FILES)]
    for number, path in enumerate(files):
        path.write_bytes(a_photograph(number))
    staff.drop(files)
    expect(staff.line("box-01.jpg")).not_to_contain_text("Waiting")
    recording.show("on-their-way")
    staff.ready(FILES)
    assert [image.name for image in staff.shop.gallery(product_id)] == [path.name for path in files]
    expect(staff.cards).to_have_count(FILES)
    assert staff.shown_ids() == staff.stored(product_id)
    page.get_by_role("button", name="Clear what is done").click()
    # Each is rendered in a process of its own; the first ones are enough to be seen.
    expect(staff.cards.nth(3).locator("img")).to_have_js_property("complete", True, timeout=120_000)
    recording.show("ready")

    first, second, third, *rest = staff.stored(product_id)
    staff.handle(third).press("Home")
    expect(page.get_by_role("status")).to_have_text(f"Now 1 of {FILES}")
    wait_until(lambda: staff.stored(product_id) == [third, first, second, *rest] or None, "its place")
    recording.show("arranged")

    text = staff.alt_text(third)
    text.fill("An orange box from the front")
    text.blur()
    wait_until(lambda: staff.shop.shown(product_id, third).alt_text or None, "its text")
    staff.cards.first.get_by_role("button", name="Make primary").click()
    expect(staff.cards.first.get_by_text("Primary", exact=True)).to_be_visible()
    recording.show("described")

    for image_id in (first, second):
        page.locator(f"[data-id='{image_id}']").get_by_role("checkbox").check()
    recording.show("selected")
    page.get_by_role("toolbar", name="2 selected").get_by_role("button", name="Remove").click()
    expect(staff.cards).to_have_count(FILES - 2)
    recording.show("removed")
    page.get_by_role("button", name="Undo").click()
    expect(staff.cards).to_have_count(FILES)

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("API key")).to_be_visible()
    assert page.evaluate("sessionStorage.getItem('product-images key')") is None
    assert staff.stored(product_id) == [third, first, second, *rest]
