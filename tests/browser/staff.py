"""What staff do on their page, and what they see of it."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from local.sample import sample_jpeg
from tests.e2e.shop import Shop

_STORED_KEY = "product-images key"
_WATCH = """
window.violations = [];
addEventListener("securitypolicyviolation",
  event => violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
_LOSE_ONE_ANSWER = """() => {
const send = XMLHttpRequest.prototype.send;
XMLHttpRequest.prototype.send = function (body) {
  XMLHttpRequest.prototype.send = send;
  const { onerror } = this;
  this.onload = () => onerror.call(this);
  send.call(this, body);
};
}"""
_CUT_ONE_UPLOAD = """() => {
const send = XMLHttpRequest.prototype.send;
XMLHttpRequest.prototype.send = function (body) {
  XMLHttpRequest.prototype.send = send;
  const { onprogress } = this.upload;
  this.upload.onprogress = event => {
    onprogress.call(this.upload, event);
    if (event.loaded * 100 >= event.total) this.abort();
  };
  send.call(this, body);
};
}"""
_DROP = """files => {
const transfer = new DataTransfer();
for (const [name, content] of files) {
  const bytes = Uint8Array.from(atob(content), byte => byte.charCodeAt(0));
  const type = name.endsWith(".jpg") ? "image/jpeg" : "text/plain";
  transfer.items.add(new File([bytes], name, {type}));
}
for (const type of ["dragover", "drop"]) {
  const event = new DragEvent(type, {dataTransfer: transfer, bubbles: true, cancelable: true});
  document.querySelector("header").dispatchEvent(event);
  if (!event.defaultPrevented) throw new Error("The file would take the page's place.");
}
}"""


class Staff:
    """A member of staff in front of one window."""

    def __init__(self, page: Page, shop: Shop, faults: list[str]) -> None:
        """Note down in `faults` what the page itself does wrong."""
        self.page = page
        self.shop = shop
        self.url = f"{shop.state.api_url}/staff/"
        page.add_init_script(_WATCH)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if "Content Security" in said.text else None)

    def sign_in(self, key: str | None = None) -> None:
        """Sign in by the form."""
        self.page.get_by_label("API key").fill(key or self.shop.state.keys["staff"])
        self.page.get_by_role("button", name="Sign in").click()

    def open(self, product_id: int) -> None:
        """Come back to a product, signed in."""
        key = self.shop.state.keys["staff"]
        # Firefox runs it on the empty page before, too, where there is no storage.
        self.page.add_init_script(f"if (origin !== 'null') sessionStorage.setItem('{_STORED_KEY}', '{key}')")
        self.page.goto(f"{self.url}#/products/{product_id}")
        expect(self.page.get_by_role("heading", name="Add images")).to_be_visible()

    def choose(self, files: Sequence[Path] | Sequence[dict[str, Any]]) -> None:
        """Choose files by the button."""
        self.page.get_by_label("Choose images").set_input_files([*files])

    def drop(self, files: Sequence[Path]) -> None:
        """Drop files beside everything; where the browser would show one in the page's place, this fails."""
        dropped = [(path.name, base64.b64encode(path.read_bytes()).decode()) for path in files]
        self.page.evaluate(_DROP, dropped)

    def line(self, name: str) -> Locator:
        """Return the line of a file in the queue."""
        return self.page.locator(".queue li").filter(has=self.page.get_by_text(name, exact=True))

    def ready(self, count: int) -> None:
        """Wait until so many files of the queue are ready, and no one is not."""
        expect(self.summary).to_contain_text(f"{count} of {count} ready", timeout=120_000)

    @property
    def summary(self) -> Locator:
        """What the queue says of all its files."""
        return self.page.locator(".queue > .row")

    @property
    def cards(self) -> Locator:
        """The pictures of the gallery."""
        return self.page.locator(".card")

    def shown_ids(self) -> list[int]:
        """Return the pictures as they stand on the page."""
        return [int(each) for each in self.cards.evaluate_all("all => all.map(card => card.dataset.id)")]

    def handle(self, image_id: int) -> Locator:
        """Return what a picture is dragged by."""
        return self.page.locator(f"[data-id='{image_id}'] .handle")

    def alt_text(self, image_id: int) -> Locator:
        """Return where a picture's alternative text is written."""
        return self.page.locator(f"[data-id='{image_id}']").get_by_label("Alternative text")

    def stored(self, product_id: int) -> list[int]:
        """Return the pictures as the service has them, in their order."""
        return [image.id for image in self.shop.gallery(product_id)]

    def lose_one_answer(self) -> None:
        """Let the answer to the next picture get lost on its way, though the service has taken it."""
        self.page.evaluate(_LOSE_ONE_ANSWER)

    def cut_one_upload(self) -> None:
        """Let the connection of the next upload break as soon as a percent of it has left."""
        self.page.evaluate(_CUT_ONE_UPLOAD)

    def violations(self) -> list[str]:
        """Return what the content security policy kept from happening since the page was loaded."""
        found: list[str] = self.page.evaluate("window.violations ?? []")
        return found


def pictures(folder: Path, count: int, *, pattern: str = "{:02}.jpg") -> list[Path]:
    """Make small pictures, each with a size of its own in pixels."""
    paths = [folder / pattern.format(number) for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(sample_jpeg(40 + number, 30))
    return paths
